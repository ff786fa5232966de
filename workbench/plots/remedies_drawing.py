"""What figures of remedies share: whiskers, colours of changes, and labels."""

import numpy as np

from workbench.core.errors import InvalidInputError
from workbench.core.fairness_metrics import GAPS, RATES
from workbench.core.remedies import Remedies
from workbench.core.remedy_reading import GAP_NAMES, RATE_NAMES, focus
from workbench.core.schema import listing
from workbench.plots.theme import Palette

NAME_LENGTH = 24
NONE = "No remedy was tried yet: choose at least one and run again."


def gap_position(gap: str) -> int:
    """Return the position of a gap.

    Raises
    ------
    InvalidInputError
        If there is none of that name.
    """
    if gap not in GAPS:
        raise InvalidInputError(f"There is no gap {gap!r}; choose one of {listing(GAP_NAMES, 20)}.")
    return GAP_NAMES.index(gap)


def rate_position(rate: str) -> int:
    """Return the position of a rate.

    Raises
    ------
    InvalidInputError
        If there is none of that name.
    """
    if rate not in RATES:
        raise InvalidInputError(
            f"There is no rate {rate!r}; choose one of {listing(RATE_NAMES, 20)}."
        )
    return RATE_NAMES.index(rate)


def chosen_remedy(result: Remedies, remedy: str | None) -> int:
    """Return the remedy to draw: that asked for, else the most helpful one.

    Raises
    ------
    InvalidInputError
        If it was not tried.
    """
    return focus(result) if remedy is None else result.index(remedy)


def whisker(value: float, ends: np.ndarray, ink: str) -> dict[str, object]:
    """Whiskers of one point, from the one end to the other; none where they are not known."""
    if not np.isfinite(ends).all():
        return {}
    return {
        "type": "data", "symmetric": False, "array": [max(0.0, float(ends[1]) - value)],
        "arrayminus": [max(0.0, value - float(ends[0]))], "color": ink, "thickness": 1.2,
        "width": 4,
    }  # fmt: skip


def whiskers(values: np.ndarray, colours: Palette) -> dict[str, object]:
    """Whiskers of values with their ends, [n, 3]."""
    at, low, high = values.T
    return {
        "type": "data", "symmetric": False, "array": np.maximum(high - at, 0.0),
        "arrayminus": np.maximum(at - low, 0.0), "color": colours.whisker, "thickness": 1.2,
        "width": 4,
    }  # fmt: skip


def within(gap: str, ends: np.ndarray) -> np.ndarray:
    """Cut ends of a whisker at what a gap can be: nothing is nearer than none."""
    clipped: np.ndarray = np.minimum(ends, 1.0) if GAPS[gap].way == "ratio" else ends
    return np.maximum(clipped, 0.0)


def ink(change: np.ndarray, colours: Palette, *, good: int) -> str:
    """Blue where a change is for the better beyond chance, vermilion where for the worse."""
    if not np.isfinite(change).all() or change[1] <= 0 <= change[2]:
        return colours.others
    return colours.positive if np.sign(change[0]) == good else colours.negative
