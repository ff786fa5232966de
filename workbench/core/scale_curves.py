"""How far around a row a linear explanation stays honest."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.local_functions import Operator
from workbench.core.outputs import OfOutputs
from workbench.core.result import Result, Rows
from workbench.core.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

# A curve that rises by less than this has no knee.
FLAT = 0.1
QUARTILES = (25, 50, 75)


class Curve(NamedTuple):
    """Share missed at each scale: over rows the quartiles; of a single row an interval."""

    low: Float[np.ndarray, " s"]
    middle: Float[np.ndarray, " s"]
    high: Float[np.ndarray, " s"]


@dataclass(frozen=True, eq=False)
class ScaleCurves(OfOutputs, Result):
    """What the best linear function misses of the model, at several scales of a neighbourhood.

    Attributes
    ----------
    scales
        Ascending; what they measure is in ``scale_words``.
    missed, total
        Squared error and variance over samples that the function was not fitted to, by row, scale
        and output.
    spread
        Standard error of the share missed from the choice of those samples.
    operator, law
        The neighbourhood: how samples are made and what is drawn.
    """

    kind: ClassVar[str] = "scale_curves"

    scales: Float[np.ndarray, " s"]
    missed: Float[np.ndarray, "n s k"]
    total: Float[np.ndarray, "n s k"]
    spread: Float[np.ndarray, "n s k"]
    predictions: Float[np.ndarray, "n k"]
    data: Float[np.ndarray, "n d"]
    ids: Int[np.ndarray, " n"]
    operator: Operator
    law: str
    scale_words: str
    schema: Schema
    output_names: tuple[str, ...]
    unit: str

    def __post_init__(self) -> None:
        n, s, k = self.missed.shape
        d = len(self.schema.features)
        shapes = {
            "scales": (s,), "total": (n, s, k), "spread": (n, s, k), "predictions": (n, k),
            "data": (n, d), "ids": (n,),
        }  # fmt: skip
        self._check_shapes(f"Curves of shape {(n, s, k)}", shapes)
        if len(self.output_names) != k:
            raise InvalidInputError(f"Curves of shape {(n, s, k)} do not fit their names.")
        if s < 2 or not (np.diff(self.scales) > 0).all():
            raise InvalidInputError("A curve needs at least 2 scales, in ascending order.")

    def __len__(self) -> int:
        return len(self.missed)

    def __getitem__(self, rows: Rows) -> "ScaleCurves":
        """Select rows; a single number keeps the row axis."""
        by_row = ("missed", "total", "spread", "predictions", "data", "ids")
        return self._of_rows(rows, by_row)

    def shares(self, output: str | int | None = None) -> Float[np.ndarray, "n s"]:
        """Share of the variance that is missed, for each row; 0 where the output does not move."""
        which = self.output_index(output)
        missed, total = self.missed[..., which], self.total[..., which]
        return np.where(total > 0, missed / np.where(total > 0, total, 1.0), 0.0)

    def curve(self, output: str | int | None = None) -> Curve:
        """Return the quartiles over rows; of one row its share with a 95 % interval.

        Raises
        ------
        InvalidInputError
            If there is no such output, or there are no rows.
        """
        if not len(self):
            raise InvalidInputError("There are no rows; choose at least one and run again.")
        shares = self.shares(output)
        if len(self) == 1:
            half = 1.96 * self.spread[0, :, self.output_index(output)]
            return Curve(np.maximum(0.0, shares[0] - half), shares[0], shares[0] + half)
        return Curve(*np.percentile(shares, QUARTILES, axis=0))

    def knee(self, output: str | int | None = None) -> float | None:
        """Return the scale beyond which the curve rises fastest; None where it hardly rises.

        It is the point furthest below the straight line between the curve's ends, over the
        logarithm of the scale.

        References
        ----------
        Satopää, Albrecht, Irwin and Raghavan (2011), Finding a Kneedle in a Haystack.
        """
        middle = self.curve(output).middle
        rise = middle[-1] - middle[0]
        if rise < FLAT:
            return None
        way = np.log(self.scales)
        way = (way - way[0]) / (way[-1] - way[0])
        return float(self.scales[int(np.argmax(way - (middle - middle[0]) / rise))])

    def widest(self, tolerance: float, output: str | int | None = None) -> float | None:
        """Return the largest scale up to which at most ``tolerance`` is missed; None if none."""
        within = self.curve(output).middle <= tolerance
        stop = len(within) if within.all() else int(np.argmin(within))
        return float(self.scales[stop - 1]) if stop else None

    def to_frame(self) -> "pd.DataFrame":
        """One line per row, output and scale.

        Columns: ``row``, ``output``, ``scale``, ``missed`` (share of the variance),
        ``std_error``.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        n, s, k = self.missed.shape
        return pd.DataFrame({
            "row": np.repeat(self.ids, s * k),
            "output": np.tile(np.repeat(np.array(self.output_names, dtype=object), s), n),
            "scale": np.tile(self.scales, n * k),
            "missed": np.stack([self.shares(output) for output in range(k)], 1).reshape(-1),
            "std_error": self.spread.transpose(0, 2, 1).reshape(-1),
        })
