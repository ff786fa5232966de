"""Attribute flips of all rows of Adult against a loop: sex and race, ten assignments.

``python -m benchmarks.flips`` prints a table and writes ``benchmarks/results/flips.json``. Ours is
the whole method: answers, support among neighbours, pairs of values, and every interval. The peers
give answers alone. ``tables`` sets the columns of the whole table and predicts it, once for each
assignment. ``loop`` asks about one person at a time; it is timed on some rows and scaled up. By
turns, the best of three; the answers are compared. With a CUDA device ours is timed there too.
"""

import argparse
import itertools
import json
import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

import workbench as wb
from workbench.core.model import Model
from workbench.core.results import AttributeFlips
from workbench.core.table import Table

RESULTS = Path(__file__).parent / "results"
ROUNDS, LOOPED = 3, 100
ATTRIBUTES = ("sex", "race")


def every_assignment(model: Model) -> list[tuple[int, ...]]:
    """Codes of sex and race in every combination, in the order of ours."""
    features = [model.schema.features[model.schema.index(name)] for name in ATTRIBUTES]
    return list(itertools.product(*(range(len(feature.categories)) for feature in features)))


def by_tables(model: Model, rows: Table) -> np.ndarray:
    """Predict a whole table for each assignment."""
    places = [model.schema.index(name) for name in ATTRIBUTES]
    found = []
    for codes in every_assignment(model):
        X = rows.X.clone()
        X[:, places] = torch.tensor(codes, dtype=X.dtype)
        found.append(model.predict(X)[:, model.schema.favourable_output])
    return torch.stack(found, 1).numpy()


def by_loop(model: Model, rows: Table) -> np.ndarray:
    """Ask about one person and assignment at a time."""
    places = [model.schema.index(name) for name in ATTRIBUTES]
    found = np.empty((len(rows), len(every_assignment(model))))
    for i, x in enumerate(rows.X):
        for c, codes in enumerate(every_assignment(model)):
            row = x.clone()
            row[places] = torch.tensor(codes, dtype=row.dtype)
            found[i, c] = model.predict(row[None])[0, model.schema.favourable_output]
    return found


def seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=0, help="all where 0")
    chosen = parser.parse_args()
    model = wb.load_model("adult-mlp")
    rows = wb.load_table("adult", split="all", model=model)
    rows = rows.sample(chosen.rows, seed=0) if chosen.rows else rows
    few = rows[:LOOPED]

    def ours(device: str = "cpu") -> AttributeFlips:
        return wb.flips(model, rows, by=",".join(ATTRIBUTES), device=device)

    runs: dict[str, Callable[[], object]] = {
        "ours": ours,
        "tables": lambda: by_tables(model, rows),
        "loop": lambda: by_loop(model, few),
    }
    if torch.cuda.is_available():
        runs["ours_cuda"] = lambda: ours("cuda")
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            taken[name].append(seconds(run))
    best = {name: min(some) for name, some in taken.items()}
    best["loop"] *= len(rows) / len(few)
    found, scores = ours(), by_tables(model, rows)
    result: dict[str, Any] = {
        "rows": len(rows), "assignments": found.scores.shape[1], "seconds": best,
        "times_tables": best["tables"] / best["ours"], "times_loop": best["loop"] / best["ours"],
        "largest_difference": float(np.abs(found.scores - scores).max()),
        "largest_difference_loop": float(
            np.abs(found.scores[:LOOPED] - by_loop(model, few)).max()
        ),
        "decided_otherwise": int((found.decided != (scores > 0.5)).sum()),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, "
        f"{torch.get_num_threads()} threads of torch",
        "versions": {name: version(name) for name in ("torch", "numpy")},
    }  # fmt: skip
    print(json.dumps(result, indent=1))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "flips.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
