"""Checks of explanations and of local functions on results that must pass and others that not."""

import numpy as np
import pytest

from tests.attributions import example
from tests.faithfulness import (
    local_functions_of,
    one_explanation,
    one_local_function,
    several_explanations,
    several_local_functions,
    without,
)
from workbench.checks import CHECKS, run_checks

METHODS = 7  # two slopes, three contributions, two anchors


def shares(**changes):
    """All methods miss 0.3 everywhere, random numbers 0.9; ``changes`` by position of a method."""
    found = np.full((METHODS, 4), 0.3)
    found[5:] = 0.9
    for method, values in changes.items():
        found[int(method.removeprefix("m"))] = values
    return found


@pytest.mark.parametrize(("least", "status"), [(0.49, "ok"), (0.51, "warning")])
def test_the_best_of_each_neighbourhood_is_compared_with_a_half(least, status):
    found = np.full((METHODS, 4), 0.8)
    found[0] = (0.1, 0.2, 0.3, least)
    found[5:] = 0.2  # anchors do not compete
    outcome = CHECKS["WB015"](one_explanation(shares=found))
    assert outcome.status == status
    assert outcome.evidence["missed"] == pytest.approx(least)
    assert outcome.evidence["poor"] == (status == "warning")
    assert "'on the way from the reference'" in outcome.sentence


def test_every_poor_neighbourhood_is_named():
    outcome = CHECKS["WB015"](several_explanations(shares=shares() + 0.3))
    assert outcome.sentence == (
        "No linear explanation is adequate in 'moved a little' (60 %), 'a few removed' (60 %), "
        "'one removed' (60 %) and 1 more: even the best misses more than 50 % of the variance. "
        "Look at a smaller neighbourhood, or at interactions."
    )


def test_a_method_may_fail_at_a_question_that_it_was_not_made_for():
    once = several_explanations(shares=shares(m2=(np.nan, 0.3, 0.3, 0.95)))
    outcome = CHECKS["WB016"](once)
    assert outcome.status == "ok"
    assert outcome.evidence["share"] == pytest.approx(1 / 3)
    assert "does not in 1 of 19 comparisons" in outcome.sentence
    twice = several_explanations(shares=shares(m2=(np.nan, 0.9, 0.3, 0.95), m0=(1.0, 1, 1, 1)))
    outcome = CHECKS["WB016"](twice)
    assert outcome.status == "warning"
    assert outcome.sentence.startswith(
        "No better than random numbers: SmoothGrad (in 4 of 4 neighbourhoods), LIME (in 2 of 3 "
        "neighbourhoods). "
    )


def test_without_random_numbers_nothing_is_compared():
    outcome = CHECKS["WB016"](without(several_explanations(), "random"))
    assert outcome.status == "not_applicable"
    nothing = several_explanations(shares=np.full((METHODS, 4), np.nan))
    assert {found.status for found in run_checks(nothing)} == {"not_applicable"}
    assert "can be compared" in CHECKS["WB015"](nothing).sentence


@pytest.mark.parametrize(
    ("missed", "fitted", "status"),
    [(0.30, 0.21, "ok"), (0.30, 0.19, "warning"), (0.2, 0.3, "ok"), (1.4, 0.0, "warning")],
)
def test_held_out_is_compared_with_fitted(missed, fitted, status):
    for build in (one_local_function, several_local_functions):
        outcome = CHECKS["WB017"](build(missed=missed, fitted=fitted))
        assert outcome.status == status
        assert outcome.evidence["gap"] == pytest.approx(missed - fitted)


def test_as_many_coefficients_as_samples_are_found_out():
    """A line through as many points as it has coefficients misses none of them, and the rest."""
    random = np.random.default_rng(0)
    n, d = 8, 7
    design = np.column_stack([np.ones(n), random.normal(size=(n, d))])
    answers, unseen = random.normal(size=(2, 400))
    weights = np.linalg.solve(design, answers[:n])
    far = np.column_stack([np.ones(400), random.normal(size=(400, d))])
    gap = far @ weights - unseen
    result = local_functions_of(
        example(n=1, sampled=False),
        missed=float((gap**2).sum() / ((unseen - unseen.mean()) ** 2).sum()), fitted=0.0,
    )  # fmt: skip
    outcome = CHECKS["WB017"](result)
    assert outcome.status == "warning"
    assert outcome.evidence["fitted"] == 0
    assert "0 % over those that it was fitted to" in outcome.sentence


@pytest.mark.parametrize(("missed", "status"), [(0.49, "ok"), (0.51, "warning")])
def test_a_function_is_adequate_up_to_a_half(missed, status):
    for build in (one_local_function, several_local_functions):
        outcome = CHECKS["WB018"](build(missed=missed, fitted=missed))
        assert outcome.status == status
        assert outcome.evidence["missed"] == pytest.approx(missed)
    assert ("for 12" in outcome.sentence) == (status == "warning")


def test_no_rows_have_nothing_to_check():
    for none in (several_explanations()[[]], several_local_functions()[[]]):
        assert {found.status for found in run_checks(none)} == {"not_applicable"}
