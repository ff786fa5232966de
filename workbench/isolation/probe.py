"""What a confined process tries in vain; ``isolation()`` and the tests run these."""

import ctypes
import importlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core import errors


def confinement(outside: str, memory_bytes: int) -> dict[str, bool]:
    """Tell what was refused: more memory than allowed, a connection, a file elsewhere."""
    return {
        "memory": allocate(memory_bytes + 2**26)["refused"],
        "network": connect()["refused"] and run_program()["refused"],
        "writes": write(outside)["refused"],
    }


def allocate(n_bytes: int) -> dict[str, bool]:
    """Take memory and touch it."""
    try:
        np.ones(n_bytes, dtype=np.uint8)
    except MemoryError:
        return {"refused": True}
    return {"refused": False}


def exhaust(n_bytes: int) -> dict[str, Any]:
    """Take memory without catching the fault."""
    return {"size": int(np.ones(n_bytes, dtype=np.uint8).size)}


def connect() -> dict[str, bool]:
    """Open a socket."""
    try:
        socket.socket().close()
    except PermissionError:
        return {"refused": True}
    return {"refused": False}


def run_program() -> dict[str, bool]:
    """Start another process."""
    try:
        child = os.fork()
    except PermissionError:
        pass
    else:
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        return {"refused": False}
    try:  # would replace this process
        os.execv("/bin/true", ["true"])  # noqa: S606
    except OSError:
        return {"refused": True}


def write(path: str) -> dict[str, Any]:
    """Write a file, or change the folder it is in."""
    ways: tuple[Callable[[], object], ...] = (
        lambda: Path(path).write_bytes(b"written"),
        lambda: Path(path).mkdir(),
        lambda: Path(path).symlink_to("/"),
    )
    for attempt in ways:
        try:
            attempt()
        except PermissionError:
            continue
        return {"refused": False}
    return {"refused": True}


def change(path: str) -> dict[str, list[str]]:
    """Try to change an existing file in other ways; return those that worked."""
    ways: dict[str, Callable[[], object]] = {
        "append": lambda: Path(path).open("a").close(),
        "truncate": lambda: os.truncate(path, 0),
        "chmod": lambda: Path(path).chmod(0o777),
        "utime": lambda: os.utime(path, (0, 0)),
        "xattr": lambda: os.setxattr(path, "user.a", b"b"),
        "rename": lambda: Path(path).rename(path),
        "remove": lambda: Path(path).unlink(),
    }
    worked = []
    for name, attempt in ways.items():
        try:
            attempt()
        except OSError:
            continue
        worked.append(name)
    return {"worked": worked}


def read(path: str) -> dict[str, Any]:
    """Read a file."""
    try:
        return {"content": Path(path).read_text(encoding="utf-8")}
    except PermissionError:
        return {"content": None}


def send_signal(pid: int) -> dict[str, bool]:
    """Signal another process."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return {"refused": True}
    return {"refused": False}


def surroundings() -> dict[str, Any]:
    """Tell what the process was given, and whether it still can start threads and allocate."""
    done = threading.Event()
    threading.Thread(target=done.set).start()
    return {
        "environment": sorted(os.environ),
        "files": len(list(Path("/dev/fd").iterdir())),
        "threads": done.wait(10),
        "group": os.getpgrp() == os.getpid(),
        "pid": os.getpid(),
    }


def loop() -> dict[str, Any]:
    """Never return."""
    while True:
        pass


def sleep(seconds: float) -> dict[str, Any]:
    """Wait without computing."""
    time.sleep(seconds)
    return {}


def crash(number: int = signal.SIGSEGV) -> dict[str, Any]:
    """End by a signal."""
    if number == signal.SIGSEGV:
        ctypes.string_at(0)
    os.kill(os.getpid(), number)
    return {}


def fail(kind: str, message: str) -> dict[str, Any]:
    """Raise one of our errors, or Python's."""
    raise {"ValueError": ValueError}.get(kind, getattr(errors, kind, ValueError))(message)


def chatter(text: str) -> dict[str, Any]:
    """Print as libraries do, to both outputs."""
    os.write(1, text.encode())
    os.write(2, text.encode())
    return {"said": len(text)}


def flood(n_bytes: int) -> dict[str, Any]:
    """Answer with more than anybody asked for."""
    return {"text": "x" * n_bytes}


def garbage() -> dict[str, Any]:
    """Write to every pipe what is no message."""
    for place in range(3, 16):
        try:
            os.write(place, b"nonsense" * 100)
        except OSError:
            continue
    return {}


def worker(scale: float = 1.0) -> Any:
    """Return a handler that does what the request says."""

    def handle(
        header: Mapping[str, Any], arrays: Sequence[np.ndarray]
    ) -> tuple[Mapping[str, Any], Sequence[np.ndarray]]:
        if "zeros" in header:
            return {}, [np.zeros(header["zeros"])]
        if "do" in header:
            done: dict[str, Any] = globals()[header["do"]](*header.get("with", ()))
            return done, ()
        return {"echo": dict(header), "pid": os.getpid()}, [a * scale for a in arrays]

    return handle


def each(calls: list[list[Any]]) -> dict[str, Any]:
    """Call functions of ours, ``[entry, arguments]``, one after another in one process.

    Returns
    -------
    For each call the kind and sentence of its error, or None; for tests with many files.
    """
    outcomes: list[list[str] | None] = []
    for entry, arguments in calls:
        module, _, name = entry.partition(":")
        try:
            getattr(importlib.import_module(module), name)(**arguments)
            outcomes.append(None)
        except errors.WorkbenchError as error:
            outcomes.append([type(error).__name__, str(error)])
        except MemoryError:
            outcomes.append(["MemoryError", ""])
    return {"outcomes": outcomes}
