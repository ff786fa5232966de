"""What looking for simpler models starts from: rows in their parts, labels, and losses."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.model import Model
from workbench.core.schema import Schema
from workbench.core.table import Table
from workbench.engines.calls import check_features, check_finite

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
    for what in (table, rows):
        _check_labels(model, what)
    train = table.split("train")
    if len(np.unique(train.y.double().numpy())) < 2:  # type: ignore[union-attr] # checked above
        raise InvalidInputError(
            f"All training rows of table {table.name!r} have the same "
            f"{model.schema.target or 'target'}, so nothing can be learned; bring rows with others."
        )
    context.step(0, STEPS, "steps (rows)")
    truth = _truth(train)
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
    return Labelled(table.X.numpy(), _truth(table), said.numpy())


def _truth(table: Table) -> Float[np.ndarray, " n"]:
    assert table.y is not None  # noqa: S101 - checked before
    return table.y.double().numpy()


def _check_labels(model: Model, table: Table) -> None:
    target = model.schema.target or "the target"
    if table.y is None:
        raise InvalidInputError(
            f"Table {table.name!r} does not say what is true: it has no column {target!r}, which "
            f"model {model.name} predicts; add that column or choose rows that have it."
        )
    if table.schema.classes != model.schema.classes:
        raise InvalidInputError(
            f"The classes of table {table.name!r} are not those of model {model.name}; read the "
            "file with the model's schema."
        )
    truth = table.y.double().numpy()
    known = np.isfinite(truth)
    if model.schema.n_classes:
        known &= (truth >= 0) & (truth < model.schema.n_classes)
    if not known.all():
        row = int(table.ids[int(np.flatnonzero(~known)[0])])
        raise InvalidInputError(
            f"Column {target!r} has no value in row {row} of table {table.name!r}; fill it in or "
            "leave out the row."
        )
