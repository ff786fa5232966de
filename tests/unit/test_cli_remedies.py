"""``workbench remedies``, the verb, and the report of what they make."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from tests.attributions import HOSTILE_BOLD
from tests.remedies import nothing_helps, remedies_of, some_remedies
from workbench import api
from workbench.checks import run_checks
from workbench.cli.main import workbench
from workbench.core.errors import InvalidInputError
from workbench.core.results import load
from workbench.plots.remedies_words import cautions, remedies_sentence, remedy_sentence
from workbench.report import to_json, write_report

GROUPS = {"by": "age", "bins": "age=25"}
QUICK = {"refits": 1, "epochs": 1, "resamples": 100}
TRIED = "reweighing,group_thresholds"
FLAGS = [part for name, value in (GROUPS | QUICK).items() for part in (f"--{name}", str(value))]


def run(*arguments):
    return CliRunner().invoke(workbench, ["remedies", *arguments], catch_exceptions=False)


def test_says_what_the_api_finds_writes_it_and_keeps_a_model(tmp_path):
    out, into = tmp_path / "out", tmp_path / "models"
    said = run(
        "german-mlp", "german", "--try", TRIED, *FLAGS, "--out", str(out),
        "--save", "reweighing=credit-even", "--into", str(into),
    )  # fmt: skip
    assert said.exit_code == 0
    (path,) = out.glob("*.remedies")
    found, table = load(path), api.load_table("german", split="all")
    again = api.remedies("german-mlp", table, **GROUPS, **QUICK, remedies=TRIED)
    np.testing.assert_array_equal(found.decisions, again.decisions)
    np.testing.assert_array_equal(found.gap_changes, again.gap_changes)
    assert remedies_sentence(found) in said.output
    for r in (1, 2):
        assert remedy_sentence(found, r) in said.output
        for text in cautions(found, r):
            assert f"  - {text}" in said.output
    assert all(code in said.output for code in ("WB060", "WB061", "WB062", "WB063"))
    assert len(list(out.iterdir())) == 3
    assert "Published credit-even@1" in said.output
    kept = api.load_model(into / "credit-even" / "1")
    rows = table.split("test")
    decided = kept.predict(rows.X).argmax(1).numpy() == kept.schema.classes.index("good")
    np.testing.assert_array_equal(decided, found.decisions[1] > 0.5)


def test_prints_json():
    said = run("german-mlp", "german", "--try", "group_thresholds", *FLAGS, "--json")
    content = json.loads(said.output)
    assert content["kind"] == "remedies"
    assert [check["code"] for check in content["checks"]] == ["WB060", "WB061", "WB062", "WB063"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--try", "reweighing", "--remedies", "masking"), "--try and --remedies say the same"),
        (("--try", "reweighing", "--save", "reweighing"), "does not name a remedy and a model"),
        (("--try", "magic",), "there is no remedy magic; choose among"),
    ],
)  # fmt: skip
def test_says_what_is_wrong(flags, message):
    with pytest.raises(InvalidInputError, match=message):
        run("german-mlp", "german", *FLAGS, *flags)


def test_a_remedy_that_leaves_no_network_is_not_kept(tmp_path):
    with pytest.raises(InvalidInputError, match="leaves no network that could be kept"):
        run(
            "german-mlp", "german", "--try", "group_thresholds", *FLAGS,
            "--save", "group_thresholds=x", "--into", str(tmp_path),
        )  # fmt: skip
    assert not list(tmp_path.iterdir())


LACKING = replace(
    some_remedies(), gaps=np.full((4, 10, 3), np.nan), gap_changes=np.full((4, 10, 3), np.nan)
)


@pytest.mark.parametrize(
    "result", [some_remedies(searched=True), nothing_helps(), LACKING],
    ids=["helps", "nothing helps", "undefined"],
)  # fmt: skip
def test_a_section_of_a_report_holds_answer_figures_tables_and_trust(tmp_path, result):
    page = write_report([result], tmp_path / "report.html", title="Report").read_text()
    assert "Before and after; changes with 95 % intervals over the same rows" in page
    assert "What each does, and what to watch out for" in page
    assert page.count('role="img"') == (7 if result.trial_of else 6)
    for found in run_checks(result):
        assert found.code in page
    assert "NaN" not in to_json(result)
    assert ">nan" not in page


def test_names_are_shown_as_they_are_in_a_report(tmp_path):
    some = some_remedies()
    hostile = remedies_of(
        some.decisions, some.scores, some.truth, some.group, some.names,
        levels=(HOSTILE_BOLD, "<script>alert(1)</script>"), attribute=HOSTILE_BOLD,
    )  # fmt: skip
    page = write_report([hostile], tmp_path / "report.html", title="Report").read_text()
    body = page.split("<main")[1].split("</main>")[0]
    assert HOSTILE_BOLD not in body
    assert "<script>alert(1)" not in page
