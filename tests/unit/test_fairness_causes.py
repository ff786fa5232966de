"""What gaps between groups are made of: closed forms, all coalitions, and planted proxies."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.gap_causes import grouped_table, tiny_causes
from tests.networks import shapley_by_permutations, tiny_model, value_by_definition
from workbench.api import gap_causes
from workbench.core.errors import InvalidInputError
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table
from workbench.engines.fairness.causes import difference_of_parts, mean_difference
from workbench.engines.fairness.sharing import PARTS


def of_groups(table):
    group = table.X[:, -1].numpy()
    return group == 0, group == 1


def linear_parts(model, table, one, other):
    """w (mean of one group less mean of the other), added up over the columns of a feature."""
    weights = model.network.state_dict()
    (weight,) = [w for name, w in weights.items() if name.endswith("weight")]
    direction = (weight[-1] - weight[0] if len(weight) > 1 else weight[0]).numpy()
    encoded = model.encode(table.X).numpy()
    moved = direction * (encoded[one].mean(0) - encoded[other].mean(0))
    return np.bincount(model.groups.numpy(), moved, len(table.schema.features))


@pytest.mark.parametrize("explanation", ["exact", "permutation", "auto"])
def test_a_linear_model_has_the_closed_form(explanation):
    table = grouped_table(n=50)
    model = tiny_model(table, network="linear")
    found = gap_causes(model, table, table[:10], output="score", explanation=explanation)
    one, other = of_groups(table)
    assert found.pairs in {(("f", "m"),), (("m", "f"),)}  # the larger group is the reference
    if found.pairs[0] == ("m", "f"):
        one, other = other, one
    expected = linear_parts(model, table, one, other)
    np.testing.assert_allclose(found.contributions[0, :, 0], expected, atol=1e-9)
    scores = model.scores(table.X)[:, -1].numpy()
    gap = scores[one].mean() - scores[other].mean()
    assert found.gaps[0, 0] == pytest.approx(gap, abs=1e-9)
    assert abs(found.missed[0]) < 1e-9
    # Against any background a linear model says the same: only rows are drawn.
    width = np.ptp(found.contributions[0, :, 1:], axis=1)
    assert (width > 0).all()


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("explanation", ["exact", "permutation", "kernel"])
def test_the_parts_sum_to_the_gap(task, explanation):
    table = grouped_table(n=30, task=task)
    model = tiny_model(table)
    found = gap_causes(model, table, table[:9], explanation=explanation)
    outputs = model.predict(table.X)[:, -1].numpy()
    group = table.X[:, -1].numpy()
    codes = {"f": 0, "m": 1}
    own, other = (outputs[group == codes[name]].mean() for name in found.pairs[0])
    assert found.gaps[0, 0] == pytest.approx(own - other, abs=1e-9)
    assert found.contributions[0, :, 0].sum() == pytest.approx(own - other, abs=1e-6)
    np.testing.assert_allclose(found.means[0], (own, other))


def test_exact_parts_are_those_of_all_orders():
    table = grouped_table(n=24)
    model = tiny_model(table)
    background = table[:10]
    found = gap_causes(model, table, background, explanation="exact")
    values = []
    for x in table.X:
        own = shapley_by_permutations(
            lambda known, x=x: value_by_definition(model, x, background.X, known), 4
        )
        values.append(own[:, -1].numpy())
    values, group = np.stack(values), table.X[:, -1].numpy()
    codes = {"f": 0, "m": 1}
    one, other = (group == codes[name] for name in found.pairs[0])
    expected = values[one].mean(0) - values[other].mean(0)
    np.testing.assert_allclose(found.contributions[0, :, 0], expected, atol=1e-9)
    np.testing.assert_allclose(found.effects[:, 0], np.abs(values).mean(0), atol=1e-9)


def test_what_own_values_account_for_is_all_of_an_additive_models_parts():
    table = grouped_table(n=200)
    model = tiny_model(table, network="linear")
    found = gap_causes(model, table, table[:30], output="score", explanation="exact")
    categories = [i for i, f in enumerate(table.schema.features) if f.categories]
    np.testing.assert_allclose(
        found.own_parts[0, categories], found.contributions[0, categories, 0], atol=1e-9
    )
    # By hand for one category: mean of (P(a | value) - P(a)) times its attribution.
    c = categories[0]
    column, group = table.X[:, c].numpy(), table.X[:, -1].numpy()
    belongs = (group == {"f": 0, "m": 1}[found.pairs[0][0]]).astype(float)
    raised = np.array([belongs[column == value].mean() for value in column]) - belongs.mean()
    encoded = model.encode(table.X).numpy()
    weight = model.network.state_dict()
    (weight,) = [w for name, w in weight.items() if name.endswith("weight")]
    direction = (weight[-1] - weight[0] if len(weight) > 1 else weight[0]).numpy()
    of_feature = model.groups.numpy() == c
    effect = (encoded * direction)[:, of_feature].sum(1)
    assert found.shifts[0, c, 0] == pytest.approx((raised * effect).mean(), abs=1e-9)


def planted(n=600, seed=0):
    """A score of a proxy and of noise; the group lies beside the table, unread."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 2, n)
    X = np.stack([group + 0.7 * rng.normal(size=n), rng.normal(size=n), rng.normal(size=n)], 1)
    features = tuple(Feature(name=name, range=(-4.0, 5.0)) for name in ("proxy", "used", "unused"))
    schema = Schema(features=features, target="y", task="binary", classes=("no", "yes"),
                    favourable="yes")  # fmt: skip
    ids = torch.arange(n)
    own = Feature(name="sex", kind="categorical", categories=("f", "m"), protected=True)
    aside = Table(Schema(features=(own,)), torch.from_numpy(group[:, None].astype(float)), ids)
    y = torch.from_numpy(rng.integers(0, 2, n))
    return Table(schema, torch.from_numpy(X), ids, y, name="planted", aside=aside)


def test_a_planted_proxy_is_found_though_the_group_is_not_read():
    table = planted()
    found = gap_causes(tiny_model(table), table, table[:30], max_rows=100)
    proxy, used, unused = found.told[0]
    assert proxy[1] > 0.75
    for noise in (used, unused):
        assert noise[1] < 0.5 < noise[2]
    assert found.remaining[0, 1] > 0.75
    assert not found.itself.any()
    assert found.order(0)[0] == 0
    nothing = table[np.arange(len(table))]
    shuffled = torch.from_numpy(np.random.default_rng(3).permutation(len(table)))
    nothing = replace(nothing, aside=replace(table.aside, X=table.aside.X[shuffled]))
    none = gap_causes(tiny_model(table), nothing, table[:30], max_rows=50)
    assert none.remaining[0, 1] < 0.5 < none.remaining[0, 2]


def test_the_attribute_is_left_out_of_what_remains():
    found = tiny_causes()
    assert found.itself.tolist() == [[False, False, False, True]]
    assert found.told[0, 3, 0] == 1
    assert found.remaining[0, 0] < 0.95


def test_intervals_cover_about_as_often_as_they_say():
    """Rows with an attribution each, and an error that all rows of a background part share."""
    hit = []
    for seed in range(400):
        draw = np.random.default_rng(seed)
        own, other = draw.normal(0.3, 1.0, (1, 40, 3)), draw.normal(0.0, 2.0, (1, 90, 3))
        shift = 0.4 * draw.normal(size=(PARTS, 1, 3))
        found = difference_of_parts(own + shift, other + 0 * shift)
        hit.append((found[:, 1] <= 0.3) & (found[:, 2] >= 0.3))
    assert 0.93 < np.mean(hit) < 0.99
    # Without that error, Welch's interval of few rows of unequal spread.
    draw, alone = np.random.default_rng(0), []
    for _ in range(400):
        ((_, low, high),) = mean_difference(draw.normal(0.3, 1, (8, 1)), draw.normal(0, 3, (50, 1)))
        alone.append(low <= 0.3 <= high)
    assert 0.92 < np.mean(alone) < 0.98


def test_the_choice_of_the_background_is_part_of_the_interval():
    table = grouped_table(n=40)
    model = tiny_model(table)
    found = [gap_causes(model, table, table.sample(20, seed=seed), explanation="exact")
             for seed in range(6)]  # fmt: skip
    parts = np.stack([one.contributions[0, :, 0] for one in found])
    alone = gap_causes(model, table, table[: PARTS * 2 - 1], explanation="exact")
    assert "too few to say" in alone.provenance.notes[-1]
    half = np.stack([np.ptp(one.contributions[0, :, 1:], axis=1) / 2 for one in found])
    rows_alone = np.ptp(alone.contributions[0, :, 1:], axis=1) / 2
    assert (parts.std(0) < half.mean(0)).all()
    assert (half.mean(0) > 0.8 * rows_alone).all()


def test_among_keeps_those_with_the_outcome():
    table = grouped_table()
    model = tiny_model(table)
    kept = np.flatnonzero(table.y.numpy() == 1)
    found = gap_causes(model, table, table[:20], among="favourable", explanation="exact")
    alone = gap_causes(model, table[kept], table[:20], explanation="exact")
    np.testing.assert_array_equal(found.contributions, alone.contributions)
    other = gap_causes(model, table, table[:20], among="unfavourable", explanation="exact")
    assert other.sizes.sum() == len(table) - len(kept)
    assert "with the favourable outcome count" in " ".join(found.provenance.notes)


def test_each_level_is_held_against_the_largest():
    table = grouped_table()
    model = tiny_model(table)
    found = gap_causes(model, table, table[:9], by="sex,c1", explanation="exact")
    sizes = {name: int((table.X[:, 1] == i).sum())
             for i, name in enumerate(table.schema.features[1].categories)}  # fmt: skip
    largest = max(sizes, key=sizes.get)
    of_c1 = [pair for pair, at in zip(found.pairs, found.pair_attributes, strict=True) if at == 1]
    assert {other for _, other in of_c1} == {largest}
    assert [group for group, _ in of_c1] == sorted(
        (name for name in sizes if name != largest), key=lambda name: -sizes[name]
    )
    assert found.pair_index("sex: f against m" if "sex: f against m" in found.pair_names
                            else "sex: m against f") == 0  # fmt: skip
    frame = found.to_frame()
    assert len(frame) == len(found) * 4
    assert frame.groupby(["attribute", "group"])["contribution"].sum().to_numpy() == pytest.approx(
        frame.groupby(["attribute", "group"])["gap"].first().to_numpy(), abs=1e-9
    )


def test_a_group_of_one_row_has_no_interval_and_says_why():
    table = grouped_table(n=40)
    X = table.X.clone()
    X[:, 3] = 1.0
    X[0, 3] = 0.0
    found = gap_causes(tiny_model(table), replace(table, X=X), table[:20])
    assert np.isfinite(found.gaps[0, 0])
    assert np.isnan(found.gaps[0, 1:]).all()
    assert np.isnan(found.told[0]).all()
    assert found.reason(0) == "only 1 row of f was explained"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"by": "colour"}, "There is no column colour to group by"),
        ({"favourable": "maybe"}, "has no class 'maybe'"),
        ({"explanation": "guess"}, "explanation"),
        ({"max_rows": 1}, "max_rows"),
    ],
)
def test_says_what_is_wrong(change, message):
    table = grouped_table()
    with pytest.raises(InvalidInputError, match=message):
        gap_causes(tiny_model(table), table, table[:20], **change)


def test_says_what_a_number_lacks():
    table = grouped_table(task="regression")
    with pytest.raises(InvalidInputError, match="leave favourable empty and use among=all"):
        gap_causes(tiny_model(table), table, table[:20], among="favourable")
    binary = grouped_table()
    with pytest.raises(InvalidInputError, match="does not say what is true"):
        gap_causes(tiny_model(binary), replace(binary, y=None), binary[:20], among="favourable")
    with pytest.raises(InvalidInputError, match="There is no pair 'x'"):
        tiny_causes().pair_index("x")
