"""The list of jobs as people use it: submit, look, wait, cancel, run again, remove."""

import json
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from workbench.core.errors import AccessError, InvalidInputError
from workbench.core.method import Cost
from workbench.core.results import Result
from workbench.core.settings import settings
from workbench.jobs.database import PATIENCE, open_database
from workbench.jobs.entry import OPEN, Entry, Wish, forget_runs, wish_of
from workbench.jobs.job import Job, State
from workbench.jobs.order import waiting_runs
from workbench.jobs.request import Request
from workbench.jobs.store import open_store

__all__ = ["Job", "Queue"]

MAX_TITLE, MAX_LINK = 300, 4000
POLL_SECONDS = 0.02
NO_JOB = "There is no such job, or it is someone else's; open the list of your jobs."
NO_RESULT = (
    "The result of this job is no longer kept, since newer ones needed the room; run the job again."
)
_OWNER = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_VIEW = """
SELECT jobs.*, runs.state AS run_state, runs.done, runs.total, runs.message, runs.device,
    runs.started AS run_started
FROM jobs JOIN runs USING (key)
"""

# By home folder: what to call when there is new work (see ``service``).
WAKERS: dict[Path, Callable[[], None]] = {}


class Queue:
    """Jobs of all people under one home folder.

    Equal requests share one run, whoever asks; a person has one job per request, which takes up
    what it was when the same is asked again. Every call checks that the job is the owner's.

    Parameters
    ----------
    home
        By default the setting ``home``.
    patience
        Seconds to wait where another process writes.
    """

    def __init__(self, home: str | Path | None = None, *, patience: float = PATIENCE) -> None:
        self.home = Path(settings().home if home is None else home).absolute()
        self.store = open_store(self.home)
        self._database = open_database(self.home, patience=patience)

    def close(self) -> None:
        """Close the file; it is opened again when needed."""
        self._database.close()

    def submit(
        self,
        request: Request,
        *,
        owner: str,
        title: str,
        cost: Cost,
        notes: Sequence[str] = (),
        link: str = "",
    ) -> Job:
        """Ask for a result; a run that waits, works or is done already is joined.

        Parameters
        ----------
        cost
            Upper bound of what the run takes; small runs go first.
        notes
            Put before the notes in the provenance of the result.
        link
            Address of the page that shows the result.

        Raises
        ------
        InvalidInputError
            If the method or a setting does not exist.
        LimitError
            If the person has, or all have, too many jobs, or the list is busy.
        """
        if not _OWNER.fullmatch(owner):
            raise InvalidInputError("A person's key has lower-case letters, digits, - and _ only.")
        wish = Wish(
            request, request.key, owner, title[:MAX_TITLE], link[:MAX_LINK], tuple(notes), cost
        )
        with self._database.writing() as connection:
            job_id = Entry(connection, self.store.has(wish.key)).enter(wish)
        self._wake()
        return self.get(job_id, owner)

    def get(self, job_id: str, owner: str) -> Job:
        """Return a job as it is now.

        Raises
        ------
        AccessError
            If the owner has no such job.
        """
        with self._database.reading() as connection:
            row = _row(connection, job_id, owner)
            ahead = _ahead(connection) if row["run_state"] == "queued" else {}
        return self._job(row, ahead)

    def jobs(self, owner: str) -> tuple[Job, ...]:
        """Return the jobs of a person, the newest first."""
        return self._jobs("WHERE owner = ?", (owner,))

    def everyone(self) -> tuple[Job, ...]:
        """Return the jobs of all people, the newest first; the caller checks the role."""
        return self._jobs("", ())

    def find(self, request: Request, owner: str) -> Job | None:
        """Return the job of a person for a request; None also where its result is gone."""
        with self._database.reading() as connection:
            row = connection.execute(
                f"{_VIEW} WHERE owner = ? AND jobs.key = ?", (owner, request.key)
            ).fetchone()
            ahead = {} if row is None else _ahead(connection)
        job = None if row is None else self._job(row, ahead)
        return None if job is not None and job.state == "done" and job.error else job

    def wait(self, job_id: str, owner: str, seconds: float) -> Job:
        """Return a job when it is over, or as it is after so many seconds.

        Raises
        ------
        AccessError
            If the owner has no such job.
        """
        deadline = time.monotonic() + seconds
        job = self.get(job_id, owner)
        while job.is_active and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(POLL_SECONDS, left))
            job = self.get(job_id, owner)
        return job

    def result(self, job_id: str, owner: str) -> Result:
        """Load the result of a finished job.

        Raises
        ------
        AccessError
            If the owner has no such job, or its result is no longer kept.
        InvalidInputError
            If the job is not finished.
        """
        with self._database.reading() as connection:
            row = _row(connection, job_id, owner)
        if row["state"] != "done":
            state = self._job(row, {}).state
            raise InvalidInputError(f"The job has no result: it is {state}; wait, or run it again.")
        result = self.store.get(row["key"])
        if result is None:
            raise AccessError(NO_RESULT)
        notes = (*json.loads(row["notes"]), *result.provenance.notes)
        return replace(
            result, provenance=result.provenance.model_copy(update={"notes": tuple(notes)})
        )

    def request(self, job_id: str, owner: str) -> Request:
        """Return what a job asks.

        Raises
        ------
        AccessError
            If the owner has no such job.
        """
        with self._database.reading() as connection:
            return wish_of(_row(connection, job_id, owner)).request

    def preview(self, job_id: str, owner: str) -> Result | None:
        """Load what a run knows so far, or knew when it was stopped; None where it told nothing.

        Raises
        ------
        AccessError
            If the owner has no such job.
        """
        with self._database.reading() as connection:
            row = _row(connection, job_id, owner)
        return self.store.preview(row["key"])

    def cancel(self, job_id: str, owner: str) -> Job:
        """Stop wanting a job; the run stops when nobody else wants it. Ended jobs stay as they are.

        Raises
        ------
        AccessError
            If the owner has no such job.
        """
        with self._database.writing() as connection:
            row = _row(connection, job_id, owner)
            if row["state"] == OPEN:
                _detach(connection, row)
        return self.get(job_id, owner)

    def rerun(self, job_id: str, owner: str) -> Job:
        """Run a job again that came to nothing or whose result is gone; else leave it.

        Raises
        ------
        AccessError
            If the owner has no such job.
        LimitError
            As ``submit``.
        """
        with self._database.reading() as connection:
            row = _row(connection, job_id, owner)
        wish = wish_of(row)
        with self._database.writing() as connection:
            # After an update of the workbench it is another run.
            if row["key"] != wish.key and row["state"] != OPEN:
                connection.execute(
                    "UPDATE OR IGNORE jobs SET key = ? WHERE id = ?", (wish.key, job_id)
                )
            entry = Entry(connection, self.store.has(wish.key), despite_crashes=True)
            entered = entry.enter(wish)
        self._wake()
        return self.get(entered, owner)

    def remove(self, job_id: str, owner: str) -> None:
        """Forget a job, and its result where nobody else has it.

        Raises
        ------
        AccessError
            If the owner has no such job.
        """
        with self._database.writing() as connection:
            row = _row(connection, job_id, owner)
            if row["state"] == OPEN:
                _detach(connection, row)
            connection.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
            others = connection.execute("SELECT 1 FROM jobs WHERE key = ?", (row["key"],))
            if others.fetchone() is None:
                forget_runs(connection)
                self.store.remove(row["key"])

    def speed(self, model_digest: str, pace: str, device: str) -> float | None:
        """Seconds per evaluation of the cost that was stated, from earlier runs; None at first.

        Parameters
        ----------
        pace
            Of the request: what runs of about one speed have in common.
        """
        with self._database.reading() as connection:
            found = connection.execute(
                "SELECT seconds FROM speeds WHERE model_digest = ? AND method = ? AND device = ?",
                (model_digest, pace, device),
            ).fetchone()
        return None if found is None else found["seconds"]

    def waiting_devices(self) -> set[str]:
        """Return the devices that runs wait for."""
        with self._database.reading() as connection:
            found = connection.execute("SELECT DISTINCT device FROM runs WHERE state = 'queued'")
            return {row["device"] for row in found}

    def _jobs(self, where: str, values: tuple[str, ...]) -> tuple[Job, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(
                f"{_VIEW} {where} ORDER BY jobs.created DESC, jobs.rowid DESC", values
            ).fetchall()
            ahead = _ahead(connection)
        return tuple(self._job(row, ahead) for row in rows)

    def _job(self, row: sqlite3.Row, ahead: Mapping[str, int]) -> Job:
        is_open = row["state"] == OPEN
        state: State = row["run_state"] if is_open else row["state"]
        error = row["error"]
        if state == "done" and not self.store.has(row["key"]):
            error = NO_RESULT
        return Job(
            id=row["id"], owner=row["owner"], key=row["key"], method=row["method"],
            title=row["title"], link=row["link"], state=state, done=row["done"],
            total=row["total"], message=row["message"], created=row["created"],
            started=row["run_started"] if is_open else row["started"], finished=row["finished"],
            error=error, evaluations=row["evaluations"], n_bytes=row["n_bytes"],
            device=row["device"], position=ahead.get(row["key"], 0) if is_open else 0,
            seconds=row["seconds"],
        )  # fmt: skip

    def _wake(self) -> None:
        if wake := WAKERS.get(self.home):
            wake()


def _row(connection: sqlite3.Connection, job_id: str, owner: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute(
        f"{_VIEW} WHERE jobs.id = ? AND owner = ?", (job_id, owner)
    ).fetchone()
    if row is None:
        raise AccessError(NO_JOB)
    return row


def _ahead(connection: sqlite3.Connection) -> dict[str, int]:
    """For each run that waits, how many go before it on its device."""
    ahead: dict[str, int] = {}
    seen: Counter[str] = Counter()
    for run in waiting_runs(connection):
        ahead[run.key] = seen[run.device]
        seen[run.device] += 1
    return ahead


def _detach(connection: sqlite3.Connection, row: sqlite3.Row) -> None:
    """Take one job off its run, and stop the run if it was the last."""
    connection.execute(
        "UPDATE jobs SET state = 'cancelled', started = ?, finished = ? WHERE id = ?",
        (row["run_started"], time.time(), row["id"]),
    )
    others = connection.execute(
        "SELECT 1 FROM jobs WHERE key = ? AND state = 'open'", (row["key"],)
    ).fetchone()
    if others is None:
        connection.execute(
            "UPDATE runs SET state = 'cancelled' WHERE key = ? AND state = 'queued'", (row["key"],)
        )
        connection.execute(
            "UPDATE runs SET stop = 1 WHERE key = ? AND state = 'running'", (row["key"],)
        )
