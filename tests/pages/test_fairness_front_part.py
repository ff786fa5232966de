"""The part of the page about fairness that looks across equally good models."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.visits import answers, no_fault, press, shown, widget
from workbench.core.people import LOCAL
from workbench.registry.store import list_models
from workbench.workspace.store import Workspace


def page():
    from workbench import ui
    from workbench.ui.fairness_front import across_models

    with ui.page("Who is worse off") as place:
        across_models(place)


def without_truth():
    from dataclasses import replace

    from workbench import ui
    from workbench.ui.fairness_front import across_models

    with ui.page("Who is worse off") as place:
        across_models(replace(place, rows=replace(place.rows, y=None)))


QUICK = {"fairness.by": "telephone", "front.models": "8", "front.near_copies": "1",
         "front.directed": "3", "front.draws": "100", "front.explained": "5",
         "front.points": "5.0"}  # fmt: skip


def look(script, model, **more):
    app = AppTest.from_function(script, default_timeout=120)
    for name, value in {"model": model, **QUICK, **more}.items():
        app.query_params[name] = value
    return app.run()


def test_nothing_starts_unasked_and_a_model_is_kept_among_ones_own():
    app = no_fault(look(page, "german-mlp"))
    assert not answers(app)
    assert "Press Look for alternatives" in shown(app)
    assert widget(app, "multiselect", "Attributes").value == ["telephone"]
    app = no_fault(press(app, "Look for alternatives"))
    (said,) = answers(app)
    assert "statistical parity difference" in said
    assert "Look for alternatives" not in [button.label for button in app.button]
    assert "WB057" in shown(app)
    assert {button.label for button in app.get("download_button")} >= {"HTML", "CSV", "JSON"}
    app = no_fault(widget(app, "text_input", "Name").set_value("german-fairer").run())
    app = no_fault(press(app, "Save as a model"))
    assert "Kept as german-fairer@1" in shown(app).replace("\\", "")
    assert "german-fairer" in [one.name for one in list_models(Workspace(LOCAL).models_root)]
    app = widget(app, "text_input", "Name").set_value("Not a name").run()
    app = press(app, "Save as a model")
    assert "cannot be called" in app.error[0].value
    app = widget(app, "text_input", "Name").set_value("german-mlp").run()
    app = press(app, "Save as a model")
    assert "belongs to a model that comes with the workbench" in app.error[0].value
    assert "german-mlp" not in [one.name for one in list_models(Workspace(LOCAL).models_root)]


def test_of_several_attributes_one_is_chosen_or_all_crossed():
    app = no_fault(look(page, "german-mlp", **{"fairness.by": "personal_status,foreign_worker"}))
    groups = widget(app, "selectbox", "Groups by")
    assert groups.options == [
        "personal_status", "foreign_worker", "personal_status x foreign_worker",
    ]  # fmt: skip
    assert groups.value == "personal_status"


def test_it_has_to_be_said_whose_groups():
    app = no_fault(look(page, "wine-mlp", **{"fairness.by": ""}))
    said = shown(app) + "".join(element.proto.body for element in app.get("html"))
    assert "Choose whose groups are compared" in said
    assert not app.button


@pytest.mark.parametrize("model", ["diabetes-mlp"])
def test_a_model_of_a_number_is_told_apart(model):
    app = no_fault(look(page, model))
    assert "predicts a number, so no alternative could decide otherwise" in shown(app)
    assert not app.button


def test_rows_without_truth_are_told_what_is_missing():
    app = no_fault(look(without_truth, "german-mlp"))
    assert "holds no true values" in shown(app)
    assert not app.button
