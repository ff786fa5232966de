"""What sessions share: models and bundled tables, read once and never changed.

Keys are names, digests and numbers alone. Nothing that a user brought belongs here.
"""

import streamlit as st

from workbench import api
from workbench.core.model import Model
from workbench.core.schema import Schema
from workbench.core.table import Table
from workbench.data.bundled import data_folder, load_schema
from workbench.registry.store import find_version, read_card


@st.cache_resource(max_entries=16, show_spinner="Loading the model …")
def _model(reference: str, digest: str) -> Model:  # noqa: ARG001 - the digest is part of the key
    return api.load_model(reference)


def model(reference: str) -> Model:
    """Load a model, again only after its card has changed.

    Raises
    ------
    RegistryError
        If there is no such model, or its files are not what the card says.
    """
    _, digest = read_card(find_version(reference))
    return _model(reference, digest)


@st.cache_resource(max_entries=16, show_spinner="Loading the table …")
def table(name: str, split: str) -> Table:
    """Load a split of a bundled table, or ``all`` of it.

    Raises
    ------
    DataError
        If the file is missing or damaged.
    """
    return api.load_table(name, split=split)


@st.cache_resource(max_entries=16, show_spinner=False)
def schema(name: str) -> Schema:
    """Read the schema of a bundled table without its rows.

    Raises
    ------
    DataError
        If the file is missing or damaged.
    """
    return load_schema(data_folder() / f"{name.replace('-', '_')}.schema.json")


def tables_for(model: Model) -> tuple[str, ...]:
    """Return the bundled tables that have the model's features."""
    wanted = _features(model.schema)
    return tuple(name for name in api.list_tables() if _features(schema(name)) == wanted)


def _features(schema: Schema) -> list[tuple[object, ...]]:
    return [(f.name, f.kind, f.categories) for f in schema.features]
