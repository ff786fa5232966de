"""The Rashomon curve: how common good trees are, and how good the best are, depth by depth."""

import math
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Integer, UInt64
from scipy import stats

from workbench.core.context import Context
from workbench.core.simpler_models import NO_ELBOW
from workbench.engines.rashomon.simpler_learners import drawn_rows
from workbench.engines.rashomon.simpler_params import SimplerParams
from workbench.engines.rashomon.simpler_scene import Parts, stage
from workbench.numerics.intervals import LEVEL
from workbench.numerics.literals import Statement, holding, statements_of
from workbench.numerics.small_trees import Tree, best_tree, drawn_tree, says
from workbench.numerics.tree_counting import error_shares
from workbench.numerics.tree_ladder import STEPS, Climbed, climb
from workbench.numerics.tree_sampling import (
    BLOCK,
    Packed,
    Ratio,
    all_trees,
    every_tree,
    labelings,
    leaves_of,
    packed,
    ratio_of,
)

# Addresses of random numbers.
DRAWN, LADDERS = 4, 5
# Statements that trees may ask, at most: the strongest ones.
MOST_STATEMENTS = 100
# Trees that are all looked at where there are no more.
LISTED = 1_000_000
# Steps that counting all trees of a depth may take.
COUNTING = 1_000_000_000
# Good trees among those drawn that make an estimate without ladders.
ENOUGH = 30
CLIMBERS, LADDER_COUNT = 150, 6
# Trees, and words, that the ladders of a depth may look at for each tree that may be drawn.
LADDER_TREES, LADDER_WORDS = 3, 800
# Share of a depth's time after which trees are drawn.
DRAWING = 0.4
# Steps that the labelings of good trees may take; of more trees, the first ones stand for all.
LABELING = 100_000_000


class Board(NamedTuple):
    """Rows that trees are tried on, as statements that are true or false of them."""

    statements: tuple[Statement, ...]
    holds: Bool[np.ndarray, "n m"]
    classes: Int[np.ndarray, " n"]
    rows: Packed
    n_classes: int
    tolerance: float

    def allowed(self, best: int) -> int:
        """Mistakes that a good tree may make, given those of the best."""
        return math.floor(best * (1 + self.tolerance) + 1e-9)


class Point(NamedTuple):
    """One depth of the curve."""

    ratio: Ratio
    best: int
    tree: Tree
    exact: bool
    drawn: int
    good: int
    patterns: int


def board_of(parts: Parts, params: SimplerParams, context: Context) -> Board:
    """Lay out the training rows that trees are tried on; of many statements keep the strongest."""
    rows = drawn_rows(parts.train, params.tree_rows, context)
    statements = statements_of(rows.X, parts.schema, params.bins)
    holds, classes = holding(statements, rows.X), rows.truth.astype(int)
    if len(statements) > MOST_STATEMENTS:
        kept = np.sort(np.argsort(-_strength(holds, classes), kind="stable")[:MOST_STATEMENTS])
        statements, holds = tuple(statements[j] for j in kept), holds[:, kept]
    return Board(
        statements, holds, classes, packed(holds, classes, parts.n_classes), parts.n_classes,
        params.tolerance,
    )  # fmt: skip


def _strength(
    holds: Bool[np.ndarray, "n m"], classes: Int[np.ndarray, " n"]
) -> Float[np.ndarray, " m"]:
    """How far apart a statement tells the classes: the chi-squared statistic of its table."""
    own = np.eye(int(classes.max()) + 1)[classes]  # (n, k)
    seen = own.T @ holds
    expected = own.sum(0)[:, None] * holds.mean(0)
    rest = own.sum(0)[:, None] - expected
    parts = [np.square(seen - expected) / np.where(part > 0, part, np.inf)
             for part in (expected, rest)]  # fmt: skip
    found: np.ndarray = (parts[0] + parts[1]).sum(0)
    return found


def rashomon_curve(
    board: Board, parts: Parts, params: SimplerParams, context: Context
) -> dict[str, Any]:
    """Return the fields of a result that are about trees of growing depth."""
    points: list[Point] = []
    for depth in range(1, params.depth + 1):
        known = points[-1].tree if points else best_tree(
            board.holds, board.classes, board.n_classes, 0
        )  # fmt: skip
        part = stage(context, (depth - 1) / params.depth, depth / params.depth)
        points.append(_point(board, depth, known, params, part))
    n = len(board.classes)
    asked = holding(board.statements, parts.reported.X)
    risk = np.array([point.best / n for point in points])
    ratios = np.array([point.ratio.log_ratio for point in points])
    return {
        "depths": np.arange(1, params.depth + 1),
        "best_loss": risk,
        "best_test": np.array([
            float((says(point.tree, asked) != parts.reported.truth).mean()) for point in points
        ]),
        "log_ratio": ratios,
        "log_low": np.array([point.ratio.log_low for point in points]),
        "log_high": np.array([point.ratio.log_high for point in points]),
        "exact": np.array([point.exact for point in points]),
        "drawn": np.array([point.drawn for point in points]),
        "good": np.array([point.good for point in points]),
        "patterns": np.array([point.patterns for point in points]),
        "elbow": elbow_of(ratios, risk),
    }


def elbow_of(log_ratio: Float[np.ndarray, " c"], risk: Float[np.ndarray, " c"]) -> int:
    """Return the corner of a curve that first gets better and then rarer, or ``NO_ELBOW``.

    Both are scaled to run from 0 to 1; the corner is where the share of good trees is still large
    and the loss already small: the largest difference of the two, if it is above 0. Needs three
    depths with a share, and losses that differ.
    """
    known = np.flatnonzero(np.isfinite(log_ratio))
    if len(known) < 3 or np.ptp(log_ratio[known]) <= 0 or np.ptp(risk[known]) <= 0:
        return NO_ELBOW
    common, bad = (
        (part[known] - part[known].min()) / np.ptp(part[known]) for part in (log_ratio, risk)
    )
    best = int((common - bad).argmax())
    return int(known[best]) if common[best] - bad[best] > 1e-9 else NO_ELBOW


def _point(board: Board, depth: int, known: Tree, params: SimplerParams, context: Context) -> Point:
    """Look at one depth; ``known`` is the best tree that is less deep."""
    m, k = board.holds.shape[1], board.n_classes
    trees = [known, best_tree(board.holds, board.classes, k, depth)]
    total = all_trees(m, depth)
    listed = total <= max(LISTED, params.trees)
    drawing = stage(context, 0.0, DRAWING)
    errors, patterns, first = _draw(board, depth, listed=listed, params=params, context=drawing)
    trees.append(drawn_tree(first, board.holds, board.classes, k))
    wrong = [int((says(tree, board.holds) != board.classes).sum()) for tree in trees]
    best = min(wrong)
    tree = trees[wrong.index(best)]
    most = board.allowed(best)
    hits = np.flatnonzero(errors <= most)
    seen = (len(errors), len(hits), len(np.unique(patterns[hits])))
    if _counting_steps(board, depth, most) <= COUNTING:
        share = float(error_shares(board.holds, board.classes, k, depth, most).sum())
        value = math.log10(share)
        return Point(Ratio(value, value, value, seen[1], seen[1]), best, tree, True, *seen)
    if len(hits) >= ENOUGH:
        some = hits[: max(ENOUGH, LABELING // ((k << depth) * (most - int(errors.min()) + 1)))]
        counts = leaves_of(board.rows, _splits(depth, some, m, context)).counts
        shares = labelings(counts, most - errors[some])
        found = ratio_of(len(hits), len(errors), shares, exact=False)
        return Point(found, best, tree, False, *seen)
    return _climbed(board, depth, best, tree, errors, params, stage(context, DRAWING, 1.0))


def _counting_steps(board: Board, depth: int, most: int) -> int:
    """Return about how many steps it takes to count all trees of a depth."""
    m, k = board.holds.shape[1], board.n_classes
    return (2 * m) ** max(0, depth - 2) * ((2 * m * k) ** 2 + m * (most + 1) ** 2)


def _draw(
    board: Board, depth: int, *, listed: bool, params: SimplerParams, context: Context
) -> tuple[Int[np.ndarray, " t"], UInt64[np.ndarray, " t"], Integer[np.ndarray, " s"]]:
    """Look at trees drawn at random, or at all of them; also returns the best one."""
    m = board.holds.shape[1]
    total = all_trees(m, depth) if listed else params.trees
    blocks = every_tree(m, depth) if listed else (
        _splits(depth, np.arange(at, min(total, at + BLOCK)), m, context)
        for at in range(0, total, BLOCK)
    )  # fmt: skip
    errors, patterns, best, first = [], [], len(board.classes) + 1, np.zeros(0, dtype=int)
    done = 0
    for splits in blocks:
        context.step(done, total, f"trees of depth {depth}")
        leaves = leaves_of(board.rows, splits)
        errors.append(leaves.errors)
        patterns.append(leaves.patterns)
        done += len(splits)
        if int(errors[-1].min()) < best:
            best, first = int(errors[-1].min()), splits[int(errors[-1].argmin())]
    context.step(total, total, f"trees of depth {depth}")
    return np.concatenate(errors), np.concatenate(patterns), first


def _splits(
    depth: int, numbers: Int[np.ndarray, " t"], m: int, context: Context
) -> Integer[np.ndarray, "t s"]:
    """Return the statements of drawn trees by their numbers; those of a block are drawn at once."""
    blocks = np.unique(numbers // BLOCK)
    return np.concatenate([
        context.stream(DRAWN, depth, int(block)).integers(0, m, (BLOCK, 2**depth - 1))[
            numbers[numbers // BLOCK == block] % BLOCK
        ]
        for block in blocks
    ])


def _climbed(
    board: Board, depth: int, best: int, tree: Tree, errors: Int[np.ndarray, " t"],
    params: SimplerParams, context: Context,
) -> Point:  # fmt: skip
    """Estimate the share of good trees by ladders that start at the best of those drawn."""
    m, k = board.holds.shape[1], board.n_classes
    cut = int(np.sort(errors)[min(len(errors), 2 * CLIMBERS) - 1])
    pool = np.flatnonzero(errors <= cut)
    start = math.log(len(pool) / len(errors))
    each = min(LADDER_TREES, LADDER_WORDS / (len(board.rows.alive) << depth))
    limit = max(CLIMBERS * STEPS, int(params.trees * each / LADDER_COUNT))
    ladders: list[Climbed] = []
    for number in range(LADDER_COUNT):
        random = context.stream(LADDERS, depth, number)
        first = _splits(depth, np.sort(random.choice(pool, CLIMBERS)), m, context)
        done = number

        def watch(done: int = done) -> None:
            context.step(done, LADDER_COUNT, f"ladders of depth {depth}")

        ladders.append(climb(
            board.rows, first, start, best, board.allowed, random, watch, limit=limit
        ))  # fmt: skip
    ahead = min(ladders, key=lambda ladder: ladder.best)
    if ahead.best < best and len(ahead.splits):
        best = ahead.best
        splits = ahead.splits[int(ahead.leaves.errors.argmin())]
        tree = drawn_tree(splits, board.holds, board.classes, k)
    most = board.allowed(best)
    looked = len(errors) + sum(ladder.evaluations for ladder in ladders)
    good = [ladder.leaves.errors <= most for ladder in ladders]
    patterns = np.concatenate([
        ladder.leaves.patterns[kept] for ladder, kept in zip(ladders, good, strict=True)
    ])
    values = [_value(ladder, kept, most) for ladder, kept in zip(ladders, good, strict=True)]
    ratio = _joined(values, [ladder.log_share for ladder in ladders])
    return Point(ratio, best, tree, False, looked, len(patterns), len(np.unique(patterns)))


def _value(ladder: Climbed, kept: Bool[np.ndarray, " t"], most: int) -> float | None:
    """Logarithm of the share of good trees by one ladder; None where it ended below them."""
    if not kept.any():
        return None
    leaves = ladder.leaves
    shares = labelings(leaves.counts[:, :, kept], most - leaves.errors[kept])
    return ladder.log_share / math.log(10) + math.log10(float(shares.sum()) / len(kept))


def _joined(values: list[float | None], reached: list[float]) -> Ratio:
    """Join ladders: the mean of their shares, with Student's interval on the logarithmic scale.

    Where one ended below the good trees there is a bound only: the largest share that one of them
    speaks of.
    """
    found = np.array([value for value in values if value is not None])
    if len(found) < len(values):
        ends = [
            share / math.log(10) if value is None else value
            for value, share in zip(values, reached, strict=True)
        ]
        return Ratio(math.nan, math.nan, max(ends), 0, 0)
    centre = float(np.log10(np.power(10.0, found - found.max()).mean()) + found.max())
    error = float(found.std(ddof=1)) / math.sqrt(len(found))
    half = float(stats.t.ppf(0.5 + LEVEL / 2, len(found) - 1)) * error
    return Ratio(centre, centre - half, min(0.0, centre + half), len(found), len(found))
