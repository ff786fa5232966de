"""The kernel estimator: its design, its regression, its standard errors, on our own data."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.networks import tiny_model, tiny_table
from workbench.core.counter_rng import stream
from workbench.core.errors import InvalidInputError
from workbench.engines import shapley
from workbench.engines.shapley.design import PairedDesign
from workbench.engines.shapley.exact import all_coalitions, shapley_weights
from workbench.engines.shapley.regression import PairedRegression


@given(st.integers(2, 40), st.integers(0, 3000))
def test_allocation_keeps_its_budget(d, extra):
    design = PairedDesign(d)
    counts = design.allocate(design.smallest + extra)
    assert counts.sum() <= design.smallest + extra
    assert (counts <= design.populations).all()
    assert (counts >= np.minimum(2, design.populations)).all()
    assert counts[0] == design.populations[0]
    more = design.allocate(2 * (design.smallest + extra))
    assert (more >= counts).all(), "a larger budget takes pairs away"


@pytest.mark.parametrize("d", [62, 66, 300, 1100])
def test_allocation_of_hundreds_of_features(d):
    """Strata have more pairs than fit into any integer type, a budget does not."""
    design = PairedDesign(d)
    counts = design.allocate(design.smallest + 5000)
    assert design.smallest + 4900 <= counts.sum() <= design.smallest + 5000
    assert counts[0] == d
    assert counts.min() >= 2


@pytest.mark.parametrize("d", [2, 3, 7, 12])
def test_a_full_budget_enumerates_every_pair_once(d):
    design = PairedDesign(d)
    counts = design.allocate(2 ** (d - 1) - 1)
    assert tuple(counts) == design.populations
    first = np.concatenate([
        design.draw(size, int(n), stream(0, size)) for size, n in enumerate(counts, start=1)
    ])
    seen = {tuple(s) for s in np.concatenate([first, ~first])}
    assert len(seen) == 2**d - 2


@pytest.mark.parametrize("d", [6, 9, 30])
def test_draws_are_distinct_nested_and_of_their_size(d):
    design = PairedDesign(d)
    for size in range(1, d // 2 + 1):
        n = min(20, design.populations[size - 1])
        long = design.draw(size, n, stream(3, size))
        assert (long.sum(1) == size).all() or 2 * size == d
        pairs = {min(tuple(s), tuple(~s)) for s in long}
        assert len(pairs) == n
        np.testing.assert_array_equal(design.draw(size, n // 2, stream(3, size)), long[: n // 2])


@pytest.mark.parametrize("size", [2, 3])
def test_draws_are_uniform(size, monkeypatch):
    """With and without a table of the stratum: each pair is as likely as any other."""
    for elements in (2**23, 0):
        monkeypatch.setattr("workbench.engines.shapley.design.TABLE_ELEMENTS", elements)
        design = PairedDesign(6)
        population = design.populations[size - 1]
        tally: dict[tuple, int] = {}
        for seed in range(1500):
            for s in design.draw(size, 2, stream(seed)):
                key = min(tuple(s), tuple(~s))
                tally[key] = tally.get(key, 0) + 1
        assert len(tally) == population
        expected = 3000 / population
        chi = sum((count - expected) ** 2 / expected for count in tally.values())
        assert chi < population + 5 * math.sqrt(2 * population)


def test_masses_are_those_of_the_shapley_kernel():
    for d in (4, 7):
        kernel = [(d - 1) / (math.comb(d, s) * s * (d - s)) * math.comb(d, s) for s in range(1, d)]
        folded = [
            kernel[s - 1] + (kernel[d - s - 1] if s != d - s else 0) for s in range(1, d // 2 + 1)
        ]
        np.testing.assert_allclose(PairedDesign(d).masses, np.array(folded) / sum(folded))


@pytest.mark.parametrize("budget", [30, 60])
def test_regression_equals_constrained_least_squares_on_single_coalitions(budget):
    """The textbook form: every coalition a row, the sum constrained by a Lagrange multiplier."""
    d, k = 7, 2
    rng = np.random.default_rng(0)
    design = PairedDesign(d)
    counts = design.allocate(budget // 2)
    drawn = [design.draw(s, int(n), stream(1, s)) for s, n in enumerate(counts, start=1)]
    first = np.concatenate(drawn)
    both = np.concatenate([first, ~first])
    strata = np.repeat(np.arange(len(counts)), counts)
    table = rng.normal(size=(2**d, k))
    bits = 2 ** np.arange(d)
    values, gap = table[both @ bits], table[-1] - table[0]
    weights = np.tile((design.masses / counts)[strata], 2)
    S, y = both.astype(float), values - table[0]
    system = np.block([
        [S.T @ (S * weights[:, None]), np.ones((d, 1))],
        [np.ones((1, d)), np.zeros((1, 1))],
    ])
    right = np.vstack([S.T @ (y * weights[:, None]), gap])
    expected = np.linalg.solve(system, right)[:d]
    signs = torch.from_numpy(2.0 * first - 1)
    regression = PairedRegression(signs, torch.from_numpy(strata), design)
    differences = torch.from_numpy(values[: len(first)] - values[len(first) :])
    got = regression.least_squares(differences, torch.from_numpy(gap))
    np.testing.assert_allclose(got, expected, atol=1e-10)
    assert (regression.std_errors(differences, torch.from_numpy(gap)) >= 0).all()


def test_a_full_budget_is_exact_with_no_error():
    table = tiny_table(d=7)
    model = tiny_model(table)
    exact = shapley.explain(model, table[30:34], table[:10], method="exact")
    full = shapley.explain(model, table[30:34], table[:10], method="kernel", budget=2**7)
    np.testing.assert_allclose(full.values, exact.values, atol=1e-9)
    assert np.abs(full.std_errors).max() == 0


def test_standard_errors_equal_the_spread_over_seeds():
    """A fixed random game, 400 independent designs: claimed and true spread agree."""
    d, n_pairs = 9, 60
    game = torch.rand(2**d, 1, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    bits = torch.from_numpy(2 ** np.arange(d))
    design = PairedDesign(d)
    counts = design.allocate(n_pairs)
    truth = shapley_weights(d) @ game
    strata = torch.from_numpy(np.repeat(np.arange(len(counts)), counts))
    runs = []
    for seed in range(400):
        drawn = [design.draw(s, int(n), stream(seed, s)) for s, n in enumerate(counts, start=1)]
        first = torch.from_numpy(np.concatenate(drawn))
        differences = game[(first * bits).sum(1)] - game[(~first * bits).sum(1)]
        regression = PairedRegression(2 * first.double() - 1, strata, design)
        known = differences, game[-1] - game[0]
        runs.append(torch.stack([regression.values(*known), regression.std_errors(*known)]))
    values, claimed = torch.stack(runs).unbind(1)
    true = (values - truth).square().mean(0).sqrt()
    ratio = claimed.square().mean(0).sqrt() / true
    assert float(ratio.min()) > 0.9
    assert float(ratio.max()) < 1.25
    assert float(((values.mean(0) - truth) / (true / 20)).abs().max()) < 4


def test_error_falls_with_the_budget():
    table = tiny_table(d=10)
    model = tiny_model(table)
    exact = shapley.explain(model, table[30:50], table[:8], method="exact").values
    error = [
        np.sqrt(((shapley.explain(
            model, table[30:50], table[:8], method="kernel", budget=budget
        ).values - exact) ** 2).mean())
        for budget in (48, 192, 768)
    ]  # fmt: skip
    assert all(before > 1.5 * after for before, after in pairwise(error))


def test_stops_at_the_tolerance():
    table = tiny_table(d=12)
    model = tiny_model(table)
    rows, background = table[30:40], table[:10]
    full = shapley.explain(model, rows, background, method="kernel", budget=3000)
    early = shapley.explain(model, rows, background, method="kernel", budget=3000, tolerance=0.03)
    assert early.provenance.evaluations < full.provenance.evaluations
    spread = early.values.max(1) - early.values.min(1)
    assert (early.std_errors.max(1) <= 0.03 * spread).all()


def test_a_budget_below_the_smallest_design():
    table = tiny_table(d=20, categorical=False)
    with pytest.raises(
        InvalidInputError, match=r"A budget of 40 coalitions is too small: 20 .* 76"
    ):
        shapley.explain(tiny_model(table), table[:1], table[:5], method="kernel", budget=40)


def test_all_coalitions_in_bit_order():
    assert all_coalitions(3)[5].tolist() == [True, False, True]
