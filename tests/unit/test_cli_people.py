"""``workbench people``, and the report of what it makes."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from tests.boundary_people import some_people, tiny_people, without_ranges
from workbench import api
from workbench.checks import run_checks
from workbench.cli.main import workbench
from workbench.core.results import load
from workbench.plots.boundary_words import people_sentence, person_sentence
from workbench.report import to_json, write_report

QUICK = ("--models", "20", "--max-people", "4", "--who", "wrongly_refused")


def run(*arguments):
    return CliRunner().invoke(workbench, ["people", *arguments], catch_exceptions=False)


def test_says_what_the_api_finds_and_writes_it(tmp_path):
    said = run("german-mlp", "german", *QUICK, "--top", "2", "--out", str(tmp_path))
    assert said.exit_code == 0
    (path,) = tmp_path.glob("*.boundary_people")
    found = load(path)
    again = api.boundary_people(
        "german-mlp", api.load_table("german"), models=20, max_people=4, who="wrongly_refused"
    )
    np.testing.assert_array_equal(found.scores, again.scores)
    np.testing.assert_array_equal(found.otherwise, again.otherwise)
    np.testing.assert_array_equal(found.neighbour_ids, again.neighbour_ids)
    assert people_sentence(found) in said.output
    first, second, third, _ = (int(row) for row in found.ids[found.chosen])
    assert person_sentence(found, first) in said.output
    assert person_sentence(found, second) in said.output
    assert f"Row {third}:" not in said.output
    assert "and 2 more" in said.output
    assert "WB055" in said.output
    assert len(list(tmp_path.iterdir())) == 3


def test_prints_json():
    content = json.loads(run("german-mlp", "german", *QUICK, "--json").output)
    assert content["kind"] == "boundary_people"
    assert {check["code"] for check in content["checks"]} == {"WB055", "WB056"}


@pytest.mark.parametrize("result", [some_people(), tiny_people("multiclass"), without_ranges()])
def test_a_section_of_a_report_holds_answer_figures_tables_and_trust(tmp_path, result):
    page = write_report([result], tmp_path / "report.html", title="Report").read_text()
    assert "The closest to the boundary" in page
    assert "the most similar one who is decided otherwise" in page
    assert page.count('role="img"') == 3
    for found in run_checks(result):
        assert found.code in page
    assert "NaN" not in to_json(result)
