"""``workbench interactions-set`` and ``profile-set``: what they print is what the verbs find."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import workbench as wb
from workbench.cli.main import workbench
from workbench.core.results import load
from workbench.core.wording import percent

SCORED = {"scored": 3, "permutations": 1, "detector": "both", "tolerance": 0.02}
PROFILED = {"profiled": 3, "points": 5, "features": "alcohol,proline", "tolerance": 0.02}


def flags(settings):
    return [part for name, value in settings.items() for part in (f"--{name}", str(value))]


def run(*arguments):
    said = CliRunner().invoke(workbench, arguments, catch_exceptions=False)
    assert said.exit_code == 0, said.output
    return said.output


def test_scores_are_told_with_their_range_and_written(tmp_path):
    said = run("interactions-set", "wine-mlp", "wine", *flags(SCORED), "--top", "4",
               "--class", "cultivar 2", "--out", str(tmp_path))  # fmt: skip
    (path,) = tmp_path.glob("*.interaction_scores")
    found = load(path)
    again = wb.interactions_set("wine-mlp", wb.load_table("wine"), device="cpu", **SCORED)
    np.testing.assert_array_equal(found.mixed, again.mixed)
    np.testing.assert_array_equal(found.numbers, again.numbers)
    assert "'cultivar 2' of wine-mlp@1 and 3 equally good models" in said
    cloud = found.cloud("cultivar 2")
    lines = [line for line in said.splitlines() if "of the variance in this model" in line]
    assert len(lines) == 4
    for at, line in enumerate(lines):
        assert " and ".join(found.set_names[cloud.places[at]]) in line
        assert f"{percent(float(cloud.reference[at]), 2)} of the variance" in line
        ends = " to ".join(percent(float(end[at]), 2) for end in (cloud.low, cloud.high))
        assert ends in line
        assert f"among the 5 strongest of {round(4 * cloud.in_top[at])} of them" in line
        assert "in the loss" in line
    assert "WB040 First in most models" in said
    assert len(list(tmp_path.iterdir())) == 3


def test_profiles_are_told_where_their_band_is_widest(tmp_path):
    said = run(
        "profile-set", "wine-mlp", "wine", *flags(PROFILED), "--top", "1", "--out", str(tmp_path)
    )
    (path,) = tmp_path.glob("*.profiles")
    found = load(path)
    again = wb.profiles_set("wine-mlp", wb.load_table("wine"), device="cpu", **PROFILED)
    np.testing.assert_array_equal(found.mean, again.mean)
    first = found.names[found.widest()[0]]
    assert "4 equally good models are furthest apart" in said
    assert any(line.strip().startswith(first) and "in this model)" in line
               for line in said.splitlines())  # fmt: skip
    assert "and 1 more feature" in said


@pytest.mark.parametrize(
    ("command", "settings", "kind"),
    [("interactions-set", SCORED, "interaction_scores"), ("profile-set", PROFILED, "profiles")],
)
def test_everything_can_be_had_as_json(command, settings, kind):
    content = json.loads(run(command, "wine-mlp", "wine", *flags(settings), "--json"))
    assert content["kind"] == kind
    assert content["fields"]["explorer"] == "gaussian-units"
    wrong = CliRunner().invoke(workbench, [command, "wine-mlp", "wine", "--class", "z"])
    assert "has no output 'z'" in str(wrong.exception)


def test_triples_and_few_models():
    said = run(
        "interactions-set", "diabetes-mlp", "diabetes", "--permutations", "1", "--order", "3",
        "--max-rows", "20", "--scored", "1", "--top", "2", "--tolerance", "0",
    )  # fmt: skip
    assert "Triples" in said
    assert "where 1 were asked for" in said or "1 equally good model" in said
