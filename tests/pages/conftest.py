"""Pages with a home of their own and real workers; a page waits for its runs instead of polling."""

import hashlib
import os
import shutil

import pytest
import streamlit as st

from tests.reading import read_here
from workbench.core.people import Person
from workbench.data.bundled import data_folder, load_table
from workbench.jobs import service
from workbench.jobs.queue import Queue
from workbench.registry.architectures import build_encoder, build_network
from workbench.registry.store import load_model, publish
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
    """Read files here."""
    monkeypatch.setattr(store, "call", read_here)


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


HOSTILE = {
    "bmi": "<script>alert(1)</script>",
    "age": "**bold** :red[x] [link](http://evil.test)",
    "sex": "=1+1 :material/home: $x^2$",
}


@pytest.fixture(scope="session")
def hostile_files(tmp_path_factory):
    """A folder of the diabetes table and a model of it with names that are markup somewhere.

    It is a home as well, with a worker of its own, which takes seconds to start: once for all.
    """
    folder = tmp_path_factory.mktemp("hostile")
    data = folder / "data"
    shutil.copytree(data_folder(), data)
    table = load_table("diabetes")
    card = load_model("diabetes-mlp").card
    features = tuple(
        feature.model_copy(update={"name": HOSTILE.get(feature.name, feature.name)})
        for feature in table.schema.features
    )
    schema = table.schema.model_copy(update={"features": features})
    (data / "diabetes.schema.json").write_text(schema.model_dump_json())
    frame = table.to_frame().rename(columns=HOSTILE)
    frame.to_csv(data / "diabetes.csv", index=False)
    encoder = build_encoder(card.encoder, schema)
    encoder.fit(table.X)
    network = build_network(card.network, len(encoder.groups), 1)
    fields = card.model_dump(by_alias=True, exclude={"version", "weights_sha256"})
    publish(encoder, network, fields | {"name": "hostile", "schema": schema}, folder / "models")
    yield folder
    service.start(folder / "home").stop()


@pytest.fixture
def hostile_registry(hostile_files, monkeypatch):
    """The table and model with such names in place of all others; the names."""
    monkeypatch.setenv("WORKBENCH_HOME", str(hostile_files / "home"))  # whose worker sees them
    monkeypatch.setenv("WORKBENCH_SAMPLE_DATA", str(hostile_files / "data"))
    monkeypatch.setenv("WORKBENCH_MODELS", str(hostile_files / "models"))
    st.cache_resource.clear()
    yield HOSTILE
    st.cache_resource.clear()


@pytest.fixture
def asked(monkeypatch):
    """Method and settings of all runs that a page asks for."""
    calls, submit = [], Queue.submit

    def counting(self, request, **kwargs):
        calls.append((request.method, request.params))
        return submit(self, request, **kwargs)

    monkeypatch.setattr(Queue, "submit", counting)
    return calls
