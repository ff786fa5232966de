"""The corrected surrogate: unbiased whatever the surrogate, and better where it is good."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.games import bias_in_standard_errors, coverage, last_estimates, random_game
from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.engines.shapley.amortised import SurrogateStandIn, few_pairs
from workbench.engines.shapley.exact import all_coalitions, shapley_weights
from workbench.engines.shapley.residual import StandIn
from workbench.numerics.amortised import surrogate_of


@pytest.fixture(scope="module")
def case():
    """A model with an explainer, its table, and the background of the explainer."""
    table = tiny_table(n=150, d=6, task="multiclass")
    model = tiny_model(table, dtype=torch.float32)
    background = table[:25]
    explainer = api.train_explainer(
        model, table, background, surrogate_epochs=8, warm_epochs=1, epochs=0, width=64, draws=8,
        device="cpu",
    )  # fmt: skip
    return api.attach(model, explainer), table, background


def corrected(case, rows, background=None, **params):
    model, _, own = case
    given = own if background is None else background
    return api.explain(model, rows, given, method="amortised", **params)


def test_the_surrogates_values_are_those_of_all_its_coalitions(case):
    model, table, _ = case
    surrogate = surrogate_of(model.explainers[0], torch.device("cpu"))
    stand_in = SurrogateStandIn(surrogate, "identity", 6)
    assert isinstance(stand_in, StandIn)
    values = stand_in.values(table.X[:3], all_coalitions(6))
    expected = torch.einsum("dm,nmk->ndk", shapley_weights(6), values)
    torch.testing.assert_close(stand_in.shapley(table.X[:3]), expected, atol=1e-10, rtol=0)


def test_sampled_values_of_the_surrogate_are_within_their_errors(case):
    model, table, _ = case
    surrogate = surrogate_of(model.explainers[0], torch.device("cpu"))
    stand_in = SurrogateStandIn(surrogate, "identity", 3)
    exact = stand_in.shapley(table.X[:1])
    found, errors = zip(
        *(stand_in.sampled(table.X[:1], Context(seed=s), [0]) for s in range(60)), strict=True
    )
    mean, spread = torch.stack(found).mean(0), torch.stack(found).std(0)
    assert (abs(mean - exact) < 4 * spread / 60**0.5 + 1e-9).all()
    ratio = torch.stack(errors).mean() / spread.mean()
    assert 0.8 < ratio < 1.25


@pytest.mark.parametrize("budget", [8, 30])
@pytest.mark.parametrize("other", [False, True])
def test_is_unbiased_for_any_background(case, other, budget):
    """By random pairs with the smaller budget, by the proxy with the larger one."""
    model, table, own = case
    background = table[100:130] if other else own
    row = table[60:61]
    exact = api.explain(model, row, background, method="exact").values
    found = np.stack([
        corrected(case, row, background, budget=budget, seed=seed).values for seed in range(60)
    ])
    spread = found.std(0, ddof=1)
    assert (abs(found.mean(0) - exact) < 4 * spread / 60**0.5 + 1e-9).all()


def test_is_unbiased_with_a_surrogate_that_knows_nothing(case):
    model, table, own = case
    explainer = model.explainers[0]
    noise = np.random.default_rng(0).normal(size=explainer.surrogate_weights.shape)
    bad = replace(explainer, surrogate_weights=noise.astype(np.float32) * 0.3)
    misled = replace(model, explainers=(bad,)), table, own
    row = table[60:61]
    exact = api.explain(model, row, own, method="exact").values
    found = np.stack([corrected(misled, row, budget=20, seed=seed).values for seed in range(60)])
    assert (abs(found.mean(0) - exact) < 4 * found.std(0, ddof=1) / 60**0.5 + 1e-9).all()


@pytest.mark.parametrize("d", [5, 8])
def test_few_pairs_are_unbiased_and_as_sure_as_they_say(d):
    """300 draws of four pairs of a random game, at an odd and an even number of features."""
    game = random_game(d, order=3, seed=1)
    values, errors = last_estimates(few_pairs(d, 4, Context()), game, 300)
    assert game.evaluations <= 300 * 8
    assert bias_in_standard_errors(values, game.shapley) < 4
    assert 0.9 <= coverage(values, errors, game.shapley, 3) <= 0.98
    gap = game.table[-1] - game.table[0]
    torch.testing.assert_close(values.sum(1), gap.expand(300, -1), atol=1e-9, rtol=0)


def test_a_few_coalitions_reach_a_hundredth_of_the_range():
    """On the bundled model; regression alone takes some hundred for that."""
    model, rows = api.load_model("adult-mlp"), api.load_table("adult")[:24]
    own = api.background_for(model, rows)
    exact = api.explain(model, rows, own, method="exact").values
    found = api.explain(model, rows, own, method="amortised", budget=12)
    assert found.provenance.evaluations <= 24 * (12 * 100 + 1) + 100
    error = np.sqrt(((found.values - exact) ** 2).mean())
    assert error < 0.01 * (exact.max() - exact.min())
    assert found.dof == 5


def test_has_less_error_than_permutations_at_the_same_budget():
    """On the bundled model, with the explainer that comes along; at most half the error."""
    model, rows = api.load_model("adult-mlp"), api.load_table("adult")[:24]
    own = api.background_for(model, rows)
    exact = api.explain(model, rows, own, method="exact").values
    mine = api.explain(model, rows, own, method="amortised", budget=88)
    plain = api.explain(model, rows, own, method="permutation", budget=88)
    assert mine.provenance.evaluations <= 1.1 * plain.provenance.evaluations
    error = np.sqrt(((mine.values - exact) ** 2).mean())
    assert error < 0.5 * np.sqrt(((plain.values - exact) ** 2).mean())
    assert abs(mine.gap).max() < 1e-6


def test_says_what_the_surrogate_cost(case):
    model, table, _ = case
    note = corrected(case, table[:1], budget=20).provenance.notes[0]
    assert "asked about 64 coalitions of each row" in note
    assert f"{model.explainers[0].provenance.evaluations:,} evaluations, once" in note


def test_says_what_is_wrong(case):
    model, table, own = case
    with pytest.raises(InvalidInputError, match="budget of 6 coalitions is too small; give 8"):
        corrected(case, table[:1], budget=6)
    with pytest.raises(InvalidInputError, match="no explainer for score"):
        corrected(case, table[:1], output="score")
    with pytest.raises(InvalidInputError, match="value: input should be 'marginal'"):
        api.explain(model, table[:1], own, method="amortised", value="conditional")
