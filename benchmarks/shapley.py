"""Shapley estimators against shap, captum and shapiq, on ``adult-mlp`` with 100 background rows.

``python -m benchmarks.shapley`` prints a table and writes ``benchmarks/results/shapley.json``.
Both sides explain the same rows with the same background and the same network; each is warmed up
first (shap compiles on its first call, which takes seconds that are not counted). Times are the
best of three; those of the bulk section, ours for 1,000 rows, are single runs on a CPU.

``--device cuda`` runs all of them with the model on the GPU, peers' arrays as well, and writes
``shapley-cuda.json``; ``--only bulk`` runs one section and leaves the figures of the others.
"""

import argparse
import json
import platform
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import captum
import captum.attr
import numpy as np
import shap
import shapiq
import torch

import workbench as wb
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.numerics.devices import choose_device, describe_device

RESULTS = Path(__file__).parent / "results"
N_BACKGROUND = 100
REPEATS = 3
SHAP_BUDGETS = (256, 1024, 2072)
BULK_BUDGETS = (64, 128, 192, 256, 384, 512, 1024)
BULK_PEER_ROWS = 10
GOALS = {"cpu": 10, "cuda": 200}
BUDGETS = (64, 96, 128, 192, 256, 384, 512, 768, 1024, 2072)


def best_seconds(run: Callable[[], object], repeats: int = REPEATS) -> float:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return min(times)


def rmse(values: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(((values - truth) ** 2).mean()))


def ours(model: Model, rows: Table, background: Table, **params: object) -> wb.Attribution:
    return wb.explain(model, rows, background, device=str(model.device), **params)


@torch.no_grad()
def probabilities(model: Model, X: torch.Tensor) -> torch.Tensor:
    """Return what the model says of raw rows; a GPU is asked about all of them at once."""
    if model.device.type == "cpu":
        return model.predict(X)
    return model.outputs(model.network(model.encode(X)), "probability").double()


def forward(model: Model) -> Callable[[np.ndarray], np.ndarray]:
    """Return what a user would hand to shap: raw rows to probabilities."""

    def answers(X: np.ndarray) -> np.ndarray:
        rows = torch.from_numpy(np.asarray(X, dtype=np.float64))
        return probabilities(model, rows.to(model.device)).cpu().numpy()

    return answers


def bare_forward_seconds(model: Model, rows: Table, evaluations: int) -> float:
    """Seconds for as many rows through the network alone, encoded, in chunks of one size."""
    chunk = 4096 if model.device.type == "cpu" else 2**18
    inputs = model.encode(rows.X[torch.arange(chunk) % len(rows)])

    @torch.no_grad()
    def run() -> None:
        for _ in range(max(1, evaluations // chunk)):
            found = model.network(inputs).softmax(1)
        found[0, 0].item()  # waits for a GPU

    return best_seconds(run)


def exact_section(model: Model, rows: Table, background: Table) -> dict[str, float]:
    mine = ours(model, rows, background, method="exact")
    seconds = best_seconds(lambda: ours(model, rows, background, method="exact"))
    masker = shap.maskers.Independent(background.X.numpy(), max_samples=len(background))
    peer = shap.ExactExplainer(forward(model), masker)
    few = rows[:3]
    peer(few.X.numpy())
    peer_seconds = best_seconds(lambda: peer(few.X.numpy())) / len(few)
    difference = np.abs(peer(few.X.numpy()).values - mine.values[: len(few)]).max()
    distinct = mine.provenance.evaluations
    asked = len(rows) * 2 ** len(model.schema.features) * len(background)
    return {
        "seconds_per_row": seconds / len(rows),
        "shap_seconds_per_row": peer_seconds,
        "speed_up": peer_seconds / (seconds / len(rows)),
        "share_of_distinct_mixtures": distinct / asked,
        "over_bare_forward": seconds / bare_forward_seconds(model, rows, asked),
        "over_bare_forward_of_distinct": seconds / bare_forward_seconds(model, rows, distinct),
        "largest_difference": float(difference),
    }


def numbers_only_section(device: torch.device) -> dict[str, float]:
    """Exact values where no mixture repeats: 13 numeric features of ``wine-mlp``."""
    model, rows = wb.load_model("wine-mlp").to(device), wb.load_table("wine")[:4]
    background = wb.load_table("wine", split="train").sample(N_BACKGROUND, seed=0)
    return exact_section(model, rows, background)


def kernel_section(
    model: Model, rows: Table, background: Table
) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """Error against time of ours, and of shap with the ratio of times at shap's error."""
    truth = ours(model, rows, background, method="exact").values
    mine = []
    for budget in BUDGETS:
        result = ours(model, rows, background, method="kernel", budget=budget)
        seconds = best_seconds(
            lambda budget=budget: ours(model, rows, background, method="kernel", budget=budget)
        )
        mine.append({
            "coalitions": budget,
            "seconds_per_row": seconds / len(rows),
            "rmse": rmse(result.values, truth),
        })
    explainer = shap.KernelExplainer(forward(model), background.X.numpy())
    few = rows.X.numpy()[:5]
    theirs = []
    for budget in SHAP_BUDGETS:

        def run(budget: int = budget) -> np.ndarray:
            return explainer.shap_values(few, nsamples=budget, l1_reg=False, silent=True)

        run()
        seconds = best_seconds(run) / len(few)
        error = rmse(run(), truth[: len(few)])
        logs = np.log([[o["rmse"], o["seconds_per_row"]] for o in mine[::-1]])
        equal = float(np.exp(np.interp(np.log(error), logs[:, 0], logs[:, 1])))
        theirs.append({
            "coalitions": budget,
            "seconds_per_row": seconds,
            "rmse": error,
            "our_seconds_at_equal_rmse": equal,
            "speed_up_at_equal_rmse": seconds / equal,
        })
    return mine, theirs


def coalition_values(
    model: Model, x: torch.Tensor, background: Table
) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return what a user writes for a package that knows no background: the mean over its rows."""
    own, others = x.to(model.device), background.X.to(model.device)

    def values(known: torch.Tensor) -> torch.Tensor:
        mixed = torch.where(known.to(model.device)[:, None].bool(), own, others)  # (m, b, d)
        found = probabilities(model, mixed.flatten(0, 1))
        return found.unflatten(0, mixed.shape[:2]).mean(1).cpu()

    return values


def captum_permutations(
    model: Model, x: torch.Tensor, background: Table, budget: int
) -> np.ndarray:
    explainer = captum.attr.ShapleyValueSampling(coalition_values(model, x, background))
    torch.manual_seed(0)
    every = [
        explainer.attribute(
            torch.ones(1, len(x)), target=output, n_samples=budget // len(x),
            perturbations_per_eval=16,
        )[0]
        for output in range(len(model.output_names))
    ]  # fmt: skip
    return torch.stack(every, dim=1).numpy()


def captum_kernel(model: Model, x: torch.Tensor, background: Table, budget: int) -> np.ndarray:
    explainer = captum.attr.KernelShap(coalition_values(model, x, background))
    torch.manual_seed(0)
    every = [
        explainer.attribute(
            torch.ones(1, len(x)), target=output, n_samples=budget, perturbations_per_eval=64
        )[0]
        for output in range(len(model.output_names))
    ]
    return torch.stack(every, dim=1).numpy()


def shapiq_kernel(model: Model, x: torch.Tensor, background: Table, budget: int) -> np.ndarray:
    values = coalition_values(model, x, background)
    every = []
    for output in range(len(model.output_names)):
        found = shapiq.KernelSHAP(len(x), pairing_trick=True, random_state=0).approximate(
            budget, lambda known, output=output: values(torch.from_numpy(known))[:, output].numpy()
        )
        every.append([found[(i,)] for i in range(len(x))])
    return np.array(every).T


def shap_kernel(model: Model, x: torch.Tensor, background: Table, budget: int) -> np.ndarray:
    explainer = shap.KernelExplainer(forward(model), background.X.numpy())
    return explainer.shap_values(x.numpy(), nsamples=budget, l1_reg=False, silent=True)


BULK_PEERS = {
    "shap.KernelExplainer": shap_kernel,
    "captum.attr.ShapleyValueSampling": captum_permutations,
    "captum.attr.KernelShap": captum_kernel,
    "shapiq.KernelSHAP, paired": shapiq_kernel,
}


def bulk_section(
    model: Model, rows: Table, background: Table
) -> tuple[list[dict[str, Any]], list[dict[str, object]]]:
    """Seconds a row for many rows with shared coalitions, against peers a row at a time.

    Peers explain every hundredth row or so; errors of both sides are taken there. A package that
    explains one output at a time is charged for one.
    """
    few = torch.arange(0, len(rows), max(1, len(rows) // BULK_PEER_ROWS))[:BULK_PEER_ROWS]
    repeats = 1 if model.device.type == "cpu" else REPEATS
    ways = [{"method": "exact"}]
    ways += [
        {"method": method, "draw": "shared", "budget": budget}
        for method in ("leverage", "proxy")
        for budget in BULK_BUDGETS
    ]
    mine: list[dict[str, Any]] = []
    for way in ways:
        found: list[wb.Attribution] = []
        if model.device.type != "cpu":
            ours(model, rows, background, **way)  # takes the GPU's memory once

        def run(way: dict[str, object] = way, found: list[wb.Attribution] = found) -> None:
            found.append(ours(model, rows, background, **way))

        seconds = best_seconds(run, repeats)
        values = found[0].values[few]
        truth = values if way["method"] == "exact" else truth
        mine.append({
            "method": way["method"],
            "coalitions": way.get("budget", 2 ** len(model.schema.features)),
            "seconds_per_row": seconds / len(rows),
            "rmse": rmse(values, truth),
        })
    theirs: list[dict[str, object]] = []
    for name, explain in BULK_PEERS.items():
        for budget in SHAP_BUDGETS[1:]:
            explain(model, rows.X[few[0]], background, budget)
            started = time.perf_counter()
            values = np.stack([explain(model, x, background, budget) for x in rows.X[few]])
            seconds = (time.perf_counter() - started) / len(few)
            seconds /= 1 if explain is shap_kernel else len(model.output_names)
            error = rmse(values, truth)
            equal = min(row["seconds_per_row"] for row in mine if row["rmse"] <= error)
            theirs.append({
                "package": name,
                "coalitions": budget,
                "seconds_per_row": seconds,
                "rmse": error,
                "our_seconds_at_no_more_rmse": equal,
                "speed_up_at_no_more_rmse": seconds / equal,
            })
    return mine, theirs


def peak_mebibytes(n_rows: int) -> float:
    """Peak resident memory of a fresh process that explains so many rows."""
    code = (
        "import resource, workbench as wb;"
        "m = wb.load_model('adult-mlp'); t = wb.load_table('adult');"
        f"wb.explain(m, t[:{n_rows}], method='kernel', budget=256, device='cpu');"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)  # noqa: S603
    return int(done.stdout.split()[-1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", choices=("exact", "kernel", "bulk"))
    parser.add_argument("--rows", type=int, default=10)
    parser.add_argument("--bulk-rows", type=int, default=1000)
    chosen = parser.parse_args()
    warnings.filterwarnings("ignore")
    device = choose_device(chosen.device)
    model = wb.load_model("adult-mlp").to(device)
    rows = wb.load_table("adult")[: chosen.rows]
    background = wb.load_table("adult", split="train").sample(N_BACKGROUND, seed=0)
    name = "shapley" if device.type == "cpu" else f"shapley-{device.type}"
    path = RESULTS / f"{name}.json"
    report = json.loads(path.read_text()) if chosen.only and path.exists() else {}
    report |= {
        "device": describe_device(device),
        "versions": {
            "torch": torch.__version__,
            "shap": shap.__version__,
            "captum": captum.__version__,
            "shapiq": shapiq.__version__,
            "python": platform.python_version(),
        },
        "rows": chosen.rows,
        "background": N_BACKGROUND,
    }
    print(f"{N_BACKGROUND} background rows, {report['device']}")
    if chosen.only in {None, "exact"}:
        report["exact"] = exact_section(model, rows, background)
        report["exact_wine"] = numbers_only_section(device)
        print_exact(report)
    if chosen.only in {None, "kernel"}:
        report["kernel"], report["shap_kernel"] = kernel_section(model, rows, background)
        print_kernel(report)
    if chosen.only in {None, "bulk"}:
        many = wb.load_table("adult")[: chosen.bulk_rows]
        report["bulk_rows"] = chosen.bulk_rows
        report["bulk"], report["bulk_peers"] = bulk_section(model, many, background)
        print_bulk(report, GOALS.get(device.type, GOALS["cpu"]))
    if chosen.only is None and device.type == "cpu":
        memory = {str(n): peak_mebibytes(n) for n in (50, 500)}
        report["peak_mebibytes_by_rows"] = memory
        print("peak memory, kernel:", ", ".join(f"{n} rows {m:.0f} MiB" for n, m in memory.items()))
    RESULTS.mkdir(exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n")


def print_exact(report: dict) -> None:
    for name, key in (("adult-mlp", "exact"), ("wine-mlp", "exact_wine")):
        part = report[key]
        print(
            f"exact, {name}: {part['seconds_per_row']:.4f} s/row, shap "
            f"{part['shap_seconds_per_row']:.4f}: {part['speed_up']:.1f} x shap.ExactExplainer; "
            f"largest difference {part['largest_difference']:.1e}"
        )
        print(
            f"    {part['over_bare_forward']:.2f} x the bare forward passes of all coalitions "
            f"times background; {part['over_bare_forward_of_distinct']:.2f} x those of the "
            f"{100 * part['share_of_distinct_mixtures']:.0f} % that differ"
        )


def print_kernel(report: dict) -> None:
    print("kernel  coalitions   s/row     RMSE")
    for row in report["kernel"]:
        print(f"        {row['coalitions']:10} {row['seconds_per_row']:8.4f} {row['rmse']:10.2e}")
    print("shap    coalitions   s/row     RMSE      ours at equal RMSE")
    for row in report["shap_kernel"]:
        print(
            f"        {row['coalitions']:10} {row['seconds_per_row']:8.4f} {row['rmse']:10.2e} "
            f"{row['our_seconds_at_equal_rmse']:8.4f} s/row, {row['speed_up_at_equal_rmse']:.1f} x "
            "(goal 3)"
        )


def print_bulk(report: dict, goal: int) -> None:
    print(f"bulk, {report['bulk_rows']:,} rows, shared coalitions   ms/row     RMSE")
    for row in report["bulk"]:
        print(
            f"  {row['method']:9}{row['coalitions']:6} "
            f"{1000 * row['seconds_per_row']:10.3f} {row['rmse']:10.2e}"
        )
    for peer in report["bulk_peers"]:
        print(
            f"  {peer['package']:34} {peer['coalitions']:6} "
            f"{1000 * peer['seconds_per_row']:8.1f} {peer['rmse']:10.2e}: "
            f"{peer['speed_up_at_no_more_rmse']:.1f} x slower than ours at no more RMSE "
            f"(goal {goal})"
        )


if __name__ == "__main__":
    main()
