"""Requests, results and workers for tests of the list of jobs."""

import functools
import json
import os
import threading
import time

import numpy as np

from tests.attributions import example
from workbench import api
from workbench.core.method import Cost
from workbench.jobs import worker
from workbench.jobs.desk import Desk
from workbench.jobs.request import Request

SMALL, LARGE = Cost(1_000, 1_000), Cost(50_000_000, 1_000)
# Settings with which one run on the wine model takes a minute, unless it is stopped.
LONG = {"split": "all", "rows": None, "params": {"budget": 200_000}}


@functools.cache
def wine():
    return api.load_model("wine-mlp"), api.load_table("wine", split="all")


def request(row=0, **changes):
    """A run of 36,000 evaluations on one row of wine."""
    model, table = wine()
    values = {
        "method": "shapley.kernel", "params": {"budget": 512}, "model": "wine-mlp",
        "model_digest": model.digest, "table": "wine", "table_digest": table.digest,
        "split": "test", "rows": (row,), "background": 20,
    }  # fmt: skip
    return Request(**values | changes)


def cost(asked):
    """What the program itself says that a run takes."""
    model, table = wine()
    n_rows = len(asked.select(table))
    return api.estimate_cost(model, n_rows, asked.background, method=asked.method, **asked.params)[
        1
    ]


def in_process(asked):
    """The same result, computed here."""
    model, table = wine()
    background = api.background_for(model, table, n=asked.background, seed=asked.seed)
    return api.explain(
        model, asked.select(table), background, method=asked.method, seed=asked.seed, device="cpu",
        **asked.params,
    )  # fmt: skip


def arrays(result):
    return {k: v for k, v in vars(result).items() if isinstance(v, np.ndarray)}


def assert_same_bits(one, two):
    assert arrays(one).keys() == arrays(two).keys()
    for name, array in arrays(one).items():
        np.testing.assert_array_equal(array, arrays(two)[name], err_msg=name)


def finish(queue, *, state="done", error="", small=False):
    """Be the worker of one run: take it, store a result, end it; return its key."""
    desk = Desk(queue.home, "cpu")
    claim = desk.claim(small=small)
    if claim is not None:
        if state == "done":
            queue.store.put(claim.key, example(n=2))
        desk.end(claim, state, error=error, seconds=2.0 if state == "done" else None)
    desk.close()
    return None if claim is None else claim.key


def until(condition, seconds=60.0):
    """Wait for what another process does."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.01)
    return found


class ReadyWorker:
    """Stands in for ``subprocess.Popen`` in a server: its first worker has imported everything.

    It is a copy of this process, made before a thread is started or a database opened here, and
    from its start on what ``python -m workbench.jobs.worker`` is: on its standard input a pipe,
    whose end says that the server is gone, and in a session of its own. Later workers are started
    as always.
    """

    def __init__(self, start):
        assert threading.active_count() == 1, "a copy of a process has one of its threads"
        self._start, self._is_ready, self.returncode = start, True, None
        here, there = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(there)
            os.dup2(here, 0)
            self._serve()
        os.close(here)
        self.stdin = os.fdopen(there, "wb", buffering=0)

    def _serve(self):
        code = 1
        try:
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            if arguments := os.read(0, 4096).decode():
                code = worker.main(json.loads(arguments))
        finally:
            os._exit(code)

    def __call__(self, command, **settings):
        if not self._is_ready:
            return self._start(command, **settings)
        self._is_ready = False
        self.stdin.write(json.dumps(command[command.index("--home") :]).encode())
        return self

    def poll(self):
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode
