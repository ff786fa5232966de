"""From an upload to a table: what is in it, what its columns mean, or which model it is for."""

from collections.abc import Sequence
from typing import Literal, get_args

import pandas as pd
import streamlit as st

from workbench.core.errors import DataError
from workbench.core.people import Person
from workbench.core.schema import Schema
from workbench.core.wording import counted
from workbench.data.editing import Choices, ColumnChoice, Use, edited_schema, first_choices
from workbench.data.facts import ColumnFacts
from workbench.data.mapping import (
    Difference,
    differences,
    left_over,
    propose,
    wanted_columns,
)
from workbench.ui import cache
from workbench.ui.actions import act
from workbench.ui.frame import errors_shown, note
from workbench.ui.own_tables import DRAFT, EDITED
from workbench.ui.state import open_link
from workbench.ui.text import plain, size
from workbench.workspace import sources
from workbench.workspace.records import Draft, TableEntry
from workbench.workspace.store import Preview, Workspace

Aim = Literal["classification", "regression"] | None
OWN_SCHEMA = ""
# Pixels of a line in an editor: the target is often the last column and should be seen.
LINE, HEAD, MOST_LINES = 35, 38, 20
PREVIEWS, SAVED = "upload.previews", "upload.saved"
SIGNS = {
    "same": ":green[:material/check_circle:]",
    "renamed": ":blue[:material/sync_alt:]",
    "extra": ":gray[:material/remove_circle_outline:]",
    "range": ":orange[:material/warning:]",
}
BLOCKING = ":red[:material/error:]"


def table_form(draft: Draft, person: Person) -> None:
    """Show what is in an upload and let it become a table."""
    workspace = Workspace(person.key)
    with st.container(border=True), errors_shown():
        st.markdown(f"**{plain(draft.original_name)}** · {size(draft.n_bytes)}")
        preview = _preview(draft, workspace)
        if preview is None:
            return
        note(f"{counted(preview.n_rows, 'row')}, {counted(len(preview.columns), 'column')}")
        for said in preview.notes[:12]:
            st.caption(f":material/info: {plain(said)}")
        with st.expander("The first rows"):
            names = [column.name for column in preview.columns]
            st.dataframe(pd.DataFrame(list(preview.rows), columns=names), height=240)
        model = _choose_model(person)
        if model == OWN_SCHEMA:
            first = first_choices(preview.columns, preview.guess)
            schema, mapping = _schema_editor(preview, draft.id, first), None
        else:
            card = cache.card(model, person.key)
            assert card is not None  # noqa: S101 - only sound ones are offered
            mapping = _mapping_editor(preview, card.schema, draft)
            schema = _with_groups(preview, card.schema, mapping, draft)
        _save(draft, workspace, schema, mapping, model)


def _preview(draft: Draft, workspace: Workspace) -> Preview | None:
    """Read the file once per session; a file that is no table is offered for removal."""
    kept: dict[str, Preview] = st.session_state.setdefault(PREVIEWS, {})
    if draft.id not in kept:
        kept.clear()
        try:
            with st.spinner("Reading it in a process of its own …"):
                kept[draft.id] = workspace.preview(draft)
        except DataError as error:
            st.error(plain(str(error)), icon=":material/error:")
            st.button("Discard this file", on_click=act, args=(workspace.discard, draft))
            return None
    return kept[draft.id]


def _choose_model(person: Person) -> str:
    models = [
        entry.reference
        for entry in sources.list_models(person.key)
        if cache.card(entry.reference, person.key) is not None
    ]
    return str(st.selectbox(
        "What is it for?", [OWN_SCHEMA, *models], key="upload-model", width=420,
        format_func=lambda name: f"model {name}" if name else "a table with its own schema",
        help="For a model, columns are matched with its features.",
    ))  # fmt: skip


def edit_form(name: str, person: Person) -> None:
    """Let the columns of a table be given other meanings; its file is read again."""
    workspace = Workspace(person.key)
    with st.container(border=True), errors_shown():
        st.markdown(f"**{plain(name)}**")
        kept: dict[str, Preview] = st.session_state.setdefault(PREVIEWS, {})
        if name not in kept:
            with st.spinner("Reading its file again …"):
                kept[name] = workspace.preview_table(name)
        current = workspace.table_schema(name)
        schema = _schema_editor(kept[name], name, _choices_of(kept[name], current))
        with st.container(horizontal=True):
            pressed = st.button(
                "Keep the changes", type="primary", icon=":material/save:", disabled=schema is None
            )
            st.button("Leave it as it was", on_click=_end_editing)
        if pressed and schema is not None:
            with st.spinner("Converting it …"):
                workspace.edit_table(name, schema)
            _end_editing()
            st.rerun()


def _end_editing() -> None:
    st.session_state.pop(EDITED, None)


def _choices_of(preview: Preview, schema: Schema) -> Choices:
    """Return the form as it was filled in for a table."""
    features = {feature.name: feature for feature in (*schema.features, *schema.beside)}
    beside = {feature.name for feature in schema.beside}
    columns = []
    for facts in preview.columns:
        feature = features.get(facts.name)
        if feature is None:
            uses = {schema.target: "target", schema.weight: "weight"}
            columns.append(ColumnChoice(column=facts.name, use=uses.get(facts.name, "leave out")))
        else:
            columns.append(ColumnChoice(
                column=facts.name, use="compare by" if facts.name in beside else "feature",
                protected=feature.protected, immutable=feature.immutable,
                kind="categorical" if feature.categories else "numeric", unit=feature.unit,
            ))  # fmt: skip
    return Choices(columns=tuple(columns), favourable=schema.favourable)


def _schema_editor(preview: Preview, key: str, first: Choices) -> Schema | None:
    """Let every column be given a meaning; returns None while something does not fit."""
    kinds = {choice.column: choice for choice in first.columns}
    frame = pd.DataFrame([
        {
            "column": facts.name,
            "use": kinds[facts.name].use,
            "kind": kinds[facts.name].kind,
            "protected": kinds[facts.name].protected,
            "immutable": kinds[facts.name].immutable,
            "unit": kinds[facts.name].unit,
            "missing": facts.share_missing,
            "different values": facts.n_distinct,
            "for example": ", ".join(facts.examples),
        }
        for facts in preview.columns
    ])
    if not any(choice.use == "target" for choice in first.columns):
        note("Which column would a model predict? Double-click its use and choose target.")
    column = st.column_config
    edited = st.data_editor(
        frame, hide_index=True, key=f"schema-{key}",
        height=HEAD + LINE * min(len(frame), MOST_LINES),
        disabled=["column", "missing", "different values", "for example"],
        column_config={
            "use": column.SelectboxColumn(
                options=list(get_args(Use)), required=True,
                help="The target is what a model predicts; columns to compare by make groups of "
                "people and are read by no model.",
            ),
            "kind": column.SelectboxColumn(options=["numeric", "categorical"], required=True),
            "protected": column.CheckboxColumn(help="A group that must not be treated unfairly."),
            "immutable": column.CheckboxColumn(help="A person cannot change it."),
            "missing": column.NumberColumn(format="percent"),
        },
    )  # fmt: skip
    choices = tuple(
        ColumnChoice(
            column=row.column, use=row.use, kind=row.kind, protected=bool(row.protected),
            immutable=bool(row.immutable), unit=row.unit or "",
        )
        for row in edited.itertuples()
    )  # fmt: skip
    targets = [choice.column for choice in choices if choice.use == "target"]
    facts = {facts.name: facts for facts in preview.columns}
    task, favourable = None, None
    if len(targets) == 1:
        task, favourable = _target_form(facts[targets[0]], first.favourable)
    schema = None
    with errors_shown():
        schema = edited_schema(
            preview.columns, Choices(columns=choices, task=task, favourable=favourable)
        )
    return schema  # noqa: RET504 - None where a sentence is shown instead


def _target_form(target: ColumnFacts, hoped_for: str | None) -> tuple[Aim, str | None]:
    with st.container(horizontal=True):
        aims: list[Aim] = [None, "classification", "regression"]
        task = st.selectbox(
            "Target is", aims, key=f"task-{target.name}",
            format_func=lambda task: task or "found out by its values", width=240,
        )  # fmt: skip
        favourable = None
        if task != "regression" and target.categories:
            classes = [None, *target.categories]
            favourable = st.selectbox(
                "Favourable class", classes, key=f"good-{target.name}",
                index=classes.index(hoped_for) if hoped_for in classes else 0,
                format_func=lambda name: name or "not stated", width=240,
                help="The class that a person hopes for.",
            )  # fmt: skip
    return task, favourable


def _mapping_editor(preview: Preview, wanted: Schema, draft: Draft) -> dict[str, str | None] | None:
    """Let columns be matched with features; returns None while something is in the way."""
    names = [facts.name for facts in preview.columns]
    proposed = propose(names, wanted)
    frame = pd.DataFrame({
        "the model reads": list(wanted_columns(wanted)),
        "column of the file": [proposed[name] for name in wanted_columns(wanted)],
    })
    edited = st.data_editor(
        frame, hide_index=True, key=f"mapping-{draft.id}-{hash(wanted)}",
        disabled=["the model reads"],
        column_config={"column of the file": st.column_config.SelectboxColumn(options=names)},
    )  # fmt: skip
    chosen = edited["column of the file"]
    mapping = {
        feature: None if pd.isna(column) else str(column)
        for feature, column in zip(edited["the model reads"], chosen, strict=True)
    }
    ready = False
    with errors_shown():
        found = differences(preview.columns, wanted, mapping)
        _show_differences(found)
        ready = not any(difference.blocking for difference in found)
    return mapping if ready else None


def _with_groups(
    preview: Preview, schema: Schema, mapping: dict[str, str | None] | None, draft: Draft
) -> Schema:
    """Let columns that the model does not read be kept, so that groups can be compared by them."""
    guesses = {facts.name: facts.feature for facts in preview.columns if facts.feature is not None}
    known = set(wanted_columns(schema))
    free = [name for name in left_over(list(guesses), mapping or {}) if name not in known]
    if not free:
        return schema
    chosen = st.multiselect(
        "Compare groups by", free, key=f"beside-{draft.id}", placeholder="Columns to keep",
        default=[name for name in free if guesses[name].protected],
        help="The model does not read them; the page Fairness compares groups by them.",
    )  # fmt: skip
    beside = tuple(guesses[name].model_copy(update={"protected": True}) for name in chosen)
    return schema.model_copy(update={"beside": beside})


def _show_differences(found: Sequence[Difference]) -> None:
    """List what needs a look; what simply fits is counted."""
    fits = sum(difference.status == "same" for difference in found)
    st.markdown(f"{SIGNS['same']} {fits} columns fit as they are")
    for difference in found:
        if difference.status != "same":
            sign = BLOCKING if difference.blocking else SIGNS.get(difference.status, SIGNS["range"])
            st.markdown(f"{sign} {plain(difference.sentence)}")


def _save(
    draft: Draft,
    workspace: Workspace,
    schema: Schema | None,
    mapping: dict[str, str | None] | None,
    model: str,
) -> None:
    ready = schema is not None and (model == OWN_SCHEMA or mapping is not None)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Name", "", key=f"name-{draft.id}", max_chars=64, width=280,
            placeholder="made of the file's name",
        )  # fmt: skip
        pressed = st.button(
            "Keep this table", type="primary", icon=":material/save:", disabled=not ready
        )
        st.button("Discard", on_click=act, args=(workspace.discard, draft))
    if not pressed or schema is None:
        return
    with st.spinner("Converting it …"):
        entry = workspace.save_table(
            draft, schema, name=name.strip() or None, mapping=mapping, ignore_extra=True
        )
    st.session_state.pop(DRAFT, None)
    st.session_state.setdefault(PREVIEWS, {}).pop(draft.id, None)
    _after(entry, model)


def _after(entry: TableEntry, model: str) -> None:
    st.toast(f"Kept as {plain(entry.name)}, {entry.n_rows:,} rows.", icon=":material/check:")
    if model != OWN_SCHEMA:
        open_link(f"shapley?model={model}&table={entry.reference}")
    st.rerun()
