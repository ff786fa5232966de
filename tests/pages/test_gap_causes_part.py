"""The part of the page about fairness that asks why there is a gap."""

from streamlit.testing.v1 import AppTest

from tests.visits import answers, no_fault, press, shown, widget


def page():
    from workbench import ui
    from workbench.ui.gap_causes import causes

    with ui.page("Why") as place:
        causes(place)


QUICK = {"gap_causes.max_rows": "30", "gap_causes.background_rows": "10",
         "gap_causes.background": "10"}  # fmt: skip


def look(model, **address):
    app = AppTest.from_function(page, default_timeout=120)
    for name, value in {"model": model, **QUICK, **address}.items():
        app.query_params[name] = value
    return app.run()


def started(app):
    if not answers(app):
        app = press(app, "Share out the gap")
    return no_fault(app)


def test_the_answer_stands_above_its_figure_and_follows_the_pair():
    app = started(no_fault(look("german-mlp", **{"gap_causes.by": "personal_status"})))
    (said,) = answers(app)
    assert "score" in said
    assert "WB053" in shown(app)
    assert "WB054" in shown(app)
    assert "of 100 pairs" in shown(app)
    assert {button.label for button in app.get("download_button")} >= {"HTML", "CSV", "JSON"}
    app = no_fault(widget(app, "button_group", "View").set_value("proxies").run())
    assert "stands in for the group" in shown(app)


def test_a_model_of_a_number_has_no_favourable_outcome_to_choose():
    app = started(no_fault(look("diabetes-mlp", **{"gap_causes.by": "sex"})))
    assert len(answers(app)) == 1
    assert not [box for box in app.selectbox if box.label == "Among"]


def test_a_table_without_groups_says_what_to_add():
    app = look("wine-mlp")
    no_fault(app)
    said = shown(app) + "".join(element.proto.body for element in app.get("html"))
    assert "There are no groups to compare" in said
