"""Small networks trained anew, and the command that prints what they take."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from workbench.cli.lib_experiments import NAMES
from workbench.cli.main import workbench
from workbench.core.context import Context
from workbench.core.errors import CancelledError, InvalidInputError
from workbench.operations.lib_experiments import RECIPES, needed_by


def test_the_command_offers_every_experiment():
    assert set(NAMES) == set(RECIPES)


def test_a_table_is_printed_for_each_basis():
    said = CliRunner().invoke(workbench, ["lib-experiments", "wine", "--seeds", "2"])
    assert said.exit_code == 0, said.output
    head, _, *lines = said.output.strip().split("\n")
    assert "2 networks" in head
    assert [line.split("  ")[0] for line in lines] == [
        "Local Interaction Basis", "Principal components", "Neurons",
    ]  # fmt: skip
    found = list(needed_by("wine", 2, Context()))
    own = [sum(one.edges) for one in found if one.basis == "lib"]
    assert f"{np.mean(own):.0f} ({min(own)} to {max(own)})" in lines[0]


def test_what_does_not_exist_is_named():
    with pytest.raises(InvalidInputError, match="no experiment 'cifar'; choose one of digits"):
        list(needed_by("cifar", 1, Context()))
    with pytest.raises(InvalidInputError, match="At least 1 network"):
        list(needed_by("wine", 0, Context()))
    said = CliRunner().invoke(workbench, ["lib-experiments", "cifar"])
    assert said.exit_code == 2


def test_the_seed_is_that_of_the_first_network_and_little_memory_changes_nothing():
    call = ["lib-experiments", "wine", "--json"]
    said = CliRunner().invoke(workbench, [*call, "--seeds", "2"])
    again = CliRunner().invoke(workbench, [*call, "--seeds", "1", "--seed", "1", "--memory", "1MB"])
    assert again.exit_code == 0, again.output
    later = [one for one in json.loads(said.stdout)["counts"] if one["seed"] == 1]
    assert json.loads(again.stdout)["counts"] == later


def test_it_can_be_cancelled():
    def stop(_done, _total, _what):
        raise CancelledError("enough")

    with pytest.raises(CancelledError):
        list(needed_by("wine", 1, Context(progress=stop)))
