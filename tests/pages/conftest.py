"""Pages with a home of their own and real workers; a page waits for its runs instead of polling."""

import hashlib
import importlib
import json
import os

import pytest

from workbench.core.people import Person
from workbench.jobs import service
from workbench.ui import jobs, people
from workbench.workspace import store


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


@pytest.fixture(autouse=True)
def reader(monkeypatch):
    """Read files here: a process of its own takes seconds, and has tests of its own."""

    def call(entry, arguments, limits):  # noqa: ARG001 - of the process
        module, _, function = entry.partition(":")
        found = getattr(importlib.import_module(module), function)(**arguments)
        return json.loads(json.dumps(found))

    monkeypatch.setattr(store, "call", call)


@pytest.fixture
def somebody(monkeypatch):
    """Lets pages be looked at by somebody who signed in: a key, and a role."""

    def enter(key, role="analyst"):
        person = Person(key, key.capitalize(), role)
        monkeypatch.setattr(people, "current_person", lambda: person)
        return person

    return enter


@pytest.fixture
def me(somebody, request):
    """Somebody with a folder of their own, which no other test looks into."""
    return somebody(f"me-{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:16]}")
