"""``workbench fairness``, and the report of what it finds."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from tests.fairness_audits import crossed, many_cells, unequal, with_gaps
from workbench import api
from workbench.checks import run_checks
from workbench.cli.main import workbench
from workbench.core.errors import InvalidInputError
from workbench.core.fairness_metrics import GAPS, RATES
from workbench.core.results import load
from workbench.plots.fairness_words import audit_sentence, conflicts_sentence
from workbench.report import to_json, write_report

QUICK = ["--resamples", "200", "--neighbour-rows", "50"]


def run(*arguments):
    return CliRunner().invoke(workbench, ["fairness", *arguments], catch_exceptions=False)


def test_says_what_the_api_finds_and_writes_it(tmp_path):
    said = run("german-mlp", "german", "--by", "personal_status,age", "--bins", "age=30",
               "--split", "all", *QUICK, "--out", str(tmp_path))  # fmt: skip
    assert said.exit_code == 0, said.output
    (path,) = tmp_path.glob("*.fairness_audit")
    found = load(path)
    again = api.audit(
        "german-mlp", api.load_table("german", split="all"), by="personal_status,age",
        bins="age=30", resamples=200, neighbour_rows=50,
    )  # fmt: skip
    np.testing.assert_array_equal(found.counts, again.counts)
    np.testing.assert_array_equal(found.gaps, again.gaps)
    assert found.partition_names == ("personal_status", "age", "personal_status x age")
    for p in range(3):
        assert audit_sentence(found, p) in said.output
        assert conflicts_sentence(found, p) in said.output
    for group, size in zip(found.group_names[:4], found.sizes[:4], strict=True):
        (line,) = [x for x in said.output.splitlines() if x.startswith(f"  {group}  ")][:1]
        assert f" {size:,} " in line
    assert said.output.count("Equal opportunity difference  ") >= 2
    assert "WB045" in said.output
    assert len(list(tmp_path.iterdir())) == 3


def test_tells_another_rate():
    said = run("german-mlp", "german", "--by", "foreign_worker", "--rate", "selection_rate",
               *QUICK)  # fmt: skip
    assert "whose outcome is" not in said.output.partition("group  ")[0]
    assert "insufficient" not in said.output.partition("group  ")[0]
    assert "?: too few rows to compare" in said.output


def test_prints_json():
    said = run("german-mlp", "german", "--by", "foreign_worker", *QUICK, "--json")
    content = json.loads(said.output)
    assert content["kind"] == "fairness_audit"
    assert {check["code"] for check in content["checks"]} == {"WB045", "WB046", "WB047", "WB048"}


def test_a_number_without_bins_is_asked_for_them():
    with pytest.raises(InvalidInputError, match=r"Column 'age' is a number; .* --bins age=25,60"):
        run("german-mlp", "german", "--by", "age", *QUICK)


@pytest.mark.parametrize("result", [unequal(), with_gaps(), crossed(), many_cells()])
def test_a_section_of_a_report_holds_answers_figures_tables_and_trust(tmp_path, result):
    page = write_report(
        [result], tmp_path / "report.html", title="Report", remarks=["Because <b>it matters</b>"]
    ).read_text()
    for gap in GAPS.values():
        assert gap.title in page
    assert "Rates of the groups" in page
    assert "Because &lt;b&gt;it matters" in page
    for found in run_checks(result):
        assert found.code in page
    assert page.count('role="img"') >= 6
    assert "NaN" not in to_json(result)


def test_the_table_has_a_line_for_each_group_and_rate():
    frame = with_gaps().to_frame()
    assert len(frame) == 5 * len(RATES)
    assert frame[frame["group"] == "Nobody"]["value"].isna().all()
    assert set(frame[frame["group"] == "Nobody"]["reason"]) == {"no rows"}
