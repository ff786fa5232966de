"""Checks of scores over equally good models: where they pass and object, with which numbers."""

from dataclasses import replace

import numpy as np
import pytest

from tests.interaction_clouds import some_cloud
from workbench.checks import CHECKS

# Factors below 0.5 put the second pair first.
SWAPPED, KEPT = 0.2, 1.2


@pytest.mark.parametrize(
    ("factors", "status", "share"),
    [
        ((KEPT, KEPT), "ok", 1.0), ((SWAPPED, KEPT), "ok", 2 / 3),
        ((SWAPPED,), "warning", 0.5), ((SWAPPED, SWAPPED), "warning", 1 / 3),
    ],
)  # fmt: skip
def test_the_first_pair_has_to_be_first_in_more_than_half(factors, status, share):
    outcome = CHECKS["WB040"](some_cloud(factors=factors))
    assert outcome.status == status
    assert outcome.evidence == {"share": pytest.approx(share), "models": 1.0 + len(factors)}
    assert "x1 and x2" in outcome.sentence
    named = "most often it is x1 and x3" in outcome.sentence
    assert named == (share < 0.5), "another pair is named where it is first more often"


@pytest.mark.parametrize(("noise", "status"), [(0.00499, "ok"), (0.00501, "warning")])
def test_the_tolerance_is_held_against_two_standard_errors(noise, status):
    outcome = CHECKS["WB041"](some_cloud(noise=noise))
    assert outcome.status == status
    assert outcome.evidence["least_tolerance"] == pytest.approx(2 * noise)
    assert outcome.tolerance == 0.01


def test_one_model_is_not_judged():
    alone = some_cloud().of_models([])
    for code in ("WB040", "WB041"):
        assert CHECKS[code](alone).status == "not_applicable"
    given = replace(
        alone, noise=None, numbers=None, strengths=None, stretches=None, explorer=None,
        tolerance=None, base_loss=None,
    )  # fmt: skip
    beside = given.beside([given])
    assert "not looked for" in CHECKS["WB041"](beside).sentence
    rounding = replace(beside, mixed=1e-12 * beside.mixed)
    assert "order means nothing" in CHECKS["WB040"](rounding).sentence
    nothing = replace(beside, mixed=np.zeros_like(beside.mixed))
    assert CHECKS["WB040"](nothing).status == "not_applicable"
