"""``workbench churn`` and ``workbench mitigate``: what they print and write."""

import json

import pytest

from tests.command_line import ran
from workbench import api
from workbench.cli.main import main
from workbench.plots.churn_words import churn_sentence, update_sentence
from workbench.plots.mitigation_words import ensemble_sentence

CHURN = ("churn", "german-mlp", "german", "--models", "40", "--device", "cpu")
MITIGATE = (
    "mitigate", "german-mlp", "german", "--models", "40", "--largest", "2", "--judged-largest",
    "2", "--near-copies", "4", "--device", "cpu",
)  # fmt: skip


def test_churn_prints_what_the_engine_found(tmp_path):
    result = api.churn("german-mlp", api.load_table("german"), models=40, device="cpu")
    text = ran(*CHURN, "--out", str(tmp_path))
    assert churn_sentence(result) in text
    assert "likeliest to change" in text
    assert "WB025" in text
    assert text.count("%") > 20
    (file,) = tmp_path.glob("*.churn")
    assert api.load_result(file).worst() == result.worst()
    assert len(list(tmp_path.iterdir())) == 3
    ran("report", str(tmp_path))
    assert "most likely to change" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_an_update_is_told():
    rows = ("--rows", "0:200", "--admission-rows", "300")
    text = ran("churn", "adult-mlp", "adult", *rows, "--models", "30", "--update", "adult-linear")
    result = api.churn(
        "adult-mlp", api.load_table("adult", rows="0:200"), update="adult-linear", models=30,
        admission_rows=300,
    )  # fmt: skip
    assert update_sentence(result) in text


def test_json_holds_every_number():
    content = json.loads(ran(*CHURN, "--json"))
    assert content["kind"] == "churn"
    assert [check["code"] for check in content["checks"]] == ["WB025"]


def test_mitigate_prints_who_judged():
    result = api.mitigate(
        "german-mlp", api.load_table("german"), models=40, largest=2, judged_largest=2,
        near_copies=4, device="cpu",
    )  # fmt: skip
    text = ran(*MITIGATE)
    assert ensemble_sentence(result) in text
    assert "Gaussian weight dropout (independent)" in text
    assert "WB026" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*CHURN, "--update", "wine-mlp"), "decides among other classes"),
        ((*CHURN, "--explorers", "psychic"), "psychic is no explorer"),
        ((*CHURN, "--tolerance", "9"), "Models were looked for at tolerances from 0 to 0.04"),
        ((*CHURN, "--tolerance", "-1"), "choose one of these, or run again with a larger one"),
        ((*CHURN, "--tolerance", "nan"), "not nan"),
        ((*CHURN, "--by", "colour"), "There are no groups by 'colour'"),
        ((*MITIGATE, "--builder", "gaussian-weights", "--independent", "gaussian-weights"),
         "cannot judge independently"),
    ],
)  # fmt: skip
def test_faults_are_one_sentence(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    assert stop.value.code == 1
    told = capsys.readouterr().err
    assert message in told
    assert "Traceback" not in told
