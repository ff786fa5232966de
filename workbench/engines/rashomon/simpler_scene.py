"""What looking for simpler models starts from: rows in their parts, labels, and losses."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.model import Model
from workbench.core.schema import Schema
from workbench.core.table import Table
from workbench.engines.calls import check_features, check_finite, true_values

# Into how many steps the progress of a run is cut.
STEPS = 1000


@dataclass(frozen=True, eq=False)
class Labelled:
    """Rows with what is true of them, and what the given model says."""

    X: Float[np.ndarray, "n d"]
    truth: Float[np.ndarray, " n"]
    said: Float[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class Parts:
    """The rows to learn from, those that decide, and those reported on.

    The given model is not asked about rows to learn from; ``said`` repeats their truth there.
    """

    train: Labelled
    validation: Labelled
    reported: Labelled
    schema: Schema

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 for a regression."""
        return self.schema.n_classes


def losses(
    said: Float[np.ndarray, "*l n"], truth: Float[np.ndarray, " n"], n_classes: int
) -> Float[np.ndarray, "*l n"]:
    """Loss of each row: 1 for a wrong decision, or the squared error of a regression."""
    if n_classes:
        return (said != truth).astype(float)
    return np.square(said - truth)


def paired(difference: Float[np.ndarray, " n"]) -> tuple[float, float]:
    """Mean and standard error of differences row by row."""
    n = len(difference)
    error = float(difference.std(ddof=1)) / np.sqrt(n) if n > 1 else 0.0
    return float(difference.mean()), float(error)


def stage(context: Context, start: float, end: float) -> Context:
    """Return a context for one stage of a run, from one share of the whole to another."""
    tell = context.progress
    if tell is None:
        return context

    def report(done: int, total: int, message: str) -> None:
        share = start + (end - start) * done / max(total, 1)
        tell(round(STEPS * share), STEPS, f"steps ({message})")

    return replace(context, progress=report)


def parts_of(model: Model, rows: Table, table: Table, context: Context) -> Parts:
    """Split the table, and ask the model about the validation rows and those reported on.

    Raises
    ------
    InvalidInputError
        If a table does not fit the model, or does not say what is true.
    """
    check_features(model, rows, "rows to report on")
    check_features(model, table, "rows to learn from")
    for whole in (table, rows):
        true_values(model, whole)  # refused by its own name, not by that of a part
    train = table.split("train")
    truth = true_values(model, train)
    if len(np.unique(truth)) < 2:
        raise InvalidInputError(
            f"All training rows of table {table.name!r} have the same "
            f"{model.schema.target or 'target'}, so nothing can be learned; bring rows with others."
        )
    context.step(0, STEPS, "steps (rows)")
    return Parts(
        Labelled(train.X.numpy(), truth, truth),
        _asked(model, table.split("validation")),
        _asked(model, rows),
        model.schema,
    )


def _asked(model: Model, table: Table) -> Labelled:
    outputs = model.predict(table.X)
    check_finite(model, table, outputs)
    said = outputs.argmax(1).double() if model.schema.n_classes else outputs[:, 0]
    return Labelled(table.X.numpy(), true_values(model, table), said.numpy())
