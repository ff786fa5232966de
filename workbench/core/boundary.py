"""Who is decided narrowly, and what would have changed it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.result import Result
from workbench.core.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

# Of whom more is found out than the score: by key, what they are called.
WHO: Mapping[str, str] = {
    "everybody": "Everybody",
    "refused": "Refused",
    "approved": "Approved",
    "wrongly_refused": "Wrongly refused",
    "wrongly_approved": "Wrongly approved",
}
UNKNOWN, NOBODY = -1, -1


@dataclass(frozen=True, eq=False)
class BoundaryPeople(Result):
    r"""Everybody's distance to the decision, and more about those who are closest to it.

    With the probability :math:`s_f` of the favourable class, the margin is
    :math:`(s_f - \max_{c \neq f} s_c) / 2`: how far the score has to move for the decision to
    tip, of more than two classes at least. Of two classes it is the score less one half.

    Axes: ``n`` people (rows), ``a`` protected attributes, ``m`` people looked at in full, ``d``
    features, ``l`` levels of attributes that somebody could be moved to. NaN means undefined,
    never 0; for ranges, ``remark`` says why.

    Attributes
    ----------
    ids
        Row numbers in the file.
    scores, margins
        Probability of the favourable class, and its margin.
    decided
        Whether the model decides for it.
    truth
        1 where it is the true class, 0 where not, ``UNKNOWN`` without labels.
    attributes, levels, codes
        Protected columns, their levels, and the level of each person; no columns where none are
        marked as protected.
    low, high
        Least and greatest score over the admitted models and the given one.
    otherwise
        Share of the admitted models that decide otherwise, with its 95 % interval (Wilson's).
    admitted, drawn, tolerance, noise
        Models whose mean loss is at most ``tolerance`` above the given one's, of how many; and
        the median paired standard error of that excess.
    who
        Key of ``WHO``: among whom the closest were taken.
    chosen
        Positions of the people looked at in full, closest to the boundary first.
    data
        Their raw features.
    flip_attributes, flip_levels
        What they are moved to, all else equal: position of the attribute and its level.
    flip_scores, flip_decided
        What the model says then; NaN (and no decision) for their own level.
    neighbour_ids, neighbour_data, neighbour_scores
        The most similar person of the table who is decided otherwise; ``NOBODY`` and NaN where
        all of them are decided alike.
    distances
        Sum over features of the difference in standard deviations, or 1 for another category or
        a value that one of the two lacks; protected columns do not count.
    typical
        Median distance to everybody in the table.
    closer
        Share of everybody in the table who is closer than that neighbour.
    spread
        Standard deviation of each feature; 1 for categories, 0 for what does not count.
    searched
        How many people of the table the neighbours were looked for among.
    """

    kind: ClassVar[str] = "boundary_people"

    favourable: str
    schema: Schema
    output_names: tuple[str, ...]
    ids: Int[np.ndarray, " n"]
    scores: Float[np.ndarray, " n"]
    margins: Float[np.ndarray, " n"]
    decided: Bool[np.ndarray, " n"]
    truth: Int[np.ndarray, " n"]
    attributes: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    codes: Int[np.ndarray, "n a"]
    low: Float[np.ndarray, " n"]
    high: Float[np.ndarray, " n"]
    otherwise: Float[np.ndarray, "n 3"]
    admitted: int
    drawn: int
    tolerance: float
    noise: Float[np.ndarray, " 1"]
    remark: str
    who: str
    chosen: Int[np.ndarray, " m"]
    data: Float[np.ndarray, "m d"]
    flip_attributes: Int[np.ndarray, " l"]
    flip_levels: tuple[str, ...]
    flip_scores: Float[np.ndarray, "m l"]
    flip_decided: Bool[np.ndarray, "m l"]
    neighbour_ids: Int[np.ndarray, " m"]
    neighbour_data: Float[np.ndarray, "m d"]
    neighbour_scores: Float[np.ndarray, " m"]
    distances: Float[np.ndarray, " m"]
    typical: Float[np.ndarray, " m"]
    closer: Float[np.ndarray, " m"]
    spread: Float[np.ndarray, " d"]
    searched: int

    def __post_init__(self) -> None:
        n, m, a = len(self.scores), len(self.chosen), len(self.attributes)
        d, flips = len(self.schema.features), len(self.flip_levels)
        self._check_shapes(
            f"A result about {n} people, {m} of them in full,",
            dict.fromkeys(("ids", "margins", "decided", "truth", "low", "high"), (n,))
            | dict.fromkeys(
                ("neighbour_ids", "neighbour_scores", "distances", "typical", "closer"), (m,)
            )
            | {
                "codes": (n, a), "otherwise": (n, 3), "noise": (1,), "data": (m, d),
                "neighbour_data": (m, d), "flip_attributes": (flips,), "spread": (d,),
                "flip_scores": (m, flips), "flip_decided": (m, flips),
            },
        )  # fmt: skip
        if len(self.levels) != a or self.who not in WHO:
            raise InvalidInputError("Groups of people do not fit the attributes that make them.")
        if m and not 0 <= self.chosen.min() <= self.chosen.max() < n:
            raise InvalidInputError(f"Somebody looked at in full is not among the {n} people.")

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names, as the user's columns are called."""
        return self.schema.names

    @property
    def has_ranges(self) -> bool:
        """Whether equally good models were found to ask."""
        return self.admitted > 0

    @property
    def is_binary(self) -> bool:
        """Whether there are two classes, so that one score is the boundary for everybody."""
        return len(self.output_names) == 2

    @property
    def straddles(self) -> Bool[np.ndarray, " n"]:
        """Whether some admitted model decides otherwise; nobody's where there are none."""
        return np.nan_to_num(self.otherwise[:, 0]) > 0

    @property
    def wrong(self) -> Bool[np.ndarray, " n"]:
        """Whether the decision is known not to be what is true."""
        return (self.truth != UNKNOWN) & (self.decided != (self.truth == 1))

    @property
    def boundaries(self) -> Float[np.ndarray, " n"]:
        """Score at which each person's decision would tip, of more than two classes at least."""
        return self.scores - self.margins

    def group_of(self, person: int, attribute: int = 0) -> str:
        """Return the level of a person by position; empty where there are no attributes."""
        if not self.attributes:
            return ""
        return self.levels[attribute][self.codes[person, attribute]]

    def place_of(self, row: int | None) -> int:
        """Return the place in ``chosen`` of a row number; None stands for the closest.

        Raises
        ------
        InvalidInputError
            If that row was not looked at in full.
        """
        if not len(self.chosen):
            raise InvalidInputError(
                "Nobody was looked at in full; choose other people or other rows."
            )
        if row is None:
            return 0
        found = np.flatnonzero(self.ids[self.chosen] == row)
        if not len(found):
            raise InvalidInputError(
                f"Row {row} was not looked at in full; name it in people, or choose one of the "
                f"{len(self.chosen)} that were."
            )
        return int(found[0])

    @property
    def contributions(self) -> Float[np.ndarray, "m d"]:
        """What each feature adds to the distance of the nearest who is decided otherwise."""
        return contributions(self.data, self.neighbour_data, self.spread, self.is_category)

    @property
    def is_category(self) -> Bool[np.ndarray, " d"]:
        """Which features are categories."""
        return np.array([feature.kind == "categorical" for feature in self.schema.features])

    @property
    def differs(self) -> Bool[np.ndarray, "m d"]:
        """Which features of the nearest who is decided otherwise are not the person's."""
        same = (self.data == self.neighbour_data) | (
            np.isnan(self.data) & np.isnan(self.neighbour_data)
        )
        return ~same & (self.neighbour_ids != NOBODY)[:, None]

    def strongest_flip(self, place: int) -> int | None:
        """Return the level that moves the score of a person most, of those that tip the decision.

        Of all levels where none tips it; None where there is none at all.
        """
        person = self.chosen[place]
        moved = np.abs(self.flip_scores[place] - self.scores[person])
        if not np.isfinite(moved).any():
            return None
        tips = self.flip_decided[place] != self.decided[person]
        held = np.where(tips, moved, np.nan)
        return int(np.nanargmax(held if np.isfinite(held).any() else moved))

    def to_frame(self) -> "pd.DataFrame":
        """One line per person, closest to the boundary first.

        Columns: ``row``, ``score``, ``margin``, ``decision``, ``truth``, ``low``, ``high``,
        ``otherwise`` (share of equally good models), ``otherwise_low``, ``otherwise_high``, one
        column per protected attribute, and of those looked at in full ``other_row`` (the nearest
        who is decided otherwise), ``distance``, ``flip`` (the level of a protected attribute that
        moves the score most), ``flip_score``.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        said = {1: "favourable", 0: "unfavourable", UNKNOWN: ""}
        frame = pd.DataFrame({
            "row": self.ids, "score": self.scores, "margin": self.margins,
            "decision": [said[int(own)] for own in self.decided],
            "truth": [said[int(own)] for own in self.truth],
            "low": self.low, "high": self.high, "otherwise": self.otherwise[:, 0],
            "otherwise_low": self.otherwise[:, 1], "otherwise_high": self.otherwise[:, 2],
        } | {
            f"group: {name}": [self.group_of(i, a) for i in range(len(self))]
            for a, name in enumerate(self.attributes)
        })  # fmt: skip
        flips = [self.strongest_flip(place) for place in range(len(self.chosen))]
        for name, values, nothing in (
            ("other_row", [str(own) if own != NOBODY else "" for own in self.neighbour_ids], ""),
            ("distance", self.distances, np.nan),
            ("flip", ["" if at is None else self.flip_levels[at] for at in flips], ""),
            ("flip_score", [
                np.nan if at is None else self.flip_scores[place, at]
                for place, at in enumerate(flips)
            ], np.nan),
        ):  # fmt: skip
            column = np.full(len(self), nothing, dtype=object if nothing == "" else np.float64)
            column[self.chosen] = values
            frame[name] = column
        return frame.iloc[np.argsort(np.abs(self.margins), kind="stable")].reset_index(drop=True)


def contributions(
    one: Float[np.ndarray, "*m d"],
    other: Float[np.ndarray, "*m d"],
    spread: Float[np.ndarray, " d"],
    is_category: Bool[np.ndarray, " d"],
) -> Float[np.ndarray, "*m d"]:
    """Return what each feature adds to the distance of people.

    A number adds its difference in standard deviations, another category adds 1, and so does a
    value that one of the two lacks; a feature without spread adds nothing.
    """
    missing = np.isnan(one), np.isnan(other)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.where(is_category, (one != other) * 1.0, np.abs(one - other) / spread)
    apart = np.where(missing[0] | missing[1], (missing[0] != missing[1]) * 1.0, apart)
    return np.where(spread > 0, apart, 0.0)
