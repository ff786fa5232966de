"""Owen sampling: exact where it must be, unbiased elsewhere, as sure as it says."""

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
from workbench.core.counter_rng import stream
from workbench.core.errors import InvalidInputError
from workbench.engines import shapley
from workbench.engines.shapley import owen
from workbench.engines.shapley.owen import OwenParams, draw_masks, sweep_values


def estimator(d, budget, **params):
    return owen.estimator(d, OwenParams(budget=budget, **params), Context())


def value(game):
    X = rows_of_game(game.n_players).X
    return lambda known: game.values(X, known)[0]


def test_contributions_by_definition():
    """Every coalition of a sweep and its complement, one player at a time."""
    game = random_game(5, k=2, seed=1)
    masks = draw_masks(2, 3, 5, stream(0))
    got = sweep_values(value(game), masks)
    for sweep, gains in zip(masks, got, strict=True):
        for player in range(5):
            with_player, without = torch.cat([sweep, ~sweep]), torch.cat([sweep, ~sweep])
            with_player[:, player], without[:, player] = True, False
            expected = (value(game)(with_player) - value(game)(without)).mean(0)
            torch.testing.assert_close(gains[player], expected, atol=1e-12, rtol=0)


def test_shares_are_uniform_within_their_strata():
    masks = draw_masks(4000, 4, 6, stream(2)).double().mean((0, 2))
    middle = (np.arange(4) + 0.5) / 8
    np.testing.assert_allclose(masks, middle, atol=5 * 0.5 / (4000 * 6) ** 0.5)


@pytest.mark.parametrize("d", [1, 2, 3, 9])
def test_exact_for_games_of_order_two(d):
    game = random_game(d, k=2, order=2, seed=d)
    values, errors = last_estimates(estimator(d, 4 * (d + 1), strata=1), game, 3)
    torch.testing.assert_close(values, game.shapley.expand(3, -1, -1), atol=1e-12, rtol=0)
    assert float(errors.max()) < 1e-12


GAMES = [(6, None, 120, 1), (7, 3, 130, None), (8, None, 150, 2), (10, 3, 360, 4)]


@pytest.mark.parametrize(("d", "order", "budget", "strata"), GAMES)
def test_unbiased_and_as_sure_as_it_says(d, order, budget, strata):
    """200 draws of one game: within 4 standard errors in the mean, 95 % intervals that hold."""
    game = random_game(d, order=order, seed=d)
    params = OwenParams(budget=budget, strata=strata)
    values, errors = last_estimates(owen.estimator(d, params, Context()), game, 200)
    assert game.evaluations <= 200 * budget
    assert bias_in_standard_errors(values, game.shapley) < 4
    dof = budget // (2 * (d + 1) * params.strata_for(d)) - 1
    assert 0.9 <= coverage(values, errors, game.shapley, dof) <= 0.98


def test_values_add_up_and_all_columns_are_estimated_alike():
    d = 8
    one = random_game(d, k=2, seed=5)
    both = TableGame(torch.cat([one.table, one.table.sum(1, keepdim=True)], 1), n_outputs=1)
    values, errors = last_estimates(estimator(d, 100), both, 3)
    gap = both.table[-1] - both.table[0]
    torch.testing.assert_close(values.sum(1), gap.expand(3, -1), atol=1e-12, rtol=0)
    torch.testing.assert_close(values[..., 2], values[..., :2].sum(2), atol=1e-12, rtol=0)
    assert errors.shape == (3, d, 1)


def test_refines_and_stops_at_the_tolerance():
    d = 10
    game = random_game(d, order=3, seed=2)
    assert len(list(estimator(d, 900, strata=1)(game, rows_of_game(d)))) >= 2
    used = game.evaluations
    game.evaluations = 0
    *_, last = estimator(d, 900, strata=1, tolerance=0.2)(game, rows_of_game(d))
    assert game.evaluations < used
    assert last.std_errors.max() <= 0.2 * (last.values.max() - last.values.min())


def test_agrees_with_shapiq():
    """Another implementation, on a game of seven players, to sampling and quadrature error."""
    import shapiq

    d = 7
    game = random_game(d, order=3, seed=6)
    bits, table = 2 ** np.arange(d), game.table[:, 0].numpy()
    theirs = shapiq.approximator.OwenSamplingSV(n=d, n_anchor_points=9, random_state=0)
    found = theirs.approximate(20_000, lambda s: table[np.atleast_2d(s) @ bits] - table[0])
    expected = np.array([found[(i,)] for i in range(d)])
    ours, _ = last_estimates(estimator(d, 500), game, 20)
    np.testing.assert_allclose(ours[..., 0].mean(0), expected, atol=0.02)


def test_on_a_model():
    table = tiny_table(d=8)
    model = tiny_model(table)
    exact = shapley.explain(model, table[30:50], table[:8], method="exact")
    got = shapley.explain(model, table[30:50], table[:8], method="owen", budget=400)
    assert got.dof == 400 // (18 * 2) - 1
    inside = np.abs(got.values - exact.values) <= 2.5 * got.std_errors + 1e-9
    assert inside.mean() > 0.9


def test_a_budget_for_less_than_two_sweeps():
    table = tiny_table(d=8)
    with pytest.raises(
        InvalidInputError, match=r"A budget of 60 .*8 features need 72 for two sweeps of 2 strata"
    ):
        shapley.explain(tiny_model(table), table[:1], table[:5], method="owen", budget=60, strata=2)
