"""Two contexts and weights as detectors, on functions whose interactions are known."""

import itertools

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from tests.interaction_functions import Function, model_of, normal, table_of
from tests.networks import Opaque, tiny_model, tiny_table
from workbench.core.context import Context
from workbench.engines.interactions.scene import make_scene
from workbench.numerics.pair_weights import pair_weights

D, QUARTER = 40, 10


def _and(x, wanted):
    """1 where all columns have their wanted sign, else -1."""
    met = torch.stack([x[i] == sign for i, sign in wanted.items()]).all(0)
    return 2.0 * met - 1.0


def _products(*x):
    one, two, three = (sum(x[a:b]) for a, b in ((0, 10), (10, 20), (20, 30)))
    squares = sum(x[i] ** 2 for i in range(10))
    return (one**2 - squares) / 2 + two * three + sum(x)


UP = dict.fromkeys(range(20), 1.0)
TEN = dict.fromkeys(range(10, 30), 1.0)
# Functions of 40 signs, and the sets of features all of whose pairs interact.
RARE = {
    1: _products,
    2: lambda *x: _and(x, UP) + _and(x, TEN) + sum(x),
    3: lambda *x: _and(x, dict.fromkeys(range(20), -1.0)) + _and(x, TEN) + sum(x),
    4: lambda *x: _and(x, {0: 1.0, 1: 1.0, 2: -1.0}) + _and(x, TEN) + sum(x),
}
PAIRS = list(itertools.combinations(range(D), 2))


def interacts(number, i, j):
    if number == 1:
        return j < 10 or (10 <= i < 20 and 20 <= j < 30)
    first = range(3) if number == 4 else range(20)
    return (i in first and j in first) or (i >= 10 and j < 30)


@pytest.mark.parametrize("number", RARE)
def test_two_contexts_find_rare_conjunctions(number):
    """Which random rows hardly ever meet: one in a million has twenty given signs."""
    up = torch.ones(1, D, dtype=torch.float64)
    table = table_of(torch.cat([up, up]))
    model = model_of(Function(RARE[number]), table.schema)
    scene = make_scene(
        model, table, Context(), output="score", permutations=1, at_most=2, labelled=False
    )
    truth = [interacts(number, i, j) for i, j in PAIRS]
    found = scene.in_contexts(model, PAIRS, -up[0])[:, 0]
    assert roc_auc_score(truth, found) == 1.0


def test_two_contexts_follow_the_definition():
    table = tiny_table(n=6, d=4, task="regression")
    model = tiny_model(table)
    scene = make_scene(
        model, table, Context(), output="score", permutations=1, at_most=6, labelled=False
    )
    reference = table.X[3]
    (found,) = scene.in_contexts(model, [(0, 1)], reference)

    def difference(x, other):
        rows = []
        for members in ((), (0,), (1,), (0, 1)):
            row = x.clone()
            row[list(members)] = other[list(members)]
            rows.append(row)
        said = model.predict(torch.stack(rows))[:, 0]
        return said[0] - said[1] - said[2] + said[3]

    wanted = [(difference(x, reference) ** 2 + difference(reference, x) ** 2) / 2 for x in table.X]
    torch.testing.assert_close(found[0], torch.stack(wanted).mean())


def test_weights_follow_the_definition():
    table = tiny_table(n=20, d=4, task="binary")
    model = tiny_model(table)
    first, second, last = (m.weight for m in model.network.modules() if isinstance(m, nn.Linear))
    read_out = (last[1] - last[0]).abs() @ second.abs()
    groups = model.groups.tolist()
    for members in ((0, 1), (1, 3), (0, 1, 2)):
        total = 0.0
        for unit in range(len(first)):
            strengths = [
                max(abs(float(first[unit, c])) for c, g in enumerate(groups) if g == feature)
                for feature in members
            ]
            total += float(read_out[unit]) * min(strengths)
        found = pair_weights(model, [members])
        np.testing.assert_allclose(found[0, 1], total)


def test_weights_of_features_that_never_meet_are_nothing():
    table = table_of(normal(10, 4))
    network = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
    with torch.no_grad():
        network[0].weight[:3, 2:] = 0
        network[0].weight[3:, :2] = 0
    found = pair_weights(model_of(network, table.schema), [(0, 1), (0, 2), (1, 3), (2, 3)])
    assert (found[:, 0] > 0).tolist() == [True, False, False, True]


def test_weights_of_other_networks_say_nothing():
    table = tiny_table(n=10, d=3, task="regression")
    assert pair_weights(model_of(Function(lambda *x: x[0]), table.schema), [(0, 1)]) is None
    resnet = tiny_model(table, network="tabular-resnet")
    assert pair_weights(resnet, [(0, 1)]) is None
    linear = tiny_model(table, network="linear")
    assert pair_weights(linear, [(0, 1)]).tolist() == [[0.0]]
    hidden = tiny_model(table)
    wrapped = pair_weights(model_of(Opaque(hidden.network), table.schema), [(0, 1)])
    assert wrapped is None or wrapped.shape == (1, 1)
