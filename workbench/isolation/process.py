"""Run a function of ours in a process with limits on memory, time, files and network.

Whatever comes from an upload is parsed there. The child is a fresh interpreter, not a fork: it
holds nothing of the parent but a few variables of the environment. Both speak JSON and raw arrays;
what the child says is bounded and checked, since an upload may have taken it over.
"""

import logging
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core import errors
from workbench.core.errors import DataError, LimitError, WorkbenchError
from workbench.core.settings import PREFIX, config_file, settings
from workbench.isolation.child import ENTRY
from workbench.isolation.limits import GIB, Isolation, Limits
from workbench.isolation.wire import Message, Reading, WireError, decode, encode

__all__ = ["Isolation", "Limits", "Worker", "call", "isolation"]

START_SECONDS = 120.0
SAID_BYTES = 4096
MESSAGE_CHARACTERS = 4000
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "OMP_NUM_THREADS", "GOMP_SPINCOUNT")
SECRETS = ("SECRET", "TOKEN", "PASSWORD", "KEY")
KNOWN_ERRORS: Mapping[str, type[WorkbenchError]] = {
    kind.__name__: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, WorkbenchError)
}
_START = """import sys
sys.argv[1] in sys.path or sys.path.insert(0, sys.argv[1])
from workbench.isolation.child import main
main()"""

log = logging.getLogger(__name__)


def call(entry: str, arguments: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    """Run ``package.module:function(**arguments)`` of ours once; JSON goes in and comes out.

    Raises
    ------
    WorkbenchError
        What the function raised, of the same class with the same sentence; ``LimitError`` where a
        limit was reached or the process ended; ``DataError`` for any other fault.
    """
    return _call(entry, arguments, limits, required=settings().require_isolation)


def _call(
    entry: str, arguments: Mapping[str, Any], limits: Limits, *, required: bool
) -> dict[str, Any]:
    child = _Child(entry, limits)
    try:
        child.start(entry, arguments, once=True, required=required)
        body, _ = child.receive()
        return _result(body, limits)
    finally:
        child.end()


class Worker:
    """A confined process that stays, for one request after another.

    ``entry`` names a function that is called once with ``arguments`` and returns the handler,
    ``handler(header, arrays) -> (header, arrays)``. Requests of several threads wait for each
    other. After a limit, a crash or a broken answer the process is gone and ``alive`` is false.

    Raises
    ------
    WorkbenchError
        If the process cannot be started, as for ``call``.
    """

    def __init__(self, entry: str, arguments: Mapping[str, Any], limits: Limits) -> None:
        self.limits = limits
        self._lock = threading.Lock()
        self._child = _Child(entry, limits)
        self._finalizer = weakref.finalize(self, self._child.end)
        try:
            required = settings().require_isolation
            self._child.start(entry, arguments, once=False, required=required)
            body, _ = self._child.receive()
            _check(body, limits)
        except BaseException:
            self._finalizer()
            raise

    @property
    def alive(self) -> bool:
        """Whether it can take a request."""
        return self._child.alive and self._child.process.poll() is None

    @property
    def pid(self) -> int:
        """Number of the process, for a log or a monitor."""
        return self._child.process.pid

    def request(
        self, header: Mapping[str, Any], arrays: Sequence[np.ndarray] = ()
    ) -> tuple[dict[str, Any], list[np.ndarray]]:
        """Send a request and wait for its answer.

        Raises
        ------
        LimitError
            If the process is gone; anything else as for ``call``.
        """
        with self._lock:
            if not self.alive:
                raise LimitError(f"{self.limits.what} failed because its process was ended.")
            try:
                self._child.begin()
                self._child.send(header, arrays)
                body, found = self._child.receive()
            except BaseException:  # whatever comes later would be the answer to this request
                self._finalizer()
                raise
        return _result(body, self.limits), found

    def close(self) -> None:
        """End the process, and a request that waits for it; closing twice is harmless."""
        self._child.kill()
        with self._lock:
            self._finalizer()


class _Child:
    """The process and its pipes; every wait has a deadline and every answer a bound."""

    def __init__(self, entry: str, limits: Limits) -> None:
        if not ENTRY.fullmatch(entry):
            raise ValueError(f"{entry!r} is not a function of ours")
        self.limits = limits
        self.alive = True
        self.deadline = time.monotonic() + START_SECONDS
        self.started = False
        self.said = bytearray()
        self.process = _interpreter(limits)
        assert self.process.stdin and self.process.stdout and self.process.stderr  # noqa: S101, PT018
        self.pipes = (self.process.stdin, self.process.stdout, self.process.stderr)
        for pipe in self.pipes:
            os.set_blocking(pipe.fileno(), False)

    def start(
        self, entry: str, arguments: Mapping[str, Any], *, once: bool, required: bool
    ) -> None:
        """Let it load the function and confine itself, then start the clock."""
        limits = self.limits.to_json()
        if limits["reads"] is not None:
            limits["reads"].append(str(config_file()))
        task = {"entry": entry, "arguments": dict(arguments), "limits": limits, "once": once}
        self.send(task)
        confined, _ = self.receive()
        if required and not (confined.get("memory") and confined.get("network")):
            raise LimitError(
                f"{self.limits.what} needs a process without network and with limited memory, "
                "which this system cannot provide; use Linux, or set require_isolation to false "
                "if you trust everybody who uploads."
            )
        self.begin()

    def begin(self) -> None:
        """Start the clock of one call."""
        self.started = True
        self.deadline = time.monotonic() + self.limits.seconds

    def send(self, body: Mapping[str, Any], arrays: Sequence[np.ndarray] = ()) -> None:
        """Write a message."""
        buffers = [buffer for buffer in encode(body, arrays) if buffer]
        with selectors.PollSelector() as waiting:
            waiting.register(self.pipes[0], selectors.EVENT_WRITE)
            waiting.register(self.pipes[2], selectors.EVENT_READ)
            while buffers:
                for pipe in self._wait(waiting):
                    if pipe is self.pipes[2]:
                        self._listen(waiting)
                        continue
                    rest = buffers[0][self._write(buffers[0]) :]
                    buffers[:1] = [rest] if rest else []
                    if not buffers:
                        break

    def _write(self, buffer: memoryview) -> int:
        try:
            return os.write(self.pipes[0].fileno(), buffer[: 2**20])
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            raise self._gone() from None

    def receive(self) -> Message:
        """Read a message.

        Raises
        ------
        DataError
            If it sent what is no message.
        """
        reading = decode(self.limits.reply_bytes)
        try:
            return self._receive(reading)
        except WireError as error:
            log.warning("%s: %s; it said %s", self.limits.what, error, self._words())
            raise DataError(
                f"{self.limits.what} failed: the process that did it gave no usable answer "
                f"({error}); the file is damaged or not what it seems."
            ) from None

    def _receive(self, reading: Reading) -> Message:
        buffer = next(reading)
        with selectors.PollSelector() as waiting:
            waiting.register(self.pipes[1], selectors.EVENT_READ)
            waiting.register(self.pipes[2], selectors.EVENT_READ)
            while True:
                for pipe in self._wait(waiting):
                    if pipe is self.pipes[2]:
                        self._listen(waiting)
                        continue
                    count = self._read_into(buffer)
                    buffer = buffer[count:]
                    try:
                        while not buffer:
                            buffer = next(reading)
                    except StopIteration as end:
                        message: Message = end.value
                        return message

    def _read_into(self, buffer: memoryview) -> int:
        try:
            count = os.readv(self.pipes[1].fileno(), [buffer])
        except BlockingIOError:
            return 0
        if not count:
            raise self._gone()
        return count

    def _wait(self, waiting: selectors.BaseSelector) -> list[Any]:
        left = self.deadline - time.monotonic()
        ready = waiting.select(max(0.0, left)) if left > 0 else []
        if not ready:
            raise self._too_slow()
        return [key.fileobj for key, _ in ready]

    def _listen(self, waiting: selectors.BaseSelector) -> None:
        """Keep the end of what the process says beside its answers, for the log."""
        try:
            heard = os.read(self.pipes[2].fileno(), 2**16)
        except BlockingIOError:
            return
        if not heard:
            waiting.unregister(self.pipes[2])
        self.said = (self.said + heard)[-SAID_BYTES:]

    def _words(self) -> str:
        return repr(self.said.decode("utf-8", "replace"))

    def _too_slow(self) -> LimitError:
        limits = self.limits
        if not self.started:
            return LimitError(
                f"{limits.what} needs a process of its own, which did not start within "
                f"{START_SECONDS:g} seconds; try again when the machine has less to do."
            )
        return LimitError(
            f"{limits.what} took longer than {limits.seconds:g} seconds and was stopped; give it "
            f"less to do, or raise the setting {limits.time_setting}."
        )

    def _gone(self) -> LimitError:
        """Say why the process ended, as far as can be told."""
        code = self._exit_code()
        self._drain()
        limits = self.limits
        log.warning("%s: the process ended with %s; it said %s", limits.what, code, self._words())
        if code == -signal.SIGXCPU:
            return self._too_slow()
        if b"bad_alloc" in self.said or b"MemoryError" in self.said:
            return _too_large(limits)
        how = signal.Signals(-code).name if code < 0 else f"code {code}"
        return LimitError(
            f"{limits.what} failed because its process ended ({how}); the file may be damaged, or "
            f"need more memory than the setting {limits.memory_setting} allows."
        )

    def _exit_code(self) -> int:
        try:
            return self.process.wait(5)
        except subprocess.TimeoutExpired:  # it closed its pipes and went on
            self.end()
            return self.process.wait()

    def _drain(self) -> None:
        try:
            while heard := os.read(self.pipes[2].fileno(), 2**16):
                self.said = (self.said + heard)[-SAID_BYTES:]
        except (OSError, ValueError):
            return

    def kill(self) -> None:
        """Stop the process and everything it started."""
        self.alive = False
        if self.process.returncode is None:  # not waited for yet, so the number is still its own
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Stop the process and leave nothing of it behind."""
        self.kill()
        self.process.wait()
        for pipe in self.pipes:
            pipe.close()


def _interpreter(limits: Limits) -> subprocess.Popen[bytes]:
    root = Path(__file__).resolve().parent.parent.parent
    try:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-I", "-B", "-c", _START, str(root)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
            env=_environment(limits), cwd=limits.writes or "/", start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise LimitError(
            f"{limits.what} needs a process of its own, which the system refused "
            f"({error.strerror}); free memory, or end other programs."
        ) from None


def _environment(limits: Limits) -> dict[str, str]:
    """Return what the child may know of the environment: no secrets."""
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    passed.setdefault("OMP_NUM_THREADS", str(min(2, os.cpu_count() or 1)))
    ours = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    passed |= {k: v for k, v in ours.items() if not any(word in k for word in SECRETS)}
    passed["HOME"] = str(limits.writes or "/nonexistent")
    passed[f"{PREFIX}HOME"] = str(settings().home)
    if config_file().is_file():
        passed[f"{PREFIX}CONFIG"] = str(config_file().resolve())
    return passed


def _result(body: dict[str, Any], limits: Limits) -> dict[str, Any]:
    _check(body, limits)
    result = body.get("result")
    if not isinstance(result, dict):
        raise DataError(f"{limits.what} failed: the process that did it gave no usable answer.")
    return result


def _check(body: dict[str, Any], limits: Limits) -> None:
    """Raise what the child said went wrong."""
    if "error" not in body:
        return
    name, message = str(body["error"]), str(body.get("message", ""))[:MESSAGE_CHARACTERS]
    if name == "MemoryError":
        raise _too_large(limits)
    if name in KNOWN_ERRORS:
        raise KNOWN_ERRORS[name](message)
    detail = str(body.get("detail", ""))[-MESSAGE_CHARACTERS:]
    log.error("%s failed in its process: %r", limits.what, detail)
    raise DataError(
        f"{limits.what} failed for a reason that was not foreseen ({message[:80]}); the log of the "
        "workbench holds the details."
    )


def _too_large(limits: Limits) -> LimitError:
    size = f"{limits.memory_bytes / GIB:.3g} GiB"
    return LimitError(
        f"{limits.what} needs more than {size} of memory and was stopped; give it less to do, or "
        f"raise the setting {limits.memory_setting}."
    )


@lru_cache(maxsize=1)
def isolation() -> Isolation:
    """Return what this system can confine, found by trying it in a process once."""
    memory = GIB // 8
    with tempfile.TemporaryDirectory() as allowed, tempfile.TemporaryDirectory() as outside:
        limits = Limits(memory, seconds=30, writes=Path(allowed), what="Trying out the isolation")
        arguments = {"outside": str(Path(outside) / "file"), "memory_bytes": memory}
        try:
            found = _call(
                "workbench.isolation.probe:confinement", arguments, limits, required=False
            )
        except WorkbenchError as error:
            log.warning("isolation cannot be tried out: %s", error)
            found = {}
    able = {name: found.get(name) is True for name in ("memory", "network", "writes")}
    return Isolation(**able, sentence=_sentence(able))


def _sentence(able: Mapping[str, bool]) -> str:
    words = {
        "memory": "limit their memory",
        "network": "cut them off from the network and from starting programs",
        "writes": "keep them from writing outside their own folder",
    }
    done = [text for name, text in words.items() if able[name]]
    missing = [text for name, text in words.items() if not able[name]]
    if not missing:
        return (
            "Uploads are read in processes without network or other programs, with limited time "
            "and memory, that may write to their own folder alone."
        )
    can = f"can {' and '.join(done)} but " if done else ""
    return (
        "Uploads are read in processes of their own with limited time; this system "
        f"{can}cannot {' or '.join(missing)}."
    )
