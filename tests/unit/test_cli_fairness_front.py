"""``workbench fairness-front`` and the report of what it finds."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from tests.fairness_fronts import none_found, some_front
from workbench import api
from workbench.checks import run_checks
from workbench.cli.main import main, workbench
from workbench.core.results import load
from workbench.plots import views_of
from workbench.plots.fairness_front_words import front_sentence
from workbench.registry.store import load_model
from workbench.report import to_json, write_report

QUICK = {"models": 8, "near_copies": 1, "directed": 3, "draws": 100, "explained": 0,
         "explorers": "gaussian-units", "by": "age", "bins": "age=25", "eps": 0.05}  # fmt: skip
FLAGS = [part for name, value in QUICK.items()
         for part in (f"--{name.replace('_', '-')}", str(value))]  # fmt: skip


def run(*arguments):
    return CliRunner().invoke(workbench, ["fairness-front", *arguments], catch_exceptions=False)


def test_says_what_the_api_finds_writes_it_and_publishes_a_model(tmp_path):
    said = run(
        "german-mlp", "german", *FLAGS, "--out", str(tmp_path / "out"), "--save", "german-fairer",
        "--which", "3", "--into", str(tmp_path / "models"),
    )  # fmt: skip
    assert said.exit_code == 0
    (path,) = (tmp_path / "out").glob("*.fairness_front")
    found = load(path)
    again = api.fairness_front("german-mlp", api.load_table("german", split="all"), **QUICK)
    np.testing.assert_array_equal(found.counts, again.counts)
    np.testing.assert_array_equal(found.change, again.change)
    assert front_sentence(found) in said.output
    assert {"WB057", "WB058", "WB064"} <= {word.strip(":") for word in said.output.split()}
    saved = load_model(tmp_path / "models" / "german-fairer" / "1")
    metrics = {metric.name: metric.value for metric in saved.card.metrics}
    assert metrics["accuracy"] == found.accuracy[3, 1, 0]
    assert "decides as the front says" in said.output


def test_prints_json():
    content = json.loads(run("german-mlp", "german", *FLAGS, "--json").output)
    assert content["kind"] == "fairness_front"
    assert {check["code"] for check in content["checks"]} == {"WB057", "WB058", "WB064"}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--save", "A model"], "A model cannot be called 'A model'"),
        (["--into", "x"], "Say under which name to publish the model: --save NAME."),
        (["--by", "colour"], "no column colour"),
    ],
)
def test_says_in_one_sentence_what_is_wrong(flags, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["fairness-front", "german-mlp", "german", *flags])
    assert stopped.value.code == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("result", [some_front(), none_found()])
def test_a_section_of_a_report_holds_answer_figures_tables_and_trust(tmp_path, result):
    page = write_report([result], tmp_path / "report.html", title="Report").read_text()
    assert "The least discriminatory alternative for each gap" in page
    assert "Models that no other beats" in page
    assert page.count('role="img"') == len(views_of(result))
    for found in run_checks(result):
        assert found.code in page
    assert "NaN" not in to_json(result)
