"""Runs of the command line as steps of an analysis file: they run again to the same bits."""

import numpy as np
import pytest
from click.testing import CliRunner

from workbench import api
from workbench.analysis import load_analysis, run_analysis
from workbench.cli.main import workbench
from workbench.core.errors import InvalidInputError, WorkbenchError

CALLS = [
    "explain wine-mlp wine --rows 0:3 --method kernel --budget 256 --seed 2",
    "explain wine-mlp wine --rows 4 --set alcohol=12.5 --method permutation --budget 64",
    "explain wine-mlp wine --row 1 --method lime --perturbations 500",
    "explain wine-mlp wine --split train --rows 5,3 --method integrated-gradients",
    "evaluate diabetes-mlp diabetes",
    "evaluate wine-mlp wine --split all",
    "counterfactual german-mlp german --row 0",
    "fairness german-mlp german --by personal_status --resamples 200",
]


def call(*words):
    done = CliRunner().invoke(workbench, list(words), catch_exceptions=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.mark.parametrize("text", CALLS)
def test_a_run_becomes_a_step_that_gives_its_numbers(text, tmp_path):
    file, out = tmp_path / "a.yaml", tmp_path / "out"
    said = call(*text.split(), "--analysis", str(file), "--out", str(out))
    assert f"Added step {load_analysis(file).steps[0].id} to {file}" in said.output
    run = run_analysis(file)
    assert run.exit_code == 0
    (step,) = run.steps
    assert step.as_expected
    (kept,) = [path for path in out.iterdir() if path.suffix not in {".csv", ".json"}]
    for name, value in vars(api.load_result(kept)).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(getattr(step.result, name), value)


def test_runs_are_added_in_order_and_pinned(tmp_path):
    file = tmp_path / "a.yaml"
    for text in (CALLS[4], CALLS[1], CALLS[1]):
        call(*text.split(), "--analysis", str(file))
    analysis = load_analysis(file)
    assert [step.id for step in analysis.steps] == [
        "performance-evaluate", "shapley-permutation", "shapley-permutation-2",
    ]  # fmt: skip
    assert all(analysis.models.values())
    assert all(entry.digest for entry in analysis.tables.values())
    assert analysis.steps[1].changes == {"alcohol": "12.5"}
    assert analysis.steps[1].rows == (4,)


def test_a_file_of_ones_own_is_named_as_the_analysis_finds_it(tmp_path, monkeypatch):
    table = api.load_table("wine", split="all")
    (tmp_path / "data").mkdir()
    table.to_frame().to_csv(tmp_path / "data" / "wines.csv", index=False)
    monkeypatch.chdir(tmp_path)
    call("explain", "wine-mlp", "data/wines.csv", "--rows", "7", "--analysis", "here/a.yaml")
    analysis = load_analysis("here/a.yaml")
    (step,) = analysis.steps
    assert (step.table, step.split, step.rows) == ("../data/wines.csv", "all", (7,))
    monkeypatch.chdir("/")
    assert run_analysis(tmp_path / "here" / "a.yaml").steps[0].as_expected


def test_what_no_step_can_say_is_refused_before_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(api, "explain", lambda *_, **__: pytest.fail("it ran"))
    explain = ["explain", "wine-mlp", "wine", "--row", "1", "--analysis"]
    with pytest.raises(InvalidInputError, match="no place for --background"):
        call(*explain, str(tmp_path / "a.yaml"), "--background", "wine")
    (tmp_path / "no.yaml").write_text("a: [")
    with pytest.raises(WorkbenchError, match="is not an analysis file"):
        call(*explain, str(tmp_path / "no.yaml"))
    assert not (tmp_path / "a.yaml").exists()
