"""What is measured of remedies beside gaps: multiplicity, proxies, and networks tried."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from workbench.core.fairness_metrics import GAPS
from workbench.core.paired_changes import changes_by
from workbench.core.schema import Feature
from workbench.engines.fairness.applied import Applied, Trials, on_front
from workbench.engines.fairness.remedies_scene import Scene
from workbench.numerics.intervals import wilson
from workbench.numerics.paired_gaps import Compared, compared
from workbench.numerics.proxies import told_by_all

RESAMPLING, FOLDING, PROXY_ROWS = 0xFA14, 0xFA15, 5000
UNKNOWN = np.full(3, np.nan)


def ambiguous(
    decisions: Float[np.ndarray, " n"], others: Float[np.ndarray, "k n"]
) -> Float[np.ndarray, " n"]:
    r"""Return for each row the chance that some other rule decides it otherwise.

    .. math:: 1 - p \prod_k p_k - (1 - p) \prod_k (1 - p_k)

    0 or 1 where nobody draws lots; lots are drawn apart from each other.
    """
    granted, refused = others.prod(0), (1 - others).prod(0)
    found: np.ndarray = 1 - decisions * granted - (1 - decisions) * refused
    return np.clip(found, 0.0, 1.0)


def multiplicity(everything: list[Applied], refits: int) -> dict[str, Any]:
    """Share of rows that networks from other starts decide otherwise, before and after."""
    n = len(everything[0].decisions)
    each = [
        ambiguous(own.decisions, np.stack(own.refits)) if len(own.refits) else None
        for own in everything
    ]
    values = [
        UNKNOWN if own is None else np.array([own.mean(), *wilson(float(own.sum()), n)])
        for own in each
    ]
    base, everyone = each[0], np.zeros(n, dtype=np.int64)
    changes = [
        UNKNOWN if own is None or base is None else changes_by(own - base, everyone, 1)[0]
        for own in each
    ]
    if base is not None:
        changes[0] = np.zeros(3)
    none = "refits is 0, so that no other network was trained" if not refits else ""
    return {
        "multiplicity": np.stack(values), "multiplicity_changes": np.stack(changes),
        "multiplicity_remarks": tuple(
            "" if known is not None else own.remark or none
            for own, known in zip(everything, each, strict=True)
        ),
    }  # fmt: skip


def proxies(scene: Scene, everything: list[Applied]) -> dict[str, Any]:
    """How far groups can be told from what the network reads, before and after."""
    if not any(own.inputs is not None for own in everything):
        nothing = np.full((len(everything), 3), np.nan)
        remark = "not measured: no remedy changes what the network reads"
        return {
            "proxy": nothing, "proxy_changes": nothing.copy(),
            "proxy_remarks": (remark,) * len(everything),
        }  # fmt: skip
    given = scene.parts["test"].inputs.cpu().numpy().astype(np.float64)
    before = _told(scene, given)
    values, changes, remarks = [], [], []
    for own in everything:
        after = before if own.inputs is None else _told(scene, own.inputs)
        below = np.hypot(after[0] - after[1], before[2] - before[0])
        above = np.hypot(after[2] - after[0], before[0] - before[1])
        change = after[0] - before[0]
        values.append(after)
        same = own.inputs is None
        changes.append(np.zeros(3) if same else np.array([change, change - below, change + above]))
        remarks.append("reads what the model as it is reads" if same else "")
    remarks[0] = ""
    return {
        "proxy": np.stack(values), "proxy_changes": np.stack(changes),
        "proxy_remarks": tuple(remarks),
    }  # fmt: skip


def _told(scene: Scene, inputs: Float[np.ndarray, "n p"]) -> Float[np.ndarray, " 3"]:
    """Tell groups from inputs, on some test rows, by trees of other rows."""
    group, n = scene.parts["test"].group, len(inputs)
    picked = np.sort(scene.context.stream(FOLDING).permutation(n)[:PROXY_ROWS])
    varies = np.flatnonzero(np.ptp(inputs[picked], 0) > 0)
    features = tuple(Feature(name=f"input {column}") for column in varies)
    counts = np.bincount(group[picked])
    if (counts > 1).sum() < 2 or not len(varies):
        return UNKNOWN if len(varies) else np.array([0.5, 0.5, 0.5])
    return told_by_all(
        inputs[np.ix_(picked, varies)], features, group[picked], scene.n_groups,
        scene.context.stream(FOLDING, 1), step=scene.working().step,
    ).area  # fmt: skip


def trials(scene: Scene, found: Mapping[str, Applied]) -> dict[str, Any]:
    """Accuracy and gap of all networks that searches tried, and which were chosen."""
    searches = [(name, own.trials) for name, own in found.items() if own.trials is not None]
    none = np.zeros((0, 2))
    chosen = [np.arange(len(own.settings)) == own.chosen for _, own in searches]
    return {
        "trial_of": tuple(name for name, own in searches for _ in own.settings),
        "trial_settings": tuple(words for _, own in searches for words in own.settings),
        "trial_validation": np.concatenate([none, *(own.validation for _, own in searches)]),
        "trial_test": np.concatenate([
            np.zeros((0, 2, 3)),
            *(_on_test(scene, own) for _, own in searches),
        ]),
        "trial_front": np.concatenate([
            np.zeros(0, bool),
            *(on_front(own.validation) for _, own in searches),
        ]),
        "trial_chosen": np.concatenate([np.zeros(0, bool), *chosen]),
    }


def _on_test(scene: Scene, tried: Trials) -> Float[np.ndarray, "t 2 3"]:
    test, gap = scene.parts["test"], scene.params.gap
    rng = scene.context.stream(RESAMPLING, 1)
    numbers: Compared = compared(
        tried.test, test.truth, test.group, scene.n_groups, min(500, scene.params.resamples), rng,
        scene.params.least_rows,
    )  # fmt: skip
    return np.stack([numbers.accuracy, numbers.gaps[:, list(GAPS).index(gap)]], 1)
