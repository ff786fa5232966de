"""``workbench flips``, the verb, and the report of what they make."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from tests.flips import by_income, flips_of, people, some_flips
from workbench import api
from workbench.checks import run_checks
from workbench.cli.main import workbench
from workbench.core.errors import InvalidInputError
from workbench.core.results import load
from workbench.plots.flips_words import flips_sentence, plausible_sentence, score_sentence
from workbench.report import to_json, write_report


def run(*arguments):
    return CliRunner().invoke(workbench, ["flips", *arguments], catch_exceptions=False)


def test_says_what_the_api_finds_and_writes_it(tmp_path):
    said = run("adult-mlp", "adult", "--by", "sex", "--out", str(tmp_path))
    assert said.exit_code == 0
    (path,) = tmp_path.glob("*.attribute_flips")
    found = load(path)
    again = api.flips("adult-mlp", api.load_table("adult"), by="sex")
    np.testing.assert_array_equal(found.scores, again.scores)
    np.testing.assert_array_equal(found.support, again.support)
    for sentence in (flips_sentence, score_sentence, plausible_sentence):
        assert sentence(found) in said.output
    assert "Female (2,156)" in said.output
    assert "WB050" in said.output
    assert len(list(tmp_path.iterdir())) == 3


def test_bins_modes_and_margins_are_flags():
    said = run("german-mlp", "german", "--by", "age", "--bins", "age=25,60", "--json")
    content = json.loads(said.output)
    assert content["kind"] == "attribute_flips"
    assert content["fields"]["levels"] == [["below 25", "25 to below 60", "60 and over"]]
    assert {check["code"] for check in content["checks"]} == {"WB050", "WB051"}
    drawn = run("german-mlp", "german", "--by", "foreign_worker", "--mode", "uniform",
                "--margin", "0.1")  # fmt: skip
    assert "106 inputs drawn from all that the schema allows" in drawn.output


def test_a_number_is_refused_in_a_sentence():
    with pytest.raises(InvalidInputError, match="predicts a number"):
        run("diabetes-mlp", "diabetes", "--by", "sex")


@pytest.mark.parametrize(
    "result", [some_flips(), some_flips("conditional"), flips_of(by_income, people(50))]
)
def test_a_section_of_a_report_holds_answer_figures_tables_and_trust(tmp_path, result):
    page = write_report([result], tmp_path / "report.html", title="Report").read_text()
    assert "Whose decision changes, with 95 % intervals" in page
    assert "if everybody were of one group" in page
    assert ("Values that hardly ever go together" in page) == bool(result.pairs)
    assert page.count('role="img"') == 3
    for found in run_checks(result):
        assert found.code in page
    assert "NaN" not in to_json(result)
