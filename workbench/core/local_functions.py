"""A simple function fitted to a model in a neighbourhood that a user chose."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import stats

from workbench.core.attribution import LEVEL
from workbench.core.errors import InvalidInputError
from workbench.core.outputs import OfOutputs
from workbench.core.result import Result, Rows
from workbench.core.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

Operator = Literal["add", "scale", "mask", "resample"]
FunctionClass = Literal["linear", "sparse", "pairwise", "logistic"]
Loss = Literal["squared", "gradient"]


@dataclass(frozen=True, eq=False)
class LocalFunctions(OfOutputs, Result):
    """A simple function for each row and output, with what it misses of the model.

    Attributes
    ----------
    coefficients
        What each is about is in ``meanings``; of a logistic function in log-odds. Zero where a
        feature was not selected or does not vary in the neighbourhood.
    std_errors
        Standard error of a coefficient from the choice of samples.
    selected
        Which features the function has.
    pairs, pair_coefficients, pair_std_errors
        Positions of two features, and the coefficient of their product; none unless pairwise.
    intercepts
        The function where every interpretable value is 0; of a logistic function in log-odds.
    fitted_missed, fitted_total
        Squared error and variance over the samples that it was fitted to.
    missed, total
        The same over samples that it has not seen.
    operator, law, scale
        The neighbourhood: how samples are made, what is drawn, and how far it reaches; 0 where
        the law has no scale.
    meanings
        For each feature what its coefficient stands for, in words.
    """

    kind: ClassVar[str] = "local_functions"

    coefficients: Float[np.ndarray, "n d k"]
    std_errors: Float[np.ndarray, "n d k"]
    selected: Bool[np.ndarray, "n d k"]
    pair_coefficients: Float[np.ndarray, "n q k"]
    pair_std_errors: Float[np.ndarray, "n q k"]
    intercepts: Float[np.ndarray, "n k"]
    fitted_missed: Float[np.ndarray, "n k"]
    fitted_total: Float[np.ndarray, "n k"]
    missed: Float[np.ndarray, "n k"]
    total: Float[np.ndarray, "n k"]
    predictions: Float[np.ndarray, "n k"]
    data: Float[np.ndarray, "n d"]
    ids: Int[np.ndarray, " n"]
    truth: Float[np.ndarray, " n"]
    pairs: tuple[tuple[int, int], ...]
    operator: Operator
    law: str
    scale: float
    function: FunctionClass
    loss: Loss
    samples: int
    heldout: int
    meanings: tuple[str, ...]
    schema: Schema
    output_names: tuple[str, ...]
    unit: str

    def __post_init__(self) -> None:
        (n, d, k), q = self.coefficients.shape, len(self.pairs)
        shapes = {
            "std_errors": (n, d, k), "selected": (n, d, k), "pair_coefficients": (n, q, k),
            "pair_std_errors": (n, q, k), "intercepts": (n, k), "fitted_missed": (n, k),
            "fitted_total": (n, k), "missed": (n, k), "total": (n, k), "predictions": (n, k),
            "data": (n, d), "ids": (n,), "truth": (n,),
        }  # fmt: skip
        self._check_shapes(f"A result with coefficients of shape {(n, d, k)}", shapes)
        if (len(self.schema.features), len(self.meanings), len(self.output_names)) != (d, d, k):
            raise InvalidInputError(f"Local functions of shape {(n, d, k)} do not fit their names.")
        if any(not 0 <= i < j < d for i, j in self.pairs):
            raise InvalidInputError("A pair of features is not in the result.")

    def __len__(self) -> int:
        return len(self.coefficients)

    def __getitem__(self, rows: Rows) -> "LocalFunctions":
        """Select rows; a single number keeps the row axis."""
        by_row = (
            "coefficients", "std_errors", "selected", "pair_coefficients", "pair_std_errors",
            "intercepts", "fitted_missed", "fitted_total", "missed", "total", "predictions",
            "data", "ids", "truth",
        )  # fmt: skip
        return self._of_rows(rows, by_row)

    def half_widths(self, level: float = LEVEL) -> Float[np.ndarray, "n d k"]:
        """Half the width of the interval for the choice of samples."""
        half: np.ndarray = float(stats.norm.ppf(0.5 + level / 2)) * self.std_errors
        return half

    def share_missed(self, output: str | int | None = None) -> Float[np.ndarray, " n"]:
        """Share of the variance that is missed over samples not seen; 0 where there is none."""
        which = self.output_index(output)
        missed, total = self.missed[:, which], self.total[:, which]
        return np.where(total > 0, missed / np.where(total > 0, total, 1.0), 0.0)

    def share_missed_fitted(self, output: str | int | None = None) -> Float[np.ndarray, " n"]:
        """Share of the variance that is missed over the samples that it was fitted to."""
        which = self.output_index(output)
        missed, total = self.fitted_missed[:, which], self.fitted_total[:, which]
        return np.where(total > 0, missed / np.where(total > 0, total, 1.0), 0.0)

    def to_frame(self) -> "pd.DataFrame":
        """One line per row, output and feature (or pair of features).

        Columns: ``row``, ``output``, ``feature``, ``value`` (as a user writes it; empty for a
        pair), ``meaning``, ``coefficient``, ``std_error``, ``low`` and ``high`` (95 %),
        ``selected``, ``intercept``, ``prediction``, ``missed`` (share of the variance, held out),
        ``unit``.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        lines: list[tuple[object, ...]] = []
        for row, output in np.ndindex(len(self), len(self.output_names)):
            start = (int(self.ids[row]), self.output_names[output])
            end = (
                float(self.intercepts[row, output]), float(self.predictions[row, output]),
                float(self.share_missed(output)[row]), self.unit,
            )  # fmt: skip
            for j, feature in enumerate(self.schema.features):
                lines.append((
                    *start, feature.name, feature.show(float(self.data[row, j])),
                    self.meanings[j], *self._told(row, j, output),
                    bool(self.selected[row, j, output]), *end,
                ))  # fmt: skip
            for place, (i, j) in enumerate(self.pairs):
                both = f"{self.names[i]} \N{MULTIPLICATION SIGN} {self.names[j]}"
                lines.append((
                    *start, both, "", "both together", *self._told(row, place, output, pair=True),
                    True, *end,
                ))  # fmt: skip
        columns = [
            "row", "output", "feature", "value", "meaning", "coefficient", "std_error", "low",
            "high", "selected", "intercept", "prediction", "missed", "unit",
        ]  # fmt: skip
        return pd.DataFrame(lines, columns=columns)

    def _told(self, row: int, place: int, output: int, *, pair: bool = False) -> tuple[float, ...]:
        values = self.pair_coefficients if pair else self.coefficients
        errors = self.pair_std_errors if pair else self.std_errors
        value, error = float(values[row, place, output]), float(errors[row, place, output])
        half = float(stats.norm.ppf(0.5 + LEVEL / 2)) * error
        return value, error, value - half, value + half
