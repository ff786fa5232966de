"""Is it in the data: what is found and what is not, what labels are drawn, what a result says."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from tests.interaction_functions import model_of, table_of, uniform
from tests.interaction_tests import QUICK, some_test, tiny_test
from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.interaction_scores import FLOOR
from workbench.core.method import METHODS
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table
from workbench.engines.interactions.additive_world import make_world
from workbench.engines.interactions.bootstrap import NAME

D, ROWS = 3, 800


class Small(nn.Module):
    """A network whose layers can be drawn anew."""

    def __init__(self, d, k):
        super().__init__()
        self.first = nn.Linear(d, 24)
        self.last = nn.Linear(24, k)

    def rest(self, hidden):
        return self.last(hidden.relu())

    def forward(self, inputs):
        return self.rest(self.first(inputs))


def additive(X):
    return (3 * X[:, 0]).sin() + 2 * X[:, 1].abs() + X[:, 2]


def product(X):
    return additive(X) + 3 * X[:, 0] * X[:, 1]


@cache
def outcome(function, classes, seed=0, **params):
    X = uniform(ROWS, D, seed=seed)
    f, random = function(X), torch.Generator().manual_seed(100 + seed)
    if classes:
        unit = torch.rand(ROWS, generator=random, dtype=torch.float64)
        table = table_of(X, (unit < (6 * (f - f.median())).sigmoid()).long())
        changes = {"task": "binary", "classes": ("no", "yes")}
        table = replace(table, schema=table.schema.model_copy(update=changes))
    else:
        noise = 0.3 * torch.randn(ROWS, generator=random, dtype=torch.float64)
        table = table_of(X, f + noise)
    torch.manual_seed(seed)
    network = Small(D, len(table.schema.output_names))
    model = model_of(network, table.schema).to(dtype=torch.float32)
    settings = {"simulations": 6, "refits": 2, "epochs": 30, "rate": 0.01, "batch": 100}
    return api.interaction_test(model, table, table.split("test"), **(settings | params))


@pytest.mark.parametrize("classes", [False, True])
def test_additive_data_have_no_interaction(classes):
    found = outcome(additive, classes)
    assert not found.in_data.any()
    assert found.p.min() > 1e-3
    assert found.additive_is_as_good
    assert set(found.verdicts) <= {"spurious", "open", "own", "none"}


@pytest.mark.parametrize("classes", [False, True])
def test_a_product_is_found_and_nothing_else(classes):
    found = outcome(product, classes, seed=1)
    assert list(found.in_data) == [pair == "x1 and x2" for pair in found.pair_names]
    assert found.typical[0] > max(0.1, found.band_high[0])
    assert not found.additive_is_as_good
    assert found.network_excess == pytest.approx(
        found.network_losses.mean() - found.additive_loss, rel=1e-9
    )
    line = found.to_frame().iloc[0]
    assert (line["feature"], line["other"], line["verdict"]) == ("x1", "x2", "in the data")
    assert line["times"] == pytest.approx(line["observed"] / line["without"])


def test_the_given_model_is_scored_as_scores_do():
    table = tiny_table(n=100, task="regression")
    model = tiny_model(table)
    found = api.interaction_test(model, table, table.split("test"), permutations=3, **QUICK)
    scores = api.interaction_scores(model, table.split("test"), permutations=3, max_rows=20)
    np.testing.assert_allclose(found.given, scores.shares[0, :, 0], rtol=1e-9)
    np.testing.assert_array_equal(found.pairs, scores.sets[:, :2])
    truth, said = table.split("test").y, model.predict(table.split("test").X)[:, 0]
    assert found.given_loss == pytest.approx(float((said - truth).square().mean()))


def rows_with(y, n, seed=0):
    schema = Schema(
        features=(Feature(name="a"), Feature(name="b")), target="y",
        task="regression" if y.is_floating_point() else "multiclass",
        classes=() if y.is_floating_point() else ("r", "g", "b"),
    )  # fmt: skip
    return Table(schema, uniform(n, 2, seed=seed), torch.arange(n), y, name="made")


def world_of(table, **options):
    return make_world(model_of(Small(2, 1), table.schema), table, own_noise=False, **options)


def test_classes_are_drawn_by_their_probabilities():
    X = uniform(1000, 2)
    shares = torch.stack([X[:, 0], 2 * X[:, 1], -X[:, 0]], 1).softmax(1)
    drawn = torch.multinomial(shares, 1, generator=torch.Generator().manual_seed(0))[:, 0]
    world = world_of(rows_with(drawn, 1000))
    labels = np.stack([world.labels(number, Context())[0] for number in range(200)])
    said = torch.from_numpy(world.additive.logits(world.train.X)).softmax(1).numpy()
    for k in range(3):
        share = (labels == k).mean(0)
        z = (share - said[:, k]) / np.sqrt(said[:, k] * (1 - said[:, k]) / 200)
        assert np.square(z).mean() == pytest.approx(1, abs=0.15)


def test_what_is_added_to_values_is_as_much_as_the_additive_model_misses():
    X = uniform(2000, 2)
    wide = 0.5 + (X[:, 0] > 0)
    noise = wide * torch.randn(2000, generator=torch.Generator().manual_seed(1)).double()
    table = rows_with(X[:, 0] + X[:, 1] ** 2 + noise, 2000)
    for own in (False, True):
        model = model_of(Small(2, 1), table.schema)
        world = make_world(model, table, own_noise=own)
        for part in (0, 1):
            rows = (world.train, world.validation)[part]
            said = world.additive.logits(rows.X)[:, 0]
            added = np.stack([world.labels(i, Context())[part] for i in range(40)]) - said
            assert added.std() == pytest.approx(float(noise.std()), rel=0.08)
            noisy = rows.X[:, 0] > 0
            ratio = added[:, noisy].std() / added[:, ~noisy].std()
            assert ratio == pytest.approx(3 if own else 1, rel=0.2)


def test_networks_that_are_linear_show_nothing():
    table = tiny_table(n=100, task="regression")
    model = tiny_model(table, network="linear")
    found = api.interaction_test(model, table, table.split("test"), **QUICK)
    assert max(found.given.max(), found.observed.max(), found.simulated.max()) < 1e-10
    assert not found.in_data.any()
    assert set(found.verdicts) == {"none"}


def test_pairs_that_were_screened_out_count_as_tested():
    table = tiny_table(n=60, d=61, task="regression", categorical=False)
    model = tiny_model(table)
    found = api.interaction_test(
        model, table, table.split("test"), permutations=1, **(QUICK | {"epochs": 1})
    )
    assert (len(found.pairs), found.n_possible) == (500, 61 * 30)
    assert "500 that were strongest" in " ".join(found.provenance.notes)
    assert found.q.min() >= min(1, found.p.min() * found.n_possible / 500) - 1e-12


def test_a_black_box_is_refused_in_a_sentence():
    table = tiny_table(n=100)
    model = tiny_model(table)
    model.network.black_box = True
    with pytest.raises(InvalidInputError, match="is a black box, and a network that cannot be"):
        api.interaction_test(model, table, table.split("test"))
    assert METHODS[NAME].lacks(model)


def test_what_does_not_fit_is_refused_by_name():
    table = tiny_table(n=100)
    model, rows = tiny_model(table), table.split("test")
    same = replace(table, y=torch.zeros(100, dtype=torch.long))
    for given, whole, message in (
        (rows, replace(table, y=None), "'tiny' does not say what is true"),
        (replace(rows, y=None), table, "'tiny/test' does not say what is true"),
        (rows, table[:40], "has 40 rows, too few to train networks on; give at least 50"),
        (rows, same, "All training rows of table 'tiny' have the same y"),
    ):
        with pytest.raises(InvalidInputError, match=message):
            api.interaction_test(model, whole, given, **QUICK)
    one = tiny_table(n=100, d=1)
    with pytest.raises(InvalidInputError, match="reads one feature"):
        api.interaction_test(tiny_model(one), one, one.split("test"), **QUICK)


def test_rows_that_networks_were_trained_on_are_told():
    table = tiny_table(n=100)
    found = api.interaction_test(tiny_model(table), table, table, **QUICK)
    assert any(note.startswith("80 of the 100 rows") for note in found.provenance.notes)
    assert not any("were trained on" in note for note in tiny_test().provenance.notes)


def test_verdicts_follow_from_shares_and_the_band():
    result = some_test()
    assert result.verdicts == ("data", "spurious", "own", "none")
    assert result.given[3] < FLOOR
    # One network on the real labels has as much, by chance or not, and no other has.
    observed, high = result.observed.copy(), result.band_high[2]
    observed[0, 2] = result.given[2] + 0.01
    assert result.given[2] > high
    assert replace(result, observed=observed).verdicts[2] == "open"
    assert list(result.order[:1]) == [0]
    assert result.to_frame()["verdict"].iloc[0] == "in the data"
    assert sorted(result.order) == [0, 1, 2, 3]
    np.testing.assert_allclose(result.typical, np.exp(np.log(result.observed).mean(0)))
    assert not result.additive_is_as_good
    assert some_test(excess=-0.01).additive_is_as_good


def test_refuses_parts_that_do_not_go_together():
    result = some_test()
    with pytest.raises(InvalidInputError, match="not among the 5"):
        replace(result, pairs=result.pairs + 3)
