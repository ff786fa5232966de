"""Exact Shapley values against enumeration of orders, the shap package, and a closed form."""

import math

import numpy as np
import pytest
import shap
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.networks import (
    shapley_by_permutations,
    tiny_model,
    tiny_table,
    value_by_definition,
)
from workbench.core.errors import InvalidInputError
from workbench.engines import shapley
from workbench.engines.shapley.exact import all_coalitions, shapley_weights


@given(st.integers(1, 6), st.integers(0, 2**16))
def test_weights_give_the_mean_over_all_orders(d, seed):
    table = torch.rand(2**d, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    bits = 2 ** torch.arange(d)
    by_orders = shapley_by_permutations(lambda known: table[(known * bits).sum()], d)
    torch.testing.assert_close(shapley_weights(d) @ table, by_orders)


@pytest.mark.parametrize("d", [1, 5, 16])
def test_axioms(d):
    game = torch.rand(2**d, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    inside, weights = all_coalitions(d), shapley_weights(d)
    assert weights @ game == pytest.approx((weights @ game).numpy())
    assert (weights @ game).sum() == pytest.approx(float(game[-1] - game[0]))
    unused = game[torch.arange(2**d) & ~1]  # player 0 makes no difference
    assert float((weights @ unused)[0]) == pytest.approx(0, abs=1e-12)
    assert weights @ inside.double() == pytest.approx(np.eye(d), abs=1e-12)


def test_equals_shap_and_all_orders_on_eight_features():
    table = tiny_table(d=8, categorical=False)
    model = tiny_model(table, hidden=(32, 32))
    rows, background = table[40:43], table[:20]
    got = shapley.explain(model, rows, background, method="exact")

    def predict(X):
        return model.predict(torch.from_numpy(np.asarray(X))).numpy()

    masker = shap.maskers.Independent(background.X.numpy(), max_samples=20)
    peer = shap.ExactExplainer(predict, masker)(rows.X.numpy())
    np.testing.assert_allclose(got.values, peer.values, atol=1e-6)
    np.testing.assert_allclose(got.base_values, peer.base_values, atol=1e-6)
    by_orders = shapley_by_permutations(
        lambda known: value_by_definition(model, rows.X[0], background.X, known), 8
    )
    np.testing.assert_allclose(got.values[0], by_orders, atol=1e-6)


@pytest.mark.parametrize("link", ["identity", "logit"])
@pytest.mark.parametrize("missing", [False, True])
def test_equals_all_orders_with_categories(link, missing):
    table = tiny_table(d=5, missing=missing)
    model = tiny_model(table)
    rows, background = table[40:42], table[:15]
    got = shapley.explain(model, rows, background, method="exact", link=link)
    for row in range(2):

        def value(known, row=row):
            mean = value_by_definition(model, rows.X[row], background.X, known)
            return torch.logit(mean) if link == "logit" else mean

        np.testing.assert_allclose(got.values[row], shapley_by_permutations(value, 5), atol=1e-9)
    assert np.abs(got.gap).max() < 1e-9


def test_regression_and_multiclass():
    for task in ("regression", "multiclass"):
        table = tiny_table(d=4, task=task)
        model = tiny_model(table)
        got = shapley.explain(model, table[20:24], table[:10], method="exact")
        assert got.values.shape == (4, 4, len(model.output_names))
        np.testing.assert_allclose(got.predictions, model.predict(table.X[20:24]), atol=1e-12)
        np.testing.assert_allclose(got.base_values[0], model.predict(table.X[:10]).mean(0))
        assert np.abs(got.gap).max() < 1e-9
        assert got.std_errors is None
        assert got.unit == {"regression": "", "multiclass": "probability"}[task]


def test_too_many_features():
    table = tiny_table(d=17, categorical=False)
    with pytest.raises(InvalidInputError, match=r"2\^17 coalitions for 17 features.*'kernel'"):
        shapley.explain(tiny_model(table), table[:1], table[:5], method="exact")


def test_sixteen_features_are_feasible():
    table = tiny_table(d=16, categorical=True)
    model = tiny_model(table, network="linear")
    got = shapley.explain(model, table[20:21], table[:2], method="exact", output="score")
    assert math.isclose(got.values.sum(1)[0, 1], (got.predictions - got.base_values)[0, 1])
