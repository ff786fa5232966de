"""How far two models say the same about the same rows."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.numerics.intervals import wilson

MOST_ROWS = 5000
# Values of a regression within this share of their spread count as the same answer.
CLOSE = 0.05


@dataclass(frozen=True, eq=False)
class Agreement:
    """What two models say about the same rows.

    Attributes
    ----------
    share, low, high
        Share of rows with the same predicted class, with its 95 % interval (Wilson); for a
        regression, of rows whose values differ by less than 5 % of the first model's spread.
    first, second
        Probability of the output, or the value.
    same
        Whether a row counts as the same answer.
    output
        Whose probability it is, or the target.
    """

    names: tuple[str, str]
    share: float
    low: float
    high: float
    first: Float[np.ndarray, " n"]
    second: Float[np.ndarray, " n"]
    same: Bool[np.ndarray, " n"]
    ids: Int[np.ndarray, " n"]
    output: str

    def describe(self) -> str:
        """Say how far two models agree."""
        return (
            f"{self.names[0]} and {self.names[1]} say the same about {100 * self.share:.1f} % of "
            f"{len(self.ids):,} rows (95 %: {100 * self.low:.1f} to {100 * self.high:.1f})."
        )


def agreement(one: Model, other: Model, rows: Table, *, seed: int = 0) -> Agreement:
    """Compare two models of the same features and outputs on rows, at most 5,000 of them.

    Raises
    ------
    InvalidInputError
        If the models do not read the same features or do not tell the same outputs apart.
    """
    _check_same(one, other)
    if len(rows) > MOST_ROWS:
        rows = rows.sample(MOST_ROWS, seed=seed)
    predicted = [model.predict(rows.X).numpy() for model in (one, other)]
    output = one.schema.favourable_output
    if one.schema.task == "regression":
        spread = float(predicted[0].std()) or 1.0
        same = np.abs(predicted[0] - predicted[1])[:, 0] < CLOSE * spread
    else:
        same = predicted[0].argmax(1) == predicted[1].argmax(1)
    low, high = wilson(int(same.sum()), len(same))
    return Agreement(
        names=(one.name, other.name),
        share=float(same.mean()),
        low=low,
        high=high,
        first=predicted[0][:, output],
        second=predicted[1][:, output],
        same=same,
        ids=rows.ids.numpy(),
        output=one.output_names[output],
    )


def _check_same(one: Model, other: Model) -> None:
    features = [[(f.name, f.kind, f.categories) for f in m.schema.features] for m in (one, other)]
    if features[0] != features[1]:
        raise InvalidInputError(
            f"Models {one.name} and {other.name} read different features, so no row can be given "
            "to both; their cards can be compared."
        )
    if one.output_names != other.output_names:
        raise InvalidInputError(
            f"Models {one.name} and {other.name} have different outputs, "
            f"{', '.join(one.output_names)} and {', '.join(other.output_names)}; their cards can "
            "be compared."
        )
