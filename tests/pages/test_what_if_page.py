"""The page that asks what if: values that move, scenarios that are kept, nearest changes."""

import json
import re
from functools import partial

import numpy as np
import pytest

from tests import visits
from tests.visits import MODELS, answers, has, no_fault, press, shown, widget
from workbench import api
from workbench.core.figures import ChosenFigure
from workbench.core.schema import Feature
from workbench.jobs.queue import Queue
from workbench.plots.chosen import fault_of
from workbench.plots.what_if import change_sentence
from workbench.ui import cache, pinned, what_if
from workbench.ui.scenarios import (
    differs,
    full,
    ground_for,
    is_doubtful,
    quick,
    slider_for,
    with_explainer,
    with_values,
)
from workbench.ui.text import markup
from workbench.workspace.basket import Basket

visit = partial(visits.visit, "what_if")


def movable(app):
    """The first slider that is not locked."""
    return next(slider for slider in sliders(app) if not slider.disabled)


def sliders(app):
    """The sliders of features; the sidebar has others."""
    return [slider for slider in app.slider if slider.key.startswith("what-if-")]


def body(app):
    (found,) = answers(app)
    return found


@pytest.mark.parametrize("name", MODELS)
def test_a_value_moves_the_prediction_of_every_model(name):
    app = no_fault(visit(model=name))
    assert "as it is" in body(app)
    assert len(app.get("plotly_chart")) == 1
    model = api.load_model(name)
    assert len(sliders(app)) == sum(f.kind != "categorical" for f in model.schema.features)
    slider = movable(app)
    feature = model.schema.index(slider.label)
    low, high = slider.min, slider.max
    no_fault(slider.set_value(low if slider.value != low else high).run())
    assert f"{slider.label} = " in body(app)
    assert "instead of" in body(app)
    row = api.load_table(model.card.training_table, split="test").X[:1].clone()
    row[0, feature] = low if float(row[0, feature]) != low else high
    expected = model.predict(row)[0]
    (metric, *_) = app.metric
    number = re.sub(r"[^0-9.]", "", metric.value.replace("\\", "").split()[-1])
    assert any(abs(float(number) - float(v)) <= 0.01 * abs(float(v)) + 0.001 for v in expected)


def test_the_answer_is_that_of_the_engine_and_the_exact_one_is_called_so():
    app = no_fault(visit(model="diabetes-mlp"))
    slider = widget(app, "slider", "bmi")
    no_fault(slider.set_value(slider.max).run())
    model = api.load_model("diabetes-mlp")
    whole, row = api.load_table("diabetes", split="all"), api.load_table("diabetes")[[0]]
    ground = ground_for(model, whole, whole[[0]])
    x = row.X[0].numpy().copy()
    x[model.schema.index("bmi")] = slider.max
    before, after = (full(model, with_values(row, v), ground) for v in (row.X[0].numpy(), x))
    assert f">{markup(change_sentence(before, after, 'progression'))}<" in body(app)
    assert ":green-badge[:material/check_circle: exact]" in shown(app)


def test_a_quick_explanation_comes_first_and_the_full_one_when_the_row_stays():
    app = no_fault(visit(model="wine-mlp"))
    slider = movable(app)
    no_fault(slider.set_value(slider.max).run())
    assert "refining" in shown(app)
    no_fault(app.run())
    assert "refining" not in shown(app)
    assert ":material/check_circle: exact]" in shown(app)


def test_reset_brings_the_row_back():
    app = no_fault(visit(model="diabetes-mlp"))
    before = body(app)
    slider = widget(app, "slider", "bmi")
    value = slider.value
    slider.set_value(slider.max).run()
    assert body(app) != before
    no_fault(press(app, "Reset"))
    assert body(app) == before
    assert widget(app, "slider", "bmi").value == value
    assert widget(app, "button", "Reset").disabled


def test_what_a_person_cannot_change_is_locked_until_it_is_allowed():
    app = no_fault(visit(row=3))
    model = api.load_model("adult-mlp")
    immutable = [f for f in model.schema.features if f.immutable]
    assert immutable
    for feature in immutable:
        kind = "selectbox" if feature.kind == "categorical" else "slider"
        assert widget(app, kind, feature.name).disabled
    widget(app, "toggle", "Allow changing what a person cannot change").set_value(True).run()
    age = widget(no_fault(app), "slider", "age")
    assert not age.disabled
    no_fault(age.set_value(50).run())
    assert "age = 50 years instead of 30 years" in body(app)


def test_a_missing_value_can_be_chosen_and_filled_in():
    app = no_fault(visit(row=3))
    box = widget(app, "selectbox", "workclass")
    assert "missing" in box.options
    no_fault(box.set_value("missing").run())
    assert "workclass = missing instead of State-gov" in body(app)
    no_fault(widget(app, "selectbox", "workclass").set_value("State-gov").run())
    assert "as it is" in body(app)


def test_another_row_begins_anew():
    app = no_fault(visit(model="diabetes-mlp"))
    slider = widget(app, "slider", "bmi")
    slider.set_value(slider.max).run()
    no_fault(widget(app, "number_input", "Row").set_value(1).run())
    assert "as it is" in body(app)


def test_scenarios_are_pinned_compared_and_removed():
    app = no_fault(visit(row=3))
    no_fault(widget(app, "slider", "education_num").set_value(15).run())
    widget(app, "text_input", "Name of the scenario").set_value("<b>more</b> school").run()
    no_fault(press(app, "Pin this scenario"))
    frame = app.dataframe[0].value
    assert list(frame["scenario"]) == ["Original", "<b>more</b> school"]
    assert list(frame["education_num"]) == ["13", "15"]
    assert "age" not in frame
    assert frame["prediction: >50K"].iloc[1] > frame["prediction: >50K"].iloc[0]
    assert len(app.get("plotly_chart")) == 3
    no_fault(press(app, "Pin this scenario"))
    assert len(app.dataframe[0].value) == 3
    remove = next(b for b in app.button if b.label.startswith("Remove"))
    no_fault(remove.click().run())
    assert len(app.dataframe[0].value) == 2
    for _ in range(pinned.MOST_PINNED - 1):
        press(app, "Pin this scenario")
    assert widget(app, "button", "Pin this scenario").disabled


def test_scenarios_are_written_as_tables():
    app = no_fault(visit(model="wine-mlp"))
    no_fault(press(app, "Pin this scenario"))
    play = app.session_state[what_if.STATE]
    model = api.load_model("wine-mlp")
    rows = [play.known["full", play.original.tobytes()], play.pinned[0].attribution]
    frame = pinned.every_value(model, ["Original", "=cmd()"], rows)
    assert len(frame) == 2 * len(model.schema.features) * len(model.output_names)
    text = pinned._csv(frame).decode()
    assert "'=cmd()" in text


def test_a_scenario_and_the_nearest_change_go_into_the_report_as_they_were_seen(me):
    output = api.load_model("wine-mlp").output_names[1]
    app = no_fault(visit(model="wine-mlp", row=3, output=output))
    slider = movable(app)
    no_fault(slider.set_value(slider.min).run())
    play = app.session_state[what_if.STATE]
    assert differs(play.x, play.original).sum() == 1
    widget(app, "text_input", "Name of the scenario").set_value("Most").run()
    no_fault(press(app, "Pin this scenario"))
    seen = app.session_state[what_if.STATE].pinned[0].attribution
    no_fault(press(app, "Add Most to report"))
    no_fault(press(app, "Find the nearest change"))
    nearest = app.session_state[what_if.STATE].found
    no_fault(press(app, "Add to report"))
    queue, items = Queue(), Basket(me.key).content.items
    assert [" as if " in item.title for item in items] == [True, False]
    waterfall = ChosenFigure(view="waterfall", options={"output": output})
    assert [item.figures for item in items] == [(waterfall,), (ChosenFigure(view="nearest"),)]
    for item, expected in zip(items, (seen, nearest), strict=True):
        assert queue.wait(item.job, me.key, 60).state == "done"
        found = queue.result(item.job, me.key)
        assert found.kind == expected.kind
        assert found.provenance.params == expected.provenance.params
        for name, value in vars(expected).items():
            if isinstance(value, np.ndarray) and value.dtype.kind == "f":
                np.testing.assert_allclose(getattr(found, name), value, rtol=1e-5, atol=1e-7)
        assert [fault_of(found, figure) for figure in item.figures] == [""]


def test_scenarios_that_are_alike_go_into_the_report_as_one(me):
    app = no_fault(visit(model="wine-mlp", row=3))
    no_fault(press(app, "Pin this scenario"))
    no_fault(press(app, "Pin this scenario"))
    no_fault(press(app, "Add Scenario 1 to report"))
    assert not has(app, "button", "Add Scenario 2 to report")
    assert len(Basket(me.key).content.items) == 1


def test_the_nearest_change_is_found_and_tried():
    app = no_fault(visit(row=3))
    no_fault(press(app, "Find the nearest change"))
    assert "would be enough for the model to say" in shown(app)
    tries = [button for button in app.button if button.label == "Try this"]
    assert len(tries) >= 2
    assert [b.label for b in app.get("download_button")][-4:] == [
        "HTML", "CSV", "JSON", "Result file",
    ]  # fmt: skip
    no_fault(tries[0].click().run())
    assert "instead of" in body(app)
    decision = app.metric[1].value.replace("\\", "")
    assert decision.endswith("**>50K**")


def test_a_value_to_reach_is_chosen_for_a_regression():
    app = no_fault(visit(model="diabetes-mlp"))
    bound = widget(app, "number_input", "Bound")
    no_fault(bound.set_value(120.0).run())
    no_fault(press(app, "Find the nearest change"))
    assert "progression of 120 or less" in shown(app).replace("\\", "")
    no_fault(widget(app, "number_input", "Bound").set_value(-1e6).run())
    assert "wish has changed" in shown(app)
    no_fault(press(app, "Find the nearest change"))
    assert "no change was found" in shown(app)
    assert not has(app, "button", "Try this")


def test_many_features_show_the_most_important_first():
    app = no_fault(visit(model="digits-mlp"))
    (expander,) = [e for e in app.expander if "more features" in e.label]
    assert expander.label.startswith("52 more features")
    assert len(expander.slider) == 52


def test_a_viewer_who_may_not_run_is_told(somebody, monkeypatch):
    somebody("nobody", role="viewer")
    monkeypatch.setattr("workbench.core.people.ALLOWED", {"viewer": frozenset()} | {
        role: frozenset({"run_small", "run"}) for role in ("analyst", "admin")
    })  # fmt: skip
    app = visit(model="wine-mlp")
    assert not app.exception
    assert app.error


@pytest.mark.parametrize("name", ["wine-mlp", "digits-mlp"])
def test_the_quick_explanation_is_near_the_full_one(name):
    model = api.load_model(name)
    whole = api.load_table(model.card.training_table, split="all")
    row = api.load_table(model.card.training_table)[[0]]
    ground = ground_for(model, whole, whole[[0]])
    one, other = quick(model, row, ground), full(model, row, ground)
    assert one.unit == other.unit
    span = np.abs(other.values).max()
    assert np.sqrt(((one.values - other.values) ** 2).mean()) < 0.1 * span


def test_a_slider_holds_the_rows_own_value_in_round_steps():
    assert slider_for(Feature(name="n", integer=True), 2.0, 2.0, 2.0).high == 3
    for low, high, value in [(0.1, 0.9, 0.123), (-3e5, 7e6, 1e7), (0.0, 0.0, 0.0), (1e-9, 2e-9, 0)]:
        found = slider_for(Feature(name="x"), low, high, float(value))
        assert found.low <= min(low, value) < found.high
        assert found.high >= max(high, value)
        assert (found.high - found.low) / found.step <= 20_000
    assert not differs(np.array([np.nan, 1.0]), np.array([np.nan, 1.0])).any()


def test_json_of_scenarios_has_no_nan():
    app = no_fault(visit(row=3))
    no_fault(widget(app, "selectbox", "workclass").set_value("missing").run())
    no_fault(press(app, "Pin this scenario"))
    play = app.session_state[what_if.STATE]
    model = api.load_model("adult-mlp")
    frame = pinned.every_value(model, ["a"], [play.pinned[0].attribution])
    text = json.dumps(pinned.finite_records(frame), allow_nan=False)
    assert '"missing"' in text


def test_an_explainer_follows_the_slider_and_the_full_one_comes_behind(monkeypatch):
    model = api.load_model("diabetes-mlp")
    rows = api.load_table("diabetes", split="train")
    short = {"surrogate_epochs": 3, "warm_epochs": 3, "epochs": 1}
    explainer = api.train_explainer(model, rows[:60], rows[:20], device="cpu", **short)
    explained = model.with_explainer(explainer)
    ground = ground_for(model, rows, rows[[0]])
    assert with_explainer(ground, model) is ground
    ground = with_explainer(ground, explained)
    one, other = (make(explained, rows[[0]], ground) for make in (quick, full))
    assert one.provenance.method == "shapley.fastshap"
    assert other.provenance.method == "shapley.exact"
    assert one.unit == other.unit
    assert isinstance(is_doubtful(one), bool)
    monkeypatch.setattr(cache, "model_with_explainers", lambda *_: explained)
    app = no_fault(visit(model="diabetes-mlp"))
    slider = widget(app, "slider", "bmi")
    no_fault(slider.set_value(slider.max).run())
    assert "FastSHAP" in shown(app)
    no_fault(app.run())
    assert ":material/check_circle: exact]" in shown(app)
