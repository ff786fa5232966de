"""How well features tell which group a row is of: the proxies of a protected attribute."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import stats

from workbench.core.schema import Feature
from workbench.numerics.intervals import UNKNOWN, area_interval, logit_interval

FOLDS = 5
# A number is cut into at most so many bins of equally many rows, each of at least so many rows.
MOST_BINS, FEWEST_IN_BIN = 20, 40
# Rows that a frequency is drawn towards the share of all rows with.
PRIOR = 2.0
RESAMPLES = 500
# Errors of fits that share most of their rows go together: by so much is the variance of a mean
# over folds larger than if they did not, 1 + folds * (rows held out / rows fitted to).
TOGETHER = 1 + FOLDS / (FOLDS - 1)
# Trees tell categories apart up to so many; of more they see the codes.
MOST_CATEGORIES = 250

Step = Callable[[int, int, str], None]


@dataclass(frozen=True, eq=False)
class Told:
    """How well rows are told apart by group; each a value with its 95 % interval.

    Attributes
    ----------
    area
        Chance that of two rows, one of a group and one of another, the right one is pointed out:
        the area under the ROC curve within folds, of several groups the mean over each against
        all others. 0.5 is guessing. NaN where no group has two rows in a fold.
    mcc
        Matthews' correlation of the groups with those told, of the group whose share rises most.
        0 is guessing; NaN where all rows are told to be of one group.
    n
        Rows.
    """

    area: Float[np.ndarray, " 3"]
    mcc: Float[np.ndarray, " 3"]
    n: int


def fold_of(
    group: Int[np.ndarray, " n"], rng: np.random.Generator, folds: int = FOLDS
) -> Int[np.ndarray, " n"]:
    """Deal the rows of each group evenly to folds, at random."""
    order = rng.permutation(len(group))
    order = order[np.argsort(group[order], kind="stable")]
    found = np.empty(len(group), dtype=np.int64)
    found[order] = np.arange(len(group)) % folds
    return found


def told_by_one(
    column: Float[np.ndarray, " n"],
    feature: Feature,
    group: Int[np.ndarray, " n"],
    n_groups: int,
    rng: np.random.Generator,
) -> Told:
    r"""Tell the group of a row from one feature, by shares among rows of other folds.

    With :math:`n_{gb}` rows of group :math:`g` in bin :math:`b` (a category, a quantile bin of a
    number, or *missing*) outside the row's own fold, and :math:`p_g` the group's share of them,

    .. math:: \hat P(g \mid b) = \frac{n_{gb} + 2 p_g}{n_b + 2}.

    Parameters
    ----------
    column
        Raw values: categories as codes, missing as NaN.
    group
        From 0 to below ``n_groups``; groups without rows are left out.
    """
    fold = fold_of(group, rng)
    return tell(frequencies(column, feature, group, n_groups, fold), group, fold, rng)


def frequencies(
    column: Float[np.ndarray, " n"],
    feature: Feature,
    group: Int[np.ndarray, " n"],
    n_groups: int,
    fold: Int[np.ndarray, " n"],
) -> Float[np.ndarray, "n g"]:
    """Return for each row the shares of groups in its bin, among rows of other folds."""
    place, n_bins = bins_of(column, feature)
    folds = int(fold.max()) + 1
    cell = (fold * n_bins + place) * n_groups + group
    counts = np.bincount(cell, minlength=folds * n_bins * n_groups)
    own = counts.reshape(folds, n_bins, n_groups).astype(np.float64)
    others = own.sum(0) - own  # (f, b, g)
    base = others.sum(1, keepdims=True)  # (f, 1, g)
    base = base / np.maximum(base.sum(2, keepdims=True), 1)
    shares = (others + PRIOR * base) / (others.sum(2, keepdims=True) + PRIOR)
    found: np.ndarray = shares[fold, place]
    return found


def bins_of(column: Float[np.ndarray, " n"], feature: Feature) -> tuple[Int[np.ndarray, " n"], int]:
    """Return the bin of each row, missing values in the last, and how many bins there are."""
    absent = np.isnan(column)
    if feature.categories:
        n_bins = len(feature.categories)
        place = np.where(absent, n_bins, column)
    else:
        present = column[~absent]
        wanted = min(MOST_BINS, max(2, len(present) // FEWEST_IN_BIN))
        inner = np.arange(1, wanted) / wanted
        # Ends that are values of the data, and the smallest not among them: no bin is empty.
        edges = np.unique(np.quantile(present, inner, method="higher")) if len(present) else inner
        n_bins = len(edges) + 1
        place = np.where(absent, n_bins, np.searchsorted(edges, column, side="right"))
    return place.astype(np.int64), n_bins + 1


def told_by_all(
    data: Float[np.ndarray, "n d"],
    features: tuple[Feature, ...],
    group: Int[np.ndarray, " n"],
    n_groups: int,
    rng: np.random.Generator,
    *,
    step: Step | None = None,
) -> Told:
    """Tell the group of a row from all features together, by boosted trees of other folds.

    Parameters
    ----------
    data
        Raw rows: categories as codes, missing as NaN.
    step
        Told about each fold that is done.
    """
    fold = fold_of(group, rng)
    return tell(boosted(data, features, group, n_groups, fold, step=step), group, fold, rng)


def boosted(
    data: Float[np.ndarray, "n d"],
    features: tuple[Feature, ...],
    group: Int[np.ndarray, " n"],
    n_groups: int,
    fold: Int[np.ndarray, " n"],
    *,
    step: Step | None = None,
) -> Float[np.ndarray, "n g"]:
    """Return for each row the probabilities of groups, of trees fitted to rows of other folds.

    References
    ----------
    Friedman (2001), Greedy Function Approximation: A Gradient Boosting Machine.
    """
    from sklearn.ensemble import (  # noqa: PLC0415 - a second that most callers never need
        HistGradientBoostingClassifier,
    )

    categorical = [0 < len(feature.categories) <= MOST_CATEGORIES for feature in features]
    found = np.zeros((len(group), n_groups))
    folds = int(fold.max()) + 1
    for number in range(folds):
        held = fold == number
        known = np.unique(group[~held])
        if len(known) < 2:
            found[held, known] = 1.0
        else:
            trees = HistGradientBoostingClassifier(
                max_iter=60, max_leaf_nodes=15, l2_regularization=1.0, early_stopping=False,
                categorical_features=categorical, random_state=0,
            )  # fmt: skip
            trees.fit(data[~held], group[~held])
            found[np.ix_(held, known)] = trees.predict_proba(data[held])
        if step is not None:
            step(number + 1, folds, "folds of telling the group from all features")
    return found


def tell(
    shares: Float[np.ndarray, "n g"],
    group: Int[np.ndarray, " n"],
    fold: Int[np.ndarray, " n"],
    rng: np.random.Generator,
) -> Told:
    """Judge shares that were found without a row's own fold."""
    known = np.unique(group)
    if len(known) < 2:
        return Told(np.full(3, np.nan), np.full(3, np.nan), len(group))
    own = np.searchsorted(known, group)
    shares, base = shares[:, known], np.bincount(own) / len(own)
    # Of two groups one says all: the shares add up to 1.
    sides = [1] if len(known) == 2 else range(len(known))
    told = (shares / base).argmax(1)
    counts = np.bincount(own * len(known) + told, minlength=len(known) ** 2)
    return Told(
        area_within_folds([(shares[:, g], own == g) for g in sides], fold),
        mcc_of(counts.reshape(len(known), len(known)), rng),
        len(group),
    )


def area_within_folds(
    sides: list[tuple[Float[np.ndarray, " n"], Bool[np.ndarray, " n"]]],
    fold: Int[np.ndarray, " n"],
) -> Float[np.ndarray, " 3"]:
    r"""Mean area under ROC curves, rows compared with rows of their own fold alone.

    Rows of other folds have scores of another fit; what is rare in one fold is frequent in the
    rows that its fit saw, which pulls the area of pooled scores below 0.5 where there is nothing
    to tell. Folds count by their pairs of rows, sides (a score and what it should tell) equally.
    The variance is that of the rows' shares of outranked rows, summed over the sides first, since
    the same row speaks for all of them, and corrected for fits that share most of their rows.

    References
    ----------
    DeLong, DeLong and Clarke-Pearson (1988), Comparing the Areas under Two or More Correlated
    Receiver Operating Characteristic Curves; Nadeau and Bengio (2003), Inference for the
    Generalization Error, for the correction.
    """
    area, influence, sizes = 0.0, np.zeros(len(fold)), []
    n_sides = 0
    for score, is_side in sides:
        parts = [np.flatnonzero(fold == number) for number in np.unique(fold)]
        usable = [rows for rows in parts if 2 <= is_side[rows].sum() <= len(rows) - 2]
        if not usable:
            continue
        n_sides += 1
        pairs = np.array([is_side[rows].sum() * (~is_side[rows]).sum() for rows in usable])
        for rows, weight in zip(usable, pairs / pairs.sum(), strict=True):
            own, moved = _area(score[rows], is_side[rows])
            area += weight * own
            influence[rows] += weight * moved
        sizes.append((sum(is_side[rows].sum() for rows in usable),
                      sum((~is_side[rows]).sum() for rows in usable)))  # fmt: skip
    if not n_sides:
        return np.full(3, np.nan)
    area, error = area / n_sides, float(np.sqrt(TOGETHER * np.square(influence).sum())) / n_sides
    if 0 < area < 1 and error > 0:
        return np.array([area, *logit_interval(area, error)])
    area = min(1.0, max(0.0, area))
    least = min(sizes, key=min)
    return np.array([area, *area_interval(area, float(least[0]), float(least[1]))])


def _area(
    score: Float[np.ndarray, " n"], happened: Bool[np.ndarray, " n"]
) -> tuple[float, Float[np.ndarray, " n"]]:
    """Return the area, and how much each row moves it; the squares sum to its variance."""
    one, other = score[happened], score[~happened]
    ranks = stats.rankdata(score)
    shares = np.empty(len(score))
    shares[happened] = (ranks[happened] - stats.rankdata(one)) / len(other)
    shares[~happened] = 1 - (ranks[~happened] - stats.rankdata(other)) / len(one)
    area = float(shares[happened].mean())
    m = np.where(happened, len(one), len(other))
    return area, (shares - area) / np.sqrt(m * (m - 1.0))


def mcc_of(counts: Int[np.ndarray, "g g"], rng: np.random.Generator) -> Float[np.ndarray, " 3"]:
    """Matthews' correlation of truth (rows) and told (columns).

    The interval is a bootstrap's, as much wider as ``area_within_folds`` says.
    """
    value = float(_mcc(counts[None].astype(np.float64))[0])
    if np.isnan(value):
        return np.array([value, *UNKNOWN])
    n = int(counts.sum())
    drawn = rng.multinomial(n, counts.ravel() / n, size=RESAMPLES).reshape(-1, *counts.shape)
    found = _mcc(drawn.astype(np.float64))
    ends = value + TOGETHER**0.5 * (np.nanquantile(found, [0.025, 0.975]) - value)
    return np.array([value, max(-1.0, min(ends[0], value)), min(1.0, max(ends[1], value))])


def _mcc(counts: Float[np.ndarray, "b g g"]) -> Float[np.ndarray, " b"]:
    """Matthews' correlation of several tables; NaN where a margin is one group alone.

    References
    ----------
    Gorodkin (2004), Comparing Two K-category Assignments by a K-category Correlation Coefficient.
    """
    n = counts.sum((1, 2))
    truth, told = counts.sum(2), counts.sum(1)
    shared = n * np.trace(counts, axis1=1, axis2=2) - (truth * told).sum(1)
    spread = (n**2 - np.square(truth).sum(1)) * (n**2 - np.square(told).sum(1))
    return np.divide(shared, np.sqrt(spread), out=np.full(len(n), np.nan), where=spread > 0)
