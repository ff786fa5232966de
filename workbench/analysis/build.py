"""The process that writes one report: ``python -m workbench.analysis.build FOLDER``.

It lives as long as the server that started it: the end of its standard input says that the server
is gone.
"""

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from workbench.analysis.building import LOCK, ORDER, OUT, Order, tell
from workbench.analysis.folder import REPORT
from workbench.analysis.run import run_analysis
from workbench.analysis.yaml_file import parse_analysis
from workbench.core.errors import WorkbenchError
from workbench.core.results import Result
from workbench.jobs.lock import FileLock
from workbench.jobs.queue import Queue
from workbench.jobs.request import registered_methods
from workbench.operations.logs import configure_logs, incident
from workbench.report.pdf import write_pdf

TELL_SECONDS = 0.2
KINDNESS = 5  # pages and jobs go first
_log = logging.getLogger("workbench.reports")


class _Progress:
    """Says how far it is, a few times a second."""

    def __init__(self, folder: Path, started: float) -> None:
        self._folder, self._started, self._last = folder, started, 0.0

    def __call__(self, done: int, total: int, message: str) -> None:
        now = time.monotonic()
        if now - self._last < TELL_SECONDS:
            return
        self._last = now
        percent = int(100 * done / max(total, 1))
        tell(
            self._folder, "running", percent=percent, message=message.removeprefix("per cent, "),
            started=self._started,
        )  # fmt: skip


def build(order: Order, folder: Path) -> None:
    """Write everything that an order asks for, and say how it ended."""
    progress, error = _Progress(folder, time.time()), ""
    try:
        run = run_analysis(
            parse_analysis(order.analysis), out=folder / OUT, owner=order.owner,
            earlier=_results(order), progress=progress,
        )  # fmt: skip
        if order.pdf:
            progress(95, 100, "printing")
            try:
                write_pdf(run.document, folder / OUT / f"{REPORT}.pdf")
            except WorkbenchError as fault:  # the other files are there nevertheless
                error = str(fault)
        error = " ".join(filter(None, (*run.faults, error)))
        tell(folder, "done", percent=100, error=error)
    except WorkbenchError as fault:
        tell(folder, "failed", error=str(fault))
    except Exception:
        tell(
            folder, "failed",
            error=f"Something went wrong on our side (incident "
            f"{incident(_log, 'a report could not be written')}); send this number to whoever "
            "runs this workbench.",
        )  # fmt: skip


def _results(order: Order) -> Mapping[str, Result]:
    """Return the results of the jobs that are still there, by key of what was asked."""
    queue, found = Queue(), {}
    for job in order.jobs:
        try:
            found[queue.request(job, order.owner).key] = queue.result(job, order.owner)
        except WorkbenchError:  # its result made room for others: the step is computed again
            continue
    queue.close()
    return found


def main() -> None:
    """Write the report that a folder asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    configure_logs()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    os.nice(KINDNESS)
    lock = FileLock(folder / LOCK)
    if not lock.acquire():
        return
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    registered_methods()
    build(Order.model_validate_json((folder / ORDER).read_bytes()), folder)


def _end_with_the_server() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
