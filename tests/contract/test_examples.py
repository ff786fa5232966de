"""Every example of README, docs and ``--help`` works, and every command has one."""

import shutil
import sys

import pytest

from docs.reference import walk
from tests.examples import (
    NOT_RUN,
    blocks,
    command_of,
    examples,
    pages,
    reduced,
    write_files,
)
from tests.jobs import finish, request
from workbench import api
from workbench.cli.main import main
from workbench.core.method import Cost
from workbench.jobs.queue import Queue

EXAMPLES = examples()
MODELS = {entry.name for entry in api.list_models()}
# Pages whose Python blocks are parts of a program of the reader's own.
FRAGMENTS = {
    "models.md": "how other libraries write their models; tests/unit/test_onnx_model.py does it",
}
# Flags that have a call write a file, and calls that only print and were run by another page.
WRITE = {"--out", "--into", "--save"}
RUN = set()
PYTHON = [page for page in pages() if blocks(page, "python") and page.name not in FRAGMENTS]


def call(*words):
    """Run the command line in this process; anything but success is a failure."""
    code = 0
    try:
        main([str(word) for word in words])
    except SystemExit as stop:
        code = stop.code
    assert not code, f"workbench {' '.join(map(str, words))}"


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """A folder with every file that an example names."""
    folder = tmp_path_factory.mktemp("examples")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(folder / "home"))
        patch.chdir(folder)
        patch.setattr(sys, "path", [entry for entry in sys.path if entry])
        write_files(folder, call)
    for name in [name for name in sys.modules if name.split(".")[0] == "bank"]:
        del sys.modules[name]
    return folder


@pytest.fixture
def workplace(files, tmp_path, monkeypatch):
    """A copy of the files, with a registry and a home of its own, to work in."""
    folder = tmp_path / "work"
    shutil.copytree(files, folder)
    monkeypatch.setenv("WORKBENCH_HOME", str(folder / "home"))
    monkeypatch.setenv("WORKBENCH_MODELS", str(folder / "registry"))
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == "bank"]:
        del sys.modules[name]


def submit_jobs():
    """Two jobs of this machine: one that is done, and one that waits."""
    queue = Queue()
    done = queue.submit(request(0), owner="local", title="Row 0", cost=Cost(1000, 1000))
    finish(queue)
    waiting = queue.submit(request(1), owner="local", title="Row 1", cost=Cost(1000, 1000))
    queue.close()
    return {
        "show": done.id, "wait": done.id, "result": done.id, "remove": done.id,
        "cancel": waiting.id, "rerun": waiting.id,
    }  # fmt: skip


def is_known(words):
    """Whether a call about a bundled model, which leaves no file, was run by another page."""
    if not MODELS.intersection(words[1:2]) or WRITE.intersection(words):
        return False
    known = tuple(words) in RUN
    RUN.add(tuple(words))
    return known


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize("page", EXAMPLES)
def test_the_examples_of_a_page_run(page, capsys):
    calls = [one for one in EXAMPLES[page] if command_of(one.words)[0] not in NOT_RUN]
    jobs = submit_jobs() if any(one.words[0] == "jobs" for one in calls) else {}
    for one in calls:
        words = reduced(one)
        if jobs:
            words = [jobs[words[1]] if word == "JOB" else word for word in words]
        if not is_known(words):
            call(*words)
            assert capsys.readouterr().out


def test_every_command_has_an_example():
    shown = {command_of(one.words)[0] for calls in EXAMPLES.values() for one in calls}
    commands = {" ".join(path) for path, command in walk() if not hasattr(command, "commands")}
    assert commands - shown == set()
    assert set(NOT_RUN) <= shown


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize("page", PYTHON, ids=lambda page: page.stem)
def test_the_python_of_a_page_runs(page):
    namespace = {"__name__": page.stem}
    for code in blocks(page, "python"):
        exec(compile(code, str(page), "exec"), namespace)  # noqa: S102 - our own pages
