"""Profiles against ``sklearn.inspection.partial_dependence``, all features of Adult.

``python -m benchmarks.profiles`` prints a table and writes ``benchmarks/results/profiles.json``.
Same rows, same grids, mean and single curves of all rows; ours adds standard errors and accumulated
effects. Two peers: scikit-learn asks our network (``network``), or a pipeline of its own encoders
and an MLP of the same size, which is what its users have (``pipeline``). By turns, the best of
three; numbers are compared where the network is the same.

``bound`` is what no program that asks this network can go below: the layers after the first, for
as many rows as ours asks about, in pieces that fit the cache. ``most_times_network`` is how many
times faster than ``network`` that would be.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.inspection import partial_dependence
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import workbench as wb
from workbench.core.model import Model
from workbench.core.results import Profiles
from workbench.core.table import Table

RESULTS = Path(__file__).parent / "results"
ROUNDS = 3


class Network(ClassifierMixin, BaseEstimator):
    """Our network, as scikit-learn asks it."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.classes_ = np.array([0, 1])
        self.n_features_in_ = len(model.schema.features)

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Network":  # noqa: ARG002 - as sklearn calls it
        """Have learned already."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return probabilities of both classes."""
        return self.model.predict(torch.as_tensor(X)).numpy()


def by_network(model: Model, rows: Table, grids: Profiles) -> float:
    """Ask our network about every feature; return the largest difference of the means."""
    worst = 0.0
    for place in range(len(model.schema.features)):
        ours = grids.profile(place, 1)
        found = partial_dependence(
            Network(model), rows.X.numpy(), [place], kind="both", method="brute",
            response_method="predict_proba", custom_values={place: ours.grid},
        )  # fmt: skip
        worst = max(worst, float(np.abs(found["average"][0] - ours.mean[0]).max()))
    return worst


def pipeline_of(rows: Table) -> tuple[Pipeline, Any]:
    """Make what a user of scikit-learn has: encoders and a network of the same size."""
    frame = rows.to_frame().drop(columns=[rows.schema.target])
    categories = [f for f in rows.schema.features if f.kind == "categorical"]
    names = [f.name for f in categories]
    numbers = [f.name for f in rows.schema.features if f.kind != "categorical"]
    frame[names] = frame[names].astype(object).fillna("missing")
    frame[numbers] = frame[numbers].astype(float)
    levels = [[*f.categories, *(["missing"] if f.has_missing else [])] for f in categories]
    encoders = ColumnTransformer([
        ("numbers", StandardScaler(), numbers),
        ("categories", OneHotEncoder(categories=levels, sparse_output=False), names),
    ])
    network = MLPClassifier((128, 128), max_iter=20, early_stopping=True, random_state=0)
    return make_pipeline(encoders, network).fit(frame, rows.y.numpy()), frame


def by_pipeline(pipeline: Pipeline, frame: Any, grids: Profiles) -> None:
    """Ask the pipeline about every feature."""
    for place, feature in enumerate(grids.schema.features):
        ours = grids.profile(place, 1)
        values = np.array(ours.labels, dtype=object)
        if feature.kind != "categorical":
            values = ours.grid[np.isfinite(ours.grid)]
        partial_dependence(
            pipeline, frame, [feature.name], kind="both", method="brute",
            custom_values={feature.name: values},
            categorical_features=[f.name for f in grids.schema.features if f.kind == "categorical"],
        )  # fmt: skip


@torch.no_grad()
def behind_the_first_layer(model: Model, hidden: torch.Tensor, n_rows: int) -> None:
    """Ask the layers after the first about as many rows."""
    network: Any = model.network
    for _ in range(-(-n_rows // len(hidden))):
        network.rest(hidden)


def seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--points", type=int, default=20)
    chosen = parser.parse_args()
    model = wb.load_model("adult-mlp")
    rows = wb.load_table("adult", split="test", model=model).sample(chosen.rows, seed=0)
    settings: dict[str, Any] = {"points": chosen.points, "curves": 2000, "device": "cpu"}
    grids = wb.profiles(model, rows, **settings)
    pipeline, frame = pipeline_of(rows)
    asked, network = grids.provenance.evaluations, cast(Any, model.network)
    hidden = torch.randn(grids.provenance.chunk_rows, network.first.out_features)
    runs: dict[str, Callable[[], object]] = {
        "bound": lambda: behind_the_first_layer(model, hidden, asked),
        "ours": lambda: wb.profiles(model, rows, **settings),
        "network": lambda: by_network(model, rows, grids),
        "pipeline": lambda: by_pipeline(pipeline, frame, grids),
    }
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            taken[name].append(seconds(run))
    best = {name: min(some) for name, some in taken.items()}
    result = {
        "rows": chosen.rows, "grid_points": len(grids.grid), "seconds": best,
        "times_network": best["network"] / best["ours"],
        "times_pipeline": best["pipeline"] / best["ours"],
        "most_times_network": best["network"] / best["bound"],
        "largest_difference": by_network(model, rows, grids),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, "
        f"{torch.get_num_threads()} threads of torch",
        "versions": {name: version(name) for name in ("torch", "scikit-learn", "numpy")},
    }  # fmt: skip
    print(json.dumps(result, indent=1))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "profiles.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
