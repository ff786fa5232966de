"""Models trained again: against one training at a time, and what is promised of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import CancelledError
from workbench.engines.rashomon.explore import search
from workbench.engines.rashomon.retrain_params import GROUP, RetrainParams, training_of
from workbench.engines.rashomon.scene import make_scene
from workbench.numerics.fitting import FitSettings
from workbench.numerics.many_fits import Addresses, fit_many
from workbench.numerics.stream.family import Members, materialise

QUICK = {"models": 6, "epochs": 4, "patience": 2, "steps": 3, "most": 0.5, "importance": False}


def table_of(task="binary", n=100):
    return tiny_table(n=n, d=4, task=task)


@pytest.mark.parametrize("own_labels", [False, True])
def test_training_many_is_training_each(own_labels):
    """Adam with decay from the same start over the same rows, one network and step at a time."""
    rng = torch.Generator().manual_seed(0)
    X = torch.randn(40, 3, generator=rng, dtype=torch.float64)
    y = torch.randint(0, 2, (2, 40) if own_labels else (40,), generator=rng)
    each = y.expand(2, -1)
    network = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)).double()
    settings = FitSettings(epochs=5, batch=16, rate=0.01, decay=0.1, patience=9)
    start = {
        name: torch.randn(2, *own.shape, generator=rng, dtype=torch.float64)
        for name, own in network.named_parameters()
    }
    picks = torch.stack((torch.arange(30), torch.randint(0, 30, (30,), generator=rng)))
    addresses, context = Addresses(9, (4, 7)), Context(seed=1)
    loss = nn.functional.cross_entropy
    got = fit_many(
        network, start, (X[:30], y[..., :30]), picks, (X[30:], y[..., 30:]), loss, settings,
        addresses, context,
    )  # fmt: skip
    orders = [addresses.orders(context, epoch, 30) for epoch in range(5)]
    for place in range(2):
        with torch.no_grad():
            for name, own in network.named_parameters():
                own.copy_(start[name][place])
        network.requires_grad_()
        optimiser = torch.optim.AdamW(network.parameters(), lr=0.01, weight_decay=0.1)
        seen = []
        for order in orders:
            for rows in picks[place][order[place]].split(16):
                optimiser.zero_grad()
                loss(network(X[rows]), each[place][rows]).backward()
                optimiser.step()
            state = {name: own.detach().clone() for name, own in network.named_parameters()}
            seen.append((loss(network(X[30:]), each[place][30:]).item(), state))
        best = min(seen, key=lambda pair: pair[0])[1]
        for name, values in best.items():
            torch.testing.assert_close(got[name][place], values)


def scene_of(**params):
    table = table_of()
    model = tiny_model(table, dtype=torch.float32, dropout=0.3)
    settings = RetrainParams(**QUICK, **params)
    return make_scene(model, table[:10], table, settings, Context(seed=2)), settings


def test_a_number_makes_its_model_again():
    scene, params = scene_of()
    one, two = (search(scene, "retraining", (0.5,), params).family for _ in range(2))
    three = Members(torch.tensor([3]), torch.ones(1).double(), torch.ones(1).double())
    again = materialise(two, three)
    torch.testing.assert_close(
        again.network(scene.inputs), one.logits(scene.inputs, three)[0], rtol=1e-5, atol=1e-5
    )
    for name, values in one.weights(three).items():
        assert torch.equal(values[0], again.network.get_parameter(name))
    own = torch.arange(GROUP)
    ways = one.ways_of(own)
    assert len({tuple(way.tolist()) for way in ways}) == GROUP, "two models are the same"


def test_half_of_the_models_train_on_bootstrap_samples():
    scene, _ = scene_of()
    ways = {
        resample: search(
            scene, "retraining", (0.5,), RetrainParams(**QUICK, resample=resample)
        ).family.ways_of(torch.arange(4))
        for resample in ("none", "half", "all")
    }  # fmt: skip
    same = [
        [torch.allclose(ways["half"][i], ways[other][i], atol=1e-6) for i in range(4)]
        for other in ("none", "all")
    ]
    assert same == [[True, False, True, False], [False, True, False, True]]


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_reports_what_it_trained(task):
    table = table_of(task)
    model = tiny_model(table, dtype=torch.float32)
    found = api.rashomon_set(model, table[:10], table, method="retrain", device="cpu", **QUICK)
    assert found.explorers == ("retraining",)
    assert found.drawn.tolist() == [6]
    assert "leans towards short training" in found.remarks[0]
    assert found.provenance.method == "rashomon.retrain"
    assert np.isfinite(found.candidate_excess).all()
    # The given network was never trained, so models that were are better than it.
    assert (found.candidate_excess < 0).mean() > 0.5


def test_other_explorers_may_stand_beside():
    table = table_of()
    model = tiny_model(table, dtype=torch.float32)
    found = api.rashomon_set(
        model,
        table[:10],
        table,
        method="retrain",
        device="cpu",
        explorers="retraining,gaussian-units",
        **QUICK,
    )
    assert found.explorers == ("retraining", "gaussian-units")
    assert found.drawn.tolist() == [6, 6]


def test_the_random_state_of_torch_stays():
    before = torch.get_rng_state()
    table = table_of()
    api.rashomon_set(
        tiny_model(table, dropout=0.3), table[:5], table, method="retrain", device="cpu", **QUICK
    )
    assert torch.equal(before, torch.get_rng_state())


def test_can_be_cancelled_between_epochs():
    seen = []

    def stop(done, total, _):
        seen.append((done, total))
        if len(seen) > 3:
            raise CancelledError("stop")

    table = table_of()
    with pytest.raises(CancelledError):
        api.rashomon_set(
            tiny_model(table),
            table[:5],
            table,
            method="retrain",
            device="cpu",
            progress=stop,
            **QUICK,
        )
    assert len(seen) == 4
    assert all(done <= total for done, total in seen)


class Sealed(nn.Module):
    """A black box: a rule on raw features, in double precision and without parameters."""

    black_box = True

    def __init__(self):
        super().__init__()
        self.register_buffer("cut", torch.zeros(1, dtype=torch.float64))

    def forward(self, X):
        margin = 2 * (X[:, :1] - self.cut)
        return torch.cat((-margin, margin), 1)


class Raw(nn.Module):
    """Hands raw features on."""

    def __init__(self, d):
        super().__init__()
        self.register_buffer("groups", torch.arange(d))

    def forward(self, X):
        return X


def test_networks_stand_in_for_a_black_box():
    table = table_of(n=150)
    y = (table.X[:, 0] > 0).long()
    table = replace(table, y=y)
    model = replace(tiny_model(table), encoder=Raw(4), network=Sealed(), explainers=())
    found = api.rashomon_set(
        model, table[:10], table, method="retrain", device="cpu",
        explorers="retraining,gaussian-weights",
        **QUICK | {"epochs": 30, "patience": 30},
    )  # fmt: skip
    assert "64 and 64 hidden units stand in for it" in found.remarks[0]
    assert found.admitted[0, -1] > 0
    assert np.isnan(found.low[1]).all(), "an explorer without weights found something"


def test_says_how_it_trains():
    assert training_of(RetrainParams(), 600).batch == 60
    assert training_of(RetrainParams(batch=7, epochs=3), 600).batch == 7
    assert training_of(RetrainParams(), 10**6).batch == 256
