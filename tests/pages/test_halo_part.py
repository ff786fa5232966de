"""The part of a page about halos: named features, a picture, a click, files."""

from streamlit.testing.v1 import AppTest

from tests.visits import answers, no_fault, press, shown, widget


def part():
    from workbench import ui
    from workbench.ui.halo import halos as halo_part

    with ui.page("Halos") as place:
        halo_part(place)


def without_truth():
    from dataclasses import replace

    from workbench import ui
    from workbench.ui.halo import halos as halo_part

    with ui.page("Halos") as place:
        halo_part(replace(place, rows=replace(place.rows, y=None)))


def look(page, **address):
    app = AppTest.from_function(page, default_timeout=120)
    settings = {"model": "diabetes-mlp", "halo.max_rows": "40", "halo.permutations": "1"}
    for name, value in {**settings, **address}.items():
        app.query_params[name] = value
    return app.run()


def started(app):
    """The page with its answer, which a large run gives when it is asked for."""
    if not answers(app):
        app = press(app, "Scale features together")
    return no_fault(app)


def test_the_answer_stands_above_its_figure_and_follows_the_pair():
    app = started(no_fault(look(part)))
    (said,) = answers(app)
    assert "joint models that scale " in said
    assert "costs most with" in shown(app)
    assert "WB034" in shown(app)
    view = widget(app, "button_group", "View")
    assert view.options == ["One pair", "All pairs"]
    chosen = next(box for box in app.selectbox if box.label == "Features")
    app = no_fault(chosen.set_value(chosen.options[2]).run())
    first, _, second = chosen.options[2].partition(" and ")
    assert f"scale {first} and {second}" in answers(app)[0]
    app = no_fault(widget(app, "button_group", "View").set_value("matrix").run())
    assert "A click on a pair shows it alone" in shown(app)
    assert f"scale {first} and {second}" in answers(app)[0]
    assert {button.label for button in app.get("download_button")} >= {"HTML", "CSV", "JSON"}


def test_triples_have_one_view_and_refuse_no_other():
    app = started(no_fault(look(part, halo_view="matrix", **{"halo.order": "3"})))
    assert "not available here" not in shown(app)
    assert not [one for one in app.get("button_group") if one.label == "View"]


def test_features_can_be_named():
    app = started(no_fault(look(part, **{"halo.pair": "age,bmi"})))
    assert "scale age and bmi" in answers(app)[0]


def test_rows_without_truth_are_told_what_is_missing():
    app = no_fault(look(without_truth))
    assert "holds no true values" in shown(app)
