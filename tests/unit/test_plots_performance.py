"""Figures and sentences of an evaluation against its numbers, and against names as markup."""

import html
import json
import re

import numpy as np
import plotly.graph_objects as go
import pytest

from tests.performances import HOSTILE_CLASSES, evaluated, hostile, one_class
from workbench import api
from workbench.core.errors import InvalidInputError
from workbench.core.wording import percent
from workbench.plots import performance_sentence, render, views_of
from workbench.plots.theme import DARK, LIGHT, contrast
from workbench.plots.words import measured

CLASSIFIER = ("metrics", "confusion", "roc", "pr", "calibration")
MINUS = "\N{MINUS SIGN}"


def notes(figure):
    return [annotation.text for annotation in figure.layout.annotations]


def test_views_fit_the_task():
    assert views_of(evaluated(n=60)) == CLASSIFIER
    assert views_of(evaluated("regression", n=60)) == ("metrics", "residuals")
    with pytest.raises(InvalidInputError) as fault:
        render(evaluated("regression", n=60), "roc")
    assert str(fault.value) == (
        "There is no view 'roc' of 'performance'; choose one of metrics, residuals."
    )


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("dark", [False, True])
def test_every_view_draws_in_both_themes(task, dark):
    result = evaluated(task, n=80)
    for view in views_of(result):
        figure = render(result, view, dark=dark, output=None)
        assert figure.to_json()
        assert figure.layout.template.layout.font.color == (DARK if dark else LIGHT).text
        assert figure.layout.height >= 200


def test_metrics_are_dots_with_their_intervals():
    result = evaluated()
    dots = render(result, "metrics").data[0]
    shown = [m for m in result.measures() if not m.of and m.name != "log-loss"]
    shown.sort(key=lambda m: m.name in {"Brier score", "calibration error"})
    np.testing.assert_allclose(dots.x, [m.value for m in shown])
    np.testing.assert_allclose(np.add(dots.x, dots.error_x.array), [m.high for m in shown])
    np.testing.assert_allclose(
        np.subtract(dots.x, dots.error_x.arrayminus), [m.low for m in shown], atol=1e-12
    )
    assert notes(render(result, "metrics")) == [measured(result.metric("log-loss"))]


def test_confusion_shows_counts_and_shares_of_the_true_class():
    result = evaluated(weighted=True)
    figure = render(result, "confusion")
    np.testing.assert_allclose(figure.data[0].z, result.row_shares)
    cells = [text for text in notes(figure) if "<br>" in text]
    expected = [
        f"{count:,}<br>{percent(share)}"
        for count, share in zip(result.confusion.ravel(), result.row_shares.ravel(), strict=True)
    ]
    assert cells == expected
    assert notes(figure)[-1] == "rows; colour: share of the true class, rows by weight"


@pytest.mark.parametrize("dark", [False, True])
def test_numbers_in_cells_stand_out_from_their_colour(dark):
    figure = render(evaluated(), "confusion", dark=dark)
    (_, low), (_, high) = figure.data[0].colorscale
    for cell in figure.layout.annotations[:4]:
        share = figure.data[0].z[int(cell.y)][int(cell.x)]
        ground = [round(int(low[i:i + 2], 16) * (1 - share) + int(high[i:i + 2], 16) * share)
                  for i in (1, 3, 5)]  # fmt: skip
        colour = "#" + "".join(f"{channel:02x}" for channel in ground)
        assert contrast(cell.font.color, colour) >= 4.5


def test_curves_are_those_of_the_result_with_areas_in_the_legend():
    result = evaluated()
    for view, which in (("roc", 0), ("pr", 1)):
        figure = render(result, view)
        line = figure.data[0]
        np.testing.assert_array_equal(np.stack([line.x, line.y], axis=1),
                                      result.curve(view, 0)[:, :2])  # fmt: skip
        value, low, high = result.areas[0, which]
        assert line.name == f"{value:.3f} ({low:.3f} to {high:.3f})"
    assert list(render(result, "roc").data[-1].x) == [0, 1], "the diagonal"


def test_of_many_classes_the_worst_are_named():
    result = api.evaluate("digits-mlp", api.load_table("digits"))
    named = [trace.name for trace in render(result, "roc").data if trace.showlegend]
    worst = np.argsort(result.areas[:, 0, 0])[:3]
    assert named[0].startswith("7 others: ")
    assert sorted(name.split(":")[0] for name in named[1:]) == sorted(str(i) for i in worst)
    alone = render(result, "roc", output="4")
    assert [trace.name is None for trace in alone.data] == [False, True]
    assert not render(result, "roc", output="none").data


def test_calibration_holds_bins_and_the_histogram_below():
    result = evaluated()
    _, points, bars = render(result, "calibration").data
    np.testing.assert_allclose(np.stack([points.x, points.y], axis=1), result.calibration[:, :2])
    np.testing.assert_allclose(np.add(points.y, points.error_y.array), result.calibration[:, 3])
    np.testing.assert_array_equal(bars.y, result.histogram_counts)
    assert bars.yaxis == "y2"


def test_residuals_hold_points_and_bands():
    result = evaluated("regression", n=2500)
    figure = render(result, "residuals")
    assert isinstance(figure.data[0], go.Scattergl)
    assert isinstance(render(result, "residuals", webgl=False).data[0], go.Scatter)
    np.testing.assert_allclose(figure.data[0].y, result.sample[:, 0] - result.sample[:, 1])
    np.testing.assert_allclose(figure.data[3].y, result.residuals[:, 3])
    assert notes(figure)[-1].startswith("2,000 of 2,500 rows; ")
    assert len(set(result.sample_ids)) == 2000


def test_what_is_undefined_is_said_in_the_figure():
    figure = render(one_class(), "roc")
    assert [text.replace("<br>", " ") for text in notes(figure)] == [
        "No curve to show: no row is yes."
    ]
    assert render(one_class(), "confusion").to_json()
    assert render(one_class(), "metrics").to_json()


@pytest.mark.parametrize("view", CLASSIFIER)
def test_names_of_classes_are_text_not_markup(view):
    said = json.dumps(json.loads(render(hostile(), view).to_json()))
    tags = set(re.findall(r"<[^>]*>", said))
    assert tags <= {"<b>", "</b>", "<br>", "</br>"}
    assert all(name not in said for name in HOSTILE_CLASSES)
    assert "$x^2$" not in said, "plotly reads text between dollars as TeX"
    if view == "confusion":
        assert html.escape("<img src=x") in said


def test_answers_for_two_classes():
    result = evaluated()
    right, simple, found, correct = (
        result.metric(name)
        for name in ("accuracy", "share of the commonest class", "recall", "precision")
    )
    commonest = result.classes[int(result.supports.argmax())]
    assert performance_sentence(result) == (
        f"On 300 rows of tiny/test the model is right for {percent(right.value)} (95 % interval: "
        f"{percent(right.low)} to {percent(right.high)}); always saying {commonest} would be right "
        f"for {percent(simple.value)}. It finds {percent(found.value)} of the "
        f"{result.supports[1]} rows that are yes; of those it calls yes, {percent(correct.value)} "
        "are."
    )
    assert "counted by weight, the model" in performance_sentence(evaluated(weighted=True))


def test_answers_for_bundled_models():
    digits = api.evaluate("digits-mlp", api.load_table("digits"))
    assert performance_sentence(digits) == (
        "On 360 rows of digits/test the model is right for 96.4 % (95 % interval: 93.9 % to "
        "97.9 %); always saying 4 would be right for 12.5 %. It does worst on 5: it finds 86.1 % "
        "of the 36 rows that are 5."
    )
    diabetes = api.evaluate("diabetes-mlp", api.load_table("diabetes"))
    assert performance_sentence(diabetes).startswith(
        "On 89 rows of diabetes/test the prediction is off by 40.8 on average (95 % interval: "
        "33.9 to 47.8). It explains 51.6 % (95 % interval: "
    )


def test_answers_where_little_is_known():
    said = performance_sentence(one_class())
    assert "No row is yes; of those it calls yes, 0 % are." in said
    assert "so it is not surely better" in said
    random = evaluated("regression", n=300)
    wrong = random.metrics.copy()
    place = random.metric_names.index("R squared")
    wrong[place] = -0.2, -0.5, 0.1
    object.__setattr__(random, "metrics", wrong)
    assert performance_sentence(random).endswith(
        f"It is worse than always saying the mean (R squared {MINUS}0.2)."
    )
    wrong[place] = 0.1, -0.1, 0.3
    assert performance_sentence(random).endswith(
        "It does not surely explain any of the variation of y."
    )


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0 %"), (1.0, "100 %"), (0.0004, "less than 0.1 %"), (0.9996, "more than 99.9 %"),
     (0.12345, "12.3 %"), (0.25, "25 %"), (float("nan"), "not defined")],
)  # fmt: skip
def test_shares_never_round_to_nothing_or_all(share, text):
    assert percent(share) == text


def test_colours_of_classes_stand_out():
    for colours in (LIGHT, DARK):
        assert min(contrast(colour, colours.surface) for colour in colours.classes) >= 3
        assert len(set(colours.classes)) == 6
