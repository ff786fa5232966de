"""``workbench rashomon`` and its verb: what they print is what the engine returns."""

import json
from dataclasses import replace

import numpy as np
import pytest

import workbench as wb
from tests.command_line import ran
from workbench.cli.main import main
from workbench.core.context import Context
from workbench.core.method import METHODS
from workbench.core.params import parse_params
from workbench.plots.rashomon_words import noise_sentence, rashomon_sentence

ASKED = {"models": 50, "importance": False}
FLAGS = ("--models", "50", "--no-importance")
GERMAN = ("rashomon", "german-mlp", "german", "--rows", "0:40", *FLAGS)


@pytest.fixture(scope="module")
def german():
    return wb.rashomon_set("german-mlp", wb.load_table("german")[:40], device="cpu", **ASKED)


def test_the_verb_hands_over_the_whole_table_that_rows_are_from(german):
    method = METHODS["rashomon.set"]
    whole = wb.load_table("german", split="all")
    rows = whole.split("test")[:40]
    params = parse_params(method.params, ASKED)
    expected = method.explain(wb.load_model("german-mlp"), rows, whole, params, Context())
    np.testing.assert_array_equal(german.low, expected.low)
    assert german.provenance.background == "1,000 rows of german"
    given = wb.rashomon_set("german-mlp", rows, whole, device="cpu", **ASKED)
    np.testing.assert_array_equal(german.metrics, given.metrics)


def test_other_rows_of_the_same_name_are_their_own_table():
    rows = wb.load_table("german")[:60]
    moved = replace(rows, X=rows.X + 0.0, ids=rows.ids.flip(0))
    result = wb.rashomon_set("german-mlp", moved, device="cpu", **ASKED)
    assert result.provenance.background == "60 rows of german/test"
    assert any("also admitted models" in note for note in result.provenance.notes)


def test_a_frame_is_read_with_the_models_schema(german):
    whole = wb.load_table("german", split="all")
    rows = whole.split("test")[:40]
    framed = wb.rashomon_set("german-mlp", rows.to_frame(), whole.to_frame(), device="cpu", **ASKED)
    np.testing.assert_array_equal(framed.metrics, german.metrics)


def test_sentence_table_and_trust_are_printed(german):
    text = ran(*GERMAN)
    assert rashomon_sentence(german) in text
    assert noise_sentence(german) in text
    lines = [line.split() for line in text.splitlines()]
    for t, eps in enumerate(german.tolerances):
        (cells,) = (
            line for line in lines
            if line[:2] in ([f"{eps:.3g}", f"{german.admitted[0, t]:,}"],
                            [f"{eps:.3g}*", f"{german.admitted[0, t]:,}"])
        )  # fmt: skip
        shown = float(cells[cells.index("%") + 1])
        assert shown == pytest.approx(100 * german.metric("ambiguity")[0, t], abs=0.06)
        assert cells[0].endswith("*") == bool(german.below_noise[0, t])
    assert "WB023" in text
    assert rashomon_sentence(german, tolerance=0.04) in ran(*GERMAN, "--tolerance", "0.04")


def test_explorers_are_told_one_after_the_other():
    text = ran(*GERMAN, "--explorers", "gaussian-units,bernoulli-weights")
    assert text.index("(Gaussian unit dropout;") < text.index("(Bernoulli weight dropout;")


def test_models_are_trained_again_with_settings_of_their_own():
    few = ("--method", "retrain", "--models", "4", "--epochs", "3", "--no-importance")
    said = ran(*GERMAN[:5], *few)
    assert "4 candidates of Trained again" in said
    assert "rashomon.retrain · 40 rows of german/test" in said


def test_a_regression_has_a_table_of_its_own():
    text = ran("rashomon", "diabetes-mlp", "diabetes", "--rows", "0:20", *FLAGS)
    assert "in the middle of 20 rows" in text
    assert "ambiguity" not in text.splitlines()[2]


def test_files_and_json(tmp_path):
    content = json.loads(ran(*GERMAN, "--json"))
    assert content["kind"] == "rashomon_set"
    assert {check["code"] for check in content["checks"]} >= {"WB021", "WB022", "WB023"}
    ran(*GERMAN, "--out", str(tmp_path))
    assert {path.suffix for path in tmp_path.iterdir()} == {".rashomon_set", ".csv", ".json"}
    ran("report", str(tmp_path))
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "How far equally good models disagree, by tolerance" in report


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--method", "lime"), "Method 'lime' looks for no equally good models; choose one of set"),
        (("--explorers", "nobody"), "nobody is no explorer, choose among auto"),
        (("--models", "0"), "models: input should be greater than or equal to 2"),
        (("--tolerance", "-1"), "There is no tolerance of -1 here"),
        (("--split", "x"), "There is no split 'x'"),
        (("--class", "none"), "Model german-mlp@1 has no output 'none'"),
    ],
)
def test_faults_are_one_sentence(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*GERMAN, *arguments])
    assert stop.value.code == 1
    told = capsys.readouterr().err
    assert message in told
    assert "Traceback" not in told
