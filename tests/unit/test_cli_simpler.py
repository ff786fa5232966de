"""``workbench simpler``, and the report of what it writes."""

import numpy as np
import pytest
from click.testing import CliRunner

from tests.simpler import simpler
from workbench import api
from workbench.checks import run_checks
from workbench.cli.main import workbench
from workbench.core.results import load
from workbench.plots.simpler_models import simpler_sentence
from workbench.report import to_json, write_report

QUICK = ("--trees", "1000", "--depth", "2", "--repeats", "1", "--folds", "2")


def run(*arguments):
    return CliRunner().invoke(workbench, ["simpler", *arguments], catch_exceptions=False)


def test_says_what_the_api_finds_and_writes_it(tmp_path):
    said = run("wine-mlp", "wine", *QUICK, "--out", str(tmp_path))
    assert said.exit_code == 0
    (path,) = tmp_path.glob("*.simpler_models")
    found = load(path)
    again = api.simpler_models(
        "wine-mlp", api.load_table("wine", split="all"), trees=1000, depth=2, repeats=1, folds=2
    )
    np.testing.assert_array_equal(found.log_ratio, again.log_ratio)
    np.testing.assert_array_equal(found.test_loss, again.test_loss)
    assert simpler_sentence(found) in said.output
    for rule in found.rules:
        assert rule in said.output
    assert "depth: share of good trees" in said.output
    assert "WB029" in said.output
    assert len(list(tmp_path.iterdir())) == 3


def test_a_regression_has_no_curve_and_says_so():
    said = run("diabetes-mlp", "diabetes", *QUICK)
    assert "no finite number" in said.output


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_section_of_a_report_holds_answer_figures_rules_and_trust(tmp_path, task):
    result = simpler(task=task)
    page = write_report([result], tmp_path / "report.html", title="Report").read_text()
    assert "The small tree" in page
    assert "Learners" in page
    assert ("Trees of growing depth" in page) == (task == "binary")
    assert page.count('role="img"') == 2
    for found in run_checks(result):
        assert found.code in page
    assert "NaN" not in to_json(result)


def test_tables_of_a_result_have_a_line_for_each_part():
    result = simpler()
    frame = result.to_frame()
    assert len(frame) == 6
    assert frame["simple"].sum() == 4
    assert len(result.curve_frame()) == 4
    assert result.curve_frame()["elbow"].sum() == (result.elbow >= 0)
    assert result.rules_frame()["rows"].sum() == result.n_train
