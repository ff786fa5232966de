"""Tables of one's own: taken in, given a meaning or matched with a model, explained, removed."""

import io

import pandas as pd
import pytest

from tests.visits import answers, go, has, no_fault, press, shown, visit, widget
from workbench import api
from workbench.core.cohort import Cohort
from workbench.ui.text import plain
from workbench.workspace.store import Workspace

HOURS = pd.DataFrame({
    "town": ["Ulm", "Bonn", "Kiel"] * 10,
    "hours": [*range(29), None],
    "rooms": [1.5, 2.5, 3.5] * 10,
    "moved": ["yes", "no"] * 15,
})  # fmt: skip
AIM = "What is it for?"


def csv(frame):
    return frame.to_csv(index=False).encode()


def upload(app, name, content):
    return app.file_uploader[0].upload(name, content).run()


def edit(app, **changes):
    """Change cells of the only editor: the row's first cell, and its columns."""
    (editor,) = app.data_editor
    first = list(editor.value.iloc[:, 0])
    rows = {first.index(name): cells for name, cells in changes.items()}
    app.session_state[editor.key] = {"edited_rows": rows, "added_rows": [], "deleted_rows": []}
    return app.run()


def adult(n=60):
    """Rows of the bundled table under other names, with one column that no model reads."""
    frame = api.load_table("adult", split="test")[:n].to_frame().reset_index(drop=True)
    names = {"age": "Age", "hours_per_week": "Hours per-week", "sex": "gender"}
    return frame.rename(columns=names).assign(comment="none")


def test_a_file_becomes_a_table_that_is_listed_and_removed(me):
    app = no_fault(visit("add_data"))
    assert "Bring a table of your own" in answers(app)[0]
    no_fault(upload(app, "my town.csv", csv(HOURS)))
    assert plain("30 rows, 4 columns") in shown(app)
    use = app.data_editor[0].value.set_index("column")["use"]
    assert set(use) <= {"feature", "target", "leave out"}
    no_fault(edit(
        app, moved={"use": "target"}, town={"use": "feature", "kind": "categorical",
        "protected": True}, hours={"use": "feature", "kind": "numeric", "unit": "h"},
        rooms={"use": "feature", "kind": "numeric", "immutable": True},
    ))  # fmt: skip
    widget(app, "selectbox", "Favourable class").set_value("yes").run()
    widget(app, "text_input", "Name").set_value("towns").run()
    no_fault(press(app, "Keep this table"))
    assert "You have 1 table here" in answers(app)[0]
    assert "**towns**" in shown(app)
    assert plain("target moved · from my town.csv") in shown(app)
    assert "No model here reads these columns yet." in shown(app)
    schema = Workspace(me.key).table_schema("towns")
    assert (schema.target, schema.favourable, schema.classes) == ("moved", "yes", ("no", "yes"))
    town, hours, rooms = schema.features
    assert (town.categories, town.protected) == (("Bonn", "Kiel", "Ulm"), True)
    assert (hours.kind, hours.unit, hours.has_missing) == ("numeric", "h", True)
    assert rooms.immutable
    no_fault(press(app, "Remove it"))
    assert "Bring a table of your own" in answers(app.run())[0]
    assert Workspace(me.key).tables() == ()


def test_columns_of_a_kept_table_can_be_given_another_meaning(me):
    app = upload(visit("add_data"), "hours.csv", csv(HOURS))
    press(edit(app, moved={"use": "target"}), "Keep this table")
    press(app, "Edit")
    no_fault(edit(app, moved={"use": "leave out"}, rooms={"unit": "m²"}))
    no_fault(press(app, "Keep the changes"))
    schema = Workspace(me.key).table_schema("hours")
    assert schema.target is None
    assert {feature.name: feature.unit for feature in schema.features}["rooms"] == "m²"
    assert "moved" not in schema.names


def test_every_fault_of_the_form_is_named_and_nothing_is_kept(me):
    app = upload(visit("add_data"), "hours.csv", csv(HOURS))
    edit(app, town={"use": "feature", "kind": "numeric"},
         hours={"use": "target"}, moved={"use": "target"})  # fmt: skip
    (error,) = app.error
    assert plain("'Ulm'") in error.value
    assert "target" in error.value
    assert widget(app, "button", "Keep this table").disabled
    assert Workspace(me.key).tables() == ()


def test_an_upload_waits_until_it_is_gone_on_with_or_discarded(me):
    upload(visit("add_data"), "first.csv", csv(HOURS))
    app = no_fault(visit("add_data"))  # after a refresh
    assert not has(app, "button", "Keep this table")
    no_fault(press(app, "Go on"))
    assert has(app, "button", "Keep this table")
    upload(app, "second.csv", csv(HOURS))
    assert plain("first.csv, 1 kB") in shown(app)
    app.button(key=f"off-{Workspace(me.key).drafts()[0].id}").click().run()
    press(app, "Discard")
    assert Workspace(me.key).drafts() == ()


@pytest.mark.usefixtures("me")
def test_columns_are_matched_with_a_model_and_the_differences_told():
    frame = adult()
    frame.loc[0, "Age"] = 99
    app = upload(visit("add_data"), "people.csv", csv(frame))
    no_fault(widget(app, "selectbox", AIM).set_value("adult-mlp").run())
    text = shown(app)
    for sentence in (
        "Column 'Age' is read as feature 'age'.",
        "Column 'Age' reaches from 17 to 99, the model learned 17 to 90; answers outside are "
        "guesses.",
        "Column 'Hours per-week' is read as feature 'hours_per_week'.",
        "No column is chosen for feature 'sex'; choose one or add it to the file.",
        "Column 'gender' is not read by the model.",
        "Column 'comment' is not read by the model.",
    ):
        assert plain(sentence) in text
    assert "10 columns fit as they are" in text
    assert widget(app, "button", "Keep this table").disabled
    no_fault(edit(app, sex={"column of the file": "gender"}))
    assert plain("Column 'gender' is read as feature 'sex'.") in shown(app)
    no_fault(press(app, "Keep this table"))
    # It leads to an explanation of the first row.
    assert widget(app, "selectbox", "Model").value == "adult-mlp"
    assert widget(app, "selectbox", "Table").value == "my:people"
    assert len(app.get("plotly_chart")) == 1
    assert f"Row 0 of my{plain(':people')}" in shown(app)
    no_fault(go(app, "workspace"))
    assert len(app.get("plotly_chart")) == 1
    no_fault(press(go(app, "add_data"), "Explain"))
    assert widget(app, "selectbox", "Table").value == "my:people"


@pytest.mark.usefixtures("me")
def test_a_category_that_the_model_does_not_know_is_in_the_way():
    frame = adult().rename(columns={"gender": "sex"})
    frame["sex"] = frame["sex"].astype(object)
    frame.loc[3, "sex"] = "Robot"
    app = upload(visit("add_data"), "people.csv", csv(frame))
    widget(app, "selectbox", AIM).set_value("adult-mlp").run()
    assert plain(
        "Column 'sex' holds 1 category that the model does not know, such as 'Robot' in row 3; "
        "known are 'Female', 'Male'."
    ) in shown(app)
    assert widget(app, "button", "Keep this table").disabled


def test_a_mapped_table_gives_the_numbers_of_the_bundled_one(me):
    app = upload(visit("add_data"), "people.csv", csv(adult()))
    widget(app, "selectbox", AIM).set_value("adult-mlp").run()
    edit(app, sex={"column of the file": "gender"})
    no_fault(press(app, "Keep this table"))
    mine = Workspace(me.key).load_table("people")
    model = api.load_model("adult-mlp")
    expected = model.predict(api.load_table("adult", split="test")[:60].X)
    assert (model.predict(mine.X) == expected).all()
    app = visit("shapley", model="adult-mlp", table="my:people", cohort="sex:Female")
    n = len(Cohort.parse("sex:Female", mine.schema).apply(mine))
    assert f"{n} of 60 rows" in shown(no_fault(app))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.csv", b"", "File 'empty.csv' is empty; give a header and rows."),
        ("same.csv", b"a,a\n1,2\n", None),
        ("model.csv", b"\x80\x04\x95\x00", None),
        ("book.xlsx", b"PK\x03\x04nothing", None),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_a_sentence(me, name, content, sentence):
    app = upload(visit("add_data"), name, content)
    assert not app.exception
    (error,) = app.error
    assert "on our side" not in error.value
    if sentence is not None:
        assert error.value == plain(sentence)
    assert not has(app, "button", "Keep this table")
    if has(app, "button", "Discard this file"):
        no_fault(press(app, "Discard this file").run())
    assert Workspace(me.key).drafts() == ()


def test_names_that_are_markup_are_shown_as_they_are(me):
    names = ["<script>alert(1)</script>", "**bold** :red[x]", "$x^2$ [a](http://evil.test)"]
    frame = pd.DataFrame({name: range(i, i + 40) for i, name in enumerate(names)})
    app = no_fault(upload(visit("add_data"), "<img src=x> **x**.csv", csv(frame)))
    assert plain("<img src=x> **x**.csv") in shown(app)
    edit(app, **{name: {"use": "target"} for name in names})
    text = shown(app)
    assert app.error
    for name in names:
        assert name not in text
        assert plain(name) in text
    bodies = "".join(element.proto.body for element in app.get("html"))
    assert "<script" not in bodies
    press(app, "Discard")
    assert Workspace(me.key).drafts() == ()


@pytest.mark.usefixtures("me")
def test_a_long_name_is_cut_by_its_field_and_a_wide_file_is_counted():
    frame = pd.DataFrame({f"column number {i} " + "x" * 60: range(20) for i in range(40)})
    app = no_fault(upload(visit("add_data"), f"{'long' * 40}.csv", csv(frame)))
    assert plain("20 rows, 40 columns") in shown(app)
    assert widget(app, "text_input", "Name").max_chars == 64
    no_fault(press(app, "Keep this table"))
    assert "You have 1 table here" in answers(app)[0]


@pytest.mark.parametrize("suffix", ["parquet", "feather", "xlsx"])
def test_other_formats_arrive_as_well(me, suffix):
    file = io.BytesIO()
    {"parquet": HOURS.to_parquet, "feather": HOURS.to_feather,
     "xlsx": lambda target: HOURS.to_excel(target, index=False)}[suffix](file)  # fmt: skip
    app = no_fault(upload(visit("add_data"), f"hours.{suffix}", file.getvalue()))
    no_fault(press(app, "Keep this table"))
    assert [table.n_rows for table in Workspace(me.key).tables()] == [30]


def test_a_column_that_no_model_reads_is_kept_to_compare_groups_by(me):
    frame = (
        api
        .load_table("adult", split="test")[:60]
        .to_frame()
        .assign(region=["north", "south", "south"] * 20)
    )
    app = no_fault(upload(visit("add_data"), "people.csv", csv(frame)))
    no_fault(widget(app, "selectbox", AIM).set_value("adult-mlp").run())
    groups = widget(app, "multiselect", "Compare groups by")
    assert "region" in groups.options
    no_fault(groups.set_value(["region"]).run())
    no_fault(press(app, "Keep this table"))
    table = Workspace(me.key).load_table("people")
    assert table.aside.to_frame()["region"].tolist() == frame["region"].tolist()
    assert table.schema.beside[0].protected
