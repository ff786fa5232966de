"""``workbench gap-causes``, the verb, and the report of what they make."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from tests.gap_causes import some_causes, tiny_causes
from workbench import api
from workbench.checks import run_checks
from workbench.cli.main import workbench
from workbench.core.results import load
from workbench.plots.gap_causes_words import gap_sentence, proxy_sentence
from workbench.report import to_json, write_report

QUICK = {"by": "age", "bins": "age=30", "max_rows": 30, "background_rows": 10, "budget": 76}
FLAGS = [part for name, value in QUICK.items()
         for part in (f"--{name.replace('_', '-')}", str(value))]  # fmt: skip


def run(*arguments):
    return CliRunner().invoke(workbench, ["gap-causes", *arguments], catch_exceptions=False)


def test_says_what_the_api_finds_and_writes_it(tmp_path):
    said = run("german-mlp", "german", *FLAGS, "--out", str(tmp_path))
    assert said.exit_code == 0
    (path,) = tmp_path.glob("*.gap_causes")
    found = load(path)
    again = api.gap_causes("german-mlp", api.load_table("german"), **QUICK)
    np.testing.assert_array_equal(found.contributions, again.contributions)
    assert gap_sentence(found) in said.output
    assert proxy_sentence(found) in said.output
    for c in found.order(0)[:3]:
        assert found.names[c] in said.output
    assert "and 12 more" in said.output
    assert "WB053" in said.output
    assert len(list(tmp_path.iterdir())) == 3


def test_prints_json():
    content = json.loads(run("german-mlp", "german", *FLAGS, "--json").output)
    assert content["kind"] == "gap_causes"
    assert {check["code"] for check in content["checks"]} == {"WB053", "WB054"}


@pytest.mark.parametrize("result", [some_causes(), tiny_causes("regression")])
def test_a_section_of_a_report_holds_answer_figures_tables_and_trust(tmp_path, result):
    page = write_report([result], tmp_path / "report.html", title="Report").read_text()
    assert "Gaps in mean score" in page
    assert "What features add to the gaps" in page
    assert page.count('role="img"') == 2
    for found in run_checks(result):
        assert found.code in page
    assert "NaN" not in to_json(result)
