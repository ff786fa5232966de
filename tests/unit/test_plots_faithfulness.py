"""Views of explanations held against neighbourhoods, against the numbers they are drawn from."""

import html
import re
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest
from scipy import stats

from tests.attributions import HOSTILE_BOLD, HOSTILE_SCRIPT, build, example, hostile, numbered
from tests.faithfulness import (
    METHODS,
    NEIGHBOURHOODS,
    faithfulness_of,
    one_explanation,
    several_explanations,
    without,
)
from workbench.core.errors import InvalidInputError
from workbench.core.faithfulness import ADEQUATE
from workbench.plots import options_of, render, views_of
from workbench.plots.explanation_values import values_sentence
from workbench.plots.faithfulness_words import faithfulness_sentence

VIEWS = ("matrix", "methods", "values", "agreement")


def written(figure):
    """Texts of the cells, by place."""
    return {
        (round(note.x), round(note.y, 6)): note.text
        for note in figure.layout.annotations if note.xref in {None, "x"}
    }  # fmt: skip


def heat(figure):
    return [trace for trace in figure.data if isinstance(trace, go.Heatmap)]


def every_text(figure):
    found = [note.text for note in figure.layout.annotations]
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        found += [*(axis.ticktext or ()), axis.title.text or ""]
    for trace in figure.data:
        found.append(trace.name or "")
        for part in (trace.text, trace.hovertext):
            found += [str(cell) for cell in np.ravel(part)] if part is not None else []
    return found


def test_views_and_their_options():
    result = several_explanations()
    assert views_of(result) == VIEWS
    assert options_of(result, "matrix") == {}
    assert options_of(result, "methods") == {"neighbourhood": list(NEIGHBOURHOODS)}
    assert options_of(result, "values") == {"type": ["contribution", "slope"]}
    assert options_of(result, "agreement")["measure"][:2] == ["top", "rank"]
    slopes = without(result, "lime", "kernelshap", "occlusion")
    assert options_of(slopes, "values") == {"type": ["slope"]}
    for view in VIEWS:
        for name, choices in options_of(result, view).items():
            for choice in choices:
                assert render(result, view, **{name: choice}).data


def test_the_matrix_holds_the_shares_in_groups():
    result = several_explanations()
    figure = render(result, "matrix")
    groups = heat(figure)
    assert [len(trace.z) for trace in groups] == [2, 3, 2]
    shares = np.array([shares for _, shares in METHODS.values()])
    z = np.concatenate([np.array(trace.z, dtype=float) for trace in groups])
    np.testing.assert_allclose(z, np.minimum(shares, 1.0))
    lanes = np.concatenate([trace.y for trace in groups])
    np.testing.assert_allclose(figure.layout.yaxis.tickvals, lanes)
    assert np.diff(lanes).max() > 1.5, "groups stand apart"
    cells = written(figure)
    for (i, j), share in np.ndenumerate(shares):
        text = cells[j, round(lanes[i], 6)]
        assert text.strip("<b/> \N{BLACK UP-POINTING TRIANGLE}") == (
            "n/a" if np.isnan(share) else f"{share:.2f}"
        )


def test_the_best_of_a_column_is_outlined_and_what_is_no_better_than_random_is_marked():
    result = several_explanations()
    figure = render(result, "matrix")
    lanes = figure.layout.yaxis.tickvals
    outlined = {(round((s.x0 + s.x1) / 2), round((s.y0 + s.y1) / 2, 6))
                for s in figure.layout.shapes}  # fmt: skip
    best = {"near": "smoothgrad", "mask-exponential": "lime", "one-at-a-time": "occlusion",
            "path": "lime"}  # fmt: skip
    assert outlined == {
        (j, round(lanes[list(METHODS).index(best[key])], 6)) for j, key in enumerate(NEIGHBOURHOODS)
    }
    assert result.best() == tuple(list(METHODS).index(best[key]) for key in NEIGHBOURHOODS)
    cells = written(figure)
    marked = {place for place, text in cells.items() if "\N{BLACK UP-POINTING TRIANGLE}" in text}
    assert marked == {(1, round(lanes[1], 6))}, "vanilla gradients at 0.99 against 0.90"
    assert set(zip(*np.nonzero(result.no_better_than_random()), strict=True)) == {(1, 1)}
    alone = without(result, "random")
    assert not alone.no_better_than_random().any()


def test_an_empty_cell_says_why():
    result = several_explanations()
    told = heat(render(result, "matrix"))[1].hovertext[0][0]
    assert told == (
        "<b>LIME</b><br>where numbers are moved a little<br>n/a: a contribution does not say what "
        "a small move does"
    )
    missed = result.missed.copy()
    missed[:, :2, 1] = np.nan
    told = heat(render(replace(result, missed=missed), "matrix"))[0].hovertext[0][1]
    assert told.endswith("n/a: a slope says nothing of categories and missing values")
    other = replace(result, missed=missed, neighbourhoods=("near", "resample", *NEIGHBOURHOODS[2:]))
    told = heat(render(other, "matrix"))[0].hovertext[0][1]
    assert told.endswith("n/a: a slope does not say what the value of another row does")
    nowhere = replace(result, total=np.full_like(result.total, np.nan))
    assert "these rows have no such neighbourhood" in str(render(nowhere, "matrix").data)
    still = replace(result, total=np.zeros_like(result.total))
    assert "the output does not move there" in str(render(still, "matrix").data)
    only = render(nowhere, "methods").layout.annotations[0].text
    assert "these rows have no such" in only.replace("<br>", " ")


def test_the_hover_has_the_interval_and_the_cost():
    result = several_explanations()
    entries = result.entries()
    told = heat(render(result, "matrix"))[0].hovertext[0][0]
    assert told == (
        "<b>SmoothGrad</b><br>where numbers are moved a little<br>misses 0.120 of the variance<br>"
        f"95 %: {entries.low[0, 0]:.3f} to {entries.high[0, 0]:.3f}, 12 rows<br>100 model calls "
        "for a row"
    )
    alone = heat(render(one_explanation(), "matrix"))[0].hovertext[0][0]
    assert "<br>1 row<br>" in alone, "a single row has no interval"


def test_methods_are_sorted_with_whiskers_and_the_rest_last():
    result = several_explanations()
    figure = render(result, "methods", neighbourhood="path")
    bars = {trace.name: trace for trace in figure.data if isinstance(trace, go.Bar)}
    assert list(bars) == ["slopes", "contributions", "anchors"]
    assert list(figure.layout.yaxis.ticktext) == [
        "LIME", "KernelSHAP", "SmoothGrad", "Vanilla gradients", "Occlusion", "Random numbers",
        "Distance from the reference",
    ]  # fmt: skip
    np.testing.assert_allclose(bars["contributions"].x, [0.10, 0.11, 1.21])
    np.testing.assert_array_equal(bars["contributions"].y, [0, 1, 4])
    entries = result.entries()
    slopes = bars["slopes"].error_x
    np.testing.assert_allclose(slopes.array, (entries.high - entries.value)[:2, 3])
    np.testing.assert_allclose(slopes.arrayminus, (entries.value - entries.low)[:2, 3])
    (line,) = figure.layout.shapes
    assert line.x0 == line.x1 == ADEQUATE
    np.testing.assert_allclose(bars["anchors"].x, [1.3, 1.5]), "3.1 is cut off"
    assert "3.10 \N{RIGHTWARDS ARROW}" in figure.data[-1].text[-1]
    assert len({trace.marker.color for trace in bars.values()}) == 3
    near = render(result, "methods")
    assert list(near.layout.yaxis.ticktext)[-3:] == ["LIME", "KernelSHAP", "Occlusion"]
    assert [text.strip("\N{NO-BREAK SPACE}") for text in near.data[-1].text[-3:]] == ["n/a"] * 3
    assert "a contribution does not say" in near.data[-1].hovertext[-1]


def test_values_are_those_of_one_type_with_their_errors():
    result = several_explanations()
    figure = render(result, "values", row=2)
    names = [trace.name for trace in figure.data]
    assert names == ["LIME", "KernelSHAP", "Occlusion"]
    found = result.values[2, 2:5, :, 1]
    order = np.argsort(-np.abs(found).max(0))
    for trace, values in zip(figure.data, found, strict=True):
        np.testing.assert_allclose(trace.x, values[order])
        np.testing.assert_allclose(trace.error_x.array, stats.norm.ppf(0.975) * 0.01)
        assert (np.abs(trace.y - np.arange(5)) < 0.5).all(), "in the lane of its feature"
    assert len({trace.marker.symbol for trace in figure.data}) == 3
    slopes = render(result, "values", row=2, type="slope", output="<=50K")
    assert [trace.name for trace in slopes.data] == ["SmoothGrad", "Vanilla gradients"]
    assert len(slopes.data[0].x) == 4, "a slope says nothing of a category"
    assert "per standard deviation" in slopes.layout.xaxis.title.text


def test_values_of_many_features_are_cut():
    wide = faithfulness_of(example(n=2, sampled=False, features=numbered(30)))
    figure = render(wide, "values", max_features=7)
    assert len(figure.layout.yaxis.ticktext) == 7
    largest = np.sort(np.abs(wide.values[0, 2:5, :, 1]).max(0))[-8]
    assert f"23 more, each at most {largest:.3g}" in figure.layout.xaxis.title.text
    assert figure.layout.height > 7 * 3 * 13


def test_agreement_is_within_a_type():
    result = several_explanations()
    figure = render(result, "agreement", top=2)
    (cells,) = heat(figure)
    z = np.array(cells.z, dtype=float)
    known = np.isfinite(z)
    block = np.array([0, 0, 1, 1, 1])
    np.testing.assert_array_equal(known, (block[:, None] == block) & ~np.eye(5, dtype=bool))
    first, second = (np.abs(result.values[:, i, :, 1]) for i in (2, 3))
    tops = [[set(np.argsort(-row)[:2]) for row in v] for v in (first, second)]
    shared = [len(a & b) / 2 for a, b in zip(*tops, strict=True)]
    assert z[2, 3] == pytest.approx(np.mean(shared))
    assert "not comparable" in cells.hovertext[0][2]
    one = np.array(heat(render(result, "agreement", row=4, measure="rank"))[0].z, dtype=float)
    expected = stats.spearmanr(*(result.values[4, i, :, 1] for i in (2, 4))).statistic
    assert one[2, 4] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("methods", {"neighbourhood": "far"}), "There is no neighbourhood 'far' here; choose one"),
        (("values", {"row": 12}), "There is no row 12 in this result; the last one is 11."),
        (("values", {"type": "anchor"}), "no values of type 'anchor'; choose one of contribution, "
                                         "slope."),
        (("values", {"max_features": 0}), "A figure needs at least 1 feature, got 0."),
        (("agreement", {"measure": "x"}), "There is no measure 'x' of agreement; choose one"),
        (("agreement", {"top": 0}), "Agreement needs at least 1 strongest feature, got 0."),
        (("matrix", {"output": "x"}), "There is no output 'x'"),
    ],
)  # fmt: skip
def test_says_what_is_wrong(options, message):
    view, given = options
    with pytest.raises(InvalidInputError, match=re.escape(message)):
        render(several_explanations(), view, **given)


def test_small_and_empty_results_are_drawn():
    none = several_explanations()[[]]
    for view in VIEWS:
        (note,) = render(none, view).layout.annotations
        assert note.text.replace("<br>", " ").startswith("No rows to show")
    lone = without(one_explanation(), *(set(METHODS) - {"lime"}))
    assert "at least 2 methods" in render(lone, "agreement").layout.annotations[0].text
    assert len(render(lone, "values").data) == 1
    anchors = without(one_explanation(), *(set(METHODS) - {"random", "size"}))
    with pytest.raises(InvalidInputError, match="it has anchors only"):
        render(anchors, "values")
    silent = replace(lone, values=np.full_like(lone.values, np.nan))
    assert "No method says anything" in render(silent, "values").layout.annotations[0].text.replace(
        "<br>", " "
    )


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("dark", [False, True])
def test_hostile_names_are_text_not_markup(view, dark):
    figure = render(faithfulness_of(hostile()), view, dark=dark)
    texts = every_text(figure)
    tags = {tag for text in texts for tag in re.findall(r"<[^>]*>", text)}
    assert tags <= {"<b>", "</b>", "<br>"}
    everything = " ".join(texts)
    assert HOSTILE_BOLD not in everything
    assert "$" not in everything
    if view == "values":
        assert html.escape(HOSTILE_SCRIPT) in everything


@pytest.mark.parametrize("task", ["multiclass", "regression"])
@pytest.mark.parametrize("view", VIEWS)
def test_other_tasks_are_drawn(task, view):
    assert render(faithfulness_of(example(task, n=3, sampled=False)), view).to_json()


def test_the_sentence_names_winners():
    assert faithfulness_sentence(several_explanations()) == (
        "Over 12 rows, probability of >50K: LIME misses least where a few features are removed "
        "(20 %) and on the way from the reference (10 %); SmoothGrad misses least where numbers "
        "are moved a little (12 %); Occlusion misses least where one feature is removed (0 %). No "
        "explanation is best everywhere: which to believe depends on the question."
    )


def test_the_sentence_says_what_is_adequate_nowhere_or_best_everywhere():
    shares = np.full((7, 4), 0.3) + np.arange(7)[:, None] * 0.01
    best = faithfulness_sentence(one_explanation(shares=shares))
    assert best.startswith("Row 7, probability of >50K: SmoothGrad misses least where")
    assert best.endswith("It is the best in all 4 neighbourhoods.")
    poor = faithfulness_sentence(one_explanation(shares=shares + 0.4))
    assert poor.endswith("None is adequate in any of them: all miss more than 50 %.")
    shares[:, 3] += 0.4
    some = faithfulness_sentence(one_explanation(shares=shares))
    assert some.endswith("None is adequate on the way from the reference: all miss more than 50 %.")
    nothing = one_explanation(shares=np.full((7, 4), np.nan))
    assert faithfulness_sentence(nothing).endswith("can be compared in these neighbourhoods.")
    assert faithfulness_sentence(nothing[[]]) == "There are no rows to explain."


def rows_of(*values, types=("contribution",) * 3):
    """One row with these values for as many methods."""
    names = ("lime", "kernelshap", "occlusion")[: len(values)]
    methods = {name: (kind, (0.1,) * 4) for name, kind in zip(names, types, strict=False)}
    one = faithfulness_of(build([values[0]]), methods=methods)
    return replace(one, values=np.array(values)[None, :, :, None] * np.array([-1.0, 1.0]))


def test_values_sentence_says_how_far_methods_agree():
    alike = rows_of([3.0, 2, 1, 0, 0], [3.0, 2, 0, 1, 0], [4.0, 2, 0, 0, 1])
    assert values_sentence(alike) == (
        "Row 7, probability of >50K: all 3 contribution methods put age first, and two of them "
        "share 100 % of the 2 strongest features on average."
    )
    two = rows_of([3.0, 2, 1, 0, 0], [-3.0, 0, 2, 1, 0])
    assert values_sentence(two) == (
        "Row 7, probability of >50K: both contribution methods put age first, and they share 50 % "
        "of the 2 strongest features, 0 % with the same sign."
    )
    apart = rows_of([3.0, 0, 1, 0, 0], [0, 3.0, 2, 1, 0], [0, 0, 0, 0, 9.0])
    assert "the 3 contribution methods put 3 different features first" in values_sentence(apart)
    some = rows_of([3.0, 0, 1, 0, 0], [3.0, 0.0, 2, 1, 0], [0, 0, 0, 0, 9.0])
    assert "2 of 3 contribution methods put age first" in values_sentence(some)
    lone = rows_of([3.0, 0, 1, 0, 0])
    assert "the one contribution method, LIME, puts age first." in values_sentence(lone)
    assert values_sentence(several_explanations()).startswith("Over 12 rows, probability of >50K: ")
    assert "; all 3 contribution methods" in values_sentence(several_explanations(), 0)
    assert values_sentence(several_explanations()[[]]) == "There are no rows to explain."
    with pytest.raises(InvalidInputError, match="There is no row 12"):
        values_sentence(several_explanations(), 12)
