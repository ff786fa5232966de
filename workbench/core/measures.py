"""The usual measures of explanations, for several methods side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from workbench.core.counter_rng import stream
from workbench.core.errors import InvalidInputError
from workbench.core.faithfulness import BOOTSTRAPS, EXPLANATIONS, LEVEL, Type
from workbench.core.outputs import OfOutputs
from workbench.core.result import Result, Rows
from workbench.core.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

Better = Literal["higher", "lower", ""]


class Measure(NamedTuple):
    """A measure: its name, which way is better (empty: neither), and where it comes from."""

    title: str
    better: Better
    about: str
    source: str


MEASURES: Mapping[str, Measure] = {
    "faithfulness-correlation": Measure(
        "Faithfulness correlation",
        "higher",
        "correlation between what features together are said to contribute and what the model "
        "loses when they are removed",
        "Bhatt, Weller and Moura (2020)",
    ),
    "sensitivity-n": Measure(
        "Sensitivity-n",
        "higher",
        "the same correlation among removals of equally many features, its mean over how many "
        "are removed",
        "Ancona et al. (2018)",
    ),
    "infidelity": Measure(
        "Infidelity",
        "lower",
        "mean squared gap between what an explanation predicts of a perturbation and what "
        "happens, as a share of what happens",
        "Yeh et al. (2019)",
    ),
    "completeness-gap": Measure(
        "Completeness gap",
        "lower",
        "distance of the sum of the contributions from the change of the output, as a share of it",
        "Sundararajan, Taly and Yan (2017)",
    ),
    "pgi": Measure(
        "Prediction gap, important features",
        "higher",
        "mean change of the output when the strongest features are moved a little",
        "Agarwal et al. (2022)",
    ),
    "pgu": Measure(
        "Prediction gap, unimportant features",
        "lower",
        "mean change of the output when all but the strongest features are moved a little",
        "Agarwal et al. (2022)",
    ),
    "deletion": Measure(
        "Deletion",
        "lower",
        "mean output while the features that raise it most are removed one after the other, as a "
        "share of the way from the row to the reference",
        "Petsiuk, Das and Saenko (2018)",
    ),
    "insertion": Measure(
        "Insertion",
        "higher",
        "mean output while these features are added to the reference, as a share of the way",
        "Petsiuk, Das and Saenko (2018)",
    ),
    "comprehensiveness": Measure(
        "Comprehensiveness",
        "higher",
        "share of the way from the row to the reference that the output loses when the features "
        "that raise it most are removed, its mean over how many are removed",
        "DeYoung et al. (2020)",
    ),
    "sufficiency": Measure(
        "Sufficiency",
        "lower",
        "share of the way that the output lacks when these features alone are kept",
        "DeYoung et al. (2020)",
    ),
    "max-sensitivity": Measure(
        "Max-sensitivity",
        "lower",
        "largest relative change of the explanation among copies of the row moved a little",
        "Yeh et al. (2019)",
    ),
    "ris": Measure(
        "Relative input stability",
        "lower",
        "relative change of the explanation per relative change of the row, at most",
        "Agarwal et al. (2022)",
    ),
    "ros": Measure(
        "Relative output stability",
        "lower",
        "relative change of the explanation per relative change of the output, at most",
        "Agarwal et al. (2022)",
    ),
    "randomisation": Measure(
        "Parameter randomisation",
        "lower",
        "rank correlation with the explanation of the same network with random weights",
        "Adebayo et al. (2018)",
    ),
    "rank-agreement": Measure(
        "Rank agreement",
        "",
        "rank correlation with the given explanation",
        "Krishna et al. (2022)",
    ),
    "sign-agreement": Measure(
        "Sign agreement",
        "",
        "share of the features, of those that either explanation says something of, that push the "
        "same way as in the given explanation",
        "Krishna et al. (2022)",
    ),
    "sparseness": Measure(
        "Sparseness",
        "",
        "Gini index of the sizes: 0 where all features count alike",
        "Chalasani et al. (2020)",
    ),
    "complexity": Measure(
        "Complexity",
        "",
        "entropy of the shares of the sizes: 0 where one feature alone counts",
        "Bhatt, Weller and Moura (2020)",
    ),
}


class Summary(NamedTuple):
    """A measure over rows: mean with its bootstrap interval, and median; NaN where undefined."""

    mean: Float[np.ndarray, "m q"]
    low: Float[np.ndarray, "m q"]
    high: Float[np.ndarray, "m q"]
    median: Float[np.ndarray, "m q"]
    rows: Int[np.ndarray, "m q"]


@dataclass(frozen=True, eq=False)
class Measures(OfOutputs, Result):
    """Measures of explanations by row, method and output.

    Attributes
    ----------
    scores
        NaN where a measure is not defined for a method or a row.
    methods, types
        Keys of ``EXPLANATIONS``, anchors last, and what a method's values are.
    measures
        Keys of ``MEASURES``.
    settings_words
        For each measure its neighbourhood and baseline, in words.
    """

    kind: ClassVar[str] = "measures"

    scores: Float[np.ndarray, "n m q k"]
    predictions: Float[np.ndarray, "n k"]
    data: Float[np.ndarray, "n d"]
    ids: Int[np.ndarray, " n"]
    methods: tuple[str, ...]
    types: tuple[Type, ...]
    measures: tuple[str, ...]
    settings_words: tuple[str, ...]
    schema: Schema
    output_names: tuple[str, ...]
    unit: str

    def __post_init__(self) -> None:
        n, m, q, k = self.scores.shape
        shapes = {"predictions": (n, k), "data": (n, len(self.schema.features)), "ids": (n,)}
        self._check_shapes(f"Measures of shape {(n, m, q, k)}", shapes)
        named = len(self.methods), len(self.types), len(self.measures), len(self.settings_words)
        if named != (m, m, q, q) or len(self.output_names) != k:
            raise InvalidInputError(f"Measures of shape {(n, m, q, k)} do not fit their names.")
        if not set(self.methods) <= set(EXPLANATIONS) or not set(self.measures) <= set(MEASURES):
            raise InvalidInputError("A method or measure is not known to this version.")

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, rows: Rows) -> "Measures":
        """Select rows; a single number keeps the row axis."""
        return self._of_rows(rows, ("scores", "predictions", "data", "ids"))

    def summary(self, output: str | int | None = None) -> Summary:
        """Return each measure over the rows for which it is defined, with 95 % intervals.

        The interval of a single row is NaN.

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        scores = self.scores[..., self.output_index(output)]
        known = np.isfinite(scores)
        filled, rows = np.where(known, scores, 0.0), known.sum(0)

        def mean(weights: np.ndarray) -> np.ndarray:
            below = np.tensordot(weights, known.astype(float), 1)
            found = np.tensordot(weights, filled, 1) / np.where(below > 0, below, 1.0)
            return np.where(below > 0, found, np.nan)

        n = len(self)
        value = mean(np.ones(n))
        drawn = stream(0, n).multinomial(n, np.full(n, 1 / n), size=BOOTSTRAPS).astype(float)
        again = np.where(np.isnan(again := mean(drawn)), value, again)
        low, high = np.percentile(again, (50 * (1 - LEVEL), 50 * (1 + LEVEL)), axis=0)
        few = rows < 2
        middle = np.full(value.shape, np.nan)
        for place in np.ndindex(*value.shape):
            if rows[place]:
                middle[place] = np.median(scores[known[:, *place], *place])
        return Summary(
            value, np.where(few, np.nan, low), np.where(few, np.nan, high), middle, rows
        )  # fmt: skip

    def to_frame(self) -> "pd.DataFrame":
        """One line per method, measure and output.

        Columns: ``output``, ``method``, ``type``, ``measure``, ``better``, ``mean``, ``low`` and
        ``high`` (95 %, over rows), ``median``, ``rows``, ``settings``.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        lines = []
        for output in self.output_names:
            found = self.summary(output)
            for i, method in enumerate(self.methods):
                for j, measure in enumerate(self.measures):
                    lines.append((
                        output, method, self.types[i], measure, MEASURES[measure].better,
                        *(float(part[i, j]) for part in found[:4]), int(found.rows[i, j]),
                        self.settings_words[j],
                    ))  # fmt: skip
        columns = [
            "output", "method", "type", "measure", "better", "mean", "low", "high", "median",
            "rows", "settings",
        ]  # fmt: skip
        return pd.DataFrame(lines, columns=columns)
