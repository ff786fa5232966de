"""A real update held against what was foreseen of it."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from workbench.core.churn import Churn
from workbench.core.decisions import effects_of
from workbench.core.errors import InvalidInputError
from workbench.numerics.intervals import Interval, wilson
from workbench.numerics.ranking import area_of

MOST_BINS = 6
SMALLEST_BIN = 8


class Realised(NamedTuple):
    """What a real update changed, and how far that was foreseen.

    Attributes
    ----------
    churn
        Share of rows that the update decides otherwise, with Wilson's interval over rows.
    expected
        Mean flip probability: what was foreseen on average.
    area
        Area under the ROC curve of flip probabilities for the rows that changed: 1 if all of them
        were foreseen to be the likeliest, 0.5 if none of it; with its 95 % interval.
    bins
        Rows in bins of similar flip probability: mean probability, observed share, and Wilson's
        interval of that.
    bin_rows
        How many rows a bin has.
    fixes, breaks, neutral
        Shares of rows; NaN for a regression.
    """

    churn: tuple[float, float, float]
    expected: float
    area: tuple[float, float, float]
    bins: Float[np.ndarray, "b 4"]
    bin_rows: Int[np.ndarray, " b"]
    fixes: float
    breaks: float
    neutral: float


def realised(churn: Churn, tolerance: float | None = None) -> Realised:
    """Hold the update of a result against the flip probabilities of models within a tolerance.

    Raises
    ------
    InvalidInputError
        If there is no update, or no model within the tolerance.
    """
    if churn.update_decisions is None:
        raise InvalidInputError(
            "There is no update to hold this against; give the model that replaced it "
            "(realised_churn, --update)."
        )
    foreseen = churn.flips(tolerance).value
    if np.isnan(foreseen).any():
        raise InvalidInputError(
            "No prospective model is within this tolerance, so nothing was foreseen; choose a "
            "larger one."
        )
    flipped = churn.update_decisions != churn.base
    bins, rows = _bins(foreseen, flipped)
    effects = [np.nan] * 3
    if churn.classifies:
        truth = churn.truth.astype(np.int64)
        found = effects_of(churn.update_decisions[None], churn.base, truth)
        effects = [float(part[0]) for part in found]
    share, n = float(flipped.mean()), len(flipped)
    interval: Interval = wilson(share * n, n)
    return Realised(
        (share, *interval), float(foreseen.mean()), area_of(foreseen, flipped), bins, rows, *effects
    )


def _bins(
    foreseen: Float[np.ndarray, " n"], flipped: np.ndarray
) -> tuple[Float[np.ndarray, "b 4"], Int[np.ndarray, " b"]]:
    """Put rows of probability 0 in one bin, and the others in bins of about equal numbers."""
    above = foreseen > 0
    count = int(np.clip(above.sum() // SMALLEST_BIN, 1, MOST_BINS))
    place = np.zeros(len(foreseen), dtype=int)
    if above.any():
        edges = np.quantile(foreseen[above], np.linspace(0, 1, count + 1)[1:-1])
        place[above] = 1 + np.searchsorted(edges, foreseen[above])
    kept = np.unique(place)
    bins = []
    for own in (place == b for b in kept):
        share, n = float(flipped[own].mean()), int(own.sum())
        bins.append((float(foreseen[own].mean()), share, *wilson(share * n, n)))
    return np.array(bins), np.array([int((place == b).sum()) for b in kept])
