"""One line that tells the rows of a group from the others by their raw features."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.schema import Feature

DEPTH = 3
# A further condition must raise the F1 score by this much, or the rule stays short.
WORTH_A_CONDITION = 0.04


@dataclass(frozen=True)
class Rule:
    """Conditions joined by "and", and how well they meet the group.

    Attributes
    ----------
    text
        Plain text; empty where no condition helps.
    purity
        Share of the rows that fit the rule which are of the group.
    coverage
        Share of the group that fits the rule.
    """

    text: str
    purity: float
    coverage: float
    fits: Bool[np.ndarray, " n"]


@dataclass(frozen=True)
class _Column:
    """One column that the tree may split: a number, a category, or whether a value is missing."""

    feature: Feature
    values: np.ndarray
    category: str | None = None
    has_missing: bool = False


def group_rule(
    member: Bool[np.ndarray, " n"],
    data: Float[np.ndarray, "n d"],
    features: Sequence[Feature],
) -> Rule:
    r"""Describe a group by the path to one leaf of a small decision tree.

    Trees of depth 1 to 3 are grown to tell members from others, both sides with the same weight;
    of each the leaf with the best :math:`F_1 = 2 p c / (p + c)` counts, where :math:`p` is the
    purity and :math:`c` the coverage. The shortest rule that is nearly the best is taken. It
    describes these rows; it promises nothing about others.
    """
    from sklearn.tree import DecisionTreeClassifier  # noqa: PLC0415 - a second, rarely needed

    columns = _columns(data, features)
    everything = Rule("", float(member.mean()), 1.0, np.ones(len(member), dtype=bool))
    if not columns or member.all() or not member.any():
        return everything
    X = np.stack([column.values for column in columns], axis=1)
    best, reached = everything, _f1(everything)
    for depth in range(1, DEPTH + 1):
        tree = DecisionTreeClassifier(
            max_depth=depth, min_samples_leaf=max(1, len(member) // 200), class_weight="balanced",
            random_state=0,
        ).fit(X, member)  # fmt: skip
        rule = max(_rules(tree.tree_, tree.apply(X), member, columns), key=_f1)
        if _f1(rule) > reached + WORTH_A_CONDITION:
            best, reached = rule, _f1(rule)
    return best


def _columns(data: np.ndarray, features: Sequence[Feature]) -> list[_Column]:
    columns: list[_Column] = []
    for feature, values in zip(features, data.T, strict=True):
        missing = np.isnan(values)
        if feature.kind == "categorical":
            codes = np.unique(values[~missing]).astype(int)
            columns += [
                _Column(feature, (values == code).astype(float), feature.categories[code])
                for code in codes
            ]
        elif not missing.all():
            # Missing lies below every number, so a split never cuts between it and the smallest
            # without saying so.
            exact = values.astype(np.float32).astype(float)  # as the tree compares them
            low = float(exact[~missing].min())
            filled = np.where(missing, low - 1 - abs(low), exact)
            columns.append(_Column(feature, filled, has_missing=bool(missing.any())))
        if feature.kind == "categorical" and missing.any():
            columns.append(_Column(feature, missing.astype(float), "missing"))
    return columns


def _rules(
    tree: Any, leaf_of: Int[np.ndarray, " n"], member: Bool[np.ndarray, " n"],
    columns: Sequence[_Column],
) -> list[Rule]:  # fmt: skip
    """Return one rule per leaf: walk from the root and keep the conditions met on the way."""
    rules: list[Rule] = []
    open_nodes: list[tuple[int, tuple[tuple[int, float, float], ...]]] = [(0, ())]
    while open_nodes:
        node, path = open_nodes.pop()
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left == right:
            fits = leaf_of == node
            both = float((fits & member).sum())
            rules.append(
                Rule(_text(path, columns), both / fits.sum(), both / member.sum(), fits)
            )  # fmt: skip
            continue
        column, edge = int(tree.feature[node]), float(tree.threshold[node])
        open_nodes += [
            (left, (*path, (column, -np.inf, edge))), (right, (*path, (column, edge, np.inf))),
        ]  # fmt: skip
    return rules


def _text(path: Sequence[tuple[int, float, float]], columns: Sequence[_Column]) -> str:
    """Join the conditions of a path, one for each column it uses."""
    bounds: dict[int, tuple[float, float]] = {}
    for column, low, high in path:
        before = bounds.get(column, (-np.inf, np.inf))
        bounds[column] = max(before[0], low), min(before[1], high)
    # That a feature is one category makes it superfluous which other ones it is not.
    settled = {
        columns[c].feature.name for c, (low, _) in bounds.items()
        if columns[c].category is not None and low > 0
    }  # fmt: skip
    return " and ".join(
        _condition(columns[c], low, high)
        for c, (low, high) in bounds.items()
        if low > 0 or columns[c].category is None or columns[c].feature.name not in settled
    )


def _condition(column: _Column, low: float, high: float) -> str:
    name, feature = column.feature.name, column.feature
    if column.category is not None:
        return f"{name} is {'' if low > 0 else 'not '}{column.category}"
    known = column.values if not column.has_missing else column.values[
        column.values > column.values.min()
    ]  # fmt: skip
    or_missing = " or missing" if column.has_missing and low == -np.inf else ""
    if high < known.min():
        return f"{name} is missing"
    if low < known.min():
        if high == np.inf:
            return f"{name} is known"
        low = -np.inf
    # The rows at hand say where the edges are: the next value inside, not the middle of a gap.
    from_ = feature.show(float(known[known > low].min())) if low > -np.inf else ""
    to = feature.show(float(known[known <= high].max())) if high < np.inf else ""
    if from_ and to:
        return f"{name} is {from_}" if from_ == to else f"{name} is {from_} to {to}"
    return f"{name} is at least {from_}" if from_ else f"{name} is at most {to}{or_missing}"


def _f1(rule: Rule) -> float:
    total = rule.purity + rule.coverage
    return 2 * rule.purity * rule.coverage / total if total else 0.0
