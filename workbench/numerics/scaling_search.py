r"""How far each feature of a model can be scaled until the loss has risen by so much.

A copy reads feature :math:`i` multiplied by a mask :math:`m`, and all others as they are. For a
budget :math:`c\varepsilon` and a direction, the boundary is the mask at which the loss has risen
by that budget for the first time on the way from 1.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from workbench.numerics.roots import MOST_STEPS, last_before

# Rise of the loss for each of some features when it is scaled by a mask, all others by 1.
Profile = Callable[[Int[np.ndarray, " a"], Float[np.ndarray, " a"]], Float[np.ndarray, " a"]]
DIRECTIONS = (-1, 1)
# First step away from 1 of the exact search, and by how much steps grow, up to a tenth.
START, GROWTH = 0.01, 1.25
# Steps of the published search: the first, how often it is divided by ten, and how often a smaller
# one may be taken until the place is reached at which the larger one was refused.
STEP, REDUCTIONS, SMALLER_STEPS = 0.1, 4, 10
# A loss that moves by a smaller share of the largest budget does not depend on the feature.
UNCHANGED = 1e-9


def exact_boundaries(
    profile: Profile,
    features: Int[np.ndarray, " f"],
    budgets: Float[np.ndarray, " b"],
    reach: float,
) -> Float[np.ndarray, "f 2 b"]:
    """Find boundaries by growing steps, and within the step that crosses a budget by its root.

    A profile that rises above a budget and falls below it again within one step is missed there.

    Parameters
    ----------
    budgets
        By how much the loss may rise, none negative.
    reach
        How far from 1 to look.

    Returns
    -------
    Masks for the directions down and up, each just within its budget. Infinite, with the sign of
    the direction, where the loss stays within it as far as ``reach``; NaN for features that it
    does not depend on.
    """
    line_features, signs = _lines(features)
    rungs = rungs_within(reach)
    shape = len(signs), len(budgets)
    low, high, at_low, at_high = (np.full(shape, np.nan) for _ in range(4))
    last, at_last = np.zeros(len(signs)), np.zeros(len(signs))
    moved = np.zeros(len(signs))
    for rung in rungs:
        open_ = np.isnan(high)
        (alive,) = np.nonzero(open_.any(1))
        if not len(alive):
            break
        rise = profile(line_features[alive], 1 + signs[alive] * rung)
        moved[alive] = np.maximum(moved[alive], np.abs(rise))
        lines, places = np.nonzero(open_[alive] & (rise[:, None] > budgets))
        at = alive[lines]
        low[at, places], at_low[at, places] = last[at], at_last[at] - budgets[places]
        high[at, places], at_high[at, places] = rung, rise[lines] - budgets[places]
        last[alive], at_last[alive] = rung, rise
    crossed = np.nonzero(~np.isnan(high))

    def above(which: np.ndarray, away: np.ndarray) -> np.ndarray:
        lines, places = crossed[0][which], crossed[1][which]
        return profile(line_features[lines], 1 + signs[lines] * away) - budgets[places]

    away = np.full(shape, np.inf)
    away[crossed] = last_before(
        above, low[crossed], high[crossed], at_low[crossed], at_high[crossed]
    )
    return _masks(away, signs, moved, budgets)


def published_boundaries(
    profile: Profile,
    features: Int[np.ndarray, " f"],
    budgets: Float[np.ndarray, " b"],
    reach: float,
) -> Float[np.ndarray, "f 2 b"]:
    """Find boundaries greedily, by steps of a tenth that get smaller where one is refused.

    For each budget in ascending order: take a step while the loss has risen by less than the
    budget, else divide it by ten; after four divisions go on with the next budget, from the mask
    reached, by steps of a tenth again. Masks are within 0.0001 of a boundary.

    A smaller step is taken ten times at most, for that leads to where the larger one was refused:
    without that limit, and without ``reach``, a loss that creeps up to a budget would never end
    the search. Arguments and result as of ``exact_boundaries``.

    References
    ----------
    Li, Wang, Deng and Barnard (2024), Exploring the Cloud of Feature Interaction Scores in a
    Rashomon Set.
    """
    line_features, signs = _lines(features)
    n, n_budgets = len(signs), len(budgets)
    away, moved = np.zeros(n), np.zeros(n)
    level, taken, budget = (np.zeros(n, dtype=np.int64) for _ in range(3))
    found = np.full((n, n_budgets), np.inf)
    while len(alive := np.flatnonzero(budget < n_budgets)):
        tried = away[alive] + STEP / 10.0 ** level[alive]
        rise = profile(line_features[alive], 1 + signs[alive] * tried)
        moved[alive] = np.maximum(moved[alive], np.abs(rise))
        within = rise < budgets[budget[alive]]
        away[alive] = np.where(within, tried, away[alive])
        taken[alive] += within
        smaller = ~within | ((level[alive] > 0) & (taken[alive] >= SMALLER_STEPS))
        level[alive] += smaller
        taken[alive[smaller]] = 0
        settled = alive[level[alive] >= REDUCTIONS]
        found[settled, budget[settled]] = away[settled]
        level[settled] = 0
        budget[settled] += 1
        budget[alive[away[alive] > reach]] = n_budgets
    return _masks(found, signs, moved, budgets)


def rungs_within(reach: float) -> Float[np.ndarray, " r"]:
    """Return the distances from 1 that the exact search looks at, the last one ``reach``."""
    wide = STEP / (GROWTH - 1)  # where steps have grown to a tenth, the published one
    near = START * GROWTH ** np.arange(int(np.ceil(np.log(wide / START) / np.log(GROWTH))))
    far = np.arange(near[-1] + STEP, max(reach, near[-1]) + STEP, STEP)
    rungs = np.concatenate([near, far])
    return np.append(rungs[rungs < reach], reach)


def most_evaluations(search: str, reach: float, n_budgets: int) -> int:
    """Bound how often a search asks for the loss, for each feature and direction."""
    if search == "exact":
        return len(rungs_within(reach)) + MOST_STEPS * n_budgets
    smaller = (REDUCTIONS - 1) * SMALLER_STEPS + REDUCTIONS
    return int(reach / STEP) + 2 + n_budgets * smaller


def _lines(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a feature and a direction for each search."""
    return np.repeat(features, len(DIRECTIONS)), np.tile(DIRECTIONS, len(features))


def _masks(
    away: np.ndarray, signs: np.ndarray, moved: np.ndarray, budgets: np.ndarray
) -> np.ndarray:
    """Turn distances into masks by feature and direction; NaN where nothing ever moved."""
    masks = (1 + signs[:, None] * away).reshape(-1, len(DIRECTIONS), len(budgets))
    still = (moved.reshape(-1, len(DIRECTIONS)) <= UNCHANGED * budgets.max()).all(1)
    masks[still] = np.nan
    return masks
