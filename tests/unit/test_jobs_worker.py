"""The worker, in this process: what it computes, and how each kind of job ends."""

import errno
import os
import re
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.jobs import LARGE, LONG, SMALL, assert_same_bits, cost, in_process, request, wine
from workbench.core.errors import AccessError, DataError
from workbench.core.method import METHODS
from workbench.engines.shapley.run import UNFINISHED
from workbench.jobs import worker as module
from workbench.jobs.queue import Queue
from workbench.jobs.worker import OUT_OF_MEMORY, STOPPED, UPDATED, Signals, Worker
from workbench.workspace import sources

KERNEL = "shapley.kernel"


@pytest.fixture
def queue(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    made = Queue()
    yield made
    made.close()


@pytest.fixture
def worker(queue):
    made = Worker(queue.home, "cpu", Signals())
    yield made
    made.desk.close()


@pytest.fixture
def engine(monkeypatch):
    """Puts something else in the place of the kernel engine."""

    def put(explain):
        monkeypatch.setitem(METHODS._methods, KERNEL, replace(METHODS[KERNEL], explain=explain))

    put.real = METHODS[KERNEL].explain
    return put


def submit(queue, asked=None, owner="ann", stated=None):
    asked = asked or request()
    return queue.submit(asked, owner=owner, title="t", cost=stated or cost(asked))


def run(worker, queue, job):
    worker.run(worker.desk.claim())
    return queue.get(job.id, job.owner)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"rows": (3, 1), "seed": 5},
        {"rows": None, "count": 2, "seed": 1, "method": "shapley.permutation"},
        {"cohort": "alcohol:13.5..", "split": "all", "rows": (0,)},
        {"method": "shapley.exact", "params": {"output": "score"}},
    ],
    ids=str,
)
def test_a_result_is_bit_for_bit_that_of_a_call(worker, queue, changes):
    asked = request(**changes)
    job = run(worker, queue, submit(queue, asked))
    assert (job.state, job.error) == ("done", "")
    got, expected = queue.result(job.id, "ann"), in_process(asked)
    assert_same_bits(got, expected)
    varying = {"seconds", "created"}
    assert got.provenance.model_dump(exclude=varying) == expected.provenance.model_dump(
        exclude=varying
    )
    assert job.seconds == got.provenance.seconds


def test_a_sentence_of_the_program_is_the_jobs(worker, queue):
    job = run(worker, queue, submit(queue, request(rows=(99,)), stated=SMALL))
    assert (job.state, job.error) == (
        "failed",
        "There is no row 99 in 'wine/test', which has 36 rows, counted from 0; choose another row.",
    )


def test_a_defect_is_one_incident_and_not_the_workers_end(worker, queue, engine, caplog):
    def explain(*_):
        raise ZeroDivisionError("secret row content")

    engine(explain)
    job = run(worker, queue, submit(queue))
    assert job.state == "failed"
    found = re.fullmatch(
        r"The job failed for a reason that is no fault of yours; report incident ([0-9a-f]{8}), "
        r"which the log of the server describes\.",
        job.error,
    )
    (record,) = (record for record in caplog.records if record.exc_info)
    assert (record.incident, record.job) == (found[1], job.key[:12])
    assert "ZeroDivisionError" in caplog.text
    engine(engine.real)
    assert run(worker, queue, submit(queue, request(1))).state == "done"


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_too_little_memory_is_said(worker, queue, engine, error):
    def explain(*_):
        raise error

    engine(explain)
    job = run(worker, queue, submit(queue))
    assert (job.state, job.error) == ("failed", OUT_OF_MEMORY)


def test_a_full_disk_ends_the_job_and_not_the_worker(worker, queue, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        job = run(worker, queue, submit(queue))
    assert job.state == "failed"
    assert job.error.startswith("There is no room for the result on the disk of ")
    again = queue.rerun(job.id, "ann")
    assert run(worker, queue, again).state == "done"


def test_a_damaged_result_is_computed_again(worker, queue):
    job = run(worker, queue, submit(queue))
    before = queue.result(job.id, "ann")
    path = queue.store._find(job.key)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(AccessError):
        queue.result(job.id, "ann")
    assert queue.find(request(), "ann") is None
    again = submit(queue)
    assert again.state == "queued"
    assert run(worker, queue, again).state == "done"
    assert_same_bits(queue.result(job.id, "ann"), before)


def test_a_job_takes_no_longer_than_the_setting(worker, queue, monkeypatch):
    monkeypatch.setenv("WORKBENCH_JOB_MINUTES", "0.001")
    monkeypatch.setattr(module, "REPORT_SECONDS", 0.01)
    job = run(worker, queue, submit(queue, request(**LONG)))
    assert (job.state, job.error) == (
        "failed",
        "The job ran for 0.001 minutes, the longest that one may run (setting job_minutes); "
        "explain fewer rows, or choose a smaller budget or background.",
    )


def test_cancelling_stops_between_two_batches(worker, queue, monkeypatch):
    monkeypatch.setattr(module, "REPORT_SECONDS", 0.0)
    job = submit(queue, request(**LONG))
    report = worker.desk.report
    seen = []

    def cancel_at_second(claim, done, total, message):
        report(claim, done, total, message)
        seen.append(queue.get(job.id, "ann").done)
        if len(seen) == 2:
            queue.cancel(job.id, "ann")

    monkeypatch.setattr(worker.desk, "report", cancel_at_second)
    assert run(worker, queue, job).state == "cancelled"
    assert len(seen) == 2
    assert 0 < seen[0] < seen[1]
    assert not queue.store.has(job.key)


def test_what_is_known_so_far_can_be_seen_while_it_runs_and_after_a_cancel(
    worker, queue, monkeypatch
):
    monkeypatch.setattr(module, "PREVIEW_SECONDS", 0.0)
    monkeypatch.setattr(module, "PREVIEW_SHARE", 1e9)
    monkeypatch.setattr(module, "REPORT_SECONDS", 0.0)
    asked = request(split="all", rows=tuple(range(5)))
    job = submit(queue, asked)
    keep, seen = worker.keep_preview, []

    def cancel_after_three(claim, result):
        keep(claim, result)
        seen.append(queue.preview(job.id, "ann"))
        if len(seen) == 3:
            queue.cancel(job.id, "ann")

    monkeypatch.setattr(worker, "keep_preview", cancel_after_three)
    assert run(worker, queue, job).state == "cancelled"
    assert UNFINISHED in seen[0].provenance.notes
    kept = queue.preview(job.id, "ann")
    assert_same_bits(kept, seen[-1])
    with pytest.raises(AccessError):
        queue.preview(job.id, "bob")
    monkeypatch.setattr(worker, "keep_preview", keep)
    again = run(worker, queue, queue.rerun(job.id, "ann"))
    assert again.state == "done"
    assert queue.preview(job.id, "ann") is None
    result = queue.result(job.id, "ann")
    assert_same_bits(result, in_process(asked))
    n = len(kept) - 1  # the last row of a preview may still have changed
    np.testing.assert_array_equal(result.values[:n], kept.values[:n])


def test_telling_what_is_known_takes_a_small_share_of_a_run(worker, queue, monkeypatch):
    calls = []
    monkeypatch.setattr(worker, "keep_preview", lambda *_: calls.append(1))
    monkeypatch.setattr(module, "PREVIEW_SECONDS", 1e9)
    assert run(worker, queue, submit(queue, request(split="all", rows=(0, 1, 2)))).state == "done"
    assert not calls


def test_a_result_that_nobody_wants_any_more_is_not_kept(worker, queue, engine):
    job = submit(queue)

    def explain(*arguments):
        queue.remove(job.id, "ann")
        return engine.real(*arguments)

    engine(explain)
    worker.run(worker.desk.claim())
    assert not queue.store.has(job.key)


def test_a_worker_that_has_to_end_interrupts_the_job(worker, queue):
    job = submit(queue, request(**LONG))
    threading.Timer(0.3, worker.signals.close).start()
    worker.run(worker.desk.claim())
    job = queue.get(job.id, "ann")
    assert (job.state, job.error) == ("interrupted", STOPPED)
    assert queue.rerun(job.id, "ann").state == "queued"


@pytest.mark.parametrize("is_asked_again", [True, False])
def test_what_the_next_server_was_asked_for_is_not_interrupted_with_the_old(
    worker, queue, engine, monkeypatch, is_asked_again
):
    monkeypatch.setattr(module, "REPORT_SECONDS", 0.0)
    asked = request(**LONG)
    job = submit(queue, asked)

    def explain(*arguments):
        context = arguments[-1]
        context.step(0, 2, "rows")
        if is_asked_again:
            submit(queue, asked)
        worker.signals.close()
        context.step(1, 2, "rows")

    engine(explain)
    assert not worker.signals.is_over
    worker.run(worker.desk.claim())
    job = queue.get(job.id, "ann")
    expected = ("queued", "") if is_asked_again else ("interrupted", STOPPED)
    assert (job.state, job.error) == expected


@pytest.mark.parametrize("is_there", [True, False])
def test_a_server_that_is_gone_is_noticed_before_the_thread_reads_it(monkeypatch, is_there):
    here, there = os.pipe()
    before = os.dup(0)
    os.dup2(here, 0)
    try:
        if not is_there:
            os.close(there)
        signals = Signals()
        monkeypatch.setattr(signals, "_read", lambda: None)
        signals.listen()
        assert signals.is_over is not is_there
    finally:
        os.dup2(before, 0)
        for end in (here, before, *([there] if is_there else [])):
            os.close(end)


@pytest.mark.parametrize("mode", ["no_grad", "inference"])
def test_a_small_run_is_done_within_a_large_one(worker, queue, engine, monkeypatch, mode):
    monkeypatch.setattr(module, "REPORT_SECONDS", 0.0)
    monkeypatch.setattr(module, "MOST_CATCHING_UP", 0.0)
    asked = [request(row) for row in range(5)]
    large_one = request(rows=tuple(range(10)))
    order, gradients = [], []

    def explain(model, rows, background, params, context):
        gradients.append(torch.is_grad_enabled() and not torch.is_inference_mode_enabled())
        if len(rows) == 1:
            result = engine.real(model, rows, background, params, context)
            order.append(("small", id(model)))
            return result
        with torch.no_grad() if mode == "no_grad" else torch.inference_mode():
            for row in range(3):
                context.step(row, 3, "rows")  # here the small ones come in
                order.append(("large", id(model)))
        return engine.real(model, rows, background, params, context)

    engine(explain)
    large = submit(queue, large_one, stated=LARGE)
    claim = worker.desk.claim()
    small = [submit(queue, one) for one in asked[:2]]
    worker.run(claim)
    assert [name for name, _ in order] == ["small", "large", "small", "large", "large"]
    assert all(gradients), "a run inside another needs gradients as well"
    models = {name: {i for other, i in order if other == name} for name in ("small", "large")}
    assert not models["small"] & models["large"], "one model for both"
    engine(engine.real)
    for job, one in zip([large, *small], [large_one, *asked[:2]], strict=True):
        assert queue.get(job.id, "ann").state == "done"
        assert_same_bits(queue.result(job.id, "ann"), in_process(one))


def test_time_for_others_is_not_the_jobs(worker, queue, engine, monkeypatch):
    monkeypatch.setattr(module, "REPORT_SECONDS", 0.0)
    monkeypatch.setattr(worker, "run_small", lambda: 100.0)

    def explain(*arguments):
        arguments[-1].step(1, 2, "rows")
        result = engine.real(*arguments)
        record = result.provenance.model_copy(update={"seconds": 107.0})
        return replace(result, provenance=record)

    engine(explain)
    job = run(worker, queue, submit(queue, stated=LARGE))
    asked = request()
    paused = round(107.0 - job.seconds, 6)
    assert paused >= 100.0
    assert paused % 100.0 == 0
    assert queue.result(job.id, "ann").provenance.seconds == job.seconds
    assert queue.speed(asked.model_digest, KERNEL, "cpu") == job.seconds / LARGE.evaluations or (
        job.seconds < 0.5
    )


def test_a_small_run_lets_no_other_in(worker, queue, monkeypatch):
    monkeypatch.setattr(module, "REPORT_SECONDS", 0.0)
    monkeypatch.setattr(worker, "run_small", lambda: pytest.fail("nested twice"))
    submit(queue)
    worker.run(worker.desk.claim(), within=True)
    assert [job.state for job in queue.jobs("ann")] == ["done"]


def test_a_job_from_before_an_update_is_not_run_under_its_old_key(worker, queue, monkeypatch):
    job = submit(queue)
    monkeypatch.setattr("workbench.jobs.request.versions", lambda: {"workbench": "2"})
    job = run(worker, queue, job)
    assert (job.state, job.error) == ("failed", UPDATED)
    job = queue.rerun(job.id, "ann")
    assert run(worker, queue, job).state == "done"


def test_one_who_removed_the_model_does_not_spoil_it_for_others(worker, queue, monkeypatch):
    _, table = wine()
    asked = []

    def find_table(reference, owner):
        asked.append((reference, owner))
        if owner == "ann":
            raise DataError("There is no table 'wine'.")
        return table

    monkeypatch.setattr(sources, "find_table", find_table)
    one, two = submit(queue), submit(queue, owner="bob")
    worker.run(worker.desk.claim())
    assert asked == [("wine", "ann"), ("wine", "bob")]
    assert queue.get(one.id, "ann").state == queue.get(two.id, "bob").state == "done"
    only = submit(queue, request(1))
    worker.run(worker.desk.claim())
    assert queue.get(only.id, "ann").error == "There is no table 'wine'."


def test_models_and_tables_are_kept_for_the_one_who_may_see_them(worker, queue, monkeypatch):
    model, _ = wine()
    loaded = []

    def find_model(_, owner):
        loaded.append(owner)
        return model

    monkeypatch.setattr(sources, "find_model", find_model)
    for row, owner in enumerate(("ann", "ann", "bob", "ann")):
        submit(queue, request(row), owner)
        worker.run(worker.desk.claim())
    assert loaded == ["ann", "bob"]


def test_a_list_that_is_busy_is_asked_again(worker, queue, monkeypatch):
    from workbench.core.errors import LimitError

    monkeypatch.setattr(module, "RETRY_SECONDS", 0.0)
    end, tries = worker.desk.end, []

    def busy_twice(*arguments, **more):
        tries.append(arguments)
        if len(tries) < 3:
            raise LimitError("The list of jobs is busy; try again in a moment.")
        end(*arguments, **more)

    monkeypatch.setattr(worker.desk, "end", busy_twice)
    assert run(worker, queue, submit(queue)).state == "done"
    assert len(tries) == 3


def test_values_are_finite_and_add_up(worker, queue):
    """The stored result is a real explanation, not only an equal one."""
    job = run(worker, queue, submit(queue))
    result = queue.result(job.id, "ann")
    total = result.base_values + result.values.sum(1)
    np.testing.assert_allclose(total, result.predictions, atol=1e-6)
