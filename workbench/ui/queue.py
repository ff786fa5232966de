"""The list of jobs that this server works on."""

import streamlit as st

from workbench.core.settings import settings
from workbench.jobs import service
from workbench.jobs.queue import Queue


def start_jobs() -> None:
    """Start the workers of this server, once."""
    service.start()


def queue() -> Queue:
    """Return the list of jobs."""
    return _queue(str(settings().home))


@st.cache_resource(max_entries=4, show_spinner=False)
def _queue(home: str) -> Queue:
    return Queue(home)
