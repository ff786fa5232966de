"""Changes of decisions against their definitions, counted one by one."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.attributions import example
from tests.churns import churn_of, some_churn
from workbench.core.decisions import (
    effects_of,
    pairwise_churn,
    shares_of,
    smoothed_churn,
    support,
)
from workbench.core.errors import InvalidInputError
from workbench.core.results import load

shapes = st.tuples(st.integers(1, 6), st.integers(1, 9), st.integers(2, 4), st.integers(0, 99))


def drawn(shape):
    m, n, k, seed = shape
    random = np.random.default_rng(seed)
    return random.integers(0, k, (m, n)), random.integers(0, k, n), random.integers(0, k, n)


@given(shapes)
@settings(max_examples=60, deadline=None)
def test_pairwise_churn_is_what_counting_gives(shape):
    decisions, _, _ = drawn(shape)
    found = pairwise_churn(decisions)
    for i, j in itertools.product(range(len(decisions)), repeat=2):
        assert found[i, j] == pytest.approx(
            sum(a != b for a, b in zip(decisions[i], decisions[j], strict=True)) / shape[1]
        )
    assert (found == found.T).all()
    assert (np.diag(found) == 0).all()


def test_pairwise_churn_adds_up_over_parts(monkeypatch):
    decisions, _, _ = drawn((5, 40, 3, 1))
    whole = pairwise_churn(decisions)
    monkeypatch.setattr("workbench.core.decisions.PAIR_BYTES", 4 * 5 * 3 * 7)
    np.testing.assert_allclose(pairwise_churn(decisions), whole, atol=1e-12)


@given(shapes)
@settings(max_examples=60, deadline=None)
def test_effects_are_what_counting_gives(shape):
    decisions, base, truth = drawn(shape)
    found = effects_of(decisions, base, truth)
    for m, own in enumerate(decisions):
        told = [
            "fixes" if a == t else "breaks" if b == t else "neutral"
            for a, b, t in zip(own, base, truth, strict=True) if a != b
        ]  # fmt: skip
        for name in found._fields:
            assert getattr(found, name)[m] == pytest.approx(told.count(name) / shape[1])
    if shape[2] == 2:
        assert (found.neutral == 0).all()


def test_support_of_two_classes_is_the_distance_from_a_half():
    p = np.array([0.1, 0.45, 0.9])
    scores = np.stack([1 - p, p], 1)
    np.testing.assert_allclose(support(scores, scores.argmax(1)), [0.4, 0.05, 0.4])
    np.testing.assert_allclose(support(scores, np.ones(3, int)), p - 0.5)


def test_smoothed_churn_is_churn_where_the_band_is_narrow():
    result = some_churn()
    base, margins = result.base_margins, result.margins[result.admitted()]
    narrow = smoothed_churn(margins, base, 1e-9)
    np.testing.assert_allclose(narrow, result.churn())
    by_hand = [
        sum(abs(max(-1, min(1, a / 0.1)) - max(-1, min(1, b / 0.1))) / 2
            for a, b in zip(own, base, strict=True)) / len(base)
        for own in margins
    ]  # fmt: skip
    np.testing.assert_allclose(result.smoothed(), by_hand, rtol=1e-6)


@pytest.mark.parametrize(("flipped", "m"), [(0, 20), (7, 20), (20, 20), (1, 1)])
def test_shares_have_the_interval_of_the_score_test(flipped, m):
    happened = np.arange(m)[:, None] < flipped
    found = shares_of(happened)
    expected = stats.binomtest(flipped, m).proportion_ci(method="wilson")
    np.testing.assert_allclose(found, [[flipped / m], [expected.low], [expected.high]], atol=1e-12)


def test_an_update_that_changes_nothing_has_no_churn():
    """CH1."""
    base = some_churn().predictions
    same = churn_of(np.stack([base] * 3), base).with_update(base, "same@2")
    assert (same.churn() == 0).all()
    assert same.worst() == 0
    assert (same.smoothed() < 1e-7).all(), "margins are kept in single precision"
    assert (same.pairwise() == 0).all()
    assert (same.flips().value == 0).all()
    assert (same.update_decisions == same.base).all()


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_churn_is_at_most_the_worst_case_and_the_bound(seed):
    """CH4, CH5: labels and scores at random, as bad as can be."""
    random = np.random.default_rng(seed)
    m, n, k = 12, 25, 2
    outputs, base = random.dirichlet(np.ones(k), (m, n)), random.dirichlet(np.ones(k), n)
    truth = random.integers(0, k, n)
    errors = (outputs.argmax(2) != truth).mean(1) - (base.argmax(1) != truth).mean()
    eps = 0.05
    result = churn_of(outputs, base, truth, excess=errors, tolerances=(eps,))
    if not (errors <= eps).any():
        assert np.isnan(result.worst())
        return
    assert (result.churn() <= result.worst() + 1e-12).all()
    assert result.worst() <= result.bound() + 1e-12
    assert result.bound() <= 2 * (base.argmax(1) != truth).mean() + eps + 1e-12


def test_nothing_admitted_is_not_no_churn():
    result = some_churn(excess=np.full(30, 0.015))
    assert np.isnan(result.worst(0.01))
    assert np.isnan(result.flips(0.01).value).all()
    assert np.isnan(result.bound(0.01))
    assert result.pairwise(0.01).shape == (0, 0)
    frame = result.to_frame()
    assert list(frame["models"]) == [0, 30]
    assert frame.loc[0, ["expected", "worst", "smoothed", "pairwise", "fixes"]].isna().all()


def test_a_regression_counts_what_moves():
    single = example("regression", n=4)
    base = np.zeros((4, 1))
    outputs = np.array([[0.0, 2.0, -2.0, 1.0], [3.0, 0.0, 0.0, 0.0]])[:, :, None]
    result = churn_of(outputs, base, single=single, movement=1.5)
    np.testing.assert_allclose(result.churn(), [0.5, 0.25])
    np.testing.assert_allclose(result.pairwise(), [[0, 0.75], [0.75, 0]])
    assert np.isnan(result.effects().fixes).all()
    assert np.isnan(result.smoothed()).all()
    assert np.isnan(result.bound())


def test_rows_survive_selection_and_files(tmp_path):
    result = some_churn(updated=True)
    part = result[[3, 1]]
    np.testing.assert_array_equal(part.decisions, result.decisions[:, [3, 1]])
    np.testing.assert_array_equal(part.update_decisions, result.update_decisions[[3, 1]])
    assert len(result[5]) == 1
    back = load(result.save(tmp_path / "some.churn"))
    np.testing.assert_array_equal(back.margins, result.margins)
    assert back.update == "tiny@2"
    frame = result.rows_frame()
    assert list(frame["flips"]) == sorted(result.flips().value, reverse=True)
    assert frame["updated"].sum() == (result.update_decisions != result.base).sum()


def test_refusals_speak():
    result = some_churn()
    with pytest.raises(InvalidInputError, match=r"from 0 to 0\.02, not 0\.5; choose one of these"):
        result.churn(0.5)
    with pytest.raises(InvalidInputError, match=r"need shape \(60, 2\), got \(3, 2\)"):
        result.with_update(np.zeros((3, 2)), "other")
    with pytest.raises(InvalidInputError, match="no finite number"):
        result.with_update(np.full((60, 2), np.nan), "other")
