"""``workbench explain --method interactions`` and the verb behind it."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats

import workbench
from workbench import api
from workbench.cli.main import workbench as command
from workbench.core.errors import InvalidInputError, WorkbenchError
from workbench.core.results import Interactions, load
from workbench.engines.shapley.interactions import InteractionsParams
from workbench.plots.interactions import adds_up_sentence, interactions_sentence

EXPLAIN = ("explain", "diabetes-mlp", "diabetes", "--method", "interactions")


def ran(*arguments):
    said = CliRunner().invoke(command, [str(argument) for argument in arguments])
    if said.exception is not None and not isinstance(said.exception, SystemExit):
        raise said.exception
    return said.output


@pytest.fixture(scope="module")
def rows():
    return api.select_rows(api.load_table("diabetes", model=api.load_model("diabetes-mlp")), "0:3")


def test_the_verb_equals_the_engine(rows):
    model = api.load_model("diabetes-mlp")
    got = workbench.interactions("diabetes-mlp", rows, index="FSII", seed=2)
    background = api.background_for(model, rows, seed=2)
    expected = api.interactions(model, rows, background, index="FSII", seed=2)
    assert isinstance(got, workbench.Interactions)
    np.testing.assert_array_equal(got.values, expected.values)
    assert got.provenance.params == InteractionsParams(index="FSII").model_dump(mode="json")


def test_the_verb_reads_frames_and_refuses_what_does_not_fit(rows):
    frame = rows.to_frame()
    got = api.interactions("diabetes-mlp", frame, rows)
    expected = api.interactions("diabetes-mlp", rows, rows)
    np.testing.assert_allclose(got.values, expected.values, atol=1e-9)
    with pytest.raises(InvalidInputError, match="seed must be a whole number"):
        api.interactions("diabetes-mlp", rows, rows, seed=-1)
    with pytest.raises(InvalidInputError, match="strata is not a setting"):
        api.interactions("diabetes-mlp", rows, rows, strata=100)


def test_prints_the_strongest_pairs_of_several_rows(rows):
    said = ran(*EXPLAIN, "--rows", "0:3", "--n-background", 30)
    model = api.load_model("diabetes-mlp")
    result = api.interactions(model, rows, api.background_for(model, rows, n=30))
    lines = said.splitlines()
    assert lines[0] == interactions_sentence(result)
    assert lines[2] == "  mean |k-SII| of pairs for progression, ± 95 % over rows"
    first = result.strongest().iloc[0]
    half = stats.t.ppf(0.975, 2) * first["std_error"]
    assert lines[3] == (
        f"  {first['strength']:.3f} ± {half:.3f}   {first['feature']} and {first['other']}"
    )
    assert "  and 33 more pairs" in lines
    assert f"  {adds_up_sentence(result)}" in lines


def test_prints_one_row_with_signs_and_its_errors():
    said = ran(*EXPLAIN, "--rows", 0, "--n-background", 30, "--index", "SII").splitlines()
    assert said[0].startswith("Row ")
    assert said[2] == (
        "  SII of pairs for progression, ± 95 % from background rows"
    )  # fmt: skip
    assert said[3].lstrip()[0] in "+-"
    model = api.load_model("diabetes-mlp")
    test = api.load_table("diabetes", model=model)
    result = api.interactions(
        model, test[:1], api.background_for(model, test, n=30), index="SII"
    )  # fmt: skip
    first = result.strongest().iloc[0]
    half = stats.t.ppf(0.975, result.background_dof) * first["background_std_error"]
    assert f" ± {half:.3f} " in said[3]
    few = ran(*EXPLAIN, "--rows", 0, "--n-background", 5).splitlines()
    assert few[2] == "  k-SII of pairs for progression"
    assert " ± " not in few[3]


def test_writes_files_that_a_report_reads(tmp_path):
    said = ran(*EXPLAIN, "--rows", "0:2", "--n-background", 5, "--out", tmp_path)
    (file,) = tmp_path.glob("*.interactions")
    assert f"Wrote {file}" in said
    result = load(file)
    assert isinstance(result, Interactions)
    assert {path.suffix for path in tmp_path.iterdir()} == {".interactions", ".csv", ".json"}
    assert ran("report", tmp_path) == f"Wrote {tmp_path / 'report.html'}\n"
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert interactions_sentence(result) in page


def test_json_holds_every_number():
    content = json.loads(ran(*EXPLAIN, "--rows", 0, "--n-background", 5, "--json"))
    assert content["kind"] == "interactions"
    assert np.shape(content["fields"]["values"]) == (1, 10, 10, 1)
    assert "checks" in content


def test_flags_come_from_both_kinds_of_methods_and_fit_their_own():
    text = ran("explain", "--help")
    for field in InteractionsParams.model_fields:
        assert text.count(f"--{field} ") >= 1
    with pytest.raises(WorkbenchError, match="index is not a setting"):
        ran("explain", "diabetes-mlp", "diabetes", "--method", "kernel", "--index", "SII")
    with pytest.raises(WorkbenchError, match="strata is not a setting"):
        ran(*EXPLAIN, "--strata", 64)
