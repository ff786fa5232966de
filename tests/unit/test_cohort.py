"""Cohorts: the text form both ways, rows against a plain loop, and every fault by its text."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.cohort import Cohort, Condition
from workbench.core.errors import InvalidInputError
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table

SCHEMA = Schema(
    features=(
        Feature(name="age", integer=True),
        Feature(name="sex", kind="categorical", categories=("Female", "Male")),
        Feature(name="workclass", kind="categorical", categories=("Private", "missing"),
                has_missing=True),
    ),
    target="income", task="binary", classes=("<=50K", ">50K"),
)  # fmt: skip
ROWS = [(25, 0, 0, 0), (30, 1, math.nan, 1), (50, 0, 1, 1), (60, 1, 0, 0)]
TABLE = Table(
    schema=SCHEMA,
    X=torch.tensor([row[:3] for row in ROWS], dtype=torch.float64),
    y=torch.tensor([row[3] for row in ROWS]),
    weights=torch.arange(4.0, dtype=torch.float64),
    ids=torch.tensor([7, 3, 9, 4]),
    name="people",
)


@pytest.mark.parametrize(
    ("text", "ids", "words"),
    [
        ("", [7, 3, 9, 4], "all rows"),
        ("age:30..50", [3, 9], "age 30 to 50"),
        ("age:30..", [3, 9, 4], "age at least 30"),
        ("age:..30", [7, 3], "age at most 30"),
        ("age:30", [3], "age 30"),
        ("sex:Female", [7, 9], "sex Female"),
        ("sex:Female,Male", [7, 3, 9, 4], "sex Female or Male"),
        ("workclass:missing", [3], "workclass missing"),
        ("workclass:%6Dissing", [9], "workclass missing"),
        ("workclass:Private,missing", [7, 3, 4], "workclass Private or missing"),
        ("income:>50K", [3, 9], "income >50K"),
        (" sex : Male ; age : 0 .. 40 ", [3], "sex Male, age 0 to 40"),
    ],
)
def test_rows_and_words(text, ids, words):
    cohort = Cohort.parse(text, SCHEMA)
    part = cohort.apply(TABLE)
    assert part.ids.tolist() == ids
    assert cohort.describe() == words
    assert part.name == ("people" if not text else f"people ({words})")
    assert part.weights.tolist() == [[7, 3, 9, 4].index(i) for i in ids]
    assert Cohort.parse(str(cohort), SCHEMA) == cohort


def test_an_empty_cohort_is_the_table_itself():
    assert Cohort().apply(TABLE) is TABLE
    assert not Cohort()
    assert Cohort.parse("age:1..", SCHEMA)


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8) | st.text(
    ";:,%. \tms\u202e\xa0", min_size=1, max_size=5
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def cohorts(draw):
    """Draw names, categories, and conditions that fit them."""
    names = draw(st.lists(NAMES, min_size=2, max_size=4, unique=True))
    categories = draw(
        st.lists(NAMES | st.just("missing") | st.just(""), min_size=1, max_size=4, unique=True)
    )
    text, *numeric = names
    conditions = []
    for name in draw(st.lists(st.sampled_from(names), max_size=4)):
        missing = draw(st.booleans())
        if name == text:
            few = draw(st.lists(st.sampled_from(categories), min_size=not missing, unique=True))
            conditions.append({"column": name, "texts": tuple(few), "missing": missing})
            continue
        low, high = sorted((draw(NUMBERS), draw(NUMBERS)))
        ends = draw(st.sampled_from([(low, None), (None, high), (low, high)]))
        conditions.append({"column": name, "low": ends[0], "high": ends[1], "missing": missing})
    return numeric, text, categories, conditions


@given(cohorts())
def test_the_text_form_comes_back_for_any_name(drawn):
    numeric, text, categories, conditions = drawn
    schema = Schema(
        features=(
            *(Feature(name=name) for name in numeric),
            Feature(name=text, kind="categorical", categories=tuple(categories)),
        )
    )
    cohort = Cohort(tuple(Condition(**condition) for condition in conditions))
    assert Cohort.parse(str(cohort), schema) == cohort


@given(st.floats(-70, 70), st.floats(-70, 70), st.sets(st.sampled_from(["Female", "Male"])))
def test_rows_are_those_of_a_plain_loop(a, b, sexes):
    low, high = sorted((a, b))
    conditions = [Condition("age", low=low, high=high)]
    if sexes:
        conditions.append(Condition("sex", texts=tuple(sorted(sexes))))
    codes = {("Female", "Male").index(sex) for sex in sexes} or {0, 1}
    expected = [i for i, row in zip(TABLE.ids.tolist(), ROWS, strict=True)
                if low <= row[0] <= high and row[1] in codes]  # fmt: skip
    cohort = Cohort(tuple(conditions))
    if expected:
        assert cohort.apply(TABLE).ids.tolist() == expected
        return
    with pytest.raises(InvalidInputError, match=r"^No row of table 'people' fits the cohort "):
        cohort.apply(TABLE)


UNCLEAR = "of the cohort is not understood; write column:value, column:low..high or column:missing."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("age", f"Condition 'age' {UNCLEAR}"),
        ("age:", f"Condition 'age:' {UNCLEAR}"),
        ("sex: ", f"Condition 'sex:' {UNCLEAR}"),
        ("height:3", "There is no column 'height'; a cohort may use 'age', 'sex', 'workclass', "
         "'income'."),
        ("sex:male", "Column 'sex' has no category 'male'; choose one of 'Female', 'Male' or "
         "missing."),
        ("age:old", "Column 'age' holds numbers, and 'old' is no range of them; write 30..50, "
         "30.. or ..50."),
        ("age:..", "Column 'age' holds numbers, and '..' is no range of them; write 30..50, 30.. "
         "or ..50."),
        ("age:1,2", "Column 'age' holds numbers, and '1,2' is no range of them; write 30..50, "
         "30.. or ..50."),
        ("age:1..1e999", "Column 'age' holds numbers, and '1..1e999' is no range of them; write "
         "30..50, 30.. or ..50."),
        ("age:50..30", "The range of column 'age' begins with 50 and ends with 30; write the "
         "smaller number first."),
        ("sex:%FF", "Text '%FF' of the cohort is not understood; write % as %25."),
        (";".join(["age:1"] * 51), "A cohort may have 50 conditions, got 51."),
        ("x" * 20_001, "A cohort may be written in 20,000 characters, got 20,001."),
    ],
)  # fmt: skip
def test_says_what_is_wrong(text, message):
    with pytest.raises(InvalidInputError) as caught:
        Cohort.parse(text, SCHEMA)
    assert str(caught.value) == message


def test_no_row_left_and_no_target():
    with pytest.raises(InvalidInputError) as caught:
        Cohort.parse("age:99..", SCHEMA).apply(TABLE)
    assert str(caught.value) == (
        "No row of table 'people' fits the cohort 'age at least 99'; widen it."
    )
    bare = Table(schema=SCHEMA, X=TABLE.X, ids=TABLE.ids, name="bare")
    with pytest.raises(InvalidInputError) as caught:
        Cohort.parse("income:>50K", SCHEMA).apply(bare)
    assert str(caught.value) == (
        "Table 'bare' has no values of target 'income'; leave it out of the cohort."
    )
