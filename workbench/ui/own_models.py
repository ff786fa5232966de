"""The models that a person has brought, and taking in another."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from workbench.core.card import Card
from workbench.core.people import Person
from workbench.core.schema import Schema
from workbench.core.settings import settings
from workbench.core.table import Table
from workbench.core.wording import counted
from workbench.registry.intake import receive_model
from workbench.registry.store import read_card
from workbench.ui import cache
from workbench.ui.frame import answer, errors_shown, list_line
from workbench.ui.own_tables import MEGABYTE, release
from workbench.ui.state import open_link
from workbench.ui.text import plain, size
from workbench.workspace import sources
from workbench.workspace.store import Workspace

TURN, RECEIVED = "model.turn", "model.received"
FROM_CARD = ""
HOW = """
| You have | Bring |
|---|---|
| a PyTorch network | `card.json` and `model.safetensors`, as two files or one zip; \
`workbench convert` makes both from a module and its state dict |
| a scikit-learn pipeline | an `.onnx` file, as `skl2onnx` writes it |
| any other network | an `.onnx` file with one table as its input: a black box, which some methods \
cannot look into |

Pickles in any dress (`.pt`, `.pth`, `.pkl`, `.joblib`, Keras) are refused, since loading one runs \
what is in it; try one, and the answer says how to convert it.
"""


def own_models(person: Person) -> None:
    """List the person's models with what can be done with each."""
    mine = [entry for entry in sources.list_models(person.key) if entry.is_mine]
    n = len(mine)
    answer(
        f"You have {n:,} model{'s' * (n != 1)} here."
        if n
        else "Bring a model of your own: it stays in your folder, and nothing in it is executed."
    )
    for entry in mine:
        with st.container(border=True), errors_shown():
            card = cache.card(entry.reference, person.key)
            about, actions = list_line(f"model-{entry.name}")
            with about:
                st.markdown(f"**{plain(entry.name)}** · version {entry.default}")
                st.caption(plain(_about(card)) if card else "Its files are damaged.")
            if card and actions.button(
                "Open", icon=":material/open_in_new:", key=f"see-{entry.name}"
            ):
                open_link(f"?model={entry.reference}&about=model")
    if mine:
        st.caption("Versions are given aliases and removed on the page Registry.")


def _about(card: Card) -> str:
    n_features = counted(len(card.schema.features), "feature")
    return f"{card.title or card.name} · {card.network.name}, {n_features}"


def upload_model(person: Person) -> None:
    """Take in a model; it appears only after everything about it was checked."""
    turn = st.session_state.setdefault(TURN, 0)
    _say_what_came(person)
    with st.container(border=True), errors_shown():
        given = st.file_uploader(
            "Files of one model", accept_multiple_files=True, key=f"model-{turn}",
            max_upload_size=max(1, settings().max_file_bytes // MEGABYTE),
            help=f"At most {size(settings().max_file_bytes)} each.",
        )  # fmt: skip
        with st.expander("What can I bring?", expanded=not given):
            st.markdown(HOW)
        if not given:
            return
        schema, sample = None, None
        if any(file.name.lower().endswith(".onnx") for file in given):
            schema, sample = _schema_for_onnx(person)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.text_input(
                "Name", "", max_chars=64, width=280, placeholder="as its card says",
                key=f"model-name-{turn}",
            )  # fmt: skip
            pressed = st.button(
                "Check and keep it", type="primary", icon=":material/verified_user:"
            )
        if pressed:
            with st.spinner("Checking it on rows made up from its schema …"):
                folder = _take_in(given, person, name.strip() or None, schema, sample)
            st.session_state[RECEIVED] = f"{sources.MINE}{folder.parent.name}@{folder.name}"
            st.session_state[TURN] = turn + 1
            st.rerun()


def _schema_for_onnx(person: Person) -> tuple[Schema | None, Table | None]:
    """Let an ONNX model without a card say which table it reads."""
    tables = [entry.reference for entry in sources.list_tables(person.key)]
    chosen = st.selectbox(
        "Which table does the ONNX model read?", [FROM_CARD, *tables], width=420,
        format_func=lambda name: name.removeprefix(sources.MINE) or "as its card.json says",
        help="An ONNX file says how many inputs it has, not what they mean.",
    )  # fmt: skip
    if chosen == FROM_CARD:
        return None, None
    return cache.schema(chosen, person.key), cache.table(chosen, person.key)[:100]


def _take_in(
    given: Sequence[Any],
    person: Person,
    name: str | None,
    schema: Schema | None,
    sample: Table | None,
) -> Path:
    """Copy the files into quarantine, check them there, and leave nothing behind."""
    workspace = Workspace(person.key)
    drafts = []
    try:
        files: dict[str, Path] = {}
        for file in given:
            draft = workspace.receive(file, file.name)
            drafts.append(draft)
            files[file.name] = workspace.path_of(draft)
        return receive_model(files, workspace.models_root, name=name, schema=schema, sample=sample)
    finally:
        for draft in drafts:
            workspace.discard(draft)
        for file in given:
            release(file)


def _say_what_came(person: Person) -> None:
    reference = st.session_state.get(RECEIVED)
    if reference is None:
        return
    card, _ = read_card(sources.find_model_version(reference, person.key))
    with st.container(border=True):
        st.success(
            f"{plain(card.title or card.name)} is in: version {card.version} of "
            f"{plain(card.name)}, with {len(card.schema.features)} features. Its answers on rows "
            "made up from its schema were finite and did not depend on the batch."
        )
        with st.container(horizontal=True):
            if st.button("See how good it is", type="primary", icon=":material/speed:"):
                open_link(f"?model={reference}")
            if st.button("Explain a prediction", icon=":material/waterfall_chart:"):
                open_link(f"shapley?model={reference}")
            st.button("Fine", type="tertiary", on_click=_dismiss)


def _dismiss() -> None:
    st.session_state.pop(RECEIVED, None)
