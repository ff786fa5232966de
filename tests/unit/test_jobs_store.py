"""Kept results: found by key, verified, and removed in the order of their last use."""

import errno
import os
import time
from pathlib import Path

import pytest

from tests.attributions import example
from tests.jobs import assert_same_bits
from workbench.core.errors import InvalidInputError, LimitError
from workbench.jobs.store import ResultStore

KEYS = [f"{i:064x}" for i in range(0x11, 0x99, 0x11)]


@pytest.fixture
def store(tmp_path):
    return ResultStore(tmp_path / "results", max_bytes=10**6)


def age(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_gives_back_what_was_put_in(store):
    result = example(n=3)
    path = store.put(KEYS[0], result)
    assert path == store.root / "00" / f"{KEYS[0]}.attribution"
    assert store.has(KEYS[0])
    assert not store.has(KEYS[1])
    assert store.get(KEYS[1]) is None
    assert_same_bits(store.get(KEYS[0]), result)
    assert store.get(KEYS[0]).provenance == result.provenance
    store.remove(KEYS[0])
    store.remove(KEYS[0])
    assert not store.has(KEYS[0])


def test_nobody_else_may_look_into_it(store):
    path = store.put(KEYS[0], example())
    assert [folder.stat().st_mode & 0o777 for folder in (store.root, path.parent)] == [0o700] * 2


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_a_damaged_result_is_no_result(store, caplog, damage):
    path = store.put(KEYS[0], example())
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes({"flip": content, "cut": content[:-9], "empty": b""}[damage])
    assert store.get(KEYS[0]) is None
    assert "A stored result was removed: " in caplog.text
    assert not path.exists()


def test_the_longest_unused_make_room(store):
    size = store.put(KEYS[0], example()).stat().st_size
    small = ResultStore(store.root, max_bytes=int(4.5 * size))
    paths = [small.put(key, example()) for key in KEYS[:4]]
    for place, path in enumerate(paths):
        age(path, 1000 - place)
    assert small.get(KEYS[0]) is not None, "used just now"
    small.put(KEYS[4], example())
    assert [small.has(key) for key in KEYS[:5]] == [True, False, True, True, True]
    for key in KEYS[5:8]:
        small.put(key, example())
        assert sum(path.stat().st_size for path in store.root.rglob("*.*")) <= small.max_bytes
        assert small.has(key), "the newest one is what somebody waits for"


def test_reading_the_time_of_access_is_not_a_use(store):
    one, two = (store.put(key, example()) for key in KEYS[:2])
    age(one, 100)
    age(two, 50)
    one.read_bytes()
    small = ResultStore(store.root, max_bytes=int(2.5 * one.stat().st_size))
    small.put(KEYS[2], example())
    assert [small.has(key) for key in KEYS[:3]] == [False, True, True]


def test_what_is_being_written_is_left_alone(store):
    path = store.put(KEYS[0], example())
    writing = path.with_name(f".{KEYS[1]}.attribution.ab12.part")
    writing.write_bytes(bytes(5 * path.stat().st_size))
    age(writing, 1000)
    ResultStore(store.root, max_bytes=int(1.5 * path.stat().st_size)).put(KEYS[2], example())
    assert writing.exists()
    assert not store.has(KEYS[1])
    store.clean_up()
    assert writing.exists(), "a writer may still be at it"
    age(writing, 4000)
    store.clean_up()
    assert not writing.exists()
    assert store.has(KEYS[2])


def test_a_result_larger_than_all_may_be_is_refused(store):
    size = store.put(KEYS[0], example()).stat().st_size
    tiny = ResultStore(store.root, max_bytes=100)
    with pytest.raises(LimitError) as caught:
        tiny.put(KEYS[1], example())
    assert str(caught.value) == (
        f"The result takes {size:,} bytes, more than all results together may (100, setting "
        "results_bytes); explain fewer rows."
    )
    assert not tiny.has(KEYS[1])
    assert tiny.has(KEYS[0]), "others were not removed in vain"


def test_a_full_disk_is_said(store, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(LimitError) as caught:
        store.put(KEYS[0], example())
    assert str(caught.value) == (
        f"There is no room for the result on the disk of {str(store.root)!r}; make room, or let "
        "WORKBENCH_HOME name a folder on a larger disk."
    )
    assert list(store.root.rglob("*.*")) == []


def test_the_space_is_a_setting(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_RESULTS_BYTES", "1234")
    assert ResultStore(tmp_path).max_bytes == 1234


def test_a_key_cannot_leave_the_folder(store):
    for key in ("../../etc/passwd", "", "AB" * 32, "*" * 64):
        with pytest.raises(InvalidInputError):
            store.get(key)


def test_a_preview_is_no_result_and_gives_way_to_better_ones(store):
    assert store.preview(KEYS[0]) is None
    first, second = example(), example(n=3)
    store.put_preview(KEYS[0], first)
    assert not store.has(KEYS[0])
    assert_same_bits(store.preview(KEYS[0]), first)
    store.put_preview(KEYS[0], second)
    assert len(store.preview(KEYS[0])) == 3
    store.put(KEYS[0], first)
    store.drop_preview(KEYS[0])
    store.drop_preview(KEYS[0])
    assert store.preview(KEYS[0]) is None
    assert store.has(KEYS[0])


def test_a_preview_goes_with_its_result_or_when_it_is_old(store):
    store.put_preview(KEYS[0], example())
    store.remove(KEYS[0])
    assert store.preview(KEYS[0]) is None
    store.put_preview(KEYS[1], example())
    store.clean_up()
    assert store.preview(KEYS[1]) is not None
    age(next(store.root.rglob("*.preview")), 4000)
    store.clean_up()
    assert store.preview(KEYS[1]) is None


def test_a_preview_for_which_there_is_no_room_is_left_out(store, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    store.put_preview(KEYS[0], example())
    assert store.preview(KEYS[0]) is None
