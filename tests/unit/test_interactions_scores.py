"""Scores of pairs: which functions' interactions are found, what a result says, bad input."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from tests.interaction_functions import (
    NID,
    Function,
    interacting,
    model_of,
    nid_rows,
    normal,
    table_of,
)
from tests.networks import Opaque, tiny_model, tiny_table
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import DataError, InvalidInputError
from workbench.core.interaction_scores import FLOOR, NONE
from workbench.core.method import METHODS
from workbench.engines.interactions.candidates import MOST_SETS, chosen_triples
from workbench.engines.interactions.params import ScoresParams
from workbench.engines.interactions.scene import make_scene


@pytest.mark.parametrize("number", NID)
def test_finds_the_interactions_of_known_functions(number):
    X = nid_rows(number, 1000, seed=number)
    table = table_of(X)
    model = model_of(Function(NID[number][0]), table.schema)
    found = api.interaction_scores(model, table, permutations=3)
    score = roc_auc_score(interacting(number), found.mixed[0, :, 0])
    assert score >= 0.999


def test_a_linear_model_has_no_interactions():
    table = tiny_table(n=100, d=6, task="regression")
    model = tiny_model(table, network="linear")
    for network in (model.network, Opaque(model.network)):
        found = api.interaction_scores(replace(model, network=network), table, order=3)
        assert np.abs(found.mixed).max() < 1e-10
        assert found.totals.min() > 1e-3


def test_a_shifted_feature_that_the_model_makes_up_for_changes_nothing():
    X = normal(300, 4)
    table, moved = table_of(X), table_of(X + torch.tensor([0.0, 50.0, 0.0, 0.0]))
    first = nn.Linear(4, 8).double()
    rest = nn.Sequential(nn.Tanh(), nn.Linear(8, 1).double())
    shifted = nn.Linear(4, 8).double()
    with torch.no_grad():
        shifted.weight.copy_(first.weight)
        shifted.bias.copy_(first.bias - 50 * first.weight[:, 1])
    one = api.interaction_scores(model_of(nn.Sequential(first, *rest), table.schema), table)
    two = api.interaction_scores(model_of(nn.Sequential(shifted, *rest), table.schema), moved)
    np.testing.assert_allclose(one.mixed, two.mixed, rtol=1e-6)


def product_table(n=400):
    X = normal(n, 4)
    return table_of(X, X[:, 0] * X[:, 1] + X[:, 2])


def product_model(table):
    return model_of(Function(lambda a, b, c, _: a * b + c), table.schema)


def test_a_result_says_which_pairs_matter():
    table = product_table()
    found = api.interaction_scores(product_model(table), table, detector="both")
    assert found.detectors == ("mixed-difference", "loss")
    assert found.set_names == tuple(itertools.combinations(("x1", "x2", "x3", "x4"), 2))
    top = found.top(2)
    assert top["set"][0] == "x1 and x2"
    assert list(top["matters"]) == [True, False]
    assert top["share"][0] == pytest.approx(0.5, abs=0.15)
    assert top["signed"][0] > 0
    # The model is right, so a shuffle can only make it worse: less together than each alone.
    assert top["loss"][0] == pytest.approx(-2 * top["mixed"][0], abs=4 * top["loss_std_error"][0])
    assert found.top(1, by="loss")["set"][0] == "x1 and x2"
    frame = found.to_frame()
    assert len(frame) == 6
    assert frame["third"].eq("").all()
    assert found.place("x2", "x1") == 0
    assert 0 < FLOOR < 0.01


def test_other_detectors_score_the_same_sets():
    table = tiny_table(n=50, d=5, task="binary")
    found = api.interaction_scores(tiny_model(table), table, compare=True, order=3)
    assert found.detectors == ("mixed-difference", "contexts", "weights")
    assert found.in_contexts.shape == found.by_weights.shape == found.mixed.shape
    for by in found.detectors:
        assert len(found.top(3, by=by, order=3)) == 3
        assert (np.diff(found.order_of(by=by)) != 0).all()
    frame = found.top(10, by="contexts")
    assert frame["contexts"].is_monotonic_decreasing
    assert found.top(10, by="weights")["weights"].is_monotonic_decreasing
    product = product_table(30)
    other = api.interaction_scores(product_model(product), product, compare=True)
    assert other.detectors == ("mixed-difference", "contexts")
    assert other.top(1, by="contexts")["set"][0] == "x1 and x2"


@pytest.mark.parametrize("d", [2, 3, 6, 62])
def test_what_it_takes_is_known_before(d):
    table = table_of(normal(20, d))
    model = model_of(Function(lambda *x: sum(x) + x[0] * x[1]), table.schema)
    params = ScoresParams(permutations=2, order=3, compare=True)
    found = api.interaction_scores(model, table, **params.model_dump())
    bound = METHODS["interactions.scores"].cost(model, 20, 0, params).evaluations
    assert found.provenance.evaluations <= bound


def test_triples_come_beside_pairs():
    X = normal(500, 4)
    table = table_of(X)
    model = model_of(Function(lambda a, b, c, d: a * b * c + d), table.schema)
    found = api.interaction_scores(model, table, order=3)
    assert list(found.orders) == [2] * 6 + [3] * 4
    assert (found.sets[:6, 2] == NONE).all()
    assert found.top(1, order=3)["set"][0] == "x1 and x2 and x3"
    # An effect of three is one of each of its pairs.
    pairs = found.mixed[0, [found.place("x1", "x2"), found.place("x2", "x3")], 0]
    np.testing.assert_allclose(found.mixed[0, found.place("x1", "x2", "x3"), 0], pairs, rtol=0.5)


def test_triples_are_those_whose_weakest_pair_is_strongest():
    pairs = list(itertools.combinations(range(20), 2))
    strength = np.random.default_rng(0).random(len(pairs))
    chosen = chosen_triples(pairs, strength, 20)
    known = dict(zip(pairs, strength, strict=True))
    weakest = {
        one: min(known[pair] for pair in itertools.combinations(one, 2))
        for one in itertools.combinations(range(20), 3)
    }
    best = sorted(weakest, key=weakest.get, reverse=True)[:MOST_SETS]
    assert chosen == sorted(best)


def test_wide_tables_are_screened():
    d, n = 70, 300
    X = normal(n, d)
    table = table_of(X)
    model = model_of(
        Function(lambda *x: x[3] * x[60] + x[10] * x[69] + sum(x)), table.schema
    )  # fmt: skip
    found = api.interaction_scores(model, table, permutations=2)
    assert found.mixed.shape == (1, MOST_SETS, 1)
    assert found.n_possible == math.comb(d, 2)
    assert set(found.top(2)["set"]) == {"x4 and x61", "x11 and x70"}
    assert "of 2,415 pairs the 500" in " ".join(found.provenance.notes)


def test_constant_features_and_outputs_have_no_interactions():
    X = normal(50, 3)
    X[:, 1] = 2.0
    table = table_of(X)
    found = api.interaction_scores(
        model_of(Function(lambda a, b, c: a * b * c), table.schema), table
    )  # fmt: skip
    assert found.mixed[0, found.place("x1", "x2"), 0] < 1e-20
    assert found.mixed[0, found.place("x1", "x3"), 0] > 0
    still = api.interaction_scores(model_of(Function(lambda a, *_: 0 * a), table.schema), table)
    assert (still.shares == 0).all()


def test_copies_of_a_feature_are_redundant_in_the_loss_without_interacting():
    X = normal(2000, 2)
    X[:, 1] = X[:, 0]
    table = table_of(X, X[:, 0])
    model = model_of(Function(lambda a, b: (a + b) / 2), table.schema)
    found = api.interaction_scores(model, table, detector="both")
    assert found.mixed[0, 0, 0] < 1e-12
    # (x - x')^2 when both are taken, a quarter of it for each alone: 2 - 2 * 0.5.
    assert found.losses[0, 0] == pytest.approx(1, abs=0.1)


def test_of_categories_without_order_there_is_no_sign():
    table = tiny_table(n=60, d=5, task="multiclass")
    found = api.interaction_scores(tiny_model(table), table)
    many = [len(feature.categories) > 2 for feature in table.schema.features]
    assert any(many)
    for one, signed in zip(found.sets, found.signed[0], strict=True):
        assert np.isnan(signed).all() == any(many[i] for i in one if i != NONE)


def test_classes_have_scores_in_the_loss():
    table = tiny_table(n=80, d=4, task="binary")
    found = api.interaction_scores(tiny_model(table), table, detector="both", permutations=2)
    assert found.loss_unit == "nats"
    assert found.unit == "log-odds"
    np.testing.assert_allclose(found.mixed[..., 0], found.mixed[..., 1])  # log-odds mirror
    assert np.isfinite(found.losses).all()


def test_rows_are_drawn_where_there_are_many():
    table = product_table()
    found = api.interaction_scores(product_model(table), table, max_rows=50)
    assert "50 of 400 rows were drawn" in found.provenance.notes


def test_bad_input_is_refused_in_words():
    table = product_table(20)
    model = product_model(table)
    with pytest.raises(InvalidInputError, match="has one row; give at least two"):
        api.interaction_scores(model, table[:1])
    with pytest.raises(InvalidInputError, match="does not say what is true"):
        api.interaction_scores(model, replace(table, y=None), detector="both")
    with pytest.raises(InvalidInputError, match="run with detector 'both' for those in the loss"):
        api.interaction_scores(model, table).top(by="loss")
    alone = table_of(normal(20, 1))
    with pytest.raises(InvalidInputError, match="it takes two to do something together"):
        api.interaction_scores(model_of(Function(lambda a: a), alone.schema), alone)
    found = api.interaction_scores(model, table)
    with pytest.raises(InvalidInputError, match="x1, x2, x3 was not scored"):
        found.place("x1", "x2", "x3")
    with pytest.raises(DataError, match="no feature 'z'"):
        found.place("x1", "z")


def test_rows_without_an_answer_after_an_exchange_are_refused():
    X = torch.tensor([[1.0, 1.0], [-1.0, -1.0], [2.0, 2.0]], dtype=torch.float64)
    table = table_of(X)
    model = model_of(Function(lambda a, b: (a * b).sqrt()), table.schema)
    with pytest.raises(InvalidInputError, match="no finite number for some rows of 'numbers'"):
        api.interaction_scores(model, table)


def test_an_impossible_true_class_is_said_to_make_the_loss_infinite():
    table = tiny_table(n=20, d=3, task="binary")
    model = tiny_model(table)

    class Sure(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("place", torch.zeros(1, dtype=torch.float64))

        def forward(self, inputs):
            sure = torch.full((len(inputs), 1), -torch.inf, dtype=inputs.dtype)
            return torch.cat([sure, torch.zeros_like(sure)], 1)

    scene = make_scene(
        model, table, Context(), output="probability", permutations=1, at_most=20, labelled=True
    )
    with pytest.raises(InvalidInputError, match="the loss is infinite"):
        scene.measure(replace(model, network=Sure()), [(0, 1)])
