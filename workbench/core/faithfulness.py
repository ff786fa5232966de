"""How far explanations of the same rows can be believed, each held against each neighbourhood."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.counter_rng import stream
from workbench.core.errors import InvalidInputError
from workbench.core.outputs import OfOutputs
from workbench.core.result import Result, Rows
from workbench.core.schema import Schema, listing

if TYPE_CHECKING:
    import pandas as pd

# A slope says what a standard deviation more of a number does; a contribution what it did that the
# row is not the reference row; an anchor knows nothing of the model.
Type = Literal["slope", "contribution", "anchor"]
RANDOM, SIZE = "random", "size"
# An explanation that was made elsewhere, or by another method of the workbench.
GIVEN = "given"
EXPLANATIONS: Mapping[str, str] = {
    "lime": "LIME",
    "kernelshap": "KernelSHAP",
    "occlusion": "Occlusion",
    "integrated-gradients": "Integrated gradients",
    "gradient-x-input": "Gradient \N{MULTIPLICATION SIGN} input",
    "smoothgrad": "SmoothGrad",
    "vanilla-gradients": "Vanilla gradients",
    "c-lime": "C-LIME",
    "resampled": "Resampled LIME",
    GIVEN: "Given explanation",
    RANDOM: "Random numbers",
    SIZE: "Distance from the reference",
}
NEIGHBOURHOODS: Mapping[str, str] = {
    "near": "moved a little",
    "wide": "moved further",
    "mask-exponential": "a few removed",
    "mask-shapley": "many or few removed",
    "one-at-a-time": "one removed",
    "path": "on the way from the reference",
    "resample": "values of other rows",
}
# Nothing that is linear is believed where it misses more than this share of the variance.
ADEQUATE = 0.5
BOOTSTRAPS = 500
LEVEL = 0.95


class Entries(NamedTuple):
    """What explanations miss in each neighbourhood, over rows, with bootstrap intervals.

    NaN where a comparison would be meaningless.
    """

    value: Float[np.ndarray, "m z"]
    low: Float[np.ndarray, "m z"]
    high: Float[np.ndarray, "m z"]


@dataclass(frozen=True, eq=False)
class Faithfulness(OfOutputs, Result):
    r"""Explanations of rows by several methods, and what each misses in each neighbourhood.

    For a neighbourhood that samples :math:`\xi` with weight :math:`w`, an explanation predicts
    :math:`g(\xi)`, and misses

    .. math:: \frac{\sum_i \min_b E_w (f(x_\xi) - g(\xi) - b)^2}{\sum_i \mathrm{Var}_w f(x_\xi)}

    over rows :math:`i`: 0 where it is faithful, 1 where it says no more than a constant. On the
    way from the reference, where slopes are compared and a constant has none, it is
    :math:`E |G - w|^2 / E |G|^2` with the contributions :math:`G` per unit of the way. Samples
    are others than those that an explanation was made from.

    Attributes
    ----------
    values
        What each method says of each feature: of slopes in output per standard deviation, of
        contributions in output. NaN where it says nothing, as a slope of a category.
    std_errors
        Standard error of ``values`` from sampling; 0 where nothing was sampled.
    missed, total
        Numerator and denominator for each row; ``missed`` is NaN where a comparison would be
        meaningless, ``total`` where the neighbourhood does not exist for the row.
    reference
        Raw features of the row that stands in for features that were removed.
    scales
        Standard deviation of each number among the background rows; 0 for categories.
    scale, wide_scale, width, share
        Size of the neighbourhoods: standard deviations that numbers are moved by (near, wide);
        the width of the exponential kernel, in features; the share of features resampled.
    methods, types
        Keys of ``EXPLANATIONS``, anchors last, and what a method's values are.
    neighbourhoods
        Keys of ``NEIGHBOURHOODS``.
    calls
        For each method, rows through the network for one row if it alone were asked for.
    shared_calls, heldout_calls
        For all methods of a row together, and for the samples that they are held against.
    listed
        All coalitions were evaluated: what is missed of removals is exact, with nothing held out.
    """

    kind: ClassVar[str] = "faithfulness"

    values: Float[np.ndarray, "n m d k"]
    std_errors: Float[np.ndarray, "n m d k"]
    missed: Float[np.ndarray, "n m z k"]
    total: Float[np.ndarray, "n z k"]
    predictions: Float[np.ndarray, "n k"]
    data: Float[np.ndarray, "n d"]
    ids: Int[np.ndarray, " n"]
    truth: Float[np.ndarray, " n"]
    reference: Float[np.ndarray, " d"]
    scales: Float[np.ndarray, " d"]
    scale: float
    wide_scale: float
    width: float
    share: float
    methods: tuple[str, ...]
    types: tuple[Type, ...]
    neighbourhoods: tuple[str, ...]
    calls: tuple[int, ...]
    shared_calls: int
    heldout_calls: int
    schema: Schema
    output_names: tuple[str, ...]
    unit: str
    listed: bool = False

    def __post_init__(self) -> None:
        n, m, d, k = self.values.shape
        z = len(self.neighbourhoods)
        shapes = {
            "std_errors": (n, m, d, k), "missed": (n, m, z, k), "total": (n, z, k),
            "predictions": (n, k), "data": (n, d), "ids": (n,), "truth": (n,), "reference": (d,),
            "scales": (d,),
        }  # fmt: skip
        self._check_shapes(f"Explanations of shape {(n, m, d, k)}", shapes)
        named = len(self.methods), len(self.types), len(self.calls), len(self.schema.features)
        if named != (m, m, m, d) or len(self.output_names) != k:
            raise InvalidInputError(f"Explanations of shape {(n, m, d, k)} do not fit their names.")
        if not set(self.methods) <= set(EXPLANATIONS):
            raise InvalidInputError("A method in the result is not known to this version.")
        if not set(self.neighbourhoods) <= set(NEIGHBOURHOODS):
            raise InvalidInputError("A neighbourhood in the result is not known to this version.")

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Rows) -> "Faithfulness":
        """Select rows; a single number keeps the row axis."""
        by_row = ("values", "std_errors", "missed", "total", "predictions", "data", "ids", "truth")
        return self._of_rows(rows, by_row)

    def method_index(self, method: str) -> int:
        """Return the position of a method by its key.

        Raises
        ------
        InvalidInputError
            If the result does not have it.
        """
        if method not in self.methods:
            raise InvalidInputError(
                f"There is no explanation {method!r} here; choose one of "
                f"{listing(self.methods, 20)}."
            )
        return self.methods.index(method)

    def neighbourhood_index(self, neighbourhood: str) -> int:
        """Return the position of a neighbourhood by its key.

        Raises
        ------
        InvalidInputError
            If the result does not have it.
        """
        if neighbourhood not in self.neighbourhoods:
            raise InvalidInputError(
                f"There is no neighbourhood {neighbourhood!r} here; choose one of "
                f"{listing(self.neighbourhoods, 20)}."
            )
        return self.neighbourhoods.index(neighbourhood)

    def ratios(self, output: str | int | None = None) -> Float[np.ndarray, "n m z"]:
        """Return what is missed for each row alone; NaN where there is nothing to explain."""
        which = self.output_index(output)
        missed, total = self.missed[..., which], self.total[:, None, :, which]
        return missed / np.where(total > 0, total, np.nan)

    def entries(self, output: str | int | None = None) -> Entries:
        """Return what is missed over all rows, with 95 % intervals from resampling rows.

        The interval of a single row is NaN.

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        which = self.output_index(output)
        missed, total = self.missed[..., which], np.nan_to_num(self.total[..., which])
        known = np.isfinite(missed).all(0)  # (m, z)
        missed = np.where(known, missed, 0.0)

        def shares(weights: np.ndarray) -> np.ndarray:
            below = np.tensordot(weights, total, 1)[..., None, :]
            above = np.tensordot(weights, missed, 1)
            return np.where(known & (below > 0), above / np.where(below > 0, below, 1.0), np.nan)

        n = len(self)
        value = shares(np.ones(n))
        if n < 2:
            return Entries(value, np.full_like(value, np.nan), np.full_like(value, np.nan))
        drawn = stream(0, n).multinomial(n, np.full(n, 1 / n), size=BOOTSTRAPS).astype(float)
        tails = 50 * (1 - LEVEL), 50 * (1 + LEVEL)
        again = shares(drawn)
        blank = np.isnan(value)
        low, high = np.percentile(np.where(blank, 0.0, np.nan_to_num(again)), tails, axis=0)
        return Entries(value, np.where(blank, np.nan, low), np.where(blank, np.nan, high))

    def best(self, output: str | int | None = None) -> tuple[int | None, ...]:
        """Return for each neighbourhood the method that misses least, by position.

        Anchors do not count; None where no method can be compared.

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        value = self.entries(output).value
        value = np.where(np.array(self.types)[:, None] == "anchor", np.nan, value)
        return tuple(
            None if np.isnan(column).all() else int(np.nanargmin(column)) for column in value.T
        )

    def no_better_than_random(self, output: str | int | None = None) -> Bool[np.ndarray, "m z"]:
        """Tell which methods miss at least as much as random numbers; anchors never do.

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        value = self.entries(output).value
        if RANDOM not in self.methods:
            return np.zeros(value.shape, dtype=bool)
        is_method = np.array(self.types)[:, None] != "anchor"
        return is_method & (value >= value[self.methods.index(RANDOM)])

    def worst(
        self, method: str, neighbourhood: str, output: str | int | None = None, count: int = 10
    ) -> Int[np.ndarray, " c"]:
        """Return the rows, by position, that add most to what a method misses.

        Raises
        ------
        InvalidInputError
            If there is no such method, neighbourhood or output.
        """
        place = self.method_index(method), self.neighbourhood_index(neighbourhood)
        missed = self.missed[:, place[0], place[1], self.output_index(output)]
        order = np.argsort(-np.nan_to_num(missed, nan=-1.0), kind="stable")[:count]
        return order[np.isfinite(missed[order])]

    def contributions(self, method: str, output: str | int | None = None) -> "Shared":
        """Return the values of one method with their standard errors, ``[n, d]`` each.

        Raises
        ------
        InvalidInputError
            If there is no such method or output.
        """
        place, which = self.method_index(method), self.output_index(output)
        return Shared(self.values[:, place, :, which], self.std_errors[:, place, :, which])

    def to_frame(self) -> "pd.DataFrame":
        """One line per method, neighbourhood and output.

        Columns: ``output``, ``method``, ``type``, ``neighbourhood``, ``missed`` (share of the
        variance), ``low`` and ``high`` (95 %, over rows), ``rows``, ``calls`` (for one row).
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        lines = []
        for output in self.output_names:
            entries = self.entries(output)
            for i, method in enumerate(self.methods):
                for j, neighbourhood in enumerate(self.neighbourhoods):
                    lines.append((
                        output, method, self.types[i], neighbourhood, entries.value[i, j],
                        entries.low[i, j], entries.high[i, j], len(self), self.calls[i],
                    ))  # fmt: skip
        columns = [
            "output", "method", "type", "neighbourhood", "missed", "low", "high", "rows", "calls",
        ]  # fmt: skip
        return pd.DataFrame(lines, columns=columns)


class Shared(NamedTuple):
    """Values of one method and their standard errors."""

    values: Float[np.ndarray, "n d"]
    std_errors: Float[np.ndarray, "n d"]
