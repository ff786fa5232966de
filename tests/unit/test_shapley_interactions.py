"""Interactions against their definitions, the shapiq package, and games with known answers."""

import itertools
import math
from typing import get_args

import numpy as np
import pytest
import shapiq
import torch

from tests.networks import tiny_model, tiny_table, value_by_definition
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import CancelledError, InvalidInputError
from workbench.core.interactions import ADDS_UP
from workbench.core.method import METHODS
from workbench.core.results import Interactions, load
from workbench.engines import shapley
from workbench.engines.shapley import exact
from workbench.engines.shapley.exact import all_coalitions
from workbench.engines.shapley.interactions import (
    NAME,
    SHARES,
    InteractionsParams,
    interaction_values_,
)
from workbench.numerics.value_functions import Value

INDICES = list(SHARES)


def random_table(d, *, n=1, k=1, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 2**d, k, generator=generator, dtype=torch.float64)


def code(players):
    return sum(1 << i for i in players)


def derivative(v, players, rest):
    """What the players add together, beyond what fewer of them add, to the rest."""
    return sum(
        (-1) ** (len(players) - r) * v[code(part) | code(rest)]
        for r in range(len(players) + 1)
        for part in itertools.combinations(players, r)
    )


def weighted(v, players, d, weight):
    """Weighted sum of derivatives over all coalitions of the other players."""
    others = [i for i in range(d) if i not in players]
    return sum(
        weight(s) * derivative(v, players, rest)
        for s in range(len(others) + 1)
        for rest in itertools.combinations(others, s)
    )


def by_definition(v, d, index):
    """Each index from the paper that defines it, one pair at a time."""
    out = np.zeros((d, d))
    if index == "FSII":
        return faithful(v, d)

    def shapley_weight(order):
        return lambda s: math.factorial(s) * math.factorial(d - s - order) / math.factorial(
            d - order + 1
        )  # fmt: skip

    single = {
        "SII": shapley_weight(1), "k-SII": shapley_weight(1),
        "STII": lambda s: float(s == 0), "Banzhaf": lambda _: 0.5 ** (d - 1),
    }  # fmt: skip
    pair = {
        "SII": shapley_weight(2), "k-SII": shapley_weight(2),
        "STII": lambda s: 2 / d / math.comb(d - 1, s), "Banzhaf": lambda _: 0.5 ** (d - 2),
    }  # fmt: skip
    for i, j in itertools.combinations(range(d), 2):
        out[i, j] = out[j, i] = weighted(v, (i, j), d, pair[index])
    for i in range(d):
        out[i, i] = weighted(v, (i,), d, single[index])
        if index == "k-SII":  # the Bernoulli number of order 1 is -1/2
            out[i, i] -= sum(out[i, j] for j in range(d) if j != i) / 2
    return out


def faithful(v, d):
    """Regression of the game on singles and pairs with Shapley's weights and exact ends."""
    parts = [p for r in (1, 2) for p in itertools.combinations(range(d), r)]
    rows = np.array([[float(code(p) & S == code(p)) for p in parts] for S in range(2**d)])
    sizes = [S.bit_count() for S in range(2**d)]
    weights = [(d - 1) / (math.comb(d, s) * s * (d - s)) if 0 < s < d else 0.0 for s in sizes]
    gains = np.array(v) - v[0]
    gram = rows.T @ (np.array(weights)[:, None] * rows)
    ones = rows[-1:]  # all parts add up to the gain of all players
    system = np.block([[gram, ones.T], [ones, np.zeros((1, 1))]])
    target = np.append(rows.T @ (np.array(weights) * gains), gains[-1])
    solved = np.linalg.solve(system, target)
    out = np.zeros((d, d))
    for part, value in zip(parts, solved, strict=False):
        out[part[0], part[-1]] = out[part[-1], part[0]] = value
    return out


@pytest.mark.parametrize("index", INDICES)
@pytest.mark.parametrize("d", [2, 3, 5])
def test_equals_the_definition(index, d):
    table = random_table(d, n=2, k=2, seed=d)
    got = interaction_values_(table.clone(), index)
    assert got.shape == (2, d, d, 2)
    for row, output in np.ndindex(2, 2):
        expected = by_definition(table[row, :, output].tolist(), d, index)
        np.testing.assert_allclose(got[row, :, :, output], expected, atol=1e-12)


@pytest.mark.parametrize(
    ("index", "theirs", "singles"),
    [("SII", "SII", None), ("k-SII", "k-SII", None), ("STII", "STII", None),
     ("FSII", "FSII", None), ("Banzhaf", "BII", "BV")],
)  # fmt: skip
def test_equals_shapiq(index, theirs, singles):
    d = 6
    table = random_table(d, seed=5)
    got = interaction_values_(table.clone(), index)[0, :, :, 0].numpy()
    bits = 1 << np.arange(d)
    game = table[0, :, 0].numpy()
    peer = shapiq.ExactComputer(lambda known: game[known.astype(int) @ bits], n_players=d)
    found = peer(theirs, order=2)
    # It keeps to the ends of FSII by a large weight only.
    tolerance = 1e-7 if index == "FSII" else 1e-10
    for i, j in itertools.combinations(range(d), 2):
        assert got[i, j] == pytest.approx(found[(i, j)], abs=tolerance)
    found = found if singles is None else peer(singles, order=1)
    for i in range(d):
        assert got[i, i] == pytest.approx(found[(i,)], abs=tolerance)


def test_shapley_values_are_on_the_diagonal_of_sii_and_in_halves_of_k_sii():
    d = 7
    table = random_table(d, k=2, seed=2)
    expected = exact.shapley_weights(d) @ table[0]
    sii = interaction_values_(table.clone(), "SII")[0]
    torch.testing.assert_close(torch.einsum("iik->ik", sii), expected)
    both = interaction_values_(table.clone(), "k-SII")[0]
    singles = torch.einsum("iik->ik", both)
    torch.testing.assert_close(singles + (both.sum(1) - singles) / 2, expected)


@pytest.mark.parametrize("index", INDICES)
def test_an_additive_game_has_no_interactions(index):
    d = 8
    own = torch.linspace(-1, 2, d, dtype=torch.float64)
    table = (all_coalitions(d).double() @ own + 0.7)[None, :, None]
    got = interaction_values_(table.clone(), index)[0, :, :, 0]
    torch.testing.assert_close(got, torch.diag(own), atol=1e-12, rtol=0)


@pytest.mark.parametrize("index", sorted(ADDS_UP))
def test_a_game_of_pairs_gives_its_coefficients(index):
    d = 6
    coefficients = random_table(d, seed=9)[0, : d * d, 0].reshape(d, d)
    symmetric = torch.triu(coefficients) + torch.triu(coefficients, 1).T
    inside = all_coalitions(d).double()
    table = torch.einsum("mi,mj,ij->m", inside, inside, torch.triu(coefficients))
    got = interaction_values_(table[None, :, None].clone(), index)[0, :, :, 0]
    torch.testing.assert_close(got, symmetric, atol=1e-12, rtol=0)


@pytest.mark.parametrize("index", INDICES)
def test_all_indices_agree_on_pairs_where_only_pairs_interact(index):
    d = 5
    inside = all_coalitions(d).double()
    table = (2.5 * inside[:, 1] * inside[:, 3])[None, :, None]
    got = interaction_values_(table.clone(), index)[0, :, :, 0]
    off = got - torch.diag(got.diagonal())
    expected = torch.zeros(d, d, dtype=torch.float64)
    expected[1, 3] = expected[3, 1] = 2.5
    torch.testing.assert_close(off, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("index", INDICES)
@pytest.mark.parametrize("d", [1, 4, 12])
def test_which_indices_add_up(index, d):
    table = random_table(d, k=2, seed=d)
    gain = table[0, -1] - table[0, 0]
    got = interaction_values_(table.clone(), index)[0]
    singles = torch.einsum("iik->k", got)
    total = singles + (got.sum((0, 1)) - singles) / 2
    fits = bool(((total - gain).abs() < 1e-10).all())
    assert fits == (index in ADDS_UP or d == 1)


def explained(*, n=4, categorical=True, context=None, **params):
    table = tiny_table(categorical=categorical)
    model = tiny_model(table)
    settings = InteractionsParams(**params)
    rows, background = table[30 : 30 + n], table[:20]
    return METHODS[NAME].explain(model, rows, background, settings, context or Context())


@pytest.mark.parametrize("value", [v for v in get_args(Value) if v != "conditional"])
def test_every_value_function_will_do(value):
    """A surrogate as well, in tests/unit/test_value_conditional.py."""
    got = explained(value=value, categorical=False)
    assert np.isfinite(got.values).all()
    np.testing.assert_array_equal(got.values, got.values.transpose(0, 2, 1, 3))
    assert np.abs(got.gap).max() < 1e-9


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_of_a_model_equal_the_definition(task):
    d = 4
    table = tiny_table(d=d, task=task, missing=True)
    model = tiny_model(table)
    rows, background = table[40:42], table[:15]
    got = api.interactions(model, rows, background, index="STII")
    assert isinstance(got, Interactions)
    for row in range(2):
        game = torch.stack([
            value_by_definition(model, rows.X[row], background.X, known)
            for known in all_coalitions(d)
        ])
        for output in range(len(model.output_names)):
            expected = by_definition(game[:, output].tolist(), d, "STII")
            np.testing.assert_allclose(got.values[row, :, :, output], expected, atol=1e-9)
    np.testing.assert_allclose(got.predictions, model.predict(rows.X), atol=1e-12)
    assert np.abs(got.gap).max() < 1e-9


def test_agree_with_exact_shapley_values_and_their_errors():
    table = tiny_table(d=6)
    model = tiny_model(table)
    rows, background = table[30:40], table[:25]
    values = shapley.explain(model, rows, background, method="exact", link="logit")
    pairs = api.interactions(model, rows, background, index="SII", link="logit")
    np.testing.assert_allclose(pairs.singles.values, values.values, atol=1e-10)
    np.testing.assert_allclose(
        pairs.singles.background_std_errors, values.background_std_errors, atol=1e-10
    )
    assert pairs.background_dof == values.background_dof == 9.0
    assert pairs.unit == values.unit == "log-odds"
    np.testing.assert_array_equal(pairs.base_values, values.base_values)
    assert pairs.provenance.evaluations == values.provenance.evaluations
    assert np.abs(pairs.gap).max() > 1e-3  # the Shapley values alone add up


def test_background_errors_are_those_of_another_draw():
    table = tiny_table(n=1200, d=3, seed=3)
    model = tiny_model(table)
    rows = table[:3]
    draws = [
        api.interactions(model, rows, table[100 + 40 * i : 140 + 40 * i], index="k-SII")
        for i in range(25)
    ]
    spread = np.stack([got.values for got in draws]).std(0, ddof=1)  # (n, d, d, k)
    seen = np.sqrt((spread**2).mean(0))
    told = np.sqrt(np.mean([got.background_std_errors**2 for got in draws], axis=0))
    # 25 draws tell a standard deviation to about 14 %.
    np.testing.assert_allclose(told, seen, rtol=0.5)
    assert np.median(told / seen) == pytest.approx(1, abs=0.2)


def test_a_small_background_has_no_errors():
    table = tiny_table(d=3)
    got = api.interactions(tiny_model(table), table[:2], table[5:9])
    assert got.background_std_errors is None
    assert not got.uncertainty().any()
    assert got.to_frame()["background_std_error"].isna().all()


def test_blocks_do_not_change_the_numbers(monkeypatch):
    whole = explained(n=6)
    previews = []
    context = Context(preview=lambda make: previews.append(make()))
    monkeypatch.setattr("workbench.engines.shapley.interactions.BLOCK_BYTES", 1)
    parts = explained(n=6, context=context)
    np.testing.assert_allclose(parts.values, whole.values, atol=1e-12)
    np.testing.assert_allclose(parts.background_std_errors, whole.background_std_errors)
    assert [len(preview) for preview in previews] == [1, 2, 3, 4, 5, 6]
    assert all(type(preview) is Interactions for preview in previews)
    np.testing.assert_array_equal(previews[2].values, parts.values[:3])
    assert any("not finished" in note for note in previews[0].provenance.notes)
    assert not parts.provenance.notes


def test_can_be_stopped_between_blocks(monkeypatch):
    monkeypatch.setattr("workbench.engines.shapley.interactions.BLOCK_BYTES", 1)
    seen = []

    def stop(done, _total, _message):
        seen.append(done)
        if len(seen) == 2:
            raise CancelledError("stop")

    with pytest.raises(CancelledError):
        explained(n=6, context=Context(progress=stop))
    assert len(seen) == 2


def test_sixteen_features_are_feasible():
    table = tiny_table(d=16)
    model = tiny_model(table, network="linear")
    got = api.interactions(model, table[20:21], table[:2], output="score", index="FSII")
    off = got.values[0] * (1 - np.eye(16))[:, :, None]
    assert np.abs(off).max() < 1e-10  # a linear model has no interactions
    assert np.abs(got.gap).max() < 1e-10


def test_too_many_features_for_all_coalitions():
    table = tiny_table(d=17, categorical=False)
    with pytest.raises(InvalidInputError, match=r"2\^17 coalitions for 17 features.*'sampled'"):
        api.interactions(tiny_model(table), table[:1], table[:5], estimator="exact")
    settings = InteractionsParams(estimator="exact")
    with pytest.raises(InvalidInputError, match="limit is 16"):
        METHODS[NAME].cost(tiny_model(table), 1, 5, settings)


def test_costs_what_exact_values_cost():
    table = tiny_table(d=5)
    model = tiny_model(table)
    ours = METHODS[NAME].cost(model, 7, 30, InteractionsParams())
    assert ours == METHODS[exact.NAME].cost(model, 7, 30, exact.ExactParams())


def test_an_index_that_there_is_not():
    table = tiny_table(d=3)
    with pytest.raises(InvalidInputError, match="index: input should be 'k-SII', 'SII'"):
        api.interactions(tiny_model(table), table[:1], table[:5], index="CHII")


@pytest.fixture
def result():
    return explained(n=4)


def test_survives_a_file(result, tmp_path):
    back = load(result.save(tmp_path / "pairs"))
    assert type(back) is Interactions
    assert back.std_errors is None
    assert (back.index, back.schema, back.provenance) == (
        result.index, result.schema, result.provenance,
    )  # fmt: skip
    np.testing.assert_array_equal(back.values, result.values)
    np.testing.assert_array_equal(back.background_std_errors, result.background_std_errors)


def test_frame_has_a_line_for_every_single_and_pair(result):
    frame = result.to_frame()
    assert len(frame) == 4 * 2 * 15
    line = frame[(frame["row"] == 32) & (frame["output"] == "yes") & (frame["feature"] == "x0")
                 & (frame["other"] == "c3")].iloc[0]  # fmt: skip
    assert line["interaction"] == result.values[2, 0, 3, 1]
    assert line["value"] == result.schema.features[0].show(result.data[2, 0])
    assert line["other_value"] == result.schema.features[3].show(result.data[2, 3])
    half = result.uncertainty()[2, 0, 3, 1]
    assert line["high"] - line["low"] == pytest.approx(2 * half)
    assert half > 0
    total = frame[frame["output"] == "yes"].groupby("row")["interaction"].sum()
    np.testing.assert_allclose(total, (result.predictions - result.base_values)[:, 1])
    single = frame[frame["other"] == ""]
    np.testing.assert_array_equal(
        single[single["output"] == "no"]["interaction"].to_numpy().reshape(4, 5),
        result.singles.values[:, :, 0],
    )


def test_strongest_pairs_come_first(result):
    frame = result.strongest("yes")
    assert len(frame) == 10
    assert frame["strength"].is_monotonic_decreasing
    i, j = (result.names.index(frame[column][0]) for column in ("feature", "other"))
    size = np.abs(result.values[:, :, :, 1]).mean(0)
    assert frame["strength"][0] == pytest.approx(size[i, j])
    assert size[i, j] == np.max(size - np.diag(np.diag(size)))
    assert result[0].strongest()["std_error"].isna().all()


def test_rows_can_be_selected(result):
    one = result[2]
    assert one.values.shape == (1, 5, 5, 2)
    np.testing.assert_array_equal(one.values[0], result.values[2])
    assert list(result[1:3].ids) == list(result.ids[1:3])
    assert len(result[[]].to_frame()) == 0
    assert result[[]].strongest()["strength"].isna().all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ids": np.arange(3)}, r"4 rows, 5 features and 2 outputs needs ids of shape \(4,\)"),
        ({"output_names": ("yes",)}, "5 features and 2 outputs do not fit their names"),
        ({"values": np.zeros((4, 5, 4, 2))}, r"needs values of shape \(4, 5, 5, 2\)"),
    ],
)
def test_refuses_what_does_not_fit(result, changes, message):
    # jaxtyping refuses most of this in tests; a file gets as far as the check in the class.
    parts = {**vars(result), **changes}
    bare = object.__new__(Interactions)
    for name, value in parts.items():
        object.__setattr__(bare, name, value)
    with pytest.raises(InvalidInputError, match=message):
        bare.__post_init__()


def game_of(model, row, background):
    """Values of every coalition of a row ``[2^d, k]``: mean outputs over the background."""
    d = len(row)
    inside = all_coalitions(d)
    mixtures = torch.where(inside[:, None], row, background.X)  # (m, b, d)
    return model.predict(mixtures.flatten(0, 1)).unflatten(0, (2**d, -1)).double().mean(1).numpy()


@pytest.mark.parametrize(
    ("name", "table", "n_background"),
    [("diabetes-mlp", "diabetes", 12), ("adult-mlp", "adult", 2)],
)
def test_equals_shapiq_on_bundled_models(name, table, n_background):
    model = api.load_model(name)
    rows = api.load_table(table, split="test")[3:4]
    background = api.load_table(table, split="train")[:n_background]
    game = game_of(model, rows.X[0], background)[:, 0]
    d, bits = len(rows.X[0]), 1 << np.arange(len(rows.X[0]))
    peer = shapiq.ExactComputer(lambda known: game[known.astype(int) @ bits], n_players=d)
    for index in ("SII", "k-SII", "STII"):
        got = api.interactions(model, rows, background, index=index).values[0, :, :, 0]
        found = peer(index, order=2)
        for i, j in itertools.combinations_with_replacement(range(d), 2):
            theirs = found[(i,)] if i == j else found[(i, j)]
            assert got[i, j] == pytest.approx(theirs, abs=1e-6 * max(1.0, np.abs(game).max()))
