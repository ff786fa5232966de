"""Facts about columns against plain pandas, and the form against what reading accepts."""

import numpy as np
import pandas as pd
import pytest

from workbench.core.errors import DataError
from workbench.data.bundled import bundled_schema, data_folder
from workbench.data.conversion import to_table
from workbench.data.editing import Choices, ColumnChoice, edited_schema, first_choices
from workbench.data.facts import column_facts, survey
from workbench.data.inference import infer_schema
from workbench.data.readers import open_source, read_frame
from workbench.data.source import frame_source

FRAME = pd.DataFrame({
    "age": [31, 40, 52, 31],
    "sex": ["Male", "Female", "Male", None],
    "grade": [3, 1, 2, 1],
    "same": [7] * 4,
    "gone": [None] * 4,
    "huge": [1.0, np.inf, 2.0, 3.0],
    "w": [1.0, 2.0, 0.0, 1.0],
    "label": ["yes", "no", "yes", "no"],
})
FACTS = survey(frame_source(FRAME), target="label")


def choose(*rows, **form):
    return Choices(columns=tuple(ColumnChoice(**row) for row in rows), **form)


def row(column, use="feature", kind="numeric", **more):
    return {"column": column, "use": use, "kind": kind} | more


def test_facts_of_adult_are_those_of_pandas():
    path = data_folder() / "adult.parquet"
    frame = read_frame(path)
    found = survey(open_source(path), target="income")
    assert found.n_rows == len(frame)
    for facts in found.columns:
        column = frame[facts.name].astype("object").where(lambda c: c != "?").dropna()
        assert facts.n_missing == len(frame) - len(column)
        assert facts.n_distinct == column.nunique()
        counts = column.value_counts()
        assert [value.count for value in facts.values] == counts.tolist()[:50]
        for value in facts.values:
            same = column.index[column.astype(str).str.strip() == value.text]
            assert (len(same), same[0]) == (value.count, value.row)
        if facts.looks == "numbers":
            assert (facts.minimum, facts.maximum) == (column.min(), column.max())
            assert facts.mean == pytest.approx(column.astype(float).mean(), rel=1e-12)
    assert len(found.rows) == 20
    assert found.rows[0][0] == str(frame.iloc[0, 0])


def test_the_guess_is_that_of_infer_schema():
    path = data_folder() / "adult.parquet"
    source = open_source(path)
    assert survey(source, target="income").guess == infer_schema(source, target="income")[0]


def test_a_faulty_column_or_target_does_not_stop_the_survey():
    assert FACTS.guess.names == ("age", "sex", "grade", "w")
    assert [c.looks for c in FACTS.columns] == [
        "numbers", "categories", "numbers", "constant", "empty", "numbers", "numbers",
        "categories",
    ]  # fmt: skip
    assert "Column 'huge' was left out: it is infinite in row 1; " in " ".join(FACTS.notes)
    bad = survey(frame_source(FRAME), target="sex")
    assert bad.guess.target is None
    assert bad.target_fault == ("Target 'sex' has no value in row 3; fill it in or remove the row.")


def test_the_first_form_gives_the_guess():
    wine = survey(open_source(data_folder() / "wine.csv"), target="cultivar")
    choices = first_choices(wine.columns, wine.guess)
    assert edited_schema(wine.columns, choices) == wine.guess
    assert bundled_schema("wine").names == wine.guess.names


def test_everything_that_can_be_chosen():
    choices = choose(
        row("age", unit="years", protected=True, immutable=True),
        row("sex", kind="categorical"),
        row("grade", kind="categorical"),
        row("w", use="weight"),
        row("label", use="target"),
        row("huge", use="leave out"),
        classes=("yes", "no"), favourable="no",
    )  # fmt: skip
    schema = edited_schema(FACTS.columns, choices)
    age, sex, grade = schema.features
    assert (age.unit, age.protected, age.immutable, age.range) == ("years", True, True, (31, 52))
    assert (sex.categories, sex.has_missing) == (("Female", "Male"), True)
    assert grade.categories == ("1", "2", "3")
    assert (schema.classes, schema.favourable, schema.weight) == (("yes", "no"), "no", "w")
    table = to_table(FRAME, schema, name="t", ignore_extra=True)
    assert table.X[:, 2].tolist() == [2, 0, 1, 0]
    assert table.y.tolist() == [0, 1, 0, 1]
    as_regression = edited_schema(
        FACTS.columns, choose(row("age"), row("grade", use="target"), task="regression")
    )
    assert as_regression.task == "regression"


def test_every_fault_of_the_form_is_said_at_once():
    many = frame_source(pd.DataFrame({"n": np.arange(5000), "x": [0, 1] * 2500}))
    facts = (*FACTS.columns, *survey(many).columns)
    choices = choose(
        row("n", kind="categorical"), row("same"), row("gone"), row("sex"), row("huge"),
        row("nothing"), row("age", kind="categorical", unit="years"),
        row("label", use="target"), row("grade", use="target"), row("huge", use="weight"),
        favourable="maybe",
    )  # fmt: skip
    with pytest.raises(DataError) as caught:
        edited_schema(facts, choices)
    assert str(caught.value) == (
        "The file has no column 'nothing'; take it out. "
        "Column 'huge' is listed twice; keep one line. "
        "Columns 'label', 'grade' are all chosen as the target; choose one. "
        "Column 'n' holds 5,000 distinct values, a category may have 200; use it as numeric or "
        "leave it out. "
        "Column 'same' has the same value in every row that has one; leave it out, it explains "
        "nothing. "
        "Column 'gone' is missing in every row; leave it out. "
        "Column 'sex' holds 'Male' in row 0, which is not a number; use it as categorical or leave "
        "it out. "
        "Column 'huge' is infinite in row 1; put a finite number in the file or leave it out. "
        "Column 'age' is categorical and cannot have a unit; remove it. "
        "Weight 'huge' is infinite in row 1; put a finite number in the file or leave it out. "
        "The favourable class 'maybe' is not a class of target 'label'; choose one of 'no', 'yes'."
    )


@pytest.mark.parametrize(
    ("rows", "form", "message"),
    [
        ([row("age", use="leave out")], {}, "No column is used as a feature; choose at least one."),
        ([row("age")], {"favourable": "yes"}, "There are classes but no target; choose a column as "
         "the target."),
        ([row("age"), row("sex", use="target")], {}, "Target 'sex' has no value in 1 row; fill "
         "them in or choose another column."),
        ([row("age"), row("same", use="target")], {}, "Target 'same' has the same value in every "
         "row; choose another column."),
        ([row("age"), row("label", use="target")], {"classes": ("yes",)}, "The classes of target "
         "'label' are 'no', 'yes'; list each of them once, in the order you want."),
        ([row("age"), row("label", use="target")], {"task": "regression"}, "Target 'label' holds "
         "'yes' in row 0, which is not a number; use it as categorical or leave it out."),
        ([row("age"), row("grade", use="target")], {"task": "regression", "favourable": "1"},
         "Target 'grade' of a regression has no classes; leave them empty."),
        ([row("age"), row("sex", use="weight")], {}, "Weight 'sex' holds 'Male' in row 0, which is "
         "not a number; use it as categorical or leave it out."),
    ],
)  # fmt: skip
def test_says_what_is_wrong(rows, form, message):
    with pytest.raises(DataError) as caught:
        edited_schema(FACTS.columns, choose(*rows, **form))
    assert str(caught.value) == message


def test_long_texts_are_shown_cut_and_are_no_categories():
    facts = column_facts(pd.Series(["x" * 5000, "y", "y"], name="t"))
    assert facts.feature is None
    assert facts.reason == "it holds texts of more than 1,000 characters"
    assert facts.categories == ()
    assert max(len(value.text) for value in facts.values) == 200
