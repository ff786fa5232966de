"""Simpler models, drawn and in words."""

from dataclasses import replace

import numpy as np
import pytest

from tests.simpler import simpler
from workbench.core.simpler_models import NO_ELBOW
from workbench.plots import render, views_of
from workbench.plots.simpler_models import share_in_words, share_of, simpler_sentence, tree_sentence

RESULT = replace(
    simpler(),
    cv_loss=np.array([0.2, 0.3, 0.25, 0.18, 0.4]), cv_gap=np.array([0.02, 0.12, 0.07, 0.0, 0.22]),
    cv_noise=np.array([0.03, 0.03, 0.03, 0.0, 0.03]),
    best_loss=np.array([0.4, 0.2, 0.1, 0.05]), best_test=np.array([0.4, 0.25, 0.3, 0.35]),
    log_ratio=np.array([-1.0, -3.0, -8.0, np.nan]), log_low=np.array([-1.0, -3.0, -9.0, np.nan]),
    log_high=np.array([-1.0, -3.0, -7.5, -6.0]), exact=np.array([True, True, False, False]),
    elbow=1, within=True, tree_test=0.3, tree_excess=0.1, tree_noise=0.02, base_loss=0.2,
)  # fmt: skip


def test_learners_stand_by_loss_with_one_standard_error_and_a_colour_for_simple():
    figure = render(RESULT, "learners")
    simple, complex_, texts = figure.data
    assert list(figure.layout.yaxis.ticktext) == [
        "Random forest", "Linear model", "Shallow tree", "Additive model", "Boosted trees",
    ]  # fmt: skip
    np.testing.assert_allclose(simple.x, [0.2, 0.25, 0.3])
    np.testing.assert_allclose(simple.error_x.array, 0.03)
    np.testing.assert_allclose(complex_.x, [0.18, 0.4])
    assert simple.marker.color != complex_.marker.color
    assert simple.marker.symbol != complex_.marker.symbol
    assert [text.strip("\N{NO-BREAK SPACE}") for text in texts.text][:2] == ["18 %", "20 %"]
    (line,) = figure.layout.shapes
    assert line.x0 == line.x1 == 0.18


def test_the_curve_has_a_number_for_each_depth_an_elbow_and_a_bound():
    figure = render(RESULT, "trees")
    (main,) = [trace for trace in figure.data if trace.text is not None]
    assert list(main.text) == ["1", "2", "3", "4"]
    np.testing.assert_allclose(main.x, [-1, -3, -8, -6])
    np.testing.assert_allclose(main.y, RESULT.best_loss)
    np.testing.assert_allclose(main.error_x.array, [0, 0, 0.5, 0])
    np.testing.assert_allclose(main.error_x.arrayminus, [0, 0, 1, 0])
    assert list(main.marker.symbol) == ["circle"] * 3 + ["triangle-right"]
    low, high = figure.layout.xaxis.range
    assert low > -1 > -9 > high
    ring = figure.data[-1]
    assert (ring.x[0], ring.y[0]) == (-3, 0.2)
    assert "fewer" not in main.hovertext[2]
    assert "good: less than 1 in 1,000,000" in main.hovertext[3]
    assert "(counted)" in main.hovertext[0]
    without = render(replace(RESULT, elbow=NO_ELBOW), "trees")
    assert len(without.data) == len(figure.data) - 1


def test_a_regression_says_why_it_has_no_curve():
    result = simpler(task="regression")
    (text,) = [note.text for note in render(result, "trees").layout.annotations]
    assert "no finite" in text.replace("<br>", " ")
    assert render(result, "learners").layout.xaxis.title.text.startswith("mean squared error")


@pytest.mark.parametrize("dark", [False, True])
def test_every_view_draws_in_both_themes(dark):
    for task in ("binary", "multiclass", "regression"):
        result = simpler(task=task)
        for view in views_of(result):
            assert render(result, view, dark=dark).to_json()


def test_the_sentence_says_whether_a_simple_model_is_likely():
    likely = simpler_sentence(RESULT)
    assert likely.startswith(
        "A simple model is likely: the linear model (20 % wrong in cross-validation) is within "
        "one standard error of the random forest (18 % wrong)."
    )
    noisy = replace(RESULT, cv_noise=np.array([0.01, 0.03, 0.03, 0.0, 0.03]))
    assert simpler_sentence(noisy).startswith(
        "A simple model is not to be expected: the linear model (20 % wrong in cross-validation) "
        "is more than one standard error behind the random forest (18 % wrong)."
    )
    first = replace(RESULT, cv_loss=RESULT.cv_loss - np.array([0.1, 0, 0, 0, 0]))
    assert "of five learners the linear model is best (10 % wrong" in simpler_sentence(first)


def test_the_tree_is_told_with_what_other_rows_say_of_it():
    n = len(RESULT.rules)
    rules = f"{n} rule{'s' * (n != 1)}"
    assert tree_sentence(RESULT) == (
        f"A tree of {rules} is about as good on the validation rows (within 5 %); on 20 rows of "
        "tiny/test it has 30 % wrong, the model 20 % wrong: it is worse by more than chance."
    )
    close = tree_sentence(replace(RESULT, tree_noise=0.08, within=False))
    assert close.startswith("No small tree is within 5 % on the validation rows; the best has ")
    assert close.endswith("a difference that chance can make.")
    assert tree_sentence(replace(RESULT, tree_excess=-0.1)).endswith("better by more than chance.")
    same = replace(RESULT, tree_excess=0.0, tree_noise=0.0)
    assert tree_sentence(same).endswith("no difference.")


def test_shares_are_written_as_people_say_them():
    assert share_of(-0.5) == "31.6 %"
    assert share_in_words(RESULT, 0) == "10 %"
    assert share_in_words(RESULT, 2) == "1 in 100,000,000 (1 in 1.0e9 to 1 in 32,000,000)"
    assert share_in_words(RESULT, 3) == "less than 1 in 1,000,000"
