"""Why the gap, in plain words: what it is made of, and what still tells who is of which group."""

import math

import numpy as np

from workbench.core.gap_causes import WELL, GapCauses
from workbench.core.wording import counted, joined, percent
from workbench.plots import words

NAMED = 3
# Features that move the gap by less than this share of it are not worth a word.
WORTH_A_WORD = 0.05
# Levels that say nothing without the name of their column.
SILENT = frozenset({"yes", "no", "true", "false", "other", "none", "missing", "unknown"})
AMONG = {
    "all": "",
    "favourable": " among those with the favourable outcome",
    "unfavourable": " among those without the favourable outcome",
}


def scale_of(result: GapCauses) -> tuple[float, str]:
    """Return what a gap is multiplied with to be shown, and the unit that it then has."""
    return (100.0, "points") if result.unit == "probability" else (1.0, result.unit)


def amount(result: GapCauses, value: float, digits: int | None = None) -> str:
    """Write the size of a part of a gap, without its sign."""
    times, _ = scale_of(result)
    if digits is None:
        return words.number(abs(times * value))
    return f"{abs(times * value):,.{digits}f}"


def digits_of(result: GapCauses, pair: int) -> int:
    """Decimals for the parts of a gap; one for points, which are known no better."""
    times, unit = scale_of(result)
    sizes = np.abs([result.gaps[pair, 0], *result.contributions[pair, :, 0]])
    largest = float(np.max(times * np.nan_to_num(sizes)))
    return words.decimals_for(largest) if unit != "points" else 1 if largest >= 1 else 2


def groups_of(result: GapCauses, pair: int) -> tuple[str, str]:
    """Name group and reference of a pair; with the attribute where they do not speak for it."""
    attribute = result.attributes[result.pair_attributes[pair]]
    group, other = (
        f"{attribute} {level}"
        if level.lower() in SILENT or not level[:1].isalpha() or level.startswith("below ")
        else level
        for level in result.pairs[pair]
    )
    return group, other


def gap_sentence(result: GapCauses, pair: str | int | None = None) -> str:
    """Say how far the mean scores of two groups lie apart, and what that is made of.

    Raises
    ------
    InvalidInputError
        If there is no such pair.
    """
    at = result.pair_index(pair)
    group, other = groups_of(result, at)
    gap, low, high = (float(part) for part in result.gaps[at])
    if reason := result.reason(at):
        if not math.isfinite(gap):
            return f"{group} and {other} cannot be compared: {reason}."
        return f"How {group} and {other} differ is not known: {reason}."
    digits, (_, unit) = digits_of(result, at), scale_of(result)
    way = "lower" if gap < 0 else "higher"
    own, reference = (_mean(result, float(mean)) for mean in result.means[at])
    size = f"{amount(result, gap, digits)} {unit}".strip()
    means = f"{own} against {reference}"
    among = AMONG[result.among]
    if low <= 0 <= high:
        ends = " to ".join(_signed(result, end, digits) for end in (low, high))
        return (
            f"{group} and {other} do not surely score differently{among}: {means}, a difference "
            f"of {_signed(result, gap, digits)} {unit}".rstrip()
            + f" ({ends})."
        )
    ends = " to ".join(sorted(
        (amount(result, end, digits) for end in (low, high)),
        key=lambda text: float(text.replace(",", "")),
    ))  # fmt: skip
    said = f"{group} score {size} ({ends}) {way} than {other} on average{among} ({means})."
    return " ".join(filter(None, (said, _made_of(result, at, digits), _drawn(result))))


def _drawn(result: GapCauses) -> str:
    """Say of which rows this is where not all were explained: the gap of all may be another."""
    found = [note for note in result.provenance.notes if note.endswith("drawn at random")]
    return f"These are {found[0].replace(' were explained', '')}." if found else ""


def _mean(result: GapCauses, value: float) -> str:
    if result.unit == "probability":
        return percent(value)
    return words.number(value)


def _signed(result: GapCauses, value: float, digits: int) -> str:
    return words.signed(scale_of(result)[0] * value, digits)


def _made_of(result: GapCauses, pair: int, digits: int) -> str:
    gap, parts = result.gaps[pair, 0], result.contributions[pair]
    itself = result.itself[result.pair_attributes[pair]]
    attribute = result.attributes[result.pair_attributes[pair]]
    worth = np.abs(parts[:, 0]) >= WORTH_A_WORD * abs(gap)
    sure = worth & ((parts[:, 1] > 0) | (parts[:, 2] < 0))
    along = np.sign(parts[:, 0]) == np.sign(gap)
    order = [int(c) for c in result.order(pair)]

    def part(c: int) -> str:
        name = f"{attribute} itself" if itself[c] else result.names[c]
        return f"{name} {amount(result, float(parts[c, 0]), digits)}"

    with_it = [c for c in order if sure[c] and along[c]][:NAMED]
    against = [c for c in order if sure[c] and not along[c]][:1]
    said = "No single feature surely makes up a part of it"
    if with_it:
        said = f"Of that: {joined([part(c) for c in with_it])}"
    if against:
        said += f"; {part(against[0])} the other way"
    own = [c for c in order if itself[c] and c not in with_it + against][:1]
    for c in own:
        said += f"; {part(c)}" + ("" if along[c] else " the other way")
    if with_it or against:
        said += _left_over(result, pair, [*with_it, *against, *own], digits)
    if not itself.any():
        said += f"; the model does not read {attribute}"
    return f"{said}."


def _left_over(result: GapCauses, pair: int, named: list[int], digits: int) -> str:
    """Say what the features that are not named make up, so that what is said adds up to the gap."""
    n = result.contributions.shape[1] - len(named)
    if not n:
        return ""
    gap, *parts = (
        round(scale_of(result)[0] * float(value), digits)
        for value in (result.gaps[pair, 0], *result.contributions[pair, named, 0])
    )
    rest = round(gap - sum(parts), digits)
    who = "the other one" if n == 1 else f"the {n} others together"
    if not rest:
        return f"; {who} nothing"
    way = "" if (rest > 0) == (gap > 0) else " the other way"
    return f"; {who} {abs(rest):,.{digits}f}{way}"


def proxy_sentence(result: GapCauses, pair: str | int | None = None) -> str:
    """Say how well the other columns tell the attribute of a pair, together and alone.

    Raises
    ------
    InvalidInputError
        If there is no such pair.
    """
    at = result.pair_index(pair)
    which = int(result.pair_attributes[at])
    attribute = result.attributes[which]
    area, low, high = (float(part) for part in result.remaining[which])
    if math.isnan(area):
        return f"How well other columns tell {attribute} is not known: too few rows of a group."
    found = f"{100 * area:.0f} of 100 pairs ({100 * low:.0f} to {100 * high:.0f}; 50 is guessing)"
    told = np.where(result.itself[which], np.nan, result.told[at, :, 0])
    best = ""
    if np.isfinite(told).any():
        c = int(np.nanargmax(told))
        best = f" The best single one is {result.names[c]}, with {100 * told[c]:.0f}."
    others = "the columns that the model reads"
    if result.itself[which].any():
        others = "the other columns"
    if low >= WELL:
        return (
            f"Without {attribute}, {others} still tell it: of two people of different groups they "
            f"point out the right one in {found}. Removing the column alone hardly helps.{best}"
        )
    if high <= WELL:
        return f"Without {attribute}, {others} tell little about it: {found} are told right.{best}"
    return (
        f"How well {others} tell {attribute} is not settled on "
        f"{counted(result.n_told, 'row')}: {found} are told right.{best}"
    )
