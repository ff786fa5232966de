"""Where functions of one number cross zero, many of them at once."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

# Halving a bracket of a fifth of its place down to a billionth takes 28 steps.
MOST_STEPS = 40
# Brackets are not narrower than this, however close to 0 the place.
SMALLEST = 1e-12


def last_before(
    function: Callable[[Int[np.ndarray, " a"], Float[np.ndarray, " a"]], Float[np.ndarray, " a"]],
    low: Float[np.ndarray, " b"],
    high: Float[np.ndarray, " b"],
    at_low: Float[np.ndarray, " b"],
    at_high: Float[np.ndarray, " b"],
    *,
    precision: float = 1e-9,
) -> Float[np.ndarray, " b"]:
    """Return for each function a place at which it is not above 0, next to where it crosses.

    Brackets shrink by inverse quadratic steps where these are safe, else by halves.

    Parameters
    ----------
    function
        Takes which functions are asked, and a place for each.
    low, high
        Brackets: not above 0 at ``low``, above 0 (infinity is) at ``high``.
    precision
        Relative width of what is left of a bracket.

    References
    ----------
    Chandrupatla (1997), A new hybrid quadratic/bisection algorithm for finding the zero of a
    nonlinear function without using derivatives.
    """
    newest, f_newest = high.copy(), at_high.copy()
    other, f_other = low.copy(), at_low.copy()
    oldest, f_oldest = newest.copy(), f_newest.copy()
    step = np.full(len(low), 0.5)
    for _ in range(MOST_STEPS):
        wide = np.abs(newest - other) > precision * np.maximum(newest, other) + SMALLEST
        (active,) = np.nonzero(wide)
        if not len(active):
            break
        a, b = newest[active], other[active]
        place = a + step[active] * (b - a)
        value = function(active, place)
        # The new end takes the place of the one on its side.
        same = (value > 0) == (f_newest[active] > 0)
        oldest[active] = np.where(same, a, b)
        f_oldest[active] = np.where(same, f_newest[active], f_other[active])
        other[active] = np.where(same, b, a)
        f_other[active] = np.where(same, f_other[active], f_newest[active])
        newest[active], f_newest[active] = place, value
        step[active] = _next_step(
            newest[active], other[active], oldest[active],
            f_newest[active], f_other[active], f_oldest[active], precision,
        )  # fmt: skip
    return np.where(f_newest <= 0, newest, other)


def _next_step(
    newest: np.ndarray, other: np.ndarray, oldest: np.ndarray,
    f_newest: np.ndarray, f_other: np.ndarray, f_oldest: np.ndarray, precision: float,
) -> np.ndarray:  # fmt: skip
    """Say how far from the newest end to the other one to look next, as a share of the way."""
    with np.errstate(all="ignore"):  # what is not finite is not chosen
        place = (newest - other) / (oldest - other)
        level = (f_newest - f_other) / (f_oldest - f_other)
        safe = (level**2 < place) & ((1 - level) ** 2 < 1 - place)
        share = f_newest / (f_other - f_newest) * f_oldest / (f_other - f_oldest)
        share += (
            (oldest - newest) / (other - newest)
            * f_newest / (f_oldest - f_newest) * f_other / (f_oldest - f_other)
        )  # fmt: skip
        least = precision * np.maximum(newest, other) / 2 / np.abs(other - newest)
    least = np.minimum(np.nan_to_num(least, nan=0.5, posinf=0.5), 0.5)
    quadratic = safe & np.isfinite(share)
    return np.where(quadratic, np.clip(share, least, 1 - least), 0.5)
