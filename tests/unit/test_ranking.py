"""The area under a ROC curve against scikit-learn, and its interval against counting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from workbench.engines.performance.curves import area_bounds, area_influence, placements, rank
from workbench.numerics.ranking import area_of


@given(st.integers(0, 10_000), st.integers(4, 60), st.booleans())
@settings(max_examples=80, deadline=None)
def test_area_is_what_scikit_learn_finds(seed, n, ties):
    random = np.random.default_rng(seed)
    happened = random.random(n) < 0.4
    happened[:2] = True, False
    scores = random.normal(size=n) + happened
    scores = scores.round() if ties else scores
    area, low, high = area_of(scores, happened)
    assert area == pytest.approx(roc_auc_score(happened, scores))
    assert low <= area <= high


def test_interval_is_that_of_the_evaluation_of_models():
    random = np.random.default_rng(1)
    happened = random.random(80) < 0.3
    scores = (random.normal(size=80) + happened).round(1)
    ranking = rank(scores, happened, np.ones(80))
    area, shares = placements(ranking, happened)
    moved = area_influence(area, shares, happened, np.ones(80))
    (low, high), how = area_bounds(area, float(np.square(moved).sum()), happened, np.ones(80), 0.95)
    assert how == "DeLong, logit"
    np.testing.assert_allclose(area_of(scores, happened), (area, low, high))


@pytest.mark.parametrize("count", [0, 5])
def test_where_all_rows_are_alike_there_is_no_area(count):
    assert np.isnan(area_of(np.arange(5.0), np.arange(5) < count)).all()


def test_rows_told_apart_without_an_error_have_an_interval():
    area, low, high = area_of(np.arange(6.0), np.arange(6) > 2)
    assert (area, high) == (1.0, 1.0)
    assert 0.4 < low < 0.9
