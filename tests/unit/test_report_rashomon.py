"""Reports of sets of equally good models."""

import re

import numpy as np
import pytest
from markupsafe import escape

from tests.rashomon_sets import hostile_models, no_models, several_models
from workbench.checks import run_checks
from workbench.core.rashomon import METRICS
from workbench.core.results import RashomonSet, load
from workbench.plots.rashomon_groups import group_sentence
from workbench.plots.rashomon_words import noise_sentence, rashomon_sentence, row_sentence
from workbench.report import to_json, write_report

# How the section of a result begins; others tell of the report, its model and its data.
RESULT = ' aria-labelledby="result-'
RESULTS = {
    "several": several_models(explorers=("gaussian-units", "retraining", "quadratic")),
    "one": several_models(n=1, models=20),
    "values": several_models("regression", models=20, importance=False),
    "none": no_models(models=20),
    "hostile": hostile_models(models=20),
}


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(list(RESULTS.values()), path, title="Report")
    text = path.read_text("utf-8").split("<main")[1].split("</main>")[0]
    parts = [part for part in text.split("<section") if part.startswith(RESULT)]
    return dict(zip(RESULTS, parts, strict=True))


def cells(text):
    """Text of every table cell, tags taken off."""
    return [re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", text)]


def test_many_rows_have_sentences_figures_metrics_and_checks(sections):
    result, text = RESULTS["several"], sections["several"]
    for explorer in result.explorers:
        assert escape(rashomon_sentence(result, explorer=explorer)) in text
    assert escape(noise_sentence(result)) in text
    assert escape(group_sentence(result)) in text
    assert text.count("<figure") == 6
    for found in run_checks(result):
        assert escape(found.sentence) in text
    shown = cells(text)
    at = shown.index(METRICS["obscurity"])
    expected = 100 * result.metric("obscurity")[0, -1]
    assert float(shown[at + 1].removesuffix(" %")) == pytest.approx(expected, abs=0.06)
    assert shown[at + 3] == "not defined", "a formula has no models that could be counted"
    assert "no models, a formula" in shown
    width = (result.high - result.low)[0, -1, :, 1]
    assert str(result.ids[int(np.argmax(width))]) in text.split("All values")[1]


def test_one_row_is_told_by_itself(sections):
    assert escape(row_sentence(RESULTS["one"], 0)) in sections["one"]
    assert "Who bears the disagreement" not in sections["one"]


def test_a_regression_has_no_flips(sections):
    assert "USD" in sections["values"]
    assert "not defined" in cells(sections["values"].split("All values")[1])
    assert "rely on each feature" not in sections["values"]


def test_no_model_is_said(sections):
    assert "No model admitted" in sections["none"]
    assert "not defined" in cells(sections["none"])


def test_users_names_are_text(sections):
    markup = re.sub(r"<script type=\"application/json\".*?</script>", "", sections["hostile"])
    assert "<img src" not in markup
    assert "<u>" not in markup


def test_a_file_and_json_hold_all_of_it(tmp_path):
    for result in RESULTS.values():
        path = result.save(tmp_path / "set.rashomon_set")
        again = load(path)
        assert isinstance(again, RashomonSet)
        np.testing.assert_array_equal(again.metrics, result.metrics)
        assert again.schema == result.schema
        assert '"explorers"' in to_json(result)
