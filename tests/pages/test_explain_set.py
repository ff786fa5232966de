"""Explanations across equally good models on their page."""

from functools import partial

from tests.visits import answers, no_fault, press, shown, visit, widget
from workbench import api
from workbench.plots.attribution_range_words import range_sentence, stability_sentence
from workbench.ui.text import plain

look = partial(
    visit, "equally_good_models", model="wine-mlp", part="explanations", across__explained=5,
    across__models=20, across__background_rows=20, across__admission_rows=20,
)  # fmt: skip
SETTINGS = {"explained": 5, "models": 20, "background_rows": 20, "admission_rows": 20}


def across(rows):
    """The same result, computed here."""
    table = api.load_table("wine", split="all")
    return api.explain_set("wine-mlp", rows, table, device="cpu", **SETTINGS)


def test_one_row_is_explained_by_every_model():
    app = no_fault(look(row=5))
    if any("Compare models on" in button.label for button in app.button):
        app = no_fault(press(app, "Compare models on row 26"))
    result = across(api.load_table("wine", split="test")[[5]])
    output = result.output_names[int(result.predictions[0].argmax())]
    (said,) = answers(app)
    assert range_sentence(result, 0, output).split(":")[0] in said
    text = shown(app)
    assert plain(stability_sentence(result, 0, output)) in text
    assert "Signs hold for equally good models" in text
    (numbers,) = app.dataframe
    assert list(numbers.value.columns) == [
        "feature", "value", "attribution", "low", "high", "agreement",
    ]  # fmt: skip
    assert (numbers.value["low"] <= numbers.value["attribution"]).all()
    assert (numbers.value["attribution"] <= numbers.value["high"]).all()


def test_many_rows_have_importances_and_orders_and_open_one_by_one():
    app = look(mode="many", count=8, across__tolerance=0.5)
    if any("Compare models on" in button.label for button in app.button):
        app = press(app, "Compare models on 8 rows")
    app = no_fault(app)
    assert len(app.dataframe) == 1
    app = no_fault(widget(app, "button_group", "View").set_value("stability").run())
    assert widget(app, "selectbox", "Measure").options[0] == "rank correlation"
    opening = [button for button in app.button if "with both signs" in button.label]
    assert opening, "none of these models differ in a sign"
    number = int(opening[0].label.split()[1].rstrip(":\\"))
    app = no_fault(opening[0].click().run())
    ids = api.load_table("wine", split="test").ids.tolist()
    assert widget(app, "number_input", "Row").value == ids.index(number)
