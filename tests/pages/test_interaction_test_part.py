"""The part of a page that asks whether interactions are in the data."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.visits import answers, no_fault, press, shown


def page():
    from workbench import ui
    from workbench.ui.interaction_test import in_the_data

    with ui.page("Is it in the data") as place:
        in_the_data(place)


def without_truth():
    from dataclasses import replace

    from workbench import ui
    from workbench.ui.interaction_test import in_the_data

    with ui.page("Is it in the data") as place:
        in_the_data(replace(place, rows=replace(place.rows, y=None)))


QUICK = {"interaction_test.simulations": "5", "interaction_test.refits": "2",
         "interaction_test.epochs": "1", "interaction_test.permutations": "1"}  # fmt: skip


def look(script, model):
    app = AppTest.from_function(script, default_timeout=120)
    for name, value in {"model": model, **QUICK}.items():
        app.query_params[name] = value
    return app.run()


@pytest.mark.parametrize("model", ["wine-mlp", "diabetes-mlp"])
def test_nothing_starts_unasked_and_the_answer_stands_above_its_figure(model):
    app = no_fault(look(page, model))
    assert not answers(app)
    assert "Some twenty networks" in shown(app)
    app = no_fault(press(app, "Test for interactions"))
    (said,) = answers(app)
    assert "in the data" in said
    assert "than a model without interactions" in shown(app)
    assert "WB036" in shown(app)
    assert "Test for interactions" not in [button.label for button in app.button]
    assert {button.label for button in app.get("download_button")} >= {"HTML", "CSV", "JSON"}


def test_rows_without_truth_are_told_what_is_missing():
    app = no_fault(look(without_truth, "wine-mlp"))
    assert "holds no true values" in shown(app) or any(
        "holds no true values" in element.proto.body for element in app.get("html")
    )
    assert not app.button


@pytest.mark.usefixtures("hostile_registry")
def test_names_that_are_markup_are_shown_as_they_are():
    app = no_fault(press(look(page, "hostile"), "Test for interactions"))
    assert "**bold** :red[x]" not in shown(app)
    assert all("<script>alert" not in element.proto.body for element in app.get("html"))
