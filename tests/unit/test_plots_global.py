"""Views of many rows against the numbers they are drawn from, and against names of markup."""

import html
import json
import re
from copy import deepcopy
from dataclasses import fields, replace

import numpy as np
import plotly.graph_objects as go
import pytest
from scipy import stats

from tests.attributions import (
    FEATURES,
    HOSTILE_BOLD,
    HOSTILE_SCRIPT,
    build,
    example,
    hostile,
    numbered,
)
from workbench.core.errors import InvalidInputError, WorkbenchError
from workbench.core.schema import Feature
from workbench.numerics.row_groups import similar_order
from workbench.plots import options_of, overall_sentence, render, view_sentence, views_of
from workbench.plots.bar import bar
from workbench.plots.clusters import clusters, clusters_of
from workbench.plots.cohorts import cohorts_of, groupings_of
from workbench.plots.dependence import interactions_of
from workbench.plots.feature_axis import axis_of, top_groups
from workbench.plots.layout import NARROW_LENGTH
from workbench.plots.rows import drawn_rows
from workbench.plots.theme import DARK, LIGHT
from workbench.plots.waterfall import waterfall
from workbench.plots.words import number

GLOBAL = ("dependence", "heatmap", "decision", "cohorts", "clusters")
SEX = Feature(name="sex", kind="categorical", categories=("F", "M"), protected=True)


def notes(figure):
    return [annotation.text for annotation in figure.layout.annotations]


def trace_of(figure, kind, place=0):
    return [trace for trace in figure.data if isinstance(trace, kind)][place]


def two_kinds(n=60, seed=0):
    """Attributions of two kinds of rows, told apart by sex alone."""
    random = np.random.default_rng(seed)
    data = np.stack([random.integers(0, 2, n), random.normal(size=n), random.normal(size=n)], 1)
    data = data.astype(float)
    values = np.stack([data[:, 0] - 0.5, 0.1 * data[:, 1], 0.02 * random.normal(size=n)], axis=1)
    return build(values, features=(SEX, *numbered(2)), data=data, task="regression")


@pytest.mark.parametrize("view", GLOBAL)
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("dark", [False, True])
def test_every_view_draws_every_task_in_both_themes(view, task, dark):
    result = example(task, n=30)
    figure = render(result, view, dark=dark)
    assert figure.to_json()
    assert figure.layout.template.layout.font.color == (DARK if dark else LIGHT).text
    said = json.dumps(figure.to_plotly_json()["layout"], default=str)
    assert ("income in USD" if task == "regression" else "probability of") in said
    assert figure.layout.title.text is None
    assert view_sentence(result, view)


@pytest.mark.parametrize("view", GLOBAL)
@pytest.mark.parametrize("n", [0, 1, 2, 3, 4])
def test_few_rows_are_drawn_or_refused_in_words(view, n):
    result = example(n=4)[:n]
    figure = render(result, view)
    assert figure.to_json()
    if view not in views_of(result):
        assert not figure.data
        assert "more" in " ".join(notes(figure)) or "No rows" in " ".join(notes(figure))
    assert view_sentence(result, view)


def test_a_single_row_has_two_views():
    assert views_of(example(n=1)) == ("waterfall", "decision")
    assert views_of(example(n=1)[[]]) == ()
    assert views_of(example(n=3)) == ("waterfall", "bar", "beeswarm", *GLOBAL)


@pytest.mark.parametrize("view", GLOBAL)
def test_equal_numbers_still_have_a_figure(view):
    result = build(np.zeros((8, 3)), base=0.0, task="regression")
    assert render(result, view).to_json()
    assert view_sentence(result, view)
    gone = replace(result, data=np.full((8, 3), np.nan))
    assert render(gone, view).to_json()
    assert view_sentence(gone, view)


@pytest.mark.parametrize("view", ["waterfall", "bar", "beeswarm", *GLOBAL])
def test_no_view_changes_the_result(view):
    result = example(n=30)
    before = {f.name: deepcopy(getattr(result, f.name)) for f in fields(result)}
    assert render(result, view).to_json() == render(result, view).to_json()
    view_sentence(result, view)
    for name, value in before.items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(getattr(result, name), value)
        else:
            assert getattr(result, name) == value


@pytest.mark.parametrize("view", ["bar", *GLOBAL])
@pytest.mark.parametrize("option", [{}, {"feature": "<b>x</b>"}, {"by": "<b>x</b>"}])
def test_users_names_are_text_not_markup(view, option):
    wanted = {"dependence": "feature", "cohorts": "by"}.get(view)
    figure = render(hostile(n=30), view, **{k: v for k, v in option.items() if k == wanted})
    drawn = json.loads(figure.to_json())
    drawn["layout"].pop("template")
    said = json.dumps(drawn)
    tags = set(re.findall(r"<[^>]*>", said))
    assert tags <= {"<b>", "</b>", "<br>"}, "only our own markup"
    for name in (HOSTILE_BOLD, HOSTILE_SCRIPT, "<u>", "<img", "<i>"):
        assert name not in said
    assert "$" not in said, "plotly reads text between dollars as TeX"
    assert all(trace.hovertemplate is None for trace in figure.data)
    assert html.escape("<script>") in said or html.escape("<b>") in said


def test_whiskers_of_bars_hold_the_choice_of_background():
    result = example(n=9)
    drawn = np.full((5, 2), 0.01)
    with_background = replace(result, background_std_errors=drawn, background_dof=9.0)
    rows = np.array(bar(result).data[0].error_x.array)
    expected = np.hypot(rows, stats.t.ppf(0.975, 9) * 0.01)
    np.testing.assert_allclose(bar(with_background).data[0].error_x.array, expected)
    said = bar(with_background).layout.xaxis.title.text.replace("<br>", " ")
    assert said.endswith("rows and background")
    normal = replace(result, background_std_errors=drawn)
    expected = np.hypot(rows, stats.norm.ppf(0.975) * 0.01)
    np.testing.assert_allclose(bar(normal).data[0].error_x.array, expected)


def test_numbers_are_those_that_shap_gets():
    result = example(n=40)
    explanation = result.to_shap(output=">50K")
    sizes = explanation.abs.mean(0)
    order = np.argsort(-sizes.values)
    names = [explanation.feature_names[i] for i in order]
    assert list(bar(result).layout.yaxis.ticktext) == names
    heat = render(result, "heatmap")
    np.testing.assert_allclose(bar(result).data[0].x, sizes.values[order])
    np.testing.assert_allclose(trace_of(heat, go.Bar).x, sizes.values[order])
    rows = [
        int(re.match(r"row (\d+)", text)[1]) for text in trace_of(heat, go.Heatmap).hovertext[0]
    ]
    places = [list(result.ids).index(row) for row in rows]
    np.testing.assert_allclose(trace_of(heat, go.Heatmap).z, explanation.values[places][:, order].T)
    cohort = cohorts_of(result, "marital_status")
    by_code = explanation.display_data[:, 1]
    for name, size, means in zip(cohort.names, cohort.sizes, cohort.means, strict=True):
        part = explanation[np.flatnonzero(by_code == name)]
        assert len(part) == size
        np.testing.assert_allclose(means, part.abs.mean(0).values)


def test_dependence_has_a_point_per_row_in_its_place():
    result = example(n=40, sampled=False)
    figure = render(result, "dependence", feature="age", colour="hours_per_week")
    points = [t for t in figure.data if isinstance(t, go.Scatter)]
    y = np.concatenate([t.y for t in points])
    np.testing.assert_allclose(np.sort(y), np.sort(result.values[:, 0, 1]))
    x = np.concatenate([t.x for t in points])
    texts = np.concatenate([t.hovertext for t in points])
    ages = {f"row {row}": age for row, age in zip(result.ids, result.data[:, 0], strict=True)}
    for place, text in zip(x, texts, strict=True):
        age = ages[text.split("<br>")[0]]
        if np.isnan(age):
            assert place > np.nanmax(result.data[:, 0]) + 1, "missing has a lane of its own"
            assert "age = missing" in text
        else:
            assert abs(place - age) <= 0.25
        assert "hours_per_week = " in text
    assert figure.layout.xaxis.ticktext[-1] == "missing"
    counts = trace_of(figure, go.Bar)
    assert sum(counts.y) == 40
    assert counts.y[-1] == 1


def test_dependence_orders_categories_by_their_mean():
    result = example(n=60)
    figure = render(result, "dependence", feature="marital_status")
    values, codes = result.values[:, 1, 1], result.data[:, 1]
    means = [values[codes == code].mean() for code in range(3)]
    order = np.argsort(means)
    assert [text.replace("<br>", "") for text in figure.layout.xaxis.ticktext] == [
        FEATURES[1].categories[i] for i in order
    ]
    dashes = next(t for t in figure.data if t.marker.symbol == "line-ew")
    np.testing.assert_allclose(dashes.y, np.sort(means))


def test_dependence_is_coloured_by_the_strongest_apparent_interaction():
    random = np.random.default_rng(0)
    data = random.normal(size=(400, 4))
    values = 0.01 * random.normal(size=(400, 4))
    values[:, 2] = data[:, 2] * data[:, 0]
    result = build(values, features=numbered(4), data=data, task="regression")
    assert interactions_of(result).feature == 2
    assert interactions_of(result).strongest == 0
    assert "colour: f0" in render(result, "dependence").layout.xaxis.title.text
    assert "colour: f3" in render(result, "dependence", colour="f3").layout.xaxis.title.text
    options = options_of(result, "dependence")
    assert options["feature"][0] == "f2"
    assert options["colour"][0] == "f0"
    assert "f2" not in options["colour"]
    assert "f1" not in options_of(result, "dependence", feature="f1")["colour"]
    said = view_sentence(result, "dependence")
    assert re.search(r"similar values of it, f0 goes with \d\d", said)
    alone = build(values[:, :1], features=numbered(1), data=data[:, :1], task="regression")
    assert view_sentence(alone, "dependence").endswith("No other feature visibly changes it.")


def test_dependence_draws_intervals_of_few_points_only():
    few, many = example(n=40), example(n=400)
    assert render(few, "dependence").data[0].error_y.array is not None
    assert "faint bars: 95 %" in render(few, "dependence").layout.xaxis.title.text
    said = render(many, "dependence", max_rows=300).layout.xaxis.title.text
    assert "faint" not in said
    assert "300 of 400 rows, drawn at random" in said.replace("<br>", " ")
    assert render(many, "dependence").data[0].error_y.array is None
    exact = render(example(n=40, sampled=False), "dependence")
    assert exact.data[0].error_y.array is None


def test_rare_categories_come_together():
    many = Feature(name="c", kind="categorical", categories=tuple("abcdefghij"))
    codes = np.repeat(np.arange(10.0), np.arange(10, 0, -1))
    groups, names = top_groups(many, np.append(codes, np.nan), 4)
    assert names == ["a", "b", "c", "d", "6 others", "missing"]
    np.testing.assert_array_equal(np.bincount(groups), [10, 9, 8, 7, 21, 1])
    assert top_groups(many, codes[codes < 5], 4)[1] == list("abcde"), "a rest of one has its name"


def test_the_axis_counts_every_row():
    feature = Feature(name="x")
    values = np.append(np.random.default_rng(0).exponential(size=500), [np.nan] * 7)
    axis = axis_of(feature, values, np.zeros(507))
    assert axis.counts.sum() == 507
    assert axis.counts[-1] == 7
    np.testing.assert_array_equal(axis.x[:500], values[:500], "a continuous number is not moved")
    assert axis.labels[-1] == "missing"


def test_heatmap_puts_similar_rows_side_by_side():
    result = two_kinds()
    figure = render(result, "heatmap")
    cells = trace_of(figure, go.Heatmap)
    order = similar_order(result.values[:, :, 0])
    np.testing.assert_allclose(cells.z[0], result.values[order, 0, 0])
    assert (np.abs(np.diff(cells.z[0])) > 0.5).sum() == 1
    line = trace_of(figure, go.Scatter)
    np.testing.assert_allclose(line.y, result.predictions[order, 0])
    assert cells.zmin == -cells.zmax


def test_heatmap_adds_up_the_other_features_and_samples_many_rows():
    random = np.random.default_rng(0)
    result = build(random.normal(size=(50, 20)) * np.arange(20, 0, -1))
    figure = render(result, "heatmap", max_features=5, max_rows=30)
    cells = trace_of(figure, go.Heatmap)
    assert cells.z.shape == (6, 30)
    assert figure.layout.yaxis.ticktext[-1] == "15 other features"
    assert notes(figure)[-1] == "30 of 50 rows, drawn at random; alike side by side"
    shown = drawn_rows(50, 30)
    order = np.argsort(-np.abs(result.values[:, :, 1]).mean(0))
    sums = result.values[shown][:, order[5:], 1].sum(1)
    np.testing.assert_allclose(np.sort(cells.z[-1]), np.sort(sums))


def test_decision_paths_lead_from_base_to_prediction():
    result = example(n=12)
    figure = render(result, "decision")
    ends, starts = [], []
    for trace in figure.data:
        paths = np.array(trace.x, dtype=float).reshape(-1, 7)
        assert np.isnan(paths[:, -1]).all(), "a gap after each row"
        starts += list(paths[:, 0])
        ends += list(paths[:, 5])
        heights = np.array(trace.y, dtype=float).reshape(-1, 7)
        np.testing.assert_allclose(heights[0, :6], [4.5, 3.5, 2.5, 1.5, 0.5, -0.5])
    np.testing.assert_allclose(starts, result.base_values[:, 1])
    np.testing.assert_allclose(np.sort(ends), np.sort(result.predictions[:, 1]))
    colours = [trace.line.color for trace in figure.data]
    assert len(set(colours)) == 12, "a colour by rank"
    order = np.argsort(-np.abs(result.values[:, :, 1]).mean(0))
    first = np.array(figure.data[0].x[:6], dtype=float)
    row = int(np.argmin(result.predictions[:, 1]))
    np.testing.assert_allclose(np.diff(first)[::-1], result.values[row, order, 1])


@pytest.mark.parametrize("highlight", [(), (3, 7)])
def test_decision_shows_its_base_value_on_top_of_the_paths(highlight):
    result = example(n=40)
    figure = render(result, "decision", highlight=highlight)
    (line,) = figure.layout.shapes
    base = float(result.base_values[:, result.output_index(None)].mean())
    assert (line.x0, line.x1, line.layer) == (base, base, "above")
    label, rows = figure.layout.annotations
    assert (label.x, label.text) == (base, f"base value {number(base)}")
    assert rows.yshift >= 18, "its own line"


def test_decision_highlights_rows_and_says_what_it_leaves_out():
    result = example(n=50)
    figure = render(result, "decision", highlight=[7, 3], max_rows=10)
    thick = [trace for trace in figure.data if trace.showlegend]
    assert [trace.name for trace in thick] == ["row 77", "row 37"]
    np.testing.assert_allclose(thick[0].x[5], result.predictions[7, 1])
    drawn = sum(np.isnan(np.array(trace.x, dtype=float)).sum() for trace in figure.data)
    assert notes(figure)[-1] == f"{drawn} of 50 rows, drawn at random"
    assert figure.layout.showlegend


def test_cohorts_compare_means_with_their_intervals():
    result = example(n=60)
    for measure in ("size", "mean"):
        found = cohorts_of(result, "marital_status", measure=measure)
        values = result.values[:, :, 1]
        values = np.abs(values) if measure == "size" else values
        parts = [values[result.data[:, 1] == FEATURES[1].categories.index(n)] for n in found.names]
        np.testing.assert_array_equal(found.sizes, [len(part) for part in parts])
        np.testing.assert_allclose(found.means, [part.mean(0) for part in parts])
        half = [stats.t.ppf(0.975, len(p) - 1) * stats.sem(p, axis=0) for p in parts]
        np.testing.assert_allclose(found.half_widths, half)
        dots = render(result, "cohorts", by="marital_status", measure=measure).data
        np.testing.assert_allclose(np.sort(dots[0].x), np.sort(found.means[0]))
    frame = found.to_frame()
    assert len(frame) == 5 * len(found.names)
    assert frame.loc[0, "mean"] == found.means[0, 0]


def test_cohorts_mark_what_differs_and_nothing_else():
    result = two_kinds(200)
    found = cohorts_of(result, measure="mean")
    assert found.by == "sex", "a protected feature goes first"
    assert list(found.differs) == [True, False, False]
    labels = render(result, "cohorts", measure="mean").layout.yaxis.ticktext
    assert [label for label in labels if label.startswith("<b>")] == ["<b>sex</b>"]
    assert "sex differs most: it moves income in USD by \N{MINUS SIGN}0.500" in view_sentence(
        result, "cohorts", measure="mean"
    )
    assert "No feature's effect" in view_sentence(result, "cohorts")


def test_cohorts_by_prediction_truth_and_quarters():
    result = example(n=80)
    truth = np.arange(80.0) % 2
    result = replace(result, truth=truth)
    assert groupings_of(result)[-2:] == ["prediction", "truth"]
    by_truth = cohorts_of(result, "truth")
    assert sorted(by_truth.names) == ["<=50K", ">50K"]
    np.testing.assert_array_equal(by_truth.sizes, [40, 40])
    said = cohorts_of(result, "prediction")
    assert said.sizes.sum() == 80
    ages = cohorts_of(result, "age")
    assert len(ages.names) == 4
    assert ages.sizes.sum() == 79, "a group of one row is left out"
    assert groupings_of(example(n=80))[-1] == "prediction", "no truth is known"
    line = cohorts_of(replace(example("regression", n=40), truth=np.arange(40.0)), "truth")
    np.testing.assert_array_equal(line.sizes, [10] * 4)
    assert line.names[0] == "0 to 9"


def test_a_column_goes_before_a_grouping_of_that_name():
    named = (Feature(name="truth"), SEX)
    result = build(np.ones((8, 2)), features=named, data=np.tile([[1.0, 0], [2, 1]], (4, 1)))
    assert groupings_of(result).count("truth") == 1
    assert cohorts_of(result, "truth").names == ("1", "2")


def test_a_column_without_differences_makes_no_groups():
    random = np.random.default_rng(0)
    result = build(
        random.normal(size=(8, 2)), features=(SEX, *numbered(1)), task="regression",
        data=np.stack([np.zeros(8), np.arange(8.0)], axis=1),
    )  # fmt: skip
    assert groupings_of(result)[0] == "f0"
    assert "sex" not in groupings_of(result)


def test_cohorts_without_two_groups_say_so():
    result = build(np.ones((8, 2)))
    assert "fewer than two groups" in " ".join(notes(render(result, "cohorts"))).replace(
        "<br>", " "
    )
    assert "make no two groups" in view_sentence(result, "cohorts")


def test_clusters_are_the_kinds_of_rows_with_their_rules():
    result = two_kinds(200)
    found = clusters_of(result)
    assert found.names == ("A", "B")
    kinds = [set(result.data[found.labels == group, 0]) for group in (0, 1)]
    assert sorted(map(tuple, kinds)) == [(0.0,), (1.0,)]
    for group, rule in enumerate(found.rules):
        assert rule.text.startswith("sex is ")
        np.testing.assert_array_equal(rule.fits, found.labels == group)
    np.testing.assert_allclose(found.profiles[0], result.values[found.labels == 0, :, 0].mean(0))
    frame = found.to_frame()
    assert list(frame["rows"]) == list(found.sizes)
    np.testing.assert_allclose(frame["→ sex"], found.profiles[:, 0])
    said = view_sentence(result, "clusters")
    assert "fall into 2 groups, clearly apart" in said
    assert "sex is" in said


def test_the_map_of_clusters_holds_every_row_and_the_profiles():
    result = two_kinds(90)
    found = clusters_of(result)
    figure = render(result, "clusters")
    points = [trace for trace in figure.data if isinstance(trace, go.Scatter)]
    assert [trace.name for trace in points] == [f"A · {found.sizes[0]}", f"B · {found.sizes[1]}"]
    np.testing.assert_allclose(
        np.sort(np.concatenate([t.x for t in points])), np.sort(found.places[:, 0])
    )
    cells = trace_of(figure, go.Heatmap)
    order = np.argsort(-np.abs(result.values[:, :, 0]).mean(0))
    np.testing.assert_allclose(cells.z, found.profiles[:, order].T)
    given = clusters(result, found=found, colour="prediction")
    np.testing.assert_allclose(given.data[0].marker.color, result.predictions[found.labels == 0, 0])
    many = render(two_kinds(1600), "clusters")
    assert isinstance(many.data[0], go.Scattergl)
    assert isinstance(render(two_kinds(1600), "clusters", webgl=False).data[0], go.Scatter)


@pytest.mark.parametrize("view", [v for v in GLOBAL if v != "dependence"])
def test_many_features_are_capped(view):
    random = np.random.default_rng(0)
    result = build(random.normal(size=(12, 60)), data=random.normal(size=(12, 60)))
    small, large = (render(result, view, max_features=m).layout.height for m in (5, 15))
    assert large - small >= 10 * 20
    assert large < 1200


@pytest.mark.parametrize("output", ["red", "blue", 1])
def test_every_output_has_its_own_figure(output):
    result = example("multiclass", n=30)
    which = result.output_index(output)
    for view in GLOBAL:
        assert result.output_names[which] in render(result, view, output=output).to_json()
    heat = trace_of(render(result, "heatmap", output=output), go.Heatmap)
    np.testing.assert_allclose(
        np.sort(np.ravel(heat.z)), np.sort(np.ravel(result.values[:, :, which]))
    )


def test_options_are_choices_that_the_view_takes():
    result = example(n=30)
    assert options_of(result, "cohorts")["measure"] == ["size", "mean"]
    assert options_of(result, "clusters") == {"colour": ["cluster", "prediction"]}
    assert options_of(result, "bar") == {}
    assert options_of(result[[]], "dependence") == {}
    for view in GLOBAL:
        for option, choices in options_of(result, view).items():
            for choice in choices:
                assert render(result, view, **{option: choice}).data
                assert view_sentence(result, view, **{option: choice})


def test_sentences_of_the_plain_views():
    result = example(n=30)
    assert view_sentence(result, "bar") == overall_sentence(result)
    assert view_sentence(result, "heatmap", output="<=50K") == overall_sentence(result, "<=50K")
    assert view_sentence(result, "waterfall", row=3).startswith("Row 37: ")
    assert view_sentence(result[[0]], "decision").startswith("From the base value 0.24, one row")
    assert "the paths of 30 rows spread" in view_sentence(result, "decision")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: render(r, "dependence", feature="x"), "There is no feature 'x'"),
        (lambda r: render(r, "dependence", colour="x"), "There is no feature 'x'"),
        (lambda r: render(r, "dependence", max_rows=0), "A dependence needs at least 1 row, got 0"),
        (lambda r: render(r, "heatmap", output="x"), "There is no output 'x'"),
        (lambda r: render(r, "decision", highlight=[9]), "There is no row 9 in this result; the "
                                                         "last one is 7."),
        (lambda r: render(r, "decision", highlight=range(7)), "At most 6 rows can be highlighted"),
        (lambda r: render(r, "cohorts", by="x"), "There is no feature 'x'"),
        (lambda r: render(r, "cohorts", measure="sum"), "no measure 'sum'; choose one of size, "
                                                        "mean."),
        (lambda r: render(r, "clusters", colour="x"), "There is no colour 'x'; choose one of "
                                                      "cluster, prediction."),
        (lambda r: clusters_of(r[[]]), "No rows to show"),
    ],
)  # fmt: skip
def test_says_what_is_wrong(call, message):
    with pytest.raises(WorkbenchError, match=re.escape(message)):
        call(example(n=8))


def test_bars_and_waterfalls_are_as_before():
    result = example(n=8)
    assert len(bar(result).data) == 2
    assert len(waterfall(result).data) == 3
    with pytest.raises(InvalidInputError, match="at least 1 feature"):
        render(result, "heatmap", max_features=0)


@pytest.mark.parametrize("view", ["bar", "cohorts", "decision"])
def test_what_is_below_a_plot_beside_labels_fits_a_narrow_window(view):
    figure = render(example(n=20), view)
    lines = figure.layout.xaxis.title.text.split("<br>")
    assert max(map(len, lines)) <= NARROW_LENGTH
    if view != "decision":
        assert figure.layout.xaxis.nticks == 4
