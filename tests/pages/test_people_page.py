"""The page about people who are decided narrowly."""

import pytest

from tests.visits import address, answers, has, no_fault, press, shown, visit, widget
from workbench import api
from workbench.plots.boundary_words import flip_sentence, people_sentence, person_sentence
from workbench.ui.text import markup, plain

GERMAN = {"model": "german-mlp", "table": "german", "people__models": "30"}


def expected(**params):
    whole = api.load_table("german", split="all")
    return api.boundary_people(
        "german-mlp", whole.split("test"), whole, models=30, **({"who": "refused"} | params)
    )


def test_answers_at_once_and_shows_one_person_in_full():
    app = no_fault(visit("people", **GERMAN))
    said, person = answers(app)
    found = expected()
    assert f">{markup(people_sentence(found))}<" in said
    assert f">{markup(person_sentence(found))}<" in person
    assert plain(flip_sentence(found)) in shown(app)
    assert len(app.get("plotly_chart")) == 3
    for code in ("WB055", "WB056"):
        assert code in shown(app)
    labels = {button.label for button in app.get("download_button")}
    assert labels >= {"HTML", "CSV", "JSON"}
    assert "would be enough for the model to say good" in shown(app)


def test_the_filter_and_the_person_stay_in_the_address():
    app = no_fault(visit("people", **GERMAN))
    (who,) = [group for group in app.button_group if "Wrongly refused" in group.options]
    no_fault(who.set_value("wrongly_refused").run())
    assert address(app)["people.who"] == "wrongly_refused"
    found = expected(who="wrongly_refused")
    person = widget(app, "selectbox", "Person")
    assert person.options == [f"Row {row}" for row in found.ids[found.chosen]]
    row = str(found.ids[found.chosen[3]])
    no_fault(person.set_value(row).run())
    assert address(app)["person"] == row
    assert markup(person_sentence(found, int(row))) in answers(app)[1]
    no_fault(press(app, "Play with this row"))
    rows = api.load_table("german", split="test").ids.tolist()
    assert address(app).get("person") == row
    assert int(app.session_state["choice.row"]) == rows.index(int(row))


def test_a_row_that_is_named_is_looked_at_and_a_person_of_other_settings_gives_way():
    found = expected(people="18")
    app = no_fault(visit("people", **GERMAN, people__row="18", person="460"))
    assert widget(app, "selectbox", "Person").options == ["Row 18"]
    assert markup(person_sentence(found, 18)) in answers(app)[1]
    assert "person" not in address(app)


def test_groups_are_cut_as_wished_and_moved_to():
    app = no_fault(visit("people", **GERMAN, people__bins="age=25", person__only_up="age"))
    options = widget(app, "selectbox", "Moved to").options
    assert any(option.startswith("age = 25 years and over") or "age = 25" in option
               or "age = below" in option for option in options)  # fmt: skip
    assert "May only grow" in [w.label for w in app.multiselect]
    strange = visit("people", **GERMAN, people__bins="age=old")
    assert "names no ascending numbers to cut at" in shown(strange)


@pytest.mark.parametrize(
    ("model", "table", "said"),
    [
        ("diabetes-mlp", "diabetes", "predicts a number, so that nobody is refused"),
        ("wine-mlp", "wine", "Say which class people hope for"),
    ],
)
def test_what_refuses_nobody_says_what_to_do(model, table, said):
    app = no_fault(visit("people", model=model, table=table))
    assert plain(said) in shown(app)
    assert not answers(app)
    if model == "wine-mlp":
        assert has(app, "selectbox", "People hope for")
        app = widget(app, "selectbox", "People hope for").set_value("cultivar 1").run()
        assert len(answers(no_fault(app))) == 2
        assert "No column is marked as protected" in shown(app)
