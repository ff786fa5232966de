"""The command line: what it prints and writes, and one sentence for whatever is wrong."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

import click
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from workbench import api
from workbench.checks.attribution import ATTRIBUTION_CHECKS
from workbench.cli.main import main, workbench
from workbench.cli.options import progress_bar
from workbench.data.bundled import load_schema
from workbench.registry.store import registry_root

QUICK = ("--rows", "0:2", "--n-background", "12")


@dataclass(frozen=True)
class Said:
    """What a call left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def cli(capsys):
    """Runs the command line in this process, by the entry point that a shell calls."""

    def run(*arguments):
        code = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = stop.code
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return run


def complaint(said):
    """The one sentence of a call that was refused; nothing else may have been printed."""
    assert said.code == 1, said
    assert said.out == ""
    assert said.err.startswith("Error: ")
    text = said.err.removeprefix("Error: ").removesuffix("\n")
    assert "\n" not in text
    assert text.endswith(".")
    assert not re.search(r"[.!?] [A-Z]", text), "more than one sentence"
    assert "Traceback" not in text
    return text


def misuse(said):
    """The sentence of a call that was not understood, below the usage."""
    assert said.code == 2, said
    assert said.out == ""
    assert said.err.startswith("Usage: ")
    assert "Traceback" not in said.err
    return re.search(r"^Error: (.*)$", said.err, re.MULTILINE)[1]


@pytest.fixture(scope="module")
def people():
    """Twenty test rows of adult as a user would write them."""
    return api.load_table("adult")[:20].to_frame().drop(columns="income").reset_index(drop=True)


def write(frame, folder, name="people.csv"):
    frame.to_csv(folder / name, index=False)
    return folder / name


# --- list, models, data --------------------------------------------------------------------------


def test_list_names_models_tables_and_methods(cli):
    said = cli("list")
    assert (said.code, said.err) == (0, "")
    for entry in api.list_models():
        assert f"  {entry.name}@1 " in said.out
    for name in (*api.list_tables(), *api.list_methods()):
        assert name in said.out
    accuracy = api.load_model("adult-mlp").card.metrics[0]
    assert f"accuracy {accuracy.value:.3g} [{accuracy.low:.3g}, {accuracy.high:.3g}]" in said.out


def test_list_as_json(cli):
    said = cli("list", "--json")
    content = json.loads(said.out)
    assert [model["name"] for model in content["models"]] == [e.name for e in api.list_models()]
    assert content["tables"] == list(api.list_tables())
    assert content["methods"].keys() == api.list_methods().keys()
    assert "budget" in content["methods"]["shapley.kernel"]["params"]["properties"]


def test_list_of_an_empty_registry_says_so(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_MODELS", str(tmp_path))
    said = cli("list")
    assert said.code == 0
    assert f"Models\n  none in {str(tmp_path)!r}\nTables" in said.out


@pytest.fixture
def damaged(tmp_path, monkeypatch):
    """A registry of two models, the weights of one and the card of the other changed."""
    root = tmp_path / "models"
    for name in ("wine-mlp", "diabetes-mlp", "digits-mlp"):
        shutil.copytree(registry_root() / name, root / name)
    weights, card = root / "wine-mlp/1/model.safetensors", root / "diabetes-mlp/1/card.json"
    weights.write_bytes(weights.read_bytes()[:-1])
    card.write_text(card.read_text().replace("one year", "two years"))
    monkeypatch.setenv("WORKBENCH_MODELS", str(root))
    return root


@pytest.mark.usefixtures("damaged")
def test_list_shows_the_sound_models_beside_the_damaged_one(cli):
    said = cli("list")
    assert said.code == 1
    assert "wine-mlp@1" in said.out
    assert "digits-mlp@1" in said.out
    first, second = said.err.splitlines()
    assert first.startswith("✗ diabetes-mlp: The card in ")
    assert second == "Error: 1 of 3 models cannot be used."


def test_verify_reads_every_model(cli):
    said = cli("models", "verify")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        f"✓ {entry.name}@1 sha256 {api.load_model(entry.name).digest}"
        for entry in api.list_models()
    ]
    assert len(cli("models", "verify", "wine-mlp").out.splitlines()) == 1


@pytest.mark.usefixtures("damaged")
def test_verify_names_every_damaged_model(cli):
    said = cli("models", "verify")
    assert said.code == 1
    assert said.out.startswith("✓ digits-mlp@1 sha256 ")
    assert len(said.out.splitlines()) == 1
    card, weights, total = said.err.splitlines()
    assert card.startswith("✗ diabetes-mlp@1: The card in ")
    assert weights.startswith("✗ wine-mlp@1: The weights of wine-mlp@1 are not those of its card")
    assert total == "Error: 2 of 3 models cannot be used."


def test_show_prints_the_card(cli):
    said = cli("models", "show", "adult-mlp@1")
    assert json.loads(said.out) == json.loads(
        (registry_root() / "adult-mlp" / "1" / "card.json").read_bytes()
    )


def test_an_alias_is_kept(cli, tmp_path, monkeypatch):
    shutil.copytree(registry_root() / "wine-mlp", tmp_path / "wine-mlp")
    monkeypatch.setenv("WORKBENCH_MODELS", str(tmp_path))
    said = cli("models", "alias", "wine-mlp", "tested", 1)
    assert (said.code, said.out) == (0, "wine-mlp@tested is version 1.\n")
    assert api.load_model("wine-mlp@tested").name == "wine-mlp@1"
    assert complaint(cli("models", "alias", "wine-mlp", "../x", 1)).startswith("Alias '../x' must")


def test_data_check_says_what_columns_mean(cli):
    said = cli("data", "check", "adult")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0] == "adult: 32,561 rows, 12 features"
    assert lines[1].split() == ["age", "numeric", "17", "to", "90", "years", "protected,",
                                "immutable"]  # fmt: skip
    assert lines[-1] == "  target income: binary <=50K, >50K"


def test_data_check_of_long_names_keeps_columns_apart(cli, tmp_path):
    path = write(pd.DataFrame({"n" * 50: [1.5, 2, 4], "b": [1.5, 2, 3]}), tmp_path)
    lines = cli("data", "check", path).out.splitlines()
    assert lines[1].split() == ["n" * 50, "numeric", "1.5", "to", "4"]
    assert lines[1].index("numeric") == lines[2].index("numeric")


def test_a_schema_that_was_guessed_can_be_edited_and_used(cli, tmp_path):
    frame = pd.DataFrame({"size": [1.5, 2, 4, 5], "colour": ["red", "green", "red", "red"]})
    path, schema = write(frame, tmp_path), tmp_path / "own.json"
    said = cli("data", "check", path, "--write-schema", schema)
    assert said.code == 0
    assert "  Note: The schema was guessed, without a target.\n" in said.out
    assert said.out.endswith(f"Wrote {schema}\n")
    assert load_schema(schema).names == ("size", "colour")
    again = cli("data", "check", path, "--schema", schema)
    assert "guessed" not in again.out
    frame.loc[3, "colour"] = "blue"
    text = complaint(cli("data", "check", write(frame, tmp_path), "--schema", schema))
    assert text == (
        "Column 'colour' holds 'blue' in row 3, which is no known category; known are 'green', "
        "'red'."
    )


def test_data_check_against_a_model(cli, people, tmp_path):
    assert cli("data", "check", write(people, tmp_path), "--model", "adult-mlp").code == 0
    more = write(people.assign(zip_code=1), tmp_path)
    assert "has column 'zip_code' beyond" in complaint(
        cli("data", "check", more, "--model", "adult-mlp")
    )
    said = cli("data", "check", more, "--model", "adult-mlp", "--ignore-extra-columns")
    assert said.code == 0


# --- explain -------------------------------------------------------------------------------------


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


def values_of(said):
    assert said.code == 0, said.err
    fields = json.loads(said.out)["fields"]
    return [np.array(fields[name]) for name in ("values", "base_values", "predictions", "data")]


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


# --- explain: what is wrong ----------------------------------------------------------------------


def edited(frame, row, column, value):
    frame = frame.astype(object)
    frame.loc[row, column] = value
    return frame


BAD_FILES = {
    "lacks a column": (
        lambda f: f.drop(columns="age"),
        "Table 'people' lacks column 'age'; add what the schema names, or choose a schema that "
        "fits.",
    ),
    "another table": (
        lambda f: f[["age"]].rename(columns={"age": "alter"}),
        "Table 'people' lacks columns 'age', 'workclass', 'education_num', 'marital_status', "
        "'occupation', 'relationship', 'race', 'sex' and 4 more; add what the schema names, or "
        "choose a schema that fits.",
    ),
    "one column too many": (
        lambda f: f.assign(zip_code=1),
        "Table 'people' has column 'zip_code' beyond the schema; remove what is not needed, or "
        "leave it out while reading (ignore_extra=True, --ignore-extra-columns).",
    ),
    "text in a number": (
        lambda f: edited(f, 3, "age", "forty"),
        "Column 'age' holds 'forty' in row 3, which is not a number; write it with a decimal point "
        "and without a unit.",
    ),
    "unseen category": (
        lambda f: edited(f, 5, "sex", "Other"),
        "Column 'sex' holds 'Other' in row 5, which is no known category; known are 'Female', "
        "'Male'.",
    ),
    "all missing": (
        lambda f: f.assign(workclass=None),
        "Column 'workclass' is missing in every row; fill it in, or use a schema without it.",
    ),
    "missing where none was": (
        lambda f: edited(f, 7, "age", None),
        "Column 'age' has no value in row 7, but its schema knows no missing values; fill it in, "
        "remove the row, or set has_missing in the schema.",
    ),
    "infinite": (
        lambda f: edited(f, 2, "capital_gain", "inf"),
        "Column 'capital_gain' is infinite in row 2; put a finite number or leave the cell empty.",
    ),
    "header only": (
        lambda f: f[:0],
        "File 'people.csv' has a header but no rows; add at least one.",
    ),
    "a name twice": (
        lambda f: f.rename(columns={"education_num": "age"}),
        "Columns 1 and 3 of file 'people.csv' are both named 'age'; rename or remove one of them.",
    ),
    "wide": (
        lambda _: pd.DataFrame(np.ones((2, 10_000), dtype=int)),
        "File 'people.csv' has 10,000 columns, the limit is 5,000; keep fewer or raise "
        "WORKBENCH_MAX_COLUMNS.",
    ),
}


@pytest.mark.parametrize("fault", BAD_FILES)
def test_a_file_that_does_not_fit_is_one_sentence(fault, cli, people, tmp_path):
    change, message = BAD_FILES[fault]
    path, out = write(change(people), tmp_path), tmp_path / "out"
    asked = (*QUICK, "--rows", "0:9", "--out", out)
    assert complaint(cli("explain", "adult-mlp", path, *asked)) == message
    assert not out.exists(), "something was written"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "File 'people.csv' is empty; give a header and rows."),
        (b"PAR1....", "File 'people.csv' looks like a Parquet file, not like text; save the table "
         "as CSV."),
        (b"\x80\x04\x95", "File 'people.csv' looks like a pickle, not like text; save the table "
         "as CSV."),
    ],
    ids=["empty", "parquet", "pickle"],
)  # fmt: skip
def test_a_file_that_is_no_table_is_one_sentence(content, message, cli, tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    assert complaint(cli("explain", "adult-mlp", path)) == message


ADULT = ("explain", "adult-mlp", "adult")
BAD_CALLS = [
    (
        ("explain", "nope", "adult"),
        "There is no model 'nope'; choose one of adult-linear, adult-mlp, breast-cancer-mlp, "
        "diabetes-mlp, digits-mlp, german-mlp, wine-mlp, or give a folder that holds card.json and "
        "model.safetensors.",
    ),
    (("explain", "adult-mlp@7", "adult"), "Model 'adult-mlp' has no version '7'; it has 1."),
    (("explain", "a" * 5000, "adult"), f"There is no model '{'a' * 79}…'; choose one of adult-l"),
    (
        ("explain", "adult-mlp", "nope"),
        "There is no bundled table 'nope'; choose one of adult, german, breast-cancer, wine, "
        "diabetes, digits, or give the path of a file.",
    ),
    (("explain", "adult-mlp", "nope.csv"), "There is no file 'nope.csv'; check the path."),
    (("explain", "adult-mlp", "."), "'.' is a folder; give the path of a file in it."),
    (
        ("explain", "adult-mlp", "wine"),
        "Table 'wine/test' does not fit model adult-mlp@1: where the model reads 'age' (numeric), "
        "the table has 'alcohol' (numeric); read the file with the model's schema.",
    ),
    (
        (*ADULT, "--rows", "5:2"),
        "Rows '5:2' hold no row of table 'adult/test', which has rows 0 to 6512; a range goes up "
        "to its second number, without it.",
    ),
    ((*ADULT, "--rows", "x"), "Rows 'x' are not understood; write 5, 0:200, or 3,7,11."),
    (
        (*ADULT, "--rows", "9999"),
        "Row 9999 is not in table 'adult/test', which has rows 0 to 6512.",
    ),
    (
        (*ADULT, "--split", "dev"),
        "There is no split 'dev'; choose train, validation, test or all.",
    ),
    (
        (*ADULT, "--method", "anchors"),
        "There is no method 'anchors'; choose auto or one of shapley.amortised, shapley.deeplift, "
        "shapley.exact, ",
    ),
    (
        (*ADULT, "--class", "rich"),
        "Model adult-mlp@1 has no output 'rich'; choose one of <=50K, >50K.",
    ),
    ((*ADULT, "--device", "gpu"), "There is no device 'gpu'; choose auto, cpu, cuda or mps."),
    ((*ADULT, "--background", "nope.csv"), "There is no file 'nope.csv'; check the path."),
    ((*ADULT, "--background", "wine"), "Table 'wine/train' does not fit model adult-mlp@1: "),
    (
        (*ADULT, "--n-background", "100000"),
        "Cannot draw 100000 rows from table 'adult/train', which has 19535; ask for 1 to 19535.",
    ),
    (
        (*ADULT, "--n-background", "0"),
        "Cannot draw 0 rows from table 'adult/train', which has 19535; ask for 1 to 19535.",
    ),
    (
        (*ADULT, "--method", "kernel", "--budget", "20"),
        "A budget of 20 coalitions is too small: 12 features need ",
    ),
    (
        (*ADULT, "--method", "permutation", "--budget", "20"),
        "A budget of 20 coalitions is too small: 12 features need ",
    ),
    (
        (*ADULT, "--method", "kernel", "--budget", "abc"),
        "Settings do not fit: --budget: input should be a valid integer, unable to parse string as "
        "an integer, got 'abc'.",
    ),
    (
        (*ADULT, "--method", "kernel", "--budget", "1", "--tolerance", "2"),
        "Settings do not fit: --budget: input should be greater than or equal to 4, got '1'; "
        "--tolerance: input should be less than 1, got '2'.",
    ),
    (
        (*ADULT, "--method", "exact", "--budget", "64"),
        "Settings do not fit: budget is not a setting, choose among output, link, value.",
    ),
    (
        (*ADULT, "--output", "score", "--link", "logit"),
        "Link 'logit' transforms probabilities; use --output 'probability' of a classifier, or "
        "--link 'identity'.",
    ),
    (("explain", "diabetes-mlp", "diabetes", "--link", "logit"), "Link 'logit' transforms "),
    (
        ("explain", "digits-mlp", "digits", "--method", "exact"),
        "Exact Shapley values need 2^64 coalitions for 64 features, the limit is 16 features; use "
        "--method 'kernel' or 'permutation'.",
    ),
]


@pytest.mark.parametrize(
    ("arguments", "message"), BAD_CALLS, ids=lambda value: " ".join(value[3:])[:30] or None
)
def test_a_call_that_does_not_fit_is_one_sentence(arguments, message, cli, tmp_path):
    out = tmp_path / "out"
    assert complaint(cli(*arguments, "--out", out)).startswith(message)
    assert not out.exists(), "something was written"


def test_more_background_than_the_file_has_rows(cli, people, tmp_path):
    path, out = write(people, tmp_path), tmp_path / "out"
    said = cli("explain", "adult-mlp", path, "--background", path, "--out", out)
    assert complaint(said) == (
        "Cannot draw 100 rows from table 'people', which has 20; ask for 1 to 20."
    )
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*ADULT, "--n-background", "abc"), "Invalid value for '--n-background': 'abc' is not a "
         "valid integer."),
        ((*ADULT, "--seed", "-1"), "Invalid value for '--seed': -1 is not in the range x>=0."),
        ((*ADULT, "--output", "odds"), "Invalid value for '--output': 'odds' is not one of "
         "'probability', 'score'."),
        ((*ADULT, "--nope"), "No such option"),
        (("explain", "adult-mlp"), "Missing argument 'TABLE'."),
        (("explian",), "No such command 'explian'."),
        (("models", "alias", "adult-mlp", "x", "one"), "Invalid value for 'VERSION': 'one' is not "
         "a valid integer."),
        (("report",), None),
    ],
    ids=lambda value: str(value)[-30:],
)  # fmt: skip
def test_a_call_that_is_not_understood_shows_the_usage(arguments, message, cli):
    said = cli(*arguments)
    if message is None:
        assert said.code == 2
        assert "Usage: " in said.out + said.err
    else:
        assert misuse(said).startswith(message)


def test_another_request_has_other_files_and_the_same_one_the_same(cli, tmp_path):
    run = ("explain", "wine-mlp", "wine", "--method", "kernel", "--budget", "64", "--out", tmp_path)
    for more in (("--rows", "0"), ("--rows", "1"), ("--rows", "0", "--seed", "1"), ("--rows", "0")):
        assert cli(*run, *more).code == 0
    assert len(list(tmp_path.glob("*.attribution"))) == 3


def test_out_must_not_be_a_file(cli, tmp_path):
    (tmp_path / "out").write_text("mine")
    assert misuse(cli(*ADULT, "--out", tmp_path / "out")).endswith("is a file.")
    text = complaint(cli(*ADULT, *QUICK, "--out", tmp_path / "out" / "below"))
    assert text == (
        f"Folder {str(tmp_path / 'out' / 'below')!r} cannot be written to; choose another."
    )
    assert (tmp_path / "out").read_text() == "mine"


def test_odd_but_sound_files_are_explained(cli, people, tmp_path):
    one = write(people[:1], tmp_path, "one.csv")
    assert cli("explain", "adult-mlp", one, "--n-background", "12").code == 0
    constant = write(people.assign(hours_per_week=40), tmp_path, "constant.csv")
    assert cli("explain", "adult-mlp", constant, *QUICK).code == 0
    text = complaint(cli("data", "check", write(people[["age"]].assign(same=1), tmp_path)))
    assert text == (
        "Column 'same' has the same value in every row that has one; remove it, it explains "
        "nothing."
    )
    more = write(people.assign(zip_code=1), tmp_path, "more.csv")
    assert cli("explain", "adult-mlp", more, *QUICK, "--ignore-extra-columns").code == 0
    spread = tmp_path / "spread.tsv"
    people.sample(frac=1, axis=1, random_state=0).to_csv(spread, index=False, sep="\t")
    plain = write(people, tmp_path, "plain.csv")
    assert np.array_equal(*(
        values_of(cli("explain", "adult-mlp", path, *QUICK, "--json"))[0]
        for path in (spread, plain)
    ))  # fmt: skip


@pytest.mark.parametrize("name", ["card.json", "card.sha256", "model.safetensors"])
def test_a_damaged_model_is_one_sentence(name, cli, tmp_path):
    folder, out = tmp_path / "mine", tmp_path / "out"
    shutil.copytree(registry_root() / "wine-mlp" / "1", folder)
    assert cli("explain", folder, "wine", *QUICK, "--out", out).code == 0
    shutil.rmtree(out)
    content = bytearray((folder / name).read_bytes())
    content[40] ^= 1
    (folder / name).write_bytes(content)
    text = complaint(cli("explain", folder, "wine", *QUICK, "--out", out))
    assert "edited after it was written" in text or "are not those of its card" in text
    assert not out.exists()


# --- report --------------------------------------------------------------------------------------


@pytest.fixture
def results(cli, tmp_path):
    assert cli(*ADULT, *QUICK, "--out", tmp_path / "out").code == 0
    return tmp_path / "out"


def test_a_report_of_a_folder(results, cli):
    said = cli("report", results, "--title", "Week <12>", "--comment", "Looks & feels right")
    assert (said.code, said.err) == (0, "")
    assert said.out == f"Wrote {results / 'report.html'}\n"
    text = (results / "report.html").read_text(encoding="utf-8")
    assert "Week &lt;12&gt;" in text
    assert "Looks &amp; feels right" in text
    assert "adult-mlp@1" in text


def test_a_report_of_files_goes_where_asked(results, cli, tmp_path):
    [file] = results.glob("*.attribution")
    target = tmp_path / "sub" / "week.html"
    assert cli("report", file, file, "--out", target).out == f"Wrote {target}\n"
    assert target.stat().st_size > 10_000


def test_a_report_shows_the_figures_that_are_asked_for(results, cli, tmp_path):
    (file, *_), target = sorted(results.glob("*.attribution")), tmp_path / "r.json"
    wished = (f"{file.name}=dependence,feature=age", f"{file}=bar,max_features=3")
    said = cli("report", file, "--out", target, "--figure", wished[0], "--figure", wished[1])
    assert said.code == 0
    (entry,) = json.loads(target.read_text(encoding="utf-8"))["results"]
    assert entry["figures"] == [
        {"view": "dependence", "options": {"feature": "age"}},
        {"view": "bar", "options": {"max_features": 3}},
    ]
    for figure, message in [
        ("pie", "Figure 'pie' does not fit: there is no view 'pie' of 'attribution', choose "),
        ("bar,max_features", "Figure 'bar,max_features' has no value for 'max_features'; write "),
        ("bar,max_features=many", "Figure 'bar,max_features=many' does not fit: max_features of "),
        ("dependence,feature=agee", "Figure 'dependence,feature=agee' cannot be drawn: "),
        ("", "Figure '' does not fit: "),
    ]:
        told = complaint(cli("report", file, "--out", target, "--figure", f"{file.name}={figure}"))
        assert told.startswith(message)


def test_a_report_in_several_files_with_card_data_and_remark(results, cli, tmp_path):
    [file] = results.glob("*.attribution")
    page, numbers, tables = (tmp_path / f"r.{name}" for name in ("html", "json", "zip"))
    said = cli("report", results, "--out", page, "--out", numbers, "--out", tables,
               "--level", "auditor", "--remark", f"{file.name}=Mind = this")  # fmt: skip
    assert said.out == "".join(f"Wrote {path}\n" for path in (page, numbers, tables))
    text = page.read_text(encoding="utf-8")
    for part in ("Mind = this", "Appendix for auditors", "Intended use", "The data"):
        assert part in text
    content = json.loads(numbers.read_bytes())
    assert (content["level"], content["results"][0]["remark"]) == ("auditor", "Mind = this")
    assert [card["name"] for card in content["models"]] == ["adult-mlp"]
    assert complaint(cli("report", results, "--out", tmp_path / "r.docx")).endswith(
        "end the name in one of .html, .pdf, .json, .zip, or name the format."
    )
    assert complaint(cli("report", results, "--figure", "other=bar")).startswith(
        "Figure 'other=bar' belongs to none of the results; write FILE=VIEW,OPTION=VALUE with "
    )
    assert complaint(cli("report", results, "--remark", "other=x")) == (
        f"Remark 'other=x' belongs to none of the results; write FILE=TEXT with one of {file.name}."
    )


def test_a_report_of_what_is_no_result_is_one_sentence(results, cli, tmp_path):
    [file] = results.glob("*.attribution")
    empty, target = tmp_path / "empty", tmp_path / "report.html"
    empty.mkdir()
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    csv = next(results.glob("*.csv"))
    for path, message in {
        file: f"Result file {str(file)!r} was changed after it was written; run the analysis "
        "again.",
        csv: f"{str(csv)!r} is not a result file; it may be cut short.",
        empty: f"Folder {str(empty)!r} holds no result file; run a command such as workbench "
        "explain with --out.",
        tmp_path / "nope": f"There is no result file {str(tmp_path / 'nope')!r}.",
    }.items():
        assert complaint(cli("report", path, "--out", target)) == message
    assert not target.exists()


# --- train, the whole ----------------------------------------------------------------------------


def test_train_publishes_where_asked(cli, tmp_path):
    said = cli("train", "wine-mlp", "--into", tmp_path)
    assert (said.code, said.err) == (0, "")
    first, *figures = said.out.splitlines()
    assert first == f"Wrote {tmp_path / 'wine-mlp' / '1'}"
    card = api.load_model(tmp_path / "wine-mlp" / "1").card
    assert figures == [
        f"  {m.name} {m.value:.4f} [{m.low:.4f}, {m.high:.4f}] on 36 test rows"
        for m in card.metrics
    ]


def test_train_says_what_is_wrong(cli, tmp_path):
    assert complaint(cli("train", "nope", "--into", tmp_path)).startswith("There is no recipe")
    assert list(tmp_path.iterdir()) == []


def commands(group, *path):
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


@pytest.mark.parametrize("path", [(), *commands(workbench)], ids=" ".join)
def test_every_command_explains_itself(path):
    said = CliRunner().invoke(workbench, [*path, "--help"])
    assert said.exit_code == 0
    assert said.output.startswith("Usage: ")


# The command that runs the methods of a kind of result.
COMMANDS = {
    "attribution": "explain",
    "interactions": "explain",
    "performance": "evaluate",
    "explainer": "fastshap train",
    "counterfactuals": "counterfactual",
    "local_models": "explain",
    "faithfulness": "compare",
    "measures": "measure",
    "local_functions": "local",
    "scale_curves": "scales",
    "attribution_range": "explain-set",
    "rashomon_set": "rashomon",
    "simpler_models": "simpler",
    "interaction_scores": "interactions",
    "detectors": "detectors",
    "interaction_test": "interaction-test",
    "local_basis": "lib",
    "gap_causes": "gap-causes",
    "fairness_front": "fairness-front",
    "churn": "churn",
    "mitigation": "mitigate",
    "profiles": "profile",
    "halo": "halo",
    "fairness_audit": "fairness",
    "error_audit": "group-errors",
    "attribute_flips": "flips",
    "boundary_people": "people",
    "remedies": "remedies",
}
# Methods of such a kind that have a command of their own.
OWN = {"rashomon.interactions": "interactions-set", "rashomon.profiles": "profile-set"}


def test_every_field_of_a_method_is_a_flag():
    texts = {
        command: CliRunner().invoke(workbench, [*command.split(), "--help"]).output
        for command in {*COMMANDS.values(), *OWN.values()}
    }
    for name, method in api.list_methods().items():
        text = texts[OWN.get(name, COMMANDS[method.yields.kind])]
        for field in method.params.model_fields:
            assert f"--{field.replace('_', '-')} " in text


def failing(error):
    def load(_reference):
        raise error

    return load


def test_a_defect_is_told_apart_from_a_fault(cli, monkeypatch):
    monkeypatch.delenv("WORKBENCH_DEBUG", raising=False)
    monkeypatch.setattr(api, "load_model", failing(ZeroDivisionError("division by zero")))
    said = cli(*ADULT)
    assert (said.code, said.out) == (70, "")
    assert said.err == (
        "Unexpected fault (ZeroDivisionError: division by zero). Set WORKBENCH_DEBUG=1 to see "
        "where it happened, and please report it.\n"
    )
    monkeypatch.setenv("WORKBENCH_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main(list(ADULT))


def test_an_interrupt_is_a_cancel(cli, monkeypatch):
    monkeypatch.setattr(api, "load_model", failing(KeyboardInterrupt()))
    said = cli(*ADULT)
    assert said.code == 130
    assert said.err.strip() == "Cancelled."


class Terminal(io.StringIO):
    """A place that a person looks at."""

    def isatty(self):
        return True


def test_progress_is_drawn_where_somebody_sees_it(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress_bar("Explaining") as progress:
        progress(0, 0, "rows")
        progress(500, 2000, "rows")
        progress(3000, 2000, "rows")
    drawn = sys.stderr.getvalue()
    assert "Explaining: 500 of 2,000 rows" in drawn
    assert " 25%" in drawn
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress_bar("Explaining") as progress:
        assert progress is None


@pytest.mark.parametrize(
    ("arguments", "code", "out", "err"),
    [
        (("models", "verify", "wine-mlp"), 0, r"✓ wine-mlp@1 sha256 [0-9a-f]{64}\n", ""),
        (("explain", "nope", "adult"), 1, "", r"Error: There is no model 'nope'; .*\.\n"),
        (("--nope",), 2, "", r"Usage: workbench .*\nError: No such option.*\n"),
    ],
)
def test_a_process_ends_with_the_code_it_promises(arguments, code, out, err):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "from workbench.cli.main import main; main()",
         *arguments],
        capture_output=True, encoding="utf-8", timeout=120, check=False,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert re.fullmatch(out, done.stdout, re.DOTALL)
    assert re.fullmatch(err, done.stderr, re.DOTALL)


@pytest.mark.parametrize("command", ["explain", "counterfactual"])
def test_a_gap_in_a_row_that_nobody_asks_for_does_not_matter(cli, tmp_path, command):
    frame = api.load_table("wine", split="all").to_frame().head(8).astype(object)
    frame.iloc[2, 0] = None
    path = tmp_path / "some.csv"
    frame.to_csv(path, index=False)
    asked = ("wine-mlp", str(path), "--n-background", "10", "--budget", "1000", "--json")
    said = cli(command, *asked, "--rows", "5")
    assert said.code == 0, said.err
    assert json.loads(said.out)["fields"]["ids"] == [5]
    refused = cli(command, *asked, "--rows", "1:3")
    assert refused.code == 1
    assert "has no value in row 2" in refused.err


def test_help_loads_no_large_library():
    """``workbench --help`` answers at once: what takes seconds to load comes with a command."""
    asked = (
        "import sys\nfrom workbench.cli import main\n"
        "print(*{'torch', 'scipy', 'pandas', 'plotly', 'streamlit'} & set(sys.modules))"
    )
    found = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=120
    )
    assert found.stdout.split() == []
