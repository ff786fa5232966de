"""How much sets of features do together in a model, or in each of several models."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from workbench.core.across_models import AcrossModels
from workbench.core.errors import InvalidInputError
from workbench.core.interaction_cloud import Cloud, cloud_of
from workbench.core.outputs import find_output
from workbench.core.result import Result
from workbench.core.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

Detector = Literal["mixed-difference", "loss", "contexts", "weights"]
DETECTORS: tuple[Detector, ...] = ("mixed-difference", "loss", "contexts", "weights")
REFERENCE = 0
NONE = -1
LEVEL = 0.95
# Fields with an axis of models.
BY_MODEL = (
    "mixed", "mixed_std_errors", "signed", "signed_std_errors", "variances", "totals", "excess",
    "losses", "losses_std_errors", "loss_effects", "in_contexts", "by_weights",
)  # fmt: skip
# Share of the variance of an output below which an interaction is of no practical importance.
FLOOR = 1e-3
# Strongest sets whose stability over models is told.
TOP = 5


@dataclass(frozen=True, eq=False)
class InteractionScores(AcrossModels, Result):
    r"""What pairs (and triples) of features do together beyond what fewer of them do.

    The *mixed difference* :math:`Y_S \ge 0` is the part of the variance of an output that comes
    from effects of all features of a set together, where features are independent. The *loss* form
    is the rise of the loss when a set is shuffled less the rises of its features alone; it is
    negative for interactions where features are independent, and mixes them with redundancy where
    they are not.

    Axes: ``m`` models, the given one first; ``s`` sets; ``d`` features; ``k`` outputs.

    Attributes
    ----------
    sets
        Positions of the features of each set, ``NONE`` after the second of a pair.
    mixed, mixed_std_errors
        Mixed difference and its standard error from the choice of rows; in the square of ``unit``.
    signed, signed_std_errors
        Mean mixed difference, positive where features strengthen each other and negative where
        they weaken each other; NaN where a feature of the set has more than two categories, which
        have no order.
    variances
        Of each output over the rows.
    totals
        Mixed difference of each feature alone: all effects that it has part in.
    mean_predictions
        Mean over the rows of what the given model says.
    losses, losses_std_errors
        Score in the loss and its standard error; None where it was not asked for.
    loss_effects
        Rise of the loss when a feature alone is shuffled; None like ``losses``.
    in_contexts
        Half the sum of the squared differences in the contexts of a row and of the typical row
        (ArchDetect), mean over the rows, in the square of ``unit``; None where not asked for.
    by_weights
        What the weights of the network bring together (NID), in a unit of their own; None where
        not asked for or the network is no chain of layers.
    excess
        By how much the loss of a model is above that of the given one, in ``loss_unit``. From what
        models are made again, and how sure the excess is, says ``AcrossModels``.
    association
        How closely features go together over the rows, from 0 to 1 (``numerics.association``).
        Exchanges between rows break up what goes together, and scores of such pairs are of rows
        that do not occur.
    n_possible
        Pairs that there are; more than those among ``sets`` where pairs were screened.
    unit, loss_unit
        Of an output, and of a loss; empty for a target without a unit.
    """

    kind: ClassVar[str] = "interaction_scores"

    sets: Int[np.ndarray, "s 3"]
    mixed: Float[np.ndarray, "m s k"]
    mixed_std_errors: Float[np.ndarray, "m s k"]
    signed: Float[np.ndarray, "m s k"]
    signed_std_errors: Float[np.ndarray, "m s k"]
    variances: Float[np.ndarray, "m k"]
    totals: Float[np.ndarray, "m d k"]
    mean_predictions: Float[np.ndarray, " k"]
    excess: Float[np.ndarray, " m"]
    association: Float[np.ndarray, "d d"]
    n_possible: int
    schema: Schema
    output_names: tuple[str, ...]
    unit: str
    loss_unit: str
    losses: Float[np.ndarray, "m s"] | None = None
    losses_std_errors: Float[np.ndarray, "m s"] | None = None
    loss_effects: Float[np.ndarray, "m d"] | None = None
    in_contexts: Float[np.ndarray, "m s k"] | None = None
    by_weights: Float[np.ndarray, "m s k"] | None = None

    def __post_init__(self) -> None:
        (m, s, k), d = self.mixed.shape, len(self.schema.features)
        shapes: dict[str, tuple[int, ...]] = {
            "sets": (s, 3), "mixed_std_errors": (m, s, k), "signed": (m, s, k),
            "signed_std_errors": (m, s, k), "variances": (m, k), "totals": (m, d, k),
            "mean_predictions": (k,), "excess": (m,), "association": (d, d),
        }  # fmt: skip
        in_loss = {"losses": (m, s), "losses_std_errors": (m, s), "loss_effects": (m, d)}
        given = {name for name in in_loss if getattr(self, name) is not None}
        if given and given != set(in_loss):
            raise InvalidInputError(
                "Scores in the loss need losses, losses_std_errors and loss_effects together."
            )
        besides = {
            name: (m, s, k)
            for name in ("in_contexts", "by_weights")
            if getattr(self, name) is not None
        }
        self._check_shapes(
            f"A result of {m} models, {s} sets, {d} features and {k} outputs",
            shapes | besides | (in_loss if given else {}) | self._model_shapes(m),
        )
        if len(self.output_names) != k or not m:
            raise InvalidInputError(
                f"Scores of {m} models and {k} outputs do not fit {len(self.output_names)} names."
            )
        if s and not (self.sets.min() >= NONE and self.sets.max() < d):
            raise InvalidInputError(f"A set names a feature that is not among the {d} there are.")

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names, as the user's columns are called."""
        return self.schema.names

    @cached_property
    def set_names(self) -> tuple[tuple[str, ...], ...]:
        """Names of the features of each set."""
        names = self.names
        return tuple(tuple(names[i] for i in one if i != NONE) for one in self.sets.tolist())

    @property
    def orders(self) -> Int[np.ndarray, " s"]:
        """How many features each set has."""
        sizes: np.ndarray = (self.sets != NONE).sum(1)
        return sizes

    @property
    def detectors(self) -> tuple[Detector, ...]:
        """Ways of scoring that the result has."""
        return tuple(name for name in DETECTORS if self._strengths(name, 0, 0) is not None)

    def _strengths(self, by: Detector, model: int, output: int) -> Float[np.ndarray, " s"] | None:
        """Return what sets are ordered by, if it is known."""
        if by == "loss":
            return None if self.losses is None else np.abs(self.losses[model])
        arrays = {"contexts": self.in_contexts, "weights": self.by_weights}
        array = arrays.get(by, self.mixed)
        return None if array is None else array[model, :, output]

    def beside(self, others: Sequence["InteractionScores"]) -> "InteractionScores":
        """Return one result with the models of several, those of this one first.

        Scores by contexts and by weights are kept where all have them.

        Raises
        ------
        InvalidInputError
            If another one is of other sets, features, outputs or detectors.
        """
        for other in others:
            fits = (
                np.array_equal(self.sets, other.sets)
                and (self.names, self.output_names) == (other.names, other.output_names)
                and (self.losses is None) == (other.losses is None)
            )
            if not fits:
                raise InvalidInputError(
                    f"Scores of {other.provenance.model} are not of the same sets and outputs as "
                    f"those of {self.provenance.model}; make both with the same settings."
                )
        every = (self, *others)
        joined: dict[str, Any] = self._models_joined(others)
        for name in BY_MODEL:
            arrays = [getattr(found, name) for found in every]
            known = all(array is not None for array in arrays)
            joined[name] = np.concatenate(arrays) if known else None
        return replace(self, **joined)

    @property
    def n_models(self) -> int:
        """Models that were scored, the given one first."""
        return len(self.mixed)

    def of_models(self, models: Sequence[int] | Int[np.ndarray, " c"]) -> "InteractionScores":
        """Return the scores of some of the models; the given one stays, and stays first.

        Raises
        ------
        InvalidInputError
            If there is no such model.
        """
        wanted = np.asarray(models, dtype=np.int64)
        if len(wanted) and not (wanted.min() >= 0 and wanted.max() < self.n_models):
            raise InvalidInputError(
                f"There are {self.n_models} models, counted from 0, and {wanted.tolist()} names "
                "another one."
            )
        chosen = np.concatenate([[REFERENCE], wanted[wanted != REFERENCE]])
        arrays = {name: getattr(self, name) for name in BY_MODEL}
        taken = {name: a[chosen] for name, a in arrays.items() if a is not None}
        return replace(self, **taken, **self._models_taken(chosen))

    @property
    def shares(self) -> Float[np.ndarray, "m s k"]:
        """Mixed difference as a share of the variance of its output; 0 of one that is constant."""
        variance = self.variances[:, None]
        constant = variance <= 0
        shares: np.ndarray = np.where(constant, 0.0, self.mixed / np.where(constant, 1, variance))
        return shares

    def output_index(self, output: str | int | None) -> int:
        """Return the position of an output, as ``core.outputs.find_output`` does.

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        return find_output(output, self.schema, self.output_names, self.mean_predictions[None])

    def place(self, *features: str) -> int:
        """Return the position of the set of these features, in any order.

        Raises
        ------
        DataError
            If there is no such feature.
        InvalidInputError
            If the set was not scored.
        """
        wanted = sorted(self.schema.index(name) for name in features)
        for place, one in enumerate(self.sets):
            if sorted(i for i in one if i != NONE) == wanted:
                return place
        raise InvalidInputError(
            f"The set {', '.join(features)} was not scored; choose one of 'set_names'."
        )

    def order_of(
        self, output: str | int | None = None, *, by: Detector = "mixed-difference",
        model: int = REFERENCE, order: int = 2,
    ) -> Int[np.ndarray, " s"]:  # fmt: skip
        """Return the positions of the sets of one size, strongest first in one model.

        By the size of the score in the loss, else by the score of an output.

        Raises
        ------
        InvalidInputError
            If there is no such output, or no score by this detector.
        """
        places = np.flatnonzero(self.orders == order)
        strength = self._strengths(by, model, self.output_index(output))
        if strength is None:
            raise InvalidInputError(
                f"There are no scores by {by!r}; run with detector 'both' for those in the loss, "
                "and with 'compare' for those by contexts and by weights, which only networks "
                "that are a chain of layers have."
            )
        found: np.ndarray = places[np.argsort(-strength[places], kind="stable")]
        return found

    def together(self, output: str | int | None = None) -> float:
        r"""Return what all scored pairs do in the given model, of all that its features do.

        .. math:: \sum_{i < j} Y_{ij} \Big/ \sum_i Y_i,

        0 if and only if none of them interacts. Many weak pairs can come to much.

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        which = self.output_index(output)
        every = float(self.totals[REFERENCE, :, which].sum())
        pairs = float(self.mixed[REFERENCE, self.orders == 2, which].sum())
        return pairs / every if every > 0 else 0.0

    def cloud(
        self, output: str | int | None = None, *, by: Detector = "mixed-difference",
        order: int = 2, top: int = TOP,
    ) -> Cloud:  # fmt: skip
        """Say how the scores of the sets of one size spread over the models.

        Mixed differences as shares of the variance of the output of each model; others as they
        are, those in the loss with their sign.

        Raises
        ------
        InvalidInputError
            If there is no such output, no score by this detector, or ``top`` is not positive.
        """
        if top < 1:
            raise InvalidInputError(f"The strongest sets are at least 1, got {top}.")
        which = self.output_index(output)
        places = self.order_of(which, by=by, order=order)
        arrays = {"loss": self.losses, "contexts": self.in_contexts, "weights": self.by_weights}
        values = arrays.get(by, self.shares)
        assert values is not None  # noqa: S101 - else there is no order
        of_output = values if values.ndim == 2 else values[..., which]
        return cloud_of(places, of_output[:, places], top)

    def cloud_frame(
        self, output: str | int | None = None, *, by: Detector = "mixed-difference",
        order: int = 2, top: int = TOP,
    ) -> "pd.DataFrame":  # fmt: skip
        """One line per set of one size with what ``cloud`` says of it, the strongest first.

        Columns: ``set`` (names joined by "and"), ``feature``, ``other``, ``third`` (empty for a
        pair), ``reference``, ``low``, ``q05``, ``median``, ``q95``, ``high``, ``in_top``,
        ``low_model``, ``high_model`` (0 is the given one).

        Raises
        ------
        InvalidInputError
            As ``cloud`` does.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        found = self.cloud(output, by=by, order=order, top=top)
        names = np.array([*self.names, ""], dtype=object)[self.sets[found.places]]
        q05, median, q95 = found.quantiles
        return pd.DataFrame({
            "set": [" and ".join(self.set_names[place]) for place in found.places],
            "feature": names[:, 0], "other": names[:, 1], "third": names[:, 2],
            "reference": found.reference, "low": found.low, "q05": q05, "median": median,
            "q95": q95, "high": found.high, "in_top": found.in_top,
            "low_model": found.low_model, "high_model": found.high_model,
        })  # fmt: skip

    def top(
        self, k: int = 10, output: str | int | None = None, *, by: Detector = "mixed-difference",
        order: int = 2,
    ) -> "pd.DataFrame":  # fmt: skip
        """Return the ``k`` strongest sets of the given model, one line each.

        Columns: ``set`` (names joined by "and"), those of ``to_frame`` from ``mixed`` on, and
        ``matters``: whether the interval of the mixed difference lies above the practical floor.

        Raises
        ------
        InvalidInputError
            If there is no such output, or no score by this detector.
        """
        chosen = self.order_of(output, by=by, order=order)[:k]
        frame = self._lines(REFERENCE, self.output_index(output), chosen)
        names = [" and ".join(self.set_names[place]) for place in chosen]
        floor = FLOOR * self.variances[REFERENCE, self.output_index(output)]
        frame = frame.drop(columns=["model", "output", "feature", "other", "third"])
        frame.insert(0, "set", names)
        return frame.assign(matters=(frame["mixed_low"] > floor).to_numpy())

    def to_frame(self) -> "pd.DataFrame":
        """One line per model, output and set.

        Columns: ``model`` (0 is the given one), ``output``, ``feature``, ``other``, ``third``
        (empty for a pair), ``mixed``, ``mixed_std_error``, ``mixed_low``, ``mixed_high`` (95 %),
        ``share`` (of the variance), ``signed``, ``signed_std_error``, ``loss``, ``loss_std_error``
        (NaN where it was not asked for), ``contexts``, ``weights`` (likewise), ``excess`` (loss of
        the model above that of the given one), ``unit``, ``loss_unit``.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        every = np.arange(len(self.sets))
        m, _, k = self.mixed.shape
        return pd.concat(
            [self._lines(model, output, every) for model in range(m) for output in range(k)],
            ignore_index=True,
        )

    def _lines(self, model: int, output: int, chosen: np.ndarray) -> "pd.DataFrame":
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        names = np.array([*self.names, ""], dtype=object)  # NONE is the last
        features = names[self.sets[chosen]]
        mixed = self.mixed[model, chosen, output]
        errors = self.mixed_std_errors[model, chosen, output]
        half = float(stats.norm.ppf(0.5 + LEVEL / 2)) * errors
        unknown = np.full(len(chosen), np.nan)
        losses, noise = self.losses, self.losses_std_errors
        others = {by: self._strengths(by, model, output) for by in ("contexts", "weights")}
        return pd.DataFrame({
            "model": model,
            "output": self.output_names[output],
            "feature": features[:, 0],
            "other": features[:, 1],
            "third": features[:, 2],
            "mixed": mixed,
            "mixed_std_error": errors,
            "mixed_low": np.maximum(mixed - half, 0.0),
            "mixed_high": mixed + half,
            "share": self.shares[model, chosen, output],
            "signed": self.signed[model, chosen, output],
            "signed_std_error": self.signed_std_errors[model, chosen, output],
            "loss": unknown if losses is None else losses[model, chosen],
            "loss_std_error": unknown if noise is None else noise[model, chosen],
            **{by: unknown if all_ is None else all_[chosen] for by, all_ in others.items()},
            "excess": self.excess[model],
            "unit": self.unit,
            "loss_unit": self.loss_unit,
        })
