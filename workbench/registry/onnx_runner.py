"""One confined process per ONNX model, shared, started when needed and ended when idle."""

import hashlib
import json
import threading
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import RegistryError
from workbench.core.settings import settings
from workbench.isolation.process import Limits, Worker

BATCH_ROWS = 16384
IDLE_SECONDS = 300.0
_ENTRY = "workbench.registry.onnx_child:serve"


def onnx_limits(what: str, **changes: Any) -> Limits:
    """Return what the process of an ONNX model may use."""
    return Limits(
        settings().onnx_bytes,
        seconds=settings().onnx_seconds,
        what=what,
        time_setting="onnx_seconds",
        memory_setting="onnx_bytes",
        **changes,
    )


class Runner:
    """Asks a model for its answers; may be used by several threads.

    The process is started at the first call, and again after it ended for whatever reason.
    """

    def __init__(self, path: Path, sha256: str, name: str, task: Mapping[str, Any]) -> None:
        self.path = path
        self.name = name
        self._sha256 = sha256
        self._task = dict(task)
        self._worker: Worker | None = None
        self._lock = threading.RLock()
        self._used = time.monotonic()

    def run(self, X: np.ndarray) -> np.ndarray:
        """Return the answer ``[n, m]`` to rows ``[n, d]``."""
        parts = [self._run(X[i : i + BATCH_ROWS]) for i in range(0, len(X), BATCH_ROWS)]
        return np.concatenate(parts) if parts else np.empty((0, self._task["width"]))

    def _run(self, X: np.ndarray) -> np.ndarray:
        with self._lock:
            try:
                _, (answer,) = self._started().request({}, [X])
            finally:
                self._used = time.monotonic()
        if answer.shape != (len(X), self._task["width"]):
            raise RegistryError(f"{self.name} gave an answer of another shape than its card says.")
        return answer.astype(np.float64)

    def _started(self) -> Worker:
        if self._worker is None or not self._worker.alive:
            self.close()
            content = self._content()
            what = f"The ONNX model {self.name}"
            answer_bytes = 8 * BATCH_ROWS * self._task["width"]
            limits = onnx_limits(what, reads=(), reply_bytes=answer_bytes)
            worker = Worker(_ENTRY, {"name": self.name, **self._task}, limits)
            worker.request({"load": True}, [np.frombuffer(content, dtype=np.uint8)])
            self._worker = worker
            _watch_idle()
        return self._worker

    def _content(self) -> bytes:
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise RegistryError(
                f"The file {str(self.path)!r} of {self.name} cannot be read any more: "
                f"{error.strerror}; load the model again."
            ) from None
        if hashlib.sha256(content).hexdigest() != self._sha256:
            raise RegistryError(
                f"The file {str(self.path)!r} of {self.name} is not the one of its card (it was "
                "changed or cut short); restore the file or publish the model again."
            )
        return content

    @property
    def pid(self) -> int | None:
        """Number of the process, where there is one."""
        return None if self._worker is None else self._worker.pid

    def close(self) -> None:
        """End the process; the next call starts another."""
        with self._lock:
            if self._worker is not None:
                self._worker.close()
                self._worker = None

    def close_if_idle(self, before: float) -> None:
        """End the process if its last call was before that time; never wait for one."""
        if self._lock.acquire(blocking=False):
            try:
                if self._used < before:
                    self.close()
            finally:
                self._lock.release()


_runners: "weakref.WeakValueDictionary[str, Runner]" = weakref.WeakValueDictionary()
_lock = threading.Lock()
_watching = threading.Event()


def shared_runner(path: Path, sha256: str, name: str, task: Mapping[str, Any]) -> Runner:
    """Return the runner of this model, the same one for every copy that is loaded."""
    key = json.dumps([sha256, name, task], sort_keys=True)
    with _lock:
        runner = _runners.get(key)
        if runner is None:
            runner = _runners[key] = Runner(path, sha256, name, task)
        runner.path = path
        return runner


def close_idle(seconds: float = IDLE_SECONDS) -> None:
    """End the processes that nobody used for a while."""
    before = time.monotonic() - seconds
    for runner in list(_runners.values()):
        runner.close_if_idle(before)


def _watch_idle() -> None:
    with _lock:
        if _watching.is_set():
            return
        _watching.set()
    threading.Thread(target=_watch, name="idle ONNX models", daemon=True).start()


def _watch() -> None:
    while True:
        time.sleep(IDLE_SECONDS / 10)
        close_idle()
