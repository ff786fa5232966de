"""How long it takes from a slider to the data of the figure, and what a nearest change takes.

``python -m benchmarks.what_if`` prints JSON: percentiles of the time that the server needs for the
prediction, the quick explanation of the scenario and the figure; and the time of one search. The
same is written to ``benchmarks/results/what_if.json``.
"""

import json
import os
import platform
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from workbench import api
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.plots.what_if import change_sentence, effects_before_and_after
from workbench.ui.scenarios import Ground, ground_for, quick, with_explainer, with_values

RESULTS = Path(__file__).parent / "results"
MOVES, SEARCHES = 60, 5
MODELS = ("adult-linear", "adult-mlp", "diabetes-mlp", "wine-mlp", "german-mlp",
          "breast-cancer-mlp", "digits-mlp")  # fmt: skip


def measure(names: tuple[str, ...] = MODELS) -> dict[str, Any]:
    """Measure every model; times in milliseconds."""
    return {
        "machine": {
            "cores": os.cpu_count(), "threads": torch.get_num_threads(),
            "python": platform.python_version(), "torch": torch.__version__,
        },
        "models": {name: _model(name) for name in names},
    }  # fmt: skip


def _model(name: str) -> dict[str, Any]:
    model = api.load_model(name)
    rows = api.load_table(model.card.training_table)
    ground = with_explainer(ground_for(model, rows, rows[[0]]), model)
    times = [_timed(move) for move in _moves(model, rows, ground)]
    searches = [
        _timed(partial(api.counterfactuals, model, rows[[row]], ground.reference))
        for row in range(SEARCHES)
    ]
    p50, p95 = np.percentile(times, [50, 95])
    return {
        "quick": ground.quick or ground.full, "p50": round(p50, 1), "p95": round(p95, 1),
        "search_p50": round(float(np.median(searches)), 1), "search_max": round(max(searches), 1),
    }  # fmt: skip


def _moves(model: Model, rows: Table, ground: Ground) -> list[Callable[[], Any]]:
    """Move one feature after another of one row after another to values seen elsewhere."""
    moves: list[Callable[[], Any]] = []
    d = len(model.schema.features)
    for i in range(MOVES):
        row, other = rows[[i % 5]], rows[[(7 * i + 11) % len(rows)]]
        x = row.X[0].numpy().copy()
        x[i % d] = float(other.X[0, i % d])
        before = quick(model, row, ground)  # known already while one drags

        def move(row: Table = row, x: np.ndarray = x, before: Any = before) -> Any:
            scenario = with_values(row, x)
            model.predict(scenario.X)
            after = quick(model, scenario, ground)
            change_sentence(before, after)
            return effects_before_and_after(before, after).to_plotly_json()

        moves.append(move)
    moves[0]()
    return moves


def _timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def main() -> None:
    text = json.dumps(measure(), indent=1)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "what_if.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
