"""Workers as processes of their own: they serve, end with their server, and lose no result."""

import io
import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tests.jobs import LONG, assert_same_bits, cost, in_process, request, until
from workbench.core.errors import LimitError
from workbench.jobs import service as module
from workbench.jobs.lock import FileLock
from workbench.jobs.queue import Queue
from workbench.jobs.worker import DEVICE_IS_SERVED, lock_path
from workbench.workspace.store import Workspace


@pytest.fixture(scope="module")
def environment():
    """As many threads there as here, since sums may depend on it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "2")
        yield patch


@pytest.fixture(scope="module")
def service(environment, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    environment.setenv("WORKBENCH_HOME", str(home))
    made = module.start()
    yield made
    made.stop()


def submit(queue, asked, owner="local"):
    return queue.submit(asked, owner=owner, title="t", cost=cost(asked))


def run(queue, asked, owner="local"):
    job = queue.wait(submit(queue, asked, owner).id, owner, 60)
    assert (job.state, job.error) == ("done", "")
    return queue.result(job.id, owner)


def start_long(queue):
    """A job that is at work and would be for a minute."""
    asked = request(**LONG)
    job = queue.find(asked, "local")
    job = submit(queue, asked) if job is None else queue.rerun(job.id, "local")
    return until(lambda: _at_work(queue, job))


def _at_work(queue, job):
    now = queue.get(job.id, "local")
    assert now.state in {"queued", "running"}, now
    return now if now.done else None


def worker_of(service):
    return until(lambda: service.workers()[-1].pid)


def test_there_is_one_service_per_process(service):
    assert module.start() is service
    assert module.start(service.home) is service
    assert [worker.device for worker in service.workers()][-1] == "cpu"


def test_a_result_of_another_process_is_the_same_bit_for_bit(service):
    for asked in (request(), request(rows=(4, 2)), request(method="shapley.exact", params={})):
        assert_same_bits(run(service.queue, asked), in_process(asked))


def test_a_small_job_is_done_while_a_large_one_goes_on(service):
    large = start_long(service.queue)
    for row in range(10, 13):
        assert_same_bits(run(service.queue, request(row)), in_process(request(row)))
    now = service.queue.get(large.id, "local")
    assert now.state == "running"
    until(lambda: service.queue.get(large.id, "local").done > now.done)
    service.queue.cancel(large.id, "local")
    assert service.queue.get(large.id, "local").state == "cancelled"
    run(service.queue, request(13))


def test_a_worker_that_is_killed_leaves_an_interrupted_job(service):
    queue = service.queue
    asked = request(rows=tuple(range(20)), params={"budget": 20_000})
    job = submit(queue, asked)
    until(lambda: _at_work(queue, job))
    pid = worker_of(service)
    os.kill(pid, signal.SIGKILL)
    seen = until(lambda: _over(queue, job))
    assert (seen.state, seen.error) == (
        "interrupted", "The process that ran this job ended unexpectedly; run the job again.",
    )  # fmt: skip
    assert worker_of(service) != pid
    queue.rerun(job.id, "local")
    assert queue.wait(job.id, "local", 120).state == "done"
    assert_same_bits(queue.result(job.id, "local"), in_process(asked))


def _over(queue, job):
    now = queue.get(job.id, "local")
    return None if now.is_active else now


def test_another_worker_of_the_device_has_nothing_to_do(service):
    worker_of(service)
    until(lambda: FileLock(lock_path(service.home, "cpu")).is_held())
    command = [sys.executable, "-m", "workbench.jobs.worker", "--device", "cpu", "--home"]
    done = subprocess.run([*command, service.home], stdin=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == DEVICE_IS_SERVED


def test_a_device_that_this_machine_lacks_is_said(service):
    job = submit(service.queue, request(device="cuda:77"))
    seen = until(lambda: _over(service.queue, job))
    assert (seen.state, seen.error) == (
        "failed", "This machine has no device 'cuda:77'; choose another device.",
    )  # fmt: skip


def test_stopping_interrupts_and_the_next_server_goes_on(environment, tmp_path):
    environment.setenv("WORKBENCH_HOME", str(tmp_path))
    first = module.start(tmp_path)
    long, waiting = start_long(first.queue), None
    waiting = submit(first.queue, request(**LONG, seed=1))
    first.stop()
    assert module.start(tmp_path) is not first
    second = module.start(tmp_path)
    try:
        assert first.workers()[-1].pid is None
        seen = second.queue.get(long.id, "local")
        assert (seen.state, seen.error) == (
            "interrupted", "The workbench was stopped while this job ran; run the job again.",
        )  # fmt: skip
        until(lambda: second.queue.get(waiting.id, "local").state == "running")
    finally:
        second.stop()


SERVER = """
import os, sys
from tests.jobs import LONG, ReadyWorker, cost, request
from workbench.jobs import service, worker
home, large = sys.argv[1], request(**LONG)
stated = cost(large), cost(request())
worker.registered_methods()
for line in sys.stdin:  # one server after the other, each to be killed
    if os.fork() == 0:
        service.subprocess.Popen = ReadyWorker(service.subprocess.Popen)
        queue = service.start(home).queue
        job = queue.submit(large, owner="local", title="large", cost=stated[0])
        small = request(int(line))
        queue.submit(small, owner="local", title="small", cost=stated[1])
        print(os.getpid(), flush=True)
        while True:
            service.threading.Event().wait(60)
    os.wait()
"""
KILLS, AT_ONCE = 13, 2  # of which 20 in the middle of a job


def survive(home, seed):
    """Kill a server again and again, mostly while it works; return what each one left."""
    draw = random.Random(seed)  # noqa: S311 - when to kill is no secret
    queue, left, server = Queue(home), [], None
    parent = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(home)], text=True, bufsize=1,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        for turn in range(KILLS):
            parent.stdin.write(f"{turn}\n")
            server = int(parent.stdout.readline())
            if turn % 4 != 3:  # each fourth is killed while its worker starts
                until(lambda turn=turn: queue.find(request(turn), "local").state == "done")
                until(lambda: queue.find(request(**LONG), "local").state == "running")
            time.sleep(draw.random() / 5)
            os.kill(server, signal.SIGKILL)
            left.append({job.key: job.state for job in queue.jobs("local")})
    finally:
        for process in (server, parent.pid):
            with suppress(ProcessLookupError, TypeError):
                os.kill(process, signal.SIGKILL)
        parent.communicate()
    until(lambda: not FileLock(lock_path(home, "cpu")).is_held())
    return queue, left


def upload(home):
    """Bring a table of one's own; returns its digest."""
    workspace = Workspace("local", home)
    rows = "".join(f"{n + 0.5},{n * n}\n" for n in range(20))
    draft = workspace.receive(io.BytesIO(f"height,weight\n{rows}".encode()), "sizes.csv")
    return workspace.save_table(draft, workspace.preview(draft).guess, name="sizes").digest


@pytest.mark.usefixtures("environment")
def test_servers_that_are_killed_lose_no_job_and_no_result(tmp_path):
    homes = [tmp_path / str(i) for i in range(AT_ONCE)]
    uploads = [upload(home) for home in homes]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        survived = list(pool.map(survive, homes, range(AT_ONCE)))
    expected = [in_process(request(turn)) for turn in range(KILLS)]
    for home, digest in zip(homes, uploads, strict=True):
        assert Workspace("local", home).load_table("sizes").digest == digest
    for queue, left in survived:
        for earlier, later in itertools.pairwise(left):
            assert earlier.keys() <= later.keys(), "a job was lost"
            done = {key for key, state in earlier.items() if state == "done"}
            assert all(later[key] == "done" for key in done), "a result was lost"
        assert len(queue.jobs("local")) == 1 + KILLS
        states = {job.title: set() for job in queue.jobs("local")}
        for job in queue.jobs("local"):
            states[job.title].add(job.state)
            if job.state == "done":
                turn = next(i for i in range(KILLS) if request(i).key == job.key)
                assert_same_bits(queue.result(job.id, "local"), expected[turn])
        assert states["large"] <= {"interrupted", "queued"}
        assert states["small"] <= {"done", "queued", "interrupted"}
        assert not list(queue.home.rglob("*.damaged*"))
        assert not list(queue.home.rglob("*.part"))
        queue.close()


def test_a_file_lock_is_taken_once_and_freed_with_its_holder(tmp_path):
    one, two = FileLock(tmp_path / "a" / "lock"), FileLock(tmp_path / "a" / "lock")
    assert not one.is_held()
    assert one.acquire()
    assert one.is_held()
    assert two.is_held()
    assert not two.acquire()
    waiter = threading.Thread(target=two.acquire, kwargs={"wait": True})
    waiter.start()
    one.release()
    waiter.join(30)
    assert one.is_held()
    two.release()
    assert not one.is_held()


def test_a_supervisor_waits_longer_and_longer_for_a_worker_that_will_not_start(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(module.sys, "executable", "/bin/false")
    post, clock = module._Post(tmp_path, "cpu"), [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    starts = []
    for _ in range(200):
        clock[0] += 0.5
        before = post.restarts
        post.keep()
        if post.restarts > before:
            starts.append(clock[0])
            post._process.wait()
    post.close()
    gaps = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert starts[0] == 0.5
    assert gaps == sorted(gaps)
    assert gaps[:4] == [1.0, 1.5, 2.5, 4.5]


def test_a_list_that_is_busy_does_not_end_the_supervisor(tmp_path, monkeypatch):
    def busy():
        raise LimitError("The list of jobs is busy; try again in a moment.")

    made = module.Service(tmp_path, ())
    monkeypatch.setattr(made.queue, "waiting_devices", busy)
    assert made._thread.is_alive()
    made.stop()
    assert not made._thread.is_alive()
