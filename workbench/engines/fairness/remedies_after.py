"""Remedies that change the decisions of the model that there is: thresholds and rejection."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from workbench.core.errors import InvalidInputError
from workbench.engines.fairness.applied import (
    NOTHING,
    Applied,
    accuracy_and_gap,
    least_gap,
)
from workbench.engines.fairness.decided import Decided
from workbench.engines.fairness.remedies_scene import Part, Scene
from workbench.numerics.group_thresholds import Thresholds, equal_shares

# From scores, own decisions and groups to the probability of being granted.
Decide = Callable[
    [Float[np.ndarray, " n"], Float[np.ndarray, " n"], Int[np.ndarray, " n"]],
    Float[np.ndarray, " n"],
]
# What ThresholdOptimizer promises on the rows it was fitted on, up to its grid.
EXACT = 1e-3
FAIRLEARN = {
    "demographic_parity": "demographic_parity", "equal_opportunity": "true_positive_rate_parity",
    "equalized_odds": "equalized_odds",
}  # fmt: skip
WIDTHS = 50
# Pairings of thresholds that are tried at most, about.
PAIRINGS = 3000


@dataclass(frozen=True)
class Rule:
    """How scores become decisions, found on the validation rows."""

    decide: Decide
    settings: str
    guarantee: str = ""
    violation: tuple[float, float] = NOTHING


Find = Callable[[Scene, Decided, Part], Rule]


def threshold_optimizer(scene: Scene) -> Applied:
    """Meet the constraint exactly on validation rows, by lot where it must be."""
    return _applied(scene, _optimised)


def group_thresholds(scene: Scene) -> Applied:
    """Give each group its own threshold."""
    return _applied(scene, _by_group)


def reject_option(scene: Scene) -> Applied:
    """Decide by group where the model is least sure."""
    return _applied(scene, _rejected)


def _applied(scene: Scene, find: Find) -> Applied:
    """Find a rule for the given model, and one of its own for each network trained again."""
    held, test = scene.parts["validation"], scene.parts["test"]
    networks = [scene.model.network]
    if scene.params.refits:
        networks += scene.again()[1:]
    decisions, rules, scores = [], [], []
    for network in networks:
        rule = find(scene, scene.decided(network, "validation"), held)
        own = scene.decided(network, "test")
        decisions.append(rule.decide(own.scores, own.decided.astype(np.float64), test.group))
        rules.append(rule)
        scores.append(own.scores)
    return Applied(
        decisions=decisions[0], scores=scores[0], settings=rules[0].settings,
        refits=decisions[1:], guarantee=rules[0].guarantee, violation=rules[0].violation,
        needs_attribute=True,
    )  # fmt: skip


def _scores_as_given() -> Any:
    """Return the model as fairlearn wants it: its scores, given as the only column."""
    from sklearn.base import BaseEstimator  # noqa: PLC0415 - a second to import

    class Scores(BaseEstimator):  # type: ignore[misc]
        def fit(self, X: Any, y: Any) -> Any:  # noqa: ARG002 - scikit-learn's interface
            return self

        def predict(self, X: Any) -> Any:
            return np.asarray(X)[:, 0]

        def __sklearn_is_fitted__(self) -> bool:
            return True

    return Scores()


def _optimised(scene: Scene, own: Decided, part: Part) -> Rule:
    from fairlearn.postprocessing import ThresholdOptimizer  # noqa: PLC0415 - seconds to import

    usable = _with_both(part, scene.n_groups)
    if len(usable) < 2:
        raise InvalidInputError(
            "Thresholds need two groups with and without the favourable outcome among the "
            f"{len(part):,} validation rows; choose more rows or larger groups."
        )
    rows = np.isin(part.group, usable)
    optimiser = ThresholdOptimizer(
        estimator=_scores_as_given(), constraints=FAIRLEARN[scene.params.constraint], prefit=True,
        predict_method="predict",
    )  # fmt: skip
    optimiser.fit(own.scores[rows, None], part.truth[rows], sensitive_features=part.group[rows])
    found = optimiser.interpolated_thresholder_.interpolation_dict

    def decide(
        scores: Float[np.ndarray, " n"],
        decided: Float[np.ndarray, " n"],
        group: Int[np.ndarray, " n"],
    ) -> Float[np.ndarray, " n"]:
        chances = decided.astype(np.float64).copy()
        for g, rule in found.items():
            here = group == int(g)
            chances[here] = _interpolated(rule, scores[here])
        return chances

    chances = decide(own.scores, own.decided.astype(np.float64), part.group)
    measured = accuracy_and_gap(
        chances[rows], part.truth[rows], part.group[rows], scene.n_groups, scene.params.gap
    )
    words = "; ".join(f"{scene.group_names[int(g)]}: {_said(rule)}" for g, rule in found.items())
    without = len(np.unique(part.group)) - len(usable)
    if without:
        words += f"; {without} groups without both outcomes keep the model's own decisions"
    return Rule(
        decide, words, "On the validation rows that it was fitted on, groups are granted alike in "
        "the way that was asked for.", (measured[1], EXACT),
    )  # fmt: skip


def _interpolated(rule: Any, scores: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Return the probability of being granted under fairlearn's mixture of two thresholds."""
    both = rule.p0 * rule.operation0(scores) + rule.p1 * rule.operation1(scores)
    ignore = rule.get("p_ignore", 0.0)
    found = ignore * rule.get("prediction_constant", 0.0) + (1 - ignore) * both
    # Weights that add up to 1 do so up to rounding: what is certain is no lot.
    snapped = np.where(np.abs(found - found.round()) < 1e-9, found.round(), found)
    return np.asarray(np.clip(snapped, 0.0, 1.0), dtype=np.float64)


def _said(rule: Any) -> str:
    parts = []
    for share, operation in ((rule.p0, rule.operation0), (rule.p1, rule.operation1)):
        if share > 1e-9:
            way = "from" if operation.operator == ">" else "below"
            limit = float(operation.threshold)
            if np.isinf(limit):
                everybody = (limit < 0) == (operation.operator == ">")
                who = "everybody" if everybody else "nobody"
                parts.append(f"{who} is granted for {share:.1%}")
            else:
                parts.append(f"granted {way} {limit:.4g} for {share:.1%}")
    ignore = rule.get("p_ignore", 0.0)
    if ignore > 1e-9:
        parts.append(f"{ignore:.1%} of people by a lot of {rule.prediction_constant:.3g}")
    return ", ".join(parts)


def _with_both(part: Part, n_groups: int) -> list[int]:
    """Return the groups that have rows with and without the favourable outcome."""
    counts = np.bincount(part.group * 2 + part.truth, minlength=2 * n_groups).reshape(-1, 2)
    return np.flatnonzero((counts > 0).all(1)).tolist()


def _by_group(scene: Scene, own: Decided, part: Part) -> Rule:
    constraint, n_groups = scene.params.constraint, scene.n_groups
    decided = own.decided.astype(np.float64)
    grid = equal_shares(
        own.scores, part.truth, part.group, n_groups,
        "all" if constraint == "demographic_parity" else "favourable",
    )  # fmt: skip
    if constraint == "equalized_odds":
        grid += _moved(grid, n_groups)
    found = np.array([
        accuracy_and_gap(
            rule.decide(own.scores, decided, part.group), part.truth, part.group, n_groups,
            scene.params.gap,
        )
        for rule in grid
    ])  # fmt: skip
    # All of the grid give groups equal shares, up to rows that cannot be split; of pairings that
    # is not so.
    chosen = int(found[:, 0].argmax()) if constraint != "equalized_odds" else _closest(scene, found)
    rule = grid[chosen]
    words = "; ".join(
        f"{scene.group_names[g]}: "
        + ("nobody is granted" if np.isinf(limit) else f"granted from {limit:.6g}")
        for g, limit in enumerate(rule.values)
        if not np.isnan(limit)
    )
    return Rule(
        rule.decide, words,
        f"On the validation rows that it was fitted on the gap is {found[chosen, 1]:.4f}; scores "
        "that are equal are decided alike, so that it is not 0.",
    )  # fmt: skip


def _moved(grid: list[Thresholds], n_groups: int) -> list[Thresholds]:
    """Return pairings of thresholds of different targets, for constraints on two rates at once."""
    per_side = max(3, int((PAIRINGS / n_groups) ** 0.5))
    coarse = grid[:: max(1, len(grid) // per_side)]
    found = []
    for g in range(n_groups):
        for one in coarse:
            for other in coarse:
                values = one.values.copy()
                values[g] = other.values[g]
                found.append(Thresholds(values))
    return found


def _closest(scene: Scene, found: Float[np.ndarray, "t 2"]) -> int:
    return least_gap(found, float(found[:, 0].max()) - scene.params.within)


def _rejected(scene: Scene, own: Decided, part: Part) -> Rule:
    """Turn decisions within a band around one half, as wide as lessens the gap most."""
    decided = own.decided.astype(np.float64)
    rates = np.array([
        decided[part.group == g].mean() if (part.group == g).any() else np.nan
        for g in range(scene.n_groups)
    ])
    overall = decided.mean()
    worse = np.where(np.isnan(rates), 0, np.where(rates < overall, 1, -1))

    def at(width: float) -> Decide:
        def decide(
            scores: Float[np.ndarray, " n"],
            given: Float[np.ndarray, " n"],
            group: Int[np.ndarray, " n"],
        ) -> Float[np.ndarray, " n"]:
            unsure = (np.abs(scores - 0.5) < width) & (worse[group] != 0)
            return np.where(unsure, worse[group] > 0, given).astype(np.float64)

        return decide

    widths = np.linspace(0, 0.5, WIDTHS + 1)
    found = np.array([
        accuracy_and_gap(
            at(float(width))(own.scores, decided, part.group), part.truth, part.group,
            scene.n_groups, scene.params.gap,
        )
        for width in widths
    ])  # fmt: skip
    chosen = least_gap(found, float(found[0, 0]) - scene.params.within)
    favoured = [name for g, name in enumerate(scene.group_names) if worse[g] > 0]
    width = float(widths[chosen])
    words = (
        f"scores from {0.5 - width:.2f} to {0.5 + width:.2f} are decided by group, in favour of "
        f"{', '.join(favoured)}"
    )
    return Rule(at(width), words)
