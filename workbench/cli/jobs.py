"""``workbench jobs``: what the workers of this machine are asked to do."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.core.wording import counted

if TYPE_CHECKING:
    from workbench.jobs.queue import Job

OWNER = "local"


@click.group()
def jobs() -> None:
    """Look at jobs and results that the workbench in the browser was asked for.

    They belong to whoever uses it without sign-in. Jobs run while `workbench serve` does.
    """


@jobs.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_(as_json: bool) -> None:
    """List jobs, the newest first."""
    from workbench.jobs.queue import Queue  # loads numpy and scipy

    found = Queue().jobs(OWNER)
    if as_json:
        click.echo(json.dumps([_fields(job) for job in found], indent=2))
        return
    click.echo("\n".join(_lines(found)) if found else "There are no jobs.")


@jobs.command()
@click.argument("job")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def show(job: str, as_json: bool) -> None:
    """Say how far JOB is."""
    from workbench.jobs.queue import Queue  # loads numpy and scipy

    found = Queue().get(job, OWNER)
    if as_json:
        click.echo(json.dumps(_fields(found), indent=2))
        return
    click.echo(found.describe())
    click.echo(f"  method     {found.method} on {found.device}")
    click.echo(f"  takes      at most {counted(found.evaluations, 'model evaluation')}")
    for what, when in (
        ("submitted", found.created),
        ("started", found.started),
        ("ended", found.finished),
    ):
        if when is not None:
            click.echo(f"  {what:10} {_time(when)}")


@jobs.command()
@click.argument("job")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def cancel(job: str, as_json: bool) -> None:
    """Stop JOB; it can be run again."""
    from workbench.jobs.queue import Queue  # loads numpy and scipy

    _say(Queue().cancel(job, OWNER), as_json=as_json)


@jobs.command()
@click.argument("job")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def rerun(job: str, as_json: bool) -> None:
    """Run JOB again if it came to nothing or its result is gone."""
    from workbench.jobs.queue import Queue  # loads numpy and scipy

    _say(Queue().rerun(job, OWNER), as_json=as_json)


@jobs.command()
@click.argument("job")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; `workbench report` reads it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print where it is as JSON.")
def result(job: str, out: Path, as_json: bool) -> None:
    """Save the result of JOB."""
    from workbench.jobs.queue import Queue  # loads numpy and scipy

    found = Queue().result(job, OWNER)
    path = found.save(out)
    if as_json:
        click.echo(json.dumps({"path": str(path), "kind": found.kind}, indent=2))
        return
    click.echo(f"Wrote {path}")


def _say(job: "Job", *, as_json: bool) -> None:
    click.echo(json.dumps(_fields(job), indent=2) if as_json else job.describe())


def _fields(job: "Job") -> dict[str, object]:
    return {**asdict(job), "fraction": job.fraction, "eta": job.eta}


def _lines(found: "Iterable[Job]") -> list[str]:
    return [f"{job.id}  {_time(job.created)}  {job.describe()}" for job in found]


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M}"
