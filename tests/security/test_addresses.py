"""Whatever stands in an address or was clicked twice: a page shows a sentence at most."""

import io
import logging
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.jobs import SMALL, finish, request
from tests.reading import read_here
from workbench.core.people import Person
from workbench.jobs.queue import Queue
from workbench.ui import frame, jobs, people, state
from workbench.ui.queue import queue
from workbench.workspace import store
from workbench.workspace.store import Workspace

PAGES = Path(__file__).parents[2] / "pages"
VALUES = [
    "", "-1", "9" * 400, "1e308", "nan", "-inf", "None", "\x00", "../../etc/passwd", "my:x",
    "my:../../ann/models/x@1", "adult-mlp@99999999999", "adult-mlp@../..", "a" * 20_000, "%00%ff",
    "<script>alert(1)</script>", "age:" + "1" * 19_000 + "x", "sex:missing;" * 60, "\u0663",
    "[](javascript:1)", "9007199254740993", "2147483648", "=1+1", "shapley.exact", "auto",
]  # fmt: skip
# What has to be chosen for all of a page to be asked, beside nothing at all.
PARTS = {
    "equally_good_models": [{"part": part} for part in ("explanations", "updates", "helps",
                                                        "simpler")],
    "fairness": [{"fairness_part": part} for part in ("flips", "causes", "front")],
    "interactions": [{"interactions_part": part} for part in ("cloud", "halo", "detectors",
                                                              "data")],
    "local_models": [{"part": "neighbourhood"}, {"mode": "many"}],
    "profiles": [{"part": "models"}],
    "shapley": [{"mode": "many"}],
    "which_explanation": [{"mode": "many"}],
    "workspace": [{"about": "data"}, {"about": "model"}],
}  # fmt: skip
STARTS = [
    (path.stem, chosen)
    for path in sorted(PAGES.glob("*.py"))
    for chosen in ({}, *PARTS.get(path.stem, ()))
]


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch):
    """Runs wait: nobody computes, so that a page is what is looked at."""
    monkeypatch.setattr(frame, "start_jobs", lambda: None)
    monkeypatch.setattr(jobs, "PATIENCE", 0.0)
    monkeypatch.setattr(people, "current_person", lambda: Person("me", "Me", "admin"))
    monkeypatch.setattr("workbench.ui.cost._seconds_per_evaluation", lambda *_: 1e-6)
    monkeypatch.setattr("workbench.ui.cost._seconds_per_near_copy", lambda *_: 1e-6)
    monkeypatch.setattr("workbench.ui.cost._seconds_per_value", lambda *_, **_k: 1e-6)
    monkeypatch.setattr("workbench.ui.cost._training_seconds", lambda *_: 1e-6)
    monkeypatch.setenv("WORKBENCH_JOBS_PER_USER", "1000")
    monkeypatch.setenv("WORKBENCH_QUEUE_LENGTH", "1000")
    yield
    st.cache_resource.clear()


def visit(page, **address):
    app = AppTest.from_file(str(PAGES / f"{page}.py"), default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def faults(app):
    said = [element.value for element in app.error]
    return [e.message for e in app.exception] + [text for text in said if "our side" in text]


@pytest.fixture
def asked(monkeypatch):
    """The names under which a page has looked for what an address or a session says."""
    names = {}
    recall = state._recall

    def listen(name, *rest):
        names[name] = None
        return recall(name, *rest)

    monkeypatch.setattr(state, "_recall", listen)
    return names


@pytest.mark.parametrize(("page", "chosen"), STARTS)
def test_odd_addresses(page, chosen, asked, caplog):
    """Each value under some name, each name with some values; all at a time."""
    with caplog.at_level(logging.ERROR):
        assert faults(visit(page, **chosen)) == []
        assert asked.keys() >= chosen.keys()
        names = [name for name in asked if name not in chosen] or ["model"]
        step = min(len(names), 5)
        for first in range(0, len(VALUES), step):
            odd = {name: VALUES[(first + i) % len(VALUES)] for i, name in enumerate(names)}
            assert faults(visit(page, **chosen, **odd)) == [], (chosen, odd)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("names", [("row", "seed", "background", "shapley.budget"), ("cohort",)])
def test_every_odd_value_of_what_a_run_is_made_of(names):
    for turn in range(len(VALUES)):
        odd = {name: VALUES[(turn + 3 * i) % len(VALUES)] for i, name in enumerate(names)}
        app = visit("shapley", **odd)
        assert faults(app) == [], odd
        assert len(app.title) == 1


def press(app, start):
    (button,) = [b for b in app.button if (b.key or "").startswith(start)]
    return button.click().run()


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("remove-", "There is no such job, or it is someone else's; open the list of your jobs\\."),
        ("basket-", ""),
    ],
)
def test_a_job_that_is_gone_when_its_button_is_pressed(home, start, said):
    mine = Queue(home)
    job = mine.submit(request(), owner="me", title="**x**", cost=SMALL)
    finish(mine)
    app = visit("jobs", small="True")
    mine.remove(job.id, "me")
    press(app, start)
    assert faults(app) == []
    assert [toast.value for toast in app.toast] == [said] * bool(said)
    mine.close()


def test_a_table_that_is_gone_when_its_button_is_pressed(monkeypatch):
    monkeypatch.setattr(store, "call", read_here)
    space = Workspace("me")
    draft = space.receive(io.BytesIO(b"a,b\n1,2\n2,3\n"), "t.csv")
    space.save_table(draft, space.preview(draft).guess, name="t")
    app = visit("add_data")
    space.remove_table("t")
    press(app, "remove-")
    assert faults(app) == []
    (said,) = [toast.value for toast in app.toast]
    assert said.replace("\\", "").replace("\u2060", "") == (
        "There is no table 'my:t'; yours are none so far."
    )


def test_who_lost_a_role_cannot_run_again_what_it_allowed(monkeypatch, home):
    large = SMALL.__class__(jobs.AT_ONCE + 1, 1000)
    mine = Queue(home)
    job = mine.submit(request(), owner="me", title="", cost=large)
    mine.cancel(job.id, "me")
    monkeypatch.setattr(people, "current_person", lambda: Person("me", "Me", "viewer"))
    app = press(visit("jobs"), "again-")
    (said,) = [toast.value for toast in app.toast]
    assert said.startswith("The role viewer may not start runs of this size")
    assert mine.get(job.id, "me").state == "cancelled"
    mine.close()
    assert queue().get(job.id, "me").state == "cancelled"
