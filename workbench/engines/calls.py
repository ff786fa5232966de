"""What all engines share: how a call becomes a run, which tables are refused, the record."""

import platform
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, TypeVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.core.context import Context, Preview, Progress
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS, Explain
from workbench.core.model import Model
from workbench.core.params import Params, parse_params
from workbench.core.provenance import Provenance
from workbench.core.results import Attribution, Result
from workbench.core.table import Table
from workbench.core.wording import counted
from workbench.engines import registered_methods
from workbench.numerics.devices import choose_device, describe_device, memory_budget

SomeResult = TypeVar("SomeResult", bound=Result)


def call(
    kind: type[SomeResult],
    name: str,
    model: Model,
    rows: Table,
    background: Table,
    *,
    params: Mapping[str, Any],
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    preview: Preview | None = None,
    given: Attribution | None = None,
    explain: Explain | None = None,
) -> SomeResult:
    """Run a registered method where it is asked for, with the memory that there is to use.

    The one way from settings to a result: pages, analyses, verbs and commands end here.

    Parameters
    ----------
    kind
        What the method is registered to yield.
    background
        What else it looks at (``Method.uses``): the background, the whole table, or the rows.
    params
        Fields of the method's parameter model.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    given
        An attribution of the same rows from elsewhere, for a method that takes one.
    explain
        What to run in place of the method's own function: the same with more arguments.

    Raises
    ------
    InvalidInputError
        If there is no such method or device, a setting is out of bounds, or a table does not fit.
    """
    method = registered_methods().find(name)
    place = choose_device(device)
    settings = parse_params(method.params, params)
    context = Context(
        seed=seed, device=place, budget=memory_budget(place), progress=progress, preview=preview
    )
    moved = model if model.device == place else model.to(place)
    # A small run may take place inside another one's progress report, where gradients may be off.
    with torch.inference_mode(mode=False), torch.enable_grad():
        run: Callable[..., Result] = explain or method.explain
        more = {} if given is None else {"given": given}
        result = run(moved, rows, background, settings, context, **more)
    assert isinstance(result, kind)  # noqa: S101 - what the method is registered to yield
    return result


def check_features(model: Model, table: Table, what: str) -> None:
    """Refuse a table whose columns are not the model's.

    Raises
    ------
    InvalidInputError
        If there are no rows, or names, kinds or categories differ.
    """
    if len(table) == 0:
        raise InvalidInputError(f"There are no {what} in {table.name!r}; give at least one.")
    wanted = [(f.name, f.kind, f.categories) for f in model.schema.features]
    given = [(f.name, f.kind, f.categories) for f in table.schema.features]
    for need, got in zip(wanted, given, strict=False):
        if need != got:
            raise InvalidInputError(
                f"Table {table.name!r} does not fit model {model.name}: where the model reads "
                f"{need[0]!r} ({need[1]}), the table has {got[0]!r} ({got[1]}); read the file "
                "with the model's schema."
            )
    if len(wanted) != len(given):
        raise InvalidInputError(
            f"Table {table.name!r} has {len(given)} features, model {model.name} reads "
            f"{len(wanted)}; read the file with the model's schema."
        )


def check_finite(model: Model, table: Table, outputs: Tensor) -> None:
    """Refuse rows for which the model has no answer; nothing can be said of NaN.

    Parameters
    ----------
    outputs
        Of the rows of the table, or of their mean alone.

    Raises
    ------
    InvalidInputError
        Naming the first such row.
    """
    wrong = ~torch.isfinite(outputs).all(1)
    if wrong.any():
        place = int(wrong.nonzero()[0])
        which = f"row {int(table.ids[place])}" if len(outputs) == len(table) else "the mean row"
        raise InvalidInputError(
            f"Model {model.name} returns no finite number for {which} of {table.name!r}; look for "
            "a value far outside the training data there, and mend or leave out the row."
        )


def true_values(model: Model, table: Table) -> Float[np.ndarray, " n"]:
    """Return class codes or values of the target, in double precision.

    Raises
    ------
    InvalidInputError
        If there are none, or they are not those that the model predicts.
    """
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
    return truth


def provenance_of(
    name: str, model: Model, rows: Table, background: Table | None, params: Params,
    context: Context, *, evaluations: int, chunk_rows: int, seconds: float,
    notes: tuple[str, ...] = (),
) -> Provenance:  # fmt: skip
    """Write down how a result came about; without a background where the method has none."""
    method, source = METHODS[name], "none"
    if background is not None:
        source = f"{counted(len(background), 'row')} of {background.name}"
    return Provenance(
        method=name,
        title=method.title,
        reference=method.reference,
        params=params.model_dump(mode="json"),
        seed=context.seed,
        model=model.name,
        model_digest=model.digest,
        table=rows.name,
        table_digest=rows.digest,
        n_rows=len(rows),
        background=source,
        background_digest="" if background is None else background.digest,
        n_background=0 if background is None else len(background),
        evaluations=evaluations,
        chunk_rows=chunk_rows,
        seconds=seconds,
        device=describe_device(model.device),
        dtype=str(model.dtype).removeprefix("torch."),
        versions=versions_now(),
        created=created_now(),
        notes=notes,
    )


def versions_now() -> dict[str, str]:
    """Return the versions of what numbers depend on."""
    return {
        "workbench": version("explainability-workbench"),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def created_now() -> str:
    """Return the time, as a result records it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
