"""The file that holds the list of jobs: one small SQLite database, shared by processes."""

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.core.errors import InvalidInputError, LimitError
from workbench.jobs.lock import FileLock

FORMAT = 1
PATIENCE = 5.0
SIDE_FILES = ("", "-wal", "-shm")
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_SCHEMA = """
CREATE TABLE runs (
    key TEXT PRIMARY KEY, method TEXT NOT NULL, model_digest TEXT NOT NULL, device TEXT NOT NULL,
    state TEXT NOT NULL, priority INTEGER NOT NULL, evaluations INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0, total INTEGER NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '', queued REAL NOT NULL, started REAL,
    worker TEXT NOT NULL DEFAULT '',
    attempt INTEGER NOT NULL DEFAULT 0, crashes INTEGER NOT NULL DEFAULT 0,
    stop INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX runs_by_state ON runs (state, device);
CREATE TABLE jobs (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL,
    method TEXT NOT NULL, title TEXT NOT NULL, link TEXT NOT NULL, notes TEXT NOT NULL,
    evaluations INTEGER NOT NULL, n_bytes INTEGER NOT NULL, created REAL NOT NULL,
    asked REAL NOT NULL, state TEXT NOT NULL, error TEXT NOT NULL DEFAULT '', started REAL,
    finished REAL, seconds REAL, UNIQUE (owner, key)
);
CREATE INDEX jobs_by_key ON jobs (key, state);
CREATE TABLE turns (owner TEXT PRIMARY KEY, turn INTEGER NOT NULL);
CREATE TABLE submissions (owner TEXT NOT NULL, time REAL NOT NULL);
CREATE INDEX submissions_by_owner ON submissions (owner, time);
CREATE TABLE speeds (
    model_digest TEXT NOT NULL, method TEXT NOT NULL, device TEXT NOT NULL, seconds REAL NOT NULL,
    PRIMARY KEY (model_digest, method, device)
);
"""
_log = logging.getLogger("workbench.jobs")


class Database:
    """Short transactions on a file that may be locked, damaged, or replaced while it is open.

    A damaged file is moved aside and a new one started: the list of jobs is lost then, results
    are not, since they lie elsewhere under keys that a new job finds again.

    Parameters
    ----------
    patience
        Seconds to wait for a lock that someone else holds.
    """

    def __init__(self, path: Path, *, patience: float = PATIENCE) -> None:
        self.path = path
        self._patience = patience
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._turn = threading.RLock()

    def close(self) -> None:
        """Close the file; the next transaction opens it again."""
        with self._turn:
            if self._connection is not None:
                with suppress(sqlite3.Error):
                    self._connection.close()
            self._connection = self._file = None

    def __del__(self) -> None:
        # A command or a page that looked at the list once need not end it itself.
        self.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that sees one state of the list.

        Raises
        ------
        LimitError
            If the list is busy, damaged or cannot be read.
        """
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that nobody else writes beside; all of the block happens, or nothing.

        Raises
        ------
        LimitError
            If the list is busy, damaged, or there is no room.
        """
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._turn:
            connection = self._open()
            try:
                connection.execute(begin)
                yield connection
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise self._sentence(error) from error
            finally:
                with suppress(sqlite3.Error):
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._file == _identity(self.path):
            return self._connection
        self.close()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = FileLock(self.path.with_suffix(".lock"))
            lock.acquire(wait=True)  # one process at a time makes, checks or moves the file
        except OSError as error:
            raise InvalidInputError(
                f"The folder {str(self.path.parent)!r} cannot be written to ({error.strerror}); "
                "let WORKBENCH_HOME name one that can."
            ) from None
        try:
            self._connection = self._opened()
            self._file = _identity(self.path)
        except sqlite3.Error as error:
            raise self._sentence(error) from error
        finally:
            lock.release()
        return self._connection

    def _opened(self) -> sqlite3.Connection:
        for _ in range(2):
            connection = sqlite3.connect(
                self.path, timeout=self._patience, isolation_level=None, check_same_thread=False
            )
            try:
                connection.row_factory = sqlite3.Row
                if connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok":
                    _make(connection, self.path)
                    return connection
            except sqlite3.Error as error:
                connection.close()
                if _code(error) not in _DAMAGE:
                    raise
            except BaseException:
                connection.close()
                raise
            connection.close()
            self._move_aside()
        raise LimitError(
            f"The list of jobs {str(self.path)!r} is damaged as soon as it is written; check the "
            "disk."
        )

    def _move_aside(self) -> None:
        aside = self.path.with_name(f"{self.path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
        for ending in SIDE_FILES:  # what SQLite keeps beside a file must not meet the new one
            part = self.path.with_name(self.path.name + ending)
            with suppress(FileNotFoundError):
                part.replace(aside.with_name(aside.name + ending))
        _log.error(
            "The list of jobs was damaged and lies in %s now; a new one was started, and finished "
            "results are still there.", aside,
        )  # fmt: skip

    def _sentence(self, error: sqlite3.Error) -> LimitError:
        code = _code(error)
        if code in _BUSY:
            return LimitError("The list of jobs is busy; try again in a moment.")
        if code in _DAMAGE:
            self.close()  # the next transaction checks the file and moves it aside
            return LimitError("The list of jobs is damaged and a new one is started; try again.")
        if isinstance(error, sqlite3.OperationalError):
            return LimitError(
                f"The list of jobs {str(self.path)!r} cannot be read or written ({error}); look "
                "for room on the disk and for permissions."
            )
        raise error


def jobs_folder(home: Path) -> Path:
    """Return where the list of jobs and the locks of the workers are."""
    return home / "jobs"


def open_database(home: Path, *, patience: float = PATIENCE) -> Database:
    """Return the list of jobs of a home folder."""
    return Database(jobs_folder(home) / "queue.db", patience=patience)


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


def _make(connection: sqlite3.Connection, path: Path) -> None:
    """Give a new file its tables; refuse one from the future."""
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > FORMAT:
        raise InvalidInputError(
            f"The list of jobs {str(path)!r} has format {found}, this version reads up to "
            f"{FORMAT}; update the workbench, or let WORKBENCH_HOME name another folder."
        )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    if found < FORMAT:
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {FORMAT};"
                                 "COMMIT;")  # fmt: skip
