"""How far explanations of the same rows differ over models that are equally good."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import stats

from workbench.core.attribution import LEVEL, Attribution, quantile
from workbench.core.errors import InvalidInputError
from workbench.core.outputs import OfOutputs
from workbench.core.rashomon import EXPLORERS
from workbench.core.result import Result, Rows
from workbench.core.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

TOP = 3


class Span(NamedTuple):
    """Least and greatest attribution over the given model and the equally good ones."""

    low: Float[np.ndarray, "n d"]
    high: Float[np.ndarray, "n d"]


class RankStability(NamedTuple):
    """How much of a row's order of features other models keep.

    Attributes
    ----------
    agreement
        Spearman's rank correlation of the sizes of attributions with those of the given model;
        NaN where all sizes of a model are equal.
    kept
        Share of the given model's ``top`` strongest features that are among a model's.
    """

    agreement: Float[np.ndarray, "m n"]
    kept: Float[np.ndarray, "m n"]
    top: int


@dataclass(frozen=True, eq=False)
class AttributionRange(OfOutputs, Result):
    """Attributions of rows by a given model, and by other models that are as good.

    All models were explained by one method with the same background rows and the same random
    numbers, so differences between them are the models' own. The given model belongs to every
    range. Where no model was admitted ranges are NaN: nothing was seen, which is not the same as
    no disagreement.

    Axes: ``m`` models, ``n`` rows, ``d`` features, ``k`` outputs.

    Attributes
    ----------
    values, std_errors
        Attributions of each model, and their standard errors from sampling coalitions; zeros
        where nothing was sampled.
    background_std_errors
        Standard errors from the choice of background rows, as in ``Attribution``; zeros where
        the background is too small to tell.
    base_values, model_predictions
        What each model says with no feature known, and of each row.
    given_*
        The same of the given model, whose predictions are ``predictions``.
    dof, background_dof
        Degrees of freedom behind the standard errors; None where the normal distribution holds.
    excess, noise
        By how much a model's loss on admission rows is above the given model's, and its paired
        standard error.
    numbers, strengths, stretches
        From what each model is made again, see ``rashomon.set``.
    explorer
        Key of ``EXPLORERS``: who looked for equally good models.
    inner
        Method that made the attributions.
    tolerance
        How much more loss was admitted.
    """

    kind: ClassVar[str] = "attribution_range"

    values: Float[np.ndarray, "m n d k"]
    std_errors: Float[np.ndarray, "m n d k"]
    background_std_errors: Float[np.ndarray, "m d k"]
    base_values: Float[np.ndarray, "m k"]
    model_predictions: Float[np.ndarray, "m n k"]
    given_values: Float[np.ndarray, "n d k"]
    given_std_errors: Float[np.ndarray, "n d k"]
    given_background_std_errors: Float[np.ndarray, "d k"]
    given_base_values: Float[np.ndarray, " k"]
    predictions: Float[np.ndarray, "n k"]
    excess: Float[np.ndarray, " m"]
    noise: Float[np.ndarray, " m"]
    numbers: Int[np.ndarray, " m"]
    strengths: Float[np.ndarray, " m"]
    stretches: Float[np.ndarray, " m"]
    data: Float[np.ndarray, "n d"]
    ids: Int[np.ndarray, " n"]
    truth: Float[np.ndarray, " n"]
    schema: Schema
    output_names: tuple[str, ...]
    unit: str
    explorer: str
    inner: str
    inner_title: str
    tolerance: float
    loss_name: str
    base_loss: float
    n_admission: int
    dof: float | None = None
    background_dof: float | None = None

    def __post_init__(self) -> None:
        m, n, d, k = self.values.shape
        shapes = {
            "std_errors": (m, n, d, k), "background_std_errors": (m, d, k), "base_values": (m, k),
            "model_predictions": (m, n, k), "given_values": (n, d, k),
            "given_std_errors": (n, d, k), "given_background_std_errors": (d, k),
            "given_base_values": (k,), "predictions": (n, k), "excess": (m,), "noise": (m,),
            "numbers": (m,), "strengths": (m,), "stretches": (m,), "data": (n, d), "ids": (n,),
            "truth": (n,),
        }  # fmt: skip
        self._check_shapes(f"A range with values of shape {(m, n, d, k)}", shapes)
        if len(self.schema.features) != d or len(self.output_names) != k:
            raise InvalidInputError(f"A range of shape {(m, n, d, k)} does not fit its names.")
        if self.explorer not in EXPLORERS:
            raise InvalidInputError("The explorer of the result is not known to this version.")

    def __len__(self) -> int:
        return len(self.given_values)

    def __getitem__(self, rows: Rows) -> "AttributionRange":
        """Select rows; a single number keeps the row axis."""
        chosen = [int(rows)] if isinstance(rows, int | np.integer) else rows
        first = ("given_values", "given_std_errors", "predictions", "data", "ids", "truth")
        second = ("values", "std_errors", "model_predictions")
        return replace(
            self,
            **{name: getattr(self, name)[chosen] for name in first},
            **{name: getattr(self, name)[:, chosen] for name in second},
        )

    @property
    def n_models(self) -> int:
        """How many equally good models were asked, the given one not counted."""
        return len(self.values)

    @property
    def given(self) -> Attribution:
        """The attribution of the given model."""
        return self._attribution(
            self.given_values, self.given_std_errors, self.given_background_std_errors,
            self.given_base_values, self.predictions,
        )  # fmt: skip

    def model(self, place: int) -> Attribution:
        """Return the attribution of one of the equally good models.

        Raises
        ------
        InvalidInputError
            If there is no such model.
        """
        if not 0 <= place < self.n_models:
            raise InvalidInputError(
                f"There is no model {place} in this range; it has {self.n_models}, counted from 0."
            )
        return self._attribution(
            self.values[place], self.std_errors[place], self.background_std_errors[place],
            self.base_values[place], self.model_predictions[place],
        )  # fmt: skip

    def _attribution(
        self, values: np.ndarray, errors: np.ndarray, drawn: np.ndarray, base: np.ndarray,
        predictions: np.ndarray,
    ) -> Attribution:  # fmt: skip
        return Attribution(
            provenance=self.provenance, values=values,
            base_values=np.broadcast_to(base, predictions.shape), predictions=predictions,
            data=self.data, ids=self.ids, truth=self.truth,
            base_std_errors=np.zeros(len(self.output_names)), schema=self.schema,
            output_names=self.output_names, unit=self.unit,
            std_errors=errors if errors.any() else None,
            background_std_errors=drawn if drawn.any() else None,
            background_dof=self.background_dof, dof=self.dof,
        )  # fmt: skip

    def span(self, output: str | int | None = None) -> Span:
        """Return the least and greatest attributions over all models; NaN without other models.

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        which = self.output_index(output)
        if not self.n_models:
            nothing = np.full(self.given_values.shape[:2], np.nan)
            return Span(nothing, nothing)
        every = self._with_given(which)
        return Span(every.min(0), every.max(0))

    def signs(self, output: str | int | None = None) -> Int[np.ndarray, "m1 n d"]:
        """Return the sign of each attribution, the given model's first.

        0 where the 95 % interval of the value, for coalitions and background rows together,
        includes 0.

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        which = self.output_index(output)
        every = self._with_given(which)
        own, drawn = self.given_std_errors[None], self.given_background_std_errors[None]
        sampled = quantile(LEVEL, self.dof) * np.concatenate([own, self.std_errors])
        chosen = np.concatenate([drawn, self.background_std_errors])[:, None]  # (m1, 1, d, k)
        chosen = quantile(LEVEL, self.background_dof) * chosen
        half = np.hypot(sampled[..., which], chosen[..., which])
        return np.where(np.abs(every) > half, np.sign(every), 0).astype(np.int64)

    def sign_agreement(self, output: str | int | None = None) -> Float[np.ndarray, "n d"]:
        """Share of the models that have a sign (see ``signs``) whose sign is the given model's.

        NaN where the given model or all others have none.

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        given, *others = self.signs(output)
        rest = np.array(others).reshape(-1, *given.shape)
        signed, same = (rest != 0).sum(0), ((rest == given) & (given != 0)).sum(0)
        return np.where((signed > 0) & (given != 0), same / np.maximum(signed, 1), np.nan)

    def opposed(self, output: str | int | None = None) -> Int[np.ndarray, "n d"]:
        """How many of the models have the sign that the given model has not (see ``signs``).

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        given, *others = self.signs(output)
        rest = np.array(others, dtype=np.int64).reshape(-1, *given.shape)
        count: np.ndarray = ((rest == -given) & (given != 0)).sum(0)
        return count

    def flips(
        self, output: str | int | None = None, *, least: float = 0.0
    ) -> Bool[np.ndarray, "n d"]:
        """Tell which features speak for the output in one model and against it in another.

        Both signs have to be beyond their own sampling error (see ``signs``).

        Parameters
        ----------
        least
            Both have to be at least this share of the given model's largest attribution of the
            row.

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        signs, every = self.signs(output), self._with_given(self.output_index(output))
        counts = np.abs(every) >= least * np.abs(every[0]).max(1, initial=0.0)[:, None]
        up, down = ((signs == way) & counts for way in (1, -1))
        found: np.ndarray = up.any(0) & down.any(0)
        return found

    def unanimous(self, output: str | int | None = None) -> Bool[np.ndarray, "n d"]:
        """Tell for which features every model has a sign, and the same one (see ``signs``).

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        signs = self.signs(output)
        agreed: np.ndarray = (signs == signs[0]).all(0) & (signs[0] != 0)
        return agreed

    def rank_stability(self, output: str | int | None = None, top: int = TOP) -> RankStability:
        """Say how much of the order of a row's features each model keeps.

        Raises
        ------
        InvalidInputError
            If there is no such output, or ``top`` is not a number of features.
        """
        d = self.given_values.shape[1]
        if not 1 <= top <= d:
            raise InvalidInputError(f"The strongest features are 1 to {d}, got {top}.")
        size = np.abs(self._with_given(self.output_index(output)))
        ranks = stats.rankdata(size, axis=2) - (d + 1) / 2  # (m1, n, d)
        length = np.sqrt((ranks**2).sum(2))
        product = (ranks[1:] * ranks[0]).sum(2)
        with np.errstate(invalid="ignore"):  # equal sizes have no order
            agreement = product / (length[1:] * length[0])
        strongest = np.argsort(-size, axis=2, kind="stable")[..., :top]
        among = np.zeros(size.shape, dtype=bool)
        np.put_along_axis(among, strongest, values=True, axis=2)
        return RankStability(agreement, (among[1:] & among[0]).sum(2) / top, top)

    def importance(self, output: str | int | None = None) -> "pd.DataFrame":
        """Mean absolute attribution over the rows, and how it differs over the models.

        Columns: ``feature``, ``importance`` (of the given model), ``low``, ``q25``, ``median``,
        ``q75``, ``high`` (over all models), ``best_rank``, ``worst_rank`` (1 the most important).
        Sorted by the importance of the given model.

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        size = np.abs(self._with_given(self.output_index(output))).mean(1)  # (m1, d)
        shares = np.quantile(size, (0, 0.25, 0.5, 0.75, 1), axis=0)
        ranks = stats.rankdata(-size, axis=1, method="min").astype(int)
        if not self.n_models:
            shares = np.full_like(shares, np.nan)
        names = ("low", "q25", "median", "q75", "high")
        frame = pd.DataFrame({
            "feature": self.names,
            "importance": size[0],
            **dict(zip(names, shares, strict=True)),
            "best_rank": ranks.min(0),
            "worst_rank": ranks.max(0),
        })
        return frame.sort_values(
            "importance", ascending=False, ignore_index=True, kind="stable"
        )  # fmt: skip

    def to_frame(self) -> "pd.DataFrame":
        """One line per row, output and feature.

        Columns: ``row``, ``output``, ``feature``, ``value`` (as a user writes it),
        ``attribution`` (of the given model), ``sampling_low`` and ``sampling_high`` (its 95 %
        interval), ``low`` and ``high`` (over equally good models), ``agreement`` (share of models
        with its sign), ``flips``, ``models``, ``unit``.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        shown = [
            [f.show(v) for f, v in zip(self.schema.features, row, strict=True)]
            for row in self.data
        ]  # fmt: skip
        half, parts = self.given.uncertainty(), []
        for which, name in enumerate(self.output_names):
            low, high = self.span(which)
            value, wide = self.given_values[..., which], half[..., which]
            parts.append(
                pd.DataFrame({
                    "row": np.repeat(self.ids, len(self.names)),
                    "output": name,
                    "feature": np.tile(np.array(self.names, dtype=object), len(self)),
                    "value": np.array(shown, dtype=object).reshape(-1),
                    "attribution": value.reshape(-1),
                    "sampling_low": (value - wide).reshape(-1),
                    "sampling_high": (value + wide).reshape(-1),
                    "low": low.reshape(-1),
                    "high": high.reshape(-1),
                    "agreement": self.sign_agreement(which).reshape(-1),
                    "flips": self.flips(which).reshape(-1),
                    "models": self.n_models,
                    "unit": self.unit,
                })
            )
        frame = pd.concat(parts, ignore_index=True)
        order = np.arange(len(frame)).reshape(len(parts), len(self), -1).transpose(1, 0, 2)
        return frame.iloc[order.reshape(-1)].reset_index(drop=True)

    def _with_given(self, which: int) -> Float[np.ndarray, "m1 n d"]:
        """Attributions of one output by every model, the given one first."""
        return np.concatenate([self.given_values[None, ..., which], self.values[..., which]])
