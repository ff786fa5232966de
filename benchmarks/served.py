"""A server of its own to measure, and the memory of all its processes."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

START_SECONDS = 90
STEP_SECONDS = 0.1
SECRET = "0123456789abcdef" * 4
MIB = 2**20
SIGN_IN = """[auth]
redirect_uri = "{url}/oauth2callback"
cookie_secret = "{secret}"
client_id = "benchmark"
client_secret = "benchmark"
server_metadata_url = "http://127.0.0.1:9/.well-known/openid-configuration"
"""


@dataclass(frozen=True)
class Memory:
    """Memory of a process and its descendants, in MiB.

    Attributes
    ----------
    rss
        Resident pages of each process added up; shared ones count several times.
    pss
        The same, with shared pages divided among those who share them.
    private
        Pages that no other process has; what goes away with the processes.
    anonymous
        Private or not, pages that no file lies behind: the rest can be read again from a file.
    """

    processes: int = 0
    rss: float = 0.0
    pss: float = 0.0
    private: float = 0.0
    anonymous: float = 0.0

    def largest(self, other: "Memory") -> "Memory":
        """Return the larger number of each kind."""
        ours, theirs = asdict(self), asdict(other)
        return Memory(**{name: max(ours[name], theirs[name]) for name in ours})


def memory_of(pid: int) -> Memory:
    """Add up a process and its descendants as they are now."""
    total: dict[str, float] = {}
    members = _family(pid)
    for member in members:
        for name, mebibytes in _rollup(member).items():
            total[name] = total.get(name, 0.0) + mebibytes
    return Memory(
        processes=len(members),
        rss=total.get("Rss", 0.0),
        pss=total.get("Pss", 0.0),
        private=total.get("Private_Clean", 0.0) + total.get("Private_Dirty", 0.0),
        anonymous=total.get("Anonymous", 0.0),
    )


def cpu_seconds(pid: int) -> float:
    """Add up the processor time of a process and of descendants that are still there."""
    total = 0.0
    for member in _family(pid):
        with contextlib.suppress(psutil.Error):
            times = psutil.Process(member).cpu_times()
            total += times.user + times.system
    return total


def _family(pid: int) -> list[int]:
    try:
        process = psutil.Process(pid)
        return [pid, *(child.pid for child in process.children(recursive=True))]
    except psutil.Error:
        return []


def _rollup(pid: int) -> dict[str, float]:
    """Read what Linux says of a process; where it says nothing, the resident pages alone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        with contextlib.suppress(psutil.Error):
            return {"Rss": psutil.Process(pid).memory_info().rss / MIB}
        return {}
    cells = (line.split() for line in lines)
    return {cell[0].rstrip(":"): int(cell[1]) / 1024 for cell in cells if cell[-1] == "kB"}


@dataclass
class Watcher:
    """Looks at a process tree ten times a second, and keeps the largest of what it sees."""

    pid: int
    peak: Memory = field(default_factory=Memory)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Watcher":
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            self.peak = self.peak.largest(memory_of(self.pid))
            self._over.wait(STEP_SECONDS)


@dataclass(frozen=True)
class Served:
    """A server that runs."""

    url: str
    pid: int
    home: Path
    log: Path

    def incidents(self) -> list[str]:
        """Return the lines of the log that speak of errors."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if " ERROR " in line or "Traceback" in line]


@contextlib.contextmanager
def served(*, people: bool = False, settings: dict[str, str] | None = None) -> Iterator[Served]:
    """Start the workbench as ``workbench serve`` does, in a home of its own; stop it afterwards.

    Parameters
    ----------
    people
        Whether one has to sign in, so that every visitor is somebody else.
    settings
        Variables beside those of the environment.
    """
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as folder:
        home, port = Path(folder), _free_port()
        url, log = f"http://127.0.0.1:{port}", home / "server.log"
        if people:
            (home / "secrets.toml").write_text(SIGN_IN.format(url=url, secret=SECRET))
        with log.open("wb") as output:
            server = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-c", "from workbench.cli import main; main()", "serve",
                 f"--port={port}"],
                env=environment(home) | (settings or {}), stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            _wait_until_healthy(url, server, log)
            yield Served(url, server.pid, home, log)
        finally:
            server.terminate()
            try:
                server.wait(timeout=15)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def environment(home: Path) -> dict[str, str]:
    """Return the environment without settings of whoever runs this, and with a home of its own."""
    drop = ("WORKBENCH_", "STREAMLIT_", "XDG_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(drop)}
    return kept | {"HOME": str(home), "WORKBENCH_HOME": str(home)}


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_until_healthy(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise SystemExit(f"The server did not start:\n{log.read_text(errors='replace')[-4000:]}")
