"""The process that runs the jobs of one device: ``python -m workbench.jobs.worker``.

It lives as long as the server that started it: a line on its standard input says that there is
work, the end of the input that the server is gone, however it went.
"""

import argparse
import contextlib
import logging
import os
import secrets
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from workbench.core.errors import CancelledError, LimitError, WorkbenchError
from workbench.core.results import Result
from workbench.core.settings import settings
from workbench.jobs.database import jobs_folder
from workbench.jobs.desk import Claim, Desk
from workbench.jobs.job import State
from workbench.jobs.lock import FileLock
from workbench.jobs.request import registered_methods, versions
from workbench.jobs.store import open_store
from workbench.jobs.work import Sources, Work, compute, prepare
from workbench.numerics.devices import is_out_of_memory
from workbench.operations.logs import configure_logs

DEVICE_IS_SERVED = 75
IDLE_SECONDS = 0.25
REPORT_SECONDS = 0.2
# Telling what is known so far may take this share of the time of a run.
PREVIEW_SECONDS = 0.4
PREVIEW_SHARE = 0.05
# However long a small run took, a large one it interrupted need not work longer than this before
# the next small one.
MOST_CATCHING_UP = 1.0
RETRY_SECONDS = 1.0
LOCK_TRIES, LOCK_SECONDS = 10, 0.05
STOPPED = "The workbench was stopped while this job ran; run the job again."
UPDATED = "The workbench was updated after this job was submitted; run the job again."
OUT_OF_MEMORY = (
    "The job needed more memory than there is; explain fewer rows, or take fewer background rows."
)
_log = logging.getLogger("workbench.jobs")


def lock_path(home: Path, device: str) -> Path:
    """Return the file whose lock the worker of a device holds."""
    return jobs_folder(home) / f"worker-{device.replace(':', '-')}.lock"


class _StoppedError(CancelledError):
    """The worker has to end."""


class Signals:
    """What reaches the worker from outside.

    Attributes
    ----------
    work
        There may be work.
    closing
        It has to end.
    seen
        When the server was surely there the last time. What was asked for since may have been
        asked of the next one.
    """

    def __init__(self) -> None:
        self.work = threading.Event()
        self.closing = threading.Event()
        self._parent = os.getppid()
        self.seen = 0.0
        self._is_terminated = self._is_listening = False

    def listen(self) -> None:
        """Read standard input to its end, in a thread of its own."""
        self._is_listening = True
        threading.Thread(target=self._read, name="signals", daemon=True).start()

    @property
    def is_over(self) -> bool:
        """Whether to end: the server said so, or is gone, or somebody sent a signal."""
        now = time.time()
        if self._is_terminated or os.getppid() != self._parent or self._is_alone():
            self.close()
        if not self.closing.is_set():
            self.seen = now
        return self.closing.is_set()

    def close(self) -> None:
        """End at the next opportunity."""
        self.closing.set()
        self.work.set()

    def terminate(self) -> None:
        """End at the next opportunity; a signal may come while an event is locked."""
        self._is_terminated = True

    def _is_alone(self) -> bool:
        # The thread that reads is late where a core is busy or a library holds the interpreter.
        if not self._is_listening:
            return False
        ends = select.poll()
        ends.register(0, select.POLLHUP)
        return any(event & select.POLLHUP for _, event in ends.poll(0))

    def _read(self) -> None:
        # Not through sys.stdin, whose lock this thread would still hold while Python shuts down.
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                self.work.set()
        self.close()


class Worker:
    """Runs jobs one after the other, and small ones within large ones."""

    def __init__(self, home: Path, device: str, signals: Signals) -> None:
        self.signals = signals
        self.desk = Desk(home, device)
        self._store = open_store(home)
        # A run inside another one has models of its own: the other may have hooks on those it uses.
        self._sources = (Sources(), Sources())

    def serve(self) -> None:
        """Take and run jobs until told to end."""
        self._until_done(self._start)
        registered_methods()  # the first job need not wait for the engines
        versions()
        while not self.signals.is_over:
            try:
                claim = self.desk.claim()
            except LimitError as error:
                _log.warning("No job could be taken: %s", error)
                self.signals.closing.wait(RETRY_SECONDS)
                continue
            if claim is not None:
                self.run(claim)
                continue
            self.signals.work.wait(IDLE_SECONDS)
            self.signals.work.clear()
        self.desk.close()

    def run_small(self) -> float:
        """Run one small job if one waits; return the seconds that it took."""
        started = time.monotonic()
        try:
            claim = self.desk.claim(small=True)
        except LimitError:
            return 0.0
        if claim is None:
            return 0.0
        self.run(claim, within=True)
        return time.monotonic() - started

    def run(self, claim: Claim, *, within: bool = False) -> None:
        """Run one job to whatever end it comes to; nothing that it does ends the worker."""
        watch = _Watch(self, claim, within=within)
        try:
            result = self._result(claim, watch, self._sources[within])
            watch.check_wanted()
            self._store.put(claim.key, result)
            self._store.drop_preview(claim.key)
        except _StoppedError:
            self._end(claim, "interrupted", error=STOPPED, stopped=self.signals.seen)
        except CancelledError:
            self._end(claim, "cancelled", stopped=0.0)  # whoever still waits has asked since
        except WorkbenchError as error:
            self._end(claim, "failed", error=str(error))
        except Exception as error:  # a defect in an engine is the end of this job only
            self._end(claim, "failed", error=_sentence(claim, error))
        else:
            self._end(claim, "done", seconds=result.provenance.seconds)

    def keep_preview(self, claim: Claim, result: Result) -> None:
        """Keep what a run knows so far where the pages find it."""
        self._store.put_preview(claim.key, result)

    def _start(self) -> None:
        self._store.clean_up()
        if lost := self.desk.recover():
            _log.warning("%d jobs were interrupted when a worker ended unexpectedly.", lost)

    def _result(self, claim: Claim, watch: "_Watch", sources: Sources) -> Result:
        request = claim.asked[0][1]
        if request.key != claim.key:
            raise LimitError(UPDATED)
        watch.start()
        self._store.drop_preview(claim.key)
        result = compute(request, _prepare(claim, sources), watch, watch.preview)
        if watch.paused == 0:
            return result
        seconds = result.provenance.seconds - watch.paused
        record = result.provenance.model_copy(update={"seconds": seconds})
        return replace(result, provenance=record)

    def _end(
        self,
        claim: Claim,
        state: State,
        *,
        error: str = "",
        seconds: float | None = None,
        stopped: float | None = None,
    ) -> None:
        _log.info("Job %s: %s", claim.key[:12], state)
        self._until_done(
            lambda: self.desk.end(claim, state, error=error, seconds=seconds, stopped=stopped)
        )

    def _until_done(self, write: Callable[[], None]) -> None:
        """Write to the list of jobs, again and again while it is busy or the disk full.

        If the worker has to end before, the next one marks the job as interrupted.
        """
        while True:
            try:
                write()
            except LimitError as error:
                _log.warning("The list of jobs could not be written: %s", error)
            else:
                return
            if self.signals.closing.wait(RETRY_SECONDS):
                return


class _Watch:
    """Progress of one run: reports it, ends it, and lets small runs in between two batches."""

    def __init__(self, worker: Worker, claim: Claim, *, within: bool) -> None:
        self.paused = 0.0
        self._worker = worker
        self._claim = claim
        self._within = within
        self._minutes = settings().job_minutes
        self._deadline = self._next = self._next_small = self._next_preview = 0.0

    def start(self) -> None:
        """Start the clock."""
        now = time.monotonic()
        self._deadline = now + 60 * self._minutes
        self._next = now
        self._next_preview = now + PREVIEW_SECONDS

    def __call__(self, done: int, total: int, message: str) -> None:
        """Report, at most five times a second.

        Raises
        ------
        CancelledError
            If nobody wants the run any more.
        _StoppedError
            If the worker has to end.
        LimitError
            If it has taken too long.
        """
        signals = self._worker.signals
        if signals.closing.is_set():
            raise _StoppedError(STOPPED)
        now = time.monotonic()
        if signals.work.is_set():  # look at once, or as soon as the next small run may come in
            signals.work.clear()
            self._next = min(self._next, self._next_small)
        if now < self._next:
            return
        self._next = now + REPORT_SECONDS
        if signals.is_over:
            raise _StoppedError(STOPPED)
        with contextlib.suppress(LimitError):  # a list that is busy now is told the next time
            self._worker.desk.report(self._claim, done, total, message)
        self.check_wanted()
        if now > self._deadline:
            raise LimitError(
                f"The job ran for {self._minutes:g} minutes, the longest that one may run (setting "
                "job_minutes); explain fewer rows, or choose a smaller budget or background."
            )
        if not self._within and now >= self._next_small:
            self._let_a_small_one_in()

    def preview(self, make: Callable[[], Result]) -> None:
        """Keep what is known so far, so rarely that a run hardly takes longer for it."""
        started = time.monotonic()
        if started < self._next_preview:
            return
        self._worker.keep_preview(self._claim, make())
        ended = time.monotonic()
        self._next_preview = ended + max(PREVIEW_SECONDS, (ended - started) / PREVIEW_SHARE)

    def check_wanted(self) -> None:
        """Stop where nobody wants the result any more.

        Raises
        ------
        CancelledError
            If so.
        """
        with contextlib.suppress(LimitError):
            if not self._worker.desk.is_wanted(self._claim):
                raise CancelledError("Cancelled: nobody wants the result any more.")

    def _let_a_small_one_in(self) -> None:
        seconds = self._worker.run_small()
        if seconds == 0:
            return
        self.paused += seconds
        self._deadline += seconds
        self._next_small = time.monotonic() + min(seconds, MOST_CATCHING_UP)


def _prepare(claim: Claim, sources: Sources) -> Work:
    """Load what the run needs, as the first person who can."""
    *others, last = claim.asked
    for owner, request in others:
        with contextlib.suppress(WorkbenchError):
            return prepare(request, owner, sources)
    return prepare(last[1], last[0], sources)


def _sentence(claim: Claim, error: Exception) -> str:
    incident = secrets.token_hex(4)
    extra = {"incident": incident, "job": claim.key[:12]}
    _log.error("a job failed", exc_info=error, extra=extra)
    if is_out_of_memory(error):
        return OUT_OF_MEMORY
    return (
        f"The job failed for a reason that is no fault of yours; report incident {incident}, which "
        "the log of the server describes."
    )


def main(arguments: list[str] | None = None) -> int:
    """Serve one device until the server is gone; 75 if another worker serves it."""
    parser = argparse.ArgumentParser(prog="workbench.jobs.worker", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="Home folder.")
    parser.add_argument("--device", required=True, help="cpu, cuda:0 or mps.")
    given = parser.parse_args(arguments)
    home = given.home.absolute()
    os.environ["WORKBENCH_HOME"] = str(home)
    configure_logs()
    lock = FileLock(lock_path(home, given.device))
    if not _acquire(lock):
        return DEVICE_IS_SERVED
    signals = Signals()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which tells us
    signal.signal(signal.SIGTERM, lambda *_: signals.terminate())
    signals.listen()
    Worker(home, given.device, signals).serve()
    lock.release()
    return 0


def _acquire(lock: FileLock) -> bool:
    """Take the lock; others hold it for a moment to see whether anybody does."""
    for _ in range(LOCK_TRIES):
        if lock.acquire():
            return True
        time.sleep(LOCK_SECONDS)
    return False


if __name__ == "__main__":
    sys.exit(main())
