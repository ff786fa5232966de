"""The page that says who is worse off."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.visits import address, answers, no_fault, shown, visit, widget
from workbench.api import load_model
from workbench.core.errors import InvalidInputError
from workbench.core.fairness_metrics import GAPS, RATES
from workbench.core.people import LOCAL
from workbench.ui.fairness_choices import bins_of
from workbench.ui.fairness_rationale import remark
from workbench.ui.fairness_views import VIEWS
from workbench.ui.queue import queue
from workbench.workspace.basket import Basket

QUICK = {"fairness__resamples": "200", "fairness__neighbour_rows": "50"}


def without_truth():
    from dataclasses import replace

    from workbench import ui
    from workbench.ui.fairness_audit import who_is_worse_off

    with ui.page("Who is worse off") as place:
        who_is_worse_off(replace(place, rows=replace(place.rows, y=None)))


def boxes(app):
    return "".join(element.proto.body for element in app.get("html")) + shown(app)


def test_it_starts_by_itself_and_says_who_and_how_sure():
    app = no_fault(visit("fairness", model="adult-mlp", **QUICK))
    (said,) = answers(app)
    assert "People with sex Female are worse off. Of 100 people with sex Female" in said
    assert "With this many rows the difference could be" in said
    assert "Were the people dealt out to groups of these sizes at random" in shown(app)
    assert "Gaps beyond chance, over all measures" in shown(app)
    assert len(app.get("plotly_chart")) == 1
    assert "Rows behind every group" in shown(app)
    labels = {button.label for button in app.get("download_button")}
    assert labels >= {"HTML", "CSV", "JSON"}
    assert widget(app, "selectbox", "Groups by").value == "sex"
    assert widget(app, "selectbox", "Rate").value == "selection_rate"
    assert not [name for name in address(app) if "rate" in name or "partition" in name]


def test_another_gap_is_named_where_the_chosen_rate_shows_none():
    rate = "true_positive_rate"
    app = no_fault(visit("fairness", model="adult-mlp", fairness__rate=rate,
                         fairness__partition="sex", **QUICK))  # fmt: skip
    (said,) = answers(app)
    assert "by this measure no group is shown to be worse off" in said
    assert "But people with sex Female are granted less often (selection rate)" in said


def test_every_view_has_its_figure_and_choices():
    app = no_fault(visit("fairness", model="german-mlp", **QUICK))
    view = next(group for group in app.button_group if "Gaps" in group.options)
    assert set(view.options) == set(VIEWS.values())
    for name in VIEWS:
        group = next(group for group in app.button_group if "Gaps" in group.options)
        app = no_fault(group.set_value(name).run())
        assert len(app.get("plotly_chart")) == 1, name
    group = next(group for group in app.button_group if "Gaps" in group.options)
    app = no_fault(group.set_value("thresholds").run())
    app = no_fault(widget(app, "slider", "Cost of a wrong no").set_value(5.0).run())
    assert address(app).get("fairness.wrong_no") == "5.0"
    assert "the cheapest threshold for all is" in shown(app)


def test_the_definitions_are_one_click_away():
    said = shown(no_fault(visit("fairness", model="german-mlp", **QUICK)))
    for about in (*RATES.values(), *GAPS.values()):
        assert about.title in said
    assert "TP / (FN + TP)" in said
    assert "(FN + TP) / (TN + FP + FN + TP)" in said
    assert "FPR = p / (1 - p) * (1 - PPV) / PPV * (1 - FNR)" in said


def test_numbers_are_cut_where_one_says():
    app = no_fault(visit("fairness", model="german-mlp", fairness__by="age", **QUICK))
    cut = widget(app, "text_input", "Cut age at in years")
    assert cut.value.count(",") == 1  # thirds, until something else is said
    app = no_fault(cut.set_value("30").run())
    assert "age" in shown(app) + "".join(answers(app))
    frames = [element.value for element in app.dataframe]
    assert any("below 30" in set(frame["group"]) for frame in frames if "group" in frame)


@pytest.mark.parametrize("typed", ["abc", "60,25", "25;60"])
def test_cuts_that_are_none_are_refused_by_their_field_before_anything_runs(typed):
    cut = f"fairness__cut__{load_model('german-mlp').schema.index('age')}"
    before = len(queue().jobs(LOCAL))
    app = visit("fairness", model="german-mlp", fairness__by="age", **{cut: typed}, **QUICK)
    (error,) = app.error
    assert error.value.replace("\\", "") == (
        "Cut age at: write ascending numbers with commas between, for example 25,60; "
        f"got '{typed}'."
    )
    assert widget(app, "text_input", "Cut age at in years").value == typed
    assert widget(app, "selectbox", "What people hope for").value == "good"
    assert not app.get("plotly_chart")
    assert len(queue().jobs(LOCAL)) == before


@pytest.mark.parametrize("typed", ["25,25", "25,,60", ",25", ",", "25 60", "25,nan", "inf"])
def test_cuts_ascend_and_are_numbers(typed):
    with pytest.raises(InvalidInputError, match=r"^Cut age at: write ascending numbers"):
        bins_of({"age": typed})


def test_every_field_with_wrong_cuts_is_named():
    with pytest.raises(InvalidInputError, match=r"^Cut age at: .*'x'\. Cut pay at: .*'2,1'\.$"):
        bins_of({"age": "x", "hours": "40", "pay": "2,1"})


@pytest.mark.parametrize(
    ("typed", "groups"),
    [(" 25 , 60, ", {"below 25", "25 to below 60", "60 and over"}), ("   ", None), ("", None)],
)
def test_blanks_and_a_last_comma_are_let_pass(typed, groups):
    cut = f"fairness__cut__{load_model('german-mlp').schema.index('age')}"
    app = no_fault(
        visit("fairness", model="german-mlp", fairness__by="age", **{cut: typed}, **QUICK)
    )
    (found,) = {frozenset(f.value["group"]) for f in app.dataframe if "group" in f.value}
    assert len(found) == 3  # thirds, where nothing is said
    assert groups is None or found == groups


def test_the_reason_goes_into_the_report():
    app = no_fault(visit("fairness", model="german-mlp", **QUICK))
    app = widget(app, "selectbox", "The gap that matters here").set_value(
        "true_positive_rate_difference"
    ).run()  # fmt: skip
    app = widget(app, "text_area", "Why this one").set_value("A refusal costs a year.").run()
    app = no_fault(widget(app, "button", "Add to report").click().run())
    (item,) = Basket(LOCAL).content.items
    assert item.remark == remark("true_positive_rate_difference", "A refusal costs a year.")
    app = widget(app, "text_area", "Why this one").set_value("And trust.").run()
    (item,) = Basket(LOCAL).content.items
    assert item.remark.endswith("equal opportunity difference. And trust.")
    assert not [name for name in address(app) if "why" in name]


def test_a_model_of_a_number_is_asked_for_whom_it_errs_more():
    app = no_fault(visit("fairness", model="diabetes-mlp", fairness__resamples="200"))
    (said,) = answers(app)
    assert "By sex, predictions are off by" in said
    assert len(app.get("plotly_chart")) == 1
    app = no_fault(widget(app, "selectbox", "Measure").set_value("mean_error").run())
    assert address(app)["fairness.measure"] == "mean_error"
    group = next(group for group in app.button_group if "Gaps" in group.options)
    app = no_fault(group.set_value("gaps").run())
    assert len(app.get("plotly_chart")) == 1
    assert {button.label for button in app.get("download_button")} >= {"HTML", "CSV", "JSON"}


def test_missing_labels_are_told_what_to_do():
    app = AppTest.from_function(without_truth, default_timeout=120)
    app.query_params["model"] = "german-mlp"
    assert "holds no true values" in boxes(no_fault(app.run()))


def test_what_people_hope_for_is_asked_where_nobody_says():
    app = no_fault(visit("fairness", model="wine-mlp", fairness__by="alcohol", **QUICK))
    assert "Say what people hope for" in boxes(app)
    assert not app.get("plotly_chart")
    box = widget(app, "selectbox", "What people hope for")
    app = no_fault(box.set_value(box.options[1]).run())
    assert len(app.get("plotly_chart")) == 1


@pytest.mark.usefixtures("hostile_registry")
def test_names_that_are_markup_are_shown_as_they_are():
    app = no_fault(visit("fairness", model="hostile", **QUICK))
    assert "**bold** :red[x]" not in shown(app)
    assert all("<script>alert" not in element.proto.body for element in app.get("html"))
