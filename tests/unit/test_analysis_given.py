"""An explanation from elsewhere as part of a step: recorded, replayed, refused where it changed."""

import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import workbench as wb
from tests.analyses import SHAP, analysis
from workbench.analysis import load_analysis, run_analysis
from workbench.cli.main import workbench
from workbench.core.errors import AccessError, InvalidInputError
from workbench.workspace.given import find_given, given_entries, keep_given, remove_given

MEASURE = {
    "id": "measure", "method": "lfa.measures", "model": "wine-mlp@1", "table": "wine",
    "split": "test", "rows": "0:3", "background": 30, "given": "shap.csv",
    "params": {"perturbations": 128, "repeats": 20, "copies": 0, "networks": 0},
}  # fmt: skip
SMALL = ("--perturbations", "128", "--n-background", "30", "--device", "cpu")


@pytest.fixture(scope="module")
def rows():
    return wb.load_table("wine", rows="0:3", model=wb.load_model("wine-mlp"))


@pytest.fixture
def file(tmp_path, rows):
    """Attributions of three rows that another program wrote, a line for each row and class."""
    frame = wb.explain("wine-mlp", rows, method="kernel", budget=64, device="cpu").to_frame()
    wide = frame.pivot_table(index=["row", "output"], columns="feature", values="attribution")
    wide.reset_index().to_csv(tmp_path / "shap.csv", index=False)
    return tmp_path / "shap.csv"


def call(*words):
    done = CliRunner().invoke(workbench, [str(word) for word in words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.mark.parametrize("command", ["measure", "compare"])
def test_a_run_against_a_file_becomes_a_step_that_gives_its_numbers(command, file, tmp_path):
    below = tmp_path / "below"
    below.mkdir()
    more = ("--copies", "0", "--networks", "0") if command == "measure" else ()
    said = call(
        command, "wine-mlp", "wine", "--rows", "0:6", "--given", file, *SMALL, *more,
        "--analysis", below / "a.yaml", "--out", below / "out",
    )  # fmt: skip
    assert "Added step lfa-" in said.output
    read = load_analysis(below / "a.yaml")
    assert read.steps[0].given == "../shap.csv"
    assert read.steps[0].rows == (0, 1, 2), "the rows that are explained"
    assert set(read.given) == {"../shap.csv"}
    run = run_analysis(below / "a.yaml", out=tmp_path / "run")
    assert (run.exit_code, run.steps[0].as_expected) == (0, True)
    again = load_analysis(tmp_path / "run/analysis.yaml")
    assert again.steps[0].given == "../shap.csv"
    assert again.given == read.given
    assert run_analysis(tmp_path / "run/analysis.yaml").steps[0].as_expected
    page = (tmp_path / "run/report.html").read_text(encoding="utf-8")
    assert "computed elsewhere, from file shap.csv (sha256 " in page


def test_the_numbers_are_those_of_the_api(file, rows):
    result = run_analysis(analysis(MEASURE), folder=file.parent)["measure"]
    model = wb.load_model("wine-mlp")
    given = wb.import_attribution(file, model, rows)
    background = wb.background_for(model, rows, n=30)
    settings = MEASURE["params"]
    own = wb.measures(model, rows, background, given=given, device="cpu", **settings)
    np.testing.assert_array_equal(result.scores, own.scores)
    assert "given" in result.methods


def test_a_result_and_a_table_without_row_numbers_serve_as_well(file, rows, tmp_path):
    given = wb.import_attribution(file, "wine-mlp", rows)
    first = run_analysis(analysis(MEASURE), folder=tmp_path)["measure"]
    given.save(tmp_path / "shap.attribution")
    result = run_analysis(analysis(MEASURE | {"given": "shap.attribution"}), folder=tmp_path)
    np.testing.assert_array_equal(result["measure"].scores, first.scores)
    lines = [line.partition(",")[2] for line in file.read_text().splitlines()]
    (tmp_path / "bare.csv").write_text("\n".join(lines[:1] + lines[1::3]))
    # One class of three rows, in the order of the rows of the step.
    found = run_analysis(analysis(MEASURE | {"given": "bare.csv"}), folder=tmp_path)["measure"]
    place = found.methods.index("given")
    shown = ~np.isnan(found.scores[:, place]).all((0, 1))
    np.testing.assert_array_equal(
        found.scores[:, place][..., shown], first.scores[:, place][..., shown]
    )


def test_a_changed_file_is_named_and_refused(file, tmp_path):
    made = run_analysis(analysis(MEASURE), folder=tmp_path).analysis
    file.write_text(file.read_text().replace("0.", "0.1", 1))
    with pytest.raises(InvalidInputError, match=r"given explanation 'shap\.csv' is another one "):
        run_analysis(made, folder=tmp_path)
    run = run_analysis(made, folder=tmp_path, changed_is_fine=True)
    assert run.changed
    assert run.steps[0].as_expected is False
    with pytest.raises(InvalidInputError, match="No step uses given explanation 'x'; what may be "):
        run_analysis(made, folder=tmp_path, given={"x": "y"})
    (tmp_path / "moved.csv").write_text(file.read_text())
    file.unlink()
    with pytest.raises(InvalidInputError, match=r"given explanation: There is no file .*shap\.csv"):
        run_analysis(made, folder=tmp_path)
    moved = {"shap.csv": str(tmp_path / "moved.csv")}
    assert run_analysis(made, folder=tmp_path, given=moved, changed_is_fine=True).exit_code == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x80\x04.", "looks like a pickle"),
        (b"alcohol,ash\n1,2\n", "measure: "),
        (b"", "is empty"),
    ],
)
def test_what_is_no_explanation_fails_its_step_in_one_sentence(content, message, tmp_path):
    (tmp_path / "shap.csv").write_bytes(content)
    (fault,) = run_analysis(analysis(MEASURE), folder=tmp_path).faults
    assert message in fault
    assert "\n" not in fault


@pytest.mark.usefixtures("file")
def test_a_file_that_is_too_large_is_refused_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_MAX_FILE_BYTES", "20")
    with pytest.raises(InvalidInputError, match="bytes, the limit is 20"):
        run_analysis(analysis(MEASURE), folder=tmp_path)


@pytest.mark.parametrize("kind", ["pipe", "endless"])
def test_a_pipe_and_a_device_are_refused_before_they_are_read(kind, tmp_path):
    path = tmp_path / "shap.csv"
    os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
    with pytest.raises(InvalidInputError, match=r"'measure', given explanation: .* name a file"):
        run_analysis(analysis(MEASURE), folder=tmp_path)


def test_only_methods_that_take_one_may_name_one():
    with pytest.raises(InvalidInputError, match=r"step 'shap', given: .* takes no explanation"):
        analysis(SHAP | {"given": "x.csv"})
    with pytest.raises(InvalidInputError, match="the digest of 'x' must be 64 hexadecimal digits"):
        analysis(MEASURE, given={"x": "no"})


def test_what_a_person_brought_is_kept_once_found_by_name_and_removed(
    file, rows, tmp_path, monkeypatch
):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    given = wb.import_attribution(file, "wine-mlp", rows)
    about = {"original_name": "../My SHAP.csv", "sha256": "a" * 64, "table": "wine"}
    entry = keep_given("local", given, **about)
    assert entry.reference == "my:my-shap"
    assert keep_given("local", given, **about) == entry
    other = keep_given("local", given, **about | {"sha256": "b" * 64})
    assert other.reference == "my:my-shap-2"
    assert given_entries("local") == (entry, other)
    assert find_given("my:my-shap", "local")[1] == "a" * 64
    step = MEASURE | {"given": "my:my-shap"}
    first = run_analysis(analysis(step, given={"my:my-shap": "a" * 64}))["measure"]
    second = run_analysis(analysis(MEASURE), folder=file.parent)["measure"]
    np.testing.assert_array_equal(first.scores, second.scores)
    remove_given("local", entry.name)
    for reference in ("my:my-shap", "my:../local", "my:", str(file), "/etc/passwd"):
        with pytest.raises(AccessError):
            find_given(reference, "local")
    with pytest.raises(AccessError):
        find_given("my:my-shap-2", "somebody")
    assert not list(Path(tmp_path / "home/people/local/given").glob(".*"))
