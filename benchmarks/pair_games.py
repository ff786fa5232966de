"""Sampled interactions of pairs against shapiq's estimators, on games with known interactions.

``python -m benchmarks.pair_games`` prints a table and writes
``benchmarks/results/pair_games.json``. Games are those of ``benchmarks.games``, whose values are
all tabulated, and shapiq's sums of unanimity games. Budgets are looks into a game, the empty and
the full coalition included, on both sides. The error of a game is the squared distance of pairs
and singles from the truth, over the squared length of the truth, and the same for the pairs
alone; an estimator's error is the median over games and draws. ProxySPEX takes part where its
regression package is installed.
"""

import argparse
import json
import warnings
from collections.abc import Callable, Mapping
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np
import shapiq
import shapiq_games.synthetic
import torch

from benchmarks.games import RESULTS, SOURCES, look_up, ratio, tabulate
from tests.tabulated import tabulated
from workbench.core.context import Context
from workbench.core.method import METHODS
from workbench.engines.shapley.interactions import NAME, InteractionsParams, interaction_values_

TIMES_PLAYERS = (20, 40)
UNANIMITIES, LARGEST = 50, 4  # of a game of shapiq: summands, and how many players each needs

Peer = Callable[[int, int, str], Any]
EVERY: Mapping[str, Peer] = {
    "SVARMIQ": lambda d, seed, index: shapiq.SVARMIQ(
        d, max_order=2, index=index, pairing_trick=True, random_state=seed
    ),
    "SHAPIQ": lambda d, seed, index: shapiq.SHAPIQ(
        d, max_order=2, index=index, pairing_trick=True, random_state=seed
    ),
}
if find_spec("lightgbm"):
    EVERY = {
        **EVERY,
        "ProxySPEX": lambda d, seed, index: shapiq.ProxySPEX(
            n=d, max_order=2, index=index, random_state=seed
        ),
    }
PEERS: Mapping[str, Mapping[str, Peer]] = {
    "k-SII": {
        **EVERY,
        "KernelSHAPIQ": lambda d, seed, index: shapiq.KernelSHAPIQ(
            d, max_order=2, index=index, pairing_trick=True, random_state=seed
        ),
        "InconsistentKernelSHAPIQ": lambda d, seed, index: shapiq.InconsistentKernelSHAPIQ(
            d, max_order=2, index=index, pairing_trick=True, random_state=seed
        ),
        "PermutationSamplingSII": lambda d, seed, index: shapiq.PermutationSamplingSII(
            d, max_order=2, index=index, random_state=seed
        ),
    },
    "STII": {
        **EVERY,
        "PermutationSamplingSTII": lambda d, seed, index: shapiq.PermutationSamplingSTII(
            d, max_order=2, index=index, random_state=seed
        ),
    },
    "FSII": {
        **EVERY,
        "RegressionFSII": lambda d, seed, _: shapiq.RegressionFSII(
            d, max_order=2, pairing_trick=True, random_state=seed
        ),
    },
}


def unanimity_games(d: int, n: int) -> np.ndarray:
    """Tables ``[n, 2^d]`` of random sums of what sets of players are worth when all are in."""
    inside = (np.arange(2**d)[:, None] >> np.arange(d)) & 1 == 1
    games = [
        shapiq_games.synthetic.SOUM(
            d,
            UNANIMITIES,
            min_interaction_size=1,
            max_interaction_size=LARGEST,
            random_state=seed,
        )
        for seed in range(n)
    ]
    tables = np.stack([game.value_function(inside) for game in games])
    return tables - tables[:, :1]


def truth_of(tables: np.ndarray, index: str) -> np.ndarray:
    """Singles and pairs ``[games, q]``."""
    found = interaction_values_(torch.tensor(tables)[..., None].clone(), index)[..., 0]
    return found.numpy()[:, *np.triu_indices(found.shape[1])]


def ours(tables: np.ndarray, index: str, budget: int, draws: int) -> np.ndarray:
    """Values ``[games, draws, q]``, every draw with coalitions of its own."""
    model, rows, background = tabulated(tables, copies=draws)
    params = InteractionsParams(index=index, estimator="sampled", budget=budget - 2)
    values = METHODS[NAME].explain(model, rows, background, params, Context(seed=1)).values
    d = values.shape[1]
    return values[:, *np.triu_indices(d), 0].reshape(len(tables), draws, -1)


def theirs(peer: Peer, tables: np.ndarray, index: str, budget: int, draws: int) -> np.ndarray:
    """Values ``[games, draws, q]`` of an estimator of shapiq."""
    d = int(np.log2(tables.shape[1]))
    places = [(i,) if i == j else (i, j) for i, j in zip(*np.triu_indices(d), strict=True)]

    def values(table: np.ndarray, seed: int) -> list[float]:
        found = peer(d, seed, index).approximate(budget, look_up(table))
        return [found[place] for place in places]

    return np.array([[values(table, seed) for seed in range(draws)] for table in tables])


def errors_of(values: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Median relative squared error of all values, and of the pairs alone."""
    d = int((8 * truth.shape[1] + 1) ** 0.5 - 1) // 2
    first, second = np.triu_indices(d)
    found = {}
    for what, chosen in (("all", first <= second), ("pairs", first < second)):
        square = ((values - truth[:, None]) ** 2)[..., chosen].sum(-1)
        found[what] = float(np.median(square / (truth**2)[:, None, chosen].sum(-1)))
    return found


def compared(tables: np.ndarray, index: str, budget: int, draws: int) -> dict[str, object]:
    """Errors of ours and of every peer, and the ratio to the best of them."""
    truth = truth_of(tables, index)
    errors = {"ours": errors_of(ours(tables, index, budget, draws), truth)}
    for name, peer in PEERS[index].items():
        errors[name] = errors_of(theirs(peer, tables, index, budget, draws), truth)
    row: dict[str, object] = {"index": index, "budget": budget, "errors": errors}
    for what in ("all", "pairs"):
        best = min((found[what], name) for name, found in errors.items() if name != "ours")
        row[f"best_peer_{what}"] = best[1]
        row[f"error_over_best_peer_{what}"] = ratio(errors["ours"][what], best[0])
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=3, help="games per source")
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--players", type=int, nargs="*", default=[12, 14, 16])
    chosen = parser.parse_args()
    warnings.filterwarnings("ignore")
    report: dict[str, object] = {
        "versions": {name: version(name) for name in ("shapiq", "torch", "numpy")},
        "games_per_source": chosen.rows,
        "draws": chosen.draws,
        "results": (results := []),
    }
    for d in chosen.players:
        kinds = {
            "models": np.concatenate([tabulate(source, chosen.rows) for source in SOURCES[d]]),
            "unanimity": unanimity_games(d, chosen.rows),
        }
        for kind, tables in kinds.items():
            for index in PEERS:
                for times in TIMES_PLAYERS:
                    row = compared(tables, index, times * d, chosen.draws)
                    results.append({"players": d, "games": kind, **row})
                    print(
                        f"d = {d}, {kind}, {index}, {times * d} evaluations: error of all "
                        f"{row['error_over_best_peer_all']:.2f} x that of shapiq's "
                        f"{row['best_peer_all']}, of pairs "
                        f"{row['error_over_best_peer_pairs']:.2f} x that of "
                        f"{row['best_peer_pairs']}",
                        flush=True,
                    )
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "pair_games.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
