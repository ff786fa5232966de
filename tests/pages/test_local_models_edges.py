"""The page about local models: odd addresses, models and rows, and runs that do not end."""

from itertools import product

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from tests import onnx_files
from tests.bundles import bundle, keep_table
from tests.functions import categories_table
from tests.jobs import finish
from tests.local_page import control, fitted, heading, hood, look, plain_text, rows_of
from tests.networks import tiny_table
from tests.visits import (
    address,
    answers,
    go,
    has,
    no_fault,
    press,
    shown,
    upload_model,
    visit,
)
from workbench import api
from workbench.core.settings import settings
from workbench.core.wording import percent
from workbench.jobs.queue import Queue
from workbench.registry.intake import receive_model
from workbench.ui import frame, jobs
from workbench.ui.neighbourhood import OPERATORS
from workbench.ui.text import plain
from workbench.workspace.store import Workspace


def test_bad_addresses_are_mended():
    app = no_fault(look(
        model="diabetes-mlp", part="nobody", sampling="x", lime__perturbations=-5, picked="77",
        lime__background="many", effort="none",
    ))  # fmt: skip
    assert control(app, "Part").value == "lime"
    assert "Part 'nobody' is not available here." in plain_text(app)
    assert "Draw numbers 'x' is not available here." in plain_text(app)
    assert not {"part", "sampling", "lime.perturbations", "lime.background"} & set(address(app))
    app = no_fault(hood(
        model="diabetes-mlp", operator="fly", function="magic", loss="none", scale__add="nan",
        law__add="shapley", features=99,
    ))  # fmt: skip
    assert control(app, "Neighbourhood").value == "add"
    assert control(app, "Function").value == "linear"
    assert not {"operator", "function", "loss", "scale.add", "law.add"} & set(address(app))


def test_a_scale_between_two_moves_to_the_nearest_and_one_beyond_gives_way(asked):
    app = no_fault(hood(model="diabetes-mlp", scale__add=0.95))
    assert app.select_slider[0].value == asked[-1][1]["scale"] == 0.943
    app = no_fault(hood(model="diabetes-mlp", scale__add=50.0))
    assert "50.0 is not available here." in plain_text(app)


def test_effort_keeps_the_choices_of_the_view(asked):
    app = no_fault(hood(model="diabetes-mlp", function="sparse", features=3, operator="mask"))
    no_fault(control(app, "Effort").set_value("quick").run())
    fit = asked[-1][1]
    assert (fit["samples"], fit["num_features"], fit["operator"]) == (512, 3, "mask")
    curve = next(params for method, params in reversed(asked) if method == "lfa.scales")
    assert (curve["samples"], curve["count"]) == (128, 8)


@pytest.mark.usefixtures("me")
def test_all_three_results_go_into_the_report():
    app = no_fault(look(model="diabetes-mlp", row=6))
    app = no_fault(press(app, "Add to report"))
    no_fault(control(app, "Part").set_value("neighbourhood").run())
    for _ in range(2):
        next(b for b in app.button if b.label == "Add to report").click().run()
    assert not has(app, "button", "Add to report")
    app = no_fault(go(app, "report"))
    assert "3 results are ready to hand over" in answers(app)[0]


def test_names_that_are_markup_are_shown_as_they_are(hostile_registry):
    for part, mode in product(("lime", "neighbourhood"), ("one", "many")):
        app = no_fault(look(model="hostile", part=part, mode=mode, count=5, effort="quick"))
        text = shown(app)
        bodies = "".join(element.proto.body for element in app.get("html"))
        for name in hostile_registry.values():
            assert name not in text
        assert "<script>" not in bodies + text
        assert all("<script" not in chart.proto.spec for chart in app.get("plotly_chart"))


def test_a_black_box_has_no_slopes_and_says_so(me, tmp_path):
    table, path = onnx_files.people(), tmp_path / "people.onnx"
    keep_table(me, table, name="people")
    fitted = LogisticRegression(max_iter=1000).fit(table.X.numpy(), onnx_files.as_words(table))
    onnx_files.export(fitted, path, matrix=4, zipmap=False)
    receive_model(
        {path.name: path}, Workspace(me.key).models_root, name="people", schema=table.schema,
        sample=table,
    )  # fmt: skip
    app = no_fault(look(model="my:people"))
    assert "in a linear model of its neighbourhood" in heading(app)
    app = no_fault(hood(model="my:people", operator="scale", loss="gradient"))
    assert OPERATORS["scale"] not in control(app, "Neighbourhood").options
    assert "Way from the reference needs gradients: it is a black box" in plain_text(app)
    assert not has(app, "selectbox", "Fitted to")
    assert "The linear function misses" in heading(app)


@pytest.mark.parametrize("kind", ["categories", "missing"])
def test_categories_alone_and_missing_values_are_fitted(me, kind):
    table = categories_table((2, 3, 4), n=40) if kind == "categories" else tiny_table(missing=True)
    keep_table(me, table)
    no_fault(upload_model(visit("add_model"), bundle(table), name="mine"))
    app = no_fault(look(model="my:mine"))
    assert len(app.get("plotly_chart")) == 1
    app = no_fault(hood(model="my:mine", row=1))
    offered = control(app, "Neighbourhood")
    assert (OPERATORS["add"] in offered.options) == (kind != "categories")
    assert len(app.get("plotly_chart")) == 2
    no_fault(offered.set_value("resample").run())
    assert len(app.get("plotly_chart")) == 2


@pytest.mark.parametrize("part", ["lime", "neighbourhood"])
def test_a_cohort_of_one_row_is_fitted(part):
    rows = rows_of("diabetes-mlp")
    bmi = torch.sort(rows.X[:, rows.schema.index("bmi")]).values[-1]
    cohort = f"bmi:{float(bmi):g}.."
    app = no_fault(look(model="diabetes-mlp", part=part, cohort=cohort, mode="many"))
    assert "Explain 'many' is not available here." in plain_text(app)
    assert answers(app)


@pytest.mark.parametrize("output", ["cultivar 1", "cultivar 3"])
def test_checks_look_at_the_class_that_was_chosen(output):
    rows = rows_of("wine-mlp").sample(20, seed=0)
    app = no_fault(look(model="wine-mlp", mode="many", count=20, output=output))
    r2 = api.lime("wine-mlp", rows, device="cpu")
    assert plain(f"R² {np.median(r2.r2[:, r2.output_index(output)]):.2f}") in shown(app)
    app = no_fault(hood(model="wine-mlp", mode="many", count=20, output=output, scale__add=1.53))
    scale = app.select_slider[0].value
    missed = np.median(fitted("wine-mlp", rows, scale).share_missed(output))
    assert plain(f"{percent(float(missed))} missed") in shown(app)


def test_a_large_run_waits_for_a_click(asked):
    app = no_fault(look(model="adult-mlp", mode="many", count=3000, sampling="around"))
    assert not asked
    assert has(app, "button", "Fit local models of 3,000 rows")
    app = no_fault(hood(model="adult-mlp", mode="many", count=3000))
    assert not asked
    assert has(app, "button", "Draw the curve of 3,000 rows")
    assert "The function follows when the curve is there." in plain_text(app)


class TestRunsThatDoNotEnd:
    """Nobody works on the list; the tests are the worker."""

    @pytest.fixture(autouse=True)
    def queue(self, monkeypatch, tmp_path):
        monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
        monkeypatch.setattr(frame, "start_jobs", lambda: None)
        monkeypatch.setattr(jobs, "PATIENCE", 0.0)
        queue = Queue(settings().home)
        yield queue
        queue.close()

    def test_a_curve_is_waited_for_and_a_fault_is_said_once(self, queue):
        app = no_fault(hood(model="wine-mlp"))
        assert len(app.get("progress")) == 1
        assert [job.state for job in queue.jobs("local")] == ["queued"]
        finish(queue, state="failed", error="Row 3 is *infinite*.")
        app.run()
        assert [error.value for error in app.error] == [plain("Row 3 is *infinite*.")]
        assert has(app, "button", "Draw the curve of row 1")
        assert not answers(app)

    def test_a_cancelled_fit_does_not_start_again_by_itself(self, queue):
        app = no_fault(look(model="wine-mlp"))
        finish(queue, state="cancelled")
        no_fault(app.run())
        assert [info.value for info in app.info] == [jobs.STOPPED["cancelled"]]
        app = press(app, "Fit local models of row 1")
        assert len(app.get("progress")) == 1
