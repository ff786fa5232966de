"""From a request to a result: load what it refers to, and run the method."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import torch

from workbench.core.context import Preview, Progress
from workbench.core.errors import DataError, InvalidInputError, RegistryError
from workbench.core.model import Model
from workbench.core.results import Attribution, Result
from workbench.core.table import Table
from workbench.engines.calls import call
from workbench.jobs.request import Request, registered_methods
from workbench.workspace.background import background_source

KEPT_MODELS = 4
KEPT_TABLES = 4
Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Work:
    """What a method is called with; ``given`` is an explanation from elsewhere, if there is one."""

    model: Model
    rows: Table
    background: Table
    given: Attribution | None = None


class Sources:
    """Models and tables as people name them, a few of each kept in memory.

    They are kept by person, name and digest: a name that means something else now is loaded
    again, and nobody is served by what someone else may see.
    """

    def __init__(self) -> None:
        self._models: OrderedDict[tuple[str, ...], Model] = OrderedDict()
        self._tables: OrderedDict[tuple[str, ...], Table] = OrderedDict()

    def model(self, request: Request, owner: str) -> Model:
        """Return the model of a request on the device of the request.

        Raises
        ------
        RegistryError
            If it is gone or has changed since the request was made.
        """
        key = (
            owner, request.model, request.model_digest, request.explainer, request.device,
        )  # fmt: skip
        return _kept(self._models, key, KEPT_MODELS, lambda: self._checked_model(request, owner))

    def table(self, request: Request, owner: str) -> Table:
        """Return all rows of the table of a request.

        Raises
        ------
        DataError
            If it is gone or has changed since the request was made.
        """
        key = (owner, request.table, request.table_digest)
        return _kept(self._tables, key, KEPT_TABLES, lambda: self._checked_table(request, owner))

    def find_model(self, reference: str, owner: str) -> Model:
        """Load what a reference to a model means."""
        from workbench.workspace.sources import find_model  # noqa: PLC0415 - when there is work

        return find_model(reference, owner)

    def find_table(self, reference: str, owner: str) -> Table:
        """Load all rows of what a reference to a table means."""
        from workbench.workspace.sources import find_table  # noqa: PLC0415 - when there is work

        return find_table(reference, owner)

    def find_given(self, reference: str, owner: str) -> tuple[Path, str]:
        """Return the file of an explanation from elsewhere, and the digest of what was brought."""
        from workbench.workspace.given import find_given  # noqa: PLC0415 - few runs have one

        return find_given(reference, owner)

    def given(self, request: Request, owner: str, work: Work, table: Table) -> Attribution:
        """Read the explanation from elsewhere of a request.

        Raises
        ------
        DataError
            If it is gone or has changed since the request was made.
        InvalidInputError
            If it does not fit the model or the rows.
        """
        from workbench.jobs.given import read_given  # noqa: PLC0415 - few runs have one

        path, digest = self.find_given(request.given, owner)
        if digest != request.given_digest:
            raise DataError(
                f"The given explanation {request.given!r} is another one now than when the job was "
                "submitted; open the page again and submit a new job."
            )
        whole = table.read_by(work.model.schema)
        return read_given(path, work.model, work.rows, whole, work.background, request.params)

    def with_explainer(self, model: Model, digest: str, owner: str) -> Model:
        """Return the model with the one explainer that is meant."""
        from workbench.workspace.explainers import with_only  # noqa: PLC0415 - when there is work

        return with_only(model, digest, owner)

    def _checked_model(self, request: Request, owner: str) -> Model:
        model = self.find_model(request.model, owner)
        if model.digest != request.model_digest:
            raise RegistryError(
                f"Model {request.model!r} is another one now than when the job was submitted; "
                "open the page again and submit a new job."
            )
        if request.explainer:
            model = self.with_explainer(model, request.explainer, owner)
        return model.to(torch.device(request.device))

    def _checked_table(self, request: Request, owner: str) -> Table:
        table = self.find_table(request.table, owner)
        if table.digest != request.table_digest:
            raise DataError(
                f"Table {request.table!r} holds other rows now than when the job was submitted; "
                "open the page again and submit a new job."
            )
        return table


def _kept(
    kept: OrderedDict[tuple[str, ...], Thing],
    key: tuple[str, ...],
    most: int,
    load: Callable[[], Thing],
) -> Thing:
    if key not in kept:
        while len(kept) >= most:  # before the next one is loaded, so that it has the room
            kept.popitem(last=False)
        kept[key] = load()
    kept.move_to_end(key)
    return kept[key]


def prepare(request: Request, owner: str, sources: Sources) -> Work:
    """Load model, rows and background.

    Raises
    ------
    WorkbenchError
        If something is gone or has changed.
    InvalidInputError
        If the method cannot serve the model, or lacks a background.
    """
    method = registered_methods().find(request.method)
    model = sources.model(request, owner)
    if lacking := method.lacks(model):
        raise InvalidInputError(
            f"{method.title} needs what model {model.name} does not have, {'; '.join(lacking)}; "
            "choose another method or model."
        )
    table = sources.table(request, owner)
    work = arrange(request, model, table)
    if not request.given:
        return work
    if not method.takes_given:
        raise InvalidInputError(
            f"{method.title} takes no explanation from elsewhere; leave it out (given)."
        )
    return replace(work, given=sources.given(request, owner, work, table))


def arrange(request: Request, model: Model, table: Table) -> Work:
    """Take the rows and the background of a request from all rows of its table.

    Raises
    ------
    InvalidInputError
        If there are no such rows, or the method lacks a background.
    """
    method = registered_methods().find(request.method)
    rows = request.select(table).read_by(model.schema)
    if "table" in method.uses:
        return Work(model, rows, table.read_by(model.schema))
    if "background" not in method.uses:
        return Work(model, rows, rows)
    if request.background == 0:
        raise InvalidInputError(f"{method.title} needs background rows; ask for at least one.")
    source = background_source(model, table, request.background)
    return Work(model, rows, source.sample(request.background, seed=request.seed))


def compute(
    request: Request,
    work: Work,
    progress: Progress | None = None,
    preview: Preview | None = None,
) -> Result:
    """Run the method of a request.

    Raises
    ------
    WorkbenchError
        If the engine refuses, or progress asks it to stop.
    """
    return call(
        Result, request.method, work.model, work.rows, work.background, params=request.params,
        seed=request.seed, device=request.device, progress=progress, preview=preview,
        given=work.given,
    )  # fmt: skip
