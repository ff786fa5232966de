"""The confined process itself: import our function, confine, answer requests."""

import importlib
import os
import re
import select
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.core.errors import WorkbenchError
from workbench.isolation import confine
from workbench.isolation.wire import Message, WireError, decode, encode, fill

ENTRY = re.compile(r"(workbench(?:\.[a-z_][a-z0-9_]*)+):([a-z][a-z0-9_]*)")
REQUEST_BYTES = 2**40  # our own parent's; what counts against the limit is the memory
DETAIL_CHARACTERS = 4000

Handler = Callable[[dict[str, Any], list[np.ndarray]], tuple[Mapping[str, Any], Sequence[Any]]]


def main() -> None:
    """Serve one parent until it hangs up."""
    source, sink = _take_pipes()
    _end_with(source)
    task, _ = _receive(source)
    limits = task["limits"]
    files = confine.confine_files(limits, dies_with_parent=task["once"])
    function = _find(task["entry"])
    memory = confine.limit_resources(limits)
    calls = confine.filter_system_calls(may_write=limits["writes"] is not None)
    _send(sink, {"memory": memory, "network": calls, "writes": files})
    if task["once"]:
        _send(sink, *_attempt(limits, lambda: ({"result": function(**task["arguments"])}, ())))
        return
    handler: Handler | None = None

    def build() -> tuple[dict[str, Any], tuple[()]]:
        nonlocal handler
        handler = function(**task["arguments"])
        return {}, ()

    _send(sink, *_attempt(limits, build))
    while handler is not None:
        body, arrays = _receive(source)
        _answer(sink, limits, handler, body, arrays)


def _answer(
    sink: int,
    limits: Mapping[str, Any],
    handler: Handler,
    body: dict[str, Any],
    arrays: list[np.ndarray],
) -> None:
    def work() -> tuple[dict[str, Any], Sequence[Any]]:
        said, found = handler(body, arrays)
        return {"result": dict(said)}, found

    _send(sink, *_attempt(limits, work))


def _take_pipes() -> tuple[int, int]:
    """Keep the pipes for ourselves: libraries print to the log and read nothing."""
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return source, sink


def _end_with(source: int) -> None:
    """End this process as soon as the parent is gone, whatever it is doing."""

    def watch() -> None:
        poll = select.poll()
        poll.register(source, 0)  # a hang-up is reported whether asked for or not
        poll.poll()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _find(entry: str) -> Callable[..., Any]:
    found = ENTRY.fullmatch(entry)
    if found is None:
        raise ValueError(f"{entry!r} is not a function of ours")
    function: Callable[..., Any] = getattr(importlib.import_module(found[1]), found[2])
    return function


def _attempt(
    limits: Mapping[str, Any], work: Callable[[], tuple[dict[str, Any], Sequence[Any]]]
) -> tuple[dict[str, Any], Sequence[Any]]:
    """Do the work within the processor time of one call; turn a fault into words."""
    confine.limit_cpu(limits["cpu_seconds"] or limits["seconds"] * (os.cpu_count() or 1))
    try:
        body, arrays = work()
        encode(body, arrays)  # what cannot be sent is a fault of the work
    except WorkbenchError as error:
        return {"error": type(error).__name__, "message": str(error)}, ()
    except MemoryError:
        return {"error": "MemoryError", "message": ""}, ()
    except Exception as error:  # whatever it was, the parent gets one sentence
        text = traceback.format_exc()[-DETAIL_CHARACTERS:]
        return {"error": "other", "message": type(error).__name__, "detail": text}, ()
    return body, arrays


def _receive(source: int) -> Message:
    try:
        return fill(decode(REQUEST_BYTES), lambda buffer: os.readv(source, [buffer]))
    except (EOFError, WireError):
        os._exit(1)


def _send(sink: int, body: Mapping[str, Any], arrays: Sequence[np.ndarray] = ()) -> None:
    for buffer in encode(body, arrays):
        rest = buffer
        while rest:
            rest = rest[os.write(sink, rest) :]


if __name__ == "__main__":
    main()
