"""An evaluation in a report, as JSON and as CSV."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.attributions import example
from tests.performances import HOSTILE_CLASSES, evaluated, hostile, one_class
from workbench.checks import run_checks
from workbench.core.errors import InvalidInputError
from workbench.plots import performance_sentence, views_of
from workbench.report import to_json, write_csv, write_report


@pytest.fixture
def write(tmp_path):
    def call(*results, **options):
        path = write_report(results, tmp_path / "report.html", **({"title": "Report"} | options))
        return path.read_bytes().decode()

    return call


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_section_holds_answer_figures_tables_and_trust(write, task):
    result = replace(evaluated(task), trained_on="tiny")
    page = write(result)
    assert performance_sentence(result).replace(">", "&gt;") in page
    for view in views_of(result):
        assert f'id="result-1-{view}"' in page
    for found in run_checks(result):
        assert found.code in page
    assert "Every metric" in page
    assert ("Every class" in page) == (task != "regression")
    assert "scattergl" not in page.split("<script>")[0], "WebGL needs code that the policy forbids"
    assert page.count('role="img"') == len(views_of(result))


def test_results_of_both_kinds_share_a_report_with_remarks(write):
    page = write(example(n=2), evaluated(), remarks=["Mind the <b>second</b>.", ""])
    assert "Mind the &lt;b&gt;second&lt;/b&gt;." in page
    assert page.count('class="comment"') == 1
    with pytest.raises(InvalidInputError) as fault:
        write(evaluated(), remarks=["one", "two"])
    assert str(fault.value) == (
        "A report of 1 results needs as many remarks, got 2; leave a remark empty where there is "
        "nothing to say."
    )


def test_hostile_classes_are_shown_and_not_obeyed(write):
    page = write(hostile())
    body = page.split("<style>")[1]
    assert all(name not in body for name in HOSTILE_CLASSES)
    assert "&lt;img src=x onerror=alert(2)&gt;" in page


def test_what_is_undefined_has_its_reason(write):
    page = write(one_class())
    assert "no row is yes" in page
    assert ">nan<" not in page.lower()


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_json_and_csv_hold_every_number(tmp_path, task):
    result = evaluated(task)
    content = json.loads(to_json(result))
    assert content["kind"] == "performance"
    np.testing.assert_array_equal(content["fields"]["metrics"], result.metrics)
    path = write_csv(result.to_frame(), tmp_path / "table.csv")
    back = pd.read_csv(path, keep_default_na=False)
    assert list(back["metric"]) == [m.name for m in result.measures()]
    values = pd.to_numeric(back["value"], errors="coerce")
    np.testing.assert_allclose(values, [m.value for m in result.measures()])
