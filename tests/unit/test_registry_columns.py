"""Stated input columns against pandas and scikit-learn, which is what users preprocess with."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from workbench.core.card import Architecture
from workbench.core.errors import RegistryError
from workbench.core.schema import Feature, Schema
from workbench.registry.architectures import build_encoder

SCHEMA = Schema(
    features=(
        Feature(name="time", has_missing=True),
        Feature(name="colour", kind="categorical", categories=("red", "green", "blue"),
                has_missing=True),
        Feature(name="rooms", integer=True),
    )
)  # fmt: skip


def rows(n=50, seed=0):
    rng = np.random.default_rng(seed)
    X = np.stack(
        [1.7e9 + 1e4 * rng.normal(size=n), rng.integers(0, 3, n), rng.integers(1, 5, n)], 1
    )
    X[::7, 0] = np.nan
    X[3::5, 1] = np.nan
    return torch.from_numpy(X.astype(np.float64))


def frame(X):
    X = X.numpy()
    names = [None if np.isnan(c) else SCHEMA.features[1].categories[int(c)] for c in X[:, 1]]
    return pd.DataFrame({"time": X[:, 0], "colour": names, "rooms": X[:, 2].astype(int)})


def encoder(*columns):
    return build_encoder(Architecture(name="columns", arguments={"columns": columns}), SCHEMA)


def test_equals_get_dummies_in_its_own_order():
    X = rows()
    dummies = pd.get_dummies(frame(X)[["colour", "rooms"]], columns=["colour", "rooms"],
                             dummy_na=True)  # fmt: skip
    columns = []
    for name in dummies.columns:
        feature, _, value = name.partition("_")
        if value == "nan":
            columns.append({"feature": feature, "missing": True})
        else:
            equals = float(value) if feature == "rooms" else value
            columns.append({"feature": feature, "equals": equals})
    built = encoder(*columns)
    np.testing.assert_array_equal(built(X).numpy(), dummies.to_numpy(float))
    assert built.groups.tolist() == [SCHEMA.names.index(c["feature"]) for c in columns]


def test_equals_a_column_transformer_in_double_precision():
    X = rows()
    transformer = ColumnTransformer([
        ("cat", OneHotEncoder(categories=[["blue", "red", "green"]], handle_unknown="ignore"),
         ["colour"]),
        ("num", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
         ["time", "rooms"]),
    ], sparse_threshold=0)  # fmt: skip
    expected = transformer.fit_transform(frame(X))
    imputer, scaler = transformer.named_transformers_["num"]
    numbers = [
        {"feature": name, "mean": mean, "scale": scale, "fill": fill}
        for name, mean, scale, fill in zip(
            ("time", "rooms"), scaler.mean_, scaler.scale_, imputer.statistics_, strict=True
        )
    ]
    built = encoder(
        *({"feature": "colour", "equals": c} for c in ("blue", "red", "green")), *numbers
    )
    # times of 1.7e9 seconds: single precision would lose the third digit
    np.testing.assert_allclose(built(X).numpy(), expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(built.float()(X).numpy(), expected, rtol=0, atol=1e-9)


def test_codes_and_raw():
    X = rows()
    codes = encoder({"feature": "colour", "code": True, "fill": -1}, {"feature": "rooms"})
    filled = torch.where(X[:, 1].isnan(), -1, X[:, 1])
    assert torch.equal(codes(X), torch.stack([filled, X[:, 2]], 1))
    raw = build_encoder(Architecture(name="raw", arguments={"fill": -1}), SCHEMA)
    assert torch.equal(raw(X), torch.where(X.isnan(), -1.0, X))
    assert raw.groups.tolist() == [0, 1, 2]
    assert raw.state_dict() == {}


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ({"feature": "size"}, "Input column 0 is made of feature 'size', which the schema does not "
         "have; correct the encoder's columns or the schema."),
        ({"feature": "time"}, "Input column 0 (feature 'time') needs a fill, the value that stands "
         "for a missing one, because the schema says that this feature may be missing."),
        ({"feature": "colour", "fill": 0}, "Input column 0 (feature 'colour') treats a categorical "
         "feature otherwise; state equals or code."),
        ({"feature": "rooms", "code": True}, "Input column 0 (feature 'rooms') treats a numeric "
         "feature otherwise; leave out code."),
        ({"feature": "colour", "equals": "pink"}, "Input column 0 (feature 'colour') equals "
         "'pink', "
         "which is not a category of the feature; choose one of red, green, blue."),
        ({"feature": "rooms", "equals": "two"}, "Input column 0 (feature 'rooms') equals the word "
         "'two', but the feature is a number; write a number."),
        ({"feature": "rooms", "equals": 2, "missing": True}, "Arguments of architecture 'columns' "
         "do not fit: columns.0: choose one of equals, missing and code."),
        ({"feature": "rooms", "scale": 0}, "Arguments of architecture 'columns' do not fit: "
         "columns.0: scale must not be 0."),
        ({"feature": "rooms", "mean": float("nan")}, "Arguments of architecture 'columns' do not "
         "fit: columns.0.mean: Input should be a finite number."),
    ],
)  # fmt: skip
def test_says_what_does_not_fit(column, message):
    with pytest.raises(RegistryError) as caught:
        encoder(column)
    assert str(caught.value) == message
