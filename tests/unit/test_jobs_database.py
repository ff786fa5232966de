"""The file of the list of jobs: busy, damaged, from the future, removed, or not to be made."""

import sqlite3

import pytest

from tests.jobs import SMALL, finish, request
from workbench.core.errors import InvalidInputError, LimitError
from workbench.jobs.queue import Queue


@pytest.fixture
def queue(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    made = Queue(patience=0.3)
    yield made
    made.close()


def submit(queue, asked=None):
    return queue.submit(asked or request(), owner="ann", title="Row 0", cost=SMALL)


def test_a_list_that_someone_else_locks_is_busy(queue):
    job = submit(queue)
    other = sqlite3.connect(queue.home / "jobs" / "queue.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LimitError) as caught:
        submit(queue, asked=request(1))
    assert str(caught.value) == "The list of jobs is busy; try again in a moment."
    assert queue.get(job.id, "ann").state == "queued", "reading needs no lock"
    other.execute("ROLLBACK")
    other.close()
    assert submit(queue, asked=request(1)).state == "queued"


def damage(queue, how):
    """Spoil a list of several pages, and return what the file holds then."""
    for row in range(18):
        submit(queue, asked=request(row))
    finish(queue)
    queue.close()  # everything is in the one file now
    path = queue.home / "jobs" / "queue.db"
    content = bytearray(path.read_bytes())
    if how == "header":
        content[:100] = b"no database".ljust(100)
    content[4096:] = bytes(len(content) - 4096)
    path.write_bytes(content)
    return bytes(content)


@pytest.mark.parametrize("how", ["header", "pages"])
def test_a_damaged_list_is_moved_aside_and_results_stay(queue, caplog, how):
    content = damage(queue, how)
    job = submit(queue, asked=request(0))
    assert job.state == "done", "the result was found again"
    assert queue.jobs("ann") == (job,)
    assert "The list of jobs was damaged and lies in" in caplog.text
    aside = (queue.home / "jobs").glob("queue.db.damaged-*")
    assert content in [file.read_bytes() for file in aside]
    assert submit(queue, asked=request(3)).state == "queued"


def test_who_has_the_damaged_list_open_follows_to_the_new_one(queue):
    other = Queue(queue.home)
    content = damage(queue, "pages")
    path = queue.home / "jobs" / "queue.db"
    path.unlink()
    submit(other)
    path.write_bytes(content)  # under the feet of an open connection
    job = submit(queue)
    assert other.get(job.id, "ann") == job
    other.close()


def test_damage_that_shows_up_in_use_is_said_once(queue):
    queue.jobs("ann")
    broken = sqlite3.DatabaseError("database disk image is malformed")
    broken.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    with pytest.raises(LimitError) as caught, queue._database.writing():
        raise broken
    assert str(caught.value) == "The list of jobs is damaged and a new one is started; try again."
    assert queue.jobs("ann") == ()


def test_a_list_that_nobody_ends_is_closed_with_its_last_user(tmp_path):
    once = Queue(tmp_path)
    once.jobs("ann")
    connection = once._database._connection
    del once
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_a_list_from_the_future_is_left_alone(queue):
    submit(queue)
    queue.close()
    path = queue.home / "jobs" / "queue.db"
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 7")
    other.close()
    with pytest.raises(InvalidInputError) as caught:
        queue.jobs("ann")
    assert str(caught.value) == (
        f"The list of jobs {str(path)!r} has format 7, this version reads up to 1; update the "
        "workbench, or let WORKBENCH_HOME name another folder."
    )
    assert path.is_file()


def test_a_list_that_is_removed_starts_anew(queue):
    submit(queue)
    for file in (queue.home / "jobs").glob("queue.db*"):
        file.unlink()
    assert queue.jobs("ann") == ()
    assert submit(queue).state == "queued"


def test_a_home_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InvalidInputError) as caught:
        Queue(tmp_path / "file").jobs("ann")
    folder = str(tmp_path / "file" / "jobs")
    assert str(caught.value) == (
        f"The folder {folder!r} cannot be written to (Not a directory); let WORKBENCH_HOME name "
        "one that can."
    )
