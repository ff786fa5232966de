"""``workbench interactions``."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from workbench import api
from workbench.cli.main import workbench
from workbench.core.errors import InvalidInputError
from workbench.core.results import load

QUICK = ("--permutations", "2")


def run(*arguments):
    return CliRunner().invoke(workbench, ["interactions", *arguments], catch_exceptions=False)


def test_says_what_the_api_finds_and_writes_it(tmp_path):
    said = run("german-mlp", "german", *QUICK, "--detector", "both", "--out", str(tmp_path))
    assert said.exit_code == 0
    (path,) = tmp_path.glob("*.interaction_scores")
    found = load(path)
    rows = api.load_table("german", split="test")
    again = api.interaction_scores("german-mlp", rows, permutations=2, detector="both")
    np.testing.assert_array_equal(found.mixed, again.mixed)
    np.testing.assert_array_equal(found.losses, again.losses)
    assert "What features do together in 'good' of german-mlp@1" in said.output
    for name in found.top(12)["set"]:
        assert name in said.output
    assert "in the loss" in said.output
    assert len(list(tmp_path.iterdir())) == 3


def test_triples_and_outputs_can_be_asked_for():
    said = run("wine-mlp", "wine", *QUICK, "--order", "3", "--top", "2", "--max-rows", "20")
    assert "Triples, and their share of the variance" in said.output
    assert "20 of 36 rows were drawn" in said.output
    content = json.loads(run("diabetes-mlp", "diabetes", *QUICK, "--json").output)
    assert content["kind"] == "interaction_scores"
    assert content["fields"]["n_possible"] == 45


def test_a_class_that_is_not_there_is_refused_before_the_work(monkeypatch):
    def never(*_, **__):
        raise AssertionError("the work began")

    monkeypatch.setattr(api, "interaction_scores", never)
    with pytest.raises(InvalidInputError, match="no output 'red'; choose one of cultivar 1"):
        run("wine-mlp", "wine", "--class", "red")
