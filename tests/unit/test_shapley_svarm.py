"""Stratified SVARM: its sheets, its bias, its standard errors, on games by their table."""

import math

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
from workbench.core.method import METHODS
from workbench.engines import shapley
from workbench.engines.shapley import svarm
from workbench.engines.shapley.exact import all_coalitions
from workbench.engines.shapley.svarm import SheetDesign, SvarmParams, stratified_values


def estimator(d, budget, **params):
    return svarm.estimator(d, SvarmParams(budget=budget, **params), Context())


@pytest.mark.parametrize("d", [2, 3, 5, 8, 12, 16, 30, 64, 200])
def test_allocation_keeps_its_budget_and_covers_every_stratum(d):
    design = SheetDesign(d)
    for n_pairs in (design.smallest, 2 * design.smallest, 1100 + design.smallest):
        counts = design.allocate(min(n_pairs, 2 ** (d - 1) - 1))
        assert counts.sum() <= n_pairs
        assert counts[:1].sum() == design.populations[0]
        for size, (count, population) in enumerate(
            zip(counts, design.populations, strict=True), start=1
        ):
            enough = 2 * design.coalitions_per_sheet(size)
            assert int(count) == population or enough <= count <= population // 2 + enough
        if d < 20:
            whole = design.allocate(2 ** (d - 1) - 1)
            assert tuple(whole) == design.populations


@pytest.mark.parametrize(("d", "size"), [(7, 2), (9, 4), (8, 4), (12, 5)])
def test_sheets_hold_and_miss_every_player_and_repeat_nothing(d, size):
    design = SheetDesign(d)
    n = 2 * design.coalitions_per_sheet(size)
    drawn = design.draw(size, n, stream(0))
    assert (drawn.sum(1) == size).all()
    assert len({min(tuple(s), tuple(~s)) for s in drawn.numpy()}) == n
    assert torch.equal(design.draw(size, n // 2, stream(0)), drawn[: n // 2])
    if 2 * size < d:
        assert int(drawn.sum(0).min()) >= 2
        assert int((~drawn).sum(0).min()) >= 2


def test_values_equal_the_mean_over_strata_by_definition():
    """Player by player and size by size, from single coalitions, then the projection."""
    d = 7
    game = random_game(d, k=2, seed=3)
    design = SheetDesign(d)
    members = [design.draw(size, n, stream(1, size)) for size, n in enumerate([7, 9, 9], start=1)]
    X = rows_of_game(d).X
    values_of = [(game.values(X, s)[0], game.values(X, ~s)[0]) for s in members]
    differences = [inside - outside for inside, outside in values_of]
    expected = torch.zeros(d, 2, dtype=torch.float64)
    for player in range(d):
        with_player = {d: game.table[-1:]}
        without = {0: game.table[:1]}
        for size, (some, (inside, outside)) in enumerate(
            zip(members, values_of, strict=True), start=1
        ):
            has = some[:, player]
            with_player[size], without[size] = inside[has], inside[~has]
            with_player[d - size], without[d - size] = outside[~has], outside[has]
        for size in range(d):
            expected[player] += (with_player[size + 1].mean(0) - without[size].mean(0)) / d
    gap = game.table[-1] - game.table[0]
    expected += (gap - expected.sum(0)) / d
    got, _ = stratified_values(members, differences, gap, n_outputs=2)
    torch.testing.assert_close(got, expected, atol=1e-12, rtol=0)


GAMES = [(7, None, 60), (8, 3, 60)]


@pytest.mark.parametrize(("d", "order", "budget"), GAMES)
def test_unbiased_and_as_sure_as_it_says(d, order, budget):
    """200 draws of one game: within 4 standard errors in the mean, 95 % intervals that hold."""
    game = random_game(d, order=order, seed=d)
    values, errors = last_estimates(estimator(d, budget), game, 200)
    assert game.evaluations <= 200 * budget
    assert bias_in_standard_errors(values, game.shapley) < 4
    dof = svarm._dof(d, SvarmParams(budget=budget))
    assert 0.9 <= coverage(values, errors, game.shapley, dof) <= 0.98


@pytest.mark.parametrize("d", [1, 2, 3, 6, 7])
def test_a_full_budget_is_exact_with_no_error(d):
    game = random_game(d, k=2, seed=1)
    values, errors = last_estimates(estimator(d, 2**d + 2), game, 1)
    torch.testing.assert_close(values[0], game.shapley, atol=1e-12, rtol=0)
    assert float(errors.abs().max()) == 0


def test_values_add_up_and_all_columns_are_estimated_alike():
    """Columns of groups are carried by the same weights, so a sum of games is a sum of values."""
    d = 8
    one = random_game(d, k=2, seed=5)
    both = TableGame(torch.cat([one.table, one.table.sum(1, keepdim=True)], 1), n_outputs=1)
    values, errors = last_estimates(estimator(d, 100), both, 3)
    gap = both.table[-1] - both.table[0]
    torch.testing.assert_close(values.sum(1), gap.expand(3, -1), atol=1e-12, rtol=0)
    torch.testing.assert_close(values[..., 2], values[..., :2].sum(2), atol=1e-12, rtol=0)
    assert errors.shape == (3, d, 1)


def test_symmetric_and_dummy_players_in_the_mean():
    """Players 0 and 1 are interchangeable and player 2 adds nothing."""
    d = 7
    inside = all_coalitions(d).double()
    table = torch.sin(3 * inside[:, 0] + 3 * inside[:, 1] + 2 * inside[:, 3] * inside[:, 4])
    values, _ = last_estimates(estimator(d, 60), TableGame(table[:, None]), 200)
    mean, se = values.mean(0)[:, 0], values.std(0)[:, 0] / 200**0.5
    difference = values[:, 0, 0] - values[:, 1, 0]
    assert abs(float(difference.mean())) < 4 * float(difference.std()) / 200**0.5
    assert abs(float(mean[2])) < 4 * float(se[2])


def test_refines_and_stops_at_the_tolerance():
    d = 12
    game = random_game(d, order=3, seed=2)
    rounds = list(estimator(d, 240)(game, rows_of_game(d)))
    assert len(rounds) >= 2
    used = game.evaluations
    assert used <= 240
    game.evaluations = 0
    *_, last = estimator(d, 240, tolerance=0.2)(game, rows_of_game(d))
    assert game.evaluations < used
    assert last.std_errors.max() <= 0.2 * (last.values.max() - last.values.min())


def test_a_noisy_game_is_no_worse_than_its_noise():
    """Means of hundreds of coalitions average noise away; the error falls as one over the root."""
    d = 12
    game = random_game(d, seed=4)
    small, large = (
        (last_estimates(estimator(d, budget), game, 12)[0] - game.shapley).square().mean().sqrt()
        for budget in (200, 1600)
    )
    assert float(small / large) > 0.8 * math.sqrt(8)


def test_agrees_with_shapiq():
    """Another implementation of the paper, on a game of seven players, to sampling error."""
    import shapiq

    d = 7
    game = random_game(d, order=3, seed=6)
    bits = 2 ** np.arange(d)
    table = game.table[:, 0].numpy()
    found = [
        shapiq.approximator.SVARM(n=d, random_state=seed).approximate(
            90, lambda s: table[np.atleast_2d(s) @ bits] - table[0]
        )
        for seed in range(8)
    ]
    theirs = np.array([[one[(i,)] for i in range(d)] for one in found])
    ours, _ = last_estimates(estimator(d, 60), game, 8)
    spread = np.sqrt(theirs.var(0, ddof=1) / 8 + ours[..., 0].var(0).numpy() / 8)
    assert (np.abs(theirs.mean(0) - ours[..., 0].mean(0).numpy()) < 5 * spread).all()


def test_on_a_model():
    table = tiny_table(d=8)
    model = tiny_model(table)
    exact = shapley.explain(model, table[30:50], table[:8], method="exact")
    got = shapley.explain(model, table[30:50], table[:8], method="svarm", budget=150)
    inside = np.abs(got.values - exact.values) <= 2 * got.std_errors + 1e-9
    assert inside.mean() > 0.9
    assert got.gap == pytest.approx(0, abs=1e-9)


def test_a_budget_below_two_sheets():
    table = tiny_table(d=20, categorical=False)
    with pytest.raises(
        InvalidInputError, match=r"A budget of 40 coalitions is too small: 20 .* need \d+\.$"
    ):
        shapley.explain(tiny_model(table), table[:1], table[:5], method="svarm", budget=40)


def test_every_effort_suits_hundreds_of_features():
    for n_features in (5, 200):
        for effort in METHODS["shapley.svarm"].efforts(n_features).values():
            params = SvarmParams(**effort.settings)
            assert params.coalitions(n_features) >= 2 * SheetDesign(n_features).smallest
