"""Schemas: what they refuse, how they show values, and what they answer."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import DataError
from workbench.core.schema import Feature, Schema, build_schema_part, listing

AGE = Feature(name="age", integer=True, unit="years")
SEX = Feature(name="sex", kind="categorical", categories=("Female", "Male"))
ADULT = Schema(
    features=(AGE, SEX),
    target="income",
    task="binary",
    classes=("<=50K", ">50K"),
    favourable=">50K",
    weight="fnlwgt",
)


def test_answers_about_names_and_outputs():
    assert ADULT.names == ("age", "sex")
    assert ADULT.index("sex") == 1
    assert ADULT.n_classes == 2
    assert ADULT.output_names == ("<=50K", ">50K")
    assert Schema(features=(AGE,)).output_names == ("output",)
    price = Schema(features=(AGE,), target="price", task="regression")
    assert price.output_names == ("price",)
    assert price.favourable_output == 0


def test_the_favourable_class_comes_first_to_the_eye_else_the_last():
    assert ADULT.favourable_output == 1
    turned = ADULT.model_copy(update={"favourable": "<=50K"})
    assert turned.favourable_output == 0
    assert ADULT.model_copy(update={"favourable": None}).favourable_output == 1


@pytest.mark.parametrize(
    ("feature", "value", "text"),
    [
        (SEX, 0.0, "Female"),
        (SEX, math.nan, "missing"),
        (AGE, 47.0, "47 years"),
        (AGE, 1234567.0, "1,234,567 years"),
        (AGE, math.nan, "missing"),
        (Feature(name="ratio"), 0.123456, "0.1235"),
        (Feature(name="ratio"), -1.0, "-1"),
        (Feature(name="size", unit="m²"), 12.5, "12.5 m²"),
    ],
)
def test_shows_a_value_as_a_user_writes_it(feature, value, text):
    assert feature.show(value) == text


@given(st.lists(st.text(min_size=1), min_size=1, max_size=5, unique=True), st.data())
def test_shows_every_category_by_its_code(categories, data):
    feature = Feature(name="c", kind="categorical", categories=tuple(categories))
    code = data.draw(st.integers(0, len(categories) - 1))
    assert feature.show(float(code)) == categories[code]


@given(
    st.lists(
        st.builds(
            Feature,
            name=st.text(min_size=1),
            unit=st.text(),
            protected=st.booleans(),
            range=st.none() | st.tuples(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300)),
        ),
        min_size=1,
        unique_by=lambda feature: feature.name,
    )
)
def test_survives_json(features):
    schema = Schema(features=tuple(features))
    assert Schema.model_validate_json(schema.model_dump_json()) == schema


def test_edit_changes_one_feature_and_leaves_the_schema():
    edited = ADULT.edit("sex", protected=True)
    assert edited.features[1].protected
    assert not ADULT.features[1].protected
    assert edited.features[0] == AGE
    assert edited.model_copy(update={"features": ADULT.features}) == ADULT


def test_edit_refuses_what_does_not_fit():
    with pytest.raises(DataError, match=r"^There is no feature 'race'; choose one of age, sex\.$"):
        ADULT.edit("race", protected=True)
    with pytest.raises(DataError, match=r"feature is not valid: colour: Extra inputs are not"):
        ADULT.edit("sex", colour="red")
    with pytest.raises(DataError, match="feature 'sex' needs its categories"):
        ADULT.edit("sex", categories=())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "c", "kind": "categorical"}, "categorical feature 'c' needs its categories"),
        ({"name": "n", "categories": ("a",)}, "numeric feature 'n' must not list categories"),
        (
            {"name": "c", "kind": "categorical", "categories": ("a", "a")},
            "feature 'c' lists a category twice",
        ),
        ({"name": ""}, "name: String should have at least 1 character"),
        ({"name": "n", "kind": "text"}, "kind: Input should be 'numeric', 'categorical'"),
    ],
)
def test_a_feature_says_what_is_wrong(values, message):
    with pytest.raises(DataError, match=f"^The feature is not valid: .*{message}"):
        build_schema_part(Feature, values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"features": ()}, "features: Tuple should have at least 1 item"),
        ({"features": (AGE, AGE)}, "column names are used twice: age"),
        ({"target": "age"}, "column names are used twice: age"),
        ({"target": "y", "weight": "y"}, "column names are used twice: y"),
        ({"task": "binary", "classes": ("a",)}, "a binary task cannot have 1 classes"),
        ({"task": "multiclass", "classes": ("a", "b")}, "a multiclass task cannot have 2 classes"),
        ({"task": "regression", "classes": ("a", "b")}, "a regression task cannot have 2 classes"),
        ({"classes": ("a", "b"), "favourable": "c"}, "favourable class 'c' is not among"),
    ],
)
def test_a_schema_says_what_is_wrong(values, message):
    with pytest.raises(DataError, match=f"^The schema is not valid: {message}"):
        build_schema_part(Schema, {"features": (AGE,)} | values)


def test_names_all_faults_at_once():
    with pytest.raises(DataError) as fault:
        build_schema_part(Schema, {"features": [{"kind": "text"}], "target": 3})
    for place in ("features.0.name: ", "features.0.kind: ", "target: "):
        assert place in str(fault.value)


@given(st.lists(st.text("abc", min_size=1), max_size=12), st.integers(1, 12))
def test_listing_names_the_first_and_counts_the_rest(names, limit):
    text = listing(names, limit)
    shown, _, rest = text.partition(" and ")
    assert shown == ", ".join(names[:limit])
    assert rest == (f"{len(names) - limit} more" if len(names) > limit else "")
