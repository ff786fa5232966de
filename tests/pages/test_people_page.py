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
    cut = f"fairness__cut__{api.load_model('german-mlp').schema.index('age')}"
    groups = {"fairness__by": "age", cut: "25"}
    app = no_fault(visit("people", **GERMAN, **groups, person__only_up="age"))
    options = widget(app, "selectbox", "Moved to").options
    assert any(option.startswith("age = 25 years and over") or "age = 25" in option
               or "age = below" in option for option in options)  # fmt: skip
    assert "May only grow" in [w.label for w in app.multiselect]
    strange = visit("people", **GERMAN, **(groups | {cut: "old"}))
    assert "Cut age at: write ascending numbers" in shown(strange).replace("\\", "")


@pytest.mark.parametrize(
    ("model", "table", "said"),
    [
        ("diabetes-mlp", "diabetes", "predicts a number, so nobody is refused"),
        ("wine-mlp", "wine", "Say which class people hope for"),
    ],
)
def test_what_refuses_nobody_says_what_to_do(model, table, said):
    app = no_fault(visit("people", model=model, table=table))
    assert plain(said) in shown(app)
    assert not answers(app)
    if model == "wine-mlp":
        assert has(app, "selectbox", "What people hope for")
        app = widget(app, "selectbox", "What people hope for").set_value("cultivar 1").run()
        assert len(answers(no_fault(app))) == 2
        assert "so that nobody is moved to another group" in shown(app)


def test_groups_chosen_on_the_page_fairness_are_those_of_the_page_people():
    app = no_fault(visit("people", **GERMAN, fairness__by="foreign_worker"))
    assert widget(app, "multiselect", "Attributes").value == ["foreign_worker"]
    options = widget(app, "selectbox", "Moved to").options
    assert all(option.startswith("foreign_worker = ") for option in options)


def test_a_group_that_nobody_like_this_is_of_comes_with_a_warning():
    whole = api.load_table("adult", split="all")
    rows = api.load_table("adult", split="test")
    place = rows.schema.index("relationship")
    wife = rows.schema.features[place].categories.index("Wife")
    row = int(rows.ids[rows.X[:, place] == wife][0])
    quick = {"people__models": "30", "people__row": str(row), "fairness__by": "sex"}
    app = visit("people", model="adult-mlp", table="adult", **quick)
    if has(app, "button", "Look for people"):
        app = press(app, "Look for people")
    text = shown(no_fault(app)).replace("\\", "")
    assert f" of {len(whole):,} rows of the table" in text
    assert "sex = Male with relationship = Wife" in text
