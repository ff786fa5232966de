"""Mapping: proposals, every kind of difference by its sentence, and reading through it."""

import pandas as pd
import pytest

from workbench.core.errors import DataError
from workbench.core.schema import Feature, Schema
from workbench.data.conversion import to_table
from workbench.data.facts import column_facts
from workbench.data.mapping import apply, differences, propose
from workbench.data.source import frame_source

WANTED = Schema(
    features=(
        Feature(name="hours_per_week", range=(1.0, 99.0)),
        Feature(name="sex", kind="categorical", categories=("Female", "Male")),
        Feature(name="occupation", kind="categorical", categories=("a", "b"), has_missing=True),
    ),
    target="income", task="binary", classes=("no", "yes"),
)  # fmt: skip
FRAME = pd.DataFrame({
    "SEX": ["Male", "Female", "Male"],
    "ocupation": ["a", None, "b"],
    "Hours per-week": [20, 30, 40],
    "income": ["no", "yes", "no"],
    "note": ["u", "v", "u"],
})
MAPPING = {
    "hours_per_week": "Hours per-week", "sex": "SEX", "occupation": "ocupation", "income": "income",
}  # fmt: skip


def facts(frame):
    return [column_facts(frame[name]) for name in frame.columns]


def test_proposal_by_equal_folded_and_close_names():
    assert propose(list(FRAME.columns), WANTED) == MAPPING
    assert propose(["x"], WANTED) == dict.fromkeys(MAPPING)


def test_a_column_is_used_once_and_the_equal_name_wins():
    schema = Schema(features=(Feature(name="Age"), Feature(name="age"), Feature(name="AGE ")))
    assert propose(["age", "a g e"], schema) == {"Age": "a g e", "age": "age", "AGE ": None}


def test_reading_through_a_mapping_gives_the_models_codes():
    renamed = apply(frame_source(FRAME), WANTED, MAPPING, ignore_extra=True)
    table = to_table(renamed, WANTED, name="t")
    assert table.X[:, :2].tolist() == [[20, 1], [30, 0], [40, 1]]
    assert table.X[:, 2].nan_to_num(-1).tolist() == [0, -1, 1]
    assert table.y.tolist() == [0, 1, 0]


def said(frame, mapping=MAPPING):
    return [(d.status, d.blocking, d.sentence) for d in differences(facts(frame), WANTED, mapping)]


def test_what_is_the_same_renamed_missing_and_extra():
    mapping = MAPPING | {"hours_per_week": None}
    assert said(FRAME, mapping) == [
        ("missing", True, "No column is chosen for feature 'hours_per_week'; choose one or add it "
         "to the file."),
        ("renamed", False, "Column 'SEX' is read as feature 'sex'."),
        ("renamed", False, "Column 'ocupation' is read as feature 'occupation'."),
        ("same", False, "Column 'income' is 'income'."),
        ("extra", False, "Column 'Hours per-week' is not read by the model."),
        ("extra", False, "Column 'note' is not read by the model."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Hours per-week": [20, 30, 140]}, ("range", False, "Column 'Hours per-week' reaches from "
         "20 to 140, the model learned 1 to 99; answers outside are guesses.")),
        ({"Hours per-week": ["20", "many", "40"]}, ("kind", True, "Column 'Hours per-week' holds "
         "'many' in row 1, but feature 'hours_per_week' is a number; choose another column.")),
        ({"Hours per-week": [20, None, 40]}, ("gaps", True, "Column 'Hours per-week' has no value "
         "in 1 row, and the model knows no missing values in 'hours_per_week'; fill them in or "
         "remove the rows.")),
        ({"SEX": ["Male", "Other", "female"]}, ("categories", True, "Column 'SEX' holds 2 "
         "categories that the model does not know, such as 'Other' in row 1; known are 'Female', "
         "'Male'.")),
        ({"SEX": [0.5, 1.5, 2.5]}, ("kind", True, "Column 'SEX' holds numbers, but feature 'sex' "
         "has the categories 'Female', 'Male'; choose another column.")),
    ],
)  # fmt: skip
def test_differences_of_content(changes, expected):
    found = said(FRAME.assign(**changes))
    assert expected in found
    assert len(found) == 6, "one more than without the change"


def test_blocking_is_what_reading_refuses():
    for changes, blocked in (
        ({}, False),
        ({"Hours per-week": [20, 30, 140]}, False),
        ({"Hours per-week": [20, None, 40]}, True),
        ({"Hours per-week": [20, "x", 40]}, True),
        ({"SEX": ["Male", "Other", "Male"]}, True),
        ({"SEX": [1, 2, 1]}, True),
    ):
        frame = FRAME.assign(**changes)
        assert any(d[1] for d in said(frame)) == blocked
        source = apply(frame_source(frame), WANTED, MAPPING, ignore_extra=True)
        if blocked:
            with pytest.raises(DataError):
                to_table(source, WANTED, name="t")
        else:
            to_table(source, WANTED, name="t")


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (MAPPING | {"age": "note"}, "The model has no feature 'age'; choose one of "
         "'hours_per_week', 'sex', 'occupation', 'income'."),
        (MAPPING | {"sex": "gender"}, "The file has no column 'gender'; choose another."),
        (MAPPING | {"sex": "note", "occupation": "note"}, "Column 'note' is used for more than one "
         "feature; choose another column for all but one."),
        ({"sex": "SEX"}, "No column is chosen for 'hours_per_week', 'occupation'; choose one for "
         "every feature."),
        (MAPPING, "The file has column 'note' that the model does not use; remove what is not "
         "needed, or leave it out while reading (ignore_extra=True, --ignore-extra-columns)."),
    ],
)  # fmt: skip
def test_says_what_is_wrong(mapping, message):
    with pytest.raises(DataError) as caught:
        apply(frame_source(FRAME), WANTED, mapping)
    assert str(caught.value) == message
