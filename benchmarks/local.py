"""LIME against the package lime, on ``adult-mlp`` with 5,000 samples.

``python -m benchmarks.local`` prints a table and writes ``benchmarks/results/local.json``. Ours
explains 1,000 rows for all outputs, with standard errors and stability; the package explains a few
rows for one output, and its time per row is what is compared. Both have the same 2,000 background
rows, the same network and the same settings; each is warmed up first, and they are timed by turns.
Below that, how far top-5 sets over ten seeds agree (Jaccard) on breast cancer.
"""

import argparse
import itertools
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lime.lime_tabular import LimeTabularExplainer

import workbench as wb
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.numerics.devices import choose_device, describe_device

RESULTS = Path(__file__).parent / "results"
ROWS, PACKAGE_ROWS, SAMPLES, BACKGROUND, ROUNDS = 1000, 10, 5000, 2000, 3
STABLE_ROWS, SEEDS, TOP = 12, 10, 5
# How else the strongest features around a row may be settled.
MORE: tuple[dict[str, int], ...] = ({"perturbations": 10_000}, {"max_perturbations": 80_000})
# By sampling: the goal, and how the package is told to draw so.
MODES: dict[str, tuple[int, dict[str, bool]]] = {
    "discretised": (30, {}),
    "mean-centred": (30, {"discretize_continuous": False}),
    "around": (5, {"discretize_continuous": False, "sample_around_instance": True}),
}


def coded(table: Table) -> np.ndarray:
    """Turn rows into what the package takes: a missing category as one more code."""
    X = table.X.numpy().copy()
    for j, feature in enumerate(table.schema.features):
        if feature.kind == "categorical":
            X[np.isnan(X[:, j]), j] = len(feature.categories)
    return X


@torch.no_grad()
def forward(model: Model) -> Callable[[np.ndarray], np.ndarray]:
    """Return what a user would hand to the package: coded rows to probabilities."""
    last = [len(f.categories) if f.kind == "categorical" else np.inf for f in model.schema.features]

    def predict(X: np.ndarray) -> np.ndarray:
        return model.predict(torch.from_numpy(np.where(last == X, np.nan, X))).numpy()

    return predict


def package(model: Model, background: Table, seed: int, **settings: bool) -> LimeTabularExplainer:
    categories = [
        j for j, feature in enumerate(model.schema.features) if feature.kind == "categorical"
    ]
    return LimeTabularExplainer(
        coded(background), categorical_features=categories, random_state=seed, **settings
    )


def compare(model: Model, rows: Table, background: Table, sampling: str) -> dict[str, Any]:
    """Time both by turns, the best of three; milliseconds a row."""
    goal, settings = MODES[sampling]
    device = str(model.device)
    wb.lime(model, rows[:2], background, sampling=sampling, device=device)
    explainer, predict = package(model, background, 0, **settings), forward(model)
    few = coded(rows[:PACKAGE_ROWS])
    explainer.explain_instance(few[0], predict, num_features=10, num_samples=SAMPLES)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        with stopwatch(ours, len(rows)):
            wb.lime(model, rows, background, sampling=sampling, device=device)
        with stopwatch(theirs, len(few)):
            for x in few:
                explainer.explain_instance(x, predict, num_features=10, num_samples=SAMPLES)
    (own, own_work), (other, other_work) = (
        [min(times) for times in zip(*rounds, strict=True)] for rounds in (ours, theirs)
    )
    return {
        "sampling": sampling, "ours_ms": own, "package_ms": other, "ratio": other / own,
        "goal": goal, "total_s": own * len(rows) / 1000, "ours_cpu_ms": own_work,
        "package_cpu_ms": other_work, "cpu_ratio": other_work / own_work,
        "rounds_ms": {"ours": ours, "package": theirs},
    }  # fmt: skip


@contextmanager
def stopwatch(times: list[tuple[float, float]], n_rows: int) -> Iterator[None]:
    """Note milliseconds a row, on the clock and of processor time."""
    clock, work = time.perf_counter(), time.process_time()
    yield
    passed = time.perf_counter() - clock, time.process_time() - work
    times.append((1000 * passed[0] / n_rows, 1000 * passed[1] / n_rows))


def agreement(tops: list[list[set[int]]]) -> float:
    """Mean Jaccard index of the sets of every two seeds, over the rows."""
    return float(np.mean([
        len(one & two) / len(one | two)
        for own in zip(*tops, strict=True)
        for one, two in itertools.combinations(own, 2)
    ]))  # fmt: skip


def stability(sampling: str, *, against_package: bool = True, **settings: Any) -> dict[str, Any]:
    """Say how far ten seeds agree about the five strongest features, ours and the package's."""
    model, rows = wb.load_model("breast-cancer-mlp"), wb.load_table("breast-cancer")[:STABLE_ROWS]
    background = wb.load_table("breast-cancer", split="train")
    ours, theirs = [], []
    for seed in range(SEEDS):
        found = wb.lime(model, rows, background, sampling=sampling, seed=seed, **settings)
        order = np.argsort(-np.abs(found.coefficients[:, :, 1]), axis=1)[:, :TOP]
        ours.append([set(top) for top in order.tolist()])
        if not against_package:
            continue
        explainer = package(model, background, seed, **MODES[sampling][1])
        explained = [
            explainer.explain_instance(x, forward(model), num_features=10, num_samples=SAMPLES)
            for x in rows.X.numpy()
        ]
        theirs.append([{j for j, _ in one.local_exp[1][:TOP]} for one in explained])
    return {
        "sampling": sampling, **settings, "ours": agreement(ours),
        "package": agreement(theirs) if theirs else None,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    device = choose_device(parser.parse_args().device)
    model = wb.load_model("adult-mlp").to(device)
    rows = wb.load_table("adult")[:ROWS]
    background = wb.load_table("adult", split="train").sample(BACKGROUND, seed=0)
    found: dict[str, Any] = {
        "machine": {
            "cores": os.cpu_count(), "threads": torch.get_num_threads(),
            "device": describe_device(device), "python": platform.python_version(),
            "torch": torch.__version__, "lime": version("lime"),
        },
        "speed": [], "stability": [],
    }  # fmt: skip
    for sampling in MODES:
        line = compare(model, rows, background, sampling)
        found["speed"].append(line)
        print(
            f"{sampling:12}  ours {line['ours_ms']:6.2f} ms a row ({line['total_s']:.1f} s for "
            f"{ROWS})  package {line['package_ms']:6.1f} ms  ratio {line['ratio']:5.1f} "
            f"(goal {line['goal']}), of processor time {line['cpu_ratio']:.1f}"
        )
    for sampling in MODES if device.type == "cpu" else ():
        line = stability(sampling)
        found["stability"].append(line)
        print(f"{sampling:12}  top-5 agreement: ours {line['ours']:.2f}, {line['package']:.2f}")
    for more in MORE if device.type == "cpu" else ():
        line = stability("around", against_package=False, **more)
        found["stability"].append(line)
        print(f"around, {more}  top-5 agreement: ours {line['ours']:.2f}")
    found["machine"]["load"] = os.getloadavg()
    RESULTS.mkdir(exist_ok=True)
    name = "local" if device.type == "cpu" else f"local-{device.type}"
    (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
