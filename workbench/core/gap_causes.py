"""Why one group scores lower than another: what each feature adds to the gap, and what it tells."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.fairness import ENOUGH
from workbench.core.result import Result
from workbench.core.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

Among = Literal["all", "favourable", "unfavourable"]
# Area from which on columns tell a group so well that to remove one of them hardly helps.
WELL = 0.7


@dataclass(frozen=True, eq=False)
class GapCauses(Result):
    r"""The gap in mean score between two groups, shared out among features, and their proxies.

    With attributions :math:`\phi_c(x)` that add up to the score of each row, the gap between
    groups :math:`a` and :math:`b` is a sum over features:

    .. math:: \bar f_a - \bar f_b
              = \sum_c \left( \overline{\phi_c}^{\,a} - \overline{\phi_c}^{\,b} \right).

    Axes: ``a`` protected attributes; ``m`` pairs of a group and the reference group of its
    attribute; ``d`` features of the model. A last axis of 3 holds value and 95 % interval. NaN
    means undefined, never 0.

    Attributes
    ----------
    attributes
        Protected columns, whether or not the model reads them.
    pair_attributes
        Position of the attribute of each pair.
    pairs
        Names of the group and the reference group, the largest of its attribute.
    sizes
        Rows of the two that were explained.
    means
        Mean score of the two.
    gaps
        Mean score of the group less that of the reference.
    contributions
        What each feature adds to the gap.
    shifts
        :math:`\frac1n \sum_i (P(a \mid x_{ic}) - P(a)) \, \phi_c(x_i)` over the rows of both
        groups, with shares of the group among rows of the same category, or bin of a number.
    told
        How well each feature alone tells the two groups apart: area under the ROC curve.
    told_mcc
        The same as Matthews' correlation.
    effects
        Mean absolute attribution of each feature over all rows that were explained.
    remaining, remaining_mcc
        How well all features but the attribute itself tell its groups, together.
    itself
        Whether a feature is the attribute.
    n_explained
        Rows that were explained.
    n_told
        Rows that proxies were looked for among.
    among
        Whether all rows count, or those with or without the favourable outcome.
    output
        Name of the output that is the score.
    unit
        Unit of gaps and contributions; empty where the target has none.
    inner
        Method of the attributions.
    """

    kind: ClassVar[str] = "gap_causes"

    attributes: tuple[str, ...]
    pair_attributes: Int[np.ndarray, " m"]
    pairs: tuple[tuple[str, str], ...]
    sizes: Int[np.ndarray, "m 2"]
    means: Float[np.ndarray, "m 2"]
    gaps: Float[np.ndarray, "m 3"]
    contributions: Float[np.ndarray, "m d 3"]
    shifts: Float[np.ndarray, "m d 3"]
    told: Float[np.ndarray, "m d 3"]
    told_mcc: Float[np.ndarray, "m d 3"]
    effects: Float[np.ndarray, "d 3"]
    remaining: Float[np.ndarray, "a 3"]
    remaining_mcc: Float[np.ndarray, "a 3"]
    itself: Bool[np.ndarray, "a d"]
    n_explained: int
    n_told: int
    among: Among
    output: str
    unit: str
    inner: str
    schema: Schema

    def __post_init__(self) -> None:
        a, m, d = len(self.attributes), len(self.pairs), len(self.schema.features)
        self._check_shapes(
            f"Causes of {m} gaps by {d} features",
            {"pair_attributes": (m,), "sizes": (m, 2), "means": (m, 2), "gaps": (m, 3),
             "effects": (d, 3), "remaining": (a, 3), "remaining_mcc": (a, 3), "itself": (a, d)}
            | dict.fromkeys(("contributions", "shifts", "told", "told_mcc"), (m, d, 3)),
        )  # fmt: skip
        if not m or not set(self.pair_attributes.tolist()) <= set(range(a)):
            raise InvalidInputError("Causes of gaps need pairs of groups, each of an attribute.")

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names, as the user's columns are called."""
        return self.schema.names

    @property
    def pair_names(self) -> tuple[str, ...]:
        """Names of the pairs, such as ``sex: Female against Male``."""
        return tuple(
            f"{self.attributes[at]}: {group} against {other}"
            for at, (group, other) in zip(self.pair_attributes, self.pairs, strict=True)
        )

    def pair_index(self, pair: str | int | None = None) -> int:
        """Return the position of a pair given by name or position; of the widest gap if by none.

        Raises
        ------
        InvalidInputError
            If there is no such pair.
        """
        if pair is None:
            return self.widest
        if isinstance(pair, int) and 0 <= pair < len(self):
            return pair
        if pair not in self.pair_names:
            raise InvalidInputError(
                f"There is no pair {pair!r}; choose one of {'; '.join(self.pair_names)}."
            )
        return self.pair_names.index(str(pair))

    @property
    def widest(self) -> int:
        """The pair of the widest gap: surely one, and between groups of enough rows, if any is."""
        sure = (self.gaps[:, 1] > 0) | (self.gaps[:, 2] < 0)
        enough = self.sizes.min(1) >= ENOUGH
        return int(np.lexsort((np.nan_to_num(np.abs(self.gaps[:, 0])), sure, enough))[-1])

    @property
    def missed(self) -> Float[np.ndarray, " m"]:
        """What the contributions leave of each gap; 0 where attributions add up."""
        left: np.ndarray = self.gaps[:, 0] - self.contributions[:, :, 0].sum(1)
        return left

    @property
    def own_parts(self) -> Float[np.ndarray, "m d"]:
        r"""What a feature's own values account for of its contribution.

        Shifts by :math:`P(a) (1 - P(a))` of the pair, which is all of the contribution where the
        effect of a feature does not hang on the others. The rest comes about because the same
        value has another effect in the two groups.
        """
        share = self.sizes[:, 0] / np.maximum(self.sizes.sum(1), 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            parts: np.ndarray = self.shifts[:, :, 0] / (share * (1 - share))[:, None]
        return parts

    def order(self, pair: int) -> Int[np.ndarray, " d"]:
        """Positions of the features, by how much they add to or take from the gap of a pair."""
        found: np.ndarray = np.argsort(-np.abs(self.contributions[pair, :, 0]), kind="stable")
        return found

    def reason(self, pair: int) -> str:
        """Say why there is no interval for a pair; empty where there is."""
        for name, n in zip(self.pairs[pair], self.sizes[pair], strict=True):
            if n < 2:
                which = {"all": "", "favourable": " with the favourable outcome",
                         "unfavourable": " without the favourable outcome"}[self.among]  # fmt: skip
                rows = "1 row" if n == 1 else f"{n} rows"
                return f"only {rows} of {name}{which} {'was' if n == 1 else 'were'} explained"
        return ""

    def to_frame(self) -> "pd.DataFrame":
        """One line per pair and feature, those that add most to or take most from the gap first.

        Columns: ``attribute``, ``group``, ``reference``, ``feature``, ``itself`` (whether it is
        the attribute), ``contribution``, ``low``, ``high``, ``own_part`` (what its own values
        account for of that), ``effect`` (mean absolute attribution), ``told`` (area under the ROC
        curve of telling the two groups by it), ``told_low``, ``told_high``, ``told_mcc``,
        ``gap``, ``gap_low``, ``gap_high``, ``unit``.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        own = self.own_parts
        lines = [
            (
                self.attributes[at], *self.pairs[m], self.names[c], bool(self.itself[at, c]),
                *self.contributions[m, c], own[m, c], self.effects[c, 0], *self.told[m, c],
                self.told_mcc[m, c, 0], *self.gaps[m], self.unit,
            )
            for m, at in enumerate(self.pair_attributes)
            for c in self.order(m)
        ]  # fmt: skip
        return pd.DataFrame(lines, columns=[
            "attribute", "group", "reference", "feature", "itself", "contribution", "low", "high",
            "own_part", "effect", "told", "told_low", "told_high", "told_mcc", "gap", "gap_low",
            "gap_high", "unit",
        ])  # fmt: skip
