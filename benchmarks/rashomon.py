"""Sets of equally good models of a wide German credit network: cost, speed, memory.

``python -m benchmarks.rashomon`` prints a table and writes ``benchmarks/results/rashomon.json``:
what an admitted near-copy costs against training again, what equal ambiguity costs against
moving the weights for each row, how long 2,000 masks over 250 rows take, and what memory a
hundred times as many models take. With ``--device cuda``: 10,000 masks over 50,000 rows.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import workbench as wb
from workbench import api
from workbench.core.card import Architecture
from workbench.core.context import Context
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.engines.rashomon.explored import Wish, make_reduction
from workbench.engines.rashomon.params import SetParams
from workbench.engines.rashomon.reduction import growth_numbers
from workbench.engines.rashomon.scene import labels, make_scene
from workbench.engines.rashomon.search import Block
from workbench.numerics.devices import choose_device, describe_device, memory_budget
from workbench.numerics.stream.dropout import Dropout
from workbench.numerics.stream.family import Members
from workbench.registry.architectures import build_network

RESULTS = Path(__file__).parent / "results"
UNITS, EPOCHS, BATCH = 1000, 100, 100
TOLERANCE, ROUNDS = 0.01, 3
RETRAINED = 5
# The explorer that moves weights for each row takes as many times longer as there are rows.
ADVERSARIAL_ROWS = 30
GROWN = (1000, 100_000)
GOALS = {"retraining": 5000, "adversarial": 20, "masks_s": 1.0, "cuda_s": 10.0, "memory": 1.05}


def wide(table: Table, seed: int = 0) -> tuple[Model, float]:
    """Train one hidden layer of 1,000 units as the method's authors do; return the seconds."""
    usual = wb.load_model("german-mlp")
    train = table.split("train")
    inputs, truth = usual.encode(train.X), labels(usual, train)
    torch.manual_seed(seed)
    architecture = Architecture(name="mlp", arguments={"hidden": (UNITS,)})
    network = build_network(architecture, inputs.shape[1], 2)
    for module in network.modules():
        if isinstance(module, nn.Linear):
            module.reset_parameters()
    started = time.perf_counter()
    optimiser = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4)
    for _ in range(EPOCHS):
        for part in torch.randperm(len(inputs)).split(BATCH):
            optimiser.zero_grad()
            functional.cross_entropy(network(inputs[part]), truth[part]).backward()
            optimiser.step()
    seconds = time.perf_counter() - started
    return replace(usual, network=network, digest="0" * 64, explainers=()), seconds


def best(run: Callable[[], Any]) -> tuple[float, Any]:
    """Return the least seconds of three runs, and what the last one gave."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        found = run()
        times.append(time.perf_counter() - started)
    return min(times), found


def cost_of_a_model(model: Model, rows: Table, table: Table) -> dict[str, Any]:
    """Hold an admitted near-copy against a network trained again."""
    settings: dict[str, Any] = {"tolerances": (TOLERANCE,), "importance": False, "device": "cpu"}
    seconds, found = best(lambda: api.rashomon_set(model, rows, table, **settings))
    admitted = int(found.admitted[0, 0])
    again = [wide(table, 1 + turn)[1] for turn in range(RETRAINED)]
    return {
        "seconds": seconds, "models": admitted, "each_s": seconds / admitted,
        "retrained_s": float(np.median(again)),
        "ratio": float(np.median(again)) * admitted / seconds,
        "ambiguity": float(found.metric("ambiguity")[0, 0]),
    }  # fmt: skip


def against_adversarial(model: Model, rows: Table, table: Table) -> dict[str, Any]:
    """Hold the time to an ambiguity against that of weights moved for every row."""
    rows = rows[:ADVERSARIAL_ROWS]
    settings: dict[str, Any] = {"tolerances": (TOLERANCE,), "importance": False, "device": "cpu"}
    started = time.perf_counter()
    slow = api.rashomon_set(model, rows, table, explorers=("adversarial",), **settings)
    slow_s = time.perf_counter() - started
    wanted = float(slow.metric("ambiguity")[0, 0])
    models, quick_s, reached = 250, 0.0, -1.0
    while reached < wanted and models < 2**20:
        models *= 2
        started = time.perf_counter()
        quick = api.rashomon_set(
            model, rows, table, explorers=("gaussian-units",), models=models, **settings
        )
        quick_s = time.perf_counter() - started
        reached = float(quick.metric("ambiguity")[0, 0])
    return {
        "adversarial_s": slow_s, "adversarial_ambiguity": wanted, "seconds": quick_s,
        "ambiguity": reached, "models": models, "rows": len(rows), "ratio": slow_s / quick_s,
    }  # fmt: skip


def masks(model: Model, n_models: int, n_rows: int, table: Table) -> dict[str, Any]:
    """Answer, judge and reduce masks on rows; admission rows are as many as are reported on."""
    rows = table[np.arange(n_rows) % len(table)]
    params = SetParams(models=n_models, admission_rows=max(2, len(table)))
    context = Context(device=model.device, budget=memory_budget(model.device))
    scene = make_scene(model, rows, table, params, context)
    family = Dropout(model, "units", "gaussian", 0)

    def run() -> int:
        wish = Wish((0.01, 0.04), 0, growth_numbers(n_models), labels(model, rows), params)
        sums = make_reduction(scene, wish)
        numbers = torch.arange(n_models)
        ones = torch.ones(n_models).double()
        members = Members(numbers, 0.4 * ones, ones)
        for part in scene.parts(family, len(scene.all_inputs), n_models):
            own = members.take(part)
            sums.add(Block(own, *scene.judge(family, own)))
        if model.device.type == "cuda":
            torch.cuda.synchronize()
        return int(sums.counts.sum())

    run()
    seconds, admitted = best(run)
    return {"models": n_models, "rows": n_rows, "seconds": seconds, "admitted": admitted}


def peak(n_models: int) -> dict[str, int]:
    """Return the most bytes that a process of its own takes for so many models.

    ``more`` is what the run adds to what the process had taken when it had looked at ten.
    """
    lines = [sys.executable, "-m", "benchmarks.rashomon", "--memory", str(n_models)]
    said = subprocess.run(lines, check=True, capture_output=True, text=True).stdout  # noqa: S603
    before, after = (int(word) for word in said.split()[-2:])
    return {"peak": after, "more": after - before}


def take_memory(n_models: int) -> None:
    """Look for models, and print the most memory that this process took."""
    table = wb.load_table("german", split="all")
    rows = wb.load_table("german", split="test")
    model, _ = wide(table)
    for models in (10, n_models):
        api.rashomon_set(model, rows, table, models=models, device="cpu")
        print(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def main() -> None:
    """Measure, print and write down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--memory", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory:
        take_memory(arguments.memory)
        return
    device = choose_device(arguments.device)
    table = wb.load_table("german", split="all")
    rows = wb.load_table("german", split="test")
    model, _ = wide(table)
    found: dict[str, Any] = {
        "goals": GOALS,
        "machine": {
            "device": describe_device(device), "python": platform.python_version(),
            "torch": torch.__version__,
        },
    }  # fmt: skip
    if device.type == "cuda":
        found["masks"] = masks(model.to(device), 10_000, 50_000, table)
    else:
        found["masks"] = masks(model, 2000, 250, table)
        found["cost"] = cost_of_a_model(model, rows, table)
        found["adversarial"] = against_adversarial(model, rows, table)
        found["memory"] = {str(models): peak(models) for models in GROWN}
    found["machine"]["load"] = os.getloadavg()
    print(json.dumps(found, indent=1))
    RESULTS.mkdir(exist_ok=True)
    name = "rashomon" if device.type == "cpu" else f"rashomon-{device.type}"
    (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
