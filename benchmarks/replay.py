"""How far an analysis that is run again elsewhere is from the first run, method by method.

``python -m benchmarks.replay --out FOLDER`` runs every method that serves ``german-mlp`` or
``diabetes-mlp`` with small settings and keeps what came out. ``--against FOLDER`` runs the same,
compares every number with those kept there, prints the largest difference of each method as a
share of the largest value of its array, and writes ``benchmarks/results/replay.json``: run it with
another number of threads (``--threads``), on another machine, or with ``--device cuda``. One run
stands there for each place.
"""

import argparse
import json
import platform
from pathlib import Path

import torch

from workbench import api
from workbench.analysis.contents import Analysis
from workbench.analysis.run import AnalysisRun, run_analysis
from workbench.analysis.step import Step
from workbench.api.serving import BACKGROUND, FEW_ROWS, OVER_ROWS, ROWS, SMALL
from workbench.core.method import Method
from workbench.jobs.request import registered_methods
from workbench.numerics.devices import describe_device

RESULTS = Path(__file__).parent / "results" / "replay.json"
MODELS = ("german-mlp", "diabetes-mlp")
TRAINING = "fastshap.train"


def analysis() -> Analysis:
    """Return one step for each method and model that it serves, trained explainers first."""
    methods = sorted(registered_methods().items(), key=lambda item: item[0] != TRAINING)
    cells = [(name, method, model) for name, method in methods for model in MODELS]
    served = {(cell.method, cell.model) for cell in api.serving_table((), MODELS) if cell.works}
    steps = [_step(name, method, model) for name, method, model in cells if (name, model) in served]
    return Analysis(title="Every method", steps=tuple(steps))


def _step(name: str, method: Method, model: str) -> Step:
    few = method.uses == {"background"} and name not in OVER_ROWS
    return Step(
        id=_id(name, model), method=name, model=model, table=model.removesuffix("-mlp"),
        split="test", count=FEW_ROWS if few else ROWS, params=dict(SMALL.get(name, {})),
        background=BACKGROUND if "background" in method.uses else 0,
        explainer=_id(TRAINING, model) if "explainer" in method.needs else "",
    )  # fmt: skip


def _id(name: str, model: str) -> str:
    return f"{name.replace('.', '-')}-{model}"


def place(device: str) -> str:
    """Say where a run takes place."""
    where = describe_device(torch.device(device))
    if device == "cpu":
        where += f" ({torch.backends.cpu.get_cpu_capability()})"
    return f"{where}, torch {torch.__version__.split('+')[0]}"


def told(run: AnalysisRun) -> dict[str, dict[str, float | str]]:
    """Print and return the largest difference of each step."""
    steps = {}
    for found in run.comparisons:
        print(found.describe())
        steps[found.step] = {
            "relative": found.difference.relative, "absolute": found.difference.absolute,
            "where": found.difference.where, "tolerance": found.tolerance,
        }  # fmt: skip
    for fault in run.faults:
        print(f"FAILED {fault}")
    return steps


def main() -> None:
    """Run every method, and compare with an earlier run where there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int)
    asked = parser.parse_args()
    if asked.threads:
        torch.set_num_threads(asked.threads)
    run = run_analysis(
        asked.against / "analysis.yaml" if asked.against else analysis(),
        out=asked.out, against=asked.against, device=asked.device, changed_is_fine=True,
    )  # fmt: skip
    if asked.against is None:
        return
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    kept[place(asked.device)] = {"machine": platform.platform(), "steps": told(run)}
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
