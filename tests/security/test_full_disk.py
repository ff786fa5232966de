"""A full disk at any write is one sentence, and leaves what was there."""

import errno
import io
import os
import sqlite3
from pathlib import Path

import pytest

from tests.jobs import SMALL, request
from tests.reading import read_here
from tests.security.conftest import everything_in
from workbench.core.errors import DataError, LimitError
from workbench.jobs.queue import Queue
from workbench.workspace import store
from workbench.workspace.basket import Basket
from workbench.workspace.store import Workspace

FULL = (
    "The disk is full, and nothing was saved; free space or remove tables and models that are no "
    "longer needed."
)


def full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_while_a_report_is_changed(monkeypatch, home):
    basket = Basket("me")
    basket.add("one", "One")
    before = everything_in(home)
    monkeypatch.setattr(Path, "write_text", full)
    for change in (
        lambda: basket.add("two", "Two"), lambda: basket.remark("one", "x"),
        lambda: basket.rename("x"), lambda: basket.remove("one"), lambda: basket.move("one", 1),
    ):  # fmt: skip
        with pytest.raises(LimitError) as caught:
            change()
        assert str(caught.value) == FULL
    assert everything_in(home) == before
    assert [item.job for item in basket.content.items] == ["one"]


@pytest.mark.parametrize("write", ["mkdir", "save_schema", "_link", "record_table"])
def test_while_a_table_is_kept(monkeypatch, write):
    monkeypatch.setattr(store, "call", read_here)
    space = Workspace("me")
    draft = space.receive(io.BytesIO(b"a,b\n1,2\n2,3\n"), "t.csv")
    guess = space.preview(draft).guess
    before = everything_in(space.root)
    target = Path if write == "mkdir" else store
    with monkeypatch.context() as patch:
        patch.setattr(target, write, full)
        with pytest.raises(LimitError) as caught:
            space.save_table(draft, guess)
    assert str(caught.value) == FULL
    assert [p for p in everything_in(space.root) if p not in before] in ([], ["tables"])
    assert space.save_table(draft, guess).n_rows == 2


def test_a_counter_that_another_process_holds(monkeypatch):
    """Uploads wait for it a while and then say so."""
    space = Workspace("me")
    space.receive(io.BytesIO(b"a\n1\n2\n"), "t.csv")
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda file, **more: connect(file, **more | {"timeout": 0})
    )
    other = connect(space.root / "uploads.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DataError, match="database is locked"):
        space.receive(io.BytesIO(b"a\n1\n2\n"), "t.csv")
    other.close()
    assert len(space.drafts()) == 1


def test_a_list_of_jobs_that_another_process_holds(home):
    queue = Queue(home, patience=0)
    queue.submit(request(), owner="me", title="", cost=SMALL)
    other = sqlite3.connect(home / "jobs" / "queue.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LimitError) as caught:
        queue.submit(request(1), owner="me", title="", cost=SMALL)
    assert str(caught.value) == "The list of jobs is busy; try again in a moment."
    other.close()
    queue.close()
