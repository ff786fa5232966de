"""Rows close to given ones for which the model says something else."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.result import Result
from workbench.core.schema import Schema

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Counterfactuals(Result):
    """What would have to be different for the model to say what is wished for.

    The counterfactuals of all rows lie below each other, nearest first for each row; a row may
    have none.

    Attributes
    ----------
    data
        Raw features of the rows.
    ids
        Row numbers in the file.
    predictions
        Probabilities or values of the rows.
    wishes
        For each row, what the model should say, in words.
    fulfilled
        Whether the model says so of the row as it is.
    reached
        Probabilities or values closest to the wish among all rows that were tried.
    owners
        For each counterfactual, the position of its row.
    changed_data
        Raw features of the counterfactuals.
    changed_predictions
        What the model says of them, asked again after the search.
    changed
        Which features differ from the row's.
    distances
        Sum of the changes in units of each number's spread (1 for another category), plus the
        number of features that changed.
    """

    kind: ClassVar[str] = "counterfactuals"

    data: Float[np.ndarray, "n d"]
    ids: Int[np.ndarray, " n"]
    predictions: Float[np.ndarray, "n k"]
    wishes: tuple[str, ...]
    fulfilled: Bool[np.ndarray, " n"]
    reached: Float[np.ndarray, "n k"]
    owners: Int[np.ndarray, " c"]
    changed_data: Float[np.ndarray, "c d"]
    changed_predictions: Float[np.ndarray, "c k"]
    changed: Bool[np.ndarray, "c d"]
    distances: Float[np.ndarray, " c"]
    schema: Schema
    output_names: tuple[str, ...]

    def __post_init__(self) -> None:
        (n, d), k, c = self.data.shape, len(self.output_names), len(self.owners)
        shapes = {
            "ids": (n,), "predictions": (n, k), "fulfilled": (n,), "reached": (n, k),
            "changed_data": (c, d), "changed_predictions": (c, k), "changed": (c, d),
            "distances": (c,),
        }  # fmt: skip
        self._check_shapes(f"A result with counterfactuals of {n} rows", shapes)
        if len(self.schema.features) != d or len(self.wishes) != n:
            raise InvalidInputError(f"Counterfactuals of shape {(n, d)} do not fit their names.")
        if c and not 0 <= int(self.owners.min()) <= int(self.owners.max()) < n:
            raise InvalidInputError("A counterfactual belongs to a row that is not there.")

    def __len__(self) -> int:
        return len(self.data)

    def of(self, row: int | np.integer) -> Int[np.ndarray, " m"]:
        """Return the positions of a row's counterfactuals, nearest first."""
        return np.flatnonzero(self.owners == row)

    def changes(self, which: int | np.integer) -> tuple[tuple[str, str, str], ...]:
        """Return name, old and new value of each feature that a counterfactual changes."""
        row = self.data[self.owners[which]]
        return tuple(
            (
                self.schema.features[j].name,
                self.schema.features[j].show(float(row[j])),
                self.schema.features[j].show(float(self.changed_data[which, j])),
            )
            for j in np.flatnonzero(self.changed[which])
        )

    def to_frame(self) -> "pd.DataFrame":
        """One line per row, counterfactual and changed feature.

        Columns: ``row``, ``counterfactual`` (counted from 1), ``feature``, ``from`` and ``to`` (as
        a user writes them), ``distance``, and one with the prediction for each output.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        outputs = [f"prediction: {name}" for name in self.output_names]
        lines = [
            (
                int(self.ids[row]), place, *change, float(self.distances[which]),
                *self.changed_predictions[which].tolist(),
            )
            for row in range(len(self))
            for place, which in enumerate(self.of(row), 1)
            for change in self.changes(int(which))
        ]  # fmt: skip
        columns = ["row", "counterfactual", "feature", "from", "to", "distance", *outputs]
        return pd.DataFrame(lines, columns=columns)
