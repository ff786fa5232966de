"""``workbench explain``: what it prints and writes is what the verb returns."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from tests.command_line import QUICK, values_of, write
from workbench import api
from workbench.checks.attribution import ATTRIBUTION_CHECKS


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("auto", ()),
        ("exact", ("--output", "score")),
        ("kernel", ("--budget", "128", "--tolerance", "0.5")),
        ("shapley.permutation", ("--budget", "128", "--link", "logit")),
    ],
)
def test_explain_writes_what_it_says(method, settings, cli, tmp_path):
    out = tmp_path / "new" / "out"
    arguments = ("explain", "adult-mlp", "adult", *QUICK, "--method", method, *settings)
    said = cli(*arguments, "--out", out)
    assert (said.code, said.err) == (0, "")
    codes = [check.code for check in ATTRIBUTION_CHECKS]
    for code in codes:
        assert f" {code} " in said.out
    name = "shapley.exact" if method == "auto" else f"shapley.{method.removeprefix('shapley.')}"
    files = sorted(out.iterdir())
    assert [file.suffix for file in files] == [".attribution", ".csv", ".json"]
    stem = files[0].stem
    assert re.fullmatch(rf"adult-mlp-v1-adult-test-{re.escape(name)}-[0-9a-f]{{8}}", stem)
    assert all(file.stem == stem for file in files)
    assert said.out.endswith("".join(f"Wrote {path}\n" for path in files))
    loaded = api.load_result(files[0])
    assert loaded.values.shape == (2, 12, 2)
    assert loaded.provenance.method == name
    assert loaded.provenance.describe() in said.out
    frame = pd.read_csv(files[1])
    np.testing.assert_allclose(frame["attribution"], loaded.to_frame()["attribution"], rtol=1e-12)
    assert frame["feature"].tolist() == loaded.to_frame()["feature"].tolist()
    fields = json.loads(files[2].read_text(encoding="utf-8"))["fields"]
    np.testing.assert_array_equal(fields["values"], loaded.values)
    printed = json.loads(cli(*arguments, "--json").out)
    np.testing.assert_array_equal(printed["fields"]["values"], loaded.values)
    assert [check["code"] for check in printed["checks"]] == codes


def test_explain_equals_the_headless_verb(cli):
    said = cli("explain", "wine-mlp", "wine", "--rows", "3,1", "--method", "kernel", "--budget",
               "100", "--seed", "4", "--json")  # fmt: skip
    rows = api.select_rows(api.load_table("wine"), "3,1")
    expected = api.explain("wine-mlp", rows, method="kernel", budget=100, seed=4)
    fields = json.loads(said.out)["fields"]
    np.testing.assert_array_equal(fields["values"], expected.values)
    assert fields["ids"] == expected.ids.tolist()


def test_explain_of_one_row_lists_its_features(cli):
    said = cli("explain", "adult-mlp", "adult", "--rows", "0", "--n-background", "30")
    result = api.explain(
        "adult-mlp", api.select_rows(api.load_table("adult"), "0"),
        api.background_for(api.load_model("adult-mlp"), api.load_table("adult"), n=30),
    )  # fmt: skip
    lines = re.findall(r"^ +([+-]\d\.\d+) (?:± (\d\.\d+))? +(\S.*)$", said.out, re.MULTILINE)
    shown = {text: (float(number), spread) for number, spread, text in lines}
    assert len(shown) == len(lines) == 12 + 2
    base, *_, prediction = lines
    assert base[2].startswith("base value of probability of >50K")
    assert float(base[0]) == pytest.approx(result.base_values[0, 1], abs=6e-5)
    assert prediction[1:] == ("", "prediction")
    assert float(prediction[0]) == pytest.approx(result.predictions[0, 1], abs=6e-5)
    half = result.uncertainty()[0, :, 1]
    for i, feature in enumerate(result.schema.features):
        value, spread = shown[f"{feature.name} = {feature.show(result.data[0, i])}"]
        assert value == pytest.approx(result.values[0, i, 1], abs=6e-5)
        assert float(spread or 0) == pytest.approx(half[i], abs=6e-5)


def test_explain_prints_the_class_that_is_asked_for(cli):
    said = cli("explain", "adult-mlp", "adult", *QUICK, "--class", "<=50K")
    assert "mean |attribution| for <=50K (probability), ± 95 % over rows" in said.out
    assert (
        "and 52 more features"
        in cli("explain", "digits-mlp", "digits", *QUICK, "--budget", "700").out
    )


@pytest.mark.parametrize(
    ("split", "settings"),
    [
        ("test", ("--rows", "0:20", "--n-background", "30")),
        # Random draws belong to row numbers, which are those of the file for its first rows.
        ("all", ("--rows", "0:3", "--method", "kernel", "--budget", "200")),
        ("all", ("--rows", "0:3", "--method", "permutation", "--budget", "200")),
    ],
)
def test_a_file_gives_the_values_of_the_bundled_rows_in_it(split, settings, cli, tmp_path):
    rows = api.load_table("adult", split=split)[:20]
    path = write(rows.to_frame().drop(columns="income"), tmp_path)
    bundled = values_of(cli("explain", "adult-mlp", "adult", "--split", split, *settings, "--json"))
    own = values_of(cli("explain", "adult-mlp", path, *settings, "--json"))
    for one, other in zip(own, bundled, strict=True):
        np.testing.assert_allclose(one.astype(float), other.astype(float), atol=1e-9, rtol=0)


def test_a_file_may_be_its_own_background(cli, people, tmp_path):
    path = write(people, tmp_path)
    said = cli("explain", "adult-mlp", path, "--rows", "0:2", "--background", path,
               "--n-background", "20", "--json")  # fmt: skip
    rows = api.load_table(path, model=api.load_model("adult-mlp"))
    expected = api.explain("adult-mlp", rows[:2], rows)
    np.testing.assert_array_equal(values_of(said)[0], expected.values)
