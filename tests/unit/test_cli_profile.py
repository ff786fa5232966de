"""``workbench profile`` says what the API finds."""

import json

import numpy as np
from click.testing import CliRunner

from workbench import api
from workbench.cli.main import workbench
from workbench.core.results import load
from workbench.plots.profiles import profile_sentence


def run(*arguments):
    return CliRunner().invoke(workbench, ["profile", *arguments], catch_exceptions=False)


def test_says_what_the_api_finds_and_writes_it(tmp_path):
    said = run("wine-mlp", "wine", "--points", "5", "--out", str(tmp_path))
    assert said.exit_code == 0
    (path,) = tmp_path.glob("*.profiles")
    found = load(path)
    again = api.profiles("wine-mlp", api.load_table("wine", split="test"), points=5)
    np.testing.assert_array_equal(found.mean, again.mean)
    np.testing.assert_array_equal(found.effects, again.effects)
    assert profile_sentence(found) in said.output
    assert len(list(tmp_path.iterdir())) == 3


def test_prints_json_and_names_what_is_wrong():
    content = json.loads(run("diabetes-mlp", "diabetes", "--features", "bmi", "--json").output)
    assert content["kind"] == "profiles"
    said = CliRunner().invoke(workbench, ["profile", "wine-mlp", "wine", "--features", "age"])
    assert "The model has no feature 'age'" in str(said.exception)
