"""Explorers aimed at rows against the exact range, and their promise to stay within the set."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from scipy import optimize

from tests.networks import tiny_model, tiny_table
from workbench.core.context import Context
from workbench.core.encoder import TabularArguments, TabularEncoder
from workbench.core.errors import InvalidInputError
from workbench.data.bundled import load_table
from workbench.engines.rashomon.explore import RANGES, explore, search
from workbench.engines.rashomon.params import SearchParams
from workbench.engines.rashomon.scene import Scene, make_scene
from workbench.engines.rashomon.targets import aims
from workbench.numerics.convex_range import minimum
from workbench.numerics.linear_loss import linear_loss
from workbench.numerics.row_losses import row_losses
from workbench.numerics.stream.family import Members, materialise

AIMED = ("directional", "last-layer", "lagrangian", "adversarial")
TOLERANCES = (0.0, 0.01, 0.04)


@cache
def tiny_scene(task="binary", network="mlp"):
    table = tiny_table(n=150, d=4, task=task)
    model = tiny_model(table, network=network, dtype=torch.float32)
    params = SearchParams(models=60, ridge=1e-3)
    return make_scene(model, table[:6], table, params, Context(seed=1)), params


@pytest.mark.parametrize("explorer", AIMED)
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_no_model_leaves_the_set(explorer, task):
    """The loss is computed again in double precision, from the weights that members say."""
    scene, params = tiny_scene(task)
    tolerances = tuple(value * scene.tolerance_unit for value in TOLERANCES)
    found = search(scene, explorer, tolerances, params)
    blocks = list(explore(scene, explorer, tolerances, params))
    assert sum(len(block.excess) for block in blocks) <= params.models
    assert all((block.excess <= tolerances[-1]).all() for block in blocks)
    members = blocks[-1].members
    for place in (0, len(members.numbers) - 1):
        exact = materialise(found.family, members, place).to(dtype=torch.float64)
        given = scene.model.to(dtype=torch.float64)
        losses = [
            row_losses(
                own.network(scene.admission_inputs.double()), scene.truth, scene.classes
            ).mean()
            + 5e-4 * sum(p.square().sum() for p in own.network.parameters() if p.ndim > 1)
            for own in (exact, given)
        ]
        excess = float(losses[0] - losses[1])
        assert excess <= tolerances[-1] * (1 + 1e-4)
        assert excess == pytest.approx(float(blocks[-1].excess[place]), abs=2e-4 * tolerances[-1])


@pytest.mark.parametrize("explorer", AIMED)
def test_a_member_is_made_again_alone(explorer):
    scene, params = tiny_scene("multiclass")
    block = list(explore(scene, explorer, TOLERANCES, params))[-1]
    one = block.members.take(slice(2, 3))
    again = search(scene, explorer, TOLERANCES, params).family
    said = scene.outputs(again, one)[0]
    torch.testing.assert_close(said, block.outputs[2], rtol=0, atol=2e-3)


def test_scales_are_shared_by_the_columns_of_a_feature():
    scene, params = tiny_scene()
    family = search(scene, "scaling", TOLERANCES, params).family
    members = Members(torch.arange(50), torch.full((50,), 0.1).double(), torch.ones(50).double())
    ((name, weights),) = family.weights(members).items()
    layer = scene.model.network.first
    assert name == "first.weight"
    scales = (weights / layer.weight)[:, 0]  # (b, p)
    torch.testing.assert_close(weights, scales[:, None] * layer.weight)
    groups = scene.model.groups.tolist()
    for column, group in enumerate(groups):
        torch.testing.assert_close(scales[:, column], scales[:, groups.index(group)])
    assert 0.07 < (scales - 1).std() < 0.13


def test_all_rows_of_a_linear_model_have_their_exact_range():
    """The widest logit over exact members is what the closed form says of a squared loss."""
    scene, params = tiny_scene("regression", "linear")
    tolerances = tuple(value * scene.tolerance_unit for value in TOLERANCES)
    closed = RANGES["quadratic"](scene, "quadratic", tolerances, params)
    seen = torch.cat([block.outputs for block in explore(scene, "lagrangian", tolerances, params)])
    torch.testing.assert_close(seen.amax(0).double(), closed.high[-1], rtol=5e-3, atol=5e-3)
    torch.testing.assert_close(seen.amin(0).double(), closed.low[-1], rtol=5e-3, atol=5e-3)


def credit():
    """L2-logistic regression on German credit, admitted on the rows that it was trained on.

    A penalty of 1e-2 |w|²/2 on one row of weights is 2e-2 on two rows, w/2 and -w/2.
    """
    table = load_table("german")
    train, test = table.split("train"), table.split("test")
    encoder = TabularEncoder(table.schema, TabularArguments())
    encoder.fit(train.X)
    model = replace(tiny_model(train, network="linear"), encoder=encoder.double())
    X = model.encode(train.X)
    weights = torch.zeros(2, X.shape[1] + 1, dtype=torch.float64)
    loss = linear_loss(X, weights, train.y, ridge=2e-2)
    weights = loss.weights(weights, minimum(loss)[None])[0]
    model.network.first.weight.copy_(weights[:, :-1])
    model.network.first.bias.copy_(weights[:, -1])
    inputs = model.encode(test.X)
    logits = model.network(X)
    return Scene(
        model=model, context=Context(seed=0), rows=test, admission=train, inputs=inputs,
        admission_inputs=X, truth=train.y, predictions=model.network(inputs).softmax(-1),
        losses=row_losses(logits, train.y, 2), shared=0, table=table, ridge=2e-2,
    )  # fmt: skip


def width_and_ambiguity(scene, explorer, params):
    low, high = scene.predictions[:, 1].clone(), scene.predictions[:, 1].clone()
    for block in explore(scene, explorer, (0.01,), params):
        own = block.outputs[block.excess <= 0.01, :, 1]
        low, high = torch.minimum(low, own.amin(0)), torch.maximum(high, own.amax(0))
    return float((high - low).mean()), float(((low <= 0.5) & (high > 0.5)).double().mean())


def test_coverage_of_the_exact_range_on_german_credit():
    """Two models a row see what the exact optimiser sees; two thousand random ones two fifths."""
    scene = credit()
    params = SearchParams(models=400, ridge=2e-2)
    width, ambiguity = width_and_ambiguity(scene, "lagrangian", params)
    closed = RANGES["quadratic"](scene, "quadratic", (0.01,), params)
    assert float((closed.high - closed.low)[0, :, 1].mean()) == pytest.approx(width, rel=0.05)
    for explorer in ("directional", "last-layer"):
        own_width, own_ambiguity = width_and_ambiguity(scene, explorer, params)
        assert 0.97 * width <= own_width <= 1.0001 * width
        assert own_ambiguity == pytest.approx(ambiguity, abs=0.0101)
    noise = SearchParams(models=2000, push=True, ridge=2e-2)
    random_width, _ = width_and_ambiguity(scene, "gaussian-weights", noise)
    assert 0.4 * width <= random_width < width


def test_no_explorer_flips_more_rows_at_once_than_is_possible():
    """The most flips of one linear model within a tolerance, by a mixed-integer programme.

    The logistic loss is bounded below by its tangents, so the programme allows a little more than
    the set does: what it cannot reach, no explorer may.
    """
    rng = np.random.default_rng(5)
    n, d = 60, 3
    table = tiny_table(n=5 * n, d=d, categorical=False)
    X = table.X
    y = torch.from_numpy((X[:, 0].numpy() + rng.normal(size=5 * n) > 0).astype(np.int64))
    table = replace(table, y=y)
    model = tiny_model(table, network="linear")
    scene = make_scene(model, table.split("test")[:20], table, SearchParams(), Context())
    loss = linear_loss(
        scene.admission_inputs, torch.zeros(2, 1 + len(model.groups)).double(), scene.truth
    )
    best = loss.weights(torch.zeros(2, 1 + len(model.groups)).double(), minimum(loss)[None])[0]
    model.network.first.weight.copy_(best[:, :-1])
    model.network.first.bias.copy_(best[:, -1])
    scene = make_scene(model, scene.rows, table, SearchParams(), Context())
    most = _most_flips(scene, 0.02)
    base = scene.predictions.argmax(1)
    for explorer in ("gaussian-weights", "scaling", *AIMED):
        seen = [
            int((block.outputs[block.excess <= 0.02].argmax(2) != base).sum(1).max())
            for block in explore(scene, explorer, (0.02,), SearchParams(models=200))
            if (block.excess <= 0.02).any()
        ]
        assert 0 < max(seen) <= most, explorer


def _most_flips(scene, tolerance):
    """Maximise flips over margin weights w; each row's loss is above its tangents."""
    wide = [
        np.hstack((own.numpy(), np.ones((len(own), 1))))
        for own in (scene.admission_inputs, scene.inputs)
    ]
    sign = 2 * scene.truth.numpy() - 1
    a, n, p = len(wide[0]), len(wide[1]), wide[0].shape[1]
    big, points = 50.0, np.linspace(-6, 6, 49)
    base = scene.predictions.argmax(1).numpy() * 2 - 1
    # Unknowns: w, losses of admission rows, flips. Tangents of log(1 + e^-m) at margins t.
    rows, upper = [], []
    for t in points:
        slope = -1 / (1 + np.exp(t))
        value = np.log1p(np.exp(-t)) - slope * t
        rows.append(np.hstack((slope * sign[:, None] * wide[0], -np.eye(a), np.zeros((a, n)))))
        upper.append(np.full(a, -value))
    rows.append(np.hstack((np.zeros((1, p)), np.full((1, a), 1 / a), np.zeros((1, n)))))
    upper.append(np.array([scene.base_loss + tolerance]))
    rows.append(np.hstack((base[:, None] * wide[1], np.zeros((n, a)), big * np.eye(n))))
    upper.append(np.full(n, big))
    found = optimize.milp(
        np.concatenate((np.zeros(p + a), -np.ones(n))),
        constraints=optimize.LinearConstraint(np.vstack(rows), ub=np.concatenate(upper)),
        integrality=np.concatenate((np.zeros(p + a), np.ones(n))),
        bounds=optimize.Bounds(
            np.concatenate((np.full(p, -10.0), np.zeros(a + n))),
            np.concatenate((np.full(p, 10.0), np.full(a, np.inf), np.ones(n))),
        ),
    )  # fmt: skip
    assert found.success
    return round(-found.fun)


def test_few_models_go_to_the_largest_and_the_smallest_tolerance():
    five = (0.0, 0.01, 0.02, 0.03, 0.04, 0.05)
    assert aims(five, 10, SearchParams(models=19)) == (0.05,)
    assert aims(five, 10, SearchParams(models=20)) == (0.01, 0.05)
    assert aims(five, 10, SearchParams(models=39)) == (0.01, 0.03, 0.05)
    assert aims(five, 10, SearchParams(models=99)) == five[1:]
    scene, _ = tiny_scene()
    found = search(scene, "last-layer", five, SearchParams(models=24))
    assert "Ends were sought at 0.01, 0.05 alone" in found.remark
    assert "60 models would do for all" in found.remark


def test_says_what_it_cannot_do():
    scene, params = tiny_scene()
    table = tiny_table(n=60, d=2, categorical=False)
    table = replace(table, y=(table.X[:, 0] > 0).long())
    apart = make_scene(
        tiny_model(table, network="linear"), table[:5], table, SearchParams(), Context()
    )
    with pytest.raises(InvalidInputError, match=r"The range is unbounded.*give a ridge penalty"):
        search(apart, "lagrangian", TOLERANCES, SearchParams())
    assert "unbounded" in search(apart, "last-layer", TOLERANCES, SearchParams()).remark
    assert "Only the last layer moves" in search(scene, "lagrangian", TOLERANCES, params).remark
