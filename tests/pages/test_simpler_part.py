"""The part of a page that looks for simpler models: a button, an answer, rules, files."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.visits import answers, no_fault, press, shown, widget


def part():
    from workbench import ui
    from workbench.ui.simpler import simpler_models

    with ui.page("Simpler models") as place:
        simpler_models(place)


def without_truth():
    from dataclasses import replace

    from workbench import ui
    from workbench.ui.simpler import simpler_models

    with ui.page("Simpler models") as place:
        simpler_models(replace(place, rows=replace(place.rows, y=None)))


QUICK = {"simpler.trees": "1000", "simpler.depth": "2", "simpler.repeats": "1",
         "simpler.folds": "2"}  # fmt: skip


def look(page, model, **address):
    app = AppTest.from_function(page, default_timeout=120)
    for name, value in {"model": model, **QUICK, **address}.items():
        app.query_params[name] = value
    return app.run()


@pytest.mark.parametrize("model", ["wine-mlp", "diabetes-mlp"])
def test_nothing_starts_unasked_and_the_answer_stands_above_its_figure(model):
    app = no_fault(look(part, model))
    assert not answers(app)
    assert "ten seconds to a minute" in shown(app)
    app = no_fault(press(app, "Look for simpler models"))
    (said,) = answers(app)
    assert "A simple model is likely" in said
    assert "The small tree" in shown(app)
    assert "WB029" in shown(app)
    assert "where" in shown(app)
    assert "under exactly one rule" in shown(app)
    assert "Look for simpler models" not in [button.label for button in app.button]
    view = widget(app, "button_group", "View")
    assert view.options == ["Other learners", "How common good trees are"]
    app = no_fault(view.set_value("trees").run())
    assert "best of its own depth" in shown(app)
    assert {button.label for button in app.get("download_button")} >= {"HTML", "CSV", "JSON"}


def test_rows_without_truth_are_told_what_is_missing():
    app = no_fault(look(without_truth, "wine-mlp"))
    assert "holds no true values" in shown(app) or any(
        "holds no true values" in element.proto.body for element in app.get("html")
    )
    assert not app.button


@pytest.mark.usefixtures("hostile_registry")
def test_names_that_are_markup_are_shown_as_they_are():
    app = no_fault(press(look(part, "hostile"), "Look for simpler models"))
    assert "small tree" in shown(app)
    assert "**bold** :red[x]" not in shown(app)
    assert all("<script>alert" not in element.proto.body for element in app.get("html"))
