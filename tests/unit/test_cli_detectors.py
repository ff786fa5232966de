"""``workbench detectors``."""

import json

import numpy as np
from click.testing import CliRunner

from workbench import api
from workbench.cli.main import workbench
from workbench.core.results import load
from workbench.plots.detectors import detectors_sentence

QUICK = ("--permutations", "2", "--shapley-rows", "3", "--shapley-background", "3")


def run(*arguments):
    return CliRunner().invoke(workbench, ["detectors", *arguments], catch_exceptions=False)


def test_says_what_the_api_finds_and_writes_it(tmp_path):
    said = run("diabetes-mlp", "diabetes", *QUICK, "--top", "3", "--out", str(tmp_path))
    assert said.exit_code == 0
    (path,) = tmp_path.glob("*.detectors")
    found = load(path)
    rows = api.load_table("diabetes", split="test")
    again = api.detectors(
        "diabetes-mlp", rows, permutations=2, shapley_rows=3, shapley_background=3
    )
    np.testing.assert_array_equal(found.strengths, again.strengths)
    assert detectors_sentence(found) in said.output
    lines = said.output.splitlines()
    for pair, *ranks in found.top(3).itertuples(index=False, name=None):
        (line,) = [line for line in lines if line.strip().startswith(f"{pair} ")]
        cells = line.strip().removeprefix(pair).split()
        assert cells == ["-" if np.isnan(rank) else f"{rank:.0f}" for rank in ranks]
    assert "WB038 Detectors name one pair" in said.output
    assert len(list(tmp_path.iterdir())) == 3


def test_some_detectors_can_be_asked_alone():
    said = run("german-mlp", "german", "--detectors", "weights,contexts", "--json")
    content = json.loads(said.output)
    assert content["fields"]["detectors"] == ["contexts", "weights"]
    assert [check["code"] for check in content["checks"]] == ["WB038", "WB039"]
