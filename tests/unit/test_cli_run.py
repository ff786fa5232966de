"""``workbench run``: what it prints, what it writes, and its exit codes."""

import json
import re
from pathlib import Path

import pytest

from tests.analyses import RIGHT, SHAP, analysis
from workbench.analysis import load_analysis, save_analysis
from workbench.cli.main import main

ROOT = Path(__file__).parents[2]
LOW = {"step": "right", "value": "value", "where": {"metric": "accuracy", "class": ""}}


@pytest.fixture
def cli(capsys):
    """Runs the command line in this process; returns exit code, output and errors."""

    def run(*arguments):
        code = 0
        try:
            main(["run", *map(str, arguments)])
        except SystemExit as stop:
            code = stop.code
        return code, *capsys.readouterr()

    return run


def written(tmp_path, *steps, **fields):
    return save_analysis(analysis(*steps, **fields), tmp_path / "a.yaml")


def test_the_example_of_the_documentation_passes(cli, tmp_path):
    code, out, err = cli(ROOT / "docs/examples/adult.yaml", "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    assert "✓ shap: shapley.exact, " in out
    assert re.search(r"accuracy 0\.864\d* \(0\.854\d* to 0\.873\d*\) is not surely below", out)
    page = (ROOT / "docs/analysis-files.md").read_text(encoding="utf-8")
    assert (ROOT / "docs/examples/adult.yaml").read_text(encoding="utf-8") in page
    assert (tmp_path / "out/report.html").stat().st_size > 10_000


def test_a_condition_that_holds_ends_with_3_and_the_reason(cli, tmp_path):
    path = written(tmp_path, SHAP, RIGHT, fail_if=[LOW | {"below": 1.1}])
    code, out, err = cli(path)
    assert code == 3
    assert "✗ right: accuracy" in out
    assert re.fullmatch(r"Failed: right: accuracy .* is below 1\.1: fails\.\n", err)
    code, out, _ = cli(path, "--only", "shap")
    assert (code, "- right: not run this time, so not asked." in out) == (0, True)


def test_a_title_does_not_steer_the_terminal(cli, tmp_path):
    code, out, _ = cli(written(tmp_path, RIGHT, title="\x1b[31mred\a \u202eback"))
    assert code == 0
    assert out.startswith("\\u001b[31mred\\u0007 \\u202eback\n")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"fail_if": [LOW | {"where": {"metric": "no"}, "below": 1}]},
            "Error: Nothing was run: fail_if 1, where: no row will have 'no' in column 'metric'",
        ),
        ({"models": {"wine-mlp@1": "0" * 64}}, "Error: Nothing was run: model 'wine-mlp@1' is ano"),
    ],
    ids=["cell", "digest"],
)
def test_faults_end_with_1(cli, tmp_path, change, message):
    code, _, err = cli(written(tmp_path, SHAP, RIGHT, **change))
    assert code == 1
    assert err.startswith(message)
    assert err.count("\n") == 1


def test_numbers_beyond_the_tolerance_end_with_3(cli, tmp_path):
    path = written(tmp_path)
    assert cli(path, "--out", tmp_path / "out")[0] == 0
    code, out, _ = cli(tmp_path / "out/analysis.yaml", "--against", tmp_path / "out")
    assert (code, "shap: the same numbers, bit for bit." in out) == (0, True)
    assert "the numbers that were expected, bit for bit" in out
    code, out, err = cli(path, "--against", tmp_path / "out", "--seed", 3)
    assert code == 3
    assert "the tolerance is 0: beyond." in err


def test_json_says_the_same(cli, tmp_path):
    code, out, _ = cli(written(tmp_path, SHAP, RIGHT, fail_if=[LOW | {"below": 0.1}]), "--json")
    said = json.loads(out)
    assert (code, said["exit_code"], said["conditions"][0]["holds"]) == (0, 0, False)
    assert [step["kind"] for step in said["steps"]] == ["attribution", "performance"]


def test_what_is_not_understood_is_told(cli, tmp_path):
    path = written(tmp_path)
    for arguments, message in [
        (("--model", "x"), "--model 'x' is not understood; write the name in the file, ="),
        (
            ("--model", "wine-mlp=./a", "--model", "wine-mlp=./b"),
            "--model says twice what to take for 'wine-mlp'; give one of them.",
        ),
        (("--table", "adult=german"), "No step uses table 'adult'"),
        (("--only", "nope"), "There is no step 'nope'; choose one of shap."),
        (("--reuse",), "--reuse needs a folder; name one with --out."),
        (("--device", "abacus"), "There is no device 'abacus'"),
    ]:
        code, out, err = cli(path, *arguments)
        assert (code, out) == (1, "")
        assert message in err
    assert cli(tmp_path / "none.yaml")[2] == (
        f"Error: There is no analysis file {str(tmp_path / 'none.yaml')!r}.\n"
    )


def test_a_pinned_copy_is_an_analysis(cli, tmp_path):
    cli(written(tmp_path), "--out", tmp_path / "out")
    made = load_analysis(tmp_path / "out/analysis.yaml")
    assert all(len(digest) == 64 for digest in made.models.values())
    assert len(made.steps[0].expect) == 64
