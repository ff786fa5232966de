"""Sampled Shapley estimators against shapiq's and shap's, on games whose every value is known.

``python -m benchmarks.games`` prints a table and writes ``benchmarks/results/games.json``. A game
is what a bundled model says of one row when some of its features, or blocks of pixels, are known
and the rest come from background rows; all ``2^d`` values are tabulated, so that the true Shapley
values are known and an evaluation is a look-up. Every registered sampled method takes part.

Budgets are looks into a game, the empty and the full coalition included, on both sides. The error
of a game is the squared distance of the values from the truth, over the squared length of the
truth; an estimator's error is the median over games and draws.
"""

import argparse
import hashlib
import json
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import shap
import shapiq
import torch

import workbench as wb
from tests.tabulated import tabulated
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS
from workbench.core.params import parse_params
from workbench.engines.shapley.exact import all_coalitions, shapley_weights
from workbench.engines.shapley.params import SampledParams
from workbench.numerics.game import Game
from workbench.numerics.maskers import marginal

RESULTS = Path(__file__).parent / "results"
CACHE = Path(tempfile.gettempdir()) / "workbench-games"
TIMES_PLAYERS = (10, 20, 40)
OUR_TIMES_PLAYERS = (5, 7, *TIMES_PLAYERS)  # how few evaluations reach a peer's error
GOAL = 1.05
ROUNDING = 1e-12
AUTO = "shapley.proxy"  # for few rows at such budgets, where exact is out of reach


@dataclass(frozen=True)
class Source:
    """Where games come from: players are blocks of features, the other features are known."""

    model: str
    table: str
    players: tuple[tuple[int, ...], ...]
    n_background: int


def singles(n: int) -> tuple[tuple[int, ...], ...]:
    return tuple((i,) for i in range(n))


def pixel_blocks(n: int) -> tuple[tuple[int, ...], ...]:
    """Blocks of two by two pixels of an image of eight by eight, from the middle outwards."""
    corners = [(r, c) for r in range(0, 8, 2) for c in range(0, 8, 2)]
    corners.sort(key=lambda corner: (corner[0] - 3) ** 2 + (corner[1] - 3) ** 2)
    return tuple(tuple(8 * (r + i) + c + j for i in (0, 1) for j in (0, 1)) for r, c in corners[:n])


SOURCES = {
    8: (
        Source("adult-mlp", "adult", singles(8), 50),
        Source("wine-mlp", "wine", singles(8), 50),
        Source("german-mlp", "german", singles(8), 50),
    ),
    12: (
        Source("adult-mlp", "adult", singles(12), 50),
        Source("wine-mlp", "wine", singles(12), 25),
        Source("german-mlp", "german", singles(12), 50),
    ),
    14: (
        Source("breast-cancer-mlp", "breast-cancer", singles(14), 10),
        Source("german-mlp", "german", singles(14), 25),
        Source("digits-mlp", "digits", pixel_blocks(14), 10),
    ),
    16: (
        Source("breast-cancer-mlp", "breast-cancer", singles(16), 5),
        Source("german-mlp", "german", singles(16), 10),
        Source("digits-mlp", "digits", pixel_blocks(16), 5),
    ),
}


def tabulate(source: Source, n_rows: int) -> np.ndarray:
    """All values ``[rows, 2^d]`` of the likeliest class, empty coalition at 0."""
    key = hashlib.sha256(f"{source} {n_rows} {wb.load_model(source.model).digest}".encode())
    path = CACHE / f"{source.model}-{len(source.players)}-{key.hexdigest()[:12]}.npz"
    if path.exists():
        return np.load(path)["values"]
    model, rows = wb.load_model(source.model), wb.load_table(source.table)[:n_rows]
    drawn = wb.load_table(source.table, split="train").sample(source.n_background, seed=0)
    background = marginal(drawn)
    game = Game(model, background, context=Context())
    inside = all_coalitions(len(source.players))
    known = torch.ones(len(inside), game.n_players, dtype=torch.bool)
    for player, features in enumerate(source.players):
        known[:, list(features)] = inside[:, [player]]
    likeliest = model.predict(rows.X).argmax(1)
    values = np.stack([
        game.values(x[None], known)[0, :, likeliest[i]].numpy() for i, x in enumerate(rows.X)
    ])
    values -= values[:, :1]
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, values=values)
    return values


def errors_of(values: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Relative squared error ``[games, draws]`` of values ``[games, draws, d]``."""
    return ((values - truth[:, None]) ** 2).sum(-1) / (truth**2).sum(-1)[:, None]


def our_methods() -> list[str]:
    return [
        name
        for name, method in METHODS.items()
        if name.startswith("shapley.")
        and issubclass(method.params, SampledParams)
        and not method.needs
    ]


def ours(name: str, tables: np.ndarray, budget: int, draws: int) -> np.ndarray:
    """Values ``[games, draws, d]`` of one of our methods, every draw with coalitions of its own."""
    model, rows, background = tabulated(tables, copies=draws)
    params = parse_params(METHODS[name].params, {"budget": budget - 2})
    result = METHODS[name].explain(model, rows, background, params, Context(seed=1))
    return result.values[..., 0].reshape(len(tables), draws, -1)


Peer = Callable[[int, int], object]
PEERS: dict[str, Peer] = {
    "KernelSHAP": lambda d, seed: shapiq.KernelSHAP(d, random_state=seed),
    "KernelSHAP, paired": lambda d, seed: shapiq.KernelSHAP(
        d, pairing_trick=True, random_state=seed
    ),
    "UnbiasedKernelSHAP": lambda d, seed: shapiq.UnbiasedKernelSHAP(
        d, pairing_trick=True, random_state=seed
    ),
    "kADDSHAP 2": lambda d, seed: shapiq.kADDSHAP(d, 2, pairing_trick=True, random_state=seed),
    "kADDSHAP 3": lambda d, seed: shapiq.kADDSHAP(d, 3, pairing_trick=True, random_state=seed),
    "PermutationSamplingSV": lambda d, seed: shapiq.PermutationSamplingSV(d, random_state=seed),
    "StratifiedSamplingSV": lambda d, seed: shapiq.StratifiedSamplingSV(d, random_state=seed),
    "OwenSamplingSV": lambda d, seed: shapiq.OwenSamplingSV(d, random_state=seed),
    "SVARM": lambda d, seed: shapiq.SVARM(d, pairing_trick=True, random_state=seed),
}


def look_up(table: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    bits = 1 << np.arange(int(np.log2(len(table))))
    return lambda coalitions: table[(np.atleast_2d(coalitions) > 0.5) @ bits]


def theirs(name: str, tables: np.ndarray, budget: int, draws: int) -> np.ndarray:
    """Values ``[games, draws, d]`` of an estimator of shapiq."""
    d = int(np.log2(tables.shape[1]))

    def values(table: np.ndarray, seed: int) -> list[float]:
        found = PEERS[name](d, seed).approximate(budget, look_up(table))
        return [found[(i,)] for i in range(d)]

    return np.array([[values(table, seed) for seed in range(draws)] for table in tables])


def shap_kernel(tables: np.ndarray, budget: int, draws: int) -> np.ndarray:
    """Values ``[games, draws, d]`` of ``shap.KernelExplainer`` without its L1 screen."""
    d = int(np.log2(tables.shape[1]))
    found = np.empty((len(tables), draws, d))
    for game, table in enumerate(tables):
        explainer = shap.KernelExplainer(look_up(table), np.zeros((1, d)))
        for draw in range(draws):
            np.random.seed(draw)  # noqa: NPY002 - shap draws from the global generator
            found[game, draw] = explainer.shap_values(
                np.ones(d), nsamples=budget - 2, l1_reg=False, silent=True
            )
    return found


def our_errors(tables: np.ndarray, draws: int) -> dict[tuple[str, str], dict[int, float]]:
    """Median error of every method of ours at the budgets that it can work with."""
    d, found = int(np.log2(tables.shape[1])), {}
    truth = tables @ shapley_weights(d).numpy().T
    for name in our_methods():
        own = found.setdefault(("ours", name), {})
        for times in OUR_TIMES_PLAYERS:
            try:
                values = ours(name, tables, times * d, draws)
            except InvalidInputError:  # too few for its design
                continue
            own[times * d] = float(np.median(errors_of(values, truth)))
    return found


def peer_errors(tables: np.ndarray, draws: int) -> dict[tuple[str, str], dict[int, float]]:
    """Median error of every estimator of the peers."""
    d, found = int(np.log2(tables.shape[1])), {}
    truth = tables @ shapley_weights(d).numpy().T
    for times in TIMES_PLAYERS:
        budget = times * d
        for name in PEERS:
            errors = errors_of(theirs(name, tables, budget, draws), truth)
            found.setdefault(("shapiq", name), {})[budget] = float(np.median(errors))
        errors = errors_of(shap_kernel(tables, budget, draws), truth)
        found.setdefault(("shap", "KernelExplainer"), {})[budget] = float(np.median(errors))
    return found


def compare(errors: dict[tuple[str, str], dict[int, float]], budgets: list[int]) -> list[dict]:
    """Our best and auto's choice against each peer's best, at every budget."""
    rows = []
    for budget in budgets:
        best = {
            who: min(
                (max(found[budget], ROUNDING), name != AUTO, name)
                for (whose, name), found in errors.items()
                if whose == who and budget in found
            )
            for who in ("ours", "shapiq", "shap")
        }
        mine = errors["ours", best["ours"][-1]]
        auto = errors["ours", AUTO]
        row: dict[str, object] = {"budget": budget, "auto": auto[budget]}
        for who, (error, _, name) in best.items():
            row |= {who: error, f"{who}_method": name}
            if who != "ours":
                row |= {
                    f"error_over_{who}": ratio(mine[budget], error),
                    f"auto_error_over_{who}": ratio(auto[budget], error),
                    f"evaluations_over_{who}": evaluations_for(error, mine) / budget,
                }
        rows.append(row)
    return rows


def ratio(error: float, other: float) -> float:
    """Ratio of errors; two errors that are nothing but rounding are equal."""
    return max(error, ROUNDING) / max(other, ROUNDING)


def evaluations_for(error: float, found: dict[int, float]) -> float:
    """Interpolate, in logarithms, the evaluations at which errors fall to ``error``.

    Outside the budgets that were tried, the first or the last of them.
    """
    budgets = sorted(found)
    errors = np.log([max(found[budget], ROUNDING) for budget in budgets])
    reached = np.interp(-np.log(max(error, ROUNDING)), -errors, np.log(budgets))
    return float(np.exp(reached))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=3, help="games per source")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--players", type=int, nargs="*", default=list(SOURCES))
    chosen = parser.parse_args()
    warnings.filterwarnings("ignore")
    report = {
        "versions": {name: version(name) for name in ("shapiq", "shap", "torch", "numpy")},
        "games_per_source": chosen.rows,
        "draws": chosen.draws,
        "players": {},
    }
    for d in chosen.players:
        tables = np.concatenate([tabulate(source, chosen.rows) for source in SOURCES[d]])
        budgets = [times * d for times in TIMES_PLAYERS]
        errors = our_errors(tables, chosen.draws) | peer_errors(tables, chosen.draws)
        rows = compare(errors, budgets)
        print(f"d = {d}, {len(tables)} games: median relative squared error")
        for (who, name), found in errors.items():
            print(f"  {who:7} {name:24}", *(f"{found.get(b, np.nan):9.1e}" for b in budgets))
        for row in rows:
            print(
                f"  {row['budget']:4} evaluations: {row['ours_method']} has "
                f"{row['error_over_shapiq']:.2f} x the error of shapiq's {row['shapiq_method']} "
                f"(goal {GOAL}) and reaches it with {row['evaluations_over_shapiq']:.2f} x the "
                f"evaluations; {row['error_over_shap']:.2f} x shap's error; auto's choice, "
                f"{AUTO}, {row['auto_error_over_shapiq']:.2f} x shapiq's"
            )
        named = {f"{who} {name}": found for (who, name), found in errors.items()}
        report["players"][str(d)] = {"errors": named, "against_peers": rows}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "games.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
