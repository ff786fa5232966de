"""What a confined process cannot do, tried from inside; and what the parent makes of its end."""

import gc
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from workbench.core import errors
from workbench.core.errors import DataError, InvalidInputError, LimitError
from workbench.isolation import confine, process
from workbench.isolation.process import Limits, Worker, call, isolation

PROBE = "workbench.isolation.probe"
MEMORY = 2**27
LINUX = pytest.mark.skipif(not confine.on_linux(), reason="seccomp and Landlock are of Linux")
DAMAGED = (
    "the file may be damaged, or need more memory than the setting reader_bytes allows."
)  # fmt: skip


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))


@pytest.fixture
def leftover():
    """Return a look at the children that a test leaves, not at those of tests before it.

    A model of an earlier file of tests may be alive, and with it the process that runs it.
    """
    before = set(children())
    return lambda: [pid for pid in children() if pid not in before]


def probe(function, limits=None, **arguments):
    limits = limits or Limits(MEMORY, seconds=20)
    return call(f"{PROBE}:{function}", arguments, limits)


def children():
    """Confined processes that are running, and any that ended and were not waited for."""
    tasks = Path("/proc/self/task").glob("*/children")
    pids = [pid for task in tasks for pid in task.read_text().split()]
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids}
    return [pid for pid, command in commands.items() if not command or b"isolation" in command]


@LINUX
def test_this_system_can_confine_everything_and_says_so():
    found = isolation()
    assert (found.memory, found.network, found.writes, found.enough) == (True,) * 4
    assert found.sentence == (
        "Uploads are read in processes without network or other programs, with limited time and "
        "memory, that may write to their own folder alone."
    )


def test_what_a_system_cannot_confine_is_said():
    nothing = dict.fromkeys(("memory", "network", "writes"), False)
    assert process._sentence(nothing | {"memory": True}) == (
        "Uploads are read in processes of their own with limited time; this system can limit "
        "their memory but cannot cut them off from the network and from starting programs or keep "
        "them from writing outside their own folder."
    )


@LINUX
def test_no_network_no_programs_no_signals():
    assert probe("connect") == {"refused": True}
    assert probe("run_program") == {"refused": True}
    assert probe("send_signal", pid=os.getpid()) == {"refused": True}


def test_the_probe_itself_can_fail(tmp_path):
    """The same attempts succeed here, so that a refusal there means something."""
    from workbench.isolation import probe as attempts

    file = tmp_path / "file"
    assert attempts.connect() == {"refused": False}
    assert attempts.write(str(file)) == {"refused": False}
    assert attempts.send_signal(os.getpid()) == {"refused": False}
    assert attempts.allocate(2**20) == {"refused": False}
    assert set(attempts.change(str(file))["worked"]) >= {
        "append",
        "truncate",
        "chmod",
        "utime",
        "rename",
    }


@LINUX
def test_no_file_is_written_where_none_may_be(tmp_path):
    kept = tmp_path / "kept"
    kept.write_text("as before")
    kept.chmod(0o600)
    before = kept.stat()
    assert probe("write", path=str(tmp_path / "new")) == {"refused": True}
    assert probe("change", path=str(kept)) == {"worked": []}
    after = kept.stat()
    assert (kept.read_text(), after.st_mode, after.st_mtime) == (
        "as before", before.st_mode, before.st_mtime,
    )  # fmt: skip
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]


@LINUX
def test_files_are_protected_by_the_filter_even_where_folders_cannot_be(tmp_path, monkeypatch):
    """An old kernel has no Landlock; the child runs the same code with it switched off."""
    kept = tmp_path / "kept"
    kept.write_text("as before")
    monkeypatch.setattr(
        process, "_START", process._START.replace(
            "main()", "from workbench.isolation import confine\n"
            "confine._landlock = lambda *_: False\nmain()",
        ),
    )  # fmt: skip
    assert probe("write", path=str(tmp_path / "new")) == {"refused": True}
    assert probe("change", path=str(kept)) == {"worked": []}
    inside = Limits(MEMORY, seconds=20, writes=tmp_path)
    assert probe("write", limits=inside, path=str(tmp_path / "new")) == {"refused": False}


@LINUX
def test_writing_is_possible_in_the_named_folder_alone(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "way_out").symlink_to(outside)
    limits = Limits(MEMORY, seconds=20, writes=inside)
    assert probe("write", limits=limits, path=str(inside / "file")) == {"refused": False}
    assert (inside / "file").read_bytes() == b"written"
    for path in (outside / "file", inside / ".." / "file", inside / "way_out" / "file"):
        assert probe("write", limits=limits, path=str(path)) == {"refused": True}
    assert not list(outside.iterdir())


@LINUX
def test_a_written_file_cannot_be_larger_than_allowed(tmp_path):
    limits = Limits(MEMORY, seconds=20, writes=tmp_path, file_bytes=3)
    with pytest.raises(DataError, match=r"not foreseen \(OSError\)"):
        probe("write", limits=limits, path=str(tmp_path / "file"))


@LINUX
def test_reading_can_be_limited_to_named_files(tmp_path):
    mine, other = tmp_path / "mine", tmp_path / "other"
    mine.write_text("mine")
    other.write_text("other")
    limits = Limits(MEMORY, seconds=20, reads=(mine,))
    assert probe("read", limits=limits, path=str(mine)) == {"content": "mine"}
    assert probe("read", limits=limits, path=str(other)) == {"content": None}
    assert probe("read", path=str(other)) == {"content": "other"}
    assert probe("surroundings", limits=limits)["threads"]


@LINUX
def test_the_environment_of_the_parent_stays_there(monkeypatch):
    """Not even through the system's own files, which show it to processes of the same user."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    monkeypatch.setenv("WORKBENCH_COOKIE_SECRET", "hidden")
    monkeypatch.setenv("WORKBENCH_LOG_LEVEL", "ERROR")
    found = probe("surroundings")
    expected = {"PATH", "LANG", "LC_ALL", "TZ", "OMP_NUM_THREADS", "GOMP_SPINCOUNT", "HOME",
                "WORKBENCH_HOME", "WORKBENCH_LOG_LEVEL", "LC_CTYPE"}  # fmt: skip
    assert set(found["environment"]) <= expected
    assert "WORKBENCH_LOG_LEVEL" in found["environment"]
    assert found["files"] <= 6, "files of the parent were handed on"
    assert found["threads"], "threads must still work"
    assert found["group"], "it must be possible to end it with all that it starts"
    assert probe("read", path=f"/proc/{os.getpid()}/environ") == {"content": None}


def test_too_much_memory_is_one_sentence():
    with pytest.raises(LimitError) as caught:
        probe("exhaust", n_bytes=2**30)
    assert str(caught.value) == (
        "Reading the file needs more than 0.125 GiB of memory and was stopped; give it less to "
        "do, or raise the setting reader_bytes."
    )
    assert probe("exhaust", n_bytes=2**26) == {"size": 2**26}


@pytest.mark.parametrize("function", ["loop", "sleep"])
def test_too_much_time_is_one_sentence_whether_it_computes_or_waits(function, leftover):
    limits = Limits(
        MEMORY, seconds=0.3, what="The model 'm'", time_setting="onnx_seconds",
    )  # fmt: skip
    with pytest.raises(LimitError) as caught:
        probe(function, limits=limits, **({"seconds": 60} if function == "sleep" else {}))
    assert str(caught.value) == (
        "The model 'm' took longer than 0.3 seconds and was stopped; give it less to do, or raise "
        "the setting onnx_seconds."
    )
    assert leftover() == []


def test_processor_time_has_a_limit_of_its_own():
    limits = Limits(MEMORY, seconds=60, cpu_seconds=0.2)
    with pytest.raises(LimitError, match="took longer than 60 seconds and was stopped"):
        probe("loop", limits=limits)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT])
def test_a_crash_is_one_sentence(number, leftover):
    with pytest.raises(LimitError) as caught:
        probe("crash", number=int(number))
    assert str(caught.value) == (
        f"Reading the file failed because its process ended ({number.name}); {DAMAGED}"
    )
    assert leftover() == []


def test_every_error_of_ours_comes_back_as_it_was():
    assert set(process.KNOWN_ERRORS) >= {"DataError", "RegistryError", "LimitError"}
    for name, kind in process.KNOWN_ERRORS.items():
        with pytest.raises(errors.WorkbenchError) as caught:
            process._check({"error": name, "message": "Column 'a' is empty."}, Limits(1, 1))
        assert type(caught.value) is kind
    with pytest.raises(InvalidInputError) as caught:
        probe("fail", kind="InvalidInputError", message="Column 'ä' is empty.")
    assert str(caught.value) == "Column 'ä' is empty."


def test_any_other_error_is_one_sentence_and_the_log_has_the_rest(caplog):
    with caplog.at_level(logging.ERROR), pytest.raises(DataError) as caught:
        probe("fail", kind="ValueError", message="secret\ndetail")
    assert str(caught.value) == (
        "Reading the file failed for a reason that was not foreseen (ValueError); the log of the "
        "workbench holds the details."
    )
    assert "detail" in caplog.text
    assert len(caplog.records) == 1


def test_what_libraries_print_does_not_disturb_the_answer():
    assert probe("chatter", text="WBP1" * 50_000) == {"said": 200_000}


@pytest.mark.parametrize(
    ("function", "arguments", "why"),
    [
        ("garbage", {}, "what came is not a message"),
        ("flood", {"n_bytes": 2**24 + 1}, ""),
    ],
)
def test_an_answer_that_is_none_is_one_sentence(function, arguments, why):
    if why:
        with pytest.raises(DataError) as caught:
            probe(function, **arguments)
        assert str(caught.value) == (
            "Reading the file failed: the process that did it gave no usable answer "
            f"({why}); the file is damaged or not what it seems."
        )
    else:
        with pytest.raises(DataError, match=r"not foreseen \(WireError\)"):
            probe(function, **arguments)


@pytest.mark.parametrize(
    "entry", ["os:system", "workbench:main", "workbench.x:y.z", "workbench.a-b:c", "a.b:c", ""]
)
def test_only_functions_of_ours_can_be_named(entry):
    with pytest.raises(ValueError, match="is not a function of ours"):
        call(entry, {}, Limits(MEMORY, seconds=5))


def test_where_nothing_can_be_confined_the_setting_decides(monkeypatch):
    monkeypatch.setattr(process, "_START", process._START.replace(
        "main()", "from workbench.isolation import confine\n"
        "confine.on_linux = lambda: False\nmain()",
    ))  # fmt: skip
    with pytest.raises(LimitError) as caught:
        probe("connect")
    assert str(caught.value) == (
        "Reading the file needs a process without network and with limited memory, which this "
        "system cannot provide; use Linux, or set require_isolation to false if you trust "
        "everybody who uploads."
    )
    monkeypatch.setenv("WORKBENCH_REQUIRE_ISOLATION", "false")
    assert probe("connect") == {"refused": False}


def test_a_worker_answers_one_request_after_another_with_arrays(leftover):
    worker = Worker(f"{PROBE}:worker", {"scale": 2.0}, Limits(MEMORY, seconds=20))
    given = [
        np.arange(6.0).reshape(2, 3), np.array([np.nan, np.inf]), np.empty((0, 4)),
        np.arange(12.0).reshape(3, 4).T, np.float32([[1.5]]),
    ]  # fmt: skip
    for turn in range(3):
        header, arrays = worker.request({"turn": turn, "text": "ä"}, given)
        assert header["echo"] == {"turn": turn, "text": "ä"}
        assert header["pid"] == worker.pid != os.getpid()
        for sent, got in zip(given, arrays, strict=True):
            np.testing.assert_array_equal(got, sent * 2)
            assert got.shape == sent.shape
    large = np.random.default_rng(0).normal(size=(1000, 1000))
    np.testing.assert_array_equal(worker.request({}, [large])[1][0], large * 2)
    worker.close()
    worker.close()
    assert not worker.alive
    assert leftover() == []


def test_integers_and_truth_keep_their_types():
    worker = Worker(f"{PROBE}:worker", {"scale": 1}, Limits(MEMORY, seconds=20))
    for kind in (np.int64, np.int32, np.uint8, np.float32):
        sent = np.array([[1, 2]], dtype=kind)
        got = worker.request({}, [sent])[1][0]
        assert (got.dtype, got.tolist()) == (sent.dtype, sent.tolist())
    worker.close()


def test_requests_of_several_threads_do_not_mix():
    worker = Worker(f"{PROBE}:worker", {}, Limits(MEMORY, seconds=20))
    wrong = []

    def ask(own):
        for _ in range(20):
            header, (array,) = worker.request({"own": own}, [np.full(2000, own)])
            if header["echo"]["own"] != own or not (array == own).all():
                wrong.append(own)

    threads = [threading.Thread(target=ask, args=(float(i),)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    worker.close()


def test_an_error_of_a_worker_leaves_it_able_to_work():
    worker = Worker(f"{PROBE}:worker", {}, Limits(MEMORY, seconds=20))
    with pytest.raises(LimitError, match=r"needs more than 0\.125 GiB"):
        worker.request({"do": "exhaust", "with": [2**30]})
    with pytest.raises(DataError, match="Column"):
        worker.request({"do": "fail", "with": ["DataError", "Column 'a' is empty."]})
    assert worker.alive
    assert worker.request({"do": "connect"})[0] == {"refused": confine.on_linux()}
    worker.close()


def test_a_worker_that_is_killed_in_the_middle_says_one_sentence(leftover):
    worker = Worker(f"{PROBE}:worker", {}, Limits(MEMORY, seconds=60))
    killer = threading.Timer(0.2, partial(os.kill, worker.pid, signal.SIGKILL))
    killer.start()
    with pytest.raises(LimitError) as caught:
        worker.request({"do": "sleep", "with": [50]})
    assert str(caught.value) == (
        f"Reading the file failed because its process ended (SIGKILL); {DAMAGED}"
    )
    assert not worker.alive
    with pytest.raises(LimitError, match="because its process was ended"):
        worker.request({})
    assert leftover() == []


def test_closing_a_worker_ends_a_request_that_waits_for_it():
    worker = Worker(f"{PROBE}:worker", {}, Limits(MEMORY, seconds=60))
    threading.Timer(0.2, worker.close).start()
    with pytest.raises(LimitError, match="because its process ended"):
        worker.request({"do": "sleep", "with": [50]})


def test_time_is_counted_for_each_request_alone():
    worker = Worker(f"{PROBE}:worker", {}, Limits(MEMORY, seconds=1.0))
    for _ in range(4):
        worker.request({"do": "sleep", "with": [0.3]})
    with pytest.raises(LimitError, match="took longer than 1 seconds"):
        worker.request({"do": "sleep", "with": [50]})
    assert not worker.alive


def test_an_answer_larger_than_agreed_is_refused_before_memory_is_taken_for_it():
    worker = Worker(f"{PROBE}:worker", {}, Limits(2**30, seconds=20, reply_bytes=1000))
    assert worker.request({"zeros": 125})[1][0].shape == (125,)
    with pytest.raises(DataError, match="arrays of more than 1,000 bytes"):
        worker.request({"zeros": 126})
    assert not worker.alive


def test_a_process_that_does_not_start_in_time_is_one_sentence(monkeypatch):
    monkeypatch.setattr(process, "START_SECONDS", 0.0)
    with pytest.raises(LimitError) as caught:
        probe("connect")
    assert str(caught.value) == (
        "Reading the file needs a process of its own, which did not start within 0 seconds; try "
        "again when the machine has less to do."
    )


def test_a_forgotten_worker_is_ended():
    worker = Worker(f"{PROBE}:worker", {}, Limits(MEMORY, seconds=20))
    pid = str(worker.pid)
    del worker
    gc.collect()
    assert pid not in children()


def test_a_process_ends_with_its_parent_even_in_the_middle_of_work():
    script = f"""
import threading, time
from workbench.isolation.process import Limits, Worker
worker = Worker("{PROBE}:worker", {{}}, Limits(2**27, seconds=60))
work = lambda: worker.request({{"do": "sleep", "with": [60]}})
threading.Thread(target=work, daemon=True).start()
print(worker.pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _runs(pid)


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_test_process_is_not_confined_itself():
    socket.socket().close()
