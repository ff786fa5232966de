"""Measures of explanations, all rows at once, against captum.metrics row by row.

``python -m benchmarks.measures`` prints a table and writes ``benchmarks/results/measures.json``:
1,000 rows of ``adult``, 100 perturbations each, slopes of ``adult-mlp`` as explanations, by the
columns that the network reads. Both sides are given the same perturbations and the same network;
times are the best of three. captum is asked about one row
at a time, with the perturbations of a row in one batch; once more with one perturbation at a
time, which is timed once on a few rows; and about all rows at once.

The last line is ``lfa.measures`` itself: all measures of all explanations and both anchors, for 100
rows with 2,000 background rows and the default settings, explanations included.

``--device cuda`` puts the network and both sides' arrays on the GPU and writes
``measures-cuda.json``.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import torch
from captum.metrics import infidelity as captum_infidelity
from captum.metrics import sensitivity_max
from torch import Tensor

import workbench as wb
from workbench import api
from workbench.numerics.chunks import slices
from workbench.numerics.devices import choose_device, describe_device
from workbench.numerics.explanation_measures import (
    infidelity,
    max_sensitivity,
    predicted_changes,
    relative_changes,
)

RESULTS = Path(__file__).parent / "results"
ROWS, PERTURBATIONS, LOOPED_ROWS, METHODS = 1000, 100, 20, 8
REPEATS = 3
ENGINE_ROWS, BACKGROUND = 100, 2000
RADIUS = 0.1
OUTPUT = 1


class Case:
    """Rows as the network reads them, steps away from them, and explanations."""

    def __init__(self, device: torch.device) -> None:
        self.model = wb.load_model("adult-mlp").to(device)
        self.inputs = self.model.encode(wb.load_table("adult")[:ROWS].X)
        shape = ROWS, PERTURBATIONS, self.inputs.shape[1]
        drawn = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        self.steps = (RADIUS * drawn).to(self.inputs)
        self.values = self.slopes(self.inputs)
        self.rows_at_once = max(1, (2**16 if device.type == "cpu" else 2**22) // PERTURBATIONS // 8)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return probabilities."""
        return self.model.outputs(self.model.network(inputs), "probability")

    def slopes(self, inputs: Tensor) -> Tensor:
        """Return the slopes of one probability."""
        leaf = inputs.detach().requires_grad_()
        with torch.enable_grad():
            return torch.autograd.grad(self.forward(leaf)[:, OUTPUT].sum(), leaf)[0]

    @torch.no_grad()
    def our_infidelity(self, methods: int) -> Tensor:
        """Return the infidelity of so many explanations of all rows, from one set of answers."""
        found = []
        for part in slices(ROWS, self.rows_at_once):
            X, steps = self.inputs[part], self.steps[part]
            answers = self.forward((X[:, None] - steps).flatten(0, 1))[:, OUTPUT]
            happened = self.forward(X)[:, None, [OUTPUT]] - answers.view(len(X), -1, 1)
            values = self.values[part, None, :, None].repeat(1, methods, 1, 1)
            found.append(infidelity(predicted_changes(values, steps), happened)[:, :, 0])
        return torch.cat(found)

    def captums_infidelity(self, rows: slice, at_once: int | None = None) -> Tensor:
        """Return captum's infidelity of some rows, with so many perturbations in a batch."""
        steps, place = self.steps[rows], 0

        def perturbed(expanded: Tensor) -> tuple[Tensor, Tensor]:
            nonlocal place
            count = len(expanded) // len(steps)
            own = steps[:, place : place + count].flatten(0, 1)
            place += count
            return own, expanded - own

        found: Tensor = captum_infidelity(
            self.forward, perturbed, self.inputs[rows], self.values[rows], target=OUTPUT,
            n_perturb_samples=PERTURBATIONS, max_examples_per_batch=at_once,
        )  # fmt: skip
        return found.detach()

    def our_sensitivity(self) -> Tensor:
        """Return the max-sensitivity of the slopes of all rows."""
        found = []
        for part in slices(ROWS, self.rows_at_once):
            copies = self.inputs[part, None] + self.steps[part]
            others = self.slopes(copies.flatten(0, 1)).view(*copies.shape)
            changes = relative_changes(
                self.values[part, None, :, None], others[:, :, None, :, None]
            )
            found.append(max_sensitivity(changes)[:, 0, 0])
        return torch.cat(found)

    def captums_sensitivity(self, rows: slice) -> Tensor:
        """Return captum's max-sensitivity of the slopes of some rows."""

        def explained(inputs: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            return (self.slopes(inputs if isinstance(inputs, Tensor) else inputs[0]),)

        def copies(expanded: Tensor) -> Tensor:
            return expanded + self.steps[rows].flatten(0, 1)

        found: Tensor = sensitivity_max(
            explained, self.inputs[rows], perturb_func=copies, n_perturb_samples=PERTURBATIONS
        )
        return found


def seconds(run: Callable[[], Tensor], repeats: int = REPEATS) -> float:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        run().sum().item()  # waits for a GPU
        times.append(time.perf_counter() - started)
    return min(times)


def engine(case: Case) -> dict[str, float]:
    """Measure all explanations of some rows, as a user would."""
    rows = wb.load_table("adult")[:ENGINE_ROWS]
    background = wb.load_table("adult", split="train")[:BACKGROUND]
    place = str(case.model.device)
    api.measures(case.model, rows[:2], background, device=place)  # warm up
    result = api.measures(case.model, rows, background, device=place)
    return {
        "engine_seconds": result.provenance.seconds,
        "engine_evaluations": result.provenance.evaluations,
        "engine_measures": len(result.measures),
        "engine_explanations": len(result.methods),
    }


def row_by_row(measure: Callable[[slice], Tensor], rows: int) -> Tensor:
    return torch.cat([measure(slice(i, i + 1)) for i in range(rows)])


def measured(case: Case) -> dict[str, float]:
    ours, theirs = case.our_infidelity(1)[:, 0], case.captums_infidelity(slice(0, ROWS))
    our_change, their_change = case.our_sensitivity(), case.captums_sensitivity(slice(0, ROWS))
    one_by_one = seconds(
        lambda: row_by_row(lambda row: case.captums_infidelity(row, 1), LOOPED_ROWS), 1
    )
    return {
        "infidelity_seconds": seconds(lambda: case.our_infidelity(1)),
        "infidelity_seconds_of_8": seconds(lambda: case.our_infidelity(METHODS)),
        "infidelity_captum_row_by_row": seconds(lambda: row_by_row(case.captums_infidelity, ROWS)),
        "infidelity_captum_one_by_one": one_by_one * ROWS / LOOPED_ROWS,
        "infidelity_captum_at_once": seconds(lambda: case.captums_infidelity(slice(0, ROWS))),
        "infidelity_difference": float((ours - theirs).abs().max()),
        "sensitivity_seconds": seconds(case.our_sensitivity),
        "sensitivity_captum_row_by_row": seconds(
            lambda: row_by_row(case.captums_sensitivity, ROWS)
        ),
        "sensitivity_difference": float((our_change - their_change).abs().max()),
    }


def table(found: dict[str, float]) -> str:
    def line(name: str, own: str, peer: str, factor: int = 1) -> str:
        times = found[own], factor * found[peer]
        return f"| {name} | {times[0]:.3f} | {times[1]:.2f} | {times[1] / times[0]:.1f} |"

    one, own = "infidelity_seconds", "sensitivity_seconds"
    return "\n".join((
        "| 1,000 rows x 100 perturbations | ours, s | captum.metrics, s | ratio |",
        "|---|---|---|---|",
        line("infidelity, captum row by row", one, "infidelity_captum_row_by_row"),
        line("infidelity, captum one perturbation at a time", one, "infidelity_captum_one_by_one"),
        line("infidelity, captum all rows at once", one, "infidelity_captum_at_once"),
        line(
            "infidelity of 8 explanations, captum row by row",
            "infidelity_seconds_of_8", "infidelity_captum_row_by_row", METHODS,
        ),
        line("max-sensitivity, captum row by row", own, "sensitivity_captum_row_by_row"),
        f"largest difference: infidelity {found['infidelity_difference']:.1e}, "
        f"max-sensitivity {found['sensitivity_difference']:.1e}",
        f"all {found['engine_measures']} measures of {found['engine_explanations']} explanations, "
        f"{ENGINE_ROWS} rows: {found['engine_seconds']:.1f} s, "
        f"{found['engine_evaluations']:,} rows through the network",
    ))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    device = choose_device(parser.parse_args().device)
    case = Case(device)
    found = measured(case) | engine(case)
    print(table(found))
    record = {
        "machine": describe_device(device),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("torch", "captum")},
        "measures": found,
    }
    name = "measures.json" if device.type == "cpu" else f"measures-{device.type}.json"
    text = json.dumps(record, indent=1) + "\n"
    (RESULTS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
