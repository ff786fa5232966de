"""How much pairs of features moved each output of each row beyond what either does alone."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from jaxtyping import Float, Int

from workbench.core.attribution import LEVEL, Attribution, quantile
from workbench.core.errors import InvalidInputError
from workbench.core.result import Result, Rows
from workbench.core.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

Index = Literal["k-SII", "SII", "STII", "FSII", "Banzhaf"]
# Indices whose single and pairwise values add up to the prediction minus the base value.
ADDS_UP = frozenset({"k-SII", "STII", "FSII"})


@dataclass(frozen=True, eq=False)
class Interactions(Result):
    """Values of all pairs of features, and of the single features besides.

    Attributes
    ----------
    values
        Symmetric in the two features: off the diagonal the value of a pair, on it the value of a
        single feature; in the unit of ``unit``. A pair counts once in a sum.
    index
        What the values are: ``k-SII``, ``STII`` and ``FSII`` add up to the prediction minus the
        base value; of ``SII`` and ``Banzhaf`` the diagonal holds Shapley and Banzhaf values, which
        already contain the pairs.
    base_values
        What the outputs would be with no feature known.
    predictions
        What the model says of each row, computed without the engine.
    base_std_errors
        Standard error of ``base_values`` from the choice of background rows, one per output.
    background_std_errors
        Standard error of a value from the choice of background rows: root mean square over the
        rows. None where the background is too small to tell.
    background_dof
        Degrees of freedom behind ``background_std_errors``; None where the normal distribution
        holds.
    std_errors
        Standard error of each value from the choice of coalitions. None where all were evaluated.
    dof
        Degrees of freedom behind ``std_errors``; None where the normal distribution holds.
    data
        Raw features of the rows.
    truth
        Class codes or target values where known, else NaN.
    unit
        As of an attribution.
    """

    kind: ClassVar[str] = "interactions"

    values: Float[np.ndarray, "n d d k"]
    index: Index
    base_values: Float[np.ndarray, "n k"]
    predictions: Float[np.ndarray, "n k"]
    data: Float[np.ndarray, "n d"]
    ids: Int[np.ndarray, " n"]
    truth: Float[np.ndarray, " n"]
    base_std_errors: Float[np.ndarray, " k"]
    schema: Schema
    output_names: tuple[str, ...]
    unit: str
    background_std_errors: Float[np.ndarray, "d d k"] | None = None
    background_dof: float | None = None
    std_errors: Float[np.ndarray, "n d d k"] | None = None
    dof: float | None = None

    def __post_init__(self) -> None:
        n, d, _, k = self.values.shape
        shapes = {
            "values": (n, d, d, k), "base_values": (n, k), "predictions": (n, k), "data": (n, d),
            "ids": (n,), "truth": (n,), "base_std_errors": (k,),
        }  # fmt: skip
        if self.background_std_errors is not None:
            shapes["background_std_errors"] = (d, d, k)
        if self.std_errors is not None:
            shapes["std_errors"] = (n, d, d, k)
        self._check_shapes(f"A result of {n} rows, {d} features and {k} outputs", shapes)
        if len(self.schema.features) != d or len(self.output_names) != k:
            raise InvalidInputError(
                f"Interactions of {d} features and {k} outputs do not fit their names."
            )

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Rows) -> "Interactions":
        """Select rows; a single number keeps the row axis."""
        by_row = ("values", "base_values", "predictions", "data", "ids", "truth",
                  "std_errors")  # fmt: skip
        return self._of_rows(rows, by_row)

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names, as the user's columns are called."""
        return self.schema.names

    @property
    def adds_up(self) -> bool:
        """Whether the index is one whose values add up to the prediction minus the base value."""
        return self.index in ADDS_UP

    @property
    def gap(self) -> Float[np.ndarray, "n k"]:
        """Prediction minus base value minus the sum of all singles and pairs."""
        diagonal = np.einsum("niik->nk", self.values)
        pairs = (self.values.sum((1, 2)) - diagonal) / 2
        gap: np.ndarray = self.predictions - self.base_values - diagonal - pairs
        return gap

    @property
    def singles(self) -> Attribution:
        """The diagonal as an attribution, which knows names, units, outputs and intervals.

        It adds up to the prediction for ``SII`` alone, where it holds the Shapley values.
        """
        errors, sampled = self.background_std_errors, self.std_errors
        return Attribution(
            provenance=self.provenance,
            values=np.einsum("niik->nik", self.values).copy(),
            base_values=self.base_values,
            predictions=self.predictions,
            data=self.data,
            ids=self.ids,
            truth=self.truth,
            base_std_errors=self.base_std_errors,
            schema=self.schema,
            output_names=self.output_names,
            unit=self.unit,
            background_std_errors=None if errors is None else np.einsum("iik->ik", errors).copy(),
            background_dof=self.background_dof,
            std_errors=None if sampled is None else np.einsum("niik->nik", sampled).copy(),
            dof=self.dof,
        )

    def output_index(self, output: str | int | None) -> int:
        """Return the position of an output, as ``Attribution.output_index`` does.

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        return self.singles.output_index(output)

    def uncertainty(self, level: float = LEVEL) -> Float[np.ndarray, "n d d k"]:
        """Half the width of the interval for coalitions and background rows together.

        The two errors are independent, so their half widths add up in squares. Zeros where
        neither is known.
        """
        half = np.zeros(self.values.shape)
        if self.std_errors is not None:
            half = quantile(level, self.dof) * self.std_errors
        if self.background_std_errors is not None:
            drawn = quantile(level, self.background_dof) * self.background_std_errors
            half = np.hypot(half, drawn)
        return half

    @property
    def sources_of_error(self) -> tuple[str, ...]:
        """What ``uncertainty`` covers, in words; empty where no error is known."""
        return self.singles.sources_of_error

    def strongest(self, output: str | int | None = None) -> "pd.DataFrame":
        """Mean absolute value of each pair over the rows, largest first.

        Columns: ``feature``, ``other``, ``strength``, ``std_error`` (over rows; NaN for one row),
        ``mean`` (signed), ``sampling_std_error`` (of the value in one row, root mean square; NaN
        where all coalitions were evaluated), ``background_std_error`` (the same for the choice of
        background rows; NaN where unknown).

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        which = self.output_index(output)
        first, second = np.triu_indices(len(self.names), 1)
        values = self.values[:, first, second, which]  # (n, p)
        size, n = np.abs(values), len(values)
        unknown = np.full(len(first), np.nan)
        errors, sampled = self.background_std_errors, self.std_errors
        by_sampling = unknown
        if sampled is not None and n:
            by_sampling = np.sqrt((sampled[:, first, second, which] ** 2).mean(0))
        frame = pd.DataFrame({
            "feature": [self.names[i] for i in first],
            "other": [self.names[j] for j in second],
            "strength": size.mean(0) if n else unknown,
            "std_error": size.std(0, ddof=1) / np.sqrt(n) if n > 1 else unknown,
            "mean": values.mean(0) if n else unknown,
            "sampling_std_error": by_sampling,
            "background_std_error": unknown if errors is None else errors[first, second, which],
        })
        return frame.sort_values("strength", ascending=False, ignore_index=True, kind="stable")

    def to_frame(self) -> "pd.DataFrame":
        """One line per row, output and pair, and per row, output and single feature.

        Columns: ``row``, ``output``, ``feature``, ``value``, ``other`` and ``other_value`` (both
        empty for a single feature; values as a user writes them), ``interaction``, ``std_error``
        (from the choice of coalitions; NaN where all were evaluated), ``background_std_error``,
        ``low`` and ``high`` (95 %), ``base_value``, ``prediction``, ``unit``, ``index``.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        n, d, k = len(self), len(self.names), len(self.output_names)
        first, second = np.triu_indices(d)
        single, p = first == second, len(first)
        values = self.values[:, first, second]  # (n, p, k)
        half = self.uncertainty()[:, first, second]
        errors, sampled = self.background_std_errors, self.std_errors
        drawn = np.full((p, k), np.nan) if errors is None else errors[first, second]
        by_sampling = (
            np.full(values.shape, np.nan) if sampled is None else sampled[:, first, second]
        )
        names = np.array(self.names, dtype=object)
        shown = np.array(
            [
                [f.show(v) for f, v in zip(self.schema.features, row, strict=True)]
                for row in self.data
            ],
            dtype=object,
        ).reshape(n, d)

        def flat(array: np.ndarray) -> np.ndarray:
            return array.transpose(0, 2, 1).reshape(-1)

        def by_row(cells: np.ndarray) -> np.ndarray:
            return np.repeat(cells[:, None], k, axis=1).reshape(-1)

        return pd.DataFrame({
            "row": np.repeat(self.ids, p * k),
            "output": np.tile(np.repeat(np.array(self.output_names, dtype=object), p), n),
            "feature": np.tile(names[first], n * k),
            "value": by_row(shown[:, first]),
            "other": np.tile(np.where(single, "", names[second]), n * k),
            "other_value": by_row(np.where(single, "", shown[:, second])),
            "interaction": flat(values),
            "std_error": flat(by_sampling),
            "background_std_error": flat(np.broadcast_to(drawn, values.shape)),
            "low": flat(values - half),
            "high": flat(values + half),
            "base_value": np.repeat(self.base_values.reshape(-1), p),
            "prediction": np.repeat(self.predictions.reshape(-1), p),
            "unit": self.unit,
            "index": self.index,
        })
