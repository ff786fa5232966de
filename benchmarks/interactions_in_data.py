"""Is an interaction in the data? How often the test says so where it is, and where it is not.

``python -m benchmarks.interactions_in_data`` prints a table and writes
``benchmarks/results/interactions_in_data.json``. For each of several functions and seeds: rows are
drawn, networks of 64 and 64 hidden units are trained, and all pairs of the ten features are tested
against networks trained on labels of the additive model. On additive functions any pair that is
found is wrong; on the others pairs that do not interact are, and half as many seeds are tried.
``--rows``, ``--seeds`` and ``--worlds`` choose less.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tests.interaction_functions import NID, interacting, model_of, table_of, uniform
from workbench import api
from workbench.core.card import Architecture
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.registry.architectures import build_network

RESULTS = Path(__file__).parent / "results"
D, HIDDEN, NOISE = 10, (64, 64), 0.5
CLASSES = ("no", "yes")


def additive(X: Tensor) -> Tensor:
    """Add up a wave, a bow, a bend, a line and a rise; five features do nothing."""
    return (3 * X[:, 0]).sin() + 1.5 * X[:, 1] ** 2 + X[:, 2].abs() + X[:, 3] + X[:, 4].exp()


def product(X: Tensor) -> Tensor:
    """Add a product of the first two."""
    return additive(X) + 2 * X[:, 0] * X[:, 1]


def faint(X: Tensor) -> Tensor:
    """Add a product that makes up a fiftieth of the variance."""
    return additive(X) + 0.5 * X[:, 0] * X[:, 5]


def known(number: int) -> Callable[[Tensor], Tensor]:
    """Return one of the ten functions by which detectors are compared."""
    return lambda X: NID[number][0](*X.T)


def pairs_of(*members: tuple[int, int]) -> list[bool]:
    """Say of each pair of the ten features whether it is among those given."""
    return [(i, j) in members for i in range(D) for j in range(i + 1, D)]


@dataclass(frozen=True)
class World:
    """A function, the pairs that interact in it, and whether it gives odds or values."""

    function: Callable[[Tensor], Tensor]
    truth: list[bool]
    classes: bool = False
    related: bool = False


WORLDS = {
    "additive": World(additive, pairs_of()),
    "additive, classes": World(additive, pairs_of(), classes=True),
    "additive, related features": World(additive, pairs_of(), related=True),
    "product": World(product, pairs_of((0, 1))),
    "product, classes": World(product, pairs_of((0, 1)), classes=True),
    "faint product": World(faint, pairs_of((0, 5))),
    "NID 3": World(known(3), interacting(3)),
    "NID 6": World(known(6), interacting(6)),
    "NID 8": World(known(8), interacting(8)),
}


def rows_of(world: World, n: int, seed: int) -> Table:
    """Draw rows of a world; related features share a part of each other."""
    X = uniform(n, D, seed=seed)
    if world.related:
        X[:, 1::2] = 0.7 * X[:, ::2] + 0.3 * X[:, 1::2]
    f = world.function(X)
    rng = torch.Generator().manual_seed(1000 + seed)
    if not world.classes:
        noise = NOISE * f.std() * torch.randn(n, generator=rng, dtype=torch.float64)
        return table_of(X, f + noise)
    odds = 3 * (f - f.median())
    drawn = torch.rand(n, generator=rng, dtype=torch.float64) < odds.sigmoid()
    table = table_of(X, drawn.long())
    schema = table.schema.model_copy(update={"task": "binary", "classes": CLASSES})
    return replace(table, schema=schema)


def model_for(table: Table) -> Model:
    """Return an untrained network; the test trains its own."""
    outputs = len(table.schema.output_names)
    network = build_network(Architecture(name="mlp", arguments={"hidden": HIDDEN}), D, outputs)
    for module in network.modules():
        if isinstance(module, nn.Linear):
            module.reset_parameters()
    return model_of(network, table.schema).to(dtype=torch.float32)


def tried(world: World, n: int, seed: int, device: str) -> dict[str, Any]:
    """Run the test once and count what it finds."""
    table = rows_of(world, n, seed)
    torch.manual_seed(seed)
    found = api.interaction_test(
        model_for(table), table, table.split("test"), seed=seed, device=device
    )
    truth = np.array(world.truth)
    return {
        "found": int((found.in_data & truth).sum()),
        "wrong": int((found.in_data & ~truth).sum()),
        "least_q": float(found.q.min()),
        "p": np.sort(found.p[~truth]).round(4).tolist(),
        "excess": found.network_excess,
        "excess_noise": found.network_noise,
        "additive_loss": found.additive_loss,
        "seconds": found.provenance.seconds,
    }


def summary(world: World, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Put the runs of a world together."""
    p = np.concatenate([run["p"] for run in runs])
    found, wrong = (np.array([run[what] for run in runs]) for what in ("found", "wrong"))
    return {
        "seeds": len(runs),
        "interacting": sum(world.truth),
        "found": float(found.mean()),
        "clean": int((wrong == 0).sum()),
        "false_share": float(np.mean(wrong / np.maximum(found + wrong, 1))),
        "p_below_5_percent": float((p < 0.05).mean()),
        "additive_as_good": sum(run["excess"] + 1.96 * run["excess_noise"] >= 0 for run in runs),
        "seconds": float(np.mean([run["seconds"] for run in runs])),
    }


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--worlds", nargs="*", default=list(WORLDS))
    parser.add_argument("--device", default="cpu")
    chosen = parser.parse_args()
    started, result = time.perf_counter(), {}
    for name in chosen.worlds:
        world = WORLDS[name]
        seeds = range(-(-chosen.seeds // (2 if any(world.truth) else 1)))
        runs = [tried(world, chosen.rows, seed, chosen.device) for seed in seeds]
        result[name] = summary(world, runs) | {"runs": runs}
        line = {key: value for key, value in result[name].items() if key != "runs"}
        print(name, json.dumps(line), flush=True)
        about = {
            "rows": chosen.rows, "hidden": HIDDEN, "noise": NOISE, "device": chosen.device,
            "torch": torch.__version__, "machine": platform.processor() or platform.machine(),
            "seconds": time.perf_counter() - started,
        }  # fmt: skip
        RESULTS.mkdir(exist_ok=True)
        text = json.dumps({"about": about, "worlds": result}, indent=1)
        (RESULTS / "interactions_in_data.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
