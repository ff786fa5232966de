"""Reports of explanations, local functions, curves and measures."""

import re

import numpy as np
import pytest
from markupsafe import escape

from tests.attributions import hostile
from tests.faithfulness import (
    faithfulness_of,
    local_functions_of,
    measures_of,
    one_explanation,
    one_local_function,
    scale_curves,
    several_explanations,
    several_local_functions,
    several_measures,
)
from workbench.checks import run_checks
from workbench.core.faithfulness import NEIGHBOURHOODS
from workbench.plots.explanation_values import values_sentence
from workbench.plots.faithfulness_words import faithfulness_sentence
from workbench.plots.local_functions import local_function_sentence
from workbench.plots.measures import measures_sentence
from workbench.plots.scale_curves import scale_sentence
from workbench.report import to_json, write_report

# How the section of a result begins; others tell of the report, its model and its data.
RESULT = ' aria-labelledby="result-'
RESULTS = {
    "several": several_explanations(),
    "one": one_explanation(),
    "function": one_local_function(pairs=((0, 2),), pair_values=(0.1,)),
    "functions": several_local_functions(),
    "curve": scale_curves(),
    "curves": scale_curves(9),
    "measures": several_measures(),
}


def written(folder, results):
    """Sections of a report, one for each result."""
    path = write_report(results, folder / "report.html", title="Report")
    text = path.read_text("utf-8").split("<main")[1].split("</main>")[0]
    return [part for part in text.split("<section") if part.startswith(RESULT)]


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    parts = written(tmp_path_factory.mktemp("report"), list(RESULTS.values()))
    return dict(zip(RESULTS, parts, strict=True))


def cells(text):
    """Text of every table cell, tags taken off."""
    return [re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", text)]


def test_explanations_have_matrix_agreement_checks_and_shares(sections):
    result, text = RESULTS["several"], sections["several"]
    assert escape(faithfulness_sentence(result)) in text
    assert escape(values_sentence(result)) in text
    assert text.count("<figure") == 2
    for found in run_checks(result):
        assert escape(found.sentence) in text
    entries = result.entries()
    shares, every = text.split("All values")
    assert cells(shares).count("n/a") == 3
    assert cells(shares)[:7] == ["SmoothGrad", "slope", "0.12", "0.53", "0.24", "0.28", "100"]
    bounds = [f"{bound[0, 0]:.2f}" for bound in (entries.low, entries.high)]
    assert cells(every)[:5] == ["SmoothGrad", "moved a little", "0.12", *bounds]
    assert "each number moved by 0.1 standard deviations" in text
    assert result.provenance.model_digest in text


def test_every_neighbourhood_has_a_size(tmp_path):
    seven = one_explanation(shares=np.full((7, 7), 0.2), neighbourhoods=tuple(NEIGHBOURHOODS))
    (text,) = written(tmp_path, [seven])
    assert set(NEIGHBOURHOODS.values()) <= set(cells(text))


def test_few_rows_show_what_each_method_says(sections):
    result, text = RESULTS["one"], sections["one"]
    assert text.count("<figure") == 2 + 2, "contributions and slopes of the row"
    assert "What each method says of probability of" in text
    finite = int(np.isfinite(result.values[..., 1]).sum())
    assert len(cells(text.split("All values")[1])) == 6 * finite


def test_local_functions_show_each_row_of_a_few_and_the_means_of_many(sections):
    text = sections["function"]
    assert escape(local_function_sentence(RESULTS["function"])) in text
    assert text.count("<figure") == 1
    assert {"20 %", "15 %"} <= set(cells(text))
    assert "age \N{MULTIPLICATION SIGN} education_num: both together" in text
    several, text = RESULTS["functions"], sections["functions"]
    assert text.count("<figure") == 0
    assert escape(local_function_sentence(several)) in text
    assert "the first 5 of 12 rows" in text
    size = np.abs(several.coefficients[:, 0, 1]).mean()
    assert f"{size:.5f}" in cells(text)


@pytest.mark.parametrize("name", ["curve", "curves"])
def test_a_curve_has_its_points(sections, name):
    result, text = RESULTS[name], sections[name]
    assert escape(scale_sentence(result)) in text
    assert text.count("<figure") == 1
    low, middle, high = (part[4] for part in result.curve())
    assert {f"{x:.3f}" for x in (low, middle, high)} <= set(cells(text))


def test_measures_have_scores_and_what_they_mean(sections):
    result, text = RESULTS["measures"], sections["measures"]
    assert escape(measures_sentence(result)) in text
    assert text.count("<figure") == 1
    found = result.summary()
    assert f"0.55 ({found.low[0, 0]:.3f} to {found.high[0, 0]:.3f})" in cells(text)
    assert "settings of pgi" in cells(text)
    assert "n/a" in cells(text)


def test_results_without_rows_say_so(tmp_path):
    none = [RESULTS[name][[]] for name in ("several", "functions", "curves", "measures")]
    for text in written(tmp_path, none):
        assert "There are no rows to explain." in text
        assert "<figure" not in text


def test_hostile_names_are_shown_and_not_obeyed(tmp_path):
    singles = hostile(n=1)
    results = [
        faithfulness_of(singles), local_functions_of(singles), scale_curves(singles=singles),
        measures_of(singles, settings_words=("<script>alert(3)</script>",) * 4),
    ]  # fmt: skip
    text = "".join(written(tmp_path, results))
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "<u>" not in text
    assert "alert(3)" in text


def test_json_knows_no_nan():
    for result in (several_explanations(), several_measures()):
        assert "NaN" not in to_json(result)
