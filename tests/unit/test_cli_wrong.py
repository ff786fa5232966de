"""Whatever is wrong with a call of ``workbench explain`` is one sentence."""

import shutil

import numpy as np
import pandas as pd
import pytest

from tests.command_line import ADULT, QUICK, complaint, misuse, values_of, write
from workbench.registry.store import registry_root


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
