"""How a request enters the list of jobs: joined to what is there, or within the limits."""

import json
import secrets
import sqlite3
import time
from dataclasses import dataclass

from workbench.core.errors import LimitError
from workbench.core.method import Cost
from workbench.core.settings import settings
from workbench.jobs.job import ACTIVE
from workbench.jobs.request import Request

# A job is ``open`` while its run waits or works; then it keeps the state in which the run ended.
OPEN = "open"
SMALL_EVALUATIONS = 10_000_000
SMALL_SECONDS = 10.0
HOUR = 3600.0
KEPT_JOBS = 500
MAX_CRASHES = 2


@dataclass(frozen=True)
class Wish:
    """A request with all that goes into the list."""

    request: Request
    key: str
    owner: str
    title: str
    link: str
    notes: tuple[str, ...]
    cost: Cost


def wish_of(row: sqlite3.Row) -> Wish:
    """Return what a job in the list was submitted as."""
    request = Request.model_validate_json(row["request"])
    return Wish(
        request, request.key, row["owner"], row["title"], row["link"],
        tuple(json.loads(row["notes"])), Cost(row["evaluations"], row["n_bytes"]),
    )  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """How a wish enters the list, within one transaction.

    Attributes
    ----------
    stored
        Whether the result is there already.
    despite_crashes
        Whether to run once more what has ended its worker again and again.
    """

    connection: sqlite3.Connection
    stored: bool
    despite_crashes: bool = False

    def enter(self, wish: Wish) -> str:
        """Return the id of the job that stands for the wish."""
        job = self.connection.execute(
            "SELECT * FROM jobs WHERE owner = ? AND key = ?", (wish.owner, wish.key)
        ).fetchone()
        run = self.connection.execute("SELECT * FROM runs WHERE key = ?", (wish.key,)).fetchone()
        if job is not None and (job["state"] == OPEN or (job["state"] == "done" and self.stored)):
            return self._write(wish, job, job["state"])
        if self.stored:
            self._run(wish, run, "done")
            return self._write(wish, job, "done")
        crashes = 0 if run is None or run["state"] != "interrupted" else run["crashes"]
        if crashes >= MAX_CRASHES and not self.despite_crashes:
            error = (
                f"This job ended the process that ran it {crashes} times in a row; change it, or "
                "run it again from the list of jobs."
            )
            return self._write(wish, job, "interrupted", error)
        self._check_limits(wish.owner, is_new=run is None or run["state"] not in ACTIVE)
        self._run(wish, run, "queued")
        self.connection.execute("INSERT INTO submissions VALUES (?, ?)", (wish.owner, time.time()))
        return self._write(wish, job, OPEN)

    def _check_limits(self, owner: str, *, is_new: bool) -> None:
        limits, now = settings(), time.time()
        self.connection.execute("DELETE FROM submissions WHERE time < ?", (now - HOUR,))
        count, oldest = self.connection.execute(
            "SELECT count(*), min(time) FROM submissions WHERE owner = ?", (owner,)
        ).fetchone()
        if count >= limits.jobs_per_hour:
            minutes = max(1, round((oldest + HOUR - now) / 60))
            raise LimitError(
                f"You submitted {count:,} jobs within an hour, as many as one person may (setting "
                f"jobs_per_hour); try again in {minutes} minute{'s' * (minutes > 1)}."
            )
        if (own := self._count("jobs WHERE state = 'open' AND owner = ?", owner)) >= (
            limits.jobs_per_user
        ):
            raise LimitError(
                f"You have {own:,} jobs that wait or run, as many as one person may (setting "
                "jobs_per_user); wait for one to end, or cancel one."
            )
        if is_new and (queued := self._count("runs WHERE state = 'queued'")) >= limits.queue_length:
            raise LimitError(
                f"{queued:,} jobs are waiting, as many as this server takes (setting "
                "queue_length); try again later."
            )

    def _count(self, what: str, *values: str) -> int:
        sql = f"SELECT count(*) FROM {what}"  # noqa: S608 - words of ours
        return int(self.connection.execute(sql, values).fetchone()[0])

    def _run(self, wish: Wish, run: sqlite3.Row | None, state: str) -> None:
        """Make the run, or bring it into a state; one at work goes on for whoever joins."""
        if run is not None and run["state"] in ACTIVE:
            self.connection.execute("UPDATE runs SET stop = 0 WHERE key = ?", (wish.key,))
            return
        if run is None:
            self.connection.execute(
                "INSERT INTO runs (key, method, model_digest, device, state, priority, "
                "evaluations, queued) VALUES (?, ?, ?, ?, ?, 0, 0, 0)",
                (wish.key, wish.request.method, wish.request.model_digest, wish.request.device,
                 state),
            )  # fmt: skip
        self.connection.execute(
            "UPDATE runs SET state = ?, device = ?, priority = ?, evaluations = ?, queued = ?, "
            "done = ?, total = ?, message = '', started = NULL, stop = 0 WHERE key = ?",
            (state, wish.request.device, self._priority(wish), wish.cost.evaluations, time.time(),
             wish.cost.evaluations if state == "done" else 0, wish.cost.evaluations, wish.key),
        )  # fmt: skip

    def _priority(self, wish: Wish) -> int:
        """0 for a run that takes seconds, as far as is known; 1 for others."""
        speed = self.connection.execute(
            "SELECT seconds FROM speeds WHERE model_digest = ? AND method = ? AND device = ?",
            (wish.request.model_digest, wish.request.pace, wish.request.device),
        ).fetchone()
        is_slow = speed is not None and speed["seconds"] * wish.cost.evaluations > SMALL_SECONDS
        return int(is_slow or wish.cost.evaluations > SMALL_EVALUATIONS)

    def _write(self, wish: Wish, job: sqlite3.Row | None, state: str, error: str = "") -> str:
        now = time.time()
        notes = json.dumps(wish.notes)
        if (
            job is not None and job["state"] == state and not error
        ):  # nothing new but perhaps the words
            self.connection.execute(
                "UPDATE jobs SET title = ?, link = ?, notes = ?, asked = ? WHERE id = ?",
                (wish.title, wish.link, notes, now, job["id"]),
            )
            return str(job["id"])
        # A letter first, so that an id is never taken for an option on a command line.
        job_id = f"j{secrets.token_urlsafe(16)}" if job is None else str(job["id"])
        is_over = state != OPEN
        self.connection.execute(
            "INSERT OR REPLACE INTO jobs VALUES "
            "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (job_id, wish.owner, wish.key, wish.request.model_dump_json(), wish.request.method,
             wish.title, wish.link, notes, wish.cost.evaluations, wish.cost.n_bytes, now, now,
             state, error, None, now if is_over else None, None),
        )  # fmt: skip
        _keep_few(self.connection, wish.owner)
        return job_id


def _keep_few(connection: sqlite3.Connection, owner: str) -> None:
    """Forget the oldest ended jobs of a person; their results stay as long as there is room."""
    gone = connection.execute(
        "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE owner = ? AND state != 'open' "
        "ORDER BY created DESC, rowid DESC LIMIT -1 OFFSET ?)",
        (owner, KEPT_JOBS),
    )
    if gone.rowcount:
        forget_runs(connection)


def forget_runs(connection: sqlite3.Connection) -> None:
    """Forget ended runs that no job refers to."""
    connection.execute(
        "DELETE FROM runs WHERE state NOT IN ('queued', 'running') AND key NOT IN "
        "(SELECT key FROM jobs)"
    )
