"""How much each feature moved each output of each row."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from workbench.core.errors import InvalidInputError
from workbench.core.outputs import OfOutputs
from workbench.core.result import Result, Rows
from workbench.core.schema import Schema

if TYPE_CHECKING:
    import pandas as pd
    import shap

LEVEL = 0.95
# Method of attributions that another program computed, and where their base value is from: it came
# along, or is what the model says of background rows.
IMPORTED, GIVEN_BASE, MEAN_BASE = "imported", "given", "mean prediction"
# Where the standard errors are not those of sampled coalitions.
ON_PATHS = "points on the paths"
SAMPLED = {
    "shapley.fastshap": "explainer",
    "shapley.expected-gradients": ON_PATHS,
    "shapley.integrated-gradients": ON_PATHS,
}


@dataclass(frozen=True, eq=False)
class Attribution(OfOutputs, Result):
    """How much each feature moved each output of each row away from the base value.

    Attributes
    ----------
    values
        One number per row, feature and output; in the unit of ``unit``.
    base_values
        What the outputs would be with no feature known.
    predictions
        What the model says of each row, computed without the engine.
    std_errors
        Standard error of ``values`` from sampling coalitions, or points on paths; None where
        nothing was sampled.
    dof
        Degrees of freedom behind ``std_errors``; None where the normal distribution holds.
    base_std_errors
        Standard error of ``base_values`` from the choice of background rows, one per output.
    background_std_errors
        Standard error of an attribution from the choice of background rows: root mean square over
        the rows. None where the background is too small to tell.
    background_dof
        Degrees of freedom behind ``background_std_errors``, as ``dof``.
    data
        Raw features of the rows.
    truth
        Class codes or target values where known, else NaN.
    unit
        ``probability``, ``log-odds``, ``logit``, ``log-probability``, or the
        unit of the target, empty where it has none.
    """

    kind: ClassVar[str] = "attribution"

    values: Float[np.ndarray, "n d k"]
    base_values: Float[np.ndarray, "n k"]
    predictions: Float[np.ndarray, "n k"]
    data: Float[np.ndarray, "n d"]
    ids: Int[np.ndarray, " n"]
    truth: Float[np.ndarray, " n"]
    base_std_errors: Float[np.ndarray, " k"]
    schema: Schema
    output_names: tuple[str, ...]
    unit: str
    std_errors: Float[np.ndarray, "n d k"] | None = None
    background_std_errors: Float[np.ndarray, "d k"] | None = None
    background_dof: float | None = None
    dof: float | None = None

    def __post_init__(self) -> None:
        n, d, k = self.values.shape
        shapes = {
            "base_values": (n, k), "predictions": (n, k), "data": (n, d), "ids": (n,),
            "truth": (n,), "base_std_errors": (k,),
        }  # fmt: skip
        if self.std_errors is not None:
            shapes["std_errors"] = (n, d, k)
        if self.background_std_errors is not None:
            shapes["background_std_errors"] = (d, k)
        self._check_shapes(f"An attribution with values of shape {(n, d, k)}", shapes)
        if len(self.schema.features) != d or len(self.output_names) != k:
            raise InvalidInputError(f"Attribution of shape {(n, d, k)} does not fit its names.")

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Rows) -> "Attribution":
        """Select rows; a single number keeps the row axis."""
        by_row = ("values", "base_values", "predictions", "data", "ids", "truth", "std_errors")
        return self._of_rows(rows, by_row)

    @property
    def gap(self) -> Float[np.ndarray, "n k"]:
        """Prediction minus base value minus the sum of the attributions; 0 when additive."""
        gap: np.ndarray = self.predictions - self.base_values - self.values.sum(1)
        return gap

    def half_widths(self, level: float = LEVEL) -> Float[np.ndarray, "n d k"]:
        """Half the width of the interval for sampling coalitions; zeros where none were sampled.

        It says how far the value may be from the exact one for the *same* background.
        """
        if self.std_errors is None:
            return np.zeros_like(self.values)
        return quantile(level, self.dof) * self.std_errors

    def uncertainty(self, level: float = LEVEL) -> Float[np.ndarray, "n d k"]:
        """Half the width of the interval for coalitions and background rows together.

        The two errors are independent, so their half widths add up in squares.
        """
        half = self.half_widths(level)
        if self.background_std_errors is None:
            return half
        drawn = quantile(level, self.background_dof) * self.background_std_errors
        return np.hypot(half, drawn)

    @property
    def sources_of_error(self) -> tuple[str, ...]:
        """What ``uncertainty`` covers, in words; empty where no error is known."""
        known = {self.sampled: self.std_errors, self.drawn: self.background_std_errors}
        return tuple(source for source, errors in known.items() if errors is not None)

    @property
    def sampled(self) -> str:
        """What ``std_errors`` are about: ``coalitions`` where nothing else was sampled."""
        return SAMPLED.get(self.provenance.method, "coalitions")

    @property
    def drawn(self) -> str:
        """What was drawn to stand in for unknown features: ``background rows``, or ``draws``."""
        return "draws" if self.provenance.params.get("value") == "gaussian" else "background rows"

    def importance(self, output: str | int | None = None) -> "pd.DataFrame":
        """Mean absolute attribution of each feature over the rows, largest first.

        Columns: ``feature``, ``importance``, ``std_error`` (over rows; NaN for one row),
        ``mean`` (signed).

        Where rows shared coalitions, the noise of these may move all of them together; the
        standard error then has it in full besides the spread over rows, which is the most it can
        be.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        values = self.values[:, :, self.output_index(output)]
        size = np.abs(values)
        n = len(values)
        spread = size.std(0, ddof=1) / np.sqrt(n) if n > 1 else np.full(len(self.names), np.nan)
        if self.std_errors is not None and self.provenance.params.get("draw") == "shared":
            own = self.std_errors[:, :, self.output_index(output)]
            spread = np.hypot(spread, np.sqrt((own**2).mean(0)))
        frame = pd.DataFrame({
            "feature": self.names,
            "importance": size.mean(0),
            "std_error": spread,
            "mean": values.mean(0),
        })
        return frame.sort_values("importance", ascending=False, ignore_index=True)

    def to_frame(self) -> "pd.DataFrame":
        """One line per row, output and feature.

        Columns: ``row``, ``output``, ``feature``, ``value`` (as a user writes it),
        ``attribution``, ``std_error`` (of sampling coalitions), ``background_std_error``, ``low``
        and ``high`` (95 %, both errors), ``base_value``, ``prediction``, ``unit``.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        n, d, k = self.values.shape
        half = self.uncertainty()
        errors = np.full_like(self.values, 0.0) if self.std_errors is None else self.std_errors

        drawn = np.nan if self.background_std_errors is None else self.background_std_errors

        def flat(array: np.ndarray) -> np.ndarray:
            return array.transpose(0, 2, 1).reshape(-1)

        shown = np.array(
            [
                [f.show(v) for f, v in zip(self.schema.features, row, strict=True)]
                for row in self.data
            ],
            dtype=object,
        ).reshape(n, d)
        return pd.DataFrame({
            "row": np.repeat(self.ids, d * k),
            "output": np.tile(np.repeat(np.array(self.output_names, dtype=object), d), n),
            "feature": np.tile(np.array(self.names, dtype=object), n * k),
            "value": np.repeat(shown[:, None], k, axis=1).reshape(-1),
            "attribution": flat(self.values),
            "std_error": flat(errors),
            "background_std_error": flat(np.broadcast_to(drawn, self.values.shape)),
            "low": flat(self.values - half),
            "high": flat(self.values + half),
            "base_value": np.repeat(self.base_values.reshape(-1), d),
            "prediction": np.repeat(self.predictions.reshape(-1), d),
            "unit": self.unit,
        })

    def to_shap(self, output: str | int | None = None) -> "shap.Explanation":
        """Return a ``shap.Explanation``, so that shap's own plots work.

        With ``output`` its arrays are ``[n, d]``, as ``waterfall`` and ``beeswarm`` want them;
        without, ``[n, d, k]``. ``error_std`` carries the standard errors.
        """
        import shap  # noqa: PLC0415 - loads numba, which takes seconds

        which: Any = slice(None) if output is None else self.output_index(output)
        shown = np.array(
            [
                [
                    f.show(v) if f.kind == "categorical" else v
                    for f, v in zip(self.schema.features, row, strict=True)
                ]
                for row in self.data
            ],
            dtype=object,
        )
        return shap.Explanation(
            values=self.values[:, :, which].copy(),
            base_values=self.base_values[:, which].copy(),
            data=self.data.copy(),
            display_data=shown,
            feature_names=list(self.names),
            output_names=list(self.output_names) if output is None else None,
            error_std=None if self.std_errors is None else self.std_errors[:, :, which].copy(),
            compute_time=self.provenance.seconds,
        )


def quantile(level: float, dof: float | None) -> float:
    """Return how many standard errors an interval has on each side; normal without ``dof``."""
    tail = 0.5 + level / 2
    return float(stats.norm.ppf(tail) if dof is None else stats.t.ppf(tail, dof))
