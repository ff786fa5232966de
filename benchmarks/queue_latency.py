"""How long one explanation takes by way of the list of jobs, and how long without it.

``python -m benchmarks.queue_latency HOME`` measures in a process of its own and prints JSON.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import workbench as wb
from benchmarks.served import environment
from workbench import api
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.jobs import service
from workbench.jobs.queue import Queue
from workbench.jobs.request import Request

ONE_ROW, LONG = 40, 12
OWNER = "local"


def measure() -> dict[str, Any]:
    """Measure in a process of its own, whose worker ends with it."""
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as home:
        # Threads that wait as politely as the worker's, so that both sides compute alike.
        polite = {"GOMP_SPINCOUNT": "1000", "OMP_NUM_THREADS": str(os.cpu_count() or 1)}
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "benchmarks.queue_latency", home],
            env=environment(Path(home)) | polite, timeout=300,
            capture_output=True, check=False, text=True,
        )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return dict(json.loads(done.stdout.splitlines()[-1]))


class Asker:
    """Somebody who explains rows of ``adult`` one at a time, no row twice."""

    def __init__(self, home: str) -> None:
        self.model: Model = wb.load_model("adult-mlp")
        self.all: Table = api.load_table("adult", split="all")
        self.rows: Table = self.all.split("test")
        self.background = api.background_for(self.model, self.rows)
        self.queue = Queue(home)
        self._next = iter(range(100, len(self.rows)))

    def directly(self) -> None:
        """Explain in this process."""
        wb.explain(self.model, self.rows[[next(self._next)]], self.background)

    def by_job(self) -> None:
        """Submit, wait as a page does, and read the result."""
        asked = self._submit(rows=(next(self._next),), count=None)
        job = self.queue.wait(asked, OWNER, 60)
        self.queue.result(job.id, OWNER)

    def start_long(self) -> str:
        """Submit what takes an hour; returns when it has begun."""
        job = self._submit(rows=None, count=5000, background=2000)
        while self.queue.get(job, OWNER).done == 0:
            time.sleep(0.05)
        return job

    def _submit(self, *, rows: Any, count: int | None, background: int = 100) -> str:
        planned = api.plan(self.model, count or 1, background)
        request = Request(
            method=planned.method, params=planned.params, model="adult-mlp@1",
            model_digest=self.model.digest, table="adult", table_digest=self.all.digest,
            split="test", rows=rows, count=count, background=background,
        )  # fmt: skip
        return self.queue.submit(request, owner=OWNER, title="benchmark", cost=planned.cost).id


def _seconds(run: Callable[[], None], n: int) -> dict[str, float]:
    times = []
    for _ in range(n):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return {"p50": median(times), "p95": sorted(times)[int(0.95 * n)], "max": max(times)}


def main() -> None:
    home = sys.argv[1]
    asker = Asker(home)
    workers = service.start(home)
    for _ in range(3):
        asker.directly()
        asker.by_job()
    found: dict[str, Any] = {
        "direct_idle": _seconds(asker.directly, ONE_ROW),
        "job_idle": _seconds(asker.by_job, ONE_ROW),
    }
    long = asker.start_long()
    time.sleep(2)
    found["direct_while_busy"] = _seconds(asker.directly, LONG)
    found["job_while_busy"] = _seconds(asker.by_job, LONG)
    state = asker.queue.get(long, OWNER)
    found["long_job"] = {"state": state.state, "seconds_left": state.eta}
    started = time.perf_counter()
    asker.queue.cancel(long, OWNER)
    asker.by_job()
    found["job_after_cancel"] = time.perf_counter() - started
    found["overhead_idle"] = found["job_idle"]["p50"] - found["direct_idle"]["p50"]
    workers.stop()
    print(json.dumps(found))


if __name__ == "__main__":
    os.environ["WORKBENCH_HOME"] = sys.argv[1]
    main()
