"""How a model's output changes with one feature, or with two."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.across_models import AcrossModels
from workbench.core.errors import InvalidInputError
from workbench.core.outputs import OfOutputs
from workbench.core.result import Result
from workbench.core.schema import Feature, Schema, listing

if TYPE_CHECKING:
    import pandas as pd

# A grid point holds few rows where fewer lie near it than this share of an even spread.
FEW = 0.1


class Profile(NamedTuple):
    """What is known of one feature and one output; axis ``g`` are the feature's grid points."""

    feature: Feature
    grid: Float[np.ndarray, " g"]
    counts: Int[np.ndarray, " g"]
    mean: Float[np.ndarray, "m g"]
    std_errors: Float[np.ndarray, "m g"]
    effects: Float[np.ndarray, "m g"]
    effect_errors: Float[np.ndarray, "m g"]
    curves: Float[np.ndarray, "i g"]

    @property
    def labels(self) -> list[str]:
        """Grid points as a user writes them."""
        return [self.feature.show(float(value)) for value in self.grid]

    @property
    def accumulates(self) -> bool:
        """Whether there are accumulated local effects: a feature needs an order for them."""
        return bool(np.isfinite(self.effects).any())


class PairProfile(NamedTuple):
    """What is known of a pair of features and one output."""

    features: tuple[Feature, Feature]
    x: Float[np.ndarray, " a"]
    y: Float[np.ndarray, " b"]
    counts: Int[np.ndarray, "a b"]
    mean: Float[np.ndarray, "m a b"]
    effects: Float[np.ndarray, "m a b"]

    @property
    def accumulates(self) -> bool:
        """Whether there are accumulated local effects: both features need an order for them."""
        return bool(np.isfinite(self.effects).any())


@dataclass(frozen=True, eq=False)
class Profiles(OfOutputs, AcrossModels, Result):
    r"""Partial dependence, individual curves and accumulated local effects of some features.

    Axes: ``f`` features, ``p`` grid points of all of them one after another, ``m`` models (the
    given one first), ``i`` rows with a curve of their own, ``k`` outputs, ``a`` and ``b`` grid
    points of the pair.

    Attributes
    ----------
    features
        Positions in the schema, in the order that was asked for.
    of
        For each grid point, the position in the schema of the feature that it belongs to.
    grid
        Ascending numbers, codes of categories, and last NaN for *missing* where the model knows of
        missing values.
    counts
        Rows for which this is the nearest grid point.
    interval_counts
        Rows between the grid point before and this one, this one included; 0 where none is before.
    mean, std_errors
        Mean output over all rows had they this value, and its standard error from the choice of
        rows.
    effects, effect_errors
        Accumulated local effects, 0 on average over rows, and their standard errors (NaN where no
        interval holds two rows); NaN for categories, which have no order, and for *missing*.
    base
        Mean output over all rows as they are.
    curves
        Outputs of single rows had they this value, of the given model.
    predictions, data, ids
        Of the rows that have curves.
    pair
        Positions in the schema of two features that were looked at together; empty where none.
    pair_counts
        Rows nearest to each point of the pair's grid.
    pair_mean
        Mean output over all rows had they both values.
    pair_effects
        Accumulated local effects of both beyond those of each; NaN with a category.
    excess
        By how much the loss of a model is above that of the given one; None where models were not
        looked for. From what they are made again says ``AcrossModels``.
    """

    kind: ClassVar[str] = "profiles"

    features: Int[np.ndarray, " f"]
    of: Int[np.ndarray, " p"]
    grid: Float[np.ndarray, " p"]
    counts: Int[np.ndarray, " p"]
    interval_counts: Int[np.ndarray, " p"]
    mean: Float[np.ndarray, "m p k"]
    std_errors: Float[np.ndarray, "m p k"]
    effects: Float[np.ndarray, "m p k"]
    effect_errors: Float[np.ndarray, "m p k"]
    base: Float[np.ndarray, "m k"]
    curves: Float[np.ndarray, "i p k"]
    predictions: Float[np.ndarray, "i k"]
    data: Float[np.ndarray, "i d"]
    ids: Int[np.ndarray, " i"]
    pair: Int[np.ndarray, " two"]
    pair_x: Float[np.ndarray, " a"]
    pair_y: Float[np.ndarray, " b"]
    pair_counts: Int[np.ndarray, "a b"]
    pair_mean: Float[np.ndarray, "m a b k"]
    pair_effects: Float[np.ndarray, "m a b k"]
    n_rows: int
    schema: Schema
    output_names: tuple[str, ...]
    unit: str
    excess: Float[np.ndarray, " m"] | None = None

    def __post_init__(self) -> None:
        m, p, k = self.mean.shape
        i, d = len(self.ids), len(self.schema.features)
        a, b = self.pair_counts.shape
        shapes = {
            "of": (p,), "grid": (p,), "counts": (p,), "interval_counts": (p,),
            "std_errors": (m, p, k), "effects": (m, p, k), "effect_errors": (m, p, k),
            "base": (m, k), "curves": (i, p, k), "predictions": (i, k), "data": (i, d),
            "pair_x": (a,), "pair_y": (b,), "pair_mean": (m, a, b, k),
            "pair_effects": (m, a, b, k),
        }  # fmt: skip
        if self.excess is not None:
            shapes["excess"] = (m,)
        self._check_shapes(f"Profiles of shape {(m, p, k)}", shapes | self._model_shapes(m))
        if not m or len(self.output_names) != k or len(self.pair) not in {0, 2}:
            raise InvalidInputError(f"Profiles of shape {(m, p, k)} do not fit their names.")
        named = set(self.of.tolist()) | set(self.pair.tolist())
        known = set(self.features.tolist())
        if not set(self.of.tolist()) <= known or not named | known <= set(range(d)):
            raise InvalidInputError("A grid point in the result belongs to no feature of it.")
        self._check_categories()

    def _check_categories(self) -> None:
        """Refuse codes that are none of a category, so that every value has a name."""
        grids = [(self.of, self.grid)]
        if len(self.pair):
            pairs = zip(self.pair, (self.pair_x, self.pair_y), strict=True)
            grids += [(np.full(len(grid), at), grid) for at, grid in pairs]
        for of, grid in grids:
            for at, value in zip(of.tolist(), grid.tolist(), strict=True):
                levels = self.schema.features[at].categories
                if levels and value == value and value not in range(len(levels)):  # noqa: PLR0124
                    raise InvalidInputError(
                        f"{value:g} is no code of a category of {self.names[at]!r}."
                    )

    def __len__(self) -> int:
        return len(self.features)

    @property
    def n_models(self) -> int:
        """Models that were asked, the given one first."""
        return len(self.mean)

    @property
    def asked(self) -> tuple[str, ...]:
        """Names of the features, in the order that was asked for."""
        return tuple(self.names[at] for at in self.features)

    def beside(self, others: Sequence["Profiles"]) -> "Profiles":
        """Return one result with the models of several, those of this one first.

        Raises
        ------
        InvalidInputError
            If another one is of other features, grids, rows or outputs.
        """
        same = ("features", "of", "grid", "counts", "pair", "pair_x", "pair_y", "ids")
        for other in others:
            fits = (self.schema, self.output_names, self.unit, self.n_rows) == (
                other.schema, other.output_names, other.unit, other.n_rows
            ) and all(
                np.array_equal(getattr(self, name), getattr(other, name), equal_nan=True)
                for name in same
            )  # fmt: skip
            if not fits:
                raise InvalidInputError(
                    f"Profiles of {other.provenance.model} are not of the same features, grids and "
                    f"rows as those of {self.provenance.model}; make both from the same rows and "
                    "settings."
                )
        by_model = (
            "mean", "std_errors", "effects", "effect_errors", "base", "pair_mean", "pair_effects",
        )  # fmt: skip
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(found, name) for found in (self, *others)])
            for name in by_model
        }
        losses = [found.excess for found in (self, *others)]
        known = [excess for excess in losses if excess is not None]
        joined["excess"] = np.concatenate(known) if len(known) == len(losses) else None
        return replace(self, **joined, **self._models_joined(others))

    def feature_index(self, feature: str | int | None = None) -> int:
        """Return the position in the schema; by default of the feature that matters most.

        Raises
        ------
        InvalidInputError
            If the result does not have the feature.
        """
        if feature is None:
            return int(self.ranking()[0])
        at = feature
        if isinstance(feature, str):
            at = self.names.index(feature) if feature in self.names else -1
        if at not in self.features:
            raise InvalidInputError(
                f"There is no profile of feature {feature!r}; choose one of "
                f"{listing(self.asked, 20)}."
            )
        return int(at)

    def profile(self, feature: str | int | None = None, output: str | int | None = None) -> Profile:
        """Return what is known of one feature and one output.

        Raises
        ------
        InvalidInputError
            If there is no such feature or output.
        """
        at, which = self.feature_index(feature), self.output_index(output)
        own = self.of == at
        return Profile(
            self.schema.features[at], self.grid[own], self.counts[own],
            self.mean[:, own, which], self.std_errors[:, own, which],
            self.effects[:, own, which], self.effect_errors[:, own, which],
            self.curves[:, own, which],
        )  # fmt: skip

    def pair_profile(self, output: str | int | None = None) -> PairProfile:
        """Return what is known of the pair and one output.

        Raises
        ------
        InvalidInputError
            If no pair was asked for, or there is no such output.
        """
        if not len(self.pair):
            raise InvalidInputError("No pair of features was looked at; run again with a pair.")
        which = self.output_index(output)
        first, second = (self.schema.features[at] for at in self.pair)
        return PairProfile(
            (first, second), self.pair_x, self.pair_y, self.pair_counts,
            self.pair_mean[..., which], self.pair_effects[..., which],
        )  # fmt: skip

    def spreads(self, output: str | int | None = None, model: int = 0) -> Float[np.ndarray, " f"]:
        r"""How far each feature's mean curve of a model spreads, by default of the given one.

        .. math:: \sqrt{\sum_g c_g (\bar f(g) - \mu)^2 / \sum_g c_g}

        with :math:`c_g` the rows nearest to a grid point and :math:`\mu` their mean of the curve.
        What a feature does in opposite directions for different rows is not in it.

        References
        ----------
        Greenwell, Boehmke and McCarthy (2018), A Simple and Effective Model-Based Variable
        Importance Measure, Sec. 3; theirs weighs all grid points alike.
        """
        which = self.output_index(output)
        found = []
        for at in self.features:
            own = self.of == at
            curve, rows = self.mean[model, own, which], self.counts[own]
            middle = np.average(curve, weights=rows) if rows.any() else 0.0
            found.append(
                float(np.sqrt(np.average((curve - middle) ** 2, weights=rows)))
                if rows.any()
                else 0.0
            )
        return np.array(found)

    def ranking(self, output: str | int | None = None) -> Int[np.ndarray, " f"]:
        """Return the features' positions in the schema, the widest spread first."""
        return self.features[np.argsort(-self.spreads(output), kind="stable")]

    @property
    def well_held(self) -> Bool[np.ndarray, " p"]:
        """The grid points near enough rows: a tenth of those that an even spread would put there.

        Of no rows at all, none is.
        """
        total = np.bincount(self.of, self.counts)[self.of]
        points = np.bincount(self.of)[self.of]
        held: np.ndarray = (self.counts > 0) & (self.counts >= FEW * total / points)
        return held

    def widest(self, output: str | int | None = None) -> Int[np.ndarray, " f"]:
        """Return the features' positions, those first whose mean curves differ most over models.

        What counts is the largest difference between two models at a grid point that rows enough
        are near to.
        """
        which = self.output_index(output)
        gaps = np.ptp(self.mean[..., which], axis=0) * self.well_held
        largest = [float(gaps[self.of == at].max(initial=0.0)) for at in self.features]
        return self.features[np.argsort(-np.array(largest), kind="stable")]

    def to_frame(self) -> "pd.DataFrame":
        """One line per model, feature, grid point and output.

        Columns: ``model`` (0 is the given one), ``feature``, ``value``, ``label``, ``rows``
        (nearest to it), ``output``, ``mean``, ``std_error``, ``effect``, ``effect_error``.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        m, p, k = self.mean.shape
        shown = [
            self.schema.features[at].show(float(value))
            for at, value in zip(self.of, self.grid, strict=True)
        ]

        def spread(values: object) -> np.ndarray:
            return np.tile(np.repeat(np.asarray(values), k), m)

        return pd.DataFrame({
            "model": np.repeat(np.arange(m), p * k),
            "feature": spread(np.array([self.names[at] for at in self.of], dtype=object)),
            "value": spread(self.grid),
            "label": spread(np.array(shown, dtype=object)),
            "rows": spread(self.counts),
            "output": np.tile(np.array(self.output_names, dtype=object), m * p),
            "mean": self.mean.reshape(-1),
            "std_error": self.std_errors.reshape(-1),
            "effect": self.effects.reshape(-1),
            "effect_error": self.effect_errors.reshape(-1),
        })

    def pair_frame(self, output: str | int | None = None) -> "pd.DataFrame":
        """One line per point of the pair's grid, for the given model.

        Columns: the two features' names as ``x`` and ``y`` (labels), ``rows``, ``mean``,
        ``effect``.

        Raises
        ------
        InvalidInputError
            If no pair was asked for, or there is no such output.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        found = self.pair_profile(output)
        first, second = found.features
        a, b = found.counts.shape
        return pd.DataFrame({
            "x": np.repeat(np.array([first.show(float(v)) for v in found.x], dtype=object), b),
            "y": np.tile(np.array([second.show(float(v)) for v in found.y], dtype=object), a),
            "rows": found.counts.reshape(-1),
            "mean": found.mean[0].reshape(-1),
            "effect": found.effects[0].reshape(-1),
        })
