"""Figures of a trained explainer, and what is said of its error."""

import numpy as np
import pytest

from tests.explainers import trained
from workbench.plots import render
from workbench.plots.training import explainer_sentence


def test_errors_stand_largest_first_for_the_favourable_class_or_the_one_asked_for():
    explainer = trained()
    (bars, *_) = render(explainer, "errors").data
    np.testing.assert_allclose(bars.x, explainer.errors[::-1, 1])
    (bars, *_) = render(explainer, "errors", output="<=50K").data
    np.testing.assert_allclose(bars.x, explainer.errors[::-1, 0])


def test_errors_are_of_the_unit_and_the_rows_that_are_said():
    figure = render(trained(), "errors")
    said = figure.layout.xaxis.title.text
    assert "probability of &gt;50K" in said
    assert "40 held-out rows" in said


def test_errors_keep_to_the_features_with_the_largest():
    (bars, *_) = render(trained(), "errors", max_features=2).data
    np.testing.assert_allclose(bars.x, [0.010, 0.008])


def test_training_marks_the_pass_that_was_kept():
    line, kept = render(trained(), "training").data
    np.testing.assert_allclose(line.y, [0.5, 0.1, 0.03, 0.04])
    assert (list(kept.x), list(kept.y)) == ([3], [0.03])


def test_a_training_without_passes_has_nothing_to_draw():
    assert not render(trained(history=()), "training").data


@pytest.mark.parametrize(("relative", "large"), [(0.05, False), (0.31, True)])
def test_a_large_error_is_said_with_what_to_use_instead(relative, large):
    said = explainer_sentence(trained(relative=relative))
    assert said.startswith("On 40 rows that it never saw, its error is ")
    assert ("too much to rely on. Use an estimator" in said) is large
