"""Runs that wait, work, fail or are stopped, as pages tell of them; nobody works on the list."""

import re

import pytest

from tests.jobs import finish, request
from tests.visits import answers, go, has, no_fault, press, shown, visit, widget
from workbench.core.method import Cost
from workbench.core.settings import settings
from workbench.jobs.desk import CRASHED, Desk
from workbench.jobs.queue import NO_RESULT, Queue
from workbench.jobs.work import Sources, compute, prepare
from workbench.registry.store import list_models
from workbench.ui import frame, jobs
from workbench.ui.text import plain
from workbench.workspace.store import Workspace

LARGE = {"model": "diabetes-mlp", "mode": "many", "count": 89, "method": "kernel",
         "background": 264}  # fmt: skip
BUTTON = "Explain 89 rows"
TITLE = "Shapley values, paired kernel regression, diabetes-mlp, 89 rows of diabetes"


@pytest.fixture(autouse=True)
def queue(monkeypatch, tmp_path):
    """The list of jobs of a server without workers; the tests work on it by hand."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    monkeypatch.setattr(frame, "start_jobs", lambda: None)
    monkeypatch.setattr(jobs, "PATIENCE", 0.0)
    queue = Queue(settings().home)
    yield queue
    queue.close()


@pytest.fixture
def desk(queue):
    desk = Desk(queue.home, "cpu")
    yield desk
    desk.close()


def states(queue):
    return [job.state for job in queue.jobs("local")]


def bars(app):
    """What is written at the bars."""
    return [bar.proto.text for bar in app.get("progress")]


def test_a_small_run_is_asked_for_once_and_shows_that_it_waits(queue):
    app = no_fault(visit("shapley", model="wine-mlp"))
    (bar,) = bars(app)
    assert bar.startswith("starting")
    assert not answers(app)
    app.run()
    assert states(queue) == ["queued"]


def test_a_run_behind_another_says_so(queue):
    visit("shapley", model="wine-mlp")
    app = visit("shapley", model="wine-mlp", row=1)
    assert bars(app) == [plain("waiting, 1 job before this one")]
    assert states(queue) == ["queued"] * 2


def test_a_run_at_work_says_how_far_it_is(queue, desk):
    app = press(visit("shapley", **LARGE), BUTTON)
    desk.report(desk.claim(), 3, 89, "rows")
    (bar,) = bars(app.run())
    assert re.fullmatch(r"3 % done · about .+ left", bar)
    assert not has(app, "button", "Run again")
    assert states(queue) == ["running"]


@pytest.mark.parametrize("small", [True, False])
def test_a_cancelled_run_says_so_and_can_be_started_again(queue, small):
    asked, button = ({"model": "wine-mlp"}, "Explain 1 row") if small else (LARGE, BUTTON)
    app = visit("shapley", **asked)
    if not small:
        press(app, BUTTON)
    press(app, "Cancel")
    assert states(queue) == ["cancelled"]
    app.run()
    (info,) = app.info
    assert info.value == jobs.STOPPED["cancelled"]
    assert states(queue) == ["cancelled"]
    no_fault(press(app, button))
    assert states(queue) == ["queued"]
    assert not app.info
    assert has(app, "button", "Cancel")


def work(queue):
    """Be the worker of the next run, whatever it asks for."""
    desk = Desk(queue.home, "cpu")
    claim = desk.claim()
    asked = claim.asked[0][1]
    queue.store.put(claim.key, compute(asked, prepare(asked, "local", Sources())))
    desk.end(claim, "done", seconds=1.0)
    desk.close()


def test_a_remedy_that_is_to_be_kept_can_be_stopped_and_started_again(queue):
    asked = {"fairness__by": "telephone", "remedies__refits": 0, "remedies__epochs": 1,
             "remedies__resamples": 100, "remedies__remedies": "reweighing"}  # fmt: skip
    app = press(visit("remedies", model="german-mlp", **asked), "Try the remedies")
    work(queue)
    app = no_fault(app.run())
    widget(app, "text_input", "Name").set_value("even").run()
    app = no_fault(press(app, "Keep as a model"))
    assert bars(app) == ["starting"]
    app = press(app, "Cancel")
    app = no_fault(app.run())
    assert "cancelled" in states(queue)
    assert jobs.STOPPED["cancelled"] in [info.value for info in app.info]
    kept = Workspace("local").models_root
    assert not list_models(kept)
    app = no_fault(press(app, "Keep as a model"))
    work(queue)
    app = no_fault(app.run())
    assert "even@1 is among your models now." in shown(app)
    assert [one.name for one in list_models(kept)] == ["even"]


@pytest.mark.parametrize("page", ["shapley", "workspace"])
def test_a_failed_run_shows_its_sentence_and_starts_only_when_asked(queue, page):
    app = visit(page, model="wine-mlp")
    finish(queue, state="failed", error="Feature 'ash' of row 3 is *infinite*; give a number.")
    app.run()
    (error,) = app.error
    assert error.value == plain("Feature 'ash' of row 3 is *infinite*; give a number.")
    assert not app.run().get("progress")
    assert states(queue) == ["failed"]
    no_fault(press(app, "Explain 1 row" if page == "shapley" else "Evaluate 36 rows"))
    assert states(queue) == ["queued"]
    assert len(app.get("progress")) == 1


def test_an_interrupted_run_shows_its_sentence_and_can_be_started_again(queue, desk):
    app = press(visit("shapley", **LARGE), BUTTON)
    desk.claim()
    desk.recover()
    (error,) = app.run().error
    assert error.value == plain(CRASHED)
    assert states(queue) == ["interrupted"]
    no_fault(press(app, BUTTON))
    assert states(queue) == ["queued"]


def test_a_run_that_was_stopped_with_the_server_says_so(desk):
    app = press(visit("shapley", **LARGE), BUTTON)
    desk.end(desk.claim(), "interrupted")
    (info,) = app.run().info
    assert info.value == jobs.STOPPED["interrupted"]


def test_a_result_that_had_to_make_room_can_be_made_again(queue):
    app = press(visit("shapley", **LARGE), BUTTON)
    queue.store.remove(finish(queue))
    no_fault(app.run())
    assert "Press Explain to see which features matter over 89 rows" in shown(app)
    assert states(queue) == ["done"]
    no_fault(press(app, BUTTON))
    assert states(queue) == ["queued"]


def test_the_list_shows_large_runs_with_all_that_can_be_done(queue):
    press(visit("shapley", **LARGE), BUTTON)
    app = no_fault(visit("jobs"))
    assert "0 running, 1 waiting, 0 finished." in answers(app)[0]
    (bar,) = bars(app)
    assert bar.startswith("starting")
    assert f"**{plain(TITLE)}**" in shown(app)
    press(app, "Cancel")
    app.run()
    assert "Nothing is running." in answers(app)[0]
    assert "cancelled · " in shown(app)
    press(app, "Run again")
    assert states(queue) == ["queued"]
    finish(queue, state="failed", error="It **broke**.")
    app.run()
    assert plain("It **broke**.") in shown(app)
    press(app, "Run again")
    assert states(queue) == ["queued"]
    finish(queue)
    app.run()
    assert "Nothing is running; 1 finished." in answers(app)[0]
    assert not has(app, "button", "Run again")
    press(app, "Remove")
    assert states(queue) == []
    assert "Nothing has been run yet" in shown(app.run())


def test_a_result_that_is_gone_can_be_made_again_from_the_list(queue):
    press(visit("shapley", **LARGE), BUTTON)
    queue.store.remove(finish(queue))
    app = no_fault(visit("jobs"))
    assert plain(NO_RESULT) in shown(app)
    assert not has(app, "button", "Add to report")
    no_fault(press(app, "Run again"))
    assert states(queue) == ["queued"]


def test_quick_looks_are_listed_when_asked_for(queue):
    visit("shapley", model="wine-mlp")
    finish(queue)
    app = no_fault(visit("jobs"))
    assert plain("Nothing large has been run. 1 quick look can be shown.") in shown(app)
    no_fault(widget(app, "toggle", "Show quick looks too").set_value(True).run())
    assert plain("Shapley values, exact, wine-mlp, row 0 of wine") in shown(app)


def test_a_job_leads_back_to_what_it_was_about(queue):
    asked = LARGE | {"cohort": "bmi:20..30", "count": 40, "split": "all"}
    press(visit("shapley", **asked), "Explain 40 rows")
    app = no_fault(press(visit("jobs", model="wine-mlp"), "Open"))
    assert widget(app, "selectbox", "Model").value == "diabetes-mlp"
    assert widget(app, "number_input", "Number of rows").value == 40
    assert widget(app, "number_input", "Background rows").value == 264
    assert has(app, "button", "Cancel")
    assert states(queue) == ["queued"]
    no_fault(go(app, "workspace"))
    assert widget(app, "selectbox", "Model").value == "diabetes-mlp"


def test_nothing_is_hidden_where_the_list_is_long(queue):
    for row in range(28):
        queue.submit(request(row), owner="local", title=f"Run {row}", cost=Cost(50_000_000, 1_000))
        finish(queue, state="failed")
    app = no_fault(visit("jobs"))
    assert sum(button.label == "Run again" for button in app.button) == 25
    assert "and 3 older ones" in shown(app)
