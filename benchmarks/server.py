"""The running workbench: twenty people at once, first paint, a large upload, the list of jobs.

``python -m benchmarks.server`` starts servers of its own, prints tables and writes
``benchmarks/results/server.json``; ``--only sessions`` and so on measures a part and keeps what the
file says of the others. Nothing else should run on the machine: the load before and after is kept
beside the figures. It takes about ten minutes, half a gigabyte in the folder for temporary files,
and a Chromium.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from benchmarks import first_paint, queue_latency, sessions, upload

RESULTS = Path(__file__).parent / "results" / "server.json"
PACKAGES = ("streamlit", "torch", "plotly", "pandas", "numpy")


def machine() -> dict[str, Any]:
    """Say what the figures were measured on."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "memory_gib": psutil.virtual_memory().total / 2**30,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((li.partition(": ")[2] for li in lines if li.startswith("model name")), "")


def _print_sessions(found: Mapping[str, Any]) -> None:
    print(f"\n{found['people']} people, {found['think_seconds']:g} s between two clicks of each")
    for title, crowd in (
        ("first visitor of a fresh server, each page and model", found["first"]),
        ("one visitor alone", found["alone"]),
        *((f"crowd {k}", crowd) for k, crowd in enumerate(found["crowds"], 1)),
    ):
        print(
            f"\n{title}: {crowd['n_actions']} actions in {crowd['seconds']:.0f} s, "
            f"{len(crowd['faults'])} errors; answer or progress within "
            f"{sessions.GOAL_SECONDS:g} s: {100 * crowd['share_within_goal']:.0f} %; processor "
            f"{crowd['server_cpu_seconds']:.0f} s server, {crowd['client_cpu_seconds']:.0f} s "
            "visitors"
        )
        print(f"{'':24}   n  answer p50  p95  max    figure p50  p95  max    end p50  p95  max")
        for action, numbers in crowd["actions"].items():
            cells = "   ".join(_three(numbers[what]) for what in ("shown", "figure", "finished"))
            print(f"{action:24}{numbers['n']:4}       {cells}")
        for fault in sorted(set(crowd["faults"])):
            print(f"  ERROR {fault}")
    for method, numbers in found["jobs"].items():
        print(f"jobs {method}: {numbers['n']}, waited {_three(numbers['waited'])}, ran "
              f"{_three(numbers['ran'])} s (p50 p95 max)")  # fmt: skip
    _print_memory(found)
    for line in found["incidents"]:
        print(f"  LOG {line}")


def _print_memory(found: Mapping[str, Any]) -> None:
    print("\nmemory of server and worker, MiB     RSS   PSS  private")
    print(_memory("fresh, nobody yet", found["memory_fresh"]))
    print(_memory("after one visitor", found["alone"]["gone"]))
    for k, crowd in enumerate(found["crowds"], 1):
        print(_memory(f"crowd {k}, at most", crowd["peak"]))
        print(_memory(f"crowd {k}, all connected", crowd["connected"]))
        print(_memory(f"crowd {k} gone", crowd["gone"]))
    if found["memory_forgotten"]:
        print(_memory("two minutes later", found["memory_forgotten"]))


def _memory(title: str, memory: Mapping[str, float]) -> str:
    return f"{title:34} {memory['rss']:6.0f}{memory['pss']:6.0f}{memory['private']:9.0f}"


def _three(numbers: Mapping[str, float]) -> str:
    if not numbers:
        return f"{'':19}"
    return f"{numbers['p50']:7.2f}{numbers['p95']:6.2f}{numbers['max']:6.2f}"


def _print_paint(found: Mapping[str, Any]) -> None:
    names = ("paint", "title", "sentence", "content")
    print(f"\nfirst paint, seconds (goal {first_paint.GOAL_SECONDS:g})")
    print(f"{'page':12} cold: " + "".join(f"{name:>10}" for name in names)
          + "   warm: " + "".join(f"{name:>10}" for name in names))  # fmt: skip
    for page, caches in found["pages"].items():
        cold, warm = (
            "".join(f"{part[name]:10.2f}" if name in part else f"{'':10}" for name in names)
            for part in (caches["cold"], caches["warm"])
        )
        print(f"{page:12}       {cold}         {warm}")


def _print_upload(found: Mapping[str, Any]) -> None:
    print(
        f"\nupload of {found['rows']:,} rows: file {found['file_mebibytes']:.0f} MiB, table "
        f"{found['table_mebibytes']:.0f} MiB; goal at most {found['goal_peak_mebibytes']:.0f} "
        f"MiB more than before\n{'MiB more than before':26}seconds   peak RSS   PSS private"
        "   after RSS   PSS private anonymous"
    )
    ours, served = found["workspace"], found["server"]
    for name in ("receive", "preview", "save", "load", "use"):
        print(_stage(name, ours[name]["seconds"], ours[name], ours["before"]))
    for name in ("upload_and_preview", "keep"):
        took = served[name]["sample"]["finished"] or 0.0
        print(_stage(f"server: {name}", took, served[name], served["before"]))
    settled = {name: value - served["before"][name] for name, value in served["settled"].items()}
    print(f"server, settled: RSS {settled['rss']:.0f}, PSS {settled['pss']:.0f}, private "
          f"{settled['private']:.0f} MiB more than before")  # fmt: skip
    for fault in served["faults"]:
        print(f"  ERROR {fault}")


def _stage(
    title: str, seconds: float, stage: Mapping[str, Any], before: Mapping[str, float]
) -> str:
    kinds = ("rss", "pss", "private")
    peak = "".join(f"{stage['peak'][k] - before[k]:8.0f}" for k in kinds)
    after = "".join(f"{stage['after'][k] - before[k]:8.0f}" for k in (*kinds, "anonymous"))
    return f"{title:26}{seconds:7.1f}{peak}    {after}"


def _print_queue(found: Mapping[str, Any]) -> None:
    print("\none row explained, ms                     p50    p95    max")
    for name in ("direct_idle", "job_idle", "direct_while_busy", "job_while_busy"):
        cells = "".join(f"{1000 * found[name][part]:7.0f}" for part in ("p50", "p95", "max"))
        print(f"{name.replace('_', ' '):36}{cells}")
    print(
        f"the list of jobs adds {1000 * found['overhead_idle']:.0f} ms; the job beside it had "
        f"{found['long_job']['seconds_left'] / 60:.0f} minutes left; after cancelling it "
        f"{1000 * found['job_after_cancel']:.0f} ms"
    )


PARTS: dict[str, tuple[Callable[[], dict[str, Any]], Callable[[Mapping[str, Any]], None]]] = {
    "queue": (queue_latency.measure, _print_queue),
    "first_paint": (first_paint.measure, _print_paint),
    "upload": (upload.measure, _print_upload),
    "sessions": (sessions.measure, _print_sessions),
}


def _measured(name: str) -> dict[str, Any]:
    load = os.getloadavg()[0]
    started = time.perf_counter()
    found = PARTS[name][0]()
    return found | {
        "load_before": load,
        "load_after": os.getloadavg()[0],
        "measuring_seconds": time.perf_counter() - started,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    chosen = parser.parse_args()
    report = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    report["machine"] = machine()
    for name in chosen.only:
        report[name] = _measured(name)
        PARTS[name][1](report[name])
        print(f"(load {report[name]['load_before']:.1f} before, "
              f"{report[name]['load_after']:.1f} after)", flush=True)  # fmt: skip
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(_rounded(report), indent=1) + "\n", encoding="utf-8")


def _rounded(value: Any) -> Any:
    """Keep what a figure says: four digits."""
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
