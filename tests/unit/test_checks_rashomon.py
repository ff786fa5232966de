"""Checks of sets of equally good models: where they pass, where they object, with which numbers."""

from dataclasses import replace

import numpy as np
import pytest

from tests.rashomon_sets import no_models, several_models
from workbench.checks import CHECKS, run_checks

SET = several_models()
FORMULA = several_models(explorers=("quadratic",))


def growing(values, counts=(100, 200, 400)):
    """The set with this growth of every metric of its first explorer."""
    curve = np.full((2, len(counts), 3), np.nan)
    curve[0] = np.array(values)[:, None]
    return replace(SET, growth=curve, growth_models=np.array(counts))


@pytest.mark.parametrize(("noise", "status"), [(0.0199, "ok"), (0.0201, "warning")])
def test_the_tolerance_is_held_against_two_standard_errors(noise, status):
    outcome = CHECKS["WB021"](replace(SET, noise=np.full((2, 4), noise)))
    assert outcome.status == status
    assert outcome.evidence["least_tolerance"] == pytest.approx(2 * noise)
    assert outcome.tolerance == 0.04
    assert outcome.evidence["tolerances_below"] == (3 if status == "ok" else 4)
    assert "200 rows of adult/validation" in outcome.sentence


def test_an_explorer_without_models_is_named():
    admitted = SET.admitted.copy()
    admitted[1] = 0
    outcome = CHECKS["WB022"](replace(SET, admitted=admitted))
    assert outcome.status == "warning"
    assert "by Trained again" in outcome.sentence
    assert outcome.evidence["explorers_without"] == 1
    none = CHECKS["WB022"](no_models())
    assert none.evidence["explorers_without"] == 2
    assert "does not mean" in none.sentence


@pytest.mark.parametrize(
    ("values", "status", "added"),
    [
        ((0.1, 0.2, 0.219), "ok", 0.095), ((0.1, 0.2, 0.221), "warning", 0.105),
        ((0.0, 0.0, 0.1), "warning", 1.0), ((0.0, 0.0, 0.0), "ok", 0.0),
    ],
)  # fmt: skip
def test_the_last_doubling_is_held_against_a_tenth(values, status, added):
    outcome = CHECKS["WB023"](growing(values))
    assert outcome.status == status
    assert outcome.evidence["added"] == pytest.approx(added)
    assert "Gaussian unit dropout" in outcome.sentence


def test_half_of_the_models_may_lie_between_two_numbers():
    outcome = CHECKS["WB023"](growing(np.log((100.0, 300.0, 400.0)), (100, 300, 400)))
    assert outcome.evidence["added"] == pytest.approx(np.log(400) / np.log(200) - 1)


def test_too_few_models_cannot_settle():
    outcome = CHECKS["WB023"](growing((0.1, 0.2, 0.3), (300, 350, 400)))
    assert outcome.status == "not_applicable"


def test_masks_for_each_row_are_objected_to():
    published = several_models(explorers=("published-bernoulli",))
    assert "Published Bernoulli dropout" in CHECKS["WB028"](published).sentence
    assert CHECKS["WB028"](SET).status == "ok"


def test_formulas_have_no_models_to_check():
    found = {outcome.code: outcome.status for outcome in run_checks(FORMULA)}
    assert found == {
        "WB021": "not_applicable", "WB022": "not_applicable", "WB023": "not_applicable",
        "WB028": "ok",
    }  # fmt: skip


def test_no_rows_have_nothing_to_check():
    assert {found.status for found in run_checks(SET[[]])} == {"not_applicable"}
