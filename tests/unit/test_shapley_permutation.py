"""Antithetic permutations: exact where they must be, unbiased elsewhere."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.networks import tiny_model, tiny_table
from workbench.core.errors import InvalidInputError
from workbench.engines import shapley
from workbench.engines.shapley.exact import shapley_weights
from workbench.engines.shapley.permutation import antithetic_values


class PairGame:
    """Main effects and pairwise interactions of 20 players; its Shapley values are known."""

    def __init__(self, d):
        random = torch.Generator().manual_seed(2)
        self.main = torch.randn(d, generator=random, dtype=torch.float64)
        pairs = torch.randn(d, d, generator=random, dtype=torch.float64)
        self.pairs = (pairs + pairs.T) * (1 - torch.eye(d))

    def __call__(self, coalitions):
        s = coalitions.double()
        return (s @ self.main + ((s @ self.pairs) * s).sum(1) / 2)[:, None]


def test_one_pair_is_exact_for_games_of_order_two():
    d = 20
    game = PairGame(d)
    order = torch.randperm(d, generator=torch.Generator().manual_seed(0))[None]
    got = antithetic_values(game, order)
    expected = game.main + game.pairs.sum(1) / 2
    torch.testing.assert_close(got[0, :, 0], expected, atol=1e-8, rtol=0)


class TableGame:
    """Any game of a few players, by its table."""

    def __init__(self, d):
        random = torch.Generator().manual_seed(4)
        self.table = torch.rand(2**d, 1, generator=random, dtype=torch.float64)
        self.bits = 2 ** torch.arange(d)

    def __call__(self, coalitions):
        return self.table[(coalitions * self.bits).sum(1)]


def test_unbiased_on_a_random_game():
    d = 6
    game = TableGame(d)
    orders = torch.rand(4000, d, generator=torch.Generator().manual_seed(1)).argsort(1)
    got = antithetic_values(game, orders)[..., 0]
    truth = shapley_weights(d) @ game.table[:, 0]
    z = (got.mean(0) - truth) / (got.std(0) / 4000**0.5)
    assert float(z.abs().max()) < 4


def test_standard_errors_equal_the_spread_over_draws():
    """One row under 500 row numbers, so 500 draws of 3 pairs: claimed and true spread agree."""
    table = tiny_table(d=7, n=500)
    model = tiny_model(table)
    rows = replace(table, X=table.X[:1].expand(500, -1))
    truth = shapley.explain(model, rows[:1], table[:6], method="exact").values
    got = shapley.explain(model, rows, table[:6], method="permutation", budget=36)
    true, claimed = ((got.values - truth) ** 2).mean(0), (got.std_errors**2).mean(0)
    moved = true > 1e-12
    assert moved.any()
    np.testing.assert_allclose(claimed[moved], true[moved], rtol=0.25)


def test_budget_is_kept_and_error_falls():
    table = tiny_table(d=8)
    model = tiny_model(table)
    rows, background = table[30:50], table[:8]
    exact = shapley.explain(model, rows, background, method="exact").values
    small, large = (
        shapley.explain(model, rows, background, method="permutation", budget=budget)
        for budget in (56, 1400)
    )
    assert np.abs(small.values - exact).mean() > 2 * np.abs(large.values - exact).mean()
    assert large.dof == 1400 // 14 - 1
    assert small.gap == pytest.approx(0, abs=1e-9)
    assert large.gap == pytest.approx(0, abs=1e-9)


def test_stops_at_the_tolerance():
    table = tiny_table(d=14)  # with few features later rounds would meet known coalitions
    model = tiny_model(table)
    rows, background = table[30:40], table[:8]
    early = shapley.explain(model, rows, background, method="permutation", tolerance=0.05)
    full = shapley.explain(model, rows, background, method="permutation")
    assert early.provenance.evaluations < full.provenance.evaluations
    spread = early.values.max(1) - early.values.min(1)
    assert (early.std_errors.max(1) <= 0.05 * spread).all()
    assert early.dof == 7


def test_a_budget_for_less_than_two_pairs():
    table = tiny_table(d=8)
    with pytest.raises(InvalidInputError, match=r"A budget of 20 .*8 features need 28 for two"):
        shapley.explain(tiny_model(table), table[:1], table[:5], method="permutation", budget=20)
