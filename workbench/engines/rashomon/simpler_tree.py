"""The smallest tree that is about as good as the given model, and its rules in words."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from workbench.core.context import Context
from workbench.core.schema import Feature, Schema
from workbench.engines.rashomon.simpler_learners import FIT_ROWS, drawn_rows
from workbench.engines.rashomon.simpler_params import SimplerParams
from workbench.engines.rashomon.simpler_scene import Parts, losses, paired
from workbench.numerics.literals import Statement, holding, statements_of
from workbench.numerics.small_trees import Leaf, Tree, best_tree, n_leaves, of_sklearn, says, ways

# Depths at which the best tree is looked for besides those that scikit-learn grows.
DEPTHS = (0, 1, 2, 3)
LEAST_ROWS = 5


class Grown(NamedTuple):
    """A tree, its rules, and the statements that they ask."""

    tree: Tree
    validation_loss: float


def smallest_tree(parts: Parts, params: SimplerParams, context: Context) -> dict[str, Any]:
    """Return the fields of a result that are about the small tree.

    Of the trees whose validation loss is within the tolerance of the given model's it has the
    fewest leaves; where there is none, it is the one with the least validation loss.
    """
    rows = drawn_rows(parts.train, FIT_ROWS, context)
    statements = statements_of(rows.X, parts.schema, max(params.bins, 2))
    holds, asked = (holding(statements, X) for X in (rows.X, parts.validation.X))
    k = parts.n_classes
    trees = sorted(_candidates(holds, rows.truth, k, params), key=n_leaves)
    context.step(1, 1, "small trees")
    known = parts.validation
    wrong = [float(losses(says(tree, asked), known.truth, k).mean()) for tree in trees]
    limit = float(losses(known.said, known.truth, k).mean()) * (1 + params.tolerance) + 1e-12
    within = [tree for tree, loss in zip(trees, wrong, strict=True) if loss <= limit]
    tree = within[0] if within else trees[int(np.argmin(wrong))]
    return {
        "within": bool(within),
        **_told(tree, statements, holds, rows.truth, parts.schema),
        **_held(tree, statements, parts),
    }


def _candidates(
    holds: Bool[np.ndarray, "n m"], truth: Float[np.ndarray, " n"], k: int, params: SimplerParams
) -> list[Tree]:
    """Trees of growing size: the best of small depths, and those that are grown leaf by leaf."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor  # noqa: PLC0415

    trees: list[Tree] = []
    if k:
        trees += [best_tree(holds, truth.astype(int), k, depth) for depth in DEPTHS]
    else:
        trees.append(Leaf(float(truth.mean())))
    if holds.shape[1]:
        kind = DecisionTreeClassifier if k else DecisionTreeRegressor
        seen = np.unique(truth)
        for size in range(2, params.leaves + 1):
            grown = kind(max_leaf_nodes=size, min_samples_leaf=LEAST_ROWS, random_state=0)
            fitted = grown.fit(holds, truth)
            trees.append(
                of_sklearn(fitted, (lambda value: float(seen[value.argmax()])) if k else _mean)
            )
    return [tree for tree in trees if n_leaves(tree) <= params.leaves]


def _mean(value: Float[np.ndarray, " v"]) -> float:
    return float(value[0])


def _told(
    tree: Tree, statements: tuple[Statement, ...], holds: Bool[np.ndarray, "n m"],
    truth: Float[np.ndarray, " n"], schema: Schema,
) -> dict[str, Any]:  # fmt: skip
    """Write the rules, the commonest first, with the training rows that each is about."""
    lines = []
    for way, label in ways(tree):
        inside = np.ones(len(holds), dtype=bool)
        for statement, answer in way:
            inside &= holds[:, statement] == answer
        own = losses(np.full(int(inside.sum()), label), truth[inside], schema.n_classes)
        loss = float(own.mean()) if len(own) else 0.0
        conditions = [(statements[statement], answer) for statement, answer in way]
        lines.append((rule(conditions, schema), _label(label, schema), len(own), loss))
    lines.sort(key=lambda line: -line[2])
    rules, labels, counts, wrong = zip(*lines, strict=True)
    return {
        "rules": rules, "labels": labels, "rule_rows": np.array(counts),
        "rule_loss": np.array(wrong),
    }  # fmt: skip


def _held(tree: Tree, statements: tuple[Statement, ...], parts: Parts) -> dict[str, Any]:
    """Hold the tree against the given model on validation rows and on those reported on."""
    k, found = parts.n_classes, {}
    for name, rows in (("validation", parts.validation), ("reported", parts.reported)):
        said = says(tree, holding(statements, rows.X))
        own = losses(said, rows.truth, k)
        excess, noise = paired(own - losses(rows.said, rows.truth, k))
        apart = float((said != rows.said).mean()) if k else float(
            np.sqrt(np.square(said - rows.said).mean())
        )  # fmt: skip
        found[name] = (float(own.mean()), excess, noise, apart)
    _, validation, validation_noise, _ = found["validation"]
    loss, excess, noise, apart = found["reported"]
    return {
        "tree_validation": validation, "tree_validation_noise": validation_noise,
        "tree_test": loss, "tree_excess": excess, "tree_noise": noise, "differs": apart,
    }  # fmt: skip


def rule(conditions: list[tuple[Statement, bool]], schema: Schema) -> str:
    """Write what is asked on one way through a tree, each feature once.

    Examples
    --------
    >>> schema = Schema(features=(Feature(name="age", integer=True),))
    >>> at_most = [Statement(0, "at_most", 60.0), Statement(0, "at_most", 30.0)]
    >>> rule([(at_most[0], True), (at_most[1], False)], schema)
    'age above 30 and at most 60'
    """
    features = dict.fromkeys(statement.feature for statement, _ in conditions)
    parts = [
        _about(schema.features[j], [pair for pair in conditions if pair[0].feature == j])
        for j in features
    ]
    return "; ".join(parts) or "any row"


def _about(feature: Feature, asked: list[tuple[Statement, bool]]) -> str:
    """Write all that is asked of one feature."""
    upper = [s.value for s, answer in asked if s.kind == "at_most" and answer]
    lower = [s.value for s, answer in asked if s.kind == "at_most" and not answer]
    is_level = [s.value for s, answer in asked if s.kind == "is" and answer]
    other = [s.value for s, answer in asked if s.kind == "is" and not answer]
    missing = [answer for s, answer in asked if s.kind == "missing"]
    if any(missing):
        return f"{feature.name} missing"
    left = [c for c in range(len(feature.categories)) if c not in other]
    if not is_level and other and len(left) == 1 and not feature.has_missing:
        is_level = [float(left[0])]
    if is_level:
        return f"{feature.name} = {feature.show(is_level[0])}"
    parts = []
    if lower:
        # A missing value is not at most anything, so it goes where larger ones go.
        unknown = " (or missing)" if feature.has_missing and not upper and not missing else ""
        parts.append(f"above {feature.show(max(lower))}{unknown}")
    if upper:
        parts.append(f"at most {feature.show(min(upper))}")
    if other:
        parts.append(f"≠ {' and ≠ '.join(feature.show(level) for level in other)}")
    if not parts:
        parts.append("known")
    return f"{feature.name} {' and '.join(parts)}"


def _label(label: float, schema: Schema) -> str:
    if schema.n_classes:
        return schema.classes[int(label)]
    return Feature(name="target", unit=schema.target_unit).show(label)
