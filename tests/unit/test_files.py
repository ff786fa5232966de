"""Files that appear as a whole or not at all."""

import pytest

from workbench.core.files import replacing


def test_the_file_appears_when_the_block_succeeds(tmp_path):
    target = tmp_path / "new" / "folder" / "out.txt"
    with replacing(target) as part:
        part.write_text("whole")
        assert not target.exists()
        assert part.parent == target.parent, "a rename is atomic within one file system only"
    assert target.read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]


def test_the_old_file_stays_until_the_block_succeeds(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    with replacing(target) as part:
        part.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


def test_a_failure_leaves_the_old_file_and_no_part(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")

    def fail():
        with replacing(target) as part:
            part.write_text("ne")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_block_that_writes_nothing_fails_and_leaves_nothing(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, replacing(tmp_path / "out.txt"):
        pass
    assert caught.value.filename == str(tmp_path / "out.txt"), "a name that nobody knows"
    assert list(tmp_path.iterdir()) == []


def test_two_writers_do_not_meet(tmp_path):
    target = tmp_path / "out.txt"
    with replacing(target) as first, replacing(target) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    # The inner block ends first, so the outer one is the last to take its place.
    assert target.read_text() == "first"
    assert list(tmp_path.iterdir()) == [target]
