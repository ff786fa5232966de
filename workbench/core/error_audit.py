"""For whom a model of a number errs more, in which direction, and how sure that is."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from jaxtyping import Float, Int

from workbench.core.grouping import OfGroups
from workbench.core.result import Result

if TYPE_CHECKING:
    import pandas as pd

# Name, title, and what it says of a group.
MEASURES: dict[str, tuple[str, str]] = {
    "mean_prediction": ("Mean prediction", "what the model says on average"),
    "mean_truth": ("Mean of the target", "what is true on average, whatever the model says"),
    "mean_error": ("Mean error", "by how much the model says too much (below 0: too little)"),
    "mean_absolute_error": ("Mean absolute error", "how far predictions are off"),
    "root_mean_squared_error": (
        "Root mean squared error", "how far predictions are off, large misses counting more",
    ),
    "quantile_loss": (
        "Quantile loss", "how far predictions are off where too little and too much differ in cost",
    ),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class ErrorAudit(OfGroups, Result):
    r"""Errors of groups under a model of a number, and gaps between groups.

    Groups are cells of partitions, as in ``FairnessAudit``. Axes: ``p`` partitions, ``g`` groups
    of all partitions one after another, ``m`` measures (order of ``MEASURES``). A last axis of 3
    holds value and 95 % interval. NaN means undefined, never 0.

    Attributes
    ----------
    target, unit
        What is predicted, and in which unit.
    quantile
        Of the quantile loss :math:`\max(q (y - \hat y), (q - 1) (y - \hat y))`.
    sizes
        Rows of each group.
    values, overall
        Measures of each group, and of all rows.
    references
        The group of each partition that the others are held against: its largest.
    differences
        Measure of each group less that of its partition's reference group.
    gaps
        Greatest less least within each partition, among the groups that have enough rows (the
        setting ``least_rows``).
    floors
        What the gap would be on average, and its 95 % quantile, if groups were drawn at random.
    chances, adjusted
        Share of such draws with a gap at least as large as the one found, which counts as one;
        and the same after Holm's correction for all measures and partitions.
    weighted
        Whether rows count by their sampling weights.
    """

    kind: ClassVar[str] = "error_audit"

    attributes: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    partitions: tuple[tuple[int, ...], ...]
    partition_of: Int[np.ndarray, " g"]
    group_levels: tuple[tuple[str, ...], ...]
    target: str
    unit: str
    quantile: float
    sizes: Int[np.ndarray, " g"]
    values: Float[np.ndarray, "m g 3"]
    overall: Float[np.ndarray, "m 3"]
    references: Int[np.ndarray, " p"]
    differences: Float[np.ndarray, "m g 3"]
    gaps: Float[np.ndarray, "m p 3"]
    floors: Float[np.ndarray, "m p 2"]
    chances: Float[np.ndarray, "m p"]
    adjusted: Float[np.ndarray, "m p"]
    weighted: bool = False

    def __post_init__(self) -> None:
        g, p, m = len(self.group_levels), len(self.partitions), len(MEASURES)
        self._check_shapes(
            f"An audit of errors of {g} groups",
            {
                "partition_of": (g,), "sizes": (g,), "values": (m, g, 3), "overall": (m, 3),
                "references": (p,), "differences": (m, g, 3), "gaps": (m, p, 3),
                "floors": (m, p, 2), "chances": (m, p), "adjusted": (m, p),
            },
        )  # fmt: skip
        self._check_partitions()

    def to_frame(self) -> "pd.DataFrame":
        """Return one line for each group and measure.

        Columns: partition, group, measure, value, low, high, size, difference, difference_low,
        difference_high (against the reference group).
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        lines = [
            (
                self.partition_names[self.partition_of[g]], group, measure, *self.values[m, g],
                self.sizes[g], *self.differences[m, g],
            )
            for g, group in enumerate(self.group_names)
            for m, measure in enumerate(MEASURES)
        ]  # fmt: skip
        return pd.DataFrame(lines, columns=[
            "partition", "group", "measure", "value", "low", "high", "size", "difference",
            "difference_low", "difference_high",
        ])  # fmt: skip
