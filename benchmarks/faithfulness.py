"""Eight explanations and the faithfulness matrix in one job, and the same eight one by one.

``python -m benchmarks.faithfulness`` explains 100 rows of three bundled models by every method and
holds each against every neighbourhood, in one call; then asks the published implementations
(captum, shap, lime) for the same eight, for a few rows, with as many samples each. Prints seconds,
how many passes the eight share against the most expensive one, and the ratio of the times per row
(theirs has no matrix). Writes ``benchmarks/results/faithfulness.json``.
"""

import argparse
import json
import os
import platform
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

import workbench as wb
from benchmarks.recovery import SOURCES, Existing
from workbench.core.model import Output
from workbench.engines.lfa.explanations import counts_of
from workbench.engines.lfa.params import MatrixParams
from workbench.numerics.devices import choose_device, describe_device

RESULTS = Path(__file__).parent / "results"
CASES: tuple[tuple[str, str, Output], ...] = (
    ("adult-mlp", "adult", "probability"),
    ("breast-cancer-mlp", "breast-cancer", "probability"),
    ("wine-mlp", "wine", "probability"),
)
ROWS, THEIR_ROWS, GOAL_SECONDS, GOAL_CALLS = 100, 5, 60.0, 1.2


def measure(name: str, table: str, output: Output, device: torch.device) -> dict[str, Any]:
    """Time one model, ours for all rows and theirs for a few."""
    model = wb.load_model(name).to(device)
    rows = wb.load_table(table)
    rows = rows[np.arange(ROWS) % len(rows)]
    wb.faithfulness(model, rows[:2], output=output, device=str(device))
    started = time.perf_counter()
    ours = wb.faithfulness(model, rows, output=output, device=str(device))
    seconds = time.perf_counter() - started
    found: dict[str, Any] = {
        "model": name, "rows": len(rows), "seconds": seconds,
        "evaluations": ours.provenance.evaluations,
        "calls": ours.shared_calls, "most_expensive": max(ours.calls),
        "calls_ratio": ours.shared_calls / max(ours.calls), "heldout_calls": ours.heldout_calls,
    }  # fmt: skip
    if device.type != "cpu":
        return found
    counts = counts_of(model, MatrixParams())
    samples = {
        "lime": counts.masks, "kernelshap": counts.masks, "smoothgrad": counts.sloped,
        "integrated-gradients": counts.nodes, "c-lime": counts.moved,
    }  # fmt: skip
    few = rows[:THEIR_ROWS]
    existing = Existing(model, few, ours[:THEIR_ROWS], output, samples)
    started = time.perf_counter()
    for method in SOURCES:
        getattr(existing, method.replace("-", "_"))()
    theirs = (time.perf_counter() - started) / len(few)
    return found | {
        "their_seconds_a_row": theirs, "ratio": theirs / (seconds / len(rows)),
    }  # fmt: skip


def main() -> None:
    warnings.filterwarnings("ignore", message="Input Tensor .* did not already require gradients")
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    device = choose_device(parser.parse_args().device)
    found: dict[str, Any] = {
        "machine": {
            "cores": os.cpu_count(), "threads": torch.get_num_threads(),
            "device": describe_device(device), "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "captum", "shap", "lime")},
        },
        "lines": [],
    }  # fmt: skip
    for case in CASES:
        line = measure(*case, device)
        found["lines"].append(line)
        told = f", {line['ratio']:.0f} times faster a row" if "ratio" in line else ""
        print(
            f"{line['model']:18} {line['seconds']:5.2f} s for {line['rows']} rows (goal "
            f"{GOAL_SECONDS:.0f} s); passes {line['calls_ratio']:.2f} of the most expensive "
            f"method (goal {GOAL_CALLS}){told}"
        )
    RESULTS.mkdir(exist_ok=True)
    name = "faithfulness" if device.type == "cpu" else f"faithfulness-{device.type}"
    (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
