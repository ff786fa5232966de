"""Sampled interactions: their closed forms, bias, standard errors, and what they find."""

import itertools

import numpy as np
import pytest
import torch

from tests.games import (
    TableGame,
    bias_in_standard_errors,
    coverage,
    random_game,
    rows_of_game,
)
from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.interactions import ADDS_UP
from workbench.core.method import METHODS
from workbench.core.results import Interactions, load
from workbench.engines.shapley import sampled_pairs, smooth_pairs
from workbench.engines.shapley.design import PairedDesign
from workbench.engines.shapley.exact import all_coalitions
from workbench.engines.shapley.interactions import (
    NAME,
    SHARES,
    InteractionsParams,
    interaction_values_,
)
from workbench.engines.shapley.pair_weighing import WEIGHINGS, Targets, halves_of_terms
from workbench.engines.shapley.smooth_game import SmoothGame, covariance
from workbench.engines.shapley.smooth_pairs import (
    CONSTANT_VARIANCE,
    EvenGame,
    even_covariance,
    smooth_interactions,
)
from workbench.numerics.set_function import SetFunction
from workbench.plots.interactions import interactions_sentence, pair_half_widths

INDICES = list(SHARES)
SIZES = torch.tensor([0.6, 0.04, 1.0, 0.5, 0.2, 0.9], dtype=torch.float64)


def signs_of(coalitions):
    return 2 * coalitions.double() - 1


def exact(table, index):
    """Singles and then pairs ``[q, k]`` of a table ``[2^d, k]``."""
    square = interaction_values_(table[None].clone(), index)[0]
    return flat(square)


def flat(square):
    """Singles and then pairs of ``[..., d, d, k]``."""
    targets = Targets.of(square.shape[-2])
    singles = square.diagonal(dim1=-3, dim2=-2).movedim(-1, -2)
    return torch.cat([singles, square[..., targets.first, targets.second, :]], dim=-2)


@pytest.mark.parametrize("index", INDICES)
def test_densities_give_the_shares_of_the_index(index):
    """What t features add is shared by the mean chance that the others are all known."""
    weighing, t = WEIGHINGS[index], torch.arange(2, 12)
    points, weights = weighing.pair.nodes(10)
    for size in t.tolist():
        mean = weights @ ((1 + points) / 2) ** (size - 2)
        assert float(mean) == pytest.approx(float(SHARES[index][1](t.double())[size - 2]))
    single = torch.ones(len(t)) * 0.0
    if weighing.single is not None:
        points, weights = weighing.single.nodes(10)
        single = torch.stack([weights @ ((1 + points) / 2) ** (n - 1) for n in t.tolist()])
    if weighing.halved:  # each member of t features is in t - 1 pairs
        single = single - (t - 1) / 2 * SHARES[index][1](t.double())
    torch.testing.assert_close(single.double(), SHARES[index][0](t.double()))


@pytest.mark.parametrize("index", INDICES)
@pytest.mark.parametrize("d", [3, 6])
def test_terms_of_all_pairs_add_up_to_the_index(index, d):
    table = random_game(d, k=2, seed=d).table
    design, targets = PairedDesign(d), Targets.of(d)
    strata = [
        torch.from_numpy(design.draw(size, count, np.random.default_rng(0)))
        for size, count in enumerate(design.populations, start=1)
    ]
    total = torch.zeros(len(targets), 2, dtype=torch.float64)
    for members in [torch.ones(1, d, dtype=torch.bool), *strata]:
        odd, even = halves_of_terms(members, targets, WEIGHINGS[index])
        codes = (members.long() * (1 << torch.arange(d))).sum(1)
        value, complement = table[codes], table[2**d - 1 - codes]
        total += (odd.T @ (value - complement) + even.T @ (value + complement)) / len(members)
    expected = exact(table, index)
    first = d if WEIGHINGS[index].single is None else 0  # those are filled in
    torch.testing.assert_close(total[first:], expected[first:])


def test_covariance_of_sums_is_a_sum_over_even_sets():
    d = len(SIZES)
    signs = signs_of(all_coalitions(d))
    strengths = 0.8 * SIZES

    def kernel(orders, variances):
        sets = [t for n in orders for t in itertools.combinations(range(d), n)]
        terms = torch.stack([signs[:, t].prod(1) for t in sets])
        weights = torch.stack([variances[list(t)].prod() for t in sets])
        return terms.T @ (weights[:, None] * terms) / weights.sum()

    expected = CONSTANT_VARIANCE + 3 * kernel([2], SIZES) + kernel([0, 2, 4, 6], strengths)
    torch.testing.assert_close(even_covariance(signs, signs, SIZES, 0.8, 3.0), expected)


@pytest.mark.parametrize("index", INDICES)
def test_interactions_of_smooth_games_equal_those_of_their_tables(index):
    d = len(SIZES)
    inside, generator = all_coalitions(d), torch.Generator().manual_seed(3)
    coefficients = torch.randn(2, 5, 2, generator=generator, dtype=torch.float64)
    centres = signs_of(inside[torch.tensor([0, 3, 17, 30, 44])])
    odd = SmoothGame(centres, coefficients[0], 0.4 * SIZES)
    even = EvenGame(centres, coefficients[1], SIZES, 0.8, 3.0)
    signs = signs_of(inside)
    table = (covariance(signs, centres, odd.strengths) @ coefficients[0] + even.values(signs)) / 2
    got = smooth_interactions(odd, even, Targets.of(d), WEIGHINGS[index])
    first = d if WEIGHINGS[index].single is None else 0
    torch.testing.assert_close(got[first:], exact(table, index)[first:])


def estimates(game, n, *, budget, index, **params):
    """Values and standard errors ``[n, q, k]`` of independent draws."""
    settings = InteractionsParams(budget=budget, index=index, **params)
    d = game.n_players
    estimate = sampled_pairs.pair_estimator(d, settings, index, Context(seed=5))
    found = []
    for row in range(n):
        *_, last = estimate(game, rows_of_game(d, first=row))
        found.append((flat(last.values), flat(last.std_errors)))
    values, errors = zip(*found, strict=True)
    return torch.cat(values), torch.cat(errors), sampled_pairs.degrees(d, settings)


@pytest.fixture
def few_folds(monkeypatch):
    """Fewer fits, for which the same holds."""
    monkeypatch.setattr("workbench.engines.shapley.sampled_pairs.MORE_FOLDS", 3)


@pytest.mark.usefixtures("few_folds")
@pytest.mark.parametrize("index", ["k-SII", "STII"])
def test_unbiased_with_honest_intervals(index):
    game = random_game(7, order=4, seed=1)
    values, errors, dof = estimates(game, 20, budget=60, index=index)
    truth = exact(game.table, index)
    assert bias_in_standard_errors(values, truth) < 4.5
    assert 0.9 <= coverage(values, errors, truth, dof) <= 1
    assert 0.8 < float(errors.square().mean() / (values - truth).square().mean()) < 1.3


@pytest.mark.usefixtures("few_folds")
def test_a_wrong_proxy_costs_accuracy_and_no_bias(monkeypatch):
    good = smooth_pairs.fit_even_game

    def wrong(*given):
        game = good(*given)
        return EvenGame(
            game.centres, game.coefficients + 0.3, game.sizes, game.strength, game.pair_variance
        )

    game = random_game(6, order=3, seed=2)
    truth = exact(game.table, "STII")
    right, _, _ = estimates(game, 6, budget=40, index="STII")
    monkeypatch.setattr("workbench.engines.shapley.sampled_pairs.fit_even_game", wrong)
    values, errors, dof = estimates(game, 16, budget=40, index="STII")
    assert float((values - truth).square().mean()) > 2 * float((right - truth).square().mean())
    assert bias_in_standard_errors(values, truth) < 4.5
    assert coverage(values, errors, truth, dof) > 0.85


@pytest.mark.parametrize("index", INDICES)
def test_all_coalitions_give_the_index_without_errors(index):
    game = random_game(5, k=2, seed=4)
    values, errors, dof = estimates(game, 1, budget=30, index=index)
    torch.testing.assert_close(values[0], exact(game.table, index))
    assert dof is None
    assert not errors.any()


class SparseGame(TableGame):
    """A few sets of players that add something when all of them are known."""

    def __init__(self, d, sets):
        super().__init__(torch.zeros(2, 1))
        self.n_players, self.sets = d, sets
        assert isinstance(self, SetFunction)

    def full(self, X):
        return self.values(X, torch.ones(1, self.n_players, dtype=torch.bool))[:, 0]

    def values(self, X, coalitions):
        known = [coalitions[:, list(members)].all(1) * worth for members, worth in self.sets]
        return torch.stack(known).double().sum(0)[None, :, None].expand(len(X), -1, 1)

    def truth(self, index):
        """By the shares of the index."""
        found = torch.zeros(self.n_players, self.n_players, dtype=torch.float64)
        for members, worth in self.sets:
            size = torch.tensor([len(members)]).double()
            for i, j in itertools.product(members, members):
                if i == j or len(members) > 1:
                    found[i, j] += worth * float(SHARES[index][int(i != j)](size))
        return flat(found[:, :, None])[:, 0]


@pytest.mark.parametrize("index", ["k-SII", "STII", "Banzhaf"])
def test_sparse_interactions_of_many_features_are_found(index):
    d = 24
    sets = [((0,), 1.0), ((3,), -0.5), ((0, 1), 0.8), ((2, 5), -0.6), ((7, 8, 9), 0.9)]
    game = SparseGame(d, sets)
    values, errors, dof = estimates(game, 1, budget=800, index=index)
    truth, got = game.truth(index), values[0, :, 0]
    assert float((got - truth).square().sum() / truth.square().sum()) < 0.02
    strongest = got[d:].abs().topk(5).indices
    assert set(strongest.tolist()) == set(truth[d:].abs().topk(5).indices.tolist())
    assert coverage(values, errors, truth[:, None], dof) > 0.85


def explained(*, n=2, d=17, context=None, **params):
    table = tiny_table(d=d, categorical=False)
    model = tiny_model(table)
    rows, background = table[30 : 30 + n], table[:20]
    settings = InteractionsParams(**{"budget": 120, **params})
    return METHODS[NAME].explain(model, rows, background, settings, context or Context())


@pytest.fixture(scope="module")
def result():
    return explained()


def test_beyond_sixteen_features_pairs_are_sampled_and_add_up(result):
    assert result.values.shape == result.std_errors.shape == (2, 17, 17, 2)
    np.testing.assert_array_equal(result.values, result.values.transpose(0, 2, 1, 3))
    assert np.isfinite(result.values).all()
    assert (result.std_errors[:, *np.triu_indices(17, 1)] > 0).all()
    assert np.abs(result.gap).max() < 1e-7
    assert result.dof > 20
    assert result.background_std_errors is not None
    assert result.sources_of_error == ("coalitions", "background rows")


@pytest.mark.parametrize("index", INDICES)
def test_which_indices_add_up(index):
    got = explained(n=1, index=index)
    assert (np.abs(got.gap).max() < 1e-7) == (index in ADDS_UP)


def test_a_budget_is_kept_and_the_same_seed_gives_the_same_bits(result):
    table = tiny_table(d=17, categorical=False)
    settings = InteractionsParams(budget=120)
    cost = METHODS[NAME].cost(tiny_model(table), 2, 20, settings)
    assert result.provenance.evaluations <= cost.evaluations == 2 * (120 * 20 + 1) + 20
    again = explained()
    np.testing.assert_array_equal(again.values, result.values)
    np.testing.assert_array_equal(again.std_errors, result.std_errors)
    other = explained(context=Context(seed=1))
    assert not np.array_equal(other.values, result.values)


def test_rows_can_share_coalitions():
    shared, alone = explained(n=3, draw="shared"), explained(n=1, draw="own")
    assert np.abs(shared.gap).max() < 1e-7
    # The first row has the same coalitions, and proxies that all rows have a say in.
    np.testing.assert_allclose(shared.values[0], alone.values[0], atol=0.1)


def test_a_tolerance_stops_early_and_previews_grow():
    previews = []
    context = Context(preview=lambda make: previews.append(make()))
    got = explained(n=2, budget=800, tolerance=0.5, context=context)
    assert got.provenance.evaluations < 2 * 800 * 20
    assert [len(preview) for preview in previews] == sorted(len(p) for p in previews)
    assert all(type(preview) is Interactions for preview in previews)
    np.testing.assert_array_equal(previews[-1].values, got.values)


def test_up_to_sixteen_features_a_budget_decides():
    few = explained(n=1, d=6, budget=40)
    every = explained(n=1, d=6, budget=62)
    assert few.std_errors is not None
    assert every.std_errors is None
    by_table = explained(n=1, d=6, budget=40, estimator="exact")
    np.testing.assert_array_equal(by_table.values, every.values)
    np.testing.assert_allclose(few.values, every.values, atol=6 * float(few.std_errors.max()))
    assert not InteractionsParams(estimator="sampled").is_exact(16)
    assert InteractionsParams(estimator="sampled").is_exact(11)  # 2,070 cover 2,046
    assert InteractionsParams().is_exact(16)
    assert not InteractionsParams().is_exact(17)


def test_budgets_too_small_and_features_too_many():
    with pytest.raises(InvalidInputError, match="too small: 17 features need 62"):
        explained(budget=60)
    table = tiny_table(n=20, d=129, categorical=False)
    with pytest.raises(InvalidInputError, match="129 features have 8,256 pairs"):
        api.interactions(tiny_model(table), table[:1], table[:5])


def test_standard_errors_go_where_values_go(result, tmp_path):
    back = load(result.save(tmp_path / "pairs"))
    np.testing.assert_array_equal(back.std_errors, result.std_errors)
    assert back.dof == result.dof
    one = result[1]
    np.testing.assert_array_equal(one.std_errors, result.std_errors[1:])
    np.testing.assert_array_equal(
        one.singles.std_errors, np.einsum("niik->nik", result.std_errors[1:])
    )
    frame = result.to_frame()
    line = frame[(frame["row"] == result.ids[1]) & (frame["output"] == "yes")
                 & (frame["feature"] == "x2") & (frame["other"] == "x5")].iloc[0]  # fmt: skip
    assert line["std_error"] == result.std_errors[1, 2, 5, 1]
    assert line["high"] - line["low"] == pytest.approx(2 * result.uncertainty()[1, 2, 5, 1])
    strongest = one.strongest("yes")
    i, j = (one.names.index(strongest[column][0]) for column in ("feature", "other"))
    assert strongest["sampling_std_error"][0] == pytest.approx(one.std_errors[0, i, j, 1])


def test_words_leave_out_what_may_be_sampling(result):
    one = result[0]
    errors = np.full_like(one.std_errors, 10.0)
    unsure = Interactions(**{**vars(one), "std_errors": errors, "background_std_errors": None})
    assert "no pair of features" in interactions_sentence(unsure, output="yes")
    assert (pair_half_widths(unsure, "yes") > 19).all()
