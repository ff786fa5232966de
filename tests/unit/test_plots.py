"""Figures against the numbers they are drawn from, and against names that want to be markup."""

import html
import re
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
import pytest
from scipy import stats

from tests.attributions import HOSTILE_BOLD, HOSTILE_SCRIPT, build, example, hostile, numbered
from tests.every_kind import of_every_kind
from workbench.core.errors import InvalidInputError
from workbench.core.results import Result
from workbench.core.schema import Feature
from workbench.plots import RENDERERS, render, views_of
from workbench.plots.bar import bar
from workbench.plots.beeswarm import beeswarm
from workbench.plots.theme import DARK, LIGHT, template
from workbench.plots.waterfall import waterfall

VIEWS = ("waterfall", "bar", "beeswarm")
VALUES = [[0.09, 0.262, 0.178, -0.095, -0.006]]
ROW = [[47, 1, 15, 20, 0]]


def ticks(figure):
    return list(figure.layout.yaxis.ticktext)


def notes(figure):
    return [annotation.text for annotation in figure.layout.annotations]


def texts(figure):
    """Every string of a figure that plotly renders as markup."""
    found = [*ticks(figure), *notes(figure), figure.layout.xaxis.title.text]
    for trace in figure.data:
        for part in (trace.text, trace.hovertext):
            if part is not None:
                found += [str(cell) for cell in np.ravel(part)]
    return found


def test_waterfall_runs_from_base_value_to_prediction():
    result = build(VALUES, data=ROW, base=0.24)
    bars = waterfall(result).data[0]
    start, length = (np.array(part, dtype=float) for part in (bars.base, bars.x))
    np.testing.assert_allclose(length, [0.262, 0.178, -0.095, 0.09, -0.006])
    np.testing.assert_allclose(start[0], 0.24)
    np.testing.assert_allclose(start[1:], (start + length)[:-1])
    np.testing.assert_allclose(start[-1] + length[-1], result.predictions[0, 1])
    assert list(bars.marker.color) == [LIGHT.positive] * 2 + [LIGHT.negative, LIGHT.positive,
                                                              LIGHT.negative]  # fmt: skip


def test_waterfall_names_values_base_and_prediction():
    figure = waterfall(build(VALUES, data=ROW))
    assert ticks(figure)[:2] == ["marital_status<br>= Married-civ-spouse", "education_num = 15"]
    assert notes(figure) == ["base value 0.24", "prediction 0.669"]
    assert figure.layout.xaxis.title.text == (
        "probability of &gt;50K<br>base value: background<br>mean"
    )
    written = [cell.strip("\N{NO-BREAK SPACE}") for cell in figure.data[2].text]
    assert written == ["+0.262", "+0.178", "\N{MINUS SIGN}0.095", "+0.090", "\N{MINUS SIGN}0.006"]


def test_waterfall_draws_both_errors_and_says_so():
    drawn = np.full((5, 2), 0.01)
    figure = waterfall(replace(example(n=1), background_std_errors=drawn, background_dof=9.0))
    expected = np.hypot(stats.norm.ppf(0.975) * 0.001, stats.t.ppf(0.975, 9) * 0.01)
    np.testing.assert_allclose(figure.data[0].error_x.array, expected)
    title = figure.layout.xaxis.title.text.replace("<br>", " ")
    assert title.endswith("whiskers: 95 %, coalitions and background rows")


def test_waterfall_draws_intervals_only_where_errors_are_known():
    exact, sampled = (example(n=1, sampled=sampled) for sampled in (False, True))
    assert waterfall(exact).data[0].error_x.array is None
    order = np.argsort(-np.abs(sampled.values[0, :, 1]))
    half = stats.norm.ppf(0.975) * sampled.std_errors[0, order, 1]
    figure = waterfall(sampled)
    np.testing.assert_allclose(figure.data[0].error_x.array, half)
    assert "95 %: " in figure.data[0].hovertext[0]
    assert figure.layout.xaxis.title.text.endswith("whiskers: 95 %, coalitions")


def test_waterfall_adds_up_the_other_features():
    result = build(np.linspace(1, 20, 20)[None], std_errors=np.full((1, 20, 2), 0.1))
    bars = waterfall(result, max_features=5).data[0]
    np.testing.assert_allclose(bars.x, [20, 19, 18, 17, 16, sum(range(1, 16))])
    np.testing.assert_allclose(bars.error_x.array[-1], stats.norm.ppf(0.975) * 0.1 * np.sqrt(15))
    assert ticks(waterfall(result, max_features=5))[-1] == "15 other features"
    assert len(ticks(waterfall(result, max_features=19))) == 20, "a rest of one has its own name"


def test_bar_shows_mean_sizes_with_intervals_over_rows():
    result = example(n=9)
    size = np.abs(result.values[:, :, 1])
    order = np.argsort(-size.mean(0))
    bars = bar(result).data[0]
    np.testing.assert_allclose(bars.x, size.mean(0)[order])
    half = stats.t.ppf(0.975, 8) * stats.sem(size, axis=0)[order]
    np.testing.assert_allclose(bars.error_x.array, half)
    np.testing.assert_allclose(bars.error_x.arrayminus, np.minimum(half, bars.x))
    assert ticks(bar(result)) == [result.names[i] for i in order]


def test_bar_of_one_row_has_no_interval_and_says_so():
    figure = bar(example(n=1))
    assert figure.data[0].error_x.array is None
    assert figure.layout.xaxis.title.text.endswith("one row")


def test_bar_says_how_much_it_leaves_out():
    figure = bar(build(np.linspace(1, 20, 20)[None]), max_features=5)
    assert notes(figure) == ["15 more features, each at most 15"]


def test_beeswarm_has_a_point_per_row_and_feature():
    result = example(n=30)
    grey, coloured = beeswarm(result).data
    assert grey.marker.color == LIGHT.missing
    assert len(grey.x) == 30 + 1, "one of three categories in each row, and one missing value"
    assert len(grey.x) + len(coloured.x) == 30 * 5
    np.testing.assert_allclose(
        sorted([*grey.x, *coloured.x]), np.sort(result.values[:, :, 1], axis=None)
    )


def test_beeswarm_colours_by_rank_of_the_value():
    data = np.array([[10.0, 0], [30, 1], [20, 2]])
    result = build(np.full((3, 2), 0.1), data=data)
    grey, points = beeswarm(result).data
    np.testing.assert_allclose(points.marker.color, [0.5 / 3, 2.5 / 3, 1.5 / 3])
    assert "Divorced" in " ".join(grey.hovertext), "several categories have no order"


def test_beeswarm_colours_two_categories_by_which_one_it_is():
    two = Feature(name="sex", kind="categorical", categories=("Female", "Male"))
    result = build(np.full((3, 1), 0.1), features=(two,), data=[[0.0], [1.0], [np.nan]])
    grey, points = beeswarm(result).data
    np.testing.assert_array_equal(points.marker.color, [0, 1])
    assert "missing" in grey.hovertext[0]


def test_beeswarm_moves_points_apart_within_their_lane():
    crowd = build(np.full((50, 1), 0.1))
    (points,) = beeswarm(crowd).data
    assert len(set(points.y)) == 50
    assert np.abs(points.y).max() < 0.5
    np.testing.assert_array_equal(points.y, beeswarm(crowd).data[0].y)
    apart = build(np.linspace(-1, 1, 10)[:, None])
    assert set(beeswarm(apart).data[0].y) == {0.0}


def test_beeswarm_s_bars_are_one_line_with_gaps():
    result = example(n=7)
    figure = beeswarm(result)
    (path,) = (shape.path for shape in figure.layout.shapes if shape.type == "path")
    bars = np.array([re.findall("[^MH,]+", bar) for bar in path.split("M")[1:]], dtype=float)
    low, height, high = bars.T
    points = sorted((y, x) for trace in figure.data for x, y in zip(trace.x, trace.y, strict=True))
    y, x = np.array(points).T
    order = np.lexsort((low, height))
    np.testing.assert_allclose(height[order], y, atol=5e-4)
    half = stats.norm.ppf(0.975) * 0.001
    np.testing.assert_allclose(low[order], x - half, rtol=1e-5)
    np.testing.assert_allclose(high[order], x + half, rtol=1e-5)
    assert all(trace.error_x.array is None for trace in figure.data)
    by_webgl = beeswarm(example(n=400)).data[-1]
    np.testing.assert_allclose(by_webgl.error_x.array, half)


def test_beeswarm_draws_many_rows_by_webgl_and_says_what_it_leaves_out():
    result = example(n=400, sampled=False)
    assert isinstance(beeswarm(result).data[-1], go.Scattergl)
    assert isinstance(beeswarm(result, webgl=False).data[-1], go.Scatter)
    figure = beeswarm(result, max_rows=100)
    assert isinstance(figure.data[-1], go.Scatter)
    assert sum(len(trace.x) for trace in figure.data) == 500
    assert notes(figure) == ["100 of 400 rows, drawn at random"]


@pytest.mark.parametrize("view", VIEWS)
def test_users_names_are_text_not_markup(view):
    result = hostile()
    shown = texts(render(result, view))
    tags = {tag for text in shown for tag in re.findall(r"<[^>]*>", text)}
    assert tags <= {"<b>", "</b>", "<br>"}, "only our own markup"
    everything = " ".join(shown)
    assert html.escape(HOSTILE_SCRIPT) in everything
    assert html.escape(HOSTILE_BOLD) in everything
    assert HOSTILE_BOLD not in everything
    assert "$" not in everything, "plotly reads text between dollars as TeX"
    assert all(trace.hovertemplate is None for trace in render(result, view).data)


@pytest.mark.parametrize("view", VIEWS)
def test_long_names_are_cut_in_the_label_and_whole_in_the_hover(view):
    figure = render(hostile(), view)
    assert max(len(html.unescape(label)) for label in ticks(figure)) <= 36
    hover = " ".join(texts(figure))
    assert "very long name " * 6 in hover


def test_names_cut_alike_keep_bars_of_their_own():
    name = "the same beginning of a name that is long "
    features = tuple(f.model_copy(update={"name": name + f.name}) for f in numbered(3))
    figure = waterfall(build([[0.1, 0.2, 0.3]], features=features))
    assert list(figure.data[0].y) == [0, 1, 2]
    assert len(ticks(figure)) == 3


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("dark", [False, True])
def test_every_view_draws_every_task_in_both_themes(view, task, dark):
    result = example(task, n=5)
    figure = render(result, view, dark=dark)
    assert figure.to_json()
    assert figure.layout.template.layout.font.color == (DARK if dark else LIGHT).text
    assert figure.layout.xaxis.title.text


@pytest.mark.parametrize("view", VIEWS)
def test_small_results_work(view):
    single = render(build([[0.3]]), view)
    assert ticks(single) in (["age = 0 years"], ["age"])
    none = render(build([[0.3]])[[]], view)
    assert [text.replace("<br>", " ") for text in notes(none)] == [
        "No rows to show: choose at least one row and run again."
    ]
    still = render(build([[0.0, 0.0], [0.0, 0.0]], base=0.0, task="regression"), view)
    low, high = still.layout.xaxis.range
    assert low < high, "equal numbers still need an axis"


@pytest.mark.parametrize("view", VIEWS)
def test_height_follows_the_number_of_bars(view):
    short, tall = (render(build(np.ones((2, d))), view).layout.height for d in (3, 10))
    assert tall - short >= 6 * 30, "a label of two lines makes few bars higher"


def test_no_global_state():
    before = pio.templates.default
    render(example(n=3), "bar", dark=True)
    assert pio.templates.default == before
    assert template(dark=True) is not template(dark=True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: waterfall(r, 5), "There is no row 5 in this result; the last one is 2."),
        (lambda r: waterfall(r, -1), "There is no row -1 in this result"),
        (lambda r: bar(r, max_features=0), "A figure needs at least 1 feature, got 0."),
        (lambda r: beeswarm(r, max_rows=0), "A beeswarm needs at least 1 row, got 0."),
        (lambda r: bar(r, output="x"), "There is no output 'x'"),
        (lambda r: render(r, "pie"), "There is no view 'pie' of 'attribution'; choose one of "
                                     "waterfall, bar, beeswarm, dependence, heatmap, decision, "
                                     "cohorts, clusters."),
        (lambda r: render(r, "dependence", max_features=0), "View 'dependence' has no option "
         "'max_features'; choose among feature, colour, output, max_rows, webgl, dark."),
        (lambda r: render(Result(r.provenance), "bar"), "no view 'bar' of ''; it has no views"),
    ],
)  # fmt: skip
def test_says_what_is_wrong(call, message):
    with pytest.raises(InvalidInputError, match=re.escape(message)):
        call(example(n=3))


def test_every_renderer_draws_its_kind_of_result():
    results = of_every_kind()
    for kind in RENDERERS:
        views = {view for r in results if type(r) is kind for view in views_of(r)}
        assert views == set(RENDERERS[kind])
    for result, view in [(r, v) for r in results for v in views_of(r)]:
        assert isinstance(render(result, view), go.Figure)


def _luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_colours_stand_out(colours):
    """Contrast as WCAG defines it: 4.5 for text, 3 for graphics."""
    ground = _luminance(colours.surface)

    def contrast(colour):
        one, other = sorted([_luminance(colour), ground])
        return (other + 0.05) / (one + 0.05)

    assert min(contrast(colours.text), contrast(colours.muted)) >= 4.5
    assert min(contrast(c) for c in (colours.positive, colours.negative, colours.size)) >= 3
    steps = np.diff([_luminance(c) for c in (colours.low, colours.middle, colours.high)])
    assert (steps > 0).all() or (steps < 0).all(), "the scale must read in grey"


def test_whiskers_of_a_mean_size_stop_at_zero():
    figure = bar(build([[0.1], [0.5]]))
    (wide,), (below,) = figure.data[0].error_x.array, figure.data[0].error_x.arrayminus
    assert wide > 0.3
    assert below == pytest.approx(0.3)
    assert "95 %: 0.0000 to" in figure.data[0].hovertext[0]
