"""``workbench jobs``: the list of jobs from a shell."""

import json

import pytest

from tests.attributions import example
from tests.jobs import SMALL, assert_same_bits, finish, request
from workbench.cli.main import main
from workbench.core.results import load
from workbench.jobs.queue import NO_JOB, Queue


@pytest.fixture
def queue(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    made = Queue()
    yield made
    made.close()


@pytest.fixture
def said(capsys):
    """Runs ``workbench jobs`` in this process and returns what it printed."""

    def run(*arguments, code=0):
        got = 0
        try:
            main(["jobs", *map(str, arguments)])
        except SystemExit as stop:
            got = stop.code
        captured = capsys.readouterr()
        assert got == code, captured
        return captured.err if code else captured.out

    return run


def submit(queue, row=0, owner="local"):
    return queue.submit(request(row), owner=owner, title=f"Row {row}", cost=SMALL)


def test_lists_the_jobs_of_this_machine(queue, said):
    assert said("list") == "There are no jobs.\n"
    first, second = submit(queue), submit(queue, 1)
    submit(queue, 2, "somebody")  # whose turn it is before the second of ours
    lines = said("list").splitlines()
    assert [line.split("  ")[0] for line in lines] == [second.id, first.id]
    assert [line.split("  ")[-1] for line in lines] == [
        "Row 1: waiting behind 2 others", "Row 0: waiting, next",
    ]  # fmt: skip
    found = json.loads(said("list", "--json"))
    assert [job["id"] for job in found] == [second.id, first.id]
    assert (found[0]["state"], found[0]["fraction"]) == ("queued", 0.0)


def test_shows_one_job(queue, said):
    job = submit(queue)
    finish(queue)
    lines = said("show", job.id).splitlines()
    assert lines[:3] == [
        "Row 0: done in 2.0 s",
        "  method     shapley.kernel on cpu",
        "  takes      at most 1,000 model evaluations",
    ]
    assert [line.split()[0] for line in lines[3:]] == ["submitted", "started", "ended"]
    assert json.loads(said("show", job.id, "--json"))["state"] == "done"


def test_cancels_and_runs_again(queue, said):
    job = submit(queue)
    assert said("cancel", job.id) == "Row 0: cancelled\n"
    assert said("rerun", job.id) == "Row 0: waiting, next\n"
    assert json.loads(said("cancel", job.id, "--json"))["state"] == "cancelled"
    assert json.loads(said("rerun", job.id, "--json"))["state"] == "queued"


def test_saves_a_result(queue, said, tmp_path):
    job = submit(queue)
    out = tmp_path / "row.attribution"
    assert said("result", job.id, "--out", out, code=1) == (
        "Error: The job has no result: it is queued; wait, or run it again.\n"
    )
    finish(queue)
    assert said("result", job.id, "--out", out) == f"Wrote {out}\n"
    assert_same_bits(load(out), example(n=2))
    found = json.loads(said("result", job.id, "--json"))
    assert found["kind"] == "attribution"
    assert found["fields"]["values"] == example(n=2).values.tolist()


@pytest.mark.parametrize("verb", ["show", "cancel", "rerun", "result", "wait"])
def test_a_job_of_someone_else_is_no_job(queue, said, tmp_path, verb):
    job = submit(queue, owner="somebody")
    more = ("--out", tmp_path / "x") if verb == "result" else ()
    assert said(verb, job.id, *more, code=1) == f"Error: {NO_JOB}\n"


def test_a_result_goes_to_a_folder_as_those_of_other_commands(queue, said, tmp_path):
    job = submit(queue)
    finish(queue)
    lines = said("result", job.id, "--out", tmp_path / "out").splitlines()
    files = sorted((tmp_path / "out").iterdir())
    assert sorted(lines) == [f"Wrote {file}" for file in files]
    assert {file.suffix for file in files} == {".attribution", ".csv", ".json"}
    assert_same_bits(load(next(file for file in files if file.suffix == ".attribution")),
                     example(n=2))  # fmt: skip
    told = said("result", job.id)
    assert example(n=2).provenance.describe() in told
    (tmp_path / "file").write_text("mine")
    below = tmp_path / "file" / "below"
    assert said("result", job.id, "--out", below, code=1) == (
        f"Error: Folder {str(below)!r} cannot be written to; choose another.\n"
    )


def test_waits_for_what_is_over(queue, said):
    job = submit(queue)
    assert said("wait", job.id, code=1) == (
        "Error: Nothing runs jobs on cpu now, so that this one would wait for ever; start "
        "workbench serve, or give --timeout.\n"
    )
    assert said("wait", job.id, "--timeout", "0", code=1) == (
        "Error: The job is queued, not done; wait longer.\n"
    )
    finish(queue)
    assert said("wait", job.id) == "Row 0: done in 2.0 s\n"
    assert json.loads(said("wait", job.id, "--json"))["state"] == "done"
    stopped = submit(queue, 1)
    queue.cancel(stopped.id, "local")
    assert said("wait", stopped.id, code=1) == (
        "Error: The job is cancelled, not done; workbench jobs rerun runs it again.\n"
    )


def test_removes_a_job(queue, said):
    job = submit(queue)
    assert said("remove", job.id) == f"Removed {job.id}.\n"
    assert said("list") == "There are no jobs.\n"
    assert said("remove", job.id, code=1) == f"Error: {NO_JOB}\n"
