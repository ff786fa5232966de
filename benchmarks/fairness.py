"""The audit of decisions against fairlearn's ``MetricFrame``, a million rows, three attributes.

``python -m benchmarks.fairness`` prints a table and writes ``benchmarks/results/fairness.json``.
Same rows, same metrics, same groups: every way of crossing three attributes, and intervals from
``--resamples`` bootstrap samples. Fairlearn resamples rows and groups them again each time, ours
resamples counts. As its bootstrap would take hours, fairlearn runs with ``--few`` samples and with
none; what each further sample takes is the difference. ``seconds_all`` is what the audit takes with
everything else that it says (pooled rates, noise floor, areas across groups, calibration).
``largest_difference`` compares every rate and gap of both. Seconds are those of the processor:
either side uses one core. The part ``drawing`` draws each view of an audit of 60 crossed groups, as
a page does when somebody chooses another one.
"""

import argparse
import json
import os
import platform
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from typing import Any

import fairlearn.metrics as fl
import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score

from workbench import api
from workbench.core.fairness_metrics import RATES
from workbench.core.grouping import Grouping
from workbench.core.results import FairnessAudit
from workbench.engines.fairness.decided import Decided
from workbench.engines.fairness.tally import tally
from workbench.numerics.count_bootstrap import replicates
from workbench.numerics.group_rates import gaps_of, rates_of
from workbench.plots import render

RESULTS = Path(__file__).parent / "results"
LEVELS = {"sex": 2, "race": 5, "region": 4}
METRICS = {
    "selection_rate": fl.selection_rate,
    "true_positive_rate": fl.true_positive_rate,
    "false_positive_rate": fl.false_positive_rate,
    "false_negative_rate": fl.false_negative_rate,
    "true_negative_rate": fl.true_negative_rate,
    "accuracy": accuracy_score,
}


def people(n: int) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Draw truths, scores and groups whose rates differ."""
    random = np.random.default_rng(0)
    groups = {
        name: random.choice(size, n, p=np.arange(1, size + 1) / (size * (size + 1) / 2))
        for name, size in LEVELS.items()
    }
    truth = (random.random(n) < 0.2 + 0.1 * groups["sex"]).astype(np.int64)
    score = 1 / (1 + np.exp(-(random.normal(size=n) + 2 * truth - 1.5 + 0.1 * groups["race"])))
    frame = {name: np.array(list("abcde"))[codes] for name, codes in groups.items()}
    return truth, score, pd.DataFrame(frame)


def seconds(run: Callable[[], Any]) -> tuple[float, Any]:
    started = time.process_time()
    found = run()
    return time.process_time() - started, found


def by_fairlearn(
    truth: np.ndarray, decided: np.ndarray, groups: pd.DataFrame, samples: int
) -> list[fl.MetricFrame]:
    """Build a frame for each way of crossing the columns, gaps and ratios included."""
    bootstrap: dict[str, Any] = {}
    if samples:
        bootstrap = {"n_boot": samples, "ci_quantiles": [0.025, 0.975], "random_state": 0}
    frames = []
    for size in range(1, 4):
        for chosen in combinations(LEVELS, size):
            frame = fl.MetricFrame(
                metrics=METRICS, y_true=truth, y_pred=decided,
                sensitive_features=groups[list(chosen)], **bootstrap,
            )  # fmt: skip
            frame.difference(), frame.ratio()
            frames.append(frame)
    return frames


def by_counts(
    truth: np.ndarray, decided: np.ndarray, groups: pd.DataFrame, samples: int
) -> list[np.ndarray]:
    """Do the same: rates and gaps of every partition, with the quantiles of a bootstrap."""
    coded = [np.unique(groups[name].to_numpy(), return_inverse=True) for name in LEVELS]
    grouping = Grouping(
        tuple(LEVELS), tuple(tuple(map(str, levels)) for levels, _ in coded),
        np.stack([codes for _, codes in coded], 1),
    )  # fmt: skip
    unknown = np.full(len(truth), np.nan)
    counted = tally(Decided("1", 1, unknown, decided == 1, truth), grouping, None, np.zeros(0), 3)
    random, found = np.random.default_rng(0), []

    def rates_and_gaps(cells: np.ndarray) -> np.ndarray:
        rates = rates_of(cells.reshape(*cells.shape[:-1], 2, 2))
        return np.concatenate([rates.reshape(*rates.shape[:-2], -1), gaps_of(rates)], -1)

    for part in counted.partitions:
        drawn = replicates(rates_and_gaps, part.counts.reshape(-1, 4), samples, random)
        found.append(np.nanquantile(drawn, [0.025, 0.975], axis=0))
    return found


def differences(found: FairnessAudit, frames: list[fl.MetricFrame]) -> float:
    """Return the largest difference of a rate or a gap between the two."""
    worst = 0.0
    for place, frame in enumerate(frames):
        ours = found.to_metric_frame_dict(place)
        for name in METRICS:
            theirs = frame.by_group[name].to_dict()
            own = ours["by_group"][name]
            pairs = [(own[group], theirs[group]) for group in own.keys() | theirs.keys()]
            pairs += [
                (ours["difference"][name], frame.difference()[name]),
                (ours["ratio"][name], frame.ratio()[name]),
                (ours["overall"][name], frame.overall[name]),
            ]
            worst = max(worst, *(abs(one - other) for one, other in pairs))
    return worst


def audit(chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure the audit against fairlearn."""
    truth, score, groups = people(chosen.rows)
    decided = (score > 0.5).astype(np.int64)
    settings: dict[str, Any] = {"depth": 3, "resamples": chosen.resamples, "seed": 0}
    whole, found = seconds(
        lambda: api.audit_decisions(
            y_true=truth, y_pred=decided, y_score=score, sensitive_features=groups, **settings
        )
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of groups without rows
        counts, _ = seconds(lambda: by_counts(truth, decided, groups, chosen.resamples))
        plain, frames = seconds(lambda: by_fairlearn(truth, decided, groups, 0))
        few, _ = seconds(lambda: by_fairlearn(truth, decided, groups, chosen.few))
    each = (few - plain) / chosen.few
    fairlearn = plain + each * chosen.resamples
    return {
        "rows": chosen.rows, "partitions": len(found.partitions), "groups": len(found),
        "rates": len(RATES), "resamples": chosen.resamples,
        "seconds_same": counts, "seconds_all": whole, "seconds_fairlearn_no_bootstrap": plain,
        "seconds_fairlearn_each_sample": each, "seconds_fairlearn": fairlearn,
        "times_same": fairlearn / counts, "times_all": fairlearn / whole,
        "largest_difference": differences(found, frames),
    }  # fmt: skip


def drawing(chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure how long each view of 60 crossed groups takes, from counts to a figure as JSON."""
    random, n = np.random.default_rng(1), min(chosen.rows, 60_000)
    groups = pd.DataFrame({
        "branch": random.choice(list("abcdefghij"), n), "age": random.choice(list("uvwxyz"), n)
    })  # fmt: skip
    truth = random.integers(0, 2, n)
    score = np.clip(random.normal(0.3 + 0.4 * truth, 0.2), 0, 1)
    found = api.audit_decisions(
        y_true=truth, y_pred=(score > 0.5).astype(int), y_score=score, sensitive_features=groups,
        depth=2, seed=0,
    )  # fmt: skip
    crossed = found.partition_names[-1]
    render(found, "groups", partition=crossed).to_json()  # loads what is loaded once
    taken = {
        view: min(
            seconds(lambda view=view: render(found, view, partition=crossed).to_json())[0]
            for _ in range(5)
        )
        for view in ("groups", "gaps", "intersections", "roc", "calibration", "thresholds", "xauc")
    }
    return {"cells": int((found.partition_of == len(found.partitions) - 1).sum()), **taken}


# What can be measured by itself with --only.
PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "audit": audit, "drawing": drawing
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--few", type=int, default=2, help="samples that fairlearn draws")
    parser.add_argument("--only", choices=list(PARTS), help="measure this part alone")
    chosen = parser.parse_args()
    path = RESULTS / "fairness.json"
    result = json.loads(path.read_text()) if path.exists() else {}
    for name, part in PARTS.items():
        if chosen.only in {None, name}:
            result[name] = part(chosen)
    result["machine"] = f"{platform.machine()}, {os.cpu_count()} cores"
    result["versions"] = {
        name: version(name) for name in ("fairlearn", "pandas", "scikit-learn", "numpy")
    }
    print(json.dumps(result, indent=1))
    RESULTS.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
