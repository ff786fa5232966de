"""A report that a server has written: in a process of its own, and seen from every tab.

To write a report takes seconds, and a browser that prints it. The process is told in a file what
to write, says in another how far it is, and ends with the server that started it.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.analysis.folder import ANALYSIS, NOTEBOOK, REPORT
from workbench.core.errors import LimitError
from workbench.core.files import replacing
from workbench.jobs.lock import FileLock
from workbench.jobs.request import versions
from workbench.jobs.service import environment

ORDER, STATE, LOCK, OUT = "order.json", "state.json", "lock", "run"
FILES = {
    "html": f"{REPORT}.html", "pdf": f"{REPORT}.pdf", "json": f"{REPORT}.json",
    "zip": f"{REPORT}.zip", "ipynb": NOTEBOOK, "yaml": ANALYSIS,
}  # fmt: skip
# A process that was just started has not yet taken its lock.
STARTING_SECONDS = 30.0
TERMINATE_SECONDS = 5.0
# Each takes a core, and a browser for a while; pages and jobs want theirs.
AT_ONCE = 2
_processes: dict[Path, subprocess.Popen[bytes]] = {}
_changing = threading.Lock()

BuildState = Literal["none", "running", "done", "failed", "cancelled", "interrupted"]


class Order(BaseModel):
    """What to write: an analysis, and where the results of its steps are.

    Attributes
    ----------
    analysis
        Text of the analysis file.
    jobs
        Finished jobs whose results are taken, so that their steps are not computed again.
    pdf
        Whether to print the report as well.
    program
        Versions of the program: what an older one wrote is not this order's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: str
    analysis: str
    jobs: tuple[str, ...] = ()
    pdf: bool = False
    program: dict[str, str] = Field(default_factory=versions)


class _Told(BaseModel):
    """What the process says of itself."""

    model_config = ConfigDict(extra="ignore")

    state: BuildState = "none"
    percent: int = 0
    message: str = ""
    error: str = ""
    started: float = 0.0


@dataclass(frozen=True)
class Build:
    """How far the writing of a report is.

    Attributes
    ----------
    error
        One sentence where it came to nothing, or where a part of it did.
    files
        What is written, by suffix.
    """

    state: BuildState = "none"
    percent: int = 0
    message: str = ""
    error: str = ""
    files: dict[str, Path] = field(default_factory=dict)


def find_build(order: Order, folder: Path) -> Build:
    """Tell how far an order is; nothing where it was not given, or gave way to a later one."""
    if _order_in(folder) != order:
        return Build()
    told = _told(folder)
    if told.state == "running" and not _is_alive(folder, told):
        return Build("interrupted")
    files = {}
    if told.state == "done":
        paths = {suffix: folder / OUT / name for suffix, name in FILES.items()}
        files = {suffix: path for suffix, path in paths.items() if path.is_file()}
    return Build(told.state, told.percent, told.message, told.error, files)


def start_build(order: Order, folder: Path) -> None:
    """Have an order written into a folder of its own, unless that is under way.

    What was written there before is removed: a person has one report at a time.

    Raises
    ------
    LimitError
        If as many others are being written as may be at once.
    """
    with _changing:
        if find_build(order, folder).state == "running":
            return
        others = [process for place, process in _processes.items() if place != folder]
        if sum(process.poll() is None for process in others) >= AT_ONCE:
            raise LimitError(
                f"{AT_ONCE} other reports are being written at this moment; try again in a minute."
            )
        _stop(folder)
        shutil.rmtree(folder / OUT, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        tell(folder, "running", started=time.time())
        with replacing(folder / ORDER) as part:
            part.write_text(order.model_dump_json(), encoding="utf-8")
        _processes[folder] = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", "workbench.analysis.build", str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment(),
            start_new_session=True,
        )  # fmt: skip


def cancel_build(folder: Path) -> None:
    """Stop what is being written; nothing of it is left."""
    with _changing:
        if _told(folder).state == "running":
            _stop(folder)
            tell(folder, "cancelled")


def tell(folder: Path, state: BuildState, **more: object) -> None:
    """Say how far it is."""
    with replacing(folder / STATE) as part:
        part.write_text(json.dumps({"state": state, **more}), encoding="utf-8")


def _stop(folder: Path) -> None:
    """End the process of a folder that this server started, and the browser that it has."""
    process = _processes.pop(folder, None)
    if process is None:
        return
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            with suppress(OSError):
                os.killpg(process.pid, sign)
            with suppress(subprocess.TimeoutExpired):
                process.wait(TERMINATE_SECONDS)
    if process.stdin is not None:
        process.stdin.close()


def _is_alive(folder: Path, told: _Told) -> bool:
    process = _processes.get(folder)
    if process is not None:
        return process.poll() is None
    is_new = time.time() - told.started < STARTING_SECONDS
    return is_new or FileLock(folder / LOCK).is_held()


def _order_in(folder: Path) -> Order | None:
    try:
        return Order.model_validate_json((folder / ORDER).read_bytes())
    except (OSError, ValidationError):
        return None


def _told(folder: Path) -> _Told:
    try:
        return _Told.model_validate_json((folder / STATE).read_bytes())
    except (OSError, ValidationError):
        return _Told()
