"""The page about equally good models: what it says is what the engine found."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tests import onnx_files
from tests.bundles import keep_table
from tests.visits import address, answers, has, no_fault, press, shown, visit, widget
from workbench import api
from workbench.core.rashomon import EXPLORERS
from workbench.engines.rashomon.again import kept_model
from workbench.plots.rashomon_groups import group_sentence
from workbench.plots.rashomon_words import At, rashomon_sentence, row_sentence
from workbench.plots.words import number
from workbench.registry.intake import receive_model
from workbench.ui.rashomon_rows import by_disagreement
from workbench.ui.rashomon_set import WHY_NOT_PUBLISHED
from workbench.ui.rashomon_views import LABELS
from workbench.ui.text import markup, plain
from workbench.workspace.store import Workspace

PAGE = "equally_good_models"
SMALL = {"rashomon__models": 100, "rashomon__importance": False}
look = partial(visit, PAGE, **SMALL)


def found(name="german-mlp", table=None, **params):
    """What the engine says of the test rows of a model's own table."""
    rows = api.load_table(table or api.load_model(name).card.training_table)
    settings = {"models": 100, "importance": False} | params
    return api.rashomon_set(name, rows, device="cpu", **settings)


def heading(app):
    (body,) = answers(app)
    return body


def control(app, label):
    (group,) = (group for group in app.button_group if group.label == label)
    return group


@pytest.fixture(scope="module")
def german():
    return found()


def test_a_first_visit_answers_without_a_click(german):
    app = no_fault(look(model="german-mlp"))
    assert f">{markup(rashomon_sentence(german))}<" in heading(app)
    assert len(app.get("plotly_chart")) == 1
    text = shown(app)
    for title in ("Tolerance above the noise", "Models were admitted", "Metrics have settled"):
        assert title in text
    frame = app.dataframe[0].value
    order = by_disagreement(german, At(0, german.growth_at), 1)
    np.testing.assert_array_equal(frame["row"], german.ids[order])
    np.testing.assert_allclose(frame["flips"], 100 * german.flips[0, german.growth_at][order])
    assert plain(row_sentence(german, int(order[0]))) in text


def test_the_slider_moves_sentence_and_table(german):
    app = look(model="german-mlp")
    slider = widget(app, "select_slider", "Tolerance")
    assert slider.options == [number(float(value)) for value in german.tolerances]
    no_fault(slider.set_value("0.04").run())
    assert markup(rashomon_sentence(german, tolerance=0.04)) in heading(app)
    assert address(app)["tolerance"] == "0.04"
    place = At(0, len(german.tolerances) - 1)
    order = by_disagreement(german, place, 1)
    np.testing.assert_array_equal(app.dataframe[0].value["row"], german.ids[order])


@pytest.mark.parametrize("name", ["german-mlp", "wine-mlp", "diabetes-mlp"])
def test_every_view_of_every_task(name):
    app = no_fault(look(model=name))
    for view in LABELS:
        no_fault(control(app, "View").set_value(view).run())
        assert len(app.get("plotly_chart")) == 1
    assert has(app, "selectbox", "Class") == (name != "diabetes-mlp")


def test_groups_are_told_by_the_column_that_is_chosen(german):
    app = look(model="german-mlp", rashomon_view="groups")
    column = widget(app, "selectbox", "By")
    no_fault(column.set_value("housing").run())
    assert plain(group_sentence(german, "housing")) in shown(app)


def test_explorers_stand_beside_each_other():
    both = "gaussian-units,bernoulli-weights"
    app = no_fault(look(model="german-mlp", explorers=both))
    result = found(explorers=both)
    explorer = widget(app, "selectbox", "Explorer")
    no_fault(explorer.set_value("bernoulli-weights").run())
    told = rashomon_sentence(result, explorer="bernoulli-weights")
    assert EXPLORERS["bernoulli-weights"] in told
    assert markup(told) in heading(app)


def test_the_published_semantics_are_off_and_say_why():
    app = look(model="german-mlp")
    toggle = widget(app, "toggle", "Add the published semantics")
    assert not toggle.value
    no_fault(toggle.set_value(True).run())
    assert WHY_NOT_PUBLISHED in shown(app)
    assert "mask per row" in shown(app)
    explorer = widget(app, "selectbox", "Explorer")
    no_fault(explorer.set_value("published-gaussian").run())
    assert "there is no model to show" in shown(app)


def test_the_model_that_decides_otherwise_is_made_again(german):
    app = no_fault(look(model="german-mlp", other=True))
    row = int(by_disagreement(german, At(0, german.growth_at), 1)[0])
    ends = {
        end: float(getattr(german, end)[0, german.growth_at][row, 1]) for end in ("low", "high")
    }
    decided = int(german.decisions[row])
    end = "low" if decided == 1 else "high"
    (numbers,) = (
        element.proto.body for element in app.get("html") if "Excess loss" in element.proto.body
    )
    for value in (float(german.predictions[row, 1]), ends[end]):
        assert f">{number(value)}<" in numbers
    assert f"decides {german.output_names[decided]}" in numbers
    assert f"decides {german.output_names[1 - decided]}" in numbers
    assert len(app.get("plotly_chart")) == 3
    other = "low" if end == "high" else "high"
    no_fault(control(app, "Which end").set_value(other).run())
    assert any(f">{number(ends[other])}<" in e.proto.body for e in app.get("html"))
    feature = widget(app, "selectbox", "What if it had another")
    no_fault(feature.set_value("housing").run())


@pytest.mark.parametrize("name", ["wine-mlp", "diabetes-mlp"])
def test_other_tasks_have_another_model_as_well(name):
    app = no_fault(look(model=name, other=True))
    assert len(app.get("plotly_chart")) == 3


def test_a_kept_model_says_what_its_row_was_told(german):
    model, whole = api.load_model("german-mlp"), api.load_table("german", split="all")
    rows = api.load_table("german")
    place = int(german.low_model[0, -1, 7, 1])
    again = kept_model(german, place, model, rows, whole)
    said = again.predict(rows.X[[7]])[0, 1]
    assert float(said) == pytest.approx(german.low[0, -1, 7, 1], abs=1e-6)
    with pytest.raises(Exception, match="about another model than wine-mlp"):
        kept_model(german, place, api.load_model("wine-mlp"), rows, whole)
    with pytest.raises(Exception, match="There is no kept model -1"):
        kept_model(german, -1, model, rows, whole)
    trained = replace(german, explorers=("retraining",))
    with pytest.raises(Exception, match="models that were trained are not kept"):
        kept_model(trained, place, model, rows, whole)


def test_a_row_of_choice_is_looked_at(german):
    app = no_fault(look(model="german-mlp", row=3))
    assert plain(row_sentence(german, 3)) in shown(app)
    no_fault(widget(app, "number_input", "Row").set_value(4).run())
    assert plain(row_sentence(german, 4)) in shown(app)


def test_many_rows_are_drawn_and_a_large_search_waits_for_the_button():
    app = no_fault(look(model="adult-mlp"))
    assert "500 rows would get" in heading(app)
    many = {"rashomon__count": 5000, "rashomon__admission_rows": 10_000, "rashomon__models": 1000}
    app = no_fault(visit(PAGE, model="adult-mlp", **many))
    assert not app.get("plotly_chart")
    assert "Press Look for" in shown(app)
    assert has(app, "button", "Look for equally good models")


def test_a_row_that_was_not_drawn_says_so():
    app = no_fault(look(model="adult-mlp"))
    drawn = set(app.dataframe[0].value["row"])
    ids = api.load_table("adult").ids.tolist()
    row = next(place for place, number in enumerate(ids) if number not in drawn)
    no_fault(widget(app, "number_input", "Row").set_value(row).run())
    assert "not among those that were drawn" in shown(app)


def test_it_goes_into_the_report():
    app = look(model="german-mlp")
    no_fault(press(app, "Add to report"))
    assert has(app, "button", "In the report")
    no_fault(press(app, "In the report"))


def test_rows_without_labels_are_refused_in_words(me):
    table = replace(api.load_table("german", split="all")[:60], y=None)
    keep_table(me, replace(table, schema=table.schema.model_copy(update={"target": None})), "bare")
    app = no_fault(look(model="german-mlp", table="my:bare", split="all"))
    assert "Which models are as good cannot be told" in shown(app)


def test_a_black_box_says_what_it_lacks(me, tmp_path):
    table, path = onnx_files.people(), tmp_path / "people.onnx"
    keep_table(me, table, name="people")
    fitted = LogisticRegression(max_iter=1000).fit(table.X.numpy(), onnx_files.as_words(table))
    onnx_files.export(fitted, path, matrix=4, zipmap=False)
    receive_model(
        {path.name: path}, Workspace(me.key).models_root, name="people", schema=table.schema,
        sample=table,
    )  # fmt: skip
    app = look(model="my:people")
    assert not app.exception
    (fault,) = app.error
    assert "a black box shows none" in fault.value.replace("\\", "")
    for part in ("explanations", "updates", "helps"):
        app = look(model="my:people", part=part)
        assert not app.exception
        (fault,) = app.error
        assert "shows none" in fault.value.replace("\\", "")
    app = look(model="my:people", part="simpler")
    assert not app.exception
    assert has(app, "button", "Look for simpler models")


def test_names_that_are_markup_are_shown_as_they_are(hostile_registry):
    for view in ("groups", "rows"):
        app = no_fault(look(model="hostile", rashomon_view=view, other=True))
        text = shown(app)
        bodies = "".join(element.proto.body for element in app.get("html"))
        for name in hostile_registry.values():
            assert name not in text
        assert "<script>" not in bodies + text
        assert all("<script" not in chart.proto.spec for chart in app.get("plotly_chart"))


def test_a_formula_has_ranges_and_no_model_to_show():
    both = "gaussian-units,quadratic"
    app = no_fault(look(model="german-mlp", explorers=both, explorer="quadratic", other=True))
    result = found(explorers=both)
    assert markup(rashomon_sentence(result, explorer="quadratic")) in heading(app)
    assert "has no single model that says less or more" in shown(app)
    for view in ("rows", "distribution", "groups", "cost"):
        no_fault(control(app, "View").set_value(view).run())


@pytest.mark.parametrize("value", ["", "-1", "nan", "None", "<b>x</b>", "1e400", "0.02"])
def test_odd_addresses_of_what_is_looked_at(value):
    odd = dict.fromkeys(
        ("tolerance", "explorer", "rashomon_view", "groups__by", "metrics__metric", "other_end",
         "other_feature", "row"), value,
    )  # fmt: skip
    app = no_fault(look(model="german-mlp", other=True, **odd))
    assert "would get another decision" in heading(app)
    assert "<b>x</b>" not in shown(app)


def test_an_explorer_that_cannot_serve_says_why():
    both = "gaussian-units,gaussian-weights"
    app = look(model="adult-linear", explorers=both, rashomon__models=20)
    no_fault(app)
    assert "Gaussian unit dropout: " in heading(app)
    assert "hidden unit" in heading(app)
    assert not app.dataframe
    no_fault(widget(app, "selectbox", "Explorer").set_value("gaussian-weights").run())
    assert "would get another decision" in heading(app)
    assert len(app.dataframe) == 1
