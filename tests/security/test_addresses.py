"""Whatever stands in an address or was clicked twice: a page shows a sentence at most."""

import io
import logging
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.jobs import SMALL, finish, request
from workbench.core.people import Person
from workbench.jobs.queue import Queue
from workbench.ui import frame, jobs, people
from workbench.ui.queue import queue
from workbench.workspace.store import Workspace

PAGES = Path(__file__).parents[2] / "pages"
VALUES = [
    "", "-1", "9" * 400, "1e308", "nan", "-inf", "None", "\x00", "../../etc/passwd", "my:x",
    "my:../../ann/models/x@1", "adult-mlp@99999999999", "adult-mlp@../..", "a" * 20_000, "%00%ff",
    "<script>alert(1)</script>", "age:" + "1" * 19_000 + "x", "sex:missing;" * 60, "\u0663",
    "[](javascript:1)", "9007199254740993", "2147483648", "=1+1", "shapley.exact", "auto",
]  # fmt: skip
OF_ALL = ("model", "table", "split", "cohort", "device")
NAMES = {
    "shapley": (*OF_ALL, "row", "count", "mode", "method", "background", "seed", "output", "view",
                "effort", "shapley.budget", "shapley.output", "shapley.value", "compare",
                "compare.model", "pairs", "pairs.index", "dependence.feature", "widget.model"),
    "what_if": (*OF_ALL, "row", "output", "what_if_order", "what_if_unlocked", "what_if_view",
                "what_if_target"),
    "which_explanation": (*OF_ALL, "row", "count", "mode", "output", "question", "passes", "effort",
                          "matrix", "cell.method", "cell.neighbourhood", "explanations", "values",
                          "agreement", "measures", "measure", "lfa.scale", "lfa.background",
                          "seed"),
    "equally_good_models": (*OF_ALL, "row", "output", "explorers", "explorer", "tolerance",
                            "rashomon_view", "published", "effort", "other", "other_end",
                            "other_feature", "groups.by", "metrics.metric", "growth.metric",
                            "distribution.measure", "rashomon.models", "rashomon.most", "seed",
                            "part", "churn.explorers", "churn.tolerance", "churn.update",
                            "churn.by", "churn_view", "churn.models", "mitigation.builder",
                            "mitigation.tolerance", "simpler", "simpler_effort", "simpler_seed",
                            "simpler.trees", "simpler.tolerance"),
    "local_models": (*OF_ALL, "row", "count", "mode", "output", "part", "lime_method", "sampling",
                     "picked", "effort", "operator", "law.mask", "scale.add", "function", "loss",
                     "features", "lime.num_features", "lime.background", "seed"),
    "interactions": (*OF_ALL, "output", "interactions_part", "interactions_ranked",
                     "interactions_swarm", "interactions.by", "interactions.show", "pair",
                     "pair_surface", "ends", "effort", "seed", "interactions.permutations",
                     "interactions.detector", "interactions.max_rows", "interactions.order",
                     "interaction-cloud.scored", "interaction-cloud.tolerance", "halo",
                     "halo.order", "halo.pair", "halo.set", "halo.top", "detectors",
                     "detectors.detectors", "detectors.shown", "detectors.measure",
                     "detectors_seed", "interaction_test_seed"),
    "profiles": (*OF_ALL, "output", "part", "profile_feature", "profile_other", "profile_points",
                 "profile_shown", "profile_curves", "profile_surface", "profiles.count",
                 "profiles.points", "profiles.curves", "profiles.output", "seed"),
    "fairness": (*OF_ALL, "fairness_part", "fairness.by", "fairness.cut.0", "fairness.favourable",
                 "fairness.partition", "fairness.rate", "fairness.view", "fairness.count",
                 "fairness.at", "fairness.wrong_yes", "fairness.wrong_no", "fairness.primary",
                 "fairness.depth", "fairness.threshold", "fairness.resamples", "fairness.weights",
                 "fairness.neighbours", "fairness.neighbour_rows", "fairness.least_rows", "seed",
                 "flips.mode", "flips_view", "flips.to", "flips.row", "flips_seed",
                 "flips.samples", "flips.neighbours", "flips.margin", "gap_causes",
                 "gap_causes.among", "gap_causes.pair", "gap_causes.background",
                 "gap_causes.max_rows", "effort", "front.partition", "front.gap", "front.points",
                 "front.rows", "front.directed", "front_seed", "fairness.measure",
                 "fairness.quantile"),
    "people": (*OF_ALL, "fairness.by", "fairness.favourable", "fairness.cut.0", "people.who",
               "people.row", "people.models", "people.max_people", "people.tolerance",
               "people.admission_rows", "people_seed", "people_view", "people_view.by", "person",
               "person.flip", "person.only_up", "person.keep"),
    "remedies": (*OF_ALL, "fairness.by", "fairness.favourable", "fairness.cut.0", "remedies",
                 "remedies.partition", "remedies.constraint", "remedies.remedies", "remedies.mask",
                 "remedies.shown", "remedies.of_gap", "remedies.of_rate", "remedies.epochs",
                 "remedies.refits", "remedies.learner", "remedies_seed"),
    "inside": (*OF_ALL, "inside_basis", "inside_edges", "inside_feature", "inside_seed",
               "inside_cut", "inside_layer", "inside_row", "inside_features", "inside_units",
               "inside.fit_rows", "inside.curve_rows", "inside.shown_rows", "inside.tolerance",
               "inside.rule", "inside.sources", "inside.epsilon", "inside.layers"),
    "fastshap": (*OF_ALL, "fastshap.split", "fastshap.background", "fastshap.epochs", "seed"),
    "workspace": (*OF_ALL, "about", "quality", "feature", "performance.threshold"),
    "registry": ("one", "other", "compared"), "jobs": ("small", "everyone"),
    "report": ("model",), "add_data": ("table",), "add_model": ("model",), "health": ("model",),
}  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch):
    """Runs wait: nobody computes, so that a page is what is looked at."""
    monkeypatch.setattr(frame, "start_jobs", lambda: None)
    monkeypatch.setattr(jobs, "PATIENCE", 0.0)
    monkeypatch.setattr(people, "current_person", lambda: Person("me", "Me", "admin"))
    monkeypatch.setattr("workbench.ui.cost._seconds_per_evaluation", lambda *_: 1e-6)
    monkeypatch.setattr("workbench.ui.cost._seconds_per_near_copy", lambda *_: 1e-6)
    monkeypatch.setattr("workbench.ui.cost._seconds_per_value", lambda *_, **_k: 1e-6)
    monkeypatch.setenv("WORKBENCH_JOBS_PER_USER", "1000")
    monkeypatch.setenv("WORKBENCH_QUEUE_LENGTH", "1000")
    yield
    st.cache_resource.clear()


def visit(page, **address):
    app = AppTest.from_file(str(PAGES / f"{page}.py"), default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def faults(app):
    said = [element.value for element in app.error]
    return [e.message for e in app.exception] + [text for text in said if "our side" in text]


def test_there_are_names_for_every_page():
    assert set(NAMES) == {path.stem for path in PAGES.glob("*.py")}


@pytest.mark.parametrize("page", [page for page in NAMES if page != "health"])
def test_odd_addresses(page, caplog):
    """Each value under some name, each name with some values; several at a time."""
    names = NAMES[page]
    with caplog.at_level(logging.ERROR):
        for turn in range(len(VALUES)):
            address = {name: VALUES[(turn + 3 * i) % len(VALUES)] for i, name in enumerate(names)}
            few = dict(list(address.items())[turn % 2 :: 2]) or address
            assert faults(visit(page, **few)) == [], few
            if len(names) < 5 and turn > 7:
                break
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("name", ["row", "seed", "background", "cohort", "shapley.budget"])
def test_every_odd_value_of_what_a_run_is_made_of(name):
    for value in VALUES:
        app = visit("shapley", **{name: value})
        assert faults(app) == [], (name, value[:40])
        assert len(app.title) == 1


def press(app, start):
    (button,) = [b for b in app.button if (b.key or "").startswith(start)]
    return button.click().run()


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("remove-", "There is no such job, or it is someone else's; open the list of your jobs\\."),
        ("basket-", ""),
    ],
)
def test_a_job_that_is_gone_when_its_button_is_pressed(home, start, said):
    mine = Queue(home)
    job = mine.submit(request(), owner="me", title="**x**", cost=SMALL)
    finish(mine)
    app = visit("jobs", small="True")
    mine.remove(job.id, "me")
    press(app, start)
    assert faults(app) == []
    assert [toast.value for toast in app.toast] == [said] * bool(said)
    mine.close()


def test_a_table_that_is_gone_when_its_button_is_pressed():
    space = Workspace("me")
    draft = space.receive(io.BytesIO(b"a,b\n1,2\n2,3\n"), "t.csv")
    space.save_table(draft, space.preview(draft).guess, name="t")
    app = visit("add_data")
    space.remove_table("t")
    press(app, "remove-")
    assert faults(app) == []
    (said,) = [toast.value for toast in app.toast]
    assert said.replace("\\", "").replace("\u2060", "") == (
        "There is no table 'my:t'; yours are none so far."
    )


def test_who_lost_a_role_cannot_run_again_what_it_allowed(monkeypatch, home):
    large = SMALL.__class__(jobs.AT_ONCE + 1, 1000)
    mine = Queue(home)
    job = mine.submit(request(), owner="me", title="", cost=large)
    mine.cancel(job.id, "me")
    monkeypatch.setattr(people, "current_person", lambda: Person("me", "Me", "viewer"))
    app = press(visit("jobs"), "again-")
    (said,) = [toast.value for toast in app.toast]
    assert said.startswith("The role viewer may not start runs of this size")
    assert mine.get(job.id, "me").state == "cancelled"
    mine.close()
    assert queue().get(job.id, "me").state == "cancelled"
