"""Five learners on the same rows: is the best simple one about as good as the best of all?"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from workbench.core.context import Context
from workbench.core.schema import Schema
from workbench.core.simpler_models import LEARNERS
from workbench.engines.rashomon.simpler_params import SimplerParams
from workbench.engines.rashomon.simpler_scene import Labelled, Parts, losses
from workbench.numerics.literals import Statement, holding, statements_of

# Addresses of random numbers.
ROWS, FOLDS, FITS = 1, 2, 3
# Steps that an additive model may take at a number; trees of the other learners.
STEPS, TREES, SHALLOW = 8, 100, 16
# Rows that the learners which are reported on learn from, at most.
FIT_ROWS = 20_000


class Columns(NamedTuple):
    """How rows become columns of numbers: filled in and scaled, one per category, and steps."""

    middle: Float[np.ndarray, " d"]
    scale: Float[np.ndarray, " d"]
    numeric: Int[np.ndarray, " p"]
    levels: tuple[Statement, ...]
    steps: tuple[Statement, ...]

    def plain(self, X: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n c"]:
        """Return numbers, categories and what is missing."""
        filled = np.where(np.isnan(X), self.middle, X)
        scaled = (filled - self.middle) / self.scale
        found = np.column_stack([scaled[:, self.numeric], holding(self.levels, X).astype(float)])
        return found if found.shape[1] else np.zeros((len(X), 1))  # a learner needs a column

    def stepped(self, X: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n c"]:
        """Add steps at the quantiles of each number."""
        return np.column_stack([self.plain(X), holding(self.steps, X).astype(float)])


def columns_of(X: Float[np.ndarray, "n d"], schema: Schema) -> Columns:
    """Learn from training rows how rows become columns."""
    known = ~np.isnan(X)
    count = np.maximum(known.sum(0), 1)
    middle = np.where(known, X, 0).sum(0) / count
    scale = np.sqrt(np.where(known, np.square(X - middle), 0).sum(0) / count)
    numeric = [j for j, f in enumerate(schema.features) if f.kind != "categorical"]
    statements = statements_of(X, schema, STEPS)
    return Columns(
        middle, np.where(scale > 0, scale, 1.0), np.array(numeric, dtype=int),
        tuple(s for s in statements if s.kind != "at_most"),
        tuple(s for s in statements if s.kind == "at_most"),
    )  # fmt: skip


def _linear(n_classes: int, _: int) -> Any:
    from sklearn.linear_model import LogisticRegression, Ridge  # noqa: PLC0415 - half a second

    return LogisticRegression(max_iter=5000) if n_classes else Ridge(alpha=1.0)


def _tree(n_classes: int, seed: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor  # noqa: PLC0415

    kind = DecisionTreeClassifier if n_classes else DecisionTreeRegressor
    return kind(max_leaf_nodes=SHALLOW, min_samples_leaf=5, random_state=seed)


def _forest(n_classes: int, seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor  # noqa: PLC0415

    kind = RandomForestClassifier if n_classes else RandomForestRegressor
    return kind(n_estimators=TREES, random_state=seed, n_jobs=1)


def _boosted(n_classes: int, seed: int) -> Any:
    from sklearn.ensemble import (  # noqa: PLC0415
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
    )

    kind = HistGradientBoostingClassifier if n_classes else HistGradientBoostingRegressor
    return kind(max_iter=TREES, max_depth=4, early_stopping=False, random_state=seed)


MAKE: Mapping[str, Callable[[int, int], Any]] = {
    "linear": _linear, "additive": _linear, "tree": _tree, "forest": _forest, "boosted": _boosted,
}  # fmt: skip


class Spread(NamedTuple):
    """Losses of the learners, row by row."""

    validated: Float[np.ndarray, "l n"]
    reported: Float[np.ndarray, "l r"]


def learner_spread(parts: Parts, params: SimplerParams, context: Context) -> Spread:
    """Cross-validate every learner on training rows, and fit it for the rows reported on."""
    rows = drawn_rows(parts.train, params.fold_rows, context)
    validated = np.zeros((len(LEARNERS), len(rows.X)))
    for repeat in range(params.repeats):
        folds = _folds(rows.truth, params.folds, repeat, parts.n_classes, context)
        for fold in range(params.folds):
            held = folds == fold
            done = repeat * params.folds + fold
            context.step(done, params.repeats * params.folds, "learners cross-validated")
            if held.any() and not held.all():
                said = _said(rows.X[~held], rows.truth[~held], rows.X[held], parts, context)
                truth = rows.truth[held]
                validated[:, held] += losses(said, truth, parts.n_classes)
    context.step(1, 1, "learners cross-validated")
    most = drawn_rows(parts.train, FIT_ROWS, context)
    said = _said(most.X, most.truth, parts.reported.X, parts, context)
    return Spread(validated / params.repeats, losses(said, parts.reported.truth, parts.n_classes))


def drawn_rows(rows: Labelled, most: int, context: Context) -> Labelled:
    """Draw rows where there are more than may be used."""
    if len(rows.X) <= most:
        return rows
    chosen = np.sort(context.stream(ROWS, most).permutation(len(rows.X))[:most])
    return Labelled(rows.X[chosen], rows.truth[chosen], rows.said[chosen])


def _said(
    X: Float[np.ndarray, "n d"], truth: Float[np.ndarray, " n"], asked: Float[np.ndarray, "m d"],
    parts: Parts, context: Context,
) -> Float[np.ndarray, "l m"]:  # fmt: skip
    """Fit every learner to some rows, and return what each says of others."""
    if len(np.unique(truth)) < 2:  # a fold may hold all rows of the other classes
        return np.full((len(LEARNERS), len(asked)), truth[0])
    columns, found = columns_of(X, parts.schema), []
    mean, unit = (0.0, 1.0) if parts.n_classes else (float(truth.mean()), float(truth.std()))
    for name in LEARNERS:
        seed = int(context.stream(FITS).integers(2**31))
        shape = columns.stepped if name == "additive" else columns.plain
        fitted = MAKE[name](parts.n_classes, seed).fit(shape(X), (truth - mean) / unit)
        found.append(fitted.predict(shape(asked)) * unit + mean)
    return np.stack(found)


def _folds(
    truth: Float[np.ndarray, " n"], folds: int, repeat: int, n_classes: int, context: Context
) -> Int[np.ndarray, " n"]:
    """Deal rows out to parts at random, each class (or value) evenly."""
    order = context.stream(FOLDS, repeat).permutation(len(truth))
    if n_classes:
        order = order[np.argsort(truth[order], kind="stable")]
    dealt = np.empty(len(truth), dtype=int)
    dealt[order] = np.arange(len(truth)) % folds
    return dealt
