"""A Parquet file of 300 MB taken in, looked at, kept and loaded: how much memory, and how long.

``python -m benchmarks.upload FILE`` does it in a process of its own, without a server, and prints
JSON.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.served import MIB, SECRET, Served, Watcher, environment, memory_of, served
from benchmarks.visitor import Sample, Visitor, sign_in

MEGABYTES = 300
N_NUMBERS, N_CATEGORIES = 26, 4
GROUP_ROWS = 100_000
OWNER = "local"
SETTLE_SECONDS = 3


def write_file(path: Path) -> int:
    """Write random numbers, which do not get smaller by packing, and a few categories."""
    n_rows = int(MEGABYTES * 1e6 / (8 * N_NUMBERS + N_CATEGORIES / 2 + 1))
    random = np.random.default_rng(0)
    numbers = [f"number_{i}" for i in range(N_NUMBERS)]
    texts = [f"group_{i}" for i in range(N_CATEGORIES)]
    writer = None
    for start in range(0, n_rows, GROUP_ROWS):
        n = min(GROUP_ROWS, n_rows - start)
        columns: dict[str, Any] = {name: random.standard_normal(n) for name in numbers}
        for i, name in enumerate(texts):
            kinds = np.array([f"kind {k}" for k in range(5 + i)])
            columns[name] = kinds[random.integers(0, 5 + i, n)]
        columns["outcome"] = np.where(random.random(n) < 0.3, "yes", "no")
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(
            path, table.schema, use_dictionary=[*texts, "outcome"], compression="none"
        )
        writer.write_table(table)
    assert writer is not None  # noqa: S101 - there are rows
    writer.close()
    return n_rows


def measure() -> dict[str, Any]:
    """Take the file in by the workspace alone, then through a server."""
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as folder:
        file = Path(folder) / "measurements.parquet"
        n_rows = write_file(file)
        file_mebibytes = file.stat().st_size / MIB
        table_mebibytes = n_rows * (N_NUMBERS + N_CATEGORIES + 2) * 8 / MIB
        return {
            "rows": n_rows,
            "file_mebibytes": file_mebibytes,
            "table_mebibytes": table_mebibytes,
            "goal_peak_mebibytes": file_mebibytes + 2 * table_mebibytes,
            "workspace": _by_workspace(file),
            "server": _by_server(file),
        }


def _by_workspace(file: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as home:
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "benchmarks.upload", str(file)], env=environment(Path(home)),
            capture_output=True, check=False, text=True, timeout=600,
        )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _stage(pid: int, run: Callable[[], Any]) -> tuple[dict[str, Any], Any]:
    """Run something; returns seconds, the most memory meanwhile and the memory afterwards."""
    started = time.perf_counter()
    with Watcher(pid) as watcher:
        result = run()
    seconds = time.perf_counter() - started
    after = asdict(memory_of(pid))
    return {"seconds": seconds, "peak": asdict(watcher.peak), "after": after}, result


def main() -> None:
    """Do what a page does, stage by stage."""
    from workbench.workspace.store import Workspace

    file, me = Path(sys.argv[1]), os.getpid()
    workspace = Workspace(OWNER)
    stages: dict[str, Any] = {"before": asdict(memory_of(me))}
    with file.open("rb") as content:
        stages["receive"], draft = _stage(me, lambda: workspace.receive(content, file.name))
    stages["preview"], preview = _stage(me, lambda: workspace.preview(draft))
    stages["save"], entry = _stage(
        me, lambda: workspace.save_table(draft, preview.guess, ignore_extra=True)
    )
    stages["load"], table = _stage(me, lambda: workspace.load_table(entry.name))
    stages["use"], _ = _stage(me, lambda: float(table.X.sum()))
    stages["table_mebibytes"] = table.X.nbytes / MIB
    print(json.dumps(stages))


def _by_server(file: Path) -> dict[str, Any]:
    with served(people=True) as server:
        return asyncio.run(_upload(server, file))


async def _upload(server: Served, file: Path) -> dict[str, Any]:
    stages: dict[str, Any] = {}
    async with Visitor(server.url, cookies=sign_in(server.url, SECRET, 1)) as visitor:
        await visitor.open(figure=True)
        await visitor.visit("add_data")
        await asyncio.sleep(SETTLE_SECONDS)
        stages["before"] = asdict(memory_of(server.pid))
        keep = "Keep this table"
        stages["upload_and_preview"] = await _watched(
            server,
            visitor.upload(
                "A file", file, action="upload", done=lambda: _offers(visitor, keep)
            ),
        )  # fmt: skip
        stages["keep"] = await _watched(
            server, visitor.press(keep, action="keep", done=lambda: not _offers(visitor, keep))
        )
        stages["faults"] = visitor.faults
        await visitor.visit("jobs")
        await asyncio.sleep(SETTLE_SECONDS)
        stages["settled"] = asdict(memory_of(server.pid))
    return stages


def _offers(visitor: Visitor, label: str) -> bool:
    return visitor.find("button", label) is not None


async def _watched(server: Served, action: Any) -> dict[str, Any]:
    with Watcher(server.pid) as watcher:
        sample: Sample = await action
    after = asdict(memory_of(server.pid))
    return {"sample": asdict(sample), "peak": asdict(watcher.peak), "after": after}


if __name__ == "__main__":
    main()
