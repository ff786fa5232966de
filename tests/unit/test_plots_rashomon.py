"""Figures and sentences about equally good models, against the numbers they are drawn from."""

import html
import re
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from tests.attributions import HOSTILE_BOLD, HOSTILE_SCRIPT
from tests.rashomon_sets import TOLERANCES, hostile_models, no_models, several_models
from workbench.core.errors import InvalidInputError
from workbench.core.rashomon import GROWING, Share
from workbench.numerics.intervals import wilson
from workbench.plots import options_of, render, views_of
from workbench.plots.rashomon_groups import group_sentence, groups_of
from workbench.plots.rashomon_models import importance_sentence
from workbench.plots.rashomon_words import (
    At,
    coverage,
    noise_sentence,
    rashomon_sentence,
    remark_text,
    row_sentence,
)
from workbench.plots.theme import DARK, LIGHT

VIEWS = ("metrics", "rows", "distribution", "groups", "importance", "cloud", "growth", "cost")
ALL = ("gaussian-units", "retraining", "lagrangian")
SET = several_models(explorers=ALL)


def strings(figure):
    """Every string of a figure that plotly renders as markup."""
    found = [note.text for note in figure.layout.annotations]
    for axis in [*figure.select_xaxes(), *figure.select_yaxes()]:
        found += [axis.title.text, *(axis.ticktext or ())]
    for trace in figure.data:
        found += [trace.name, *np.ravel(trace.text), *np.ravel(trace.hovertext)]
    return [str(text) for text in found if text is not None]


def said(figure):
    """What is written into an empty figure."""
    return " ".join(html.unescape(note.text) for note in figure.layout.annotations).replace(
        "<br>", " "
    )


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("dark", [False, True])
def test_every_view_draws_every_task_in_both_themes(view, task, dark):
    result = several_models(task, n=8, explorers=ALL)
    assert views_of(result) == VIEWS
    figure = render(result, view, dark=dark)
    assert figure.to_json()
    assert figure.layout.template.layout.font.color == (DARK if dark else LIGHT).text


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_admitted_is_said_and_never_drawn_as_agreement(view):
    result = replace(no_models(), importance=np.full((5, 3), np.nan))
    figure = render(result, view)
    if view in {"cloud", "cost"}:
        assert len(figure.data)
    else:
        assert not figure.data
        assert "admitted" in said(figure)


@pytest.mark.parametrize("view", VIEWS)
def test_users_names_are_text_not_markup(view):
    shown = " ".join(strings(render(hostile_models(), view)))
    assert set(re.findall(r"<[^>]*>", shown)) <= {"<b>", "</b>", "<br>"}, "only our own markup"
    assert HOSTILE_BOLD not in shown
    assert "$" not in shown
    by = " ".join(strings(render(hostile_models(), "groups", by=HOSTILE_SCRIPT)))
    assert "<script" not in by


def test_metrics_are_drawn_by_explorer_with_what_was_admitted():
    figure = render(SET, "metrics", metric="discrepancy")
    lines = [trace for trace in figure.data if trace.yaxis == "y"]
    assert len(lines) == 2, "a formula has no model that could disagree with all rows"
    for line, values in zip(lines, SET.metric("discrepancy"), strict=False):
        np.testing.assert_array_equal(line.x, TOLERANCES)
        np.testing.assert_array_equal(line.y, values)
    strip = [trace for trace in figure.data if trace.yaxis == "y2"]
    for trace, admitted, drawn in zip(strip, SET.admitted, SET.drawn, strict=False):
        np.testing.assert_allclose(trace.y, admitted / drawn)
    assert lines[0].name == f"Gaussian unit dropout (M = {SET.admitted[0, -1]:,})"
    assert f"M = {SET.admitted[0, 1]}" in lines[0].hovertext[1]
    assert len(render(SET, "metrics").data) == 3 + 2


def test_tolerances_below_the_noise_are_tinted_and_hollow():
    noisy = several_models(noise=0.006)
    assert noisy.below_noise.tolist() == [[True, True, False, False]] * 2
    figure = render(noisy, "metrics")
    assert list(figure.data[0].marker.symbol) == ["circle-open"] * 2 + ["circle"] * 2
    tints = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert [shape.x1 for shape in tints] == [0.01, 0.01]
    assert "cannot be told from 0" in figure.data[0].hovertext[0]
    assert "tinted" in figure.layout.xaxis2.title.text
    partly = np.array([[0.006] * 4, [np.nan, np.nan, 0.006, 0.006]])
    some = render(replace(noisy, noise=partly), "metrics")
    tints = [shape.x1 for shape in some.layout.shapes if shape.type == "rect"]
    assert tints == [0.01, 0.01], "who admitted no model has no noise"
    quiet = render(several_models(noise=0.001), "metrics", tolerance=0.02)
    assert [shape.type for shape in quiet.layout.shapes] == ["line", "line"]
    assert quiet.layout.shapes[0].x0 == 0.02


def test_rows_stand_by_prediction_with_their_ranges():
    figure = render(SET, "rows", explorer="retraining", tolerance=0.02)
    place = At(1, 2)
    alike, otherwise = figure.data
    order = np.argsort(SET.predictions[:, 1], kind="stable")
    for trace, flag in ((alike, False), (otherwise, True)):
        chosen = order[trace.x]
        np.testing.assert_allclose(trace.y, SET.predictions[chosen, 1])
        np.testing.assert_allclose(trace.y - trace.error_y.arrayminus, SET.low[place][chosen, 1])
        np.testing.assert_allclose(trace.y + trace.error_y.array, SET.high[place][chosen, 1])
        np.testing.assert_array_equal(SET.flips[place][chosen] > 0, flag)
    assert len(alike.x) + len(otherwise.x) == len(SET)
    assert figure.layout.shapes[0].y0 == 0.5
    title = figure.layout.xaxis.title.text
    assert "Trained again" in title
    assert f"M = {SET.admitted[place]}" in title
    some = render(SET, "rows", count=10)
    assert sum(len(trace.x) for trace in some.data) == 10
    assert "10 of 40 rows" in some.layout.xaxis.title.text


def test_rows_of_a_formula_are_coloured_where_the_range_holds_the_threshold():
    figure = render(SET, "rows", explorer="lagrangian")
    crossing = (SET.low[2, -1][:, 1] < 0.5) & (SET.high[2, -1][:, 1] > 0.5)
    assert len(figure.data[1].x) == crossing.sum()
    assert "no models, a formula" in figure.layout.xaxis.title.text


def test_curves_hold_the_share_of_rows_up_to_each_width():
    figure = render(SET, "distribution", measure="flips")
    assert [trace.name for trace in figure.data] == ["0.005", "0.01", "0.02", "0.04"]
    for t, trace in enumerate(figure.data):
        np.testing.assert_array_equal(trace.x, np.sort(SET.flips[0, t]))
        np.testing.assert_allclose(trace.y, np.arange(1, 41) / 40)
    many = several_models(n=1200, models=3, explorers=("gaussian-units",))
    curve = render(many, "distribution").data[-1]
    assert len(curve.x) == 500
    width = np.sort((many.high - many.low)[0, -1, :, 1])
    assert (curve.x[0], curve.x[-1]) == (width[0], width[-1])
    for x, y in zip(curve.x, curve.y, strict=True):
        assert y == pytest.approx((width <= x).mean())
    none = render(SET, "distribution", explorer="lagrangian", measure="flips")
    assert "knows no share of models" in said(none)


def test_groups_are_counted_with_wilson_intervals():
    found = groups_of(SET, "marital_status", tolerance=0.005)
    flipped = SET.flips[0, 0] > 0
    for code, name in enumerate(SET.schema.features[1].categories):
        inside = SET.data[:, 1] == code
        at = found.names.index(name)
        count, n = int(flipped[inside].sum()), int(inside.sum())
        assert found.sizes[at] == n
        assert found.shares[at] == Share(count / n, *wilson(count, n))
        assert found.flips[at] == pytest.approx(SET.flips[0, 0][inside].mean())
    assert found.to_frame()["rows"].sum() == 40
    figure = render(SET, "groups", by="marital_status", tolerance=0.005)
    np.testing.assert_allclose(figure.data[0].x, [share.value for share in found.shares])
    sentence = group_sentence(SET, "marital_status", tolerance=0.005)
    most = max(zip(found.shares, found.names, strict=True))
    assert f"most frequent for {most[1]} (" in sentence
    apart = most[0].low > min(found.shares).high
    assert ("may be chance" in sentence) == (not apart)


def test_a_protected_column_makes_the_groups():
    features = tuple(
        f.model_copy(update={"protected": f.name == "age"}) for f in SET.schema.features
    )
    result = several_models(features=features)
    assert options_of(result, "groups")["by"][:2] == ["age", "marital_status"]
    assert options_of(result, "groups")["by"][-2:] == ["prediction", "truth"]
    assert len(groups_of(result).names) == 4, "quarters; a single row without a value is left out"


def test_importance_is_drawn_as_ranges_in_the_order_of_the_model():
    figure = render(SET, "importance")
    own, low, high = SET.importance.T
    order = np.argsort(-own, kind="stable")
    base, length = (np.array(part, dtype=float) for part in (figure.data[0].base, figure.data[0].x))
    np.testing.assert_allclose(base, low[order])
    np.testing.assert_allclose(base + length, high[order])
    np.testing.assert_allclose(figure.data[1].x, own[order])
    told = importance_sentence(SET)
    assert "Over 64 equally good models (Gaussian unit dropout)" in told
    assert f"{SET.names[int(np.argmax(high - low))]} is most open" in told
    bare = several_models(importance=False)
    assert "run again with importance" in said(render(bare, "importance"))
    assert importance_sentence(bare).startswith("Not computed")
    free = replace(SET, importance=SET.importance - [0, 1, 0])
    assert "there is no feature that all rely on" in importance_sentence(free)


def test_the_cloud_shows_candidates_of_an_explorer():
    figure = render(SET, "cloud", explorer="retraining", tolerance=0.01)
    own = SET.candidate_explorer == 1
    np.testing.assert_allclose(figure.data[0].x, SET.candidate_excess[own])
    np.testing.assert_allclose(figure.data[0].y, SET.candidate_accuracy[own])
    assert figure.layout.shapes[0].x0 == 0.01
    assert len(render(SET, "cloud").data[0].x) == len(SET.candidate_excess)
    assert "no models" in said(render(SET, "cloud", explorer="lagrangian"))
    values = several_models("regression", n=8)
    assert "squared error" in render(values, "cloud").layout.yaxis.title.text


def test_growth_is_drawn_on_a_logarithmic_axis():
    figure = render(SET, "growth", metric="width")
    assert figure.layout.xaxis.type == "log"
    for e, trace in enumerate(figure.data):
        np.testing.assert_array_equal(trace.x, SET.growth_models)
        np.testing.assert_allclose(trace.y, SET.growth[e, :, GROWING.index("width")])
    assert len(figure.data) == 2


def test_cost_holds_seconds_and_what_was_found():
    figure = render(SET, "cost")
    bars, found = figure.data
    np.testing.assert_allclose(bars.x, SET.seconds)
    width = (SET.high - SET.low)[:, -1, :, 1].mean(1)
    assert coverage(SET, At(0, 3), 1) == pytest.approx(width[0] / width[2])
    assert f"{100 * width[0] / width[2]:.1f} % of exact width" in found.text[0]
    assert "% admitted" in found.text[1]
    assert found.text[2].strip() == "no models, a formula"
    assert np.isnan(coverage(several_models(), At(0, 3), 1))


def test_the_sentence_names_models_explorer_and_tolerance():
    metric = {name: SET.metric(name)[0, 1] for name in ("ambiguity", "discrepancy")}
    told = rashomon_sentence(SET, tolerance=0.01)
    assert told.startswith(f"Among {SET.admitted[0, 1]} equally good models (Gaussian unit dropout")
    assert "cross-entropy in nats within 0.01)" in told
    assert f"{100 * metric['ambiguity']:.1f} % of 40 rows" in told
    assert f"more than {100 * metric['discrepancy']:g} %" in told
    formula = rashomon_sentence(SET, explorer="lagrangian")
    assert formula.startswith("By a formula (Exact range (Lagrangian path)")
    assert "could get another decision" in formula
    values = rashomon_sentence(several_models("regression"))
    assert "in the middle of 40 rows" in values
    assert rashomon_sentence(SET[[]]) == "There are no rows to look at."


def test_no_model_is_no_agreement():
    none = no_models()
    for told in (rashomon_sentence(none), row_sentence(none, 0), group_sentence(none)):
        assert told.startswith("No model admitted: none of the 200 candidates")
        assert "does not mean that equally good models agree" in told
    remarked = replace(SET, remarks=("", "", "it needs a linear model"), low=SET.low * np.nan)
    tall = render(replace(remarked, remarks=("", "", "long " * 90)), "rows", explorer="lagrangian")
    assert tall.layout.height > 20 * said(tall).count("long") / 8
    assert rashomon_sentence(remarked, explorer="lagrangian") == (
        "Exact range (Lagrangian path): it needs a linear model."
    )
    assert remark_text(remarked, "lagrangian") == "", "its sentence says it"
    leaning = replace(SET, remarks=("leans", "", "is local"))
    assert [remark_text(leaning, key) for key in ALL] == ["leans", "", "is local"]


def test_a_row_is_told_with_its_range_and_who_decides_otherwise():
    flips = SET.flips[0, -1]
    most, least = int(flips.argmax()), int(np.abs(SET.predictions[:, 1] - 0.5).argmax())
    told = row_sentence(SET, most)
    assert f"Row {SET.ids[most]}: the model says" in told
    assert f"{100 * flips[most]:.1f} % of {SET.admitted[0, -1]}" in told.replace(" % of", " % of")
    steady = replace(SET, flips=np.zeros_like(SET.flips))
    assert "decide <=50K as well" in row_sentence(steady, least) or (
        "decide >50K as well" in row_sentence(steady, least)
    )
    assert "decide" not in row_sentence(SET, 0, explorer="lagrangian")


def test_noise_is_told_with_the_tolerance():
    noisy = several_models(noise=0.006)
    assert "tolerances below 0.012 cannot be told from 0, and this one is above" in (
        noise_sentence(noisy)
    )
    assert "this one is below" in noise_sentence(noisy, tolerance=0.01)
    assert "not known" in noise_sentence(SET, explorer="lagrangian")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: render(SET, "metrics", metric="x"), "There is no metric 'x' here"),
        (lambda: render(SET, "rows", explorer="x"), "There is no explorer 'x' here"),
        (lambda: render(SET, "rows", tolerance=0.0), "There is no tolerance of 0 here"),
        (lambda: render(SET, "rows", count=0), "A strip needs at least 1 row, got 0."),
        (lambda: render(SET, "growth", metric="capacity"), "'capacity' does not grow"),
        (lambda: render(SET, "distribution", measure="x"), "There is no measure 'x'"),
        (lambda: render(SET, "importance", max_features=0), "at least 1 feature"),
        (lambda: row_sentence(SET, 99), "There is no row 99"),
    ],
)
def test_says_what_is_wrong(call, message):
    with pytest.raises(InvalidInputError, match=re.escape(message)):
        call()


@pytest.mark.parametrize("view", ["rows", "groups"])
def test_no_rows_are_said(view):
    figure = render(SET[[]], view)
    assert isinstance(figure, go.Figure)
    assert "No rows to show" in said(figure)
