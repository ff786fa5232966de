"""Which decisions would change if a model were replaced by another one that is as good."""

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, Int16

from workbench.core.decisions import (
    Effects,
    Shares,
    effects_of,
    pairwise_churn,
    shares_of,
    smoothed_churn,
    support,
)
from workbench.core.errors import InvalidInputError
from workbench.core.outputs import OfOutputs
from workbench.core.rashomon import EXPLORERS
from workbench.core.result import Result, Rows
from workbench.core.schema import Schema

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Churn(OfOutputs, Result):
    r"""What models that might replace a given one would decide otherwise.

    A prospective model is admitted at tolerance :math:`\epsilon` if its mean loss on admission
    rows is at most :math:`L(h_0) + \epsilon`. A classifier decides for its most probable class;
    a regression decides nothing, and a row counts as changed where the value moves by more than
    ``movement``. Where no model is admitted, numbers are NaN.

    Axes: ``t`` tolerances, ``m`` prospective models, ``n`` rows, ``k`` outputs.

    Attributes
    ----------
    tolerances
        Ascending, in units of the loss.
    explorers
        Where prospective models come from, keys of ``EXPLORERS``; ``drawn`` of each were tried.
    model_*
        Each within the largest tolerance: which explorer found it, and what it is made again
        from.
    excess, noise
        Excess loss on admission rows, and its paired standard error.
    decisions
        Class that each model chooses; for a regression 1 where the value moves.
    margins
        ``support`` of the given model's decision; for a regression the change of the value.
    expected
        At each tolerance the churn of a model on average, with its 95 % interval over models and
        rows.
    gamma
        Half-width of the band over which a smoothed decision turns.
    movement
        By how much a value has to move to count; NaN for a classifier.
    update
        What the model that replaced the given one is called; empty while there is none, and then
        ``update_decisions`` and ``update_margins`` are None.
    """

    kind: ClassVar[str] = "churn"

    tolerances: Float[np.ndarray, " t"]
    explorers: tuple[str, ...]
    drawn: Int[np.ndarray, " e"]
    model_explorer: Int[np.ndarray, " m"]
    model_number: Int[np.ndarray, " m"]
    model_strength: Float[np.ndarray, " m"]
    model_stretch: Float[np.ndarray, " m"]
    excess: Float[np.ndarray, " m"]
    noise: Float[np.ndarray, " m"]
    decisions: Int16[np.ndarray, "m n"]
    margins: Float32[np.ndarray, "m n"]
    expected: Float[np.ndarray, "t 3"]
    gamma: float
    movement: float
    loss_name: str
    base_loss: float
    admission: str
    n_admission: int
    predictions: Float[np.ndarray, "n k"]
    data: Float[np.ndarray, "n d"]
    ids: Int[np.ndarray, " n"]
    truth: Float[np.ndarray, " n"]
    schema: Schema
    output_names: tuple[str, ...]
    unit: str
    update: str = ""
    update_decisions: Int16[np.ndarray, " n"] | None = None
    update_margins: Float32[np.ndarray, " n"] | None = None

    def __post_init__(self) -> None:
        m, n = self.decisions.shape
        t, d = len(self.tolerances), len(self.schema.features)
        of_models = [f.name for f in fields(self) if f.name.startswith("model_")]
        shapes: dict[str, tuple[int, ...]] = dict.fromkeys((*of_models, "excess", "noise"), (m,))
        shapes |= {
            "margins": (m, n), "expected": (t, 3), "predictions": (n, len(self.output_names)),
            "data": (n, d), "ids": (n,), "truth": (n,), "drawn": (len(self.explorers),),
        }  # fmt: skip
        if self.update_decisions is not None:
            shapes |= {"update_decisions": (n,), "update_margins": (n,)}
        self._check_shapes(f"Churn of {m} models and {n} rows", shapes)
        if not set(self.explorers) <= set(EXPLORERS):
            raise InvalidInputError("An explorer in the result is not known to this version.")
        if not t or not (np.diff(self.tolerances) > 0).all():
            raise InvalidInputError("Churn needs at least 1 tolerance, in ascending order.")

    def __len__(self) -> int:
        return len(self.predictions)

    def __getitem__(self, rows: Rows) -> "Churn":
        """Select rows; a single number keeps the row axis. ``expected`` stays that of all rows."""
        chosen = [int(rows)] if isinstance(rows, int | np.integer) else rows
        first = ("predictions", "data", "ids", "truth", "update_decisions", "update_margins")
        known = {name: getattr(self, name) for name in first}
        kept = {name: array[chosen] for name, array in known.items() if array is not None}
        for name in ("decisions", "margins"):
            kept[name] = getattr(self, name)[:, chosen]
        return replace(self, **kept)

    @property
    def classifies(self) -> bool:
        """Whether the model decides for a class."""
        return self.schema.n_classes > 0

    @property
    def base(self) -> Int[np.ndarray, " n"]:
        """What the given model decides; all 0 for a regression."""
        if not self.classifies:
            return np.zeros(len(self), dtype=np.int64)
        return self.predictions.argmax(1)

    @property
    def base_margins(self) -> Float[np.ndarray, " n"]:
        """Support of the given model's own decision; 0 for a regression."""
        if not self.classifies:
            return np.zeros(len(self))
        return support(self.predictions, self.base)

    def admitted(self, tolerance: float | None = None) -> Bool[np.ndarray, " m"]:
        """Return which models are within a tolerance, by default the largest.

        Raises
        ------
        InvalidInputError
            If the tolerance is negative, or above the largest: models beyond it were not kept.
        """
        most = float(self.tolerances[-1])
        if tolerance is not None and not 0 <= tolerance <= most * (1 + 1e-9):  # NaN is not
            raise InvalidInputError(
                f"Models were looked for at tolerances from 0 to {most:g}, not {tolerance:g}; "
                "choose one of these, or run again with a larger one."
            )
        within: np.ndarray = self.excess <= (most if tolerance is None else tolerance)
        return within

    def churn(self, tolerance: float | None = None) -> Float[np.ndarray, " m"]:
        """Return the share of rows that each admitted model decides otherwise."""
        flips: np.ndarray = self.decisions[self.admitted(tolerance)] != self.base
        return flips.mean(1)

    def worst(self, tolerance: float | None = None) -> float:
        """Return the churn of the admitted model that changes most: the discrepancy of the set."""
        churn = self.churn(tolerance)
        return float(churn.max()) if len(churn) else np.nan

    def smoothed(self, tolerance: float | None = None) -> Float[np.ndarray, " m"]:
        """Return the smoothed churn of each admitted model; NaN for a regression."""
        margins = self.margins[self.admitted(tolerance)]
        if not self.classifies:
            return np.full(len(margins), np.nan)
        return smoothed_churn(margins, self.base_margins, self.gamma)

    def flips(self, tolerance: float | None = None) -> Shares:
        """Return for each row the share of admitted models that change its decision.

        The interval is Wilson's, for the choice of models; NaN where none is admitted.
        """
        within = self.admitted(tolerance)
        if not within.any():
            return Shares(*np.full((3, len(self)), np.nan))
        return shares_of(self.decisions[within] != self.base)

    def pairwise(self, tolerance: float | None = None) -> Float[np.ndarray, "m m"]:
        """Return the share of rows that each two admitted models decide differently."""
        within = self.admitted(tolerance)
        if self.classifies:
            return pairwise_churn(self.decisions[within])
        moves = self.margins[within]
        differ = [(np.abs(moves - one) > self.movement).mean(1) for one in moves]
        return np.array(differ, dtype=float).reshape(len(moves), len(moves))

    def effects(self, tolerance: float | None = None) -> Effects:
        """Split the churn of each admitted model by what it does; NaN for a regression."""
        within = self.admitted(tolerance)
        if not self.classifies:
            return Effects(*np.full((3, int(within.sum())), np.nan))
        return effects_of(self.decisions[within], self.base, self.truth.astype(np.int64))

    def bound(self, tolerance: float | None = None) -> float:
        r"""Return :math:`2 R(h_0) + \epsilon`, which no admitted model's churn can exceed.

        :math:`R` is the share of rows decided wrongly, and :math:`\epsilon` the most by which an
        admitted model's exceeds it here: a changed decision is wrong before or after. NaN for a
        regression.

        References
        ----------
        Marx, Calmon and Ustun (2020), Predictive Multiplicity in Classification, Prop. 1.
        """
        within = self.admitted(tolerance)
        if not self.classifies or not within.any():
            return np.nan
        base = float((self.base != self.truth).mean())
        errors = (self.decisions[within] != self.truth).mean(1)
        return 2 * base + max(0.0, float(errors.max()) - base)

    def with_update(self, outputs: Float[np.ndarray, "n k"], name: str) -> "Churn":
        """Return the result with what the model that replaced the given one says of the rows.

        Raises
        ------
        InvalidInputError
            If the outputs are not about these rows and outputs, or not finite.
        """
        if outputs.shape != self.predictions.shape:
            raise InvalidInputError(
                f"The updated model's outputs need shape {self.predictions.shape}, got "
                f"{outputs.shape}; ask it about the same rows."
            )
        if not np.isfinite(outputs).all():
            raise InvalidInputError(f"The updated model {name} returns no finite number for a row.")
        decisions, margins = decided(outputs, self.predictions, self.movement, self.classifies)
        return replace(
            self, update=name, update_decisions=decisions, update_margins=margins
        )  # fmt: skip

    def to_frame(self) -> "pd.DataFrame":
        """One line per tolerance.

        Columns: ``tolerance``, ``models`` (admitted), ``expected`` churn with ``low`` and ``high``
        (95 %, over models and rows), ``worst``, ``smoothed``, ``pairwise`` (mean over pairs),
        ``fixes``, ``breaks``, ``neutral`` (means over models), ``bound``, ``noise`` (median paired
        standard error of the excess loss).
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        lines = []
        for at, tolerance in enumerate(self.tolerances):
            within = self.admitted(tolerance)
            found = [mean_of(part) for part in (self.smoothed(tolerance), *self.effects(tolerance))]
            noise = float(np.median(self.noise[within])) if within.any() else np.nan
            lines.append((
                tolerance, int(within.sum()), *self.expected[at], self.worst(tolerance), found[0],
                mean_of_pairs(self.pairwise(tolerance)), *found[1:], self.bound(tolerance), noise,
            ))  # fmt: skip
        columns = [
            "tolerance", "models", "expected", "low", "high", "worst", "smoothed", "pairwise",
            "fixes", "breaks", "neutral", "bound", "noise",
        ]  # fmt: skip
        return pd.DataFrame(lines, columns=columns)

    def rows_frame(self, tolerance: float | None = None) -> "pd.DataFrame":
        """One line per row, the most likely to change first.

        Columns: ``row``, ``decision`` (or the value), ``margin``, ``truth``, ``flips`` (share of
        models that change it) with ``low`` and ``high``, ``updated`` (whether a real update
        changed it) where there is one, and the features.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        found = self.flips(tolerance)
        said = [self.output_names[place] for place in self.base] if self.classifies else (
            self.predictions[:, 0]
        )  # fmt: skip
        truth = [self.output_names[int(code)] for code in self.truth] if self.classifies else (
            self.truth
        )  # fmt: skip
        frame = pd.DataFrame({
            "row": self.ids, "decision": said, "margin": self.base_margins, "truth": truth,
            "flips": found.value, "low": found.low, "high": found.high,
        })  # fmt: skip
        if self.update_decisions is not None:
            frame["updated"] = self.update_decisions != self.base
        for j, feature in enumerate(self.schema.features):
            frame[feature.name] = [feature.show(float(value)) for value in self.data[:, j]]
        order = np.lexsort((self.base_margins, -np.nan_to_num(found.value)))
        return frame.iloc[order].reset_index(drop=True)


def decided(
    outputs: Float[np.ndarray, "*m n k"],
    base: Float[np.ndarray, "n k"],
    movement: float,
    classifies: bool,
) -> tuple[Int16[np.ndarray, "*m n"], Float32[np.ndarray, "*m n"]]:
    """Return what models decide, and how far each is on the base's side, as ``Churn`` does."""
    if classifies:
        chosen, margins = outputs.argmax(-1), support(outputs, base.argmax(1))
    else:
        margins = outputs[..., 0] - base[:, 0]
        chosen = np.abs(margins) > movement
    return chosen.astype(np.int16), margins.astype(np.float32)


def mean_of(values: Float[np.ndarray, " m"]) -> float:
    """Return a mean; NaN of nothing."""
    return float(values.mean()) if len(values) else np.nan


def mean_of_pairs(matrix: Float[np.ndarray, "m m"]) -> float:
    """Return the mean over pairs of different models; NaN where there is none."""
    m = len(matrix)
    return float(matrix.sum() / (m * (m - 1))) if m > 1 else np.nan
