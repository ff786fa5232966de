"""Scores of pairs: speed against a loop over pairs, and what they find in trained networks.

``python -m benchmarks.interactions`` prints a table and writes
``benchmarks/results/interactions.json``: all pairs of 30 features over 1,000 rows and 8 exchanges
in a network 30-256-256-1, against a loop that copies rows for each pair; and the area under the
ROC curve with which four detectors find the interacting pairs of ten known functions in networks
trained on 10,000 rows of them (140-100-60-20, L1 5e-5). ``--functions 3`` takes the first three.

``--models 64`` scores the same pairs in so many equally good models in place of the functions, and
``--device cuda`` does so on a GPU: it writes ``interactions-cuda.json``
(``interactions-cloud.json`` on a CPU).

``python -m benchmarks.interactions --detectors`` asks every detector instead, of 8 networks for
each function and of their mean, and writes ``benchmarks/results/interactions-detectors.json``.
"""

import argparse
import itertools
import json
import platform
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from tests.interaction_functions import NID, interacting, model_of, nid_rows, normal, table_of
from workbench import api
from workbench.core.card import Architecture
from workbench.core.context import Context
from workbench.core.detectors import Detectors
from workbench.core.interaction_scores import InteractionScores
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.engines import shapley  # noqa: F401 - registers the method of a detector
from workbench.engines.interactions.params import ScoresParams
from workbench.engines.interactions.scene import scene_of
from workbench.engines.rashomon.by_dropout import dropout_family
from workbench.numerics.devices import choose_device, describe_device
from workbench.numerics.stream.family import Members, materialise
from workbench.registry.architectures import build_network

RESULTS = Path(__file__).parent / "results"
D, ROWS, LOOPED = 30, 1000, 20
TRAINED_ROWS, EPOCHS, BATCH, RATE, L1 = 10_000, 25, 100, 1e-3, 5e-5
HIDDEN = (140, 100, 60, 20)
SEEDS = 8
# Rows of detectors that take many passes for each.
FEW: dict[str, Any] = {
    "permutations": 3,
    "friedman_rows": 50,
    "shapley_rows": 10,
    "shapley_background": 15,
}


def network_of(hidden: tuple[int, ...], d: int) -> nn.Module:
    """Build an untrained network with the usual start."""
    network = build_network(Architecture(name="mlp", arguments={"hidden": hidden}), d, 1)
    for module in network.modules():
        if isinstance(module, nn.Linear):
            module.reset_parameters()
    return network


def by_loop(model: Model, table: Table, pairs: list[tuple[int, int]]) -> list[float]:
    """Score pairs one by one, each with copies of the rows."""
    donors = scene_of(model, table, ScoresParams(), Context()).donors
    found = []
    for i, j in pairs:
        total = 0.0
        for order in donors:
            rows = []
            for chosen in ((), (i,), (j,), (i, j)):
                X = table.X.clone()
                X[:, list(chosen)] = table.X[order][:, list(chosen)]
                rows.append(model.predict(X)[:, 0])
            total += float((rows[0] - rows[1] - rows[2] + rows[3]).square().mean()) / 4
        found.append(total / len(donors))
    return found


def speed(device: torch.device) -> dict[str, Any]:
    """Compare with the loop, which is timed on a few pairs."""
    torch.manual_seed(0)
    table = table_of(normal(ROWS, D))
    model = model_of(network_of((256, 256), D), table.schema).to(device, torch.float32)
    pairs = list(itertools.combinations(range(D), 2))
    if device.type != "cpu":  # a first run loads libraries
        api.interaction_scores(model, table, device=str(device), permutations=1)
        by_loop(model, table, pairs[:1])
    started = time.perf_counter()
    found = api.interaction_scores(model, table, device=str(device))
    ours = time.perf_counter() - started
    started = time.perf_counter()
    looped = by_loop(model, table, pairs[:LOOPED])
    theirs = (time.perf_counter() - started) / LOOPED * len(pairs)
    apart = float(np.abs(np.array(looped) / found.mixed[0, :LOOPED, 0] - 1).max())
    return {"seconds": ours, "loop_seconds": theirs, "ratio": theirs / ours, "apart": apart}


def cloud(count: int, device: torch.device) -> dict[str, Any]:
    """Score all pairs in so many near-copies, and one of them by the loop over pairs."""
    torch.manual_seed(0)
    X = normal(5 * ROWS, D)
    network = network_of((256, 256), D)
    with torch.no_grad():
        truth = network(X.float())[:, 0].double()
    table = table_of(X, truth + truth.std() * torch.randn(len(X), dtype=torch.float64))
    model = model_of(network, table.schema).to(device, torch.float32)
    rows, asked = table.split("test"), {"device": str(device), "scored": count}
    api.interactions_set(model, rows, table, **asked | {"scored": min(count, 2)}, permutations=1)
    started = time.perf_counter()
    found = api.interactions_set(model, rows, table, **asked)
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    api.interaction_scores(model, rows, device=str(device))
    alone = time.perf_counter() - started
    members = Members(
        *(torch.from_numpy(getattr(found, name)) for name in ("numbers", "strengths", "stretches"))
    )
    assert found.explorer is not None  # noqa: S101 - models were looked for
    family = dropout_family(model, found.explorer, 0)
    pairs = list(itertools.combinations(range(D), 2))[:LOOPED]
    looped = [
        by_loop(one, rows, pairs)
        for one in (model, materialise(family, members, 1), materialise(family, members, count))
    ]
    scored = found.mixed[[0, 1, count], :LOOPED, 0]
    return {
        "models": found.n_models, "explorer": found.explorer, "rows": len(rows),
        "evaluations": found.provenance.evaluations, "seconds": seconds,
        "seconds_of_one_model": alone, "apart": float(np.abs(np.array(looped) / scored - 1).max()),
        "largest_excess": float(found.excess.max()), "tolerance": found.tolerance,
    }  # fmt: skip


class Mean(nn.Module):
    """What several networks say on average."""

    def __init__(self, networks: list[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the mean of their outputs."""
        return torch.stack([network(inputs) for network in self.networks]).mean(0)


def trained(number: int) -> tuple[Model, float]:
    """Train a network on one function; return its R² on rows of its own."""
    X = nid_rows(number, TRAINED_ROWS, seed=100 + number)
    y = NID[number][0](*X.T)
    middle, scale = y.mean(), y.std()
    torch.manual_seed(number)
    network = network_of(HIDDEN, 10)
    inputs, wanted = X.float(), ((y - middle) / scale).float()
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    weights = [p for p in network.parameters() if p.ndim > 1]
    for _ in range(EPOCHS):
        for part in torch.randperm(len(X)).split(BATCH):
            optimiser.zero_grad()
            error = (network(inputs[part])[:, 0] - wanted[part]).square().mean()
            (error + L1 * torch.stack([w.abs().sum() for w in weights]).sum()).backward()
            optimiser.step()
    fresh = nid_rows(number, 1000, seed=200 + number)
    model = model_of(network, table_of(fresh).schema).to(dtype=torch.float32)
    return model, fit_of(model, number)


def trained_together(number: int) -> list[Model]:
    """Train 8 networks on one function at once, which differ in where they start."""
    X = nid_rows(number, TRAINED_ROWS, seed=100 + number)
    y = NID[number][0](*X.T)
    inputs, wanted = X.float(), ((y - y.mean()) / y.std()).float()
    torch.manual_seed(number)
    nets = [network_of(HIDDEN, 10) for _ in range(SEEDS)]
    linear = [[m for m in net.modules() if isinstance(m, nn.Linear)] for net in nets]
    weights, biases = (
        [
            torch.stack([getattr(layer, name).detach() for layer in same]).requires_grad_()
            for same in zip(*linear, strict=True)
        ]
        for name in ("weight", "bias")
    )
    optimiser = torch.optim.Adam([*weights, *biases], lr=RATE)
    for _ in range(EPOCHS):
        for part in torch.randperm(len(X)).split(BATCH):
            optimiser.zero_grad()
            hidden = inputs[part].expand(SEEDS, -1, -1)
            for place, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
                hidden = hidden.relu() if place else hidden
                hidden = torch.baddbmm(bias[:, None], hidden, weight.mT)
            error = (hidden[..., 0] - wanted[part]).square().mean(1).sum()
            (error + L1 * torch.stack([w.abs().sum() for w in weights]).sum()).backward()
            optimiser.step()
    with torch.no_grad():
        for place, same in enumerate(zip(*linear, strict=True)):
            for seed, layer in enumerate(same):
                layer.weight.copy_(weights[place][seed])
                layer.bias.copy_(biases[place][seed])
    schema = table_of(X).schema
    return [model_of(net, schema).to(dtype=torch.float32) for net in nets]


def fit_of(model: Model, number: int) -> float:
    """Return R² on rows that no network was trained on."""
    X = nid_rows(number, TRAINED_ROWS, seed=100 + number)
    y = NID[number][0](*X.T)
    fresh = nid_rows(number, 1000, seed=200 + number)
    truth = (NID[number][0](*fresh.T) - y.mean()) / y.std()
    said = model.predict(fresh)[:, 0]
    return float(1 - (said - truth).square().mean() / truth.var())


def found_by(result: InteractionScores, number: int) -> dict[str, float]:
    """Return the area under the ROC curve of each detector."""
    assert result.losses is not None  # noqa: S101 - asked for
    assert result.in_contexts is not None  # noqa: S101 - likewise
    assert result.by_weights is not None  # noqa: S101 - the network is a chain
    strengths = {
        "mixed-difference": result.mixed[0, :, 0],
        "loss": np.abs(result.losses[0]),
        "contexts": result.in_contexts[0, :, 0],
        "weights": result.by_weights[0, :, 0],
    }
    truth = interacting(number)
    return {name: float(roc_auc_score(truth, values)) for name, values in strengths.items()}


def detection(numbers: list[int]) -> dict[str, Any]:
    """Return what each detector finds in a network trained on each function."""
    found = {}
    for number in numbers:
        model, fit = trained(number)
        X = nid_rows(number, 1000, seed=300 + number)
        y = NID[number][0](*X.T)
        table = table_of(X, (y - y.mean()) / y.std())
        result = api.interaction_scores(
            model, table, detector="both", compare=True, permutations=3, device="cpu"
        )
        found[str(number)] = {"r2": fit, **found_by(result, number)}
        print(number, {k: round(v, 3) for k, v in found[str(number)].items()}, flush=True)
    names = next(iter(found.values()))
    found["mean"] = {name: float(np.mean([one[name] for one in found.values()])) for name in names}
    return found


def areas(model: Model, number: int) -> tuple[dict[str, float], Detectors]:
    """Return the area under the ROC curve of every detector that serves, and what it took."""
    X = nid_rows(number, 1000, seed=300 + number)
    y = NID[number][0](*X.T)
    table = table_of(X, (y - y.mean()) / y.std())
    result = api.detectors(model, table, device="cpu", **FEW)
    truth = interacting(number)
    return {
        name: float(roc_auc_score(truth, strengths))
        for name, strengths in zip(result.detectors, result.strengths[:, :, 0], strict=True)
    }, result


def side_by_side(numbers: list[int]) -> Iterator[dict[str, Any]]:
    """Ask every detector of 8 networks for each function, and of the mean of the 8.

    Yields what is known after each function.
    """
    found: dict[str, Any] = {}
    for number in numbers:
        nets = trained_together(number)
        told = [areas(net, number) for net in nets]
        mean = replace(nets[0], network=Mean([net.network for net in nets]))
        together, _ = areas(mean, number)
        names = told[0][0]
        single = {name: [one[name] for one, _ in told] for name in names}
        found[str(number)] = {
            "r2": float(np.mean([fit_of(net, number) for net in nets])),
            "r2_mean_model": fit_of(mean, number), "single": single, "mean_model": together,
            "seconds": dict(zip(names, told[0][1].seconds.tolist(), strict=True)),
        }  # fmt: skip
        line = {n: (round(float(np.mean(v)), 3), together.get(n)) for n, v in single.items()}
        print(number, round(found[str(number)]["r2"], 4), line, flush=True)
        yield means_of(found)


def means_of(found: dict[str, Any]) -> dict[str, Any]:
    """Return areas by function, and their means over the functions."""
    first = next(iter(found.values()))
    by_seed = {
        name: np.mean([one["single"][name] for one in found.values()], 0)
        for name in first["single"]
    }
    return {
        "functions": found,
        "single": {name: float(values.mean()) for name, values in by_seed.items()},
        "single_least": {name: float(values.min()) for name, values in by_seed.items()},
        "mean_model": {
            name: float(np.mean([one["mean_model"][name] for one in found.values()]))
            for name in first["mean_model"]
        },
    }


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--functions", type=int, default=10, choices=range(1, 11))
    parser.add_argument("--detectors", action="store_true", help="Ask every detector instead.")
    parser.add_argument("--models", type=int, default=0, help="Score so many models instead.")
    parser.add_argument("--device", default="cpu")
    asked = parser.parse_args()
    chosen, device, path = (
        asked.functions,
        choose_device(asked.device),
        RESULTS / "interactions.json",
    )
    result: dict[str, Any] = {"machine": platform.platform(), "torch": torch.__version__}
    if asked.models:
        result |= {"device": describe_device(device), "speed": speed(device)}
        print(result["speed"], flush=True)
        result["cloud"] = cloud(asked.models, device)
        print(result["cloud"])
        name = "cloud" if device.type == "cpu" else device.type
        (RESULTS / f"interactions-{name}.json").write_text(
            json.dumps(result, indent=2) + "\n", encoding="utf-8"
        )
        return
    result["threads"] = torch.get_num_threads()
    if asked.detectors:
        path = RESULTS / "interactions-detectors.json"
        for known in side_by_side(list(NID)[:chosen]):
            written(path, result | known)
        for which in ("single", "single_least", "mean_model"):
            print(which, {name: round(value, 3) for name, value in known[which].items()})
    else:
        result["speed"] = speed(device)
        print({name: round(value, 8) for name, value in result["speed"].items()}, flush=True)
        result["detection"] = detection(list(NID)[:chosen])
        print("mean", {k: round(v, 3) for k, v in result["detection"]["mean"].items()})
        written(path, result)
    print("wrote", path)


def written(path: Path, result: dict[str, Any]) -> None:
    """Write a result."""
    RESULTS.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
