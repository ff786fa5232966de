"""The bundled tables against the published facts and scikit-learn's own arrays."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn import datasets

from workbench.core.errors import DataError
from workbench.core.schema import Feature, Schema
from workbench.data import bundled
from workbench.data.bundled import TABLES, load_schema, load_table, open_table, save_schema

# Rows, features, and rows per class, as their sources state them.
FACTS = {
    "adult": (32561, 12, {"<=50K": 24720, ">50K": 7841}),
    "german": (1000, 20, {"bad": 300, "good": 700}),
    "breast-cancer": (569, 30, {"malignant": 212, "benign": 357}),
    "wine": (178, 13, {"cultivar 1": 59, "cultivar 2": 71, "cultivar 3": 48}),
    "diabetes": (442, 10, None),
    "digits": (1797, 64, {str(d): n for d, n in enumerate(
        (178, 182, 177, 183, 181, 182, 181, 179, 174, 180))}),
}  # fmt: skip
LOADERS = {
    "breast-cancer": datasets.load_breast_cancer,
    "wine": datasets.load_wine,
    "diabetes": lambda: datasets.load_diabetes(scaled=False),
    "digits": datasets.load_digits,
}


@pytest.mark.parametrize("name", TABLES)
def test_rows_features_and_classes(name):
    table, notes = open_table(name)
    n_rows, n_features, classes = FACTS[name]
    assert notes == ()
    assert table.name == name
    assert tuple(table.X.shape) == (n_rows, n_features)
    assert table.ids.tolist() == list(range(n_rows))
    if classes is not None:
        counts = torch.bincount(table.y, minlength=len(classes)).tolist()
        assert dict(zip(table.schema.classes, counts, strict=True)) == classes


@pytest.mark.parametrize("name", TABLES)
def test_schemas_say_what_is_in_the_table(name):
    table = load_table(name)
    for feature, column in zip(table.schema.features, table.X.T.numpy(), strict=True):
        known = column[~np.isnan(column)]
        assert feature.label
        assert feature.name.isidentifier()
        assert feature.name == feature.name.lower()
        assert feature.has_missing == (len(known) < len(column))
        if feature.kind == "categorical":
            assert set(known) == set(range(len(feature.categories))), "a category without rows"
        else:
            low, high = feature.range
            assert low <= known.min() <= known.max() <= high
            assert feature.integer == bool((known == np.round(known)).all())


@pytest.mark.parametrize("name", LOADERS)
def test_equal_to_scikit_learns_arrays(name):
    table, data = load_table(name), LOADERS[name]()
    X = table.X.numpy().copy()
    if name == "diabetes":
        X[:, 1] += 1  # categories 1 and 2 have codes 0 and 1
    np.testing.assert_array_equal(X, data.data)
    np.testing.assert_array_equal(table.y.numpy(), data.target)


def test_adult():
    table = load_table("adult")
    frame = table.to_frame()
    schema = table.schema
    assert table.weights is not None
    assert (table.weights.min(), table.weights.max()) == (12285, 1484705)
    assert "fnlwgt" not in schema.names
    assert {f.name for f in schema.features if f.protected} == {"age", "race", "sex"}
    assert {f.name for f in schema.features if f.immutable} == {
        "age", "race", "sex", "native_country",
    }  # fmt: skip
    assert schema.favourable == ">50K"
    assert frame["sex"].value_counts().to_dict() == {"Male": 21790, "Female": 10771}
    missing = frame.isna().sum()
    assert missing[missing > 0].to_dict() == {
        "workclass": 1836, "occupation": 1843, "native_country": 583,
    }  # fmt: skip
    first = frame.iloc[0]
    assert (first["age"], first["workclass"], first["capital_gain"], first["income"]) == (
        39, "State-gov", 2174, "<=50K",
    )  # fmt: skip


def test_german_uses_the_corrected_codes():
    frame = load_table("german").to_frame()
    # Published counts of the corrected data, whose meanings differ from the original ones.
    assert frame["foreign_worker"].value_counts().to_dict() == {"no": 963, "yes": 37}
    assert frame["dependants"].value_counts().to_dict() == {"0 to 2": 845, "3 or more": 155}
    assert frame["checking_account"].value_counts()["no checking account"] == 274
    assert frame["housing"].value_counts()["rented"] == 713
    bad = (frame["credit_risk"] == "bad").groupby(frame["credit_history"], observed=True).mean()
    assert bad.idxmax() in {
        "late payments in the past", "critical account or credits elsewhere",
    }  # fmt: skip
    assert bad.idxmin() == "all credits at this bank repaid"
    assert "sex" not in frame.columns


def test_names_with_hyphen_or_underscore():
    assert load_table("breast_cancer").digest == load_table("breast-cancer").digest


def test_what_is_unknown(tmp_path, monkeypatch):
    with pytest.raises(DataError) as caught:
        load_table("iris")
    assert str(caught.value) == (
        "There is no bundled table 'iris'; choose one of adult, german, breast-cancer, wine, "
        "diabetes, digits, or give the path of a file."
    )
    with pytest.raises(DataError, match=r"^There is no file 'iris.csv'; check the path.$"):
        load_table("iris.csv")
    monkeypatch.setenv("WORKBENCH_SAMPLE_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"^The bundled tables are not in .*; point "
                       r"WORKBENCH_SAMPLE_DATA to the folder sample_data.$"):  # fmt: skip
        load_table("adult")


def test_the_data_folder_can_be_moved(tmp_path, monkeypatch):
    here = bundled.data_folder()
    for name in ("adult.schema.json", "wine.schema.json", "wine.csv"):
        (tmp_path / name).write_bytes((here / name).read_bytes())
    monkeypatch.setenv("WORKBENCH_SAMPLE_DATA", str(tmp_path))
    assert len(load_table("wine")) == 178
    with pytest.raises(DataError, match=r"There is no file '.*adult.parquet'"):
        load_table("adult")


def test_a_file_with_a_schema_given_beside_it_or_guessed(tmp_path):
    path = tmp_path / "loans.csv"
    pd.DataFrame({"a": [1, 2, 3], "c": ["u", "v", "u"], "key": ["p", "q", "r"]}).to_csv(
        path, index=False
    )
    given = Schema(features=(Feature(name="a"),))
    table, notes = open_table(path, schema=given, ignore_extra=True)
    assert (table.schema, table.name, notes) == (given, "loans", ())
    with pytest.raises(DataError, match=r"^Table 'loans' has columns 'c', 'key' beyond"):
        open_table(str(path), schema=given)

    guessed, notes = open_table(path)
    assert guessed.schema.names == ("a", "c")
    assert notes == (
        "The schema was guessed, without a target.",
        "Column 'key' was left out: every row has a text of its own, as in an identifier.",
    )

    save_schema(given, tmp_path / "loans.schema.json")
    beside, notes = open_table(path, ignore_extra=True)
    assert (beside.schema, notes) == (given, ())


def test_schema_files(tmp_path):
    path = tmp_path / "s.schema.json"
    for name in TABLES:
        schema = load_table(name).schema
        assert load_schema(save_schema(schema, path)) == schema
    path.write_text('{"features": []', encoding="utf-8")
    with pytest.raises(DataError, match=r"^Schema file 's.schema.json' is not JSON: "):
        load_schema(path)
    path.write_text('{"features": [], "colour": 1}', encoding="utf-8")
    with pytest.raises(DataError, match=r"^In file 's.schema.json': The schema is not valid: "
                       r"features: .*; colour: .*"):  # fmt: skip
        load_schema(path)
    path.write_text(json.dumps([1]), encoding="utf-8")
    with pytest.raises(DataError, match=r"^In file 's.schema.json': The schema is not valid: "):
        load_schema(path)
    path.write_bytes(b" " * (bundled.MAX_SCHEMA_BYTES + 1))
    with pytest.raises(DataError, match=r"is larger than 16,777,216 bytes; a schema lists columns"):
        load_schema(path)
    with pytest.raises(DataError, match=r"^There is no schema file '.*no.json'; check the path.$"):
        load_schema(tmp_path / "no.json")


def test_importing_is_cheap():
    code = (
        "import sys; import workbench.data.bundled; "
        "print(sorted({'pandas', 'pyarrow', 'sklearn'} & set(sys.modules)))"
    )
    got = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert got.stdout.strip() == "[]"
