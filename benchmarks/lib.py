"""How long the Local Interaction Basis takes, and what its closed form saves.

``python -m benchmarks.lib`` prints a table and writes ``benchmarks/results/lib.json``. On
``digits-mlp``: bases with their edges, and all ablation curves of all three bases. On a network of
512 and 512 units with random weights and 2,000 rows: the mean Gram matrix of the Jacobian of its
middle section, in closed form and row by row; both must agree. On a transformer that was trained
to add modulo 53: bases with their edges. ``--device cuda`` does the first two on a GPU, beside the
CPU there, and writes ``lib-cuda.json``.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from workbench import api
from workbench.core.context import Context
from workbench.engines.lib.bases import fit_lib, fit_neurons, fit_pca
from workbench.engines.lib.curves import curves_of
from workbench.engines.lib.params import LibParams
from workbench.engines.lib.sections import Rows, cut
from workbench.engines.lib.transformer import cut_transformer
from workbench.numerics.basis_ablation import Cut
from workbench.numerics.devices import describe_device
from workbench.numerics.section_jacobians import Dense, dense_gram, jacobian_gram
from workbench.operations.modular_addition import Addition, learn_sums

RESULTS = Path(__file__).parent / "results"
FITS = {"lib": fit_lib, "pca": fit_pca, "neurons": fit_neurons}
GOALS = {"fit_s": 3.0, "curves_s": 30.0, "ratio": 50.0, "sums_fit_s": 30.0}
WIDTH, N_ROWS = 512, 2000
# The path row by row would take minutes on all rows; its time is proportional to them.
GENERIC_ROWS = 40


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that something takes, and what it gives."""
    started = time.perf_counter()
    found = run()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started, found


def digits(device: str = "cpu") -> dict[str, float]:
    """Time the bases and edges of ``digits-mlp``, and all curves."""
    model = api.load_model("digits-mlp").to(torch.device(device))
    whole = api.load_table("digits", split="all")
    train, test = whole.split("train"), whole.split("test")
    sections = cut(model.network, model.encode(train.X[:64]))
    with torch.no_grad():
        layers, tested = (
            sections.layers(model.encode(part.X).double()) for part in (train, test)
        )  # fmt: skip
    codes = (test.y.long() if test.y is not None else torch.zeros(0)).to(device)

    def judge(outputs: torch.Tensor) -> float:
        return float((outputs[:, 0].argmax(1) == codes).double().mean())

    def fitted(name: str) -> Any:
        context = Context(device=torch.device(device))
        return FITS[name](sections, layers, LibParams(), context, lambda _: None)

    fitted("lib")  # compiles rules of torch on its first use
    fit_s, lib = timed(lambda: fitted("lib"))
    bases = [lib, fitted("pca"), fitted("neurons")]
    base = judge(tested[-1])

    def curves() -> None:
        for each in bases:
            made = Cut(sections.parts, tested, each.bases, judge)
            curves_of(made, [e.cpu().numpy() for e in each.edges], base - 0.01, lambda _: None)

    curves_s, _ = timed(curves)
    return {"fit_s": fit_s, "curves_s": curves_s, "rows": len(train)}


def wide(device: str = "cpu") -> dict[str, float]:
    """Time both paths to the Gram matrix of a wide section."""
    torch.manual_seed(0)
    linear, relu = nn.Linear(WIDTH, WIDTH).double().to(device), nn.ReLU()
    section = Rows([linear, relu]).requires_grad_(requires_grad=False)
    X = torch.randn(N_ROWS, 1, WIDTH, dtype=torch.float64).to(device)
    into = torch.randn(WIDTH, WIDTH, dtype=torch.float64).to(device) / WIDTH**0.5
    dense = Dense(linear.weight, lambda z: (linear(z) > 0).to(z))
    closed_s = min(timed(lambda: dense_gram(dense, X, into, rows=N_ROWS))[0] for _ in range(3))
    few = X[:GENERIC_ROWS]
    few_s, generic = timed(lambda: jacobian_gram(section, few, into))
    same = dense_gram(dense, few, into, rows=N_ROWS)
    generic_s = few_s * N_ROWS / GENERIC_ROWS
    return {
        "closed_s": closed_s, "generic_s": generic_s, "ratio": generic_s / closed_s,
        "difference": float((generic - same).abs().max() / same.abs().max()),
    }  # fmt: skip


def sums() -> dict[str, float]:
    """Time the training of a transformer that adds modulo 53, and its bases and edges."""
    train_s, learned = timed(lambda: learn_sums(Addition(53), Context()))
    sections = cut_transformer(learned.network, learned.tokens[:64])
    layers = sections.layers(learned.tokens[learned.train])
    fit_s, _ = timed(lambda: fit_lib(sections, layers, LibParams(), Context(), lambda _: None))
    return {
        "sums_train_s": train_s, "sums_steps": learned.steps, "sums_accuracy": learned.accuracy,
        "sums_fit_s": fit_s, "sums_rows": len(learned.train),
    }  # fmt: skip


def _beside() -> dict[str, dict[str, float]]:
    """Return the same on the CPU of the same machine, under names of their own."""
    return {
        f"cpu_{part.__name__}": {f"cpu_{name}": value for name, value in part().items()}
        for part in (digits, wide)
    }


def main() -> None:
    """Print what was measured, and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    device = parser.parse_args().device
    if device == "cpu":
        found = {"digits": digits(), "wide": wide(), "sums": sums()}
    else:
        found = {"digits": digits(device), "wide": wide(device), **_beside()}
    flat = {name: value for part in found.values() for name, value in part.items()}
    for name, value in flat.items():
        goal = f"   goal {GOALS[name]:g}" if name in GOALS else ""
        print(f"{name:<14} {value:10.4g}{goal}")
    about = {"python": platform.python_version(), "torch": torch.__version__,
             "device": describe_device(torch.device(device)),
             "threads": torch.get_num_threads()}  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / ("lib.json" if device == "cpu" else f"lib-{torch.device(device).type}.json")
    path.write_text(json.dumps({"machine": about, "goals": GOALS, **found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
