"""Results as JSON and CSV: every number comes back, and no cell is a formula."""

import csv
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.attributions import example, hostile
from workbench.core.results import RESULT_FORMAT
from workbench.core.schema import Schema
from workbench.report import to_json, write_csv


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_json_holds_every_number(task):
    result = example(task, n=3)
    content = json.loads(to_json(result))
    assert (content["format"], content["kind"]) == (RESULT_FORMAT, "attribution")
    fields = content["fields"]
    for name in ("values", "base_values", "predictions", "std_errors", "ids", "base_std_errors"):
        np.testing.assert_array_equal(fields[name], getattr(result, name))
    assert Schema.model_validate(fields["schema"]) == result.schema
    assert fields["provenance"]["seed"] == result.provenance.seed


def test_json_writes_null_for_what_is_not_a_number():
    text = to_json(example(n=3, sampled=False))
    assert "NaN" not in text
    fields = json.loads(text)["fields"]
    assert fields["truth"] == [None] * 3
    assert fields["data"][2][0] is None
    assert fields["std_errors"] is None
    record = example(n=1).provenance.model_copy(update={"params": {"a": [float("inf"), 1.5]}})
    odd = json.loads(to_json(replace(example(n=1), provenance=record)))
    assert odd["fields"]["provenance"]["params"] == {"a": [None, 1.5]}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_text_that_would_be_a_formula_is_quoted(tmp_path, start):
    cell = f"{start}cmd|' /C calc'!A0"
    frame = pd.DataFrame({cell: [cell, "plain"]}, index=pd.Index([cell, "b"], name=cell))
    rows = read(write_csv(frame, tmp_path / "table.csv"))
    assert rows == [[f"'{cell}"] * 2, [f"'{cell}"] * 2, ["b", "plain"]]


def test_numbers_stay_numbers(tmp_path):
    frame = pd.DataFrame({
        "float": [-1.5, 0.1 + 0.2],
        "int": [-3, 4],
        "mixed": [-2, "-x"],
        "text": ["-1.5e3", "+7"],
        "category": pd.Categorical(["=1+1", "b"]),
    })
    frame.insert(0, "float", [1.0, 2.0], allow_duplicates=True)
    rows = read(write_csv(frame, tmp_path / "table.csv"))
    assert rows[1] == ["1.0", "-1.5", "-3", "-2", "-1.5e3", "'=1+1"]
    assert rows[2] == ["2.0", "0.30000000000000004", "4", "'-x", "+7", "b"]
    assert frame["category"].iloc[0] == "=1+1", "the table itself was changed"


def test_an_attribution_table_survives_the_way(tmp_path):
    result = hostile()
    path = write_csv(result.to_frame(), tmp_path / "new" / "table.csv")
    back = pd.read_csv(path)
    np.testing.assert_allclose(back["attribution"], result.to_frame()["attribution"], rtol=1e-15)
    assert "'=1+1" in set(back["value"]) or "=1+1" not in set(result.to_frame()["value"])
    assert not back["value"].astype(str).str.startswith("=").any()
    assert [p.name for p in path.parent.iterdir()] == ["table.csv"]
