"""Figures and sentences of interactions against their numbers, and against hostile names."""

from dataclasses import replace

import numpy as np
import plotly.io as pio
import pytest
from scipy import stats

from tests.attributions import build, hostile
from tests.interactions import one_row, pairs_of, several_rows
from workbench.core.errors import InvalidInputError
from workbench.core.interactions import Interactions
from workbench.plots import RENDERERS, render, views_of
from workbench.plots.interactions import adds_up_sentence, interactions_sentence, matrix, network
from workbench.plots.theme import DARK, LIGHT, template
from workbench.report import to_json, write_csv, write_report

MINUS = "\N{MINUS SIGN}"


def lines_of(figure):
    return [trace for trace in figure.data if trace.mode == "lines"]


def test_both_views_are_offered():
    assert views_of(one_row()) == tuple(RENDERERS[Interactions]) == ("network", "matrix")
    for view in views_of(one_row()):
        assert render(one_row(), view, output="<=50K", dark=True).layout.template == template(
            dark=True
        )


def test_network_draws_strong_pairs_wide_and_by_their_sign():
    figure = network(one_row(), max_pairs=3)
    # Weakest first, so that the strong ones lie on top; features clockwise from the top.
    weak, lower, strong = lines_of(figure)
    angles = np.pi / 2 - 2 * np.pi * np.arange(5) / 5
    np.testing.assert_allclose(strong.x, np.cos(angles[[0, 3]]))
    np.testing.assert_allclose(strong.y, np.sin(angles[[0, 3]]))
    assert (strong.line.color, strong.line.dash) == (LIGHT.positive, "solid")
    assert (lower.line.color, lower.line.dash) == (LIGHT.negative, "dash")
    assert strong.line.width == 9
    assert lower.line.width == pytest.approx(1 + 8 * 0.6)
    assert weak.line.width < 2
    middles = next(trace for trace in figure.data if trace.marker.opacity == 0)
    assert list(middles.hovertext) == [
        "<b>education_num = 15 and capital_gain = 0</b><br>+0.0010",
        f"<b>marital_status = Married-civ-spouse and education_num = 15</b><br>{MINUS}0.0300",
        "<b>age = 47 years and hours_per_week = 20</b><br>+0.0500",
    ]


def test_network_nodes_grow_by_area_with_the_single_value():
    nodes = next(t for t in network(one_row()).data if t.mode == "markers" and t.marker.opacity)
    singles = np.array([0.09, 0.262, 0.178, -0.095, -0.006])
    np.testing.assert_allclose(
        nodes.marker.size, 10 + 36 * np.sqrt(np.abs(singles) / 0.262), rtol=1e-12
    )
    assert list(nodes.marker.color) == [LIGHT.positive] * 3 + [LIGHT.negative] * 2


def test_network_fades_what_its_interval_does_not_tell_from_zero():
    figure = network(one_row(errors=0.015), max_pairs=2)
    half = stats.t.ppf(0.975, 9) * 0.015
    assert 0.03 < half < 0.05
    assert [line.opacity for line in lines_of(figure)] == [0.3, 0.85]
    nodes = next(t for t in figure.data if t.mode == "markers" and t.marker.opacity)
    assert nodes.hovertext[0] == (
        f"<b>age = 47 years</b><br>+0.0900<br>95 %: +{0.09 - half:.4f} to +{0.09 + half:.4f}"
    )


def test_network_says_what_it_leaves_out_and_what_is_drawn():
    figure = network(one_row(), max_pairs=2)
    assert [a.text for a in figure.layout.annotations] == ["8 more pairs, each at most 0.001"]
    assert figure.layout.xaxis.title.text == (
        "k-SII of probability of &gt;50K; row 7<br>circles: single effects<br>"
        "lines: pairs, dashed where lower<br>faint: may be 0"
    )
    assert "circles: Shapley values" in network(one_row(index="SII")).layout.xaxis.title.text


def test_several_rows_are_mean_sizes_without_sign():
    result = several_rows()
    figure = network(result, dark=True, max_pairs=1)
    (line,) = lines_of(figure)
    assert (line.line.color, line.line.dash) == (DARK.size, "solid")
    size = np.abs(result.values[:, 0, 1, 1])
    half = stats.t.ppf(0.975, 11) * size.std(ddof=1) / np.sqrt(12)
    middles = next(trace for trace in figure.data if trace.marker.opacity == 0)
    decimals = 5  # three digits of the largest, a single feature's below 0.1, and one more
    low, high = max(0, size.mean() - half), size.mean() + half
    assert middles.hovertext[0] == (
        f"<b>age and marital_status</b><br>{size.mean():.{decimals}f}<br>"
        f"95 %: {low:.{decimals}f} to {high:.{decimals}f}"
    )
    assert figure.layout.xaxis.title.text.startswith(
        "mean |k-SII| of probability of &gt;50K<br>12 rows"
    )
    one = network(result, row=3)
    assert {trace.line.color for trace in lines_of(one)} <= {LIGHT.positive, LIGHT.negative}


def test_matrix_holds_pairs_and_singles_on_the_diagonal():
    result = one_row()
    figure = matrix(result)
    (cells,) = figure.data
    np.testing.assert_array_equal(cells.z, result.values[0, :, :, 1])
    assert (cells.zmin, cells.zmax) == (-0.05, 0.05)  # up to the strongest pair
    written = [a.text for a in figure.layout.annotations[:-1]]
    numbers = np.array(written).reshape(5, 5)
    assert numbers[1, 1] == "+0.262"
    assert numbers[1, 2] == numbers[2, 1] == f"{MINUS}0.030"
    assert figure.layout.annotations[-1].text == (
        "diagonal: single effects; colour up to the strongest pair"
    )
    mean = matrix(several_rows()).data[0]
    np.testing.assert_allclose(mean.z, np.abs(several_rows().values[..., 1]).mean(0))
    assert mean.zmin == 0


def test_rounding_noise_gets_no_colour():
    singles = build([[0.3, 0.2]])
    cells = matrix(pairs_of(singles, {(0, 1): 1e-17})).data[0]
    assert cells.zmax == pytest.approx(0.05 * 0.3)
    nothing = pairs_of(build([[0.0, 0.0]]), {})
    assert matrix(nothing).data[0].zmax == 1.0
    network(nothing)


def test_many_features_have_no_numbers_in_cells():
    result = pairs_of(build(np.full((1, 13), 0.1)), {(0, 1): 0.1})
    assert len(matrix(result).layout.annotations) == 1


def test_sentence_of_a_row():
    assert interactions_sentence(one_row()) == (
        "Row 7: age = 47 years and hours_per_week = 20 together raise probability of >50K by 0.05 "
        "beyond what each does alone; marital_status = Married-civ-spouse and education_num = 15 "
        "together lower it by 0.03."
    )
    assert interactions_sentence(one_row(), output="<=50K").startswith(
        "Row 7: age = 47 years and hours_per_week = 20 together lower probability of <=50K by 0.05"
    )
    uncertain = interactions_sentence(one_row(errors=0.015))
    assert uncertain.endswith("by 0.05 beyond what each does alone.")
    assert interactions_sentence(one_row(errors=0.1)) == (
        "Row 7: no pair of features moves probability of >50K beyond what each does alone by more "
        "than its uncertainty."
    )


def test_noise_of_an_additive_model_is_not_told():
    result = pairs_of(build([[0.3, 0.2]]), {(0, 1): 1e-15})
    assert interactions_sentence(result) == (
        "Row 7: no pair of features noticeably moves probability of >50K beyond what each does "
        "alone."
    )


def test_sentence_over_rows():
    result = several_rows()
    by, then = (np.abs(result.values[:, i, j, 1]).mean() for i, j in ((0, 1), (2, 3)))
    assert interactions_sentence(result) == (
        "Over 12 rows, age and marital_status together move probability of >50K most beyond what "
        f"each does alone (by {by:.3g} on average), followed by education_num and hours_per_week "
        f"({then:.3g})."
    )
    assert interactions_sentence(result, 4).startswith("Row 47: ")
    assert interactions_sentence(result[[]]) == "There are no rows to explain."


def test_says_whether_it_adds_up():
    assert adds_up_sentence(one_row()).startswith(
        "Single effects and pairs of k-SII add up to the prediction minus the base value; largest"
    )
    shapley = one_row(index="SII")
    shapley = replace(shapley, predictions=shapley.predictions + 0.021)
    assert adds_up_sentence(shapley) == (
        "SII does not add up to the prediction, as a Shapley value already holds its feature's "
        "part in the pairs: together they miss it by up to 0.021."
    )
    assert "a Banzhaf value already" in adds_up_sentence(one_row(index="Banzhaf"))
    assert adds_up_sentence(one_row()[[]]) == "There are no rows to explain."


def test_faults_speak():
    with pytest.raises(InvalidInputError, match="There is no row 1 in this result; the last"):
        network(one_row(), row=1)
    with pytest.raises(InvalidInputError, match="There is no row -1"):
        matrix(one_row(), row=-1)
    with pytest.raises(InvalidInputError, match="There is no output 'x'"):
        render(one_row(), "matrix", output="x")
    with pytest.raises(InvalidInputError, match="at least 1 pair, got 0"):
        network(one_row(), max_pairs=0)


def test_no_rows_and_one_feature_are_drawn_too():
    for view in ("network", "matrix"):
        assert "No rows to show" in render(one_row()[[]], view).layout.annotations[0].text
        render(pairs_of(build([[0.3]]), {}), view)


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("view", ["network", "matrix"])
def test_hostile_names_are_shown_and_not_obeyed(view, n):
    result = pairs_of(hostile(n=n), {(0, 1): 0.2, (1, 2): -0.1})
    drawn = pio.to_json(render(result, view))
    for tag in ("<script", "<b>x", "<i>a", "<img", "<u>", "\\u003cscript", "\\u003cb\\u003ex"):
        assert tag not in drawn
    assert "&lt;" in drawn


@pytest.mark.parametrize("n", [1, 3, 12])
def test_report_holds_answer_figures_and_table(tmp_path, n):
    result = several_rows(12)[:n]
    page = write_report([result], tmp_path / "r.html", title="Pairs").read_bytes().decode()
    for said in (interactions_sentence(result), adds_up_sentence(result)):
        assert said.replace(">", "&gt;") in page
    assert page.count('role="img"') == 2 + (n if n == 3 else 0)
    assert "Strongest pairs (k-SII) for probability of &gt;50K" in page
    assert ("Every single value and pair, in probability" in page) == (n <= 5)
    table = page.split("Strongest pairs")[-1].split("</table>")[0]
    strongest = result.strongest()
    first = f"<td>{strongest['feature'][0]}</td><td>{strongest['other'][0]}</td>"
    assert first in table
    assert ("standard error" in table) == (n > 1)


def test_report_shows_hostile_names_and_no_rows(tmp_path):
    result = pairs_of(hostile(n=2), {(0, 1): 0.2}, errors=0.01)
    results = [result, result[[]]]
    page = write_report(results, tmp_path / "r.html", title="Pairs").read_bytes().decode()
    body = page.split("<style>")[1]
    assert all(tag not in body for tag in ("<script>alert", "<b>x", "<img src"))
    assert "There are no rows to explain." in page


def test_json_and_csv_hold_every_number(tmp_path):
    import json

    import pandas as pd

    result = several_rows(3)
    content = json.loads(to_json(result))
    assert content["kind"] == "interactions"
    np.testing.assert_array_equal(content["fields"]["values"], result.values)
    back = pd.read_csv(write_csv(result.to_frame(), tmp_path / "pairs.csv"), keep_default_na=False)
    np.testing.assert_allclose(back["interaction"], result.to_frame()["interaction"])
