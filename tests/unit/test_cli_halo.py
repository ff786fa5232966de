"""``workbench halo`` says what the API finds."""

import json

import numpy as np
from click.testing import CliRunner

from workbench import api
from workbench.cli.main import workbench
from workbench.core.results import load
from workbench.plots.halo import halo_sentence

QUICK = ("--top", "2", "--permutations", "1", "--max-rows", "60")


def run(*arguments):
    return CliRunner().invoke(workbench, ["halo", *arguments], catch_exceptions=False)


def test_says_what_the_api_finds_and_writes_it(tmp_path):
    said = run("diabetes-mlp", "diabetes", *QUICK, "--out", str(tmp_path))
    assert said.exit_code == 0
    (path,) = tmp_path.glob("*.halo")
    found = load(path)
    rows = api.load_table("diabetes", split="test")
    again = api.halo("diabetes-mlp", rows, top=2, permutations=1, max_rows=60)
    np.testing.assert_array_equal(found.excess, again.excess)
    np.testing.assert_array_equal(found.scores, again.scores)
    assert halo_sentence(found) in said.output
    assert f"  {' and '.join(found.set_names[1])}" in said.output
    assert "WB034" in said.output
    assert "another 0" in said.output
    assert len(list(tmp_path.iterdir())) == 3


def test_prints_json_of_a_named_pair():
    said = run("diabetes-mlp", "diabetes", *QUICK, "--pair", "bmi,age", "--angles", "2", "--json")
    content = json.loads(said.output)
    assert content["kind"] == "halo"
    assert np.shape(content["fields"]["masks"]) == (1, 8, 2)
    wrong = CliRunner().invoke(workbench, ["halo", "diabetes-mlp", "diabetes", "--pair", "bmi"])
    assert "pair names 1 features and order is 2" in str(wrong.exception)
