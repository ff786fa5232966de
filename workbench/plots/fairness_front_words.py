"""Equally good models and groups, in plain words."""

import numpy as np
from jaxtyping import Float

from workbench.core.fairness_front import NONE, REPORTED, VALIDATION, FairnessFront
from workbench.core.fairness_metrics import GAPS
from workbench.core.schema import listing
from workbench.core.wording import counted, percent
from workbench.plots.words import signed

LEFT_OUT = "left out of the "  # how a note of the method begins


def points(share: float, digits: int = 1) -> str:
    """Write a share in points of a hundred.

    Examples
    --------
    >>> points(0.0512), points(0.01), points(0.0)
    ('5.1 points', '1 point', '0 points')
    """
    text = f"{100 * share:.{digits}f}".removesuffix(".0")
    return f"{text} point{'' if text in {'1', '-1'} else 's'}".replace("-", "\N{MINUS SIGN}")


def value_text(name: str, triple: Float[np.ndarray, " 3"]) -> str:
    """Write a gap with its interval: points of a difference, two decimals of a ratio."""
    value, low, high = (float(part) for part in triple)
    if not np.isfinite(value):
        return "not defined"
    if GAPS[name].way == "ratio":
        return f"{value:.2f} ({low:.2f} to {high:.2f})"
    return f"{points(value)} ({100 * low:.1f} to {100 * high:.1f})"


def change_text(triple: Float[np.ndarray, " 3"]) -> str:
    """Write a change of shares in points, with its sign and interval."""
    value, low, high = (100 * float(part) for part in triple)
    if not np.isfinite(value):
        return "not defined"
    return f"{signed(value, 1)} points ({signed(low, 1)} to {signed(high, 1)})"


def front_sentence(front: FairnessFront, gap: str | None = None) -> str:
    """Say whether there is a less discriminatory alternative, and whether other rows confirm it."""
    q = front.gap_index(gap)
    m = int(front.chosen[q])
    if m != NONE:
        start = (
            "A less discriminatory model was found." if front.confirmed(q)
            else "No less discriminatory model was found that other rows confirm."
        )  # fmt: skip
        return f"{start} {before_and_after(front, m, gap)} {verdict_sentence(front, m, gap)}"
    name = list(GAPS)[q]
    if front.ends[q, 0] == NONE:
        return (
            f"The {GAPS[name].title.lower()} between groups of {listing(front.by)} is not defined: "
            "too few groups have the people whom it is about."
        )
    others = counted(len(front) - 1, "other model")
    return (
        f"No less discriminatory alternative was found: of {others}, none within "
        f"{points(front.eps)} of accuracy has a smaller {GAPS[name].title.lower()} on the "
        "validation rows. That does not show that there is none."
    )


def left_out_sentence(front: FairnessFront) -> str:
    """Say which groups are too small for the gap in question; empty where none is."""
    notes = front.provenance.notes
    return "".join(f"{note[0].upper()}{note[1:]}." for note in notes if note.startswith(LEFT_OUT))


def unconfirmed_sentence(front: FairnessFront, m: int) -> str:
    """Warn of a model whose gain no other rows confirm; empty where they do."""
    if m != front.chosen[front.at]:
        return (
            "Not confirmed: the rows that show this model's gap are those that it is picked by. "
            "No improvement can be claimed."
        )
    if front.confirmed(front.at):
        return ""
    return (
        "Not confirmed: rows that had no say in the choice do not show that this model is less "
        "discriminatory. No improvement can be claimed."
    )


def before_and_after(front: FairnessFront, m: int, gap: str | None = None) -> str:
    """Say what a model changes against the given one, on the rows that are reported on."""
    q = front.gap_index(gap)
    name = list(GAPS)[q]
    before, after = (value_text(name, front.gaps[i, REPORTED, q]) for i in (0, m))
    right = [percent(float(front.accuracy[i, REPORTED, 0])) for i in (0, m)]
    return (
        f"A model that is right for {right[1]} of the rows instead of {right[0]} has a "
        f"{GAPS[name].title.lower()} between groups of {listing(front.by)} of {after} instead of "
        f"{before}."
    )


def verdict_sentence(front: FairnessFront, m: int, gap: str | None = None) -> str:
    """Say whether the rows that had no say in the choice confirm it."""
    q = front.gap_index(gap)
    change = front.change[m, REPORTED, q]
    told = change_text(change)
    if front.overlap:
        return (
            f"That is not confirmed: {counted(front.overlap, 'row')} of these were seen by the "
            "search. Look at test rows."
        )
    accuracy = f"The accuracy changes by {change_text(front.accuracy_change[m, REPORTED])}."
    if change[2] < 0:
        return (
            f"Rows that had no say in the choice confirm it: the gap changes by {told}. {accuracy}"
        )
    return (
        "No improvement is claimed: on rows that had no say in the choice the gap changes by "
        f"{told}, which may be nothing. {accuracy}"
    )


def luck_sentence(front: FairnessFront, gap: str | None = None) -> str:
    """Say how much better the chosen model looks on the rows that it was chosen on."""
    q = front.gap_index(gap)
    m = int(front.chosen[q])
    if m == NONE:
        return ""
    chose, other = (change_text(front.change[m, s, q]) for s in (VALIDATION, REPORTED))
    return (
        f"On the validation rows the gap changes by {chose}. They chose it as the best of "
        f"{counted(int(front.within.sum()), 'model')} and may flatter it; the rows reported on say "
        f"{other}."
    )


def reading_sentence(front: FairnessFront) -> str:
    """Say what hangs on the models' reading the columns of the groups; empty where none does."""
    if not front.read:
        return ""
    q, columns = front.at, listing(front.read)
    alone = [percent(float(share)) for share in front.swayed]
    if len(alone) < 2:
        left = _left(front, (front.gaps[0, REPORTED, q],))
        return (
            f"The given model reads {columns} itself: {alone[0]} of these people would be decided "
            f"otherwise if {columns} alone were another.{left}"
        )
    both = tuple(front.gaps[m, REPORTED, q] for m in (0, int(front.chosen[q])))
    return (
        f"The alternative reads {columns} itself, as the given model does: {alone[1]} of these "
        f"people would be decided otherwise if {columns} alone were another, under the given "
        f"model {alone[0]}.{_left(front, both)}{_through(front)}"
    )


def _left(front: FairnessFront, now: tuple[Float[np.ndarray, " 3"], ...]) -> str:
    q = front.at
    name = list(GAPS)[q]
    if not np.isfinite(front.held[:, q]).all():
        return ""
    left = [plain_value(name, float(value)) for value in front.held[:, q]]
    given = f"{left[0]} under the given model instead of {plain_value(name, float(now[0][0]))}"
    start = f" If {listing(front.read)} told nothing, the {GAPS[name].title.lower()}"
    if len(left) == 1:
        return f"{start} would be {given}."
    return (
        f"{start} would be {given}, and {left[1]} under the alternative instead of "
        f"{plain_value(name, float(now[1][0]))}."
    )


def _through(front: FairnessFront) -> str:
    part, q = front.through(front.at), front.at
    if not np.isfinite(part):
        return ""
    whole = float(front.change[front.chosen[q], REPORTED, q, 0])
    return (
        f" So {signed(100 * part, 1)} of the change of {signed(100 * whole, 1)} points come "
        f"through {listing(front.read)} itself: to decide by it may be unlawful."
    )


def plain_value(name: str, value: float) -> str:
    """Write a gap without its interval: points of a difference, two decimals of a ratio."""
    return f"{value:.2f}" if GAPS[name].way == "ratio" else points(value)


def range_sentence(front: FairnessFront, gap: str | None = None) -> str:
    """Say how far gaps of models about as accurate lie apart."""
    q = front.gap_index(gap)
    least, most = (int(end) for end in front.ends[q])
    name = list(GAPS)[q]
    if least == NONE:
        return ""
    ends = [value_text(name, front.gaps[i, REPORTED, q]) for i in (least, most)]
    width = front.width[q, REPORTED]
    noise = "" if width[1] > 0 else " That may be nothing but chance."
    return (
        f"Among {counted(int(front.within.sum()), 'model')} within {points(front.eps)} of "
        f"accuracy on validation rows, those with the least and the greatest "
        f"{GAPS[name].title.lower()} there have {ends[0]} and {ends[1]} on the rows reported on: "
        f"{change_text(width)} apart.{noise}"
    )


def causes_sentence(front: FairnessFront) -> str:
    """Say which feature makes the scores of two groups differ most, and what became of that."""
    if not len(front.compared) or not len(front.causes) or np.isnan(front.causes[0, :, 0]).all():
        return ""
    worse, better = front.compared
    j = int(np.nanargmax(np.abs(front.causes[0, :, 0])))
    start = (
        f"{front.features[j]} makes the mean score of {worse} differ most from that of {better}: "
        f"by {100 * front.causes[0, j, 0]:+.1f} points"
    ).replace("-", "\N{MINUS SIGN}")
    if not len(front.causes_change):
        return f"{start}."
    moved = int(np.nanargmax(np.abs(front.causes_change[0, :, 0])))
    return (
        f"{start}. The alternative differs most in {front.features[moved]}, by "
        f"{change_text(front.causes_change[0, moved])}."
    )
