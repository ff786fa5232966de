"""The page about local models: LIME, how far a linear function holds, and one of one's choice."""

from itertools import product

import numpy as np
import pytest

from tests.local_page import control, fitted, heading, hood, look, plain_text, rows_of
from tests.visits import (
    address,
    has,
    no_fault,
    press,
    shown,
    widget,
)
from workbench import api
from workbench.core.errors import InvalidInputError
from workbench.core.params import parse_params
from workbench.engines.lfa.fit_params import FitParams
from workbench.plots.local_functions import TIMES, local_function_sentence
from workbench.plots.local_models import fit_sentence, local_sentence
from workbench.plots.scale_curves import scale_sentence
from workbench.ui.local_function import FITS, FUNCTIONS, LOSSES
from workbench.ui.text import markup, plain


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
