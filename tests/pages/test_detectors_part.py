"""The part of a page that asks several detectors: a button, an answer, views, who is absent."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.visits import answers, no_fault, press, shown, widget

QUICK = {
    "detectors.permutations": "2", "detectors.shapley_rows": "2", "detectors.nodes": "4",
    "detectors.shapley_background": "2", "detectors.friedman_rows": "10",
}  # fmt: skip


def part():
    from workbench import ui
    from workbench.ui.detectors import detectors_side_by_side as detectors_part

    with ui.page("Detectors") as place:
        detectors_part(place)


def look(model, **address):
    app = AppTest.from_function(part, default_timeout=120)
    for name, value in {"model": model, **QUICK, **address}.items():
        app.query_params[name] = value
    return app.run()


@pytest.mark.parametrize("model", ["wine-mlp", "german-mlp"])
def test_the_answer_stands_above_its_figures(model):
    app = no_fault(look(model))
    app = no_fault(press(app, "Ask the detectors")) if not answers(app) else app
    (said,) = answers(app)
    assert "first" in said
    assert "WB038" in shown(app)
    view = widget(app, "button_group", "View")
    assert view.options == ["Ranks", "Agreement", "Cost"]
    app = no_fault(view.set_value("agreement").run())
    assert widget(app, "button_group", "Measure").options[0] == "Correlation of ranks"
    app = no_fault(widget(app, "button_group", "View").set_value("cost").run())
    assert "What each would take alone" in shown(app)
    assert {button.label for button in app.get("download_button")} >= {"HTML", "CSV", "JSON"}


def test_some_detectors_can_be_chosen():
    app = no_fault(look("german-mlp", **{"detectors.detectors": "contexts,weights"}))
    app = no_fault(press(app, "Ask the detectors")) if not answers(app) else app
    assert answers(app)
    assert "was left out" not in shown(app)
