"""How much equally good models disagree, and about which rows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.outputs import OfOutputs
from workbench.core.result import Result, Rows
from workbench.core.schema import Schema, listing

if TYPE_CHECKING:
    import pandas as pd

# Who goes and looks for equally good models, and where: a range is always that of its explorer.
EXPLORERS: Mapping[str, str] = {
    "gaussian-units": "Gaussian unit dropout",
    "bernoulli-units": "Bernoulli unit dropout",
    "gaussian-weights": "Gaussian weight dropout",
    "bernoulli-weights": "Bernoulli weight dropout",
    "gaussian-rank-one": "Gaussian rank-one dropout",
    "bernoulli-rank-one": "Bernoulli rank-one dropout",
    "scaling": "Scaled inputs",
    "directional": "Directions aimed at rows",
    "last-layer": "Last-layer directions",
    "quadratic": "Quadratic closed form",
    "lagrangian": "Exact range (Lagrangian path)",
    "adversarial": "Adversarial weights",
    "retraining": "Trained again",
    "published-bernoulli": "Published Bernoulli dropout (mask per row)",
    "published-gaussian": "Published Gaussian dropout (mask per row)",
}
METRICS: Mapping[str, str] = {
    "ambiguity": "Ambiguity",
    "discrepancy": "Discrepancy",
    "obscurity": "Obscurity",
    "disagreement": "Disagreement",
    "delta_ambiguity": "Ambiguity of probabilities",
    "delta_discrepancy": "Discrepancy of probabilities",
    "width": "Median width of the viable range",
    "deviation": "Median standard deviation",
    "capacity": "Median Rashomon capacity",
    "self_consistency": "Self-consistency",
}
GROWING = ("ambiguity", "discrepancy", "width")
NO_MODEL = -1
PEOPLE = ("Gaussian", "Bernoulli")


def explorer_words(key: str) -> str:
    """Name an explorer within a sentence; people keep their capital.

    Examples
    --------
    >>> explorer_words("gaussian-units"), explorer_words("retraining")
    ('Gaussian unit dropout', 'trained again')
    """
    title = EXPLORERS[key]
    return title if title.startswith(PEOPLE) else title[:1].lower() + title[1:]


class Share(NamedTuple):
    """A share of rows and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class RashomonSet(OfOutputs, Result):
    r"""Models as good as a given one, within tolerances, and how far they disagree about rows.

    A candidate is admitted at tolerance :math:`\epsilon` if its mean loss on admission rows is at
    most :math:`L(h_0) + \epsilon`; what is reported is about other rows. The given model belongs
    to every set. Where no candidate was admitted, numbers are NaN: nothing was seen, which is not
    the same as no disagreement.

    Axes: ``e`` explorers, ``t`` tolerances, ``n`` rows, ``k`` outputs, ``m`` metrics, ``q`` kept
    models, ``c`` recorded candidates, ``g`` numbers of models, ``d`` features, ``j`` those whose
    importance was asked for.

    Attributes
    ----------
    tolerances
        Ascending, in units of the loss.
    explorers
        Keys of ``EXPLORERS``.
    remarks
        For each explorer, why it has nothing to show or how it is to be read; may be empty.
    drawn, admitted
        Candidates that were tried, and those within each tolerance, the given model not counted.
        0 drawn for a closed form, which has a range and no models.
    seconds, passes
        What the exploration took, and rows times models that went through the network.
    noise
        Median paired standard error of the excess loss of admitted candidates: tolerances below
        twice this cannot be told from 0.
    metrics
        In the order of ``metric_names``; each is defined in docs/methods/rashomon.set.md.
    low, high
        Viable range: least and greatest output (probability, or value of a regression) over the
        admitted models and the given one.
    flips
        Share of admitted models that decide otherwise than the given one; NaN for regression.
    deviation
        Standard deviation of outputs over the admitted models.
    capacity
        Rashomon capacity, from 1 (all models say the same) to the number of classes.
    low_model, high_model
        Which of the kept models reaches the end of the range; ``NO_MODEL`` for the given one.
    kept_*
        Models at the ends of ranges, each made again by explorer, number, strength and stretch.
    candidate_*
        A sample of the candidates: excess loss on admission rows with its paired standard error,
        and loss and accuracy on the rows reported on (NaN without labels).
    growth
        ``GROWING`` metrics at ``tolerances[growth_at]`` for the first ``growth_models`` models
        admitted there.
    importance
        By feature: how much the loss grows when the feature is shuffled, for the given model and
        the least and greatest over admitted models of ``explorers[0]``; empty where not asked for.
    delta
        How far a probability has to move to count in the metrics of probabilities.
    """

    kind: ClassVar[str] = "rashomon_set"

    tolerances: Float[np.ndarray, " t"]
    explorers: tuple[str, ...]
    remarks: tuple[str, ...]
    drawn: Int[np.ndarray, " e"]
    admitted: Int[np.ndarray, "e t"]
    seconds: Float[np.ndarray, " e"]
    passes: Int[np.ndarray, " e"]
    noise: Float[np.ndarray, "e t"]
    metric_names: tuple[str, ...]
    metrics: Float[np.ndarray, "e t m"]
    low: Float[np.ndarray, "e t n k"]
    high: Float[np.ndarray, "e t n k"]
    flips: Float[np.ndarray, "e t n"]
    deviation: Float[np.ndarray, "e t n k"]
    capacity: Float[np.ndarray, "e t n"]
    low_model: Int[np.ndarray, "e t n k"]
    high_model: Int[np.ndarray, "e t n k"]
    kept_explorer: Int[np.ndarray, " q"]
    kept_number: Int[np.ndarray, " q"]
    kept_strength: Float[np.ndarray, " q"]
    kept_stretch: Float[np.ndarray, " q"]
    kept_excess: Float[np.ndarray, " q"]
    candidate_explorer: Int[np.ndarray, " c"]
    candidate_strength: Float[np.ndarray, " c"]
    candidate_excess: Float[np.ndarray, " c"]
    candidate_noise: Float[np.ndarray, " c"]
    candidate_loss: Float[np.ndarray, " c"]
    candidate_accuracy: Float[np.ndarray, " c"]
    growth_models: Int[np.ndarray, " g"]
    growth: Float[np.ndarray, "e g 3"]
    growth_at: int
    importance: Float[np.ndarray, "j 3"]
    importance_models: int
    loss_name: str
    base_loss: float
    base_noise: float
    reported_loss: float
    reported_accuracy: float
    admission: str
    n_admission: int
    delta: float
    predictions: Float[np.ndarray, "n k"]
    data: Float[np.ndarray, "n d"]
    ids: Int[np.ndarray, " n"]
    truth: Float[np.ndarray, " n"]
    schema: Schema
    output_names: tuple[str, ...]
    unit: str

    def __post_init__(self) -> None:
        e, t = self.admitted.shape
        n, k = self.predictions.shape
        d = len(self.schema.features)
        shapes = {
            "tolerances": (t,), "drawn": (e,), "seconds": (e,), "passes": (e,), "noise": (e, t),
            "metrics": (e, t, len(self.metric_names)), "low": (e, t, n, k), "high": (e, t, n, k),
            "flips": (e, t, n), "deviation": (e, t, n, k), "capacity": (e, t, n),
            "low_model": (e, t, n, k), "high_model": (e, t, n, k), "data": (n, d), "ids": (n,),
            "truth": (n,), "growth": (e, len(self.growth_models), len(GROWING)),
        }  # fmt: skip
        self._check_shapes(f"A set of {e} explorers and {t} tolerances", shapes)
        if (len(self.explorers), len(self.remarks)) != (e, e) or len(self.output_names) != k:
            raise InvalidInputError(f"A set of {e} explorers does not fit its names.")
        if not set(self.explorers) <= set(EXPLORERS) or not set(self.metric_names) <= set(METRICS):
            raise InvalidInputError("An explorer in the result is not known to this version.")
        if not t or not (np.diff(self.tolerances) > 0).all():
            raise InvalidInputError("A set needs at least 1 tolerance, in ascending order.")

    def __len__(self) -> int:
        return len(self.predictions)

    def __getitem__(self, rows: Rows) -> "RashomonSet":
        """Select rows; a single number keeps the row axis. Metrics stay those of all rows."""
        chosen = [int(rows)] if isinstance(rows, int | np.integer) else rows
        first = ("predictions", "data", "ids", "truth")
        third = ("low", "high", "flips", "deviation", "capacity", "low_model", "high_model")
        return replace(
            self,
            **{name: getattr(self, name)[chosen] for name in first},
            **{name: getattr(self, name)[:, :, chosen] for name in third},
        )

    def explorer_index(self, explorer: str) -> int:
        """Return the position of an explorer by its key.

        Raises
        ------
        InvalidInputError
            If the result does not have it.
        """
        if explorer not in self.explorers:
            raise InvalidInputError(
                f"There is no explorer {explorer!r} here; choose one of "
                f"{listing(self.explorers, 20)}."
            )
        return self.explorers.index(explorer)

    def tolerance_index(self, tolerance: float) -> int:
        """Return the position of the largest tolerance that is not above one.

        Raises
        ------
        InvalidInputError
            If all are above it.
        """
        if not tolerance >= self.tolerances[0]:
            raise InvalidInputError(
                f"There is no tolerance of {tolerance:g} here; the smallest is "
                f"{self.tolerances[0]:g}."
            )
        return int(np.searchsorted(self.tolerances, tolerance, "right")) - 1

    def metric(self, name: str) -> Float[np.ndarray, "e t"]:
        """Return one metric of every explorer at every tolerance.

        Raises
        ------
        InvalidInputError
            If the result does not have it.
        """
        if name not in self.metric_names:
            raise InvalidInputError(
                f"There is no metric {name!r} here; choose one of {listing(self.metric_names, 20)}."
            )
        return self.metrics[..., self.metric_names.index(name)]

    @property
    def below_noise(self) -> Bool[np.ndarray, "e t"]:
        """Tolerances that cannot be told from 0: below two paired standard errors."""
        return self.tolerances < 2 * np.nan_to_num(self.noise)

    @property
    def decisions(self) -> Int[np.ndarray, " n"]:
        """What the given model decides: the most probable class; all 0 for a regression."""
        return self.predictions.argmax(1)

    def to_frame(self) -> "pd.DataFrame":
        """One line per explorer, tolerance and metric.

        Columns: ``explorer``, ``tolerance``, ``metric``, ``value``, ``models`` (admitted),
        ``drawn``, ``noise`` (paired standard error of the excess loss), ``below_noise``,
        ``seconds``.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        lines = [
            (
                explorer, self.tolerances[j], name, self.metrics[i, j, m], self.admitted[i, j],
                self.drawn[i], self.noise[i, j], self.below_noise[i, j], self.seconds[i],
            )
            for i, explorer in enumerate(self.explorers)
            for j in range(len(self.tolerances))
            for m, name in enumerate(self.metric_names)
        ]  # fmt: skip
        columns = [
            "explorer", "tolerance", "metric", "value", "models", "drawn", "noise", "below_noise",
            "seconds",
        ]  # fmt: skip
        return pd.DataFrame(lines, columns=columns)

    def rows_frame(
        self, explorer: str, tolerance: float, output: str | int | None = None
    ) -> "pd.DataFrame":
        """One line per row: what the given model says, and how far equally good models differ.

        Columns: ``row``, ``prediction``, ``decision``, ``low``, ``high``, ``flips`` (share of
        models that decide otherwise), ``deviation``, ``capacity``, ``truth``.

        Raises
        ------
        InvalidInputError
            If there is no such explorer, tolerance or output.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        at = self.explorer_index(explorer), self.tolerance_index(tolerance)
        which = self.output_index(output)
        classes = self.output_names if self.schema.n_classes else ("",)
        return pd.DataFrame({
            "row": self.ids,
            "prediction": self.predictions[:, which],
            "decision": [classes[place] for place in self.decisions],
            "low": self.low[at][:, which],
            "high": self.high[at][:, which],
            "flips": self.flips[at],
            "deviation": self.deviation[at][:, which],
            "capacity": self.capacity[at],
            "truth": self.truth,
        })
