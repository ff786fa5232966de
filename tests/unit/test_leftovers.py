"""What a killed run leaves beside its folder goes away with the next one; a running one stays."""

import os
import signal
import subprocess
import sys

import pytest

from workbench.analysis.folder import ANALYSIS, NUMBERS, out_folder
from workbench.core.errors import InvalidInputError

RUN = """
import sys
from pathlib import Path
from workbench.analysis.folder import out_folder
with out_folder(Path(sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.read()
"""
KILLED = ".out.0123abcd"


def fill(folder, text, *more):
    folder.mkdir()
    for name in (ANALYSIS, NUMBERS, *more):
        (folder / name).write_text(text)


def write(out):
    with out_folder(out) as part:
        for name in (ANALYSIS, NUMBERS):
            (part / name).write_text("last")


def seen_within(out):
    """What the folder holds while another run is under way, which then writes nothing."""
    with out_folder(out):
        return (out / NUMBERS).read_text(), (out / "mine.txt").read_text()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_killed_run_leaves_nothing_once_another_one_starts(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path / "out")], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    left = names(tmp_path)
    assert [name.rsplit(".", 1)[1] for name in left] == ["lock", "part"]
    write(tmp_path / "out")
    assert names(tmp_path) == [*left, "out"], "it is under way"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    write(tmp_path / "out")
    assert names(tmp_path) == ["out"]


def test_a_run_ends_as_if_another_one_had_not_been(tmp_path):
    out = tmp_path / "out"
    with out_folder(out) as part:
        write(out)
        assert part.is_dir()
        (part / ANALYSIS).write_text("longer")
        (part / NUMBERS).write_text("longer")
    assert names(tmp_path) == ["out"]
    assert (out / NUMBERS).read_text() == "longer"


def test_leftovers_of_other_folders_and_files_of_such_names_are_not_ours(tmp_path):
    for name in (".out.more.0123abcd.part", ".out.0123abce.part", ".out.xyz.part"):
        (tmp_path / name).mkdir()
    (tmp_path / ".out.more.0123abcd.lock").touch()
    (tmp_path / ".out.xyz.lock").touch()
    before = names(tmp_path)
    write(tmp_path / "out")
    assert names(tmp_path) == sorted([*before, "out"])


@pytest.mark.parametrize("there", ["out", "old"])
def test_a_run_that_was_killed_while_it_took_its_place(tmp_path, there):
    """Before the first of two renames the earlier run stays, between them the new one is whole."""
    out = tmp_path / "out"
    fill(tmp_path / f"{KILLED}.part", "new", "mine.txt")  # a file of somebody's came along
    fill(out if there == "out" else tmp_path / f"{KILLED}.old", "last")
    (tmp_path / f"{KILLED}.lock").touch()
    assert seen_within(out) == ("last" if there == "out" else "new", "new")
    assert names(tmp_path) == ["out"]
    assert names(out) == ["mine.txt"], "what is of others stays, whatever a run writes"


def test_what_was_among_the_steps_goes_back_as_well(tmp_path):
    out, part = tmp_path / "out", tmp_path / f"{KILLED}.part"
    for folder in (out, part):
        fill(folder, '{"machine": {}, "steps": {"a": {"kind": "churn"}}}')
        (folder / "steps").mkdir()
    for name in ("a.churn", "a.json", "a.csv", "mine.txt", "b.csv"):
        (part / "steps" / name).write_text("x")
    (tmp_path / f"{KILLED}.lock").touch()
    with out_folder(out):
        assert names(out / "steps") == ["b.csv", "mine.txt"]


def test_nothing_is_lost_where_the_folder_cannot_take_its_place(tmp_path, monkeypatch):
    out = tmp_path / "out"
    fill(out, "last", "mine.txt")

    def refuse(*_):
        raise PermissionError(13, "Permission denied", str(out))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError):
        write(out)
    assert (out / "mine.txt").read_text() == (out / NUMBERS).read_text() == "last"
    assert names(tmp_path) == ["out"]


def test_a_file_that_is_there_again_is_not_overwritten(tmp_path):
    out = tmp_path / "out"
    fill(out, "last", "mine.txt")
    fill(tmp_path / f"{KILLED}.part", "new", "mine.txt")
    (tmp_path / f"{KILLED}.lock").touch()
    write(out)
    assert (out / "mine.txt").read_text() == "last"


def test_a_place_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidInputError, match="cannot be written to"):
        write(tmp_path / "file" / "out")
