"""The Shapley kernel's sampler, regression and loss against their closed forms."""

import math

import pytest
import torch

from tests.networks import shapley_by_permutations
from workbench.numerics.shapley_kernel import (
    all_inner_coalitions,
    distance_factor,
    draw_coalitions,
    draw_uniform_sizes,
    efficient,
    outer_design,
    regress,
    size_probabilities,
    squared_residuals,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def random_game(d, k=1, seed=0):
    """Values of all coalitions in double precision, as a function of the coalition."""
    table = torch.randn(2**d, k, generator=generator(seed), dtype=torch.float64)
    bits = 2 ** torch.arange(d)
    return lambda coalitions: table[(coalitions * bits).sum(-1)]


def solved(d, k=2, seed=0):
    """A random game's gains over all inner coalitions, its total, and its exact values."""
    value = random_game(d, k, seed)
    inside, weights = all_inner_coalitions(d)
    nobody = value(torch.zeros(d, dtype=torch.bool))
    gains = (value(inside) - nobody)[None]
    total = (value(torch.ones(d, dtype=torch.bool)) - nobody)[None]
    return gains, inside, total, weights, regress(gains, inside, total, weights)


def test_coalitions_have_the_kernels_sizes_and_moments():
    d, n = 12, 1_000_000
    known = torch.cat([draw_coalitions(1000, 100, d, generator(s))[:, ::2] for s in range(20)])
    known = known.flatten(0, 1)
    assert len(known) == n
    counts = torch.bincount(known.sum(1), minlength=d)[1:].double()
    wanted = n * size_probabilities(d)
    assert (abs(counts - wanted) < 4 * (wanted * (1 - wanted / n)).sqrt()).all()
    members = known.float()
    together = (members.T @ members) / n
    assert abs(together.diagonal() - 0.5).max() < 0.002
    pairs = together[~torch.eye(d, dtype=torch.bool)]
    harmonic = sum(1 / i for i in range(1, d))
    assert abs(pairs - (0.5 - 1 / (2 * harmonic))).max() < 0.002


@pytest.mark.parametrize("m", [2, 7])
def test_each_second_coalition_is_the_complement_before_it(m):
    known = draw_coalitions(50, m, 6, generator())
    assert known.shape == (50, m, 6)
    pairs = known[:, : 2 * (m // 2)].unflatten(1, (-1, 2))
    assert torch.equal(pairs[:, :, 0], ~pairs[:, :, 1])
    size = known.sum(-1)
    assert ((size > 0) & (size < 6)).all()


def test_same_generator_same_coalitions():
    assert torch.equal(
        draw_coalitions(5, 8, 9, generator(3)), draw_coalitions(5, 8, 9, generator(3))
    )


def test_sizes_of_the_surrogates_coalitions_are_as_likely():
    counts = torch.bincount(draw_uniform_sizes(60_000, 5, generator()).sum(1), minlength=6)
    assert abs(counts / 10_000 - 1).max() < 0.05


def test_all_coalitions_give_the_shapley_values():
    d = 5
    value = random_game(d, 2, seed=1)
    expected = shapley_by_permutations(value, d)
    found = solved(d, 2, seed=1)[-1][0]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_excess_of_loss_is_the_squared_distance():
    gains, inside, _, weights, exact = solved(8, k=1)
    off = torch.randn(1, 8, 1, generator=generator(9), dtype=torch.float64)
    values = exact + off - off.mean(1, keepdim=True)

    def loss(phi):
        return float((squared_residuals(phi, gains, inside)[0, :, 0] * weights).sum())

    distance = float((values - exact).square().sum())
    claimed = distance_factor(8) * (loss(values) - loss(exact))
    assert abs(claimed - distance) / distance < 1e-5


@pytest.mark.parametrize("n", [1, 3, 257])
@pytest.mark.parametrize("k", [1, 2, 10])
def test_values_add_up_for_every_batch_and_number_of_outputs(n, k):
    raw = torch.randn(n, 12, k, generator=generator()) * 3
    total = torch.randn(n, k, generator=generator(1))
    assert abs(efficient(raw, total).sum(1) - total).max() < 1e-5


def test_the_move_onto_the_plane_is_the_shortest():
    _, _, total, _, exact = solved(6)
    raw = torch.randn(1, 6, 2, generator=generator(), dtype=torch.float64)
    moved = efficient(raw, total)
    assert (moved - exact).square().sum() < (raw - exact).square().sum()
    torch.testing.assert_close((moved - raw).diff(dim=1), torch.zeros(1, 5, 2, dtype=torch.float64))


@pytest.mark.parametrize(("d", "m"), [(2, 8), (3, 10), (7, 40), (12, 60), (30, 500)])
def test_outer_sizes_are_complete_and_weights_add_up(d, m):
    known, weights = outer_design(d, m, generator())
    assert len(known) <= m
    assert float(weights.sum()) == pytest.approx(1)
    size = known.sum(1)
    for s, mass in enumerate(size_probabilities(d), start=1):
        if min(s, d - s) == 1:
            assert len(torch.unique(known[size == s], dim=0)) == d
            assert float(weights[size == s].sum()) == pytest.approx(float(mass))


def test_a_design_with_room_for_everything_is_exact():
    gains, _, total, _, exact = solved(6)
    value = random_game(6, 2)
    known, weights = outer_design(6, 2**6, generator())
    assert len(known) == 2**6 - 2
    own = (value(known) - value(torch.zeros(6, dtype=torch.bool)))[None]
    torch.testing.assert_close(regress(own, known, total, weights), exact)
    assert gains.shape == own.shape


def test_sampled_regression_comes_closer_with_more_coalitions():
    _, _, total, _, exact = solved(10)
    value = random_game(10, 2)
    nobody = value(torch.zeros(10, dtype=torch.bool))

    def error(m):
        off = []
        for seed in range(20):
            known, weights = outer_design(10, m, generator(seed))
            found = regress((value(known) - nobody)[None], known, total, weights)
            off.append((found - exact).square().sum())
        return float(torch.stack(off).mean())

    assert error(400) < 0.6 * error(100)
    assert math.isfinite(error(20))
