"""Checks of scores of pairs: where they pass, where they object, with which numbers."""

from dataclasses import replace

import numpy as np
import pytest

from tests.attributions import FEATURES
from tests.interaction_scores import some_scores
from workbench.checks import CHECKS
from workbench.plots.scored_sets import HALF

SCORES = some_scores()


def with_association(place, value):
    """The scores with features that go together so closely in one set."""
    i, j = SCORES.sets[place, :2]
    association = SCORES.association.copy()
    association[i, j] = association[j, i] = value
    return replace(SCORES, association=association)


@pytest.mark.parametrize(
    ("place", "value", "status"),
    [(0, 0.9, "warning"), (0, 0.899, "ok"), (2, 0.95, "warning"), (4, 1.0, "ok")],
)
def test_redundant_features_count_where_their_pair_matters(place, value, status):
    found = CHECKS["WB030"](with_association(place, value))
    assert found.status == status
    assert found.evidence["pairs"] == 3, "of ten pairs three are above the floor"
    if status == "warning":
        assert found.evidence["association"] == value
        assert " and ".join(SCORES.set_names[place]) in found.sentence


def test_where_nothing_matters_the_order_means_nothing():
    found = CHECKS["WB031"](some_scores([0.008], errors=0.004))
    assert found.status == "warning", "0.8 % less 1.96 times 0.4 % is below a thousandth"
    assert found.evidence["strongest_at_most"] == pytest.approx(0.008 + HALF * 0.004)
    assert "one may reach 1.58 %: whether any matters is not settled" in found.sentence
    below = CHECKS["WB031"](some_scores([0.0002], errors=0.0001))
    assert "additive for practical purposes" in below.sentence
    # Of totals of 3 tenths of the variance for each of 5 features.
    small = some_scores([0.0009] * 10, errors=0.00001)
    assert "not additive" not in CHECKS["WB031"](small).sentence
    small = replace(small, totals=np.full((1, 5, 2), 0.02))
    assert small.together() == pytest.approx(10 * 0.0009 * 2 / (5 * 0.02))
    assert "not additive: all of them together come to 18 %" in CHECKS["WB031"](small).sentence
    run = small.provenance.model_copy(update={"params": {"sets": [["age", "race"]]}})
    named = replace(small, provenance=run)
    assert "nothing is known of the others" in CHECKS["WB031"](named).sentence
    assert CHECKS["WB030"](some_scores([0.0004])).status == "not_applicable"
    assert CHECKS["WB032"](some_scores([0.0004])).status == "not_applicable"
    (one,) = [CHECKS["WB031"](some_scores([0.02], features=FEATURES[:2]))]
    assert (one.status, one.evidence["pairs"]) == ("ok", 1)
    assert "1 of 1 pair is surely above" in one.sentence


@pytest.mark.parametrize(("second", "status"), [(0.083, "warning"), (0.081, "ok")])
def test_the_first_pair_is_first_where_the_intervals_do_not_touch(second, status):
    found = CHECKS["WB032"](some_scores([0.098, second, 0.01], errors=0.004))
    assert found.status == status
    assert found.evidence["overlap"] == pytest.approx(second - 0.098 + 2 * HALF * 0.004)
    for name in ("age and marital_status", "age and education_num"):
        assert name in found.sentence


def test_a_handful_of_rows_settles_no_order():
    known = some_scores([0.098, 0.02], errors=0.001)
    assert CHECKS["WB032"](known).status == "ok"
    few = replace(known, provenance=known.provenance.model_copy(update={"n_rows": 19}))
    found = CHECKS["WB032"](few)
    assert found.status == "warning"
    assert "not settled by 19 rows" in found.sentence


def test_constant_features_are_named():
    association = SCORES.association.copy()
    association[3], association[:, 3] = 0.0, 0.0
    found = CHECKS["WB033"](replace(SCORES, association=association))
    assert found.status == "warning"
    assert found.evidence["constant"] == 1
    assert "hours_per_week" in found.sentence
    assert "education_num" not in found.sentence


def test_an_output_that_never_changes_has_no_pairs_to_speak_of():
    still = replace(SCORES, variances=np.zeros_like(SCORES.variances))
    for code in ("WB030", "WB031", "WB032"):
        assert CHECKS[code](still).status == "not_applicable"
