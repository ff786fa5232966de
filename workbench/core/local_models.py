"""A linear model of a model around each row: what it says, how sure it is, how well it fits."""

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

# Below, a local model is a poor picture; above, its kernel hardly weighs.
POOR_FIT, INACTIVE_KERNEL = 0.1, 0.95
Sampling = Literal["discretised", "mean-centred", "around"]
# What numbers of a row are shown with: as themselves, or as the bin that they are in.
IN_BINS: Sampling = "discretised"


@dataclass(frozen=True, eq=False)
class LocalModels(OfOutputs, Result):
    """A sparse linear model for each row and output, fitted to a model's answers near the row.

    Attributes
    ----------
    coefficients
        Zero where a feature was not selected; what one stands for is in ``meanings``.
    std_errors
        Standard error of a coefficient from the choice of samples, given the selected features.
    selected
        Which features the local model has.
    intercepts
        The local model where every interpretable value is 0.
    local_predictions
        What the local model says of the row.
    predictions
        What the model says of the row.
    r2
        Share of the model's weighted variance over the samples that the local model explains.
    effective_share
        Samples of equal weight that tell as much, as a share of all samples.
    stability
        Mean overlap (Jaccard index) of the ``top`` strongest features in two halves of the samples.
    samples
        Samples behind each row's model, besides the row itself.
    separated
        Whether the ``top`` strongest features of a fit with all features are ahead of the next one
        by two standard errors.
    sampling
        How samples were drawn: ``discretised``, ``mean-centred`` or ``around``.
    meanings
        For each feature what its coefficient stands for, in words.
    edges
        For each feature the bounds between its bins, where numbers were discretised.
    scales
        Standard deviation of each number among the background rows; 0 for other features.
    """

    kind: ClassVar[str] = "local_models"

    coefficients: Float[np.ndarray, "n d k"]
    std_errors: Float[np.ndarray, "n d k"]
    selected: Bool[np.ndarray, "n d k"]
    intercepts: Float[np.ndarray, "n k"]
    local_predictions: Float[np.ndarray, "n k"]
    predictions: Float[np.ndarray, "n k"]
    r2: Float[np.ndarray, "n k"]
    effective_share: Float[np.ndarray, " n"]
    stability: Float[np.ndarray, "n k"]
    samples: Int[np.ndarray, " n"]
    separated: Bool[np.ndarray, "n k"]
    data: Float[np.ndarray, "n d"]
    ids: Int[np.ndarray, " n"]
    truth: Float[np.ndarray, " n"]
    scales: Float[np.ndarray, " d"]
    schema: Schema
    output_names: tuple[str, ...]
    unit: str
    sampling: Sampling
    top: int
    meanings: tuple[str, ...]
    edges: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        n, d, k = self.coefficients.shape
        shapes = {
            "std_errors": (n, d, k), "selected": (n, d, k), "intercepts": (n, k),
            "local_predictions": (n, k), "predictions": (n, k), "r2": (n, k),
            "effective_share": (n,), "stability": (n, k), "samples": (n,), "separated": (n, k),
            "data": (n, d), "ids": (n,), "truth": (n,), "scales": (d,),
        }  # fmt: skip
        self._check_shapes(f"A result with coefficients of shape {(n, d, k)}", shapes)
        named = len(self.schema.features), len(self.meanings), len(self.edges)
        if named != (d, d, d) or len(self.output_names) != k:
            raise InvalidInputError(f"Local models of shape {(n, d, k)} do not fit their names.")

    def __len__(self) -> int:
        return len(self.coefficients)

    def __getitem__(self, rows: Rows) -> "LocalModels":
        """Select rows; a single number keeps the row axis."""
        by_row = (
            "coefficients", "std_errors", "selected", "intercepts", "local_predictions",
            "predictions", "r2", "effective_share", "stability", "samples", "separated", "data",
            "ids", "truth",
        )  # fmt: skip
        return self._of_rows(rows, by_row)

    def half_widths(self, level: float = LEVEL) -> Float[np.ndarray, "n d k"]:
        """Half the width of the interval for the choice of samples."""
        half: np.ndarray = float(stats.norm.ppf(0.5 + level / 2)) * self.std_errors
        return half

    def condition(self, row: int | np.integer, feature: int | np.integer) -> str:
        """Write what a coefficient is about: ``28 < age ≤ 37``, ``sex = Male``, ``age = 39``."""
        what, value = self.schema.features[feature], float(self.data[row, feature])
        bounds = self.edges[feature]
        if not bounds or np.isnan(value):
            return f"{what.name} = {what.show(value)}"
        place = int(np.searchsorted(bounds, value))
        below = f"{what.show(bounds[place - 1])} < " if place else ""
        above = f" ≤ {what.show(bounds[place])}" if place < len(bounds) else ""
        return (
            f"{below}{what.name}{above}" if above else f"{what.name} > {what.show(bounds[-1])}"
        )  # fmt: skip

    def pick(self, count: int = 5, output: str | int | None = None) -> Int[np.ndarray, " c"]:
        r"""Pick rows whose local models together use what matters over all rows.

        A feature weighs :math:`I_j = \sqrt{\sum_i |w_{ij}|}`; rows are added one by one, each
        time the one whose features that no picked row has yet weigh most. Fewer than ``count``
        rows come back where further ones add nothing.

        Raises
        ------
        InvalidInputError
            If there is no such output or ``count`` is below 1.

        References
        ----------
        Ribeiro, Singh and Guestrin (2016), Why Should I Trust You?, Algorithm 2.
        """
        if count < 1:
            raise InvalidInputError(f"A pick needs at least 1 row, got {count}.")
        size = np.abs(self.coefficients[:, :, self.output_index(output)])
        weight = np.sqrt(size.sum(0))
        uncovered = np.ones(len(weight), dtype=bool)
        picked: list[int] = []
        for _ in range(min(count, len(self))):
            gains = ((size > 0) & uncovered) @ weight
            best = int(gains.argmax())
            if gains[best] <= 0:
                break
            picked.append(best)
            uncovered &= size[best] == 0
        return np.array(picked, dtype=np.int64)

    def to_frame(self) -> "pd.DataFrame":
        """One line per row, output and feature.

        Columns: ``row``, ``output``, ``feature``, ``value`` (as a user writes it), ``condition``
        (the bin where numbers were discretised), ``meaning`` (of the coefficient),
        ``coefficient``, ``std_error``, ``low`` and ``high`` (95 %), ``selected``, ``intercept``,
        ``local_prediction``, ``prediction``, ``r2``, ``effective_share``, ``stability``,
        ``samples``, ``unit``.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        n, d, k = self.coefficients.shape
        half = self.half_widths()

        def flat(array: np.ndarray) -> np.ndarray:
            return array.transpose(0, 2, 1).reshape(-1)

        def by_cell(cells: list[list[str]]) -> np.ndarray:
            table = np.array(cells, dtype=object).reshape(n, d)
            return np.repeat(table[:, None], k, axis=1).reshape(-1)

        def by_output(array: np.ndarray) -> np.ndarray:
            return np.repeat(array.reshape(-1), d)

        features = self.schema.features
        shown = [[f.show(v) for f, v in zip(features, row, strict=True)] for row in self.data]
        conditions = [[self.condition(row, j) for j in range(d)] for row in range(n)]
        return pd.DataFrame({
            "row": np.repeat(self.ids, d * k),
            "output": np.tile(np.repeat(np.array(self.output_names, dtype=object), d), n),
            "feature": np.tile(np.array(self.names, dtype=object), n * k),
            "value": by_cell(shown),
            "condition": by_cell(conditions),
            "meaning": np.tile(np.array(self.meanings, dtype=object), n * k),
            "coefficient": flat(self.coefficients),
            "std_error": flat(self.std_errors),
            "low": flat(self.coefficients - half),
            "high": flat(self.coefficients + half),
            "selected": flat(self.selected),
            "intercept": by_output(self.intercepts),
            "local_prediction": by_output(self.local_predictions),
            "prediction": by_output(self.predictions),
            "r2": by_output(self.r2),
            "effective_share": np.repeat(self.effective_share, d * k),
            "stability": by_output(self.stability),
            "samples": np.repeat(self.samples, d * k),
            "unit": self.unit,
        })
