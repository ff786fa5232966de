"""Checks of profiles: do curves speak of rows that occur, hide opposite effects, or rest on few?"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from workbench.checks.record import Check, Finding
from workbench.core.profiles import Profile
from workbench.core.results import Profiles
from workbench.core.wording import counted, percent

# A feature counts that moves the output a tenth as far as the one that moves it farthest.
COUNTS = 0.1
# Distance of both curves over the wider spread, and in standard errors of the effects.
MOST_APART, SURE = 0.5, 2.0
# Share of what single rows do that the mean does not show, and from how many curves it is told.
MOST_CANCELLED, FEWEST_CURVES = 0.5, 20
# Rows, of as many as would lie there were they spread evenly; and share of a range with so few.
HARDLY_ANY, MOST_EMPTY = 0.1, 0.5
NAMED = 3
NO_NUMBERS = "None of the features has an order along which effects could accumulate."


class _Told(NamedTuple):
    """A feature, how much of what is asked about it has, and how far it moves the output."""

    name: str
    share: float
    moves: float


def curves_agree(profiles: Profiles) -> Finding:
    """Compare mean curves with accumulated effects, of the given model.

    Their distance, weighted by rows and over the wider of their spreads, is held against a half;
    what is within two standard errors of the effects is no distance.
    """
    worst = _largest(profiles, _apart, MOST_APART)
    if worst is None:
        return Finding("not_applicable", NO_NUMBERS)
    told, names = worst
    evidence = {"apart": told.share, "features": float(len(names))}
    brief = f"{percent(told.share)} of {told.name} apart" if told.share else "no distance"
    if not names:
        return Finding(
            "ok", "Mean curves and accumulated effects tell the same of every feature that counts.",
            evidence, MOST_APART, brief,
        )  # fmt: skip
    sentence = (
        f"Mean curve and accumulated effects part for {_listed(names)}, since features depend "
        "on each other: the mean curve asks about rows that hardly occur. Believe the effects."
    )
    return Finding("warning", sentence, evidence, MOST_APART, brief)


def rows_agree(profiles: Profiles) -> Finding:
    r"""Hold against a half how much of what single rows do cancels in their mean.

    With :math:`d_{ig}` the curve of row :math:`i` at grid point :math:`g` less its own mean over
    the data, and :math:`c_g` the rows nearest to the point,

    .. math:: 1 - \sum_g c_g |\bar d_g| \Big/ \sum_g c_g \overline{|d_g|}.

    It is 0 where all rows go the same way, however far each.
    """
    if len(profiles.ids) < FEWEST_CURVES:
        return Finding(
            "not_applicable",
            f"{counted(len(profiles.ids), 'single curve')} do not tell whether effects cancel; "
            f"keep {FEWEST_CURVES} or more.",
        )
    worst = _largest(profiles, _cancelled, MOST_CANCELLED)
    if worst is None:
        return Finding("not_applicable", "No feature has two values.")
    told, names = worst
    evidence = {"cancelled": told.share, "features": float(len(names))}
    brief = f"{percent(told.share)} of {told.name} cancels" if told.share else "nothing cancels"
    if not names:
        return Finding(
            "ok", "Single rows go the same way as their mean, for every feature that counts.",
            evidence, MOST_CANCELLED, brief,
        )  # fmt: skip
    sentence = (
        f"The mean curve hides what single rows do with {_listed(names)}: up for some and down "
        "for others, which cancels. The feature works together with others: look at the groups "
        "of single rows."
    )
    return Finding("warning", sentence, evidence, MOST_CANCELLED, brief)


def rows_lie_along(profiles: Profiles) -> Finding:
    """Hold against a half the share of a number's range where hardly any row lies.

    Intervals count that hold less than a tenth of the rows that would lie there were rows spread
    evenly over the range.
    """
    worst = _largest(profiles, _empty, MOST_EMPTY)
    if worst is None:
        return Finding("not_applicable", "None of the features is a number with two values.")
    told, names = worst
    evidence = {"empty": told.share, "features": float(len(names))}
    brief = f"{percent(told.share)} of {told.name} empty" if told.share else "rows all along"
    if not names:
        return Finding(
            "ok", "Rows lie along most of the range of every number that counts.", evidence,
            MOST_EMPTY, brief,
        )  # fmt: skip
    sentence = (
        f"Most of the curve of {_listed(names)} lies where hardly any row is: there it follows "
        "the network's habits, not data."
    )
    return Finding("warning", sentence, evidence, MOST_EMPTY, brief)


def _largest(
    profiles: Profiles, measure: Callable[[Profiles, Profile, int], _Told | None], limit: float
) -> tuple[_Told, list[str]] | None:
    """Return the largest share of a feature that counts, and the names that exceed tolerance."""
    which = profiles.output_index(None)
    found = [
        told for at in profiles.features
        if (told := measure(profiles, profiles.profile(int(at), which), int(at))) is not None
    ]  # fmt: skip
    if not found:
        return None
    least = COUNTS * max(told.moves for told in found)
    counts = [told for told in found if told.moves >= least and told.moves > 0]
    if not counts:
        return _Told(found[0].name, 0.0, 0.0), []
    counts.sort(key=lambda told: -told.share)
    return counts[0], [told.name for told in counts if told.share > limit]


def _apart(_: Profiles, found: Profile, __: int) -> _Told | None:
    own = np.isfinite(found.effects[0])
    rows = found.counts[own]
    if own.sum() < 2 or not rows.any():
        return None
    mean, effects = (_around(values[0][own], rows) for values in (found.mean, found.effects))
    wider = max(_size(mean, rows), _size(effects, rows))
    noise = _size(np.nan_to_num(found.effect_errors[0][own]), rows)
    distance = _size(mean - effects, rows)
    share = distance / wider if wider and distance > SURE * noise else 0.0
    return _Told(found.feature.name, share, wider)


def _cancelled(_: Profiles, found: Profile, __: int) -> _Told | None:
    rows = found.counts
    if len(rows) < 2 or not rows.any():
        return None
    each = found.curves - np.average(found.curves, axis=1, weights=rows)[:, None]
    moves = float(np.average(np.abs(each).mean(0), weights=rows))
    together = float(np.average(np.abs(each.mean(0)), weights=rows))
    return _Told(found.feature.name, max(0.0, 1 - together / moves) if moves else 0.0, moves)


def _empty(profiles: Profiles, found: Profile, at: int) -> _Told | None:
    own = np.isfinite(found.effects[0])
    if own.sum() < 2:
        return None
    rows = profiles.interval_counts[profiles.of == at][own][1:]
    widths = np.diff(found.grid[own])
    few = rows / rows.sum() < HARDLY_ANY * widths / widths.sum()
    wide = float(widths[few].sum() / widths.sum())
    curve = _around(found.mean[0][own], found.counts[own])
    return _Told(found.feature.name, wide, float(np.abs(curve).max()))


def _around(values: Float[np.ndarray, " g"], rows: np.ndarray) -> Float[np.ndarray, " g"]:
    """Move a curve so that its mean over rows is 0."""
    return values - np.average(values, weights=rows)


def _size(values: Float[np.ndarray, " g"], rows: np.ndarray) -> float:
    return float(np.sqrt(np.average(values**2, weights=rows)))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


PROFILE_CHECKS = (
    Check("WB042", "Mean curves and effects agree", "warning", 0, Profiles, curves_agree),
    Check("WB043", "Single rows go the way of their mean", "warning", 0, Profiles, rows_agree),
    Check("WB044", "Rows lie along the curves", "warning", 0, Profiles, rows_lie_along),
)
