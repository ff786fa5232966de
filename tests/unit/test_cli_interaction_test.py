"""``workbench interaction-test``, the verb, and the report of what they make."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from tests.interaction_tests import some_test, tiny_test
from workbench import api
from workbench.checks import run_checks
from workbench.cli.main import workbench
from workbench.core.results import load
from workbench.plots.interaction_test import interaction_test_sentence, loss_sentence
from workbench.report import to_json, write_report

QUICK = {"simulations": 5, "refits": 2, "epochs": 1, "permutations": 1}
FLAGS = [part for name, value in QUICK.items() for part in (f"--{name}", str(value))]


def run(*arguments):
    return CliRunner().invoke(workbench, ["interaction-test", *arguments], catch_exceptions=False)


def test_says_what_the_api_finds_and_writes_it(tmp_path):
    said = run("wine-mlp", "wine", *FLAGS, "--out", str(tmp_path))
    assert said.exit_code == 0
    (path,) = tmp_path.glob("*.interaction_test")
    found = load(path)
    again = api.interaction_test("wine-mlp", api.load_table("wine", split="all"), **QUICK)
    np.testing.assert_array_equal(found.observed, again.observed)
    np.testing.assert_array_equal(found.p, again.p)
    assert interaction_test_sentence(found) in said.output
    assert loss_sentence(found) in said.output
    for i in found.order[:3]:
        assert found.pair_names[i] in said.output
    assert "and 66 more" in said.output
    assert "WB036" in said.output
    assert len(list(tmp_path.iterdir())) == 3


def test_prints_json():
    content = json.loads(run("diabetes-mlp", "diabetes", *FLAGS, "--json").output)
    assert content["kind"] == "interaction_test"
    assert {check["code"] for check in content["checks"]} == {"WB036", "WB037"}


@pytest.mark.parametrize("result", [some_test(), tiny_test("regression")])
def test_a_section_of_a_report_holds_answer_figure_tables_and_trust(tmp_path, result):
    page = write_report([result], tmp_path / "report.html", title="Report").read_text()
    assert "How well each predicts" in page
    assert "Share of the variance of each pair" in page
    assert page.count('role="img"') == 1
    for found in run_checks(result):
        assert found.code in page
    assert "NaN" not in to_json(result)


def test_the_table_has_a_line_for_each_pair():
    result = tiny_test()
    frame = result.to_frame()
    assert len(frame) == 10
    assert frame["observed"].is_monotonic_decreasing
    assert set(frame["verdict"]) <= {
        "in the data", "any network shows as much", "in this model alone", "of no importance",
    }  # fmt: skip
