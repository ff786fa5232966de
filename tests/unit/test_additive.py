"""Additive models: against known curves, another package's fit without a row, and bad input."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from workbench.core.schema import Feature, Schema
from workbench.numerics.additive import Additive, Labelled, fit_additive

CLASSES = {"regression": (), "binary": ("a", "b"), "multiclass": ("a", "b", "c")}


def schema_of(task="regression", levels=("u", "v", "w")):
    features = (
        Feature(name="wave"), Feature(name="bend"), Feature(name="whole"),
        Feature(name="kind", kind="categorical", categories=levels),
    )  # fmt: skip
    return Schema(features=features, target="y", task=task, classes=CLASSES[task])


def rows(n, seed=0):
    rng = np.random.default_rng(seed)
    return np.column_stack([
        rng.uniform(-1, 1, n),
        rng.uniform(-1, 1, n),
        rng.integers(0, 4, n),
        rng.integers(0, 3, n),
    ])


def curve(X):
    steps = np.array([0.0, 1.0, -1.0])[X[:, 3].astype(int)]
    return np.sin(4 * X[:, 0]) + np.abs(X[:, 1]) + 0.3 * X[:, 2] ** 2 + steps


def split(X, y):
    half = len(X) * 3 // 4
    return Labelled(X[:half], y[:half]), Labelled(X[half:], y[half:])


def test_finds_the_curves_of_a_regression():
    X = rows(2000)
    y = curve(X) + 0.1 * np.random.default_rng(1).normal(size=2000)
    model = fit_additive(*split(X, y), schema_of())
    fresh = rows(500, seed=2)
    assert np.square(model.logits(fresh)[:, 0] - curve(fresh)).mean() < 0.001
    assert model.noise.std() == pytest.approx(0.1, rel=0.1)


def test_what_is_left_over_is_that_of_a_fit_without_the_row():
    X = rows(60)
    y = curve(X) + np.random.default_rng(1).normal(size=60)
    train, held = split(X, y)
    model = fit_additive(train, held, schema_of())
    Z = np.concatenate([own(train.X[:, i]) for i, own in enumerate(model.columns)], 1)
    for row in (0, 7, 44):
        kept = np.arange(len(Z)) != row
        without = Ridge(alpha=model.penalty).fit(Z[kept], train.y[kept])
        missed = train.y[row] - without.predict(Z[[row]])[0]
        assert model.noise[row] == pytest.approx(missed, rel=1e-6)


def test_finds_log_odds():
    X = rows(6000)
    odds = 2 * (curve(X) - 1)
    y = (np.random.default_rng(1).random(6000) < 1 / (1 + np.exp(-odds))).astype(float)
    model = fit_additive(*split(X, y), schema_of("binary"))
    fresh = rows(500, seed=2)
    logits = model.logits(fresh)
    wanted = 2 * (curve(fresh) - 1)
    assert np.square(logits[:, 1] - logits[:, 0] - wanted).mean() < 0.06 * wanted.var()


@pytest.mark.parametrize("seed", range(4))
def test_log_odds_are_not_too_flat(seed):
    X = rows(2000, seed=seed)
    odds = 4 * (curve(X) - 1)
    y = (np.random.default_rng(9 + seed).random(2000) < 1 / (1 + np.exp(-odds))).astype(float)
    logits = fit_additive(*split(X, y), schema_of("binary")).logits(X)
    slope = np.polyfit(logits[:, 1] - logits[:, 0], odds, 1)[0]
    assert 0.85 < slope < 1.2


def test_finds_the_probabilities_of_three_classes():
    X = rows(6000)
    logits = np.column_stack([curve(X), 2 * X[:, 0], -X[:, 1]])
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    drawn = (np.random.default_rng(1).random((6000, 1)) > shares.cumsum(1)[:, :2]).sum(1)
    found = fit_additive(*split(X, drawn.astype(float)), schema_of("multiclass")).logits(X)
    said = np.exp(found) / np.exp(found).sum(1, keepdims=True)
    assert np.abs(said - shares).mean() < 0.03


def test_a_class_without_training_rows_is_rare_and_not_impossible():
    X = rows(200)
    y = (X[:, 0] > 0).astype(float)
    found = fit_additive(*split(X, y), schema_of("multiclass")).logits(X)
    assert np.isfinite(found).all()
    said = np.exp(found - found.max(1, keepdims=True))
    said /= said.sum(1, keepdims=True)
    assert said[:, 2].max() < 0.02


def test_missing_constant_and_unseen_values():
    X = rows(300)
    X[:, 2] = 5.0
    X[::7, 0] = np.nan
    X[::5, 3] = np.nan
    y = np.where(np.isnan(X[:, 0]), 3.0, X[:, 1])
    model = fit_additive(*split(X, y), schema_of())
    fresh = np.array([
        [np.nan, 0.5, 5.0, 1.0],
        [0.2, 0.5, 7.0, np.nan],
        [9.0, -9.0, np.nan, 0.0],
    ])
    found = model.logits(fresh)[:, 0]
    assert np.isfinite(found).all()
    assert found[0] == pytest.approx(3, abs=0.3)
    assert isinstance(model, Additive)


def test_effects_do_not_depend_on_other_features():
    X = rows(300)
    model = fit_additive(*split(X, X[:, 0] * X[:, 1]), schema_of())
    one, other = rows(50, seed=3), rows(50, seed=4)
    moved, both = one.copy(), other.copy()
    moved[:, 0], both[:, 0] = 0.7, 0.7
    here, there = one.copy(), other.copy()
    here[:, 0], there[:, 0] = -0.4, -0.4
    np.testing.assert_allclose(
        model.logits(moved) - model.logits(here), model.logits(both) - model.logits(there),
        atol=1e-9,
    )  # fmt: skip
