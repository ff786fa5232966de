"""What the doctor finds: versions, device, disk, registry, sign-in."""

import streamlit as st

from workbench.jobs import service
from workbench.operations.doctor import Finding, examine
from workbench.ui.frame import answer
from workbench.ui.text import plain

MINUTE = 60
STATES = {
    "running": "running",
    "elsewhere": "run by another server of the same home folder",
    "down": "not running at present",
}
ICONS = {
    "ok": ":green[:material/check_circle:]",
    "warning": ":orange[:material/warning:]",
    "failure": ":red[:material/cancel:]",
}


def health() -> None:
    """Show every finding, what needs care first, and the workers of this server."""
    findings = _examine()
    failures = sum(finding.state == "failure" for finding in findings)
    warnings = sum(finding.state == "warning" for finding in findings)
    if failures or warnings:
        answer(
            f"{failures} of {len(findings)} checks failed, {warnings} "
            f"ask{'s' * (warnings == 1)} for care."
        )
    else:
        answer(f"All {len(findings)} checks are fine.")
    order = list(ICONS)[::-1]
    for finding in sorted(findings, key=lambda found: order.index(found.state)):
        with st.container(border=finding.state != "ok", gap=None):
            st.markdown(f"{ICONS[finding.state]} **{plain(finding.name)}**")
            st.caption(plain(finding.sentence))
    st.markdown("**Workers**")
    for worker in service.start().workers():
        again = f", started again {worker.restarts} times" if worker.restarts else ""
        st.caption(plain(f"{worker.device}: {STATES[worker.state]}{again}"))
    if st.button("Check again", icon=":material/refresh:"):
        _examine.clear()
        st.rerun()


@st.cache_resource(ttl=5 * MINUTE, max_entries=1, show_spinner="Looking at everything …")
def _examine() -> tuple[Finding, ...]:
    return tuple(examine())
