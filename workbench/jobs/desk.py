"""The list of jobs as a worker uses it: take a run, report, end it."""

import os
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from workbench.jobs.database import open_database
from workbench.jobs.job import State
from workbench.jobs.order import read_turns, waiting_runs
from workbench.jobs.request import Request

CRASHED = "The process that ran this job ended unexpectedly; run the job again."
# A run this short tells little about the speed of the next one.
TELLING_SECONDS = 0.5


@dataclass(frozen=True)
class Claim:
    """A run that a worker has taken.

    Attributes
    ----------
    attempt
        Counts up; a report under an older number changes nothing.
    asked
        Who wants it, with the request in the words of each: whoever asked first may have removed
        the model in the meantime, which is no reason to fail the others.
    """

    key: str
    attempt: int
    evaluations: int
    asked: tuple[tuple[str, Request], ...]

    @property
    def pace(self) -> str:
        """What runs of about this speed have in common; empty where nobody asks any more."""
        return self.asked[0][1].pace if self.asked else ""


class Desk:
    """What the worker of one device does with the list; it holds the lock of the device.

    Raises
    ------
    LimitError
        From every call, if the list is busy or there is no room.
    """

    def __init__(self, home: Path, device: str) -> None:
        self.device = device
        self._database = open_database(home)

    def recover(self) -> int:
        """Mark what a worker that is gone left running; return how many runs those were.

        The run that it was at last is the one that may have ended it.
        """
        with self._database.writing() as connection:
            left = connection.execute(
                "SELECT key, attempt FROM runs WHERE state = 'running' AND device = ? "
                "ORDER BY started DESC",
                (self.device,),
            ).fetchall()
            for place, run in enumerate(left):
                connection.execute(
                    "UPDATE runs SET crashes = crashes + ? WHERE key = ?", (place == 0, run["key"])
                )
        for run in left:
            claim = Claim(run["key"], run["attempt"], 0, ())
            self.end(claim, "interrupted", error=CRASHED)
        return len(left)

    def claim(self, *, small: bool = False) -> Claim | None:
        """Take the next run of this device; only a small one if so asked."""
        with self._database.reading() as connection:  # most looks find nothing and lock nobody
            if not self._next(connection, small=small):
                return None
        with self._database.writing() as connection:
            found = self._next(connection, small=small)
            if not found:
                return None
            key, owner = found
            connection.execute(
                "INSERT OR REPLACE INTO turns SELECT ?, 1 + coalesce(max(turn), 0) FROM turns",
                (owner,),
            )
            connection.execute(
                "UPDATE runs SET state = 'running', started = ?, worker = ?, stop = 0, "
                "attempt = attempt + 1 WHERE key = ?",
                (time.time(), f"{self.device}:{os.getpid()}", key),
            )
            run = connection.execute("SELECT * FROM runs WHERE key = ?", (key,)).fetchone()
            jobs = connection.execute(
                "SELECT owner, request FROM jobs WHERE key = ? AND state = 'open' ORDER BY created",
                (key,),
            ).fetchall()
        asked = tuple((j["owner"], Request.model_validate_json(j["request"])) for j in jobs)
        return Claim(key, run["attempt"], run["evaluations"], asked)

    def _next(self, connection: sqlite3.Connection, *, small: bool) -> tuple[str, str] | None:
        for run in waiting_runs(connection):
            if run.device == self.device and (run.priority == 0 or not small):
                return run.key, run.next_owner(read_turns(connection))
        return None

    def report(self, claim: Claim, done: int, total: int, message: str) -> None:
        """Write how far a run is."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE runs SET done = ?, total = ?, message = ? WHERE key = ? AND attempt = ?",
                (done, total, message, claim.key, claim.attempt),
            )

    def is_wanted(self, claim: Claim) -> bool:
        """Tell whether somebody still waits for the run."""
        with self._database.reading() as connection:
            run = connection.execute(
                "SELECT stop FROM runs WHERE key = ? AND attempt = ? AND state = 'running'",
                (claim.key, claim.attempt),
            ).fetchone()
        return run is not None and not run["stop"]

    def end(
        self,
        claim: Claim,
        state: State,
        *,
        error: str = "",
        seconds: float | None = None,
        stopped: float | None = None,
    ) -> None:
        """End a run and all jobs that wait for it.

        Parameters
        ----------
        seconds
            How long it took, where it was done.
        stopped
            When it was told to stop; it goes back into the queue if it was asked for since.
        """
        now = time.time()
        with self._database.writing() as connection:
            run = connection.execute(
                "SELECT * FROM runs WHERE key = ? AND attempt = ? AND state = 'running'",
                (claim.key, claim.attempt),
            ).fetchone()
            if run is None:
                return
            since = connection.execute(
                "SELECT 1 FROM jobs WHERE key = ? AND state = 'open' AND asked > ?",
                (claim.key, now if stopped is None else stopped),
            ).fetchone()
            if since is not None:
                connection.execute(
                    "UPDATE runs SET state = 'queued', stop = 0 WHERE key = ?", (claim.key,)
                )
                return
            connection.execute(
                "UPDATE runs SET state = ?, crashes = CASE ? WHEN 'interrupted' THEN crashes "
                "ELSE 0 END, done = CASE ? WHEN 'done' THEN total ELSE done END WHERE key = ?",
                (state, state, state, claim.key),
            )
            connection.execute(
                "UPDATE jobs SET state = ?, error = ?, started = ?, finished = ?, seconds = ? "
                "WHERE key = ? AND state = 'open'",
                (state, error, run["started"], now, seconds, claim.key),
            )
            if seconds is not None and seconds >= TELLING_SECONDS and run["evaluations"]:
                connection.execute(
                    "INSERT OR REPLACE INTO speeds VALUES (?, ?, ?, ?)",
                    (run["model_digest"], claim.pace or run["method"], self.device,
                     seconds / run["evaluations"]),
                )  # fmt: skip

    def refuse(self, reason: str) -> int:
        """End every run that waits for this device, which nobody serves; return how many."""
        with self._database.writing() as connection:
            keys = [run.key for run in waiting_runs(connection) if run.device == self.device]
            for key in keys:
                connection.execute("UPDATE runs SET state = 'failed' WHERE key = ?", (key,))
                connection.execute(
                    "UPDATE jobs SET state = 'failed', error = ?, finished = ? WHERE key = ? AND "
                    "state = 'open'",
                    (reason, time.time(), key),
                )
        return len(keys)

    def close(self) -> None:
        """Close the file."""
        self._database.close()
