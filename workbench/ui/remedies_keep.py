"""A remedy taken along: as code that makes it again, and as a model of one's own."""

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench import api
from workbench.api.front import check_name
from workbench.api.remedying import publish_remedied
from workbench.core.people import demand
from workbench.core.remedies import Remedies
from workbench.engines.fairness.remedies import NAME
from workbench.engines.fairness.remedies_params import RemediesParams
from workbench.ui import cache
from workbench.ui.cost import Quote
from workbench.ui.frame import errors_shown, note
from workbench.ui.jobs import Answer, Ask, answer_to, is_under_way, was_stopped
from workbench.ui.place import Place
from workbench.ui.state import open_link
from workbench.ui.text import plain
from workbench.workspace import sources
from workbench.workspace.keeping import Keeping
from workbench.workspace.store import Workspace

KEPT = "remedies.kept"  # what was kept last, in this visit


def settings_of(result: Remedies) -> dict[str, Any]:
    """Return the settings of a run that are not the usual ones, without what was tried."""
    usual = RemediesParams().model_dump(mode="json")
    return {
        name: value
        for name, value in result.provenance.params.items()
        if name in usual and value != usual[name] and name not in {"remedies", "keep_network"}
    }


def code_of(result: Remedies, remedy: str, *, model: str, table: str, split: str) -> str:
    """Return Python that makes a remedy again, with the numbers of this run.

    Names of a person's own models and tables stand for files that are named by hand.
    """
    given = "".join(f", {name}={value!r}" for name, value in settings_of(result).items())
    own = table.startswith(sources.MINE)
    shown = f"{table.removeprefix(sources.MINE)}.csv" if own else table
    whole = f"table = wb.load_table({shown!r}, split='all', model=model)"
    rows = "table" if split == "all" else f"table.split({split!r})"
    lines = [
        "import workbench as wb",
        "",
        f"model = wb.load_model({model.removeprefix(sources.MINE)!r})",
        f"{whole}{'  # the file that you brought' if own else ''}",
        f"rows = {rows}",
        f"result = wb.remedies(model, table, rows, seed={result.provenance.seed}, "
        f"remedies={remedy!r}{given})",
        "print(result.to_frame())",
    ]
    if result.publishable[result.index(remedy)]:
        lines.append(
            f"better = wb.remedied_model(model, table, {remedy!r}, rows, "
            f"seed={result.provenance.seed}{given})"
        )
    return "\n".join(lines)


def show_code(found: Answer[Remedies], place: Place, remedy: str) -> None:
    """Show Python that makes the remedy again."""
    with st.expander("As code", icon=":material/code:"):
        st.code(
            code_of(
                found.result, remedy, model=place.reference, table=place.table, split=place.split
            ),
            language="python",
        )


def keep_as_model(found: Answer[Remedies], place: Place, remedy: str) -> None:
    """Offer to keep the network that a remedy leaves as a model of the person's own."""
    result = found.result
    r = result.index(remedy)
    said = st.container()
    if not result.publishable[r]:
        _say_what_was_kept(said)
        note(
            f"{result.titles[r]} leaves no network that could be kept as a model of its own: it "
            "decides by group, by lot, or by another learner."
        )
        return
    if found.is_stale or place.cohort:
        _say_what_was_kept(said)
        note("Only what was tried with the settings above, on a whole split, can be kept.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        usual = f"{place.model.card.name}-{remedy.replace('_', '-')}"[:64]
        name = st.text_input("Name", usual, max_chars=64, width=280, key=f"keep-name-{remedy}")
        pressed = st.button(
            "Keep as a model", icon=":material/save:", key=f"keep-{remedy}",
            help="Trains it again with the same seed, which you can stop, and keeps it as a new "
            "version among your own models, with a card of before and after.",
        )  # fmt: skip
    if pressed:  # what came of another name would stand beside what comes of this one
        st.session_state.pop(KEPT, None)
    _say_what_was_kept(said)
    with errors_shown():
        _train(result, place, remedy, name.strip(), pressed=pressed)


def _train(result: Remedies, place: Place, remedy: str, name: str, *, pressed: bool) -> None:
    """Run the remedy alone as a job, and publish what it leaves once it is there.

    Raises
    ------
    WorkbenchError
        If the person may not, there is no room, or the name cannot be one.
    """
    ask = _ask(result, place, remedy)
    key, keeping = ask.request.key, Keeping(place.person.key)
    if pressed:
        _check(place, name)
        keeping.want(key, name)
    elif was_stopped(ask, place.person):
        keeping.let_go(key)
    found = answer_to(
        ask, place.person, Remedies, pressed=pressed, starts_itself=False, slot=st.container()
    )
    wanted = keeping.wanted(key)
    if found is None or found.is_stale:
        if wanted is not None and is_under_way(ask, place.person):
            note(
                f"It is kept as {wanted} when it is trained and you look at it here: stay, "
                "or come back by Open on the page Jobs."
            )
        return
    if wanted is None:
        _say_how_it_stands(keeping.kept(key))
        return
    keeping.let_go(key)
    made = publish_remedied(
        place.model, cache.table(place.table, place.person.key), found.result, wanted,
        Workspace(place.person.key).models_root,
    )  # fmt: skip
    keeping.has_kept(key, made.card.name, made.card.version)
    st.session_state[KEPT] = f"{sources.MINE}{made.name}"
    st.rerun()


def _check(place: Place, name: str) -> None:
    demand(place.person, "upload")
    check_name(name)
    sources.check_own_name(name)
    Workspace(place.person.key).check_room(
        sum(p.numel() * p.element_size() for p in place.model.network.parameters())
    )


def _say_how_it_stands(kept: str | None) -> None:
    """Say of a network that is trained whether it is kept; what was kept just now is said above."""
    if kept is None:
        st.info("Trained, not kept yet: press Keep as a model.", icon=":material/save:")
    elif st.session_state.get(KEPT) != f"{sources.MINE}{kept}":
        note(f"Kept as {kept}, among your models.")


def _ask(result: Remedies, place: Place, remedy: str) -> Ask:
    """Return the run of one remedy, with the settings of a result, that keeps its network."""
    settings = settings_of(result) | {"remedies": remedy, "keep_network": True}
    n_table = len(cache.table(place.table, place.person.key))
    plan = api.plan(place.model, len(place.rows), n_table, method=NAME, **settings)
    title = f"{result.titles[result.index(remedy)]} to keep, {place.model.card.name}"
    return Ask(
        request=place.request(NAME, plan.params, seed=result.provenance.seed),
        quote=Quote(plan.method, plan.params, plan.cost, 0.0, plan.notes),
        title=f"{title}, {place.rows_name}",
        subject=(NAME, "keep", place.model.digest, place.table, place.split, remedy),
    )


def _say_what_was_kept(place: DeltaGenerator) -> None:
    reference = st.session_state.get(KEPT)
    if reference is None:
        return
    with place, st.container(border=True):
        st.success(f"{plain(reference.removeprefix(sources.MINE))} is among your models now.")
        with st.container(horizontal=True):
            if st.button("See how good it is", type="primary", icon=":material/speed:"):
                st.session_state.pop(KEPT, None)
                open_link(f"?model={reference}")
            st.button("Fine", type="tertiary", key="kept-fine", on_click=_dismiss)


def _dismiss() -> None:
    st.session_state.pop(KEPT, None)
