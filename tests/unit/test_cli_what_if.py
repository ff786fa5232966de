"""``workbench explain --set`` and ``Table.with_values``: rows as if they held other values."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from workbench import api
from workbench.cli.main import workbench
from workbench.core.errors import InvalidInputError

ROW = ("explain", "adult-mlp", "adult", "--rows", "3", "--n-background", "12")


@pytest.fixture(scope="module")
def row():
    return api.load_table("adult")[3:4]


def test_explains_the_row_as_if(row):
    said = CliRunner().invoke(
        workbench, [*ROW, "--set", "age=40", "--set", "workclass = missing", "--json"],
        catch_exceptions=False,
    )  # fmt: skip
    fields = json.loads(said.output)["fields"]
    frame = row.to_frame().drop(columns="income").assign(age=40, workclass=None)
    model = api.load_model("adult-mlp")
    background = api.background_for(model, row, n=12)
    expected = api.explain(model, frame.reset_index(drop=True), background)
    np.testing.assert_allclose(fields["values"], expected.values, atol=1e-12)
    np.testing.assert_allclose(fields["predictions"], expected.predictions, atol=1e-12)
    assert fields["provenance"]["table"] == ("adult/test, age=40 years, workclass=missing")
    plain = CliRunner().invoke(workbench, [*ROW, "--set", "age=40", "--set", "sex=Female"])
    assert plain.output.startswith("As if age=40 and sex=Female:\n")


def test_only_what_is_named_is_another(row):
    moved = row.with_values({"age": 40, "sex": "Female", "workclass": "missing"})
    places = [row.schema.names.index(name) for name in ("age", "sex", "workclass")]
    kept = [j for j in range(len(row.schema.names)) if j not in places]
    assert torch.equal(moved.X[:, kept], row.X[:, kept])
    sex = row.schema.features[places[1]]
    assert moved.X[0, places[0]] == 40
    assert moved.X[0, places[1]] == sex.categories.index("Female")
    assert moved.X[0, places[2]].isnan()
    assert moved.y is None
    assert moved.digest != row.digest
    assert torch.equal(row.X, api.load_table("adult")[3:4].X), "the row itself was changed"
    assert row.with_values({}).name == row.name


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"alter": "40"}, "has no column 'alter' that the model reads; choose one of age, "),
        ({"sex": "Other"}, "Column 'sex' has no category 'Other'; known are 'Female', 'Male'."),
        ({"age": "forty"}, "Column 'age' holds numbers, got 'forty'; write for example 40 or 2.5"),
        ({"age": "nan"}, "Column 'age' holds numbers, got 'nan'"),
        ({"age": "inf"}, "Column 'age' holds numbers, got 'inf'"),
        ({"age": "missing"}, "Column 'age' knows no missing values; give it a value."),
    ],
)
def test_values_that_a_column_cannot_hold_are_refused(values, message, row):
    with pytest.raises(InvalidInputError) as error:
        row.with_values(values)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("age",), "--set: 'age' names no column and value; write for example --set age=40."),
        (("=4",), "--set: '=4' names no column and value"),
        (("age=4", "age=5"), "--set: column 'age' is set twice; give one value."),
    ],
)
def test_set_is_a_column_and_a_value(given, message):
    flags = [part for text in given for part in ("--set", text)]
    with pytest.raises(InvalidInputError) as error:
        CliRunner().invoke(workbench, [*ROW, *flags], catch_exceptions=False)
    assert message in str(error.value)
