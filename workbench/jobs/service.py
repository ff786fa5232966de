"""Keeps one worker per device alive while the server lives."""

import atexit
import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workbench.core.errors import LimitError
from workbench.core.settings import settings
from workbench.jobs.desk import Desk
from workbench.jobs.lock import FileLock
from workbench.jobs.queue import WAKERS, Queue
from workbench.jobs.worker import DEVICE_IS_SERVED, lock_path

CHECK_SECONDS = 0.2
STOP_SECONDS = 10.0
TERMINATE_SECONDS = 3.0
# A worker that ends sooner than this did not get to work; the next one waits longer each time.
SOON_SECONDS = 20.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
_log = logging.getLogger("workbench.jobs")
_services: dict[Path, "Service"] = {}
_starting = threading.Lock()


@dataclass(frozen=True)
class WorkerState:
    """How a device is served: by our own process, by another server's, or not at present."""

    device: str
    state: Literal["running", "elsewhere", "down"]
    pid: int | None
    restarts: int


class _Post:
    """The worker of one device, and when to start the next one."""

    def __init__(self, home: Path, device: str) -> None:
        self.device = device
        self.restarts = -1
        self._home = home
        self._lock = FileLock(lock_path(home, device))
        self._process: subprocess.Popen[bytes] | None = None
        self._started = self._not_before = 0.0
        self._pause = 0.0

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def state(self) -> WorkerState:
        process = self._process
        if process is not None and process.poll() is None:
            return WorkerState(self.device, "running", process.pid, self.restarts)
        where: Literal["elsewhere", "down"] = "elsewhere" if self._lock.is_held() else "down"
        return WorkerState(self.device, where, None, max(0, self.restarts))

    def keep(self) -> None:
        """Start a worker unless there is one, here or in another server."""
        if self.is_alive:
            return
        now = time.monotonic()
        if self._process is not None:
            self._bury(self._process, now)
        if now >= self._not_before and not self._lock.is_held():
            self._start(now)

    def wake(self) -> None:
        process = self._process
        if process is not None and process.stdin is not None:
            with suppress(OSError, ValueError):  # it ended just now, or has lines enough to read
                os.write(process.stdin.fileno(), b"\n")

    def close(self) -> None:
        """Ask it to end after this batch."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    def end(self, deadline: float) -> None:
        """Wait until it has ended, and see to it."""
        process = self._process
        if process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, deadline - time.monotonic()))
            return
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(TERMINATE_SECONDS)
            return
        process.kill()
        process.wait()

    def _start(self, now: float) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", "workbench.jobs.worker", "--home", str(self._home),
             "--device", self.device],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, bufsize=0, env=environment(),
            start_new_session=True,
        )  # fmt: skip
        assert self._process.stdin is not None  # noqa: S101 - asked for above
        os.set_blocking(self._process.stdin.fileno(), False)
        self._started = now
        self.restarts += 1

    def _bury(self, process: subprocess.Popen[bytes], now: float) -> None:
        self.close()
        self._process = None
        lived_long = now - self._started >= SOON_SECONDS
        self._pause = 0.0 if lived_long else min(max(FIRST_PAUSE, 2 * self._pause), LONGEST_PAUSE)
        if process.returncode == DEVICE_IS_SERVED:  # another server was quicker
            self._pause = FIRST_PAUSE
        self._not_before = now + self._pause
        _log.warning(
            "The worker of %s ended with code %d; the next one starts in %.1f s.", self.device,
            process.returncode, self._pause,
        )  # fmt: skip


def environment() -> dict[str, str]:
    """Return ours for another process: threads wait politely, and it imports this very package."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    polite = {"GOMP_SPINCOUNT": "1000", "OMP_NUM_THREADS": str(count or 1)}
    places = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH")]
    return polite | dict(os.environ) | {"PYTHONPATH": os.pathsep.join(filter(None, places))}


class Service:
    """The workers of this machine's devices, restarted when they end.

    Attributes
    ----------
    queue
        The list of jobs that they work on.
    """

    def __init__(self, home: Path, devices: tuple[str, ...]) -> None:
        self.home = home
        self.queue = Queue(home)
        self._posts = tuple(_Post(home, device) for device in devices)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name="workers", daemon=True)
        self._thread.start()
        WAKERS[home] = self.wake

    def wake(self) -> None:
        """Tell the workers that there is work; without it they look four times a second."""
        for post in self._posts:
            post.wake()

    def workers(self) -> tuple[WorkerState, ...]:
        """Return how each device is served."""
        return tuple(post.state() for post in self._posts)

    def stop(self) -> None:
        """End the workers: after this batch, or else by force. Jobs at work are interrupted."""
        self._stopping.set()
        self._thread.join()
        if WAKERS.get(self.home) == self.wake:
            del WAKERS[self.home]
        for post in self._posts:
            post.close()
        deadline = time.monotonic() + STOP_SECONDS
        for post in self._posts:
            post.end(deadline)
        self.queue.close()
        with _starting:
            if _services.get(self.home) is self:
                del _services[self.home]

    def _supervise(self) -> None:
        while not self._stopping.is_set():
            for post in self._posts:
                try:
                    post.keep()
                except OSError:  # no process or file to be had at present
                    _log.exception("The worker of %s could not be started.", post.device)
            with suppress(LimitError):  # the list is busy
                self._refuse_unserved()
            self._stopping.wait(CHECK_SECONDS)

    def _refuse_unserved(self) -> None:
        """End what waits for a device that this machine does not have, or not any more."""
        ours = {post.device for post in self._posts}
        for device in self.queue.waiting_devices() - ours:
            if not FileLock(lock_path(self.home, device)).is_held():
                desk = Desk(self.home, device)
                desk.refuse(f"This machine has no device {device!r}; choose another device.")
                desk.close()


def start(home: str | Path | None = None) -> Service:
    """Start the workers of a home folder, once per process; later calls return the same."""
    from workbench.numerics.devices import list_devices  # noqa: PLC0415 - loads torch

    home = Path(settings().home if home is None else home).absolute()
    with _starting:
        if home not in _services:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)  # for its owner's eyes alone
            if not _services:
                atexit.register(_stop_all)
            _services[home] = Service(home, tuple(list_devices()))
        return _services[home]


def _stop_all() -> None:
    for service in tuple(_services.values()):
        service.stop()
