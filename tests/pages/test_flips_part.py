"""The part of the page about fairness that sets attributes to all that they could be."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.visits import answers, no_fault, press, shown, widget


def page():
    from workbench import ui
    from workbench.ui.flips import flips

    with ui.page("Fairness") as place:
        flips(place)


def beside():
    """The model of german reads no sex: it lies beside the table."""
    from dataclasses import replace

    import torch

    from workbench import ui
    from workbench.core.schema import Feature, Schema
    from workbench.core.table import Table
    from workbench.ui.flips import flips

    with ui.page("Fairness") as place:
        feature = Feature(name="sex", kind="categorical", categories=("f", "m"), protected=True)
        ids = place.rows.ids
        aside = Table(Schema(features=(feature,)), (ids % 2).double()[:, None].contiguous(), ids)
        assert torch.equal(aside.ids, ids)
        flips(replace(place, rows=replace(place.rows, aside=aside)))


def look(script, model, **address):
    app = AppTest.from_function(script, default_timeout=120)
    for name, value in {"model": model, **address}.items():
        app.query_params[name.replace("__", ".")] = value
    return app.run()


def told(app):
    """What the page says, as it is read: Markdown's escapes are not."""
    return shown(app).replace("\\", "")


def settled(app):
    """The page once its run is over; it starts by itself."""
    for _ in range(40):
        if answers(app):
            return no_fault(app)
        app.run()
    raise AssertionError(shown(app))


def test_the_answer_comes_by_itself_with_its_doubts():
    app = settled(look(page, "adult-mlp", fairness__by="sex"))
    (said,) = answers(app)
    assert "would be decided otherwise if sex alone were another" in said
    text = told(app)
    assert "If everybody were Male" in text
    assert "sex Female with relationship Husband" in text
    assert "WB050" in text
    assert "An audit may show no group worse off" in text
    assert "One person" in text
    assert {button.label for button in app.get("download_button")} >= {"HTML", "CSV", "JSON"}


def test_views_and_people_can_be_chosen():
    app = settled(look(page, "adult-mlp", fairness__by="sex", flips_view="people"))
    assert widget(app, "selectbox", "As").options == ["whoever moves it most", "Female", "Male"]
    row = widget(app, "selectbox", "Row")
    chosen = row.options[3]
    app = no_fault(row.set_value(chosen).run())
    assert f"Row {chosen} (" in told(app)


def test_somebody_alike_is_another_question():
    app = settled(look(page, "german-mlp", flips__mode="conditional"))
    (said,) = answers(app)
    assert said.count("Held against somebody of another") == 1
    assert "own group" in said


def test_what_is_not_read_is_told_and_left_out():
    app = no_fault(look(beside, "german-mlp", fairness__by="sex"))
    assert not answers(app)
    assert "does not read sex: setting it changes no decision" in told(app)
    assert "Choose Somebody alike under Ask of" in told(app)


def test_nobody_guesses_what_people_hope_for():
    app = no_fault(look(page, "wine-mlp", fairness__by="alcohol"))
    assert not answers(app)
    assert "Choose which class people hope for" in told(app)
    app = widget(app, "selectbox", "What people hope for").select("cultivar 2").run()
    (said,) = answers(settled(app))
    assert "cultivar 2" in said


def test_a_number_has_no_decision():
    app = no_fault(look(page, "diabetes-mlp"))
    assert not answers(app)
    assert any("predicts a number" in e.value for e in app.markdown)


@pytest.mark.usefixtures("hostile_registry")
def test_names_that_are_markup_are_shown_as_they_are():
    app = look(page, "hostile")
    if any(button.label == "Set the attributes" for button in app.button):
        app = press(app, "Set the attributes")
    assert "**bold** :red[x]" not in shown(app)
    assert all("<script>alert" not in element.proto.body for element in app.get("html"))
