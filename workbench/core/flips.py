"""Would the decision be another if only a protected attribute were?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.result import Result

if TYPE_CHECKING:
    import pandas as pd

Mode = Literal["rows", "uniform", "conditional"]
# Whose decision changes: anybody's; those who are refused and would not be; those who are not
# refused and would be.
KINDS = ("either", "adverse", "favoured")
# Under whichever alternative, or under one that is plausible.
ALTERNATIVES = ("all", "plausible")
# Quantiles of the largest move of the score.
MOVES = {"median": 0.5, "95 %": 0.95}
# Levels that do not say what they are of.
BARE = frozenset({"yes", "no", "true", "false", "0", "1", "missing"})
# An alternative is hardly ever met where it is less than a tenth as frequent as elsewhere.
SELDOM = 0.1


def names_of(attributes: Sequence[str], groups: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Join the levels of each group; one that says nothing by itself goes with its attribute."""
    return tuple(
        ", ".join(
            f"{name} {level}" if level.lower() in BARE else level
            for name, level in zip(attributes, levels, strict=True)
        )
        for levels in groups
    )


@dataclass(frozen=True, eq=False)
class AttributeFlips(Result):
    r"""What a model says of each row under every assignment of its protected attributes.

    Axes: ``n`` rows, ``c`` assignments (every combination of the levels of the attributes), ``a``
    attributes, ``g`` groups that rows are of, ``k`` kinds of flips (order of ``KINDS``), ``v``
    sorts of alternatives (order of ``ALTERNATIVES``), ``m`` quantiles (order of ``MOVES``), ``u``
    pairs of values. A last axis of 3 holds value and 95 % interval. NaN means undefined, never 0.

    Attributes
    ----------
    mode
        Whom the question is asked of: the ``rows`` themselves; ``uniform`` inputs, drawn from all
        that the schema allows; or the rows, each against a ``conditional`` draw of a real person
        of the other group who is much like it.
    attributes, levels
        What is changed, and to which values.
    assignments
        Level of each attribute.
    own
        Assignment that a row has; -1 where a value is missing, or is none of the levels.
    group, group_levels
        Group of each row, and the levels of each group.
    favourable
        The class that people hope for.
    ids
        Row numbers.
    own_scores, own_decided
        Probability of the favourable class, and whether it is the decision, as the row is.
    scores, decided
        The same under each assignment; that of the row itself is under its own. NaN, and not
        decided, where there is nobody to draw.
    support
        How frequent the assignment is among the rows that are most like this one in everything
        else, by how frequent it is among all: 1 as everywhere, 0 never met. NaN where too few
        rows tell, and of conditional draws, which are real rows.
    seldom
        Whether the assignment goes with another value of the row that it hardly ever goes with.
    pairs
        Such values, each with the one of a protected attribute.
    pair_flips, pair_seen, pair_expected
        In how many alternatives the pair stands, in how many of the data's rows, and in how many
        it would if the two had nothing to do with each other.
    rates
        Share of each group whose decision changes under an alternative: exact interval.
    overall
        The same of all rows.
    set_rates
        Share of favourable decisions if the assignment were everybody's: exact interval.
    group_score
        The greatest difference of these.
    by_chance
        Of conditional draws: share of rows whose decision differs as often as they are compared
        with others, but with rows of their own group that are much like them. What is beyond this
        comes with the group. NaN otherwise.
    moves, overall_moves
        Quantiles of the largest move of the score, up or down, under any alternative, with the
        interval of order statistics.
    n_data
        Rows of the table; inputs that were drawn are not of it.
    """

    kind: ClassVar[str] = "attribute_flips"

    mode: Mode
    attributes: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    assignments: Int[np.ndarray, "c a"]
    own: Int[np.ndarray, " n"]
    group: Int[np.ndarray, " n"]
    group_levels: tuple[tuple[str, ...], ...]
    favourable: str
    ids: Int[np.ndarray, " n"]
    own_scores: Float[np.ndarray, " n"]
    own_decided: Bool[np.ndarray, " n"]
    scores: Float[np.ndarray, "n c"]
    decided: Bool[np.ndarray, "n c"]
    support: Float[np.ndarray, "n c"]
    seldom: Bool[np.ndarray, "n c"]
    pairs: tuple[tuple[str, str], ...]
    pair_flips: Int[np.ndarray, " u"]
    pair_seen: Int[np.ndarray, " u"]
    pair_expected: Float[np.ndarray, " u"]
    rates: Float[np.ndarray, "k v g 3"]
    overall: Float[np.ndarray, "k v 3"]
    set_rates: Float[np.ndarray, "c 3"]
    group_score: Float[np.ndarray, " 3"]
    by_chance: Float[np.ndarray, "k 3"]
    moves: Float[np.ndarray, "m g 3"]
    overall_moves: Float[np.ndarray, "m 3"]
    n_data: int

    def __post_init__(self) -> None:
        n, c, g = len(self.ids), len(self.assignments), len(self.group_levels)
        a, u, k, v, m = (
            len(self.attributes), len(self.pairs), len(KINDS), len(ALTERNATIVES), len(MOVES),
        )  # fmt: skip
        every = dict.fromkeys(("scores", "decided", "support", "seldom"), (n, c))
        single = dict.fromkeys(("own", "group", "own_scores", "own_decided"), (n,))
        paired = dict.fromkeys(("pair_flips", "pair_seen", "pair_expected"), (u,))
        self._check_shapes(
            f"Flips of {n} rows among {c} assignments",
            every | single | paired | {
                "assignments": (c, a), "rates": (k, v, g, 3), "overall": (k, v, 3),
                "set_rates": (c, 3), "group_score": (3,), "by_chance": (k, 3), "moves": (m, g, 3),
                "overall_moves": (m, 3),
            },
        )  # fmt: skip
        if not n or c < 2:
            raise InvalidInputError("Flips need a row, and two assignments to choose from.")
        if not (-1 <= self.own.min() <= self.own.max() < c and 0 <= self.group.min()
                <= self.group.max() < g):  # fmt: skip
            raise InvalidInputError(
                "A row is of a group or assignment that is not among the flips."
            )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def assignment_names(self) -> tuple[str, ...]:
        """Names of the assignments, such as ``Female, White``."""
        return names_of(self.attributes, [
            [self.levels[a][level] for a, level in enumerate(chosen)]
            for chosen in self.assignments.tolist()
        ])  # fmt: skip

    @property
    def group_names(self) -> tuple[str, ...]:
        """Names of the groups that rows are of."""
        return names_of(self.attributes, self.group_levels)

    @cached_property
    def sizes(self) -> Int[np.ndarray, " g"]:
        """Rows of each group."""
        return np.bincount(self.group, minlength=len(self.group_levels))

    @cached_property
    def known(self) -> Bool[np.ndarray, "n c"]:
        """Which assignments are an alternative of a row: not its own, and with an answer."""
        return np.isfinite(self.scores) & (np.arange(len(self.assignments)) != self.own[:, None])

    @cached_property
    def implausible(self) -> Bool[np.ndarray, "n c"]:
        """Which alternatives are hardly ever met; those of which nothing is known are not."""
        with np.errstate(invalid="ignore"):
            return self.known & (self.seldom | (self.support < SELDOM))

    def changes(self, *, plausible: bool = False) -> Bool[np.ndarray, "n c"]:
        """Return which alternatives change the decision; of all of them, or the plausible ones."""
        alternatives = self.known & ~self.implausible if plausible else self.known
        return alternatives & (self.decided != self.own_decided[:, None])

    def flipped(self, kind: str = "either", *, plausible: bool = False) -> Bool[np.ndarray, " n"]:
        """Return whose decision changes.

        Raises
        ------
        InvalidInputError
            If there is no such kind.
        """
        if kind not in KINDS:
            raise InvalidInputError(f"There is no kind {kind!r}; choose one of {', '.join(KINDS)}.")
        flipped = np.asarray(self.changes(plausible=plausible).any(1))
        if kind == "either":
            return flipped
        found: np.ndarray = flipped & (self.own_decided == (kind == "favoured"))
        return found

    @cached_property
    def furthest(self) -> Int[np.ndarray, " n"]:
        """The alternative under which the score moves most; -1 of a row without any."""
        size = np.where(self.known, np.abs(self.scores - self.own_scores[:, None]), -1.0)
        return np.where(self.known.any(1), size.argmax(1), -1)

    @cached_property
    def largest_moves(self) -> Float[np.ndarray, " n"]:
        """Move of the score under that alternative, with its sign; NaN without any."""
        moved = self.scores[np.arange(len(self)), self.furthest] - self.own_scores
        return np.where(self.furthest >= 0, moved, np.nan)

    def position(self, row: int) -> int:
        """Return where a row of this number stands.

        Raises
        ------
        InvalidInputError
            If there is none.
        """
        places = np.flatnonzero(self.ids == row)
        if not len(places):
            raise InvalidInputError(f"Row {row} is not among those whose attributes were flipped.")
        return int(places[0])

    def to_frame(self) -> "pd.DataFrame":
        """Return one line for each row.

        Columns: row, group, score, decision, flip (``adverse``, ``favoured`` or empty), plausible
        (whether an alternative does it that is not hardly ever met), move (the largest of the
        score), move_as (under which alternative), move_support, lowest, highest (score under any
        assignment, the row's own included).
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        names = np.array([*self.assignment_names, ""], dtype=object)
        adverse, favoured = self.flipped("adverse"), self.flipped("favoured")
        every = np.column_stack([self.own_scores, self.scores])
        return pd.DataFrame({
            "row": self.ids,
            "group": np.array(self.group_names, dtype=object)[self.group],
            "score": self.own_scores,
            "decision": np.where(self.own_decided, self.favourable, f"not {self.favourable}"),
            "flip": np.where(adverse, "adverse", np.where(favoured, "favoured", "")),
            "plausible": self.flipped(plausible=True),
            "move": self.largest_moves,
            "move_as": names[self.furthest],
            "move_support": self.support[np.arange(len(self)), self.furthest],
            "lowest": np.nanmin(every, 1),
            "highest": np.nanmax(every, 1),
        })
