"""``workbench jobs``: what the workers of this machine are asked to do."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.candidates import OWNER, job_ids
from workbench.cli.options import AS_JSON, progress_bar
from workbench.cli.printing import echo
from workbench.cli.results import (
    as_json,
    check_file,
    check_folder,
    trust_lines,
    write_result,
)
from workbench.core.errors import InvalidInputError
from workbench.core.wording import counted

if TYPE_CHECKING:
    from workbench.jobs.queue import Job

LOOK = 0.5  # seconds between two looks at a job
WAIT_EXAMPLES = """\b
Examples:
  workbench jobs wait JOB && workbench jobs result JOB --out out/
  workbench jobs wait JOB --timeout 600
"""
RESULT_EXAMPLES = """\b
Examples:
  workbench jobs result JOB
  workbench jobs result JOB --out out/
  workbench jobs result JOB --json > result.json
"""


@click.group()
def jobs() -> None:
    """Look at jobs and results that the workbench in the browser was asked for.

    They belong to whoever uses it without sign-in. Jobs run while `workbench serve` does.
    """


@jobs.command("list")
@AS_JSON
def list_(as_text: bool) -> None:
    """List jobs, the newest first."""
    from workbench.jobs.queue import Queue  # loads numpy and scipy

    found = Queue().jobs(OWNER)
    if as_text:
        echo(json.dumps([_fields(job) for job in found], indent=2))
        return
    echo("\n".join(_lines(found)) if found else "There are no jobs.")


@jobs.command()
@click.argument("job", shell_complete=job_ids)
@AS_JSON
def show(job: str, as_text: bool) -> None:
    """Say how far JOB is."""
    from workbench.jobs.queue import Queue  # loads numpy and scipy

    found = Queue().get(job, OWNER)
    if as_text:
        echo(json.dumps(_fields(found), indent=2))
        return
    echo(found.describe())
    echo(f"  method     {found.method} on {found.device}")
    echo(f"  takes      at most {counted(found.evaluations, 'model evaluation')}")
    for what, when in (
        ("submitted", found.created),
        ("started", found.started),
        ("ended", found.finished),
    ):
        if when is not None:
            echo(f"  {what:10} {_time(when)}")


@jobs.command()
@click.argument("job", shell_complete=job_ids)
@AS_JSON
def cancel(job: str, as_text: bool) -> None:
    """Stop JOB; it can be run again."""
    from workbench.jobs.queue import Queue  # loads numpy and scipy

    _say(Queue().cancel(job, OWNER), as_text=as_text)


@jobs.command()
@click.argument("job", shell_complete=job_ids)
@AS_JSON
def rerun(job: str, as_text: bool) -> None:
    """Run JOB again if it came to nothing or its result is gone."""
    from workbench.jobs.queue import Queue  # loads numpy and scipy

    _say(Queue().rerun(job, OWNER), as_text=as_text)


@jobs.command(epilog=WAIT_EXAMPLES)
@click.argument("job", shell_complete=job_ids)
@click.option(
    "--timeout", type=click.FloatRange(min=0), help="Seconds to wait at most. [default: for ever]"
)
@AS_JSON
def wait(job: str, timeout: float | None, as_text: bool) -> None:
    """Wait until JOB is over; exit code 1 unless it is done."""
    from workbench.jobs.queue import Queue  # loads numpy and scipy

    queue, started = Queue(), monotonic()
    with progress_bar("Waiting") as progress:
        found = queue.get(job, OWNER)
        while found.is_active and (timeout is None or monotonic() - started < timeout):
            left = LOOK if timeout is None else min(LOOK, timeout - (monotonic() - started))
            found = queue.wait(job, OWNER, max(0.0, left))
            if progress is not None:
                progress(found.done, found.total, found.message)
            if timeout is None and found.state == "queued" and not is_served(queue.home, found):
                raise InvalidInputError(
                    f"Nothing runs jobs on {found.device} now, so that this one would wait for "
                    "ever; start workbench serve, or give --timeout."
                )
    _say(found, as_text=as_text)
    if found.state != "done":
        raise InvalidInputError(
            f"The job is {found.state}, not done; "
            + ("wait longer." if found.is_active else "workbench jobs rerun runs it again.")
        )


@jobs.command()
@click.argument("job", shell_complete=job_ids)
def remove(job: str) -> None:
    """Take JOB off the list, and stop it if it runs; its result goes with it."""
    from workbench.jobs.queue import Queue  # loads numpy and scipy

    Queue().remove(job, OWNER)
    echo(f"Removed {job}.")


@jobs.command(epilog=RESULT_EXAMPLES)
@click.argument("job", shell_complete=job_ids)
@click.option(
    "--out", type=click.Path(path_type=Path),
    help="File to write, which `workbench report` reads; or a folder, for the files that other "
    "commands write there.",
)  # fmt: skip
@AS_JSON
def result(job: str, out: Path | None, as_text: bool) -> None:
    """Save the result of JOB, or say how far it can be trusted."""
    from workbench.jobs.queue import Queue  # loads numpy and scipy

    is_folder = out is not None and (out.is_dir() or not out.suffix)
    if out is not None:
        (check_folder if is_folder else check_file)(out)
    found: Any = Queue().result(job, OWNER)  # of whichever kind
    written: list[Path] = []
    if out is not None:
        written = write_result(found, out) if is_folder else [found.save(out)]
    if as_text:
        echo(as_json(found))
    elif not written:
        echo("\n".join(trust_lines(found)))
    for path in written:
        echo(f"Wrote {path}", err=as_text)


def is_served(home: Path, job: "Job") -> bool:
    """Tell whether a worker looks after the device of a job."""
    from workbench.jobs.lock import FileLock
    from workbench.jobs.worker import lock_path  # loads torch

    return FileLock(lock_path(home, job.device)).is_held()


def _say(job: "Job", *, as_text: bool) -> None:
    echo(json.dumps(_fields(job), indent=2) if as_text else job.describe())


def _fields(job: "Job") -> dict[str, object]:
    return {**asdict(job), "fraction": job.fraction, "eta": job.eta}


def _lines(found: "Iterable[Job]") -> list[str]:
    return [f"{job.id}  {_time(job.created)}  {job.describe()}" for job in found]


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M}"
