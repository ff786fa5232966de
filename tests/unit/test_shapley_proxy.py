"""The corrected proxy: its closed forms, its bias, its standard errors, its gain."""

import itertools

import numpy as np
import pytest
import torch

from tests.games import (
    TableGame,
    bias_in_standard_errors,
    coverage,
    last_estimates,
    random_game,
    rows_of_game,
)
from tests.networks import tiny_model, tiny_table
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.engines import shapley
from workbench.engines.shapley import owen, proxy, smooth_game, svarm
from workbench.engines.shapley.exact import all_coalitions, shapley_weights
from workbench.engines.shapley.owen import OwenParams
from workbench.engines.shapley.params import SampledParams
from workbench.engines.shapley.proxy import ProxyParams
from workbench.engines.shapley.residual import ResidualGame, corrected
from workbench.engines.shapley.smooth_game import (
    LINEAR_VARIANCE,
    covariance,
    covariance_shapley,
    fit_smooth_game,
)
from workbench.engines.shapley.svarm import SvarmParams


def estimator(d, budget, **params):
    return proxy.estimator(d, ProxyParams(budget=budget, **params), Context())


def signs_of(coalitions):
    return 2 * coalitions.double() - 1


STRENGTHS = torch.tensor([0.3, 0.02, 0.8, 0.5, 0.1], dtype=torch.float64)


def test_covariance_is_a_sum_over_odd_sets():
    d = 5
    signs = signs_of(all_coalitions(d))
    odd = [t for n in (1, 3, 5) for t in itertools.combinations(range(d), n)]
    terms = torch.stack([signs[:, t].prod(1) for t in odd])
    variances = torch.stack([STRENGTHS[list(t)].prod() for t in odd])
    expected = terms.T @ (variances[:, None] * terms) / variances.sum()
    expected += LINEAR_VARIANCE / d * signs @ signs.T
    torch.testing.assert_close(covariance(signs, signs, STRENGTHS), expected)


@pytest.mark.parametrize("d", [1, 2, 5])
def test_its_shapley_values_equal_those_of_the_table(d):
    """A difference is twice the odd part of a game, so half of it is such a game."""
    signs, strengths = signs_of(all_coalitions(d)), STRENGTHS[:d]
    table = covariance(signs, signs[:6], strengths) / 2
    got = covariance_shapley(signs[:6], strengths)
    torch.testing.assert_close(got.T, shapley_weights(d) @ table)


def test_hundreds_of_features_stay_finite():
    signs = signs_of(torch.rand(5, 1500, generator=torch.Generator().manual_seed(0)) < 0.5)
    strengths = torch.full((1500,), 0.8, dtype=torch.float64)
    assert torch.isfinite(covariance(signs, signs, strengths)).all()
    assert torch.isfinite(covariance_shapley(signs, strengths)).all()


def test_a_constant_game_has_a_proxy():
    signs = signs_of(all_coalitions(4))
    nothing = torch.zeros(16, 2, dtype=torch.float64)
    assert float(fit_smooth_game(signs, nothing, torch.arange(1)).shapley.abs().max()) == 0


GAMES = [(6, None, 28), (8, 3, 36)]


@pytest.mark.parametrize(("d", "order", "budget"), GAMES)
def test_unbiased_and_as_sure_as_it_says(d, order, budget):
    """200 draws of one game: within 4 standard errors in the mean, 95 % intervals that hold."""
    game = random_game(d, order=order, seed=d)
    values, errors = last_estimates(estimator(d, budget), game, 200)
    assert game.evaluations <= 200 * budget
    assert bias_in_standard_errors(values, game.shapley) < 4
    dof = proxy.degrees(d, ProxyParams(budget=budget))
    assert 0.9 <= coverage(values, errors, game.shapley, dof) <= 0.98


def test_fewer_coalitions_than_singletons_are_enough():
    """Two pairs of each size of 8 features: 16 coalitions, none of whose strata is enumerated."""
    d = 8
    values, errors = last_estimates(estimator(d, 16), random_game(d, order=2, seed=3), 200)
    truth = random_game(d, order=2, seed=3).shapley
    assert bias_in_standard_errors(values, truth) < 4
    assert 0.9 <= coverage(values, errors, truth, proxy.degrees(d, ProxyParams(budget=16))) <= 0.99


def test_rows_that_share_coalitions_are_unbiased_and_as_sure_as_they_say():
    """Three rows of a network at once, over 80 seeds, against exact values."""
    table = tiny_table(d=6, n=60, task="multiclass")
    model = tiny_model(table)
    rows, background = table[:3], table[10:16]
    exact = torch.from_numpy(shapley.explain(model, rows, background, method="exact").values)
    results = [
        shapley.explain(
            model, rows, background, method="proxy", budget=28, draw="shared", seed=seed
        )
        for seed in range(80)
    ]
    values = torch.from_numpy(np.stack([r.values for r in results]))
    errors = torch.from_numpy(np.stack([r.std_errors for r in results]))
    assert bias_in_standard_errors(values, exact) < 4
    assert 0.9 <= coverage(values, errors, exact, results[0].dof) <= 0.98
    assert abs(results[0].gap).max() < 1e-9
    own = shapley.explain(model, rows[:1], background, method="proxy", budget=28)
    alone = shapley.explain(model, rows[:1], background, method="proxy", budget=28, draw="shared")
    np.testing.assert_array_equal(own.values, alone.values)


def test_many_rows_have_less_error_than_regression_with_the_same_coalitions():
    """With settings of the fit that 64 rows of the bundled model have in common."""
    from workbench import api

    model, rows = api.load_model("adult-mlp"), api.load_table("adult")[:64]
    background = api.load_table("adult", split="train").sample(20, seed=0)
    exact = shapley.explain(model, rows, background, method="exact").values
    error = {}
    for method in ("proxy", "leverage"):
        found = shapley.explain(model, rows, background, method=method, budget=300, draw="shared")
        error[method] = np.sqrt(((found.values - exact) ** 2).mean())
    assert 2 * error["proxy"] < error["leverage"], error


def test_unbiased_with_a_proxy_that_is_wrong(monkeypatch):
    """Whatever the proxy says, the correction takes it back; here it adds 1 to one feature."""
    d = 7
    game = random_game(d, order=3, seed=2)

    def wrong(signs, differences, outputs):
        good = fit_smooth_game(signs, differences, outputs)
        off = torch.zeros_like(good.coefficients)
        off[3] = 0.02
        return smooth_game.SmoothGame(good.centres, good.coefficients + off, good.strengths)

    monkeypatch.setattr("workbench.engines.shapley.proxy.fit_smooth_game", wrong)
    values, errors = last_estimates(estimator(d, 28), game, 60)
    assert bias_in_standard_errors(values, game.shapley) < 4
    assert coverage(values, errors, game.shapley, 6) > 0.9


@pytest.mark.parametrize("d", [1, 2, 3, 6, 7])
def test_a_full_budget_is_exact_with_no_error(d):
    game = random_game(d, k=2, seed=1)
    values, errors = last_estimates(estimator(d, 2**d + 2), game, 1)
    torch.testing.assert_close(values[0], game.shapley, atol=1e-12, rtol=0)
    assert float(errors.abs().max()) == 0


def test_values_add_up_and_all_columns_are_estimated_alike():
    d = 8
    one = random_game(d, k=2, seed=5)
    both = TableGame(torch.cat([one.table, one.table.sum(1, keepdim=True)], 1), n_outputs=1)
    values, errors = last_estimates(estimator(d, 100), both, 3)
    gap = both.table[-1] - both.table[0]
    torch.testing.assert_close(values.sum(1), gap.expand(3, -1), atol=1e-9, rtol=0)
    torch.testing.assert_close(values[..., 2], values[..., :2].sum(2), atol=1e-9, rtol=0)
    assert errors.shape == (3, d, 1)


def test_additive_games_are_all_but_exact():
    d = 12
    game = TableGame(all_coalitions(d).double() @ torch.linspace(-2, 1, d).double()[:, None])
    values, _ = last_estimates(estimator(d, 4 * d), game, 2)
    torch.testing.assert_close(values, game.shapley.expand(2, -1, -1), atol=3e-3, rtol=0)


def test_less_error_than_the_others_at_equal_budget():
    """A smooth model with interactions of all orders, 240 of 4,094 coalitions."""
    table = tiny_table(d=12)
    model = tiny_model(table)
    rows, background = table[30:35], table[:10]
    exact = shapley.explain(model, rows, background, method="exact").values
    error = {
        method: np.sqrt(np.square(shapley.explain(
            model, rows, background, method=method, budget=240
        ).values - exact).mean())
        for method in ("proxy", "kernel", "permutation", "svarm", "owen")
    }  # fmt: skip
    ours = error.pop("proxy")
    assert all(1.2 * ours < other for other in error.values()), (ours, error)


def test_refines_and_stops_at_the_tolerance():
    d = 10
    game = random_game(d, order=3, seed=2)
    assert len(list(estimator(d, 600)(game, rows_of_game(d)))) == 1
    used = game.evaluations
    game.evaluations = 0
    *_, last = estimator(d, 600, tolerance=0.1)(game, rows_of_game(d))
    assert game.evaluations < used
    assert last.std_errors.max() <= 0.1 * (last.values.max() - last.values.min())


def test_a_budget_below_the_smallest_design():
    table = tiny_table(d=20, categorical=False)
    with pytest.raises(
        InvalidInputError, match=r"A budget of 38 coalitions is too small: 20 .* 40"
    ):
        shapley.explain(tiny_model(table), table[:1], table[:5], method="proxy", budget=38)


class TableStandIn:
    """A stand-in by its table, with an empty coalition that depends on the row."""

    def __init__(self, table):
        self.game = TableGame(table)

    def values(self, X, coalitions):
        return self.game.values(X, coalitions) + X.sum(1)[:, None, None]

    def shapley(self, X):
        return self.game.shapley.expand(len(X), -1, -1)


@pytest.mark.parametrize("make", [
    lambda d: svarm.estimator(d, SvarmParams(budget=100), Context()),
    lambda d: owen.estimator(d, OwenParams(budget=100), Context()),
    lambda d: proxy.estimator(d, SampledParams(budget=50), Context()),
])  # fmt: skip
def test_a_stand_in_lowers_the_error_and_brings_no_bias(make):
    d = 8
    game = random_game(d, order=4, seed=9)
    near = random_game(d, order=4, seed=10).table * 0.05 + game.table
    plain, _ = last_estimates(make(d), game, 25)
    values, errors = last_estimates(corrected(make(d), TableStandIn(near)), game, 25)
    assert bias_in_standard_errors(values, game.shapley) < 4
    assert coverage(values, errors, game.shapley, 6) >= 0.9
    gain = (plain - game.shapley).square().mean() / (values - game.shapley).square().mean()
    assert float(gain) > 25


def test_a_residual_game_is_a_set_function():
    game = random_game(5, k=2, seed=1)
    rest = ResidualGame(game, TableStandIn(game.table))
    X = rows_of_game(5, 3).X + 1
    assert float(rest.full(X).sub(rest.empty).abs().max()) < 1e-12
    flat = rest.values(X, all_coalitions(5)) - rest.empty
    assert float(flat.abs().max()) < 1e-12
    assert (rest.n_players, rest.n_outputs, rest.n_groups) == (5, 2, 0)
