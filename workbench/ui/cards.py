"""What stands beside a figure: how far to trust it, and how it was made."""

from collections.abc import Sequence

import streamlit as st

from workbench import api
from workbench.checks import Outcome
from workbench.core.provenance import Provenance
from workbench.core.results import Result
from workbench.core.wording import counted
from workbench.ui.text import markup, plain

ICONS = {
    "ok": ":green[:material/check_circle:]",
    "warning": ":orange[:material/warning:]",
    "failure": ":red[:material/cancel:]",
    "not_applicable": ":gray[:material/remove_circle_outline:]",
}
WORDS = {
    "ok": "fine",
    "warning": "caution",
    "failure": "failed",
    "not_applicable": "does not apply",
}
WORST_FIRST = ("failure", "warning", "ok", "not_applicable")


def trust_card(result: Result) -> None:
    """List what the checks found, worst first; only what needs care is told at length."""
    outcomes = sorted(api.run_checks(result), key=lambda outcome: WORST_FIRST.index(outcome.status))
    with st.container(border=True, gap="xsmall"):
        st.markdown("**How far can I trust this?**")
        for outcome in outcomes:
            st.markdown(_headline(outcome))
            if outcome.status in {"warning", "failure"}:
                st.caption(plain(outcome.sentence))
        with st.popover("See every check", width="stretch"):
            for outcome in outcomes:
                st.markdown(_headline(outcome))
                st.caption(f"{plain(outcome.sentence)}  \n{plain(_evidence(outcome))}")


def computed_card(record: Provenance) -> None:
    """Tell everything that is needed to make the result again."""
    with st.expander("How was this computed?", icon=":material/info:"):
        facts_list(_facts(record))
    st.caption(plain(record.describe()))


def facts_list(facts: Sequence[tuple[str, str]]) -> None:
    """Show names and values side by side; both may hold a user's words."""
    cells = "".join(
        f'<dt style="opacity:.7">{markup(name)}</dt>'
        f'<dd style="margin:0;overflow-wrap:anywhere">{markup(value)}</dd>'
        for name, value in facts
    )
    st.html(
        '<dl style="display:grid;grid-template-columns:minmax(7rem,max-content) 1fr;'
        f'gap:.35rem 1.5rem;margin:0;padding:0;font-size:.9rem">{cells}</dl>'
    )


def key_figures(figures: Sequence[tuple[str, str, str]]) -> None:
    """Show a few figures in large, each with its name above and a remark below; text of a user.

    Metrics of Streamlit would cut long names where the window is narrow.
    """
    cells = "".join(
        f'<div><div style="opacity:.7;font-size:.85rem">{markup(name)}</div>'
        f'<div style="font-size:1.35rem;line-height:1.4">{markup(value)}</div>'
        f'<div style="opacity:.7;font-size:.85rem">{markup(below)}</div></div>'
        for name, value, below in figures
    )
    st.html(
        '<div style="display:grid;grid-template-columns:repeat(auto-fit,minmax(10rem,1fr));'
        f'gap:.75rem 1.5rem">{cells}</div>'
    )


def _headline(outcome: Outcome) -> str:
    said = plain(outcome.brief) or WORDS[outcome.status]
    return f"{ICONS[outcome.status]} **{plain(outcome.title)}** · {said}"


def _evidence(outcome: Outcome) -> str:
    """Code, numbers and what they were compared with."""
    numbers = [f"{name.replace('_', ' ')} {value:.3g}" for name, value in outcome.evidence.items()]
    if outcome.tolerance is not None:
        numbers.append(f"tolerance {outcome.tolerance:.3g}")
    return " · ".join([outcome.code, *numbers])


def _facts(record: Provenance) -> list[tuple[str, str]]:
    settings = ", ".join(
        f"{name} {'automatic' if value is None else value}" for name, value in record.params.items()
    )
    versions = ", ".join(f"{name} {number}" for name, number in record.versions.items())
    return [
        ("Method", f"{record.title} ({record.method})"),
        *(("Note", note) for note in record.notes),
        ("Settings", settings),
        ("Seed", str(record.seed)),
        ("Model", f"{record.model}, SHA-256 {record.model_digest}"),
        ("Rows", f"{record.n_rows:,} of {record.table}, SHA-256 {record.table_digest}"),
        ("Background", f"{record.background}, SHA-256 {record.background_digest}"),
        ("Work", f"{counted(record.evaluations, 'model evaluation')} in {record.seconds:.2f} s, "
                 f"{counted(record.chunk_rows, 'row')} per pass, {record.dtype}"),
        ("Device", record.device),
        ("Versions", versions),
        ("Created", record.created),
        ("Reference", record.reference),
    ]  # fmt: skip
