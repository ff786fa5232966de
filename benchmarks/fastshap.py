"""FastSHAP and the amortised control variate, on Adult: error, speed, and what training takes.

``python -m benchmarks.fastshap`` prints tables and writes ``benchmarks/results/fastshap.json``;
``--quick`` trains for a moment and uses few rows, to see that it runs through. ``--device cuda``
runs it on a GPU and writes ``fastshap-cuda.json``; ``--only speed`` trains nothing and times the
bundled explainer, ``--only training`` trains the explainer of ``adult-mlp`` alone. Errors are L2
distances to exact values over features and both class columns together, mean over rows; divide by
the square root of two for one column.

F4 trains an explainer for ``adult-mlp`` and one for gradient-boosted trees of scikit-learn, which
the workbench sees as a black box. F5 counts the coalitions that regression takes to have the same
error: drawn from the Shapley kernel one by one, and in pairs.
"""

import argparse
import json
import platform
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from torch import nn

from workbench import api
from workbench.core.context import Context
from workbench.core.explainer import Explainer
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.numerics.amortised import SurrogateGame, network_of, on_the_plane
from workbench.numerics.devices import choose_device, describe_device
from workbench.numerics.game import Game
from workbench.numerics.maskers import marginal
from workbench.numerics.set_function import SetFunction
from workbench.numerics.shapley_kernel import all_inner_coalitions, draw_coalitions, regress

RESULTS = Path(__file__).parent / "results"
SECONDS_REPEATS = 5
COUNTS = (64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072)
QUICK = {"surrogate_epochs": 2, "warm_epochs": 4, "epochs": 1, "draws": 2}


class AsItIs(nn.Module):
    """Raw features as the input of a black box."""

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.register_buffer("groups", torch.arange(n_features))

    def forward(self, X):
        """Return the features in double precision."""
        return X.double()


class Boosted(nn.Module):
    """Trees of scikit-learn that answer with log-probabilities."""

    black_box = True

    def __init__(self, trees: HistGradientBoostingClassifier) -> None:
        super().__init__()
        self.trees = trees
        self.register_buffer("nothing", torch.zeros(1, dtype=torch.float64))

    def forward(self, X):
        """Return logarithms of probabilities, which serve as logits."""
        return torch.from_numpy(np.log(self.trees.predict_proba(X.numpy()).clip(1e-12)))


def boosted(like: Model) -> Model:
    """Gradient-boosted trees on the training rows of Adult, with the card of another model."""
    train = api.load_table("adult", split="train")
    trees = HistGradientBoostingClassifier(
        categorical_features=[f.kind == "categorical" for f in train.schema.features],
        early_stopping=True, random_state=0,
    ).fit(train.X.numpy(), train.y.numpy())  # fmt: skip
    card = like.card.model_copy(update={"name": "adult-boosted", "schema_": train.schema})
    return Model(AsItIs(len(train.schema.features)), Boosted(trees), card, "b" * 64)


def distances(values, exact) -> np.ndarray:
    return np.sqrt(((values - exact) ** 2).sum((1, 2)))


def raw_and_moved(model: Model, explainer: Explainer, rows: Table) -> tuple[np.ndarray, np.ndarray]:
    """Return what the network says as it is, and after the move onto the plane of right sums."""
    totals = model.predict(rows.X) - torch.from_numpy(explainer.empty)
    with torch.no_grad():
        network = network_of(explainer, model.device)
        raw = network(rows.X.to(model.device), totals.float().to(model.device)).cpu().double()
    return raw.numpy(), on_the_plane(raw, totals, shares=False).numpy()


def game_of(explainer: Explainer, model: Model, background: Table) -> SetFunction:
    """Return the game that an explainer was trained for: the model's, or its surrogate's."""
    if explainer.value == "conditional":
        return SurrogateGame(model, explainer)
    return Game(model, marginal(background), context=Context())


def table_of(game: SetFunction, rows: Table) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gains of all inner coalitions ``[n, m, k]``, of the whole, and exact Shapley values."""
    known, weights = all_inner_coalitions(game.n_players)
    parts = [game.values(rows[i : i + 16].X, known) for i in range(0, len(rows), 16)]
    gains = (torch.cat(parts) - game.empty)[..., : game.n_outputs]
    total = (game.full(rows.X) - game.empty)[:, : game.n_outputs]
    return gains, total, regress(gains, known, total, weights)


def ablation(
    model: Model, rows: Table, background: Table, value: str, settings: dict
) -> tuple[dict, SetFunction]:
    """Train with and without normalisation, and measure on test rows; returns the game as well."""
    found, seconds = {}, {}
    for name, normalise in (("normalised", True), ("plain", False)):
        started = time.perf_counter()
        explainer = api.train_explainer(
            model, value=value, normalise=normalise, device=str(model.device), **settings
        )
        seconds[name] = time.perf_counter() - started
        if normalise:
            attached = api.attach(model, explainer)
            values = api.explain(
                attached,
                rows,
                method="fastshap",
                value=value,
                fallback="none",
                device=str(model.device),
            ).values
            found["normalised in training"] = values
            kept = explainer
        else:  # the surrogate is the same: it is trained before and does not know of this
            raw, moved = raw_and_moved(model, explainer, rows)
            found |= {"normalised at the end": moved, "not normalised": raw}
    game = game_of(kept, model, background)
    exact = table_of(game, rows)[2].numpy()
    errors = {name: distances(values, exact) for name, values in found.items()}
    return {
        "training_seconds": seconds["normalised"],
        "certificate": kept.certificate.model_dump(),
        "fidelity": kept.fidelity.model_dump(),
        "mean_l2": {name: float(e.mean()) for name, e in errors.items()},
        "half_width": {
            name: float(1.96 * e.std(ddof=1) / len(e) ** 0.5) for name, e in errors.items()
        },
        "mean_l1": {
            name: float(np.abs(values - exact).sum((1, 2)).mean()) for name, values in found.items()
        },
    }, game


def catch_up(game: SetFunction, rows: Table, goal: float) -> dict:
    """Count the coalitions of regression, one by one and in pairs, until its error is ``goal``."""
    d = game.n_players
    known, _ = all_inner_coalitions(d)
    gains, total, exact = table_of(game, rows)
    place = 2 ** torch.arange(d)
    where = torch.empty(2**d, dtype=torch.int64)
    where[(known * place).sum(1)] = torch.arange(len(known))
    counts = {}
    for name, every in (("one by one", 2), ("in pairs", 1)):
        errors = []
        for m in COUNTS:
            generator = torch.Generator().manual_seed(m)
            off = []
            for i in range(len(rows)):
                drawn = draw_coalitions(1, m * every, d, generator)[0][::every]
                own = gains[i : i + 1, where[(drawn * place).sum(1)]]
                equal = torch.full((m,), 1 / m, dtype=torch.float64)
                found = regress(own, drawn, total[i : i + 1], equal)
                off.append(float((found - exact[i]).square().sum().sqrt()))
            errors.append(np.mean(off))
        # Errors fall along a power of the count: read it off between logarithms.
        logs = np.log(np.array(errors)[::-1])
        counts[name] = float(np.exp(np.interp(np.log(goal), logs, np.log(COUNTS)[::-1])))
    return counts


def speed(model: Model, rows: Table) -> dict:
    """Time many rows in one call, once and once more when everything is warm."""
    n = min(10_000, len(rows))
    many = rows[torch.arange(10_000) % len(rows)] if n < 10_000 else rows[:n]
    out = {}
    for fallback in ("none", "flag"):
        asked = {"method": "fastshap", "fallback": fallback, "device": str(model.device)}
        api.explain(model, many[:100], **asked)
        best = np.inf
        for _ in range(SECONDS_REPEATS):
            started = time.perf_counter()
            result = api.explain(model, many, **asked)
            best = min(best, time.perf_counter() - started)
        out[f"seconds_for_10000_rows_{fallback}"] = best
        out[f"evaluations_per_row_{fallback}"] = result.provenance.evaluations / len(many)
    return out


@torch.no_grad()
def probabilities(model: Model, X: torch.Tensor) -> torch.Tensor:
    """Return what the model says of raw rows; a GPU is asked about all of them at once."""
    if model.device.type == "cpu":
        return model.predict(X)
    return model.outputs(model.network(model.encode(X)), "probability").cpu().double()


def against_shap(model: Model, rows: Table, background: Table, exact: np.ndarray, mine: dict):
    """Return evaluations and seconds a row of KernelExplainer, and ratios at equal error."""
    import shap

    def forward(X):
        return probabilities(model, torch.from_numpy(np.asarray(X, dtype=np.float64))).numpy()

    peer = shap.KernelExplainer(forward, background.X.numpy())
    few = rows.X.numpy()
    peer.shap_values(few[:1], nsamples=64, l1_reg=False, silent=True)  # compiles
    lines = []
    for m in (32, 48, 64, 96, 128, 192, 256, 512, 1024):
        started = time.perf_counter()
        values = peer.shap_values(few, nsamples=m, l1_reg=False, silent=True)
        lines.append({
            "evaluations": m * len(background) + 1,
            "seconds": (time.perf_counter() - started) / len(few),
            "rmse": float(np.sqrt(((values - exact) ** 2).mean())),
            "mean_l2": float(distances(values, exact).mean()),
        })
    errors = np.log([line["mean_l2"] for line in lines[::-1]])
    needed = np.interp(
        np.log(mine["mean_l2"]), errors, np.log([line["seconds"] for line in lines[::-1]])
    )
    return {
        "shap": lines,
        "times_faster_per_row": float(np.exp(needed) / mine["seconds_per_row"]),
        "times_faster_per_checked_row": float(np.exp(needed) / mine["seconds_per_checked_row"]),
    }


def control_variate(
    model: Model, rows: Table, background: Table, exact: np.ndarray, shap_lines: list[dict]
) -> dict:
    """Compare error against model evaluations with and without the surrogate."""
    span = float(exact.max() - exact.min())
    rmses = np.log([line["rmse"] for line in shap_lines[::-1]])
    counts = np.log([line["evaluations"] for line in shap_lines[::-1]])
    lines = []
    for method in ("amortised", "permutation", "kernel"):
        for budget in (8, 10, 12, 16, 24, 44, 48, 64, 88, 176, 352, 704):
            if budget < {"amortised": 8, "permutation": 44, "kernel": 48}[method]:
                continue
            started = time.perf_counter()
            result = api.explain(
                model, rows, background, method=method, budget=budget, device=str(model.device)
            )
            error = float(np.sqrt(((result.values - exact) ** 2).mean()))
            own = result.provenance.evaluations / len(rows)
            lines.append({
                "method": method,
                "budget": budget,
                "evaluations": own,
                "seconds": (time.perf_counter() - started) / len(rows),
                "rmse": error,
                "share_of_range": error / span,
                "times_fewer_than_shap": float(np.exp(np.interp(np.log(error), rmses, counts)))
                / own,
            })
    trained = model.explainers[-1].provenance.evaluations
    return {"range": span, "training_evaluations": trained, "lines": lines}


def training(bundled: Model, rows: Table, background: Table, settings: dict, few: int) -> dict:
    """Train and measure: a network of the workbench, and trees that it sees as a black box."""
    trees, report = boosted(bundled), {}
    for name, model, value in (
        ("adult-mlp", bundled, "marginal"), ("adult-boosted", trees, "conditional"),
        ("adult-boosted", trees, "marginal"),
    )[:few]:  # fmt: skip
        bare = Model(model.encoder, model.network, model.card, model.digest)
        section, game = ablation(bare, rows, background, value, settings)
        goal = section["mean_l2"]["normalised in training"]
        section["catch_up"] = catch_up(game, rows[:64], goal)
        report[f"{name}, {value}"] = section
        print(name, value, json.dumps(section, indent=2), flush=True)
    return report


def answers(bundled: Model, test: Table, rows: Table, background: Table, few: int) -> dict:
    """Time the bundled explainer, and compare it with others at equal error."""
    device, report = str(bundled.device), {"speed": speed(bundled, test)}
    exact = api.explain(bundled, rows, background, method="exact", device=device).values
    found = api.explain(bundled, rows, method="fastshap", fallback="none", device=device).values
    mine = {
        "mean_l2": float(distances(found, exact).mean()),
        "seconds_per_row": report["speed"]["seconds_for_10000_rows_none"] / 10_000,
        "seconds_per_checked_row": report["speed"]["seconds_for_10000_rows_flag"] / 10_000,
    }
    report["shap"] = against_shap(bundled, rows[:few], background, exact[:few], mine)
    report["control_variate"] = control_variate(
        bundled, rows[:few], background, exact[:few], report["shap"]["shap"]
    )
    for part, section in report.items():
        print(part, json.dumps(section, indent=2), flush=True)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", choices=("speed", "training"))
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    settings, n = (QUICK, 16) if arguments.quick else ({}, 256)
    device = choose_device(arguments.device)
    bundled = api.load_model("adult-mlp").to(device)
    test = api.load_table("adult")
    rows = test[:n]
    background = api.background_for(bundled, rows)
    path = RESULTS / ("fastshap.json" if device.type == "cpu" else f"fastshap-{device.type}.json")
    report = json.loads(path.read_text()) if arguments.only and path.exists() else {}
    report |= {
        "device": describe_device(device),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "rows": n,
    }
    if arguments.only != "speed":
        few = 1 if arguments.only == "training" else 3
        report |= training(bundled, rows, background, settings, few)
    if arguments.only != "training":
        report |= answers(bundled, test, rows, background, 4 if arguments.quick else 20)
    if not arguments.quick:
        RESULTS.mkdir(exist_ok=True)
        path.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
