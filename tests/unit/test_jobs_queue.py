"""The list of jobs: who shares a run, who sees what, in which order, within which limits."""

import itertools
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.jobs import LARGE, SMALL, finish, request
from workbench.core.errors import AccessError, InvalidInputError, LimitError
from workbench.jobs import entry
from workbench.jobs.desk import Desk
from workbench.jobs.job import Job
from workbench.jobs.order import LARGE_TURNS_SMALL_SECONDS, Waiting, in_order
from workbench.jobs.queue import NO_JOB, NO_RESULT, Queue


@pytest.fixture
def queue(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    made = Queue(patience=0.3)
    yield made
    made.close()


@pytest.fixture
def desk(queue):
    made = Desk(queue.home, "cpu")
    yield made
    made.close()


def submit(queue, owner="ann", asked=None, cost=SMALL, **more):
    return queue.submit(asked or request(), owner=owner, title="Row 0", cost=cost, **more)


# --- one run for all who ask ---------------------------------------------------------------------


def test_a_job_is_what_was_submitted(queue):
    job = submit(queue, link="/shapley?row=0")
    assert (job.owner, job.title, job.link, job.state) == (
        "ann",
        "Row 0",
        "/shapley?row=0",
        "queued",
    )
    assert (job.method, job.device, job.key) == ("shapley.kernel", "cpu", request().key)
    assert (job.evaluations, job.n_bytes) == (1_000, 1_000)
    assert job.is_active
    assert queue.jobs("ann") == (job,)


def test_people_share_a_run_and_each_has_a_job(queue):
    one, two = submit(queue), submit(queue, "bob")
    assert one.key == two.key
    assert one.id != two.id
    assert finish(queue) == one.key
    assert finish(queue) is None, "it ran twice"
    for owner, job in (("ann", one), ("bob", two)):
        assert queue.get(job.id, owner).state == "done"
        assert len(queue.result(job.id, owner)) == 2


def test_asking_again_is_the_same_job(queue):
    first = submit(queue)
    assert submit(queue).id == first.id
    finish(queue)
    again = queue.submit(request(), owner="ann", title="Renamed", cost=SMALL, notes=("why",))
    assert (again.id, again.state, again.title) == (first.id, "done", "Renamed")
    assert queue.result(again.id, "ann").provenance.notes == ("why",)


def test_a_result_that_is_there_is_done_at_once(queue):
    submit(queue)
    finish(queue)
    job = submit(queue, "bob")
    assert (job.state, job.fraction) == ("done", 1.0)
    assert finish(queue) is None


@pytest.mark.parametrize("state", ["failed", "cancelled", "interrupted"])
def test_what_came_to_nothing_is_tried_again(queue, state):
    job = submit(queue)
    if state == "cancelled":
        queue.cancel(job.id, "ann")
    else:
        finish(queue, state=state, error="It did not work.")
    assert queue.get(job.id, "ann").state == state
    assert (submit(queue).id, submit(queue).state) == (job.id, "queued")
    finish(queue)
    assert queue.get(job.id, "ann").state == "done"


def test_threads_that_ask_at_once_share_a_run(queue):
    barrier = threading.Barrier(8)

    def ask(owner):
        barrier.wait()
        submit(Queue(queue.home), owner)

    threads = [threading.Thread(target=ask, args=(f"p{i % 4}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(queue.everyone()) == 4
    assert finish(queue)
    assert finish(queue) is None
    assert {job.state for job in queue.everyone()} == {"done"}


def test_processes_that_ask_at_once_share_a_run(queue):
    code = (
        "import sys\n"
        "from tests.jobs import request, SMALL\n"
        "from workbench.jobs.queue import Queue\n"
        "asked, queue = request(), Queue(sys.argv[1])\n"
        "_ = asked.key\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "print(queue.submit(asked, owner=sys.argv[2], title='t', cost=SMALL).state)\n"
    )
    people = ("ann", "bob")
    asking = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(queue.home), owner], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for owner in people
    ]  # fmt: skip
    for process in asking:
        assert process.stdout.readline() == "ready\n"
    for process in asking:
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[0] for process in asking]
    assert said == ["queued\n"] * 2
    assert finish(queue)
    assert finish(queue) is None
    assert [job.state for owner in people for job in queue.jobs(owner)] == ["done"] * 2


def test_notes_are_the_jobs_own_and_come_first(queue):
    one, two = submit(queue, notes=("exact was feasible",)), submit(queue, "bob")
    finish(queue)
    assert queue.result(one.id, "ann").provenance.notes == ("exact was feasible",)
    assert queue.result(two.id, "bob").provenance.notes == ()


# --- owners --------------------------------------------------------------------------------------


def test_ids_cannot_be_guessed(queue):
    ids = [submit(queue, f"p{i}").id for i in range(50)]
    assert len(set(ids)) == 50
    assert all(job_id.startswith("j") and len(job_id) == 23 for job_id in ids)


@pytest.mark.parametrize("verb", ["get", "cancel", "rerun", "remove", "result"])
def test_a_job_of_someone_else_is_no_job(queue, verb):
    job = submit(queue)
    for forged, owner in ((job.id, "bob"), ("j0", "ann"), ("", "ann"), ("%", "ann")):
        with pytest.raises(AccessError) as caught:
            getattr(queue, verb)(forged, owner)
        assert str(caught.value) == NO_JOB
    assert queue.jobs("bob") == ()
    assert queue.find(request(), "bob") is None
    assert queue.get(job.id, "ann").state == "queued", "it was touched"


def test_an_administrator_sees_all_jobs(queue):
    submit(queue)
    submit(queue, "bob", request(1))
    assert [job.owner for job in queue.everyone()] == ["bob", "ann"]


def test_an_owner_is_a_plain_word(queue):
    with pytest.raises(InvalidInputError):
        submit(queue, "ann,bob")


# --- cancel, run again, remove -------------------------------------------------------------------


def test_cancelling_leaves_the_run_to_the_others(queue, desk):
    one, two = submit(queue), submit(queue, "bob")
    claim = desk.claim()
    assert queue.cancel(one.id, "ann").state == "cancelled"
    assert desk.is_wanted(claim)
    queue.cancel(two.id, "bob")
    assert not desk.is_wanted(claim)
    desk.end(claim, "cancelled", stopped=0.0)
    assert [job.state for job in queue.everyone()] == ["cancelled"] * 2


def test_a_cancelled_job_that_waits_is_never_taken(queue, desk):
    job = submit(queue)
    queue.cancel(job.id, "ann")
    assert desk.claim() is None
    assert queue.cancel(job.id, "ann").state == "cancelled"


def test_who_asks_while_a_run_stops_gets_it(queue, desk):
    job = submit(queue)
    claim = desk.claim()
    queue.cancel(job.id, "ann")
    late = submit(queue, "bob")
    assert desk.is_wanted(claim), "it may as well go on"
    desk.end(claim, "cancelled", stopped=0.0)  # but it had seen that it should stop
    assert queue.get(late.id, "bob").state == "queued"
    assert finish(queue) == job.key
    assert queue.get(late.id, "bob").state == "done"
    assert queue.get(job.id, "ann").state == "cancelled"


@pytest.mark.parametrize("owner", ["ann", "bob"])
def test_who_asks_while_the_server_stops_is_served_by_the_next(queue, desk, owner):
    submit(queue)
    claim = desk.claim()
    stopped = time.time()
    late = submit(queue, owner)
    desk.end(claim, "interrupted", error="It was stopped.", stopped=stopped)
    assert queue.get(late.id, owner).state == "queued"
    claim = desk.claim()
    desk.end(claim, "interrupted", error="It was stopped.", stopped=time.time())
    assert queue.get(late.id, owner).error == "It was stopped."


def test_a_finished_job_cannot_be_cancelled(queue):
    job = submit(queue)
    finish(queue)
    assert queue.cancel(job.id, "ann").state == "done"


def test_one_person_running_again_leaves_other_jobs_as_they_ended(queue):
    one, two = submit(queue), submit(queue, "bob")
    finish(queue, state="failed", error="The disk is full.")
    assert queue.rerun(one.id, "ann").state == "queued"
    assert queue.get(two.id, "bob").state == "failed"
    assert queue.get(two.id, "bob").error == "The disk is full."
    finish(queue)
    assert queue.get(one.id, "ann").state == "done"
    assert queue.rerun(one.id, "ann").state == "done", "there is nothing to do"
    assert finish(queue) is None


def test_a_result_that_is_gone_is_said_and_made_again(queue):
    job = submit(queue)
    key = finish(queue)
    queue.store.remove(key)
    seen = queue.get(job.id, "ann")
    assert (seen.state, seen.error) == ("done", NO_RESULT)
    assert queue.find(request(), "ann") is None
    with pytest.raises(AccessError) as caught:
        queue.result(job.id, "ann")
    assert str(caught.value) == NO_RESULT
    assert queue.rerun(job.id, "ann").state == "queued"
    finish(queue)
    assert queue.find(request(), "ann").error == ""


def test_a_job_from_before_an_update_runs_again_under_a_new_key(queue, monkeypatch):
    job = submit(queue)
    finish(queue)
    monkeypatch.setattr("workbench.jobs.request.versions", lambda: {"workbench": "2"})
    again = queue.rerun(job.id, "ann")
    assert (again.id, again.state) == (job.id, "queued")
    assert again.key == request().key != job.key


def test_removing_the_last_job_removes_the_result(queue):
    one, two = submit(queue), submit(queue, "bob")
    key = finish(queue)
    queue.remove(one.id, "ann")
    assert queue.store.has(key)
    queue.remove(two.id, "bob")
    assert not queue.store.has(key)
    assert queue.everyone() == ()


def test_removing_a_job_that_runs_stops_it(queue, desk):
    job = submit(queue)
    claim = desk.claim()
    queue.remove(job.id, "ann")
    assert not desk.is_wanted(claim)


# --- states and words ----------------------------------------------------------------------------


def test_no_result_before_the_end(queue):
    job = submit(queue)
    with pytest.raises(InvalidInputError) as caught:
        queue.result(job.id, "ann")
    assert str(caught.value) == "The job has no result: it is queued; wait, or run it again."


def test_progress_is_seen(queue, desk):
    job = submit(queue)
    assert (job.fraction, job.eta, job.position) == (0.0, None, 0)
    desk.report(desk.claim(), 250, 1_000, "model evaluations")
    job = queue.get(job.id, "ann")
    assert (job.state, job.done, job.total, job.fraction) == ("running", 250, 1_000, 0.25)
    earlier = replace(job, started=time.time() - 10)
    assert earlier.eta == pytest.approx(30, abs=1)
    assert earlier.describe() == "Row 0: running, 250 of 1,000 model evaluations, about 30 s left"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "queued"}, "t: waiting, next"),
        ({"state": "queued", "position": 1}, "t: waiting behind 1 other"),
        ({"state": "queued", "position": 2}, "t: waiting behind 2 others"),
        ({"state": "running"}, "t: running"),
        ({"state": "done", "seconds": 2.04}, "t: done in 2.0 s"),
        ({"state": "done", "error": "It is gone."}, "t: done: It is gone."),
        ({"state": "failed", "error": "No."}, "t: failed: No."),
        ({"state": "cancelled"}, "t: cancelled"),
    ],
)
def test_one_line_says_it(changes, words):
    job = Job("j", "ann", "k", "m", "t", "", "queued", 0, 0, "", 0.0, None, None, "", 0, 0, "cpu")
    assert replace(job, **changes).describe() == words


def test_reports_of_a_worker_that_lost_the_run_change_nothing(queue, desk):
    job = submit(queue)
    old = desk.claim()
    desk.recover()
    submit(queue)
    assert desk.claim().attempt == old.attempt + 1
    desk.report(old, 5, 10, "rows")
    desk.end(old, "failed", error="old")
    assert not desk.is_wanted(old)
    seen = queue.get(job.id, "ann")
    assert (seen.state, seen.done) == ("running", 0)


def test_waiting_ends_with_the_job_or_the_time(queue):
    job = submit(queue)
    assert queue.wait(job.id, "ann", 0.03).state == "queued"
    timer = threading.Timer(0.05, finish, (queue,))
    timer.start()
    assert queue.wait(job.id, "ann", 30).state == "done"
    timer.join()


def test_speed_is_that_of_the_last_telling_run(queue, desk):
    asked = request()
    assert queue.speed(asked.model_digest, asked.method, "cpu") is None
    submit(queue, cost=LARGE)
    desk.end(desk.claim(), "done", seconds=0.1)
    assert queue.speed(asked.model_digest, asked.method, "cpu") is None, "too short to tell"
    submit(queue, asked=request(1), cost=LARGE)
    desk.end(desk.claim(), "done", seconds=5.0)
    assert queue.speed(asked.model_digest, asked.method, "cpu") == 5.0 / LARGE.evaluations
    assert queue.speed(asked.model_digest, asked.method, "cuda:0") is None


def test_speed_is_kept_for_each_value_function(queue, desk):
    asked = request(params={"budget": 512, "value": "neighbours"})
    submit(queue, asked=asked, cost=LARGE)
    desk.end(desk.claim(), "done", seconds=5.0)
    assert asked.pace == "shapley.kernel neighbours"
    assert queue.speed(asked.model_digest, asked.pace, "cpu") == 5.0 / LARGE.evaluations
    assert queue.speed(asked.model_digest, request().pace, "cpu") is None


# --- order ---------------------------------------------------------------------------------------


def test_small_runs_go_first_and_positions_say_so(queue):
    large = submit(queue, asked=request(0), cost=LARGE)
    small = submit(queue, asked=request(1), cost=SMALL)
    assert [queue.get(job.id, "ann").position for job in (small, large)] == [0, 1]
    assert [finish(queue), finish(queue)] == [small.key, large.key]


def test_a_run_known_to_be_slow_is_not_small(queue, desk):
    slow = replace(SMALL, evaluations=1_000_000)
    submit(queue, cost=slow)
    desk.end(desk.claim(), "done", seconds=100.0)
    submit(queue, asked=request(1), cost=slow)
    assert desk.claim(small=True) is None
    submit(queue, asked=request(2), cost=SMALL)
    assert desk.claim(small=True).asked[0][1] == request(2)


def test_a_worker_takes_what_is_for_its_device(queue):
    submit(queue, asked=request(device="cuda:0"))
    assert queue.waiting_devices() == {"cuda:0"}
    assert finish(queue) is None


RUNS = st.lists(
    st.tuples(st.integers(0, 1), st.sets(st.sampled_from("abc"), min_size=1), st.integers(0, 90)),
    min_size=1,
    max_size=12,
)


@given(RUNS, st.dictionaries(st.sampled_from("abc"), st.integers(1, 5)))
def test_order_is_by_size_then_turns_then_age(drawn, turns):
    waiting = [
        Waiting(str(i), "cpu", priority, queued + i / 100, tuple(sorted(owners)))
        for i, (priority, owners, queued) in enumerate(drawn)
    ]
    now = 100.0
    ordered = in_order(waiting, turns, now=now)
    assert sorted(ordered, key=id) == sorted(waiting, key=id)

    def rank(run):
        return 0 if now - run.queued > LARGE_TURNS_SMALL_SECONDS else run.priority

    assert [rank(run) for run in ordered] == sorted(rank(run) for run in waiting)
    for _, group in itertools.groupby(ordered, key=rank):
        runs = list(group)
        people = Counter(run.next_owner(turns) for run in runs)
        for person in people:  # each person's own by age
            own = [run.queued for run in runs if run.next_owner(turns) == person]
            assert own == sorted(own)
        first = [run.next_owner(turns) for run in runs[: len(people)]]
        assert sorted(first) == sorted(people), "somebody was served twice before another once"
        assert first == sorted(first, key=lambda person: turns.get(person, 0))


def test_one_person_with_many_jobs_does_not_hold_up_another(queue):
    mine = [submit(queue, "ann", request(i)).key for i in range(4)]
    his = [submit(queue, "bob", request(10 + i)).key for i in range(2)]
    taken = [finish(queue) for _ in range(6)]
    assert taken == [mine[0], his[0], mine[1], his[1], mine[2], mine[3]]


# --- limits --------------------------------------------------------------------------------------


def refusal(queue, owner, row):
    with pytest.raises(LimitError) as caught:
        submit(queue, owner, request(row))
    return str(caught.value)


def test_one_person_may_have_so_many_jobs(queue, monkeypatch):
    monkeypatch.setenv("WORKBENCH_JOBS_PER_USER", "2")
    jobs = [submit(queue, "ann", request(i)) for i in range(2)]
    assert refusal(queue, "ann", 2) == (
        "You have 2 jobs that wait or run, as many as one person may (setting jobs_per_user); wait "
        "for one to end, or cancel one."
    )
    assert submit(queue, "ann", request(1)).id == jobs[1].id, "that is no further job"
    submit(queue, "bob", request(2))
    queue.cancel(jobs[0].id, "ann")
    submit(queue, "ann", request(2))


def test_all_together_may_have_so_many_waiting(queue, desk, monkeypatch):
    monkeypatch.setenv("WORKBENCH_QUEUE_LENGTH", "2")
    submit(queue, "ann", request(0))
    submit(queue, "bob", request(1))
    assert refusal(queue, "cat", 2) == (
        "2 jobs are waiting, as many as this server takes (setting queue_length); try again later."
    )
    submit(queue, "cat", request(1))  # joins
    desk.claim()
    submit(queue, "cat", request(2))


def test_one_person_may_submit_so_many_an_hour(queue, monkeypatch):
    monkeypatch.setenv("WORKBENCH_JOBS_PER_HOUR", "2")
    for row in range(2):
        queue.remove(submit(queue, "ann", request(row)).id, "ann")
    assert refusal(queue, "ann", 2) == (
        "You submitted 2 jobs within an hour, as many as one person may (setting jobs_per_hour); "
        "try again in 60 minutes."
    )
    submit(queue, "bob", request(0))
    monkeypatch.setattr(entry, "HOUR", 0.0)
    submit(queue, "ann", request(2))


def test_old_jobs_are_forgotten_and_open_ones_are_not(queue, monkeypatch):
    monkeypatch.setattr(entry, "KEPT_JOBS", 2)
    waiting = submit(queue, "ann", request(9), cost=LARGE)
    for row in range(4):
        submit(queue, "ann", request(row))
        finish(queue, small=True)
    submit(queue, "ann", request(5))
    kept = {job.key for job in queue.jobs("ann")}
    assert kept == {waiting.key, request(2).key, request(3).key, request(5).key}


# --- workers that end --------------------------------------------------------------------------


def test_what_a_lost_worker_left_is_interrupted(queue, desk):
    job, waiting = submit(queue), submit(queue, asked=request(1))
    desk.claim()
    assert desk.recover() == 1
    seen = queue.get(job.id, "ann")
    assert (seen.state, seen.error) == (
        "interrupted", "The process that ran this job ended unexpectedly; run the job again.",
    )  # fmt: skip
    assert queue.get(waiting.id, "ann").state == "queued"
    assert desk.recover() == 0


def test_what_ends_its_worker_twice_runs_again_on_request_only(queue, desk):
    for _ in range(2):
        job = submit(queue)
        assert job.state == "queued"
        desk.claim()
        desk.recover()
    job = submit(queue)
    assert (job.state, job.error) == (
        "interrupted",
        "This job ended the process that ran it 2 times in a row; change it, or run it again from "
        "the list of jobs.",
    )
    assert queue.rerun(job.id, "ann").state == "queued"
    finish(queue)
    queue.store.remove(job.key)
    assert submit(queue).state == "queued", "it has worked since"


def test_the_run_that_was_interrupted_for_a_small_one_is_not_blamed(queue, desk):
    for _ in range(2):
        submit(queue, asked=request(0), cost=LARGE)
        assert desk.claim()
        submit(queue, asked=request(1))
        assert desk.claim(small=True)
        desk.recover()
    assert submit(queue, asked=request(0), cost=LARGE).state == "queued"
    assert submit(queue, asked=request(1)).state == "interrupted"


def test_runs_for_a_device_that_nobody_serves_fail(queue):
    job = submit(queue, asked=request(device="mps"))
    other = submit(queue)
    gone = Desk(queue.home, "mps")
    assert gone.refuse("This machine has no device 'mps'; choose another device.") == 1
    gone.close()
    seen = queue.get(job.id, "ann")
    assert (seen.state, seen.error) == (
        "failed", "This machine has no device 'mps'; choose another device.",
    )  # fmt: skip
    assert queue.get(other.id, "ann").state == "queued"
