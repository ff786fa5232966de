"""Conversion against a cell-by-cell replica, its round trip, and every fault by its text."""

import math
import time

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import DataError
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table
from workbench.data.conversion import to_table

SCHEMA = Schema(
    features=(
        Feature(name="age", integer=True, has_missing=True),
        Feature(name="sex", kind="categorical", categories=("Female", "Male"), has_missing=True),
        Feature(name="score"),
    ),
    target="label",
    task="binary",
    classes=("no", "yes"),
    weight="w",
)
FRAME = pd.DataFrame({
    "age": [31, 40, 52],
    "sex": ["Male", "Female", "Male"],
    "score": [0.1, 0.2, 0.3],
    "label": ["yes", "no", "yes"],
    "w": [1.0, 2.0, 0.0],
})


def test_columns_become_features_target_and_weights():
    table = to_table(FRAME, SCHEMA, name="people")
    assert table.X.tolist() == [[31, 1, 0.1], [40, 0, 0.2], [52, 1, 0.3]]
    assert (table.X.dtype, table.y.dtype, table.ids.dtype) == (
        torch.float64, torch.int64, torch.int64,
    )  # fmt: skip
    assert table.y.tolist() == [1, 0, 1]
    assert table.weights.tolist() == [1.0, 2.0, 0.0]
    assert table.ids.tolist() == [0, 1, 2]
    assert table.name == "people"


def test_target_and_weight_may_be_absent_and_the_order_is_the_schemas():
    table = to_table(FRAME[["score", "sex", "age"]], SCHEMA, name="t")
    assert table.y is None
    assert table.weights is None
    assert table.X[0].tolist() == [31, 1, 0.1]


def test_the_frame_is_not_changed():
    frame = FRAME.copy()
    table = to_table(frame, SCHEMA, name="t")
    table.X.fill_(-1.0)
    table.weights.fill_(-1.0)
    pd.testing.assert_frame_equal(frame, FRAME)


CELLS = {
    "age": [31, 31.0, "31", " 31 ", "3.1e1", "", "?", "NA", "N/A", "nan", "null", "None", None],
    "sex": ["Male", " Male ", "Female", "", "?", "NA", "N/A", "nan", "null", "None", None],
}


def by_definition(name, value):
    """Convert one cell, straight from the rules."""
    text = "" if value is None else str(value).strip()
    if text in {"", "?", "NA", "N/A", "nan", "null", "None"}:
        return math.nan
    return float(text) if name == "age" else float(("Female", "Male").index(text))


@given(st.lists(st.tuples(*map(st.sampled_from, CELLS.values())), min_size=2, max_size=8))
@settings(max_examples=80, deadline=None)
def test_matches_the_rules_cell_by_cell(rows):
    rows = [*rows, (1, "Male")]  # no column may be missing throughout
    frame = pd.DataFrame(rows, columns=list(CELLS), dtype=object).assign(score=1.0)
    got = to_table(frame, SCHEMA, name="t").X[:, :2].numpy()
    expected = [[by_definition(n, v) for n, v in zip(CELLS, row, strict=True)] for row in rows]
    np.testing.assert_array_equal(got, expected)


NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=6
)


@st.composite
def columns(draw, n):
    """Draw a kind, categories, and ``n`` values of a feature, some of them missing."""
    kind = draw(st.sampled_from(["real", "integer", "categorical"]))
    categories = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    cells = {
        "real": st.floats(allow_nan=False, allow_infinity=False),
        "integer": st.integers(-(2**50), 2**50).map(float),
        "categorical": st.integers(0, len(categories) - 1).map(float),
    }[kind]
    values = draw(st.lists(cells, min_size=n, max_size=n))
    missing = draw(st.lists(st.booleans(), min_size=n, max_size=n).filter(lambda m: not all(m)))
    return kind, categories, [math.nan if m else v for m, v in zip(missing, values, strict=True)]


@st.composite
def contents(draw):
    """Draw the plain parts of a table: names, columns, classes, target values, row numbers."""
    n = draw(st.integers(2, 6))
    names = draw(st.lists(NAMES, min_size=3, max_size=5, unique=True))
    drawn = [draw(columns(n)) for _ in names[1:]]
    classes = draw(st.lists(NAMES, min_size=3, max_size=4, unique=True) | st.just([]))
    codes = st.integers(0, len(classes) - 1) if classes else st.floats(-1e9, 1e9)
    y = draw(st.lists(codes, min_size=n, max_size=n))
    ids = draw(st.lists(st.integers(0, 99), min_size=n, max_size=n, unique=True))
    return names, drawn, classes, y, ids


def build(names, drawn, classes, y, ids):
    features = tuple(
        Feature(
            name=name,
            kind="categorical" if kind == "categorical" else "numeric",
            categories=tuple(categories) if kind == "categorical" else (),
            integer=kind == "integer",
            has_missing=any(map(math.isnan, values)),
        )
        for name, (kind, categories, values) in zip(names[1:], drawn, strict=True)
    )
    schema = Schema(
        features=features,
        target=names[0],
        task="multiclass" if classes else "regression",
        classes=tuple(classes),
    )
    X = torch.tensor([values for _, _, values in drawn], dtype=torch.float64).T.contiguous()
    y = torch.tensor(y, dtype=torch.int64 if classes else torch.float64)
    return Table(schema=schema, X=X, ids=torch.tensor(ids), y=y, name="drawn")


@given(contents())
@settings(max_examples=100, deadline=None)
def test_a_frame_of_a_table_gives_the_table_back(content):
    table = build(*content)
    again = to_table(table.to_frame(), table.schema, name=table.name)
    torch.testing.assert_close(again.X, table.X, rtol=0, atol=0, equal_nan=True)
    torch.testing.assert_close(again.y, table.y, rtol=0, atol=0)
    assert again.ids.tolist() == table.ids.tolist()
    assert again.schema == table.schema


def test_categories_that_look_missing_or_like_numbers():
    schema = Schema(features=(Feature(name="c", kind="categorical", categories=("NA", "1", "?")),))
    table = to_table(pd.DataFrame({"c": ["NA", "1", "?"]}), schema, name="t")
    assert table.X[:, 0].tolist() == [0, 1, 2]
    schema = Schema(features=(Feature(name="c", kind="categorical", categories=("0", "1")),))
    for values in ([1, 0], [1.0, 0.0], ["1", "0"]):
        assert to_table(pd.DataFrame({"c": values}), schema, name="t").X[:, 0].tolist() == [1, 0]
    schema = Schema(features=(Feature(name="c", kind="categorical", categories=("False", "True")),))
    assert to_table(pd.DataFrame({"c": [True, False]}), schema, name="t").X.tolist() == [[1], [0]]


def test_extra_columns_are_left_out_when_asked():
    frame = FRAME.assign(more=1)
    assert to_table(frame, SCHEMA, name="t", ignore_extra=True).digest == (
        to_table(FRAME, SCHEMA, name="t").digest
    )


def test_one_row_may_lack_a_value():
    table = to_table(FRAME.head(1).assign(age=None), SCHEMA, name="t")
    assert math.isnan(table.X[0, 0])


def test_the_time_of_a_large_table_does_not_grow_with_its_square():
    big = pd.concat([FRAME] * 10_000, ignore_index=True)
    start = time.process_time()
    to_table(big, SCHEMA, name="t")
    assert time.process_time() - start < 20


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"drop": ["age", "sex"]}, "Table 't' lacks columns 'age', 'sex'; add what the schema "
         "names, or choose a schema that fits."),
        ({"more": 1}, "Table 't' has column 'more' beyond the schema; remove what is not needed, "
         "or leave it out while reading (ignore_extra=True, --ignore-extra-columns)."),
        ({"sex": ["Male", "Mael", "Mael"]}, "Column 'sex' holds 'Mael' in rows 1, 2, which is no "
         "known category; known are 'Female', 'Male'."),
        ({"sex": ["Male", "male", "M"]}, "Column 'sex' holds 'male' in row 1, which is no known "
         "category; known are 'Female', 'Male'."),
        ({"score": ["1", "2", "3 m"]}, "Column 'score' holds '3 m' in row 2, which is not a "
         "number; write it with a decimal point and without a unit."),
        ({"score": ["1", "1_0", "x"]}, "Column 'score' holds '1_0' in row 1, which is not a "
         "number; write it with a decimal point and without a unit."),
        ({"score": [1.0, np.inf, -np.inf]}, "Column 'score' is infinite in rows 1, 2; put a finite "
         "number or leave the cell empty."),
        ({"score": [1.0, None, 1.0]}, "Column 'score' has no value in row 1, but its schema knows "
         "no missing values; fill it in, remove the row, or set has_missing in the schema."),
        ({"age": None}, "Column 'age' is missing in every row; fill it in, or use a schema without "
         "it."),
        ({"label": ["yes", "?", "no"]}, "Target 'label' has no value in row 1; fill it in, remove "
         "the row, or leave the whole column out."),
        ({"label": ["yes", "maybe", "no"]}, "Column 'label' holds 'maybe' in row 1, which is no "
         "known class; known are 'no', 'yes'."),
        ({"w": [1.0, -1.0, None]}, "Weight 'w' is missing or negative in rows 1, 2; a weight is a "
         "number of at least 0."),
        ({" age ": 1}, "Column 'age' appears twice; rename or remove one of them."),
        ({"score": [[1], [2], [3]]}, "Column 'score' holds lists or other nested values; keep one "
         "number or text per cell."),
    ],
)  # fmt: skip
def test_says_what_is_wrong(change, message):
    frame = FRAME.drop(columns=change.pop("drop", [])).assign(**change)
    with pytest.raises(DataError) as caught:
        to_table(frame, SCHEMA, name="t")
    assert str(caught.value) == message


def test_regression_target_without_a_value():
    schema = Schema(features=(Feature(name="x"),), target="y", task="regression")
    frame = pd.DataFrame({"x": [1, 2], "y": [1.5, None]})
    with pytest.raises(DataError, match=r"^Target 'y' has no value in row 1; "):
        to_table(frame, schema, name="t")


def test_no_rows_and_many_bad_rows():
    with pytest.raises(DataError, match=r"^Table 't' has no rows; add at least one.$"):
        to_table(FRAME.head(0), SCHEMA, name="t")
    frame = pd.concat([FRAME.assign(sex="X")] * 2, ignore_index=True)
    with pytest.raises(DataError, match=r"holds 'X' in rows 0, 1, 2 and 3 more, which"):
        to_table(frame, SCHEMA, name="t")


def test_rows_are_named_by_their_id():
    table = to_table(FRAME, SCHEMA, name="t")[[0, 2]]
    frame = table.to_frame().assign(score=[1.0, np.inf])
    with pytest.raises(DataError, match=r"'score' is infinite in row 2;"):
        to_table(frame, SCHEMA, name="t")


def test_long_and_odd_values_are_bounded_and_spelled_out():
    frame = FRAME.assign(score=["1", "\x1b[31m" + "x" * 500, "2"])
    with pytest.raises(DataError) as caught:
        to_table(frame, SCHEMA, name="t")
    assert len(str(caught.value)) < 250
    assert "\x1b" not in str(caught.value)


def test_columns_beside_the_features_lie_aside():
    region = Feature(name="region", kind="categorical", categories=("north", "south"))
    schema = SCHEMA.model_copy(update={"beside": (region, Feature(name="absent"))})
    table = to_table(FRAME.assign(region=["south", "north", "south"]), schema, name="t")
    assert table.aside is not None
    assert table.aside.schema.names == ("region",)
    assert table.aside.X[:, 0].tolist() == [1.0, 0.0, 1.0]
    assert torch.equal(table.aside.ids, table.ids)
    assert to_table(FRAME, schema, name="t").aside is None


def test_a_schema_without_columns_beside_is_written_as_ever():
    assert "beside" not in SCHEMA.model_dump_json()
    region = Feature(name="region")
    schema = SCHEMA.model_copy(update={"beside": (region,)})
    assert Schema.model_validate_json(schema.model_dump_json()) == schema
    with pytest.raises(ValueError, match="used twice: age"):
        Schema.model_validate(SCHEMA.model_dump() | {"beside": [Feature(name="age")]})
