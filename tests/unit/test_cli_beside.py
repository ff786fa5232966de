"""Commands on labelled tables group by columns that the model does not read."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from workbench import api
from workbench.cli.main import workbench

COMMANDS = {
    "people": ("people", "--models", "5", "--max-people", "2"),
    "fairness-front": ("fairness-front", "--models", "2", "--directed", "1", "--near-copies", "2",
                       "--draws", "100", "--explained", "0", "--explorers", "gaussian-units"),
    "remedies": ("remedies", "--try", "group_thresholds", "--refits", "0", "--resamples", "200"),
}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_a_column_beside_those_of_the_model_makes_groups(command, tmp_path):
    frame = api.load_table("german", split="all").to_frame()
    frame["region"] = np.where(np.arange(len(frame)) % 3 == 0, "north", "south")
    path = tmp_path / "own.csv"
    frame.to_csv(path, index=False)
    name, *flags = COMMANDS[command]
    asked = [name, "german-mlp", str(path), *flags, "--json"]
    bare = CliRunner().invoke(workbench, asked)
    assert "has column 'region' beyond the schema" in str(bare.exception)
    said = CliRunner().invoke(workbench, [*asked, "--by", "region"], catch_exceptions=False)
    assert said.exit_code == 0
    json.loads(said.stdout)
    assert "north" in said.stdout
