"""People of whom one sex is judged less kindly, and remedies tried on them."""

from dataclasses import replace
from functools import cache

import numpy as np
import torch

import workbench
from tests.networks import tiny_model
from workbench.core.context import Context
from workbench.core.fairness_metrics import GAPS
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table
from workbench.engines.fairness.remedies_params import RemediesParams
from workbench.engines.fairness.remedies_scene import make_scene

PARITY = list(GAPS).index("selection_rate_difference")
BRIEF = {
    "epochs": 10, "refits": 1, "resamples": 200, "device": "cpu", "rate": 0.02, "batch": 120,
}  # fmt: skip


@cache
def people(n=1200, seed=0):
    """Merit decides, and one sex is judged less kindly; a hobby goes with sex."""
    rng = np.random.default_rng(seed)
    sex = rng.integers(0, 2, n)
    hobby = np.where(rng.random(n) < 0.85, sex, rng.integers(0, 3, n))
    merit = rng.normal(size=n) + 0.3 * sex
    y = (merit + 1.2 * sex + rng.normal(size=n) * 0.5 > 0.7).astype(np.int64)
    schema = Schema(
        features=(
            Feature(name="sex", kind="categorical", categories=("F", "M"), protected=True),
            Feature(
                name="hobby", kind="categorical", categories=("chess", "judo", "opera")
            ),
            Feature(name="merit", range=(-5.0, 5.0)),
        ),
        target="y", task="binary", classes=("refused", "granted"), favourable="granted",
    )  # fmt: skip
    X = torch.from_numpy(np.stack([sex, hobby, merit], 1).astype(float))
    return Table(schema, X, torch.arange(n), torch.from_numpy(y), name="people")


@cache
def fitted():
    """The model in question: trained on the planted people for a moment."""
    model = tiny_model(people(), dtype=torch.float32, scale=1.0)
    scene = scene_of(model, epochs=20, rate=0.01)
    return replace(model, network=scene.train(1)[0])


def scene_of(model=None, table=None, seed=0, **params):
    """What a remedy looks at."""
    table = people() if table is None else table
    model = fitted() if model is None else model
    params.pop("device", None)
    return make_scene(
        model, table.split("test"), table, RemediesParams(**params), Context(seed=seed)
    )


@cache
def outcome(names, **params):
    """What came of remedies, tried on the model in question."""
    return workbench.remedies(fitted(), people(), remedies=names, **{**BRIEF, **params})


def parity(chances, group):
    """The largest difference between groups of the mean chance to be granted."""
    rates = [chances[group == g].mean() for g in np.unique(group)]
    return max(rates) - min(rates)
