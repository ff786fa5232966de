"""The page about local models: LIME, how far a linear function holds, and one of one's choice."""

from functools import partial
from itertools import product

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from tests import onnx_files
from tests.bundles import bundle, keep_table
from tests.functions import categories_table
from tests.jobs import finish
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
    widget,
)
from workbench import api
from workbench.core.errors import InvalidInputError
from workbench.core.params import parse_params
from workbench.core.settings import settings
from workbench.core.wording import percent
from workbench.engines.lfa.fit_params import FitParams
from workbench.jobs.queue import Queue
from workbench.plots.local_functions import TIMES, local_function_sentence
from workbench.plots.local_models import fit_sentence, local_sentence
from workbench.plots.scale_curves import scale_sentence
from workbench.registry.intake import receive_model
from workbench.ui import frame, jobs
from workbench.ui.local_function import FITS, FUNCTIONS, LOSSES
from workbench.ui.neighbourhood import OPERATORS
from workbench.ui.text import markup, plain
from workbench.workspace.store import Workspace

PAGE = "local_models"
look = partial(visit, PAGE)
hood = partial(visit, PAGE, part="neighbourhood")


@pytest.fixture
def asked(monkeypatch):
    """Method and settings of all runs that a page asks for."""
    calls, submit = [], Queue.submit

    def counting(self, request, **kwargs):
        calls.append((request.method, request.params))
        return submit(self, request, **kwargs)

    monkeypatch.setattr(Queue, "submit", counting)
    return calls


def rows_of(name):
    return api.load_table(api.load_model(name).card.training_table, split="test")


def control(app, label):
    (found,) = (group for group in app.button_group if group.label == label)
    return found


def heading(app):
    (body,) = answers(app)
    return body


def plain_text(app):
    return shown(app).replace("\\", "")


def fitted(name, rows, scale, **params):
    """What the engine says; scales on the page have three digits."""
    return api.local_functions(name, rows, device="cpu", scale=scale, **params)


@pytest.mark.parametrize("name", ["adult-mlp", "diabetes-mlp", "digits-mlp"])
def test_a_first_visit_computes_both_parts_without_a_click(name):
    app = no_fault(look(model=name, effort="quick"))
    assert len(app.get("plotly_chart")) == 1
    assert "in a linear model of its neighbourhood" in heading(app)
    assert "Local model fits" in shown(app)
    no_fault(control(app, "Part").set_value("neighbourhood").run())
    assert len(app.get("plotly_chart")) == 2
    assert "The linear function misses" in heading(app)
    assert "Function is adequate" in shown(app)
    offered = control(app, "Function").options
    assert ("Logistic" in offered) == (name != "diabetes-mlp")


def test_the_plain_address_means_one_row_by_lime():
    app = no_fault(look())
    assert not address(app)
    assert control(app, "Part").value == "lime"


def test_what_lime_says_is_what_the_engine_says():
    app = no_fault(look(model="wine-mlp", row=2))
    rows = rows_of("wine-mlp")[[2]]
    result = api.lime("wine-mlp", rows, device="cpu")
    assert f">{markup(local_sentence(result, 0))}<" in heading(app)
    assert plain(fit_sentence(result, 0)) in shown(app)
    frame = app.dataframe[0].value
    which = result.output_index(None)
    assert len(frame) == result.selected[0, :, which].sum()
    strongest = int(np.abs(result.coefficients[0, :, which]).argmax())
    assert frame.iloc[0]["condition"] == result.condition(0, strongest)
    assert frame.iloc[0]["coefficient"] == result.coefficients[0, strongest, which]


def test_settings_of_lime_reach_the_run_and_effort_moves_their_defaults(asked):
    app = no_fault(look(model="diabetes-mlp", row=3, effort="quick", lime__selection="lasso"))
    no_fault(widget(app, "selectbox", "Draw numbers").set_value("around").run())
    method, params = asked[-1]
    assert method == "lime.tabular"
    assert (params["perturbations"], params["selection"], params["sampling"]) == (
        1000, "lasso", "around",
    )  # fmt: skip
    assert address(app)["sampling"] == "around"


def test_rows_to_look_at_are_those_of_the_pick_and_open():
    app = no_fault(look(model="diabetes-mlp", mode="many", count=20, lime__num_features=3))
    result = api.lime(
        "diabetes-mlp", rows_of("diabetes-mlp").sample(20, seed=0), num_features=3, device="cpu"
    )
    picked = [str(number) for number in result.ids[result.pick(5)]]
    assert control(app, "Row to look at").options == [f"Row {number}" for number in picked]
    assert f">{markup(local_sentence(result))}<" in heading(app)
    no_fault(control(app, "Row to look at").set_value(picked[-1]).run())
    assert f"Row {picked[-1]}: in a linear model" in shown(app).replace("\\", "")
    app = no_fault(press(app, "Open it"))
    assert control(app, "Explain").value == "one"
    assert f"Row {picked[-1]} of diabetes" in shown(app)


def test_mean_sizes_leave_out_what_no_local_model_has():
    app = no_fault(look(model="diabetes-mlp", mode="many", count=20, lime__num_features=2))
    frame = app.dataframe[0].value
    assert (frame["size"] > 0).all()
    assert (np.diff(frame["size"]) <= 0).all()
    assert frame["selected"].sum() == pytest.approx(200)


@pytest.mark.parametrize("operator", ["add", "mask", "resample", "scale"])
def test_the_function_is_that_of_the_engine_at_the_chosen_scale(operator):
    app = no_fault(hood(model="diabetes-mlp", row=4, operator=operator))
    rows = rows_of("diabetes-mlp")[[4]]
    curves = api.scale_curves("diabetes-mlp", rows, operator=operator, device="cpu")
    scale = widget(app, "select_slider", f"Scale: {curves.scale_words}").value
    wished = curves.knee() or {"add": 0.25, "mask": 1, "resample": 0.5, "scale": 1}[operator]
    nearest = curves.scales[np.abs(np.log(curves.scales / wished)).argmin()]
    assert scale == pytest.approx(nearest, rel=0.005)
    loss = "gradient" if operator == "scale" else "squared"
    found = fitted("diabetes-mlp", rows, scale, operator=operator, loss=loss)
    assert f">{markup(local_function_sentence(found))}<" in heading(app)
    assert plain(scale_sentence(curves)) in shown(app)


def test_a_moved_slider_fits_anew_and_stays_in_the_address(asked):
    app = no_fault(hood(model="diabetes-mlp", row=4))
    (slider,) = app.select_slider
    largest = float(slider.options[-1])
    before, runs = heading(app), len(asked)
    no_fault(slider.set_value(largest).run())
    assert heading(app) != before
    assert [method for method, _ in asked[runs:]] == ["lfa.fit"]
    assert asked[-1][1]["scale"] == largest == 4.0
    assert address(app)["scale.add"] == "4.0"
    (figure,) = (c for c in app.get("plotly_chart") if "chosen 4" in c.proto.spec)
    assert "knee" not in figure.proto.spec  # this one hardly rises
    # Another row keeps the scale that was chosen.
    no_fault(widget(app, "number_input", "Row").set_value(5).run())
    assert app.select_slider[0].value == largest


@pytest.mark.parametrize("function", list(FUNCTIONS))
def test_every_function_is_fitted_and_told_apart(asked, function):
    app = no_fault(hood(model="breast-cancer-mlp", row=1, function=function, effort="quick"))
    assert asked[-1][1]["function"] == function
    kind = {"sparse": "sparse linear"}.get(function, function)
    assert f"The {kind} function misses" in heading(app)
    assert has(app, "number_input", "Features") == (function == "sparse")
    bodies = "".join(element.proto.body for element in app.get("html"))
    assert "Missed of samples not seen" in bodies
    assert "Missed of samples fitted to" in bodies


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "C-LIME"),
        ({"loss": "gradient"}, "SmoothGrad"),
        ({"operator": "mask"}, "LIME without bins"),
        ({"operator": "mask", "law__mask": "shapley"}, "KernelSHAP"),
        ({"operator": "mask", "law__mask": "single"}, "Occlusion"),
        ({"operator": "scale", "scale__scale": 1.0}, "Integrated gradients"),
        ({"operator": "scale", "scale__scale": 0.05}, None),
        ({"operator": "resample"}, None),
        ({"function": "sparse"}, None),
    ],
)
def test_settings_with_a_name_say_it(settings, name):
    app = no_fault(hood(model="wine-mlp", row=1, **settings))
    named = [line.value for line in app.markdown if "These settings are" in line.value]
    assert len(named) == (name is not None)
    assert name is None or name in named[0]


@pytest.mark.parametrize(("operator", "loss"), list(product(FITS, LOSSES)))
def test_what_a_function_may_be_fitted_to_is_what_the_method_takes(operator, loss):
    try:
        parse_params(FitParams, {"operator": operator, "loss": loss})
    except InvalidInputError:
        assert loss not in FITS[operator]
    else:
        assert loss in FITS[operator]


def test_a_law_without_a_scale_has_no_slider_and_still_a_function(asked):
    app = no_fault(hood(model="wine-mlp", operator="mask", law__mask="shapley"))
    assert not app.select_slider
    assert plain("there is no scale to choose") in shown(app)
    (run,) = asked
    assert run[0] == "lfa.fit"
    assert run[1]["scale"] is None
    assert len(app.get("plotly_chart")) == 1


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"function": "pairwise", "operator": "scale"}, "no pair can be told from another"),
        (
            {"operator": "mask", "law__mask": "single", "function": "logistic"},
            "law 'single' removes one feature at a time",
        ),
        ({"function": "logistic", "lfa__output": "score"}, "A logistic function is for"),
    ],
)
def test_a_refusal_is_one_sentence_with_the_choice_in_view(settings, sentence):
    app = hood(model="wine-mlp", row=2, **settings)
    assert not app.exception
    (error,) = app.error
    assert plain(sentence) in error.value
    no_fault(control(app, "Function").set_value("linear").run())
    assert "The linear function misses" in heading(app)


def test_a_curve_that_cannot_be_drawn_says_why_once():
    app = hood(model="wine-mlp", lfa__scales__smallest=3.0, lfa__scales__largest=2.0)
    (error,) = app.error
    assert plain("smallest (3) must be below largest (2)") in error.value
    assert "The function follows when the curve is there." in plain_text(app)


def test_many_rows_have_quartiles_mean_sizes_and_the_rows_missed_most():
    app = no_fault(hood(model="diabetes-mlp", mode="many", count=12, scale__add=4.0))
    rows = rows_of("diabetes-mlp").sample(12, seed=0)
    found = fitted("diabetes-mlp", rows, 4.0)
    assert f">{markup(local_function_sentence(found))}<" in heading(app)
    assert "In the middle of 12 rows" in plain_text(app)
    size = np.sort(np.abs(found.coefficients[..., 0]).mean(0))[::-1]
    np.testing.assert_allclose(app.dataframe[0].value["size"], size[size > 0])
    worst = int(found.ids[found.share_missed().argmax()])
    (button,) = (b for b in app.button if b.label.startswith(f"Row {worst}\\:"))
    no_fault(button.click().run())
    assert f"Row {worst} of diabetes" in plain_text(app)


def test_pairs_are_among_the_mean_sizes():
    app = no_fault(hood(model="diabetes-mlp", mode="many", count=3, function="pairwise"))
    assert any(TIMES in name for name in app.dataframe[0].value["feature"])


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
