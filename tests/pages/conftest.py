"""Pages with a home of their own and real workers; a page waits for its runs instead of polling."""

import os

import pytest

from workbench.jobs import service
from workbench.ui import jobs


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory):
    """The folder of uploads, jobs and results that all page tests share."""
    before = os.environ.get("WORKBENCH_HOME")
    folder = tmp_path_factory.mktemp("home")
    os.environ["WORKBENCH_HOME"] = str(folder)
    yield folder
    service.start().stop()
    if before is None:
        del os.environ["WORKBENCH_HOME"]
    else:
        os.environ["WORKBENCH_HOME"] = before


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Nobody clicks in a test, so that a page may wait until its run is over."""
    monkeypatch.setattr(jobs, "PATIENCE", 120.0)
