"""The parts of the page about updates and about what helps: what they say is what engines found."""

from functools import partial

import pytest

from tests.visits import address, answers, has, no_fault, shown, visit, widget
from workbench import api
from workbench.core.rashomon import EXPLORERS
from workbench.plots.churn_words import churn_sentence, group_sentence, noise_sentence
from workbench.plots.mitigation_words import (
    abstention_sentence,
    by_construction_sentence,
    ensemble_sentence,
    selection_sentence,
)
from workbench.plots.words import number
from workbench.ui.churn import LABELS
from workbench.ui.text import markup, plain

PAGE = "equally_good_models"
updates = partial(visit, PAGE, part="updates", churn__models=60)
helps = partial(
    visit, PAGE, part="helps", mitigation__models=60, mitigation__largest=5,
    mitigation__judged_largest=2, mitigation__near_copies=5,
)  # fmt: skip


@pytest.fixture(scope="module")
def german():
    return api.churn("german-mlp", api.load_table("german"), models=60, device="cpu")


def heading(app):
    (body,) = answers(app)
    return body


def control(app, label):
    (group,) = (group for group in app.button_group if group.label == label)
    return group


def test_updates_are_foreseen_without_a_click(german):
    app = no_fault(updates(model="german-mlp"))
    assert f">{markup(churn_sentence(german, float(german.tolerances[-1])))}<" in heading(app)
    assert len(app.get("plotly_chart")) == 1
    frame = app.dataframe[0].value
    expected = german.rows_frame().head(200)
    assert list(frame["row"]) == list(expected["row"])
    assert list(frame["flips"]) == list(expected["flips"])
    assert "Prospective models enough" in shown(app)
    assert "Who would be affected?" in [element.value for element in app.subheader]


def test_another_tolerance_and_every_view(german):
    label = number(float(german.tolerances[5]))
    app = no_fault(updates(model="german-mlp", churn__tolerance=label))
    said = churn_sentence(german, float(german.tolerances[5]))
    assert f">{markup(said)}<" in heading(app)
    assert plain(noise_sentence(german, float(german.tolerances[5]))) in shown(app)
    for view in LABELS:
        if view == "update":
            continue
        no_fault(control(app, "View").set_value(view).run())
        assert len(app.get("plotly_chart")) == 1
        if view == "groups":
            choices = widget(app, "selectbox", "By").options
            assert plain(group_sentence(german, choices[0], german.tolerances[5])) in shown(app)
            no_fault(widget(app, "selectbox", "By").set_value("housing").run())
            assert plain(group_sentence(german, "housing", german.tolerances[5])) in shown(app)
    assert address(app)["churn_view"] == "pairs"
    assert "update" not in control(app, "View").options


def test_a_real_update_is_held_against_it():
    cohort = "age:60..90"
    app = no_fault(updates(
        model="adult-mlp", cohort=cohort, churn__admission_rows=300, churn__update="adult-linear",
        churn_view="update",
    ))  # fmt: skip
    text = shown(app)
    assert plain("adult-linear@1 changes") in text
    assert "AUC" in text
    assert "updated" in app.dataframe[0].value
    assert "A report shows what the run foresaw" in text
    no_fault(widget(app, "selectbox", "Replaced by").set_value("").run())
    assert plain("adult-linear@1 changes") not in shown(app)


def test_without_another_model_there_is_nothing_to_hold_it_against():
    app = no_fault(updates(model="wine-mlp"))
    assert "There is no other model of the same columns and classes here" in shown(app)
    assert not has(app, "selectbox", "Replaced by")


def test_other_explorers_can_be_chosen():
    app = no_fault(updates(model="german-mlp", churn__explorers="bernoulli-weights"))
    assert EXPLORERS["bernoulli-weights"] in heading(app)


def test_a_regression_moves_and_has_no_effects():
    app = no_fault(updates(model="diabetes-mlp"))
    assert "move the value by more than" in heading(app)
    assert "of the rows are moved by more than" in shown(app)
    assert "decided otherwise" not in shown(app)
    assert "margin" not in app.dataframe[0].value


def test_of_many_rows_some_are_drawn_so_that_it_answers_by_itself():
    app = no_fault(updates(model="adult-mlp"))
    assert widget(app, "number_input", "Admission rows").value == 1000
    assert "of 500 rows on average" in heading(app)
    assert not has(app, "button", "Foresee an update")
    assert widget(app, "number_input", "Rows").value == 500
    assert "of 40 rows on average" in heading(
        no_fault(updates(model="adult-mlp", churn__admission_rows=300, churn__count=40))
    )


def test_what_helps_says_who_judged():
    app = no_fault(helps(model="german-mlp"))
    result = api.mitigate(
        "german-mlp", api.load_table("german"), models=60, largest=5, judged_largest=2,
        near_copies=5, device="cpu",
    )  # fmt: skip
    assert f">{markup(ensemble_sentence(result))}<" in heading(app)
    text = shown(app)
    for sentence in (by_construction_sentence, abstention_sentence, selection_sentence):
        assert plain(sentence(result)) in text
    assert len(app.get("plotly_chart")) == 2
    assert "An outsider sees less disagreement" in text
    (drawn, _) = app.get("plotly_chart")
    assert "size of the ensemble" in drawn.proto.spec
    assert drawn.proto.spec.count("size of the ensemble") == 1
    no_fault(control(app, "Disagreement").set_value("width").run())
    assert "range of the output" in app.get("plotly_chart")[0].proto.spec


def test_what_cannot_be_judged_is_one_sentence():
    app = helps(
        model="german-mlp", mitigation__builder="gaussian-weights",
        mitigation__independent="gaussian-weights",
    )  # fmt: skip
    assert not app.exception
    assert "cannot judge independently" in shown(app)


def test_large_runs_wait_for_the_button():
    app = no_fault(updates(model="german-mlp", churn__models=5000, churn__push=True))
    assert has(app, "button", "Foresee an update")
    assert "Press Foresee an update" in shown(app)
    assert not app.get("plotly_chart")


def test_where_nothing_is_admitted_it_says_so():
    app = no_fault(updates(model="german-mlp", churn__push=True, churn__tolerance="0"))
    assert "nothing is known of an update" in heading(app)
    no_fault(control(app, "View").set_value("rows").run())
    assert len(app.get("plotly_chart")) == 1
    assert not app.dataframe
