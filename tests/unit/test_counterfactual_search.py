"""Counterfactuals against enumeration, a closed form, and their promises."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.context import Context
from workbench.core.counterfactuals import Counterfactuals
from workbench.core.errors import InvalidInputError
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table
from workbench.engines.counterfactuals.nearest import Asked, nearest
from workbench.engines.counterfactuals.params import SearchParams
from workbench.engines.counterfactuals.ranges import ranges_of, spread
from workbench.engines.counterfactuals.space import Limits, limits_for, space_of
from workbench.engines.counterfactuals.wish import Wish, wish_for


def grid_table(n=400, seed=0, **flags):
    """Three whole numbers and two categorical features, every combination of few values."""
    rng = np.random.default_rng(seed)
    features = [Feature(name=f"n{i}", integer=True, **flags) for i in range(3)]
    features += [
        Feature(name=f"c{i}", kind="categorical", categories=tuple("abc")) for i in range(2)
    ]
    X = np.column_stack([rng.integers(0, 7, (n, 3)), rng.integers(0, 3, (n, 2))]).astype(float)
    schema = Schema(
        features=tuple(features), target="y", task="binary", classes=("no", "yes"),
        favourable="yes",
    )  # fmt: skip
    y = torch.zeros(n, dtype=torch.int64)
    return Table(schema, torch.from_numpy(X), torch.arange(n), y, name="grid")


def cheapest_by_enumeration(model, x, table, wish):
    """The least distance of all rows on the grid for which the wish is met."""
    X = table.X.numpy()
    # Of the numbers every whole one is seen, so all of them lie within the bounds.
    choices = [np.union1d(np.unique(X[:, j]), x[j]) for j in range(X.shape[1])]
    rows = np.array(list(itertools.product(*choices)))
    scale = [spread(X[:, j]) for j in range(3)]
    prices = (rows != x).sum(1) + (rows[:, 3:] != x[3:]).sum(1)
    prices = prices + (np.abs(rows[:, :3] - x[:3]) / scale).sum(1)
    met = wish.gap(model.predict(torch.from_numpy(rows)).numpy()) <= 0
    return prices[met].min() if met.any() else np.inf


@pytest.mark.parametrize("seed", [0, 1])
def test_finds_what_enumeration_of_the_whole_grid_finds(seed):
    table = grid_table(seed=seed)
    model = tiny_model(table, scale=3.0, seed=seed)
    found = api.counterfactuals(model, table[:20], table, count=1)
    usual = model.predict(table.X).numpy()
    excess = []
    for i, x in enumerate(table.X[:20].numpy()):
        wish = wish_for(found.predictions[i], model.schema, SearchParams(), usual)
        best = cheapest_by_enumeration(model, x, table, wish)
        own = found.distances[found.of(i)]
        assert len(own) == np.isfinite(best)
        if len(own):
            assert own[0] >= best - 1e-9
            excess.append(own[0] / best - 1)
    assert np.mean(np.array(excess) < 1e-9) >= 0.9
    assert max(excess) < 0.2


def test_of_a_linear_model_it_is_the_nearest_point_in_closed_form():
    table = tiny_table(n=400, d=4, categorical=False)
    model = tiny_model(table, network="linear", scale=1.0)
    ranges = ranges_of(table)
    weight = model.network.first.weight
    slope = (weight[1] - weight[0]).detach().numpy() / model.encoder.scale.numpy()
    found = api.counterfactuals(model, table[:10], table, count=1)
    checked = 0
    for i, x in enumerate(table.X[:10].numpy()):
        target = 1 - int(found.predictions[i].argmax())
        scores = np.log(found.predictions[i])
        missing = scores[1 - target] - scores[target]
        towards = slope if target == 1 else -slope
        move = missing / towards
        inside = (x + move >= ranges.low) & (x + move <= ranges.high)
        if not inside.any():
            continue
        single = (1 + np.abs(move) / ranges.scale)[inside].min()
        own = found.distances[found.of(i)][0]
        # Values are multiples of a step of at most a hundredth of the spread.
        assert single - 1e-9 <= own <= single + 0.01
        checked += 1
    assert checked > 5


def test_every_counterfactual_is_valid_within_bounds_and_needs_all_of_its_changes():
    model = api.load_model("adult-mlp")
    rows = api.load_table("adult")[:3]
    found = api.counterfactuals(model, rows)
    background = api.background_for(model, rows, n=api.REFERENCE_ROWS)
    ranges, schema = ranges_of(background), model.schema
    decided = model.predict(torch.from_numpy(found.changed_data)).argmax(1).numpy()
    assert len(found.owners) > 6
    for i, owner in enumerate(found.owners):
        assert schema.classes[decided[i]] == found.wishes[owner]
        x, new = found.data[owner], found.changed_data[i]
        np.testing.assert_array_equal(found.changed[i], ~((x == new) | np.isnan(x)))
        for j in np.flatnonzero(found.changed[i]):
            feature = schema.features[j]
            assert not feature.immutable
            assert min(ranges.low[j], x[j]) <= new[j] <= max(ranges.high[j], x[j])
            assert new[j].is_integer() or not feature.integer
            if feature.kind == "categorical":
                assert new[j] in ranges.levels[j]
            back = new.copy()
            back[j] = x[j]
            outputs = model.predict(torch.from_numpy(back[None]))[0]
            assert schema.classes[int(outputs.argmax())] != found.wishes[owner], feature.name
    for owner in range(len(rows)):
        own = found.of(owner)
        assert (np.diff(found.distances[own]) >= 0).all()
        assert len({found.changed[i].tobytes() for i in own}) == len(own)


def test_what_a_person_cannot_change_stays_unless_it_is_allowed():
    table = grid_table(immutable=True)
    model = tiny_model(table, scale=3.0)
    numbers = slice(0, 3)
    kept = api.counterfactuals(model, table[:8], table)
    assert not kept.changed[:, numbers].any()
    freed = api.counterfactuals(model, table[:8], table, immutable=True, budget=10_000)
    assert freed.changed[:, numbers].any()
    best = [(freed.distances[freed.of(i)][:1], kept.distances[kept.of(i)][:1]) for i in range(8)]
    assert all(f[0] <= k[0] + 1e-9 for f, k in best if len(f) and len(k))


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_none_is_found_where_the_model_always_says_the_same(task):
    table = tiny_table(task=task)
    model = tiny_model(table, network="linear", scale=0.0)
    with torch.no_grad():
        model.network.first.bias.copy_(torch.arange(len(model.output_names)))
    wish = {"low": 9.0} if task == "regression" else {"target": "no"}
    found = api.counterfactuals(model, table[:3], table, **wish)
    assert len(found.owners) == 0
    assert not found.fulfilled.any()
    np.testing.assert_allclose(found.reached, found.predictions)
    assert found.to_frame().empty


def test_a_row_that_meets_the_wish_needs_no_change():
    table = grid_table()
    model = tiny_model(table, scale=3.0)
    outputs = model.predict(table.X[:10]).numpy()
    found = api.counterfactuals(model, table[:10], table, target="yes")
    np.testing.assert_array_equal(found.fulfilled, outputs.argmax(1) == 1)
    assert not any(len(found.of(i)) for i in np.flatnonzero(found.fulfilled))


def test_reaches_a_range_of_values_and_a_probability():
    table = tiny_table(task="regression", n=200)
    model = tiny_model(table)
    values = model.predict(table.X)[:, 0].numpy()
    low, high = np.quantile(values, [0.8, 0.95])
    found = api.counterfactuals(
        model, table[:4], table, budget=10_000, low=float(low), high=float(high)
    )
    assert len(found.owners)
    reached = found.changed_predictions[:, 0]
    assert ((reached >= low) & (reached <= high)).all()
    table = grid_table()
    model = tiny_model(table, scale=3.0)
    sure = api.counterfactuals(model, table[:8], table, target="yes", confidence=0.9, budget=10_000)
    assert len(sure.owners)
    assert (sure.changed_predictions[:, 1] >= 0.9).all()
    assert sure.wishes[0] == "yes with probability 0.9 or more"


def test_respects_the_number_of_changes_and_the_budget():
    model, rows = api.load_model("digits-mlp"), api.load_table("digits")[:2]
    found = api.counterfactuals(model, rows, max_changes=3, budget=20_000, count=2)
    assert found.changed.sum(1).max() <= 3
    assert found.provenance.evaluations <= 2 * 20_001 + 2000


def test_a_missing_value_may_be_filled_in():
    table = tiny_table(n=200, missing=True, categorical=False)
    model = tiny_model(table, scale=3.0)
    rows = table[np.flatnonzero(table.X.isnan().any(1).numpy())[:6]]
    found = api.counterfactuals(model, rows, table, budget=10_000)
    was_missing = np.isnan(found.data[found.owners])
    assert (found.changed & was_missing).any()
    assert not np.isnan(found.changed_data[found.changed]).any()
    same = ~found.changed
    np.testing.assert_array_equal(found.changed_data[same], found.data[found.owners][same])


def test_is_close_to_what_any_budget_finds():
    """With four times the budget little is gained."""
    model, rows = api.load_model("german-mlp"), api.load_table("german")[:3]
    usual = api.counterfactuals(model, rows, count=1)
    best = api.counterfactuals(model, rows, count=1, budget=400_000)
    assert len(usual.owners) == len(best.owners) == 3
    assert (usual.distances / best.distances).max() < 1.1


def test_a_wish_measures_what_is_missing():
    outputs = np.array([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3], [0.0, 1.0, 0.0], [0.4, 0.4, 0.2]])
    gap = Wish(1).gap(outputs)
    np.testing.assert_allclose(gap[0], np.log(0.7 / 0.2))
    assert (gap[[1, 2]] <= 0).all()
    assert gap[3] > 0, "a tie is not won"
    assert Wish(1, confidence=0.6).gap(outputs)[1] > 0
    values = np.array([[1.0], [3.0], [6.0]])
    np.testing.assert_allclose(Wish(None, low=2.0, high=4.0).gap(values), [1.0, 0.0, 2.0])


def test_the_budget_ends_the_search_and_not_the_program():
    table = grid_table()
    space = space_of(table.X[0].numpy(), table.schema, ranges_of(table), Limits())
    seen = []

    def gap(X):
        seen.append(len(X))
        return np.ones(len(X))

    assert not len(nearest(Asked(gap, 50), space, 1.0, count=2, max_changes=5))
    assert sum(seen) <= 50


@pytest.mark.parametrize(
    ("task", "params", "message"),
    [
        ("binary", {"target": "maybe"}, "There is no class 'maybe'; choose one of no, yes"),
        ("binary", {"low": 1.0}, "predicts a class, so low has no meaning"),
        ("regression", {"target": "yes"}, "predicts a value, so target has no meaning"),
        ("regression", {"low": 2.0, "high": 1.0}, r"low \(2\) must not be above high \(1\)"),
    ],
)
def test_says_what_is_wrong(task, params, message):
    table = tiny_table(task=task)
    with pytest.raises(InvalidInputError, match=message):
        api.counterfactuals(tiny_model(table), table[:2], table, **params)


def test_a_row_without_an_answer_is_named():
    table = tiny_table(task="regression")
    model = tiny_model(table)
    X = table.X.clone()
    X[1, 0] = np.inf
    with pytest.raises(InvalidInputError, match="no finite number for row 1 of 'tiny'"):
        api.counterfactuals(model, replace(table, X=X)[:3], table)


def test_a_result_says_its_changes_and_refuses_what_does_not_fit():
    table = grid_table()
    found = api.counterfactuals(tiny_model(table, scale=3.0), table[:4], table)
    frame = found.to_frame()
    assert list(frame.columns[:6]) == [
        "row", "counterfactual", "feature", "from", "to", "distance"
    ]  # fmt: skip
    assert len(frame) == found.changed.sum()
    assert set(frame["row"]) <= set(range(4))
    fields = {name: getattr(found, name) for name in vars(found)}
    with pytest.raises(InvalidInputError, match="do not fit their names"):
        Counterfactuals(**fields | {"wishes": found.wishes[:-1]})
    with pytest.raises(InvalidInputError, match="a row that is not there"):
        Counterfactuals(**fields | {"owners": found.owners + 4})


def test_progress_never_exceeds_what_was_announced():
    table = grid_table()
    steps = []
    api.counterfactuals(
        tiny_model(table, scale=3.0), table[:3], table, budget=2000,
        progress=lambda done, total, _: steps.append((done, total)),
    )  # fmt: skip
    assert all(0 < done <= total for done, total in steps)
    assert Context().seed == 0


@pytest.mark.parametrize("way", ["only_up", "only_down"])
def test_a_number_that_may_change_one_way_moves_that_way_alone(way):
    table = grid_table(immutable=True)
    model, sign = tiny_model(table, scale=3.0), 1 if way == "only_up" else -1
    moved = 0
    for number in ("n0", "n1", "n2"):
        found = api.counterfactuals(model, table[:8], table, count=1, **{way: number})
        change = found.changed_data - found.data[found.owners]
        j = table.schema.index(number)
        others = [i for i in range(3) if i != j]
        assert (sign * change[:, j] >= 0).all()
        assert not change[:, others].any(), "other numbers are immutable"
        moved += int((sign * change[:, j] > 0).sum())
    assert moved > 2, "an immutable number may change the way that is named"


def test_what_is_kept_stays_and_limits_cost_what_they_forbid():
    table = grid_table()
    model = tiny_model(table, scale=3.0)
    free = api.counterfactuals(model, table[:20], table, count=1)
    kept = api.counterfactuals(model, table[:20], table, count=1, keep="n0, c1", only_up="n1")
    assert not kept.changed[:, [0, 4]].any()
    assert (kept.changed_data[:, 1] >= kept.data[kept.owners, 1]).all()
    for row in set(kept.owners):
        least = [found.distances[found.owners == row].min() for found in (free, kept)]
        assert least[0] <= least[1] * 1.2 + 1e-9, "free search is near the least distance"


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"keep": "n9"}, "keep: there is no feature 'n9'; choose among n0, n1, n2, c0, c1"),
        ({"only_up": "c0"}, "only_up: feature 'c0' is a category"),
        ({"only_up": "n0", "only_down": "n0"}, "'n0' is limited in two ways"),
        ({"only_up": "n0", "keep": "n0"}, "'n0' is limited in two ways"),
    ],
)
def test_limits_that_do_not_fit_are_refused(named, said):
    table = grid_table()
    with pytest.raises(InvalidInputError, match=said):
        api.counterfactuals(tiny_model(table), table[:1], table, **named)


def test_a_missing_number_stays_missing_where_it_may_move_one_way():
    table = grid_table()
    row = table.X[0].numpy().copy()
    row[0] = np.nan
    limits = limits_for(table.schema, only_up="n0", immutable=False)
    space = space_of(row, table.schema, ranges_of(table), limits)
    assert 0 not in space.features
