"""``workbench group-errors``."""

import json

import numpy as np
from click.testing import CliRunner

from workbench import api
from workbench.cli.main import workbench
from workbench.core.results import load
from workbench.plots.error_audit import errors_sentence


def run(*arguments):
    return CliRunner().invoke(workbench, ["group-errors", *arguments], catch_exceptions=False)


def test_says_what_the_api_finds_and_writes_it(tmp_path):
    said = run("diabetes-mlp", "diabetes", "--resamples", "200", "--out", str(tmp_path))
    assert said.exit_code == 0
    (path,) = tmp_path.glob("*.error_audit")
    found = load(path)
    again = api.error_audit("diabetes-mlp", api.load_table("diabetes"), resamples=200)
    np.testing.assert_array_equal(found.gaps, again.gaps)
    assert errors_sentence(found, 0) in said.output
    assert "root mean squared error" in said.output


def test_prints_json():
    content = json.loads(run("diabetes-mlp", "diabetes", "--resamples", "200", "--json").output)
    assert content["kind"] == "error_audit"


def test_points_a_model_of_classes_to_the_audit_of_decisions():
    said = CliRunner().invoke(workbench, ["group-errors", "german-mlp", "german"])
    assert "compare its rates by group instead (workbench fairness" in str(said.exception)
