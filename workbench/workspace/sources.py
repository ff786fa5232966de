"""Models and tables by reference: those that come along, and a person's own behind ``my:``."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from workbench.core.errors import AccessError, DataError, RegistryError
from workbench.core.model import Model
from workbench.core.schema import Schema, listing
from workbench.core.table import Table
from workbench.data import bundled
from workbench.data.columns import quote
from workbench.registry import store
from workbench.workspace import explainers
from workbench.workspace.store import Workspace

MINE = "my:"
Found = TypeVar("Found")
# References come from links: a path to a folder is none.
_REFERENCE = re.compile(r"([a-z0-9][a-z0-9_-]{0,63})(@[a-z0-9][a-z0-9_-]{0,63})?")


@dataclass(frozen=True)
class ModelEntry:
    """A model that a person may use, with its versions, oldest first."""

    reference: str
    name: str
    versions: tuple[int, ...]
    default: int
    is_mine: bool
    aliases: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class TableSource:
    """A table that a person may use; the number of rows is known of their own alone."""

    reference: str
    name: str
    is_mine: bool
    n_rows: int | None = None


def find_model(reference: str, owner: str) -> Model:
    """Load a model of the registry, or of the person's own where ``my:`` stands before it.

    Explainers that lie beside it come along; those that the person trained do not.

    Raises
    ------
    RegistryError
        If the registry has no such model, or its files are not what the card says.
    AccessError
        If the person has no such model.
    """
    return _of_model(reference, owner, explainers.load_model)


def find_model_version(reference: str, owner: str) -> Path:
    """Return the folder of a model's version; see ``find_model``.

    Raises
    ------
    RegistryError
        If the registry has no such model.
    AccessError
        If the person has no such model.
    """
    return _of_model(reference, owner, store.find_version)


def _of_model(reference: str, owner: str, find: Callable[[str, Path], Found]) -> Found:
    mine = reference.startswith(MINE)
    name = reference.removeprefix(MINE)
    root = Workspace(owner).models_root if mine else store.registry_root()
    entries = store.list_models(root)
    found = _REFERENCE.fullmatch(name)
    if found is None or (mine and found[1] not in [entry.name for entry in entries]):
        known = listing((f"{MINE * mine}{entry.name}" for entry in entries), 20)
        kind = AccessError if mine else RegistryError
        raise kind(f"There is no model {quote(reference)}; choose one of {known or 'none so far'}.")
    return find(name, root)


def find_table(reference: str, owner: str) -> Table:
    """Load all rows of a bundled table, or of the person's own where ``my:`` stands before it.

    Raises
    ------
    AccessError
        If the person has no such table.
    DataError
        If there is no such bundled table, or its files were changed.
    """
    if reference.startswith(MINE):
        return Workspace(owner).load_table(reference.removeprefix(MINE))
    return bundled.load_table(_bundled(reference))


def find_schema(reference: str, owner: str) -> Schema:
    """Return the schema of a table without its rows; see ``find_table``.

    Raises
    ------
    AccessError
        If the person has no such table.
    DataError
        If there is no such bundled table, or its files were changed.
    """
    if reference.startswith(MINE):
        return Workspace(owner).table_schema(reference.removeprefix(MINE))
    return bundled.bundled_schema(_bundled(reference))


def _bundled(reference: str) -> str:
    name = reference.replace("_", "-")
    if name not in bundled.TABLES:
        raise DataError(
            f"There is no table {quote(reference)}; choose one of {', '.join(bundled.TABLES)}, or "
            f"one of yours behind {MINE!r}."
        )
    return name


def list_models(owner: str) -> tuple[ModelEntry, ...]:
    """Return the models of the registry, then the person's own."""
    places = ((False, store.registry_root()), (True, Workspace(owner).models_root))
    return tuple(
        ModelEntry(
            f"{MINE * mine}{entry.name}", entry.name, entry.versions, entry.default, mine,
            dict(entry.aliases),
        )
        for mine, root in places
        for entry in store.list_models(root)
    )  # fmt: skip


def check_own_name(name: str) -> None:
    """Refuse the name of a model that comes along for one of a person's own made from another.

    Raises
    ------
    RegistryError
        If it is one.
    """
    if name in {entry.name for entry in store.list_models(store.registry_root())}:
        raise RegistryError(
            f"The name {quote(name)} belongs to a model that comes with the workbench; give "
            f"yours another, for example {quote(f'{name[:59]}-mine')}."
        )


def list_tables(owner: str) -> tuple[TableSource, ...]:
    """Return the bundled tables, then the person's own."""
    own = [
        TableSource(entry.reference, entry.name, is_mine=True, n_rows=entry.n_rows)
        for entry in Workspace(owner).tables()
    ]
    return (*(TableSource(name, name, is_mine=False) for name in bundled.TABLES), *own)


def table_stamp(reference: str, owner: str) -> str:
    """Return a text that changes when a table does, without reading its rows.

    Raises
    ------
    AccessError
        If the person has no such table.
    DataError
        If there is no such bundled table.
    """
    if reference.startswith(MINE):
        return Workspace(owner).entry(reference.removeprefix(MINE)).digest
    file = bundled.bundled_file(_bundled(reference))
    state = file.stat()
    return f"{file}:{state.st_size}:{state.st_mtime_ns}"


def models_root(reference: str, owner: str) -> Path:
    """Return the registry that a model belongs to."""
    return Workspace(owner).models_root if reference.startswith(MINE) else store.registry_root()
