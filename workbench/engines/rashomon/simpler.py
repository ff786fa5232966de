"""Does a simpler model exist that is about as good?"""

import time
from typing import Any

import numpy as np

from workbench.core.context import Context
from workbench.core.method import METHODS, Cost, Method
from workbench.core.model import CHUNK_ROWS, Model
from workbench.core.simpler_models import LEARNERS, NO_ELBOW, SimplerModels
from workbench.core.table import SPLITS, Table
from workbench.core.wording import counted
from workbench.engines.calls import provenance_of
from workbench.engines.rashomon.simpler_curve import MOST_STATEMENTS, board_of, rashomon_curve
from workbench.engines.rashomon.simpler_learners import FIT_ROWS, Spread, learner_spread
from workbench.engines.rashomon.simpler_params import SimplerParams, efforts
from workbench.engines.rashomon.simpler_scene import Parts, losses, paired, parts_of, stage
from workbench.engines.rashomon.simpler_tree import smallest_tree

NAME = "rashomon.simpler"
# Shares of a run after which the curve, and the learners, are done.
TREES, LEARNED = 0.6, 0.97
NO_CURVE = (
    "A share of good trees counts the labelings of their leaves, and a regression has no finite "
    "number of them"
)
NOTHING_TO_ASK = "No feature has two values among the training rows, so that a tree can ask nothing"


def _simpler(
    model: Model, rows: Table, table: Table, params: SimplerParams, context: Context
) -> SimplerModels:
    started = time.perf_counter()
    parts = parts_of(model, rows, table, context)
    trees = TREES if parts.n_classes else 0.0  # of a regression there is no curve
    curve, notes = _curve(parts, params, stage(context, 0.0, trees))
    spread = learner_spread(parts, params, stage(context, trees, LEARNED))
    tree = smallest_tree(parts, params, stage(context, LEARNED, 1.0))
    validation = losses(parts.validation.said, parts.validation.truth, parts.n_classes)
    evaluations = len(rows) + len(parts.validation.X)
    return SimplerModels(
        provenance=provenance_of(
            NAME, model, rows, table, params, context, evaluations=evaluations,
            chunk_rows=min(evaluations, CHUNK_ROWS), seconds=time.perf_counter() - started,
            notes=(*_shared(rows, table), *_sizes(parts, params), *notes),
        ),
        tolerance=params.tolerance,
        learners=tuple(LEARNERS),
        base_validation=float(validation.mean()),
        n_train=len(parts.train.X),
        n_validation=len(parts.validation.X),
        schema=model.schema,
        output_names=model.output_names,
        **curve, **_of_learners(spread, parts), **tree,
    )  # fmt: skip


def _of_learners(spread: Spread, parts: Parts) -> dict[str, Any]:
    """Means and paired standard errors of the learners' losses."""
    cv_loss, test_loss = spread.validated.mean(1), spread.reported.mean(1)
    best = int(cv_loss.argmin())
    base = losses(parts.reported.said, parts.reported.truth, parts.n_classes)
    behind = [paired(own - spread.validated[best]) for own in spread.validated]
    excess = [paired(own - base) for own in spread.reported]
    base_loss, base_noise = paired(base)
    return {
        "cv_loss": cv_loss, "test_loss": test_loss, "base_loss": base_loss,
        "base_noise": base_noise,
        "cv_gap": np.array([mean for mean, _ in behind]),
        "cv_noise": np.array([noise for _, noise in behind]),
        "test_excess": np.array([mean for mean, _ in excess]),
        "test_noise": np.array([noise for _, noise in excess]),
    }  # fmt: skip


def _curve(
    parts: Parts, params: SimplerParams, context: Context
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the fields of the curve, and notes; no depths and a reason where there is none."""
    if not parts.n_classes:
        return _no_curve(NO_CURVE), ()
    board = board_of(parts, params, context)
    m = board.holds.shape[1]
    if not m:
        return _no_curve(NOTHING_TO_ASK), ()
    strongest = ", the strongest ones" if m == MOST_STATEMENTS else ""
    note = (
        f"trees ask {counted(m, 'statement')}{strongest}, tried on "
        f"{counted(len(board.classes), 'training row')}"
    )
    return {"curve_remark": ""} | rashomon_curve(board, parts, params, context), (note,)


def _no_curve(why: str) -> dict[str, Any]:
    empty = {name: np.zeros(0) for name in (
        "best_loss", "best_test", "log_ratio", "log_low", "log_high",
    )}  # fmt: skip
    whole = {name: np.zeros(0, dtype=int) for name in ("depths", "drawn", "good", "patterns")}
    return empty | whole | {
        "exact": np.zeros(0, dtype=bool), "elbow": NO_ELBOW, "curve_remark": why,
    }  # fmt: skip


def _shared(rows: Table, table: Table) -> tuple[str, ...]:
    """Say how many of the rows reported on were learned from or decided."""
    ids = rows.ids.numpy()
    seen = [int(np.isin(ids, table.split(part).ids.numpy()).sum()) for part in SPLITS[:2]]
    if not sum(seen):
        return ()
    return (
        f"of the rows reported on, {seen[0]:,} are training rows and {seen[1]:,} validation rows: "
        "losses on them are too good",
    )


def _sizes(parts: Parts, params: SimplerParams) -> tuple[str, ...]:
    """Say where fewer than all training rows were used."""
    n, said = len(parts.train.X), []
    if n > params.fold_rows:
        said.append(f"cross-validated on {params.fold_rows:,} of {n:,} training rows")
    if n > FIT_ROWS:
        said.append(f"learners reported on learned from {FIT_ROWS:,} of {n:,} training rows")
    return tuple(said)


def _cost(model: Model, n_rows: int, n_table: int, params: SimplerParams) -> Cost:
    columns = sum(max(1, len(feature.categories)) for feature in model.schema.features)
    learning = 16 * FIT_ROWS * (columns + params.bins * len(model.schema.features))
    counting = 32 * params.tree_rows**2  # pairs of numbers of mistakes
    return Cost(n_rows + n_table, n_bytes=learning + counting + 24 * params.trees + 2**24)


METHODS.register(
    NAME,
    Method(
        title="Does a simpler model exist",
        question="Is there a simpler model that is about as good, and how likely was that?",
        explain=_simpler,
        params=SimplerParams,
        yields=SimplerModels,
        needs=frozenset(),
        uses=frozenset({"table", "labels"}),
        cost=_cost,
        efforts=efforts,
        reference="Semenova, Rudin and Parr (2022)",
        weakness="Shares of good trees are about trees over quantile cuts, each depth against its "
        "own best tree; they are not comparable with other classes of models.",
    ),
)
