"""How far two runs of a step are from each other, and how far they may be."""

from dataclasses import replace

import numpy as np
import pytest

from tests.attributions import example
from tests.fairness_fronts import tiny_front
from workbench.analysis import numbers_digest
from workbench.analysis.compare import (
    NEAR,
    TRAINED,
    Comparison,
    Difference,
    differ,
    tolerance_for,
)


def test_differences_are_the_largest_share_of_the_largest_value():
    one = example(n=2)
    assert differ(one, one).where == ""
    values = one.values.copy()
    largest = np.abs(values).max()
    values[0, 0, 0] += 0.01 * largest
    found = differ(replace(one, values=values), one)
    assert found.where == "values"
    assert found.absolute == pytest.approx(0.01 * largest)
    assert found.relative == pytest.approx(0.01)
    values[0, 0, 0] = np.nan
    assert differ(replace(one, values=values), one).relative == 1
    assert differ(example(n=3), one).relative == 1
    assert numbers_digest(replace(one, values=values)) != numbers_digest(one)
    timed = replace(one, provenance=one.provenance.model_copy(update={"seconds": 9.0}))
    assert numbers_digest(timed) == numbers_digest(one)
    assert differ(timed, one).where == ""


def test_tolerances():
    assert tolerance_for("shapley.exact", same_machine=True) == 0
    assert tolerance_for("shapley.exact", same_machine=False) == NEAR
    assert tolerance_for("fastshap.train", same_machine=False) == TRAINED
    other = {"same_machine": False, "same_kind_of_device": False}
    assert tolerance_for("shapley.exact", **other) == NEAR
    assert tolerance_for("fastshap.train", **other) is None


def test_what_is_not_judged_is_said():
    found = Comparison("x", Difference(0.5, 2.0, "values"), None)
    assert found.is_within
    assert found.describe() == (
        "x: the largest difference is 2 in values, 0.5 of its largest value; networks trained on "
        "another kind of device are others: not judged."
    )


def test_digests_of_weights_count_only_where_all_has_to_be_equal():
    one = tiny_front()
    other = replace(one, digests=("0" * len(one.digests[0]), *one.digests[1:]))
    assert differ(other, one).where == "digests.0"
    assert differ(other, one).relative == 1
    assert differ(other, one, digests=False) == Difference()
    moved = replace(other, excess=one.excess + 0.5)
    assert differ(moved, one, digests=False).where == "excess"


@pytest.mark.parametrize(
    ("method", "settings", "trains"),
    [
        ("rashomon.retrain", {}, True),
        ("rashomon.retrain", {"explorers": "gaussian-units"}, False),
        ("rashomon.set", {}, False),
        ("rashomon.set", {"explorers": "gaussian-units,retraining"}, True),
        ("rashomon.churn", {}, False),
        ("rashomon.attributions", {"explorer": "retraining"}, True),
        ("rashomon.interactions", {}, False),
        ("rashomon.profiles", {"explorer": "retraining"}, True),
        ("rashomon.mitigate", {}, False),
        ("rashomon.mitigate", {"candidates": 4}, True),
        ("rashomon.fairness", {"retrained": 0, "directed": 0}, False),
        ("rashomon.fairness", {"retrained": 2, "directed": 0}, True),
        ("rashomon.simpler", {}, False),
        ("fairness.remedies", {}, True),
        ("fairness.remedies", {"remedies": "group_thresholds", "refits": 0}, False),
        ("fairness.remedies", {"remedies": "group_thresholds", "refits": 2}, True),
        ("interactions.bootstrap", {}, True),
    ],
)
def test_what_trains_networks_may_differ_by_more(method, settings, trains):
    assert tolerance_for(method, settings, same_machine=False) == (TRAINED if trains else NEAR)
    assert tolerance_for(method, settings, same_machine=True) == 0
    other = {"same_machine": False, "same_kind_of_device": False}
    assert tolerance_for(method, settings, **other) == (None if trains else NEAR)
