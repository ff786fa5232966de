"""Schema inference: each rule on a small frame, and each fault by its text."""

import datetime

import numpy as np
import pandas as pd
import pytest

from workbench.core.errors import DataError
from workbench.data.conversion import to_table
from workbench.data.inference import infer_schema


def feature(values, name="x", n_rows=None):
    """Infer one column, repeated to ``n_rows`` where asked; return it and the notes."""
    if n_rows is not None:
        values = [values[i % len(values)] for i in range(n_rows)]
    frame = pd.DataFrame({name: values, "other": np.arange(len(values)) * 0.5})
    schema, notes = infer_schema(frame)
    return (schema.features[0] if name in schema.names else None), notes


def test_numbers():
    whole, _ = feature([3, 1, 2])
    assert (whole.kind, whole.integer, whole.range, whole.has_missing) == (
        "numeric", True, (1.0, 3.0), False,
    )  # fmt: skip
    real, _ = feature([0.5, None, 2.0])
    assert (real.kind, real.integer, real.range, real.has_missing) == (
        "numeric", False, (0.5, 2.0), True,
    )  # fmt: skip


def test_numbers_written_as_text_are_numbers():
    got, _ = feature([" 1", "2.5 ", "?", "1e2"])
    assert (got.kind, got.range, got.has_missing) == ("numeric", (1.0, 100.0), True)
    got, _ = feature(pd.array([1, None, 3], dtype="Int64"))
    assert (got.kind, got.range, got.has_missing) == ("numeric", (1.0, 3.0), True)


def test_text_and_truth_values_are_categories_in_order():
    got, _ = feature(["b", " a", "NA", "a ", "b"])
    assert (got.kind, got.categories, got.has_missing) == ("categorical", ("a", "b"), True)
    got, _ = feature([True, False, True])
    assert (got.kind, got.categories) == ("categorical", ("False", "True"))


def test_pandas_categories_keep_their_order_and_lose_what_is_not_used():
    values = pd.Categorical(["low", "high", "low"], categories=["low", "mid", "high"])
    got, _ = feature(values)
    assert got.categories == ("low", "high")


@pytest.mark.parametrize(
    ("n_texts", "n_rows", "is_kept"),
    [(50, 200, True), (51, 200, False), (51, 1020, True), (200, 9000, True), (201, 9000, False)],
)
def test_limit_of_categories(n_texts, n_rows, is_kept):
    got, notes = feature([f"t{i}" for i in range(n_texts)], n_rows=n_rows)
    assert (got is not None) == is_kept
    limit = 200 if n_rows == 9000 else 50
    assert notes == (() if is_kept else (
        f"Column 'x' was left out: it holds {n_texts} distinct texts, a category may have {limit}.",
    ))  # fmt: skip


@pytest.mark.parametrize(
    "values",
    [
        pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-01"]),
        [datetime.date(2020, 1, 1), datetime.date(2020, 1, 2), None],
        ["2020-01-01", "2020-01-02", "2020-01-01"],
        ["1.2.2020", "3.4.2020", "1.2.2020"],
        pd.to_timedelta([1, 2, 1], unit="D"),
    ],
)
def test_dates_are_left_out(values):
    got, notes = feature(values)
    assert got is None
    assert notes == (
        "Column 'x' was left out: it holds dates or times; add a number such as an age or a "
        "duration.",
    )


def test_identifiers_are_left_out():
    got, notes = feature(["k1", "k2", "k3"])
    assert got is None
    assert notes == (
        "Column 'x' was left out: every row has a text of its own, as in an identifier.",
    )
    got, notes = feature([11, 12, 13], name="customer_id")
    assert got is None
    assert notes == (
        "Column 'customer_id' was left out: by its name and values it numbers the rows.",
    )
    assert feature([11, 12, 12], name="customer_id")[0] is not None
    assert feature([11, 12, 13], name="paid")[0] is not None


def test_names_of_protected_groups():
    for name in ("sex", "Gender", "applicant_age", "raceGroup", "DISABILITY", "mother nationality"):
        got, notes = feature([1, 2, 1], name=name)
        assert got.protected
        assert notes == (f"Column '{name}' was taken for a protected group by its name.",)
    for name in ("mileage", "page", "sexton", "trace"):
        got, notes = feature([1, 2, 1], name=name)
        assert not got.protected
        assert notes == ()


def with_target(values, **options):
    frame = pd.DataFrame({"x": np.arange(len(values)) * 0.5, "y": values})
    return infer_schema(frame, target="y", **options)[0]


def test_targets():
    assert with_target(range(21)).task == "regression"
    assert with_target([str(i) for i in range(21)]).task == "regression"
    many = with_target([*range(20), 3])
    assert (many.task, many.classes) == ("multiclass", tuple(str(i) for i in range(20)))
    two = with_target([1.0, 0.0, 1.0])
    assert (two.task, two.classes, two.names) == ("binary", ("0", "1"), ("x",))
    assert with_target(["no", "yes", "no"]).classes == ("no", "yes")
    assert with_target(["10", "9", "10"]).classes == ("9", "10")
    assert with_target([True, False]).classes == ("False", "True")
    assert with_target([1, 2, 3], task="regression").task == "regression"
    assert with_target(range(25), task="multiclass").n_classes == 25


def test_a_frame_fits_the_schema_that_was_guessed_from_it():
    frame = pd.DataFrame({
        "n": [1, 2, 3, 4],
        "m": ["1.5", "?", "2", "0"],
        "c": ["u", "v ", None, "u"],
        "b": [True, False, True, True],
        "y": ["p", "q", "p", "p"],
    })
    schema, _ = infer_schema(frame, target="y")
    table = to_table(frame, schema, name="t")
    expected = [[1, 1.5, 0, 1], [2, np.nan, 1, 0], [3, 2, np.nan, 1], [4, 0, 0, 1]]
    np.testing.assert_array_equal(table.X.numpy(), expected)
    assert table.y.tolist() == [0, 1, 0, 0]


GOOD = [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({"x": [1.0]}, {}, "A schema cannot be guessed from 1 row; give at least two, or give the "
         "schema."),
        ({"x": []}, {}, "A schema cannot be guessed from 0 rows; give at least two, or give the "
         "schema."),
        ({"x": GOOD}, {"target": "y"}, "There is no target column 'y'; choose one of 'x'."),
        ({"x": [None, None]}, {}, "Column 'x' is missing in every row; fill it in or remove it."),
        ({"x": ["", "?"]}, {}, "Column 'x' is missing in every row; fill it in or remove it."),
        ({"x": [np.nan] * 2}, {}, "Column 'x' is missing in every row; fill it in or remove it."),
        ({"x": [7, 7]}, {}, "Column 'x' has the same value in every row that has one; remove it, "
         "it explains nothing."),
        ({"x": ["u", "", "u "]}, {}, "Column 'x' has the same value in every row that has one; "
         "remove it, it explains nothing."),
        ({"x": [1.0, np.inf]}, {}, "Column 'x' is infinite in row 1; put a finite number or leave "
         "the cell empty."),
        ({"x": ["-inf", "1"]}, {}, "Column 'x' is infinite in row 0; put a finite number or leave "
         "the cell empty."),
        ({"x": ["k1", "k2"]}, {}, "No column can be used as a feature; give at least one column of "
         "numbers or of text with at most 50 distinct values."),
        ({"x": [[1], [2]]}, {}, "Column 'x' holds lists or other nested values; keep one number or "
         "text per cell."),
        ({"x": GOOD, "y": ["p", "?", "q"]}, {"target": "y"}, "Target 'y' has no value in row 1; "
         "fill it in or remove the row."),
        ({"x": GOOD, "y": [0.0, 1.0, np.nan]}, {"target": "y"}, "Target 'y' has no value in row 2; "
         "fill it in or remove the row."),
        ({"x": GOOD, "y": ["p"] * 3}, {"target": "y"}, "Target 'y' has the same value, 'p', in "
         "every row; give rows with at least two."),
        ({"x": GOOD, "y": ["p", "q", "p"]}, {"target": "y", "task": "regression"}, "Target 'y' is "
         "not made of numbers, so it cannot be a regression target; choose another column or a "
         "classification."),
        ({"x": GOOD, "y": ["p", "q", "r"]}, {"target": "y", "task": "binary"}, "Target 'y' has 3 "
         "classes ('p', 'q', 'r'), which makes a multiclass task and not a binary one; choose the "
         "other task or another column."),
        ({"x": range(201), "y": [f"k{i}" for i in range(201)]}, {"target": "y"}, "Target 'y' has "
         "201 distinct values; a classification has at most 200, choose another column."),
    ],
)  # fmt: skip
def test_says_what_is_wrong(columns, options, message):
    with pytest.raises(DataError) as caught:
        infer_schema(pd.DataFrame(columns), **options)
    assert str(caught.value) == message
