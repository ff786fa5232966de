"""What is read once: models and tables by name, person and digest, never changed afterwards.

Whose a thing is belongs to the key, so that nobody is handed what another person brought.
"""

import streamlit as st

from workbench.core.card import Card
from workbench.core.cohort import Cohort
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model
from workbench.core.schema import Schema
from workbench.core.table import Table
from workbench.data.bundled import data_folder
from workbench.engines.performance.overview import Overview, table_overview
from workbench.registry.store import read_card
from workbench.workspace import sources
from workbench.workspace.explainers import attach, explainers_of, names_of
from workbench.workspace.store import Workspace

SHARED = ""


@st.cache_resource(max_entries=32, show_spinner="Loading the model …")
def _model(reference: str, owner: str, digest: str) -> Model:  # noqa: ARG001 - the digest is part of the key
    return sources.find_model(reference, owner)


def model(reference: str, owner: str) -> Model:
    """Load a model, again only after its card has changed.

    Raises
    ------
    WorkbenchError
        If there is no such model, or its files are not what the card says.
    """
    _, digest = read_card(sources.find_model_version(reference, owner))
    return _model(reference, _key(reference, owner), digest)


@st.cache_resource(max_entries=32, show_spinner=False)
def _with_own(reference: str, owner: str, digest: str, names: tuple[str, ...]) -> Model:  # noqa: ARG001 - the names are part of the key
    found = _model(reference, _key(reference, owner), digest)
    for explainer in explainers_of(found, owner):
        found = attach(found, explainer)
    return found


def model_with_explainers(reference: str, owner: str) -> Model:
    """Load a model with the explainers that come with it, and those that the person trained.

    Raises
    ------
    WorkbenchError
        If there is no such model, or one of these files is damaged.
    """
    found = model(reference, owner)
    names = names_of(found, owner)
    return _with_own(reference, owner, found.digest, names) if names else found


def card(reference: str, owner: str) -> Card | None:
    """Read the card of a model; None where it cannot be used."""
    try:
        return read_card(sources.find_model_version(reference, owner))[0]
    except WorkbenchError:
        return None


@st.cache_resource(max_entries=16, show_spinner="Loading the table …")
def _table(reference: str, owner: str, stamp: str) -> Table:  # noqa: ARG001 - the stamp is part of the key
    return sources.find_table(reference, owner)


def table(reference: str, owner: str) -> Table:
    """Load all rows of a table.

    Raises
    ------
    WorkbenchError
        If there is no such table, or its file is damaged.
    """
    return _table(reference, _key(reference, owner), _stamp(reference, owner))


@st.cache_resource(max_entries=12, show_spinner=False)
def _rows(reference: str, owner: str, stamp: str, split: str, cohort: str) -> Table:
    whole = _table(reference, owner, stamp)
    part = whole if split == "all" else whole.split(split)  # a copy, so only few are kept
    return Cohort.parse(cohort, whole.schema).apply(part)


def rows(reference: str, owner: str, split: str, cohort: str = "") -> Table:
    """Load the rows of a split that belong to a cohort.

    Raises
    ------
    WorkbenchError
        If there are none, or the table cannot be read.
    """
    if split == "all" and not cohort:
        return table(reference, owner)
    stamp = _stamp(reference, owner)
    return _rows(reference, _key(reference, owner), stamp, split, cohort)


@st.cache_resource(max_entries=32, show_spinner="Looking at every column …")
def _overview(reference: str, owner: str, stamp: str, split: str, cohort: str) -> Overview:
    return table_overview(_rows(reference, owner, stamp, split, cohort))


def overview(reference: str, owner: str, split: str, cohort: str = "") -> Overview:
    """Count and measure every column of the rows of a split that belong to a cohort.

    Raises
    ------
    WorkbenchError
        If there are none, or the table cannot be read.
    """
    stamp = _stamp(reference, owner)
    return _overview(reference, _key(reference, owner), stamp, split, cohort)


def table_digest(reference: str, owner: str) -> str:
    """Return the digest of a whole table."""
    return table(reference, owner).digest


def schema(reference: str, owner: str) -> Schema:
    """Return the schema of a table without its rows.

    Raises
    ------
    WorkbenchError
        If there is no such table.
    """
    return sources.find_schema(reference, owner)


def tables_for(wanted: Schema, owner: str) -> tuple[str, ...]:
    """Return the tables, bundled and the person's own, that have the features of a model.

    A table of the same target may have more than the model reads: a model that was trained without
    a protected column is still held against it.
    """
    return tuple(
        entry.reference
        for entry in sources.list_tables(owner)
        if _serves(schema(entry.reference, owner), wanted)
    )


def _serves(given: Schema, wanted: Schema) -> bool:
    own, needed = features_of(given), features_of(wanted)
    more = given.target == wanted.target is not None and all(one in own for one in needed)
    return own == needed or more


def features_of(schema: Schema) -> list[tuple[object, ...]]:
    """Return what a table must have of each feature so that a model can read it."""
    return [(f.name, f.kind, f.categories) for f in schema.features]


def _stamp(reference: str, owner: str) -> str:
    """Return what changes when the rows behind a name do."""
    if reference.startswith(sources.MINE):
        return Workspace(owner).entry(reference.removeprefix(sources.MINE)).digest
    return str(data_folder())


def owner_of(owner: str, *references: str) -> str:
    """Return whose copy of what follows from these is: everybody's where all of them are."""
    mine = any(reference.startswith(sources.MINE) for reference in references)
    return owner if mine else SHARED


def _key(reference: str, owner: str) -> str:
    """Return whose copy it is: what everybody may see is read once for all."""
    return owner if reference.startswith(sources.MINE) else SHARED
