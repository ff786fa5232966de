"""Regression on as many coalitions of each size: design, bias, intervals, sharing, first looks."""

import numpy as np
import pytest
import torch

from tests.networks import tiny_model, tiny_table
from tests.tabulated import random_games, tabulated
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS
from workbench.core.params import parse_params
from workbench.engines import shapley
from workbench.engines.shapley import run
from workbench.engines.shapley.design import PairedDesign
from workbench.engines.shapley.exact import shapley_weights
from workbench.engines.shapley.regression import PairedRegression

REGRESSIONS = ["kernel", "leverage"]
SEEDS = 200
GAMES = 64  # as many as rows share coalitions


def errors_and_half_widths(method, d, budget, *, draws=SEEDS):
    """Errors ``[games, draws, d]`` on random games, and half widths of 95 % intervals.

    One row per game and draw; regressions draw once for each block of all games.
    """
    regression = method in REGRESSIONS
    tables = random_games(d, GAMES if regression else 2)
    model, rows, background = tabulated(tables, copies=draws)
    shape = (draws, len(tables), d)
    order = torch.arange(len(rows)).view(len(tables), draws).T.flatten()
    got = shapley.explain(
        model, rows[order], background, method=method, budget=budget,
        **({"draw": "shared"} if regression else {}),
    )  # fmt: skip
    truth = tables @ shapley_weights(d).numpy().T
    return (
        (got.values[..., 0].reshape(shape) - truth).swapaxes(0, 1),
        got.half_widths()[..., 0].reshape(shape).swapaxes(0, 1),
    )


@pytest.mark.parametrize("d", [7, 12, 30, 300])
def test_sizes_are_even_and_shares_those_of_the_leverage_scores(d):
    """By hand: all sets of one size have the same leverage, and their sum is d - 1."""
    design = PairedDesign(d, "even")
    counts = design.allocate(design.smallest + 40 * (d // 2))
    inner = counts[:-1][counts[:-1] < design.populations[: len(counts) - 1]]
    assert inner.max(initial=0) - inner.min(initial=inner.max(initial=0)) <= 1
    if d % 2 == 0:
        assert abs(2 * counts[-1] - inner[-1]) <= 2
    assert (counts >= np.minimum(2, [min(p, 2) for p in design.populations])).all()


def test_leverage_scores_by_enumeration():
    """Summed over a size, the leverage scores of the full regression are the same for all sizes."""
    d = 6
    inside = (np.arange(1, 2**d - 1)[:, None] >> np.arange(d)) & 1
    size = inside.sum(1)
    kernel = np.array([1 / (s * (d - s)) for s in size]) / np.array([
        len(size[size == s]) for s in size
    ])
    X = np.sqrt(kernel)[:, None] * (inside - inside.mean(1, keepdims=True))
    scores = (X * (np.linalg.pinv(X.T @ X) @ X.T).T).sum(1)
    by_size = [scores[size == s].sum() for s in range(1, d)]
    np.testing.assert_allclose(by_size, 1.0, atol=1e-10)


@pytest.mark.parametrize("d", [4, 5, 8])
def test_spread_of_signs_by_enumeration(d):
    design = PairedDesign(d)
    rng = np.random.default_rng(0)
    direction = rng.normal(size=d)
    direction -= direction.mean()
    direction /= np.linalg.norm(direction)
    for size, population in enumerate(design.populations, start=1):
        signs = 2.0 * design.draw(size, population, rng) - 1
        assert ((signs @ direction) ** 2).mean() == pytest.approx(design.spreads[size - 1])


@pytest.mark.parametrize("method", REGRESSIONS)
@pytest.mark.parametrize("d", [12, 20, 50])
def test_additive_games_are_exact_at_four_coalitions_a_feature(method, d):
    table = tiny_table(d=d, categorical=False)
    model = tiny_model(table, network="linear")
    rows, background = table[40:43], table[:30]
    weights = model.network.first.weight / model.encoder.scale
    slope = weights[1] - weights[0]
    expected = (slope * (rows.X - background.X.mean(0))).numpy()
    for draw in ("own", "shared"):
        got = shapley.explain(
            model, rows, background, method=method, output="score", budget=4 * d, draw=draw
        )
        np.testing.assert_allclose(got.values[:, :, 1], expected, atol=1e-8)
        assert (got.values != 0).all()


@pytest.mark.parametrize("method", [*REGRESSIONS, "permutation"])
@pytest.mark.parametrize("budget", [56, 112])
def test_no_bias_over_two_hundred_seeds(method, budget):
    """On random games: below a tenth of the error, after what chance makes of 200 draws."""
    errors, _ = errors_and_half_widths(method, 7, budget)
    mean, variance = errors.mean(1), errors.var(1, ddof=1)
    assert (np.abs(mean) <= 4.5 * np.sqrt(variance / SEEDS) + 1e-12).all()
    assert (mean**2 - variance / SEEDS).sum() <= 0.01 * (mean**2 + variance).sum()


@pytest.mark.parametrize("method", REGRESSIONS)
def test_least_squares_alone_has_a_bias_that_this_test_would_find(method, monkeypatch):
    monkeypatch.setattr(
        "workbench.engines.shapley.regression.PairedRegression.values",
        lambda self, differences, gap: self.least_squares(differences, gap),
    )
    errors, _ = errors_and_half_widths(method, 7, 56)
    mean, variance = errors.mean(1), errors.var(1, ddof=1)
    assert (mean**2 - variance / SEEDS).sum() > 0.01 * (mean**2 + variance).sum()


@pytest.mark.parametrize("method", [*REGRESSIONS, "permutation"])
def test_intervals_cover(method):
    """Spec: 90 to 98 % of (game, feature) pairs at 40 looks a feature."""
    errors, widths = errors_and_half_widths(method, 8, 160)
    assert 0.90 <= (np.abs(errors) <= widths).mean() <= 0.98


@pytest.mark.parametrize("method", REGRESSIONS)
def test_a_full_budget_is_exact_without_error(method):
    errors, widths = errors_and_half_widths(method, 7, 2**7 - 2, draws=2)
    assert np.abs(errors).max() < 1e-8
    assert widths.max() == 0


@pytest.mark.parametrize("method", REGRESSIONS)
def test_error_falls_with_the_square_root_of_the_budget(method):
    budgets = np.array([80, 160, 320])
    sizes = [
        np.sqrt((errors_and_half_widths(method, 12, int(b), draws=6)[0] ** 2).mean())
        for b in budgets
    ]
    slope = np.polyfit(np.log(budgets), np.log(sizes), 1)[0]
    assert -1.0 < slope < -0.4


@pytest.mark.parametrize("method", REGRESSIONS)
def test_shared_coalitions_give_what_own_ones_of_the_first_row_give(method):
    """A block shares the coalitions of its first row, and each row keeps errors of its own."""
    table = tiny_table(d=9)
    model = tiny_model(table)
    alone = shapley.explain(model, table[20:21], table[:10], method=method, budget=90)
    block = shapley.explain(
        model, table[20:26], table[:10], method=method, budget=90, draw="shared"
    )
    np.testing.assert_allclose(block.values[0], alone.values[0], atol=1e-10)
    np.testing.assert_allclose(block.std_errors[0], alone.std_errors[0], atol=1e-10)
    exact = shapley.explain(model, table[20:26], table[:10], method="exact")
    ratio = np.abs(block.values - exact.values).mean() / block.std_errors.mean()
    assert 0.4 < ratio < 1.6


def test_blocks_of_rows_draw_again():
    tables = random_games(6, 1)
    model, rows, background = tabulated(tables, copies=70)
    got = shapley.explain(model, rows, background, method="leverage", budget=30, draw="shared")
    values = got.values[..., 0]
    np.testing.assert_allclose(values[1:64], values[:1].repeat(63, 0), atol=1e-12)
    np.testing.assert_allclose(values[65:], values[64:65].repeat(5, 0), atol=1e-12)
    assert np.abs(values[64] - values[0]).max() > 1e-4


@pytest.mark.parametrize("method", [*REGRESSIONS, "permutation"])
@pytest.mark.parametrize("draw", ["own", "shared"])
def test_a_first_look_comes_early_and_changes_no_bit(method, draw, monkeypatch):
    monkeypatch.setattr(run, "WORTH_A_LOOK", 0)
    if method == "permutation" and draw == "shared":
        pytest.skip("permutations are each row's own")
    table = tiny_table(d=10)
    model = tiny_model(table, dtype=torch.float32)
    params = {"budget": 800} | ({} if method == "permutation" else {"draw": draw})
    chosen = METHODS[f"shapley.{method}"]
    settings = parse_params(chosen.params, params)
    shown = []
    watched = chosen.explain(
        model, table[20:23], table[:12], settings,
        Context(preview=lambda make: shown.append(make())),
    )  # fmt: skip
    alone = chosen.explain(model, table[20:23], table[:12], settings, Context())
    np.testing.assert_array_equal(watched.values, alone.values)
    np.testing.assert_array_equal(watched.std_errors, alone.std_errors)
    first = shown[0]
    assert len(first.values) == (3 if draw == "shared" else 1)
    assert first.provenance.evaluations < alone.provenance.evaluations / 4
    assert first.provenance.notes[-1] == "not finished yet: values still change"
    assert (first.std_errors[0] > alone.std_errors[0]).mean() > 0.8
    cost = chosen.cost(model, 3, 12, settings)
    assert watched.provenance.evaluations <= cost.evaluations


def test_a_short_run_is_not_looked_at_early():
    table = tiny_table(d=10)
    model = tiny_model(table, dtype=torch.float32)
    chosen = METHODS["shapley.kernel"]
    shown = []
    watched = chosen.explain(
        model, table[20:22], table[:12], parse_params(chosen.params, {"budget": 800}),
        Context(preview=lambda make: shown.append(make())),
    )  # fmt: skip
    assert [len(result) for result in shown] == [1, 2]
    assert shown[-1].provenance.evaluations == watched.provenance.evaluations


@pytest.mark.parametrize("draw", ["own", "shared"])
def test_stops_at_the_tolerance(draw):
    table = tiny_table(d=12)
    model = tiny_model(table)
    rows, background = table[30:36], table[:10]
    full, early = (
        shapley.explain(
            model, rows, background, method="leverage", budget=3000, draw=draw, tolerance=tolerance
        )
        for tolerance in (None, 0.03)
    )
    assert early.provenance.evaluations < full.provenance.evaluations
    spread = early.values.max(1) - early.values.min(1)
    assert (early.std_errors.max(1) <= 0.03 * spread).all()


def test_a_budget_below_the_smallest_design():
    table = tiny_table(d=20, categorical=False)
    with pytest.raises(
        InvalidInputError, match=r"A budget of 40 coalitions is too small: 20 .* 76"
    ):
        shapley.explain(tiny_model(table), table[:1], table[:5], method="leverage", budget=40)


@pytest.mark.parametrize("d", [1, 2, 5, 9])
def test_many_columns_are_what_each_column_alone_is(d):
    """Above as many columns as pairs, one matrix is made that turns differences into values."""
    design = PairedDesign(d, "even")
    counts = design.allocate(min(30, 2 ** (d - 1) - 1))
    first, strata, _ = design.draw_between(np.zeros_like(counts), counts, Context(), 3)
    regression = PairedRegression(2 * first.double() - 1, strata, design)
    generator = torch.Generator().manual_seed(0)
    differences = torch.randn(len(first), 50, generator=generator, dtype=torch.float64)
    gap = torch.randn(50, generator=generator, dtype=torch.float64)
    alone = [regression.values(differences[:, [i]], gap[[i]]) for i in range(50)]
    torch.testing.assert_close(regression.values(differences, gap), torch.cat(alone, dim=1))
