"""``workbench compare``: the matrix and the recommendation, as text, JSON and files."""

import json

import pytest

import workbench as wb
from tests.command_line import ran
from workbench.cli.main import main

SMALL = ("compare", "wine-mlp", "wine", "--rows", "0:12", "--perturbations", "256")


def test_prints_the_matrix_and_an_answer_to_each_question():
    text = ran(*SMALL)
    result = wb.faithfulness("wine-mlp", wb.load_table("wine")[:12], perturbations=256)
    entries = result.entries()
    line = next(line for line in text.splitlines() if line.strip().startswith("KernelSHAP"))
    shown = line.split()[1:]
    place = result.method_index("kernelshap")
    expected = ["n/a" if v != v else f"{v:.3f}" for v in entries.value[place]]  # noqa: PLR0124
    assert shown == expected
    assert text.count("?") >= 7
    advice = wb.advise(result, "one-removed")
    assert "What if one feature were removed? → Occlusion" in text
    assert advice.method == "occlusion"


def test_one_question_with_a_budget():
    text = ran(*SMALL, "--question", "removed", "--budget", "100")
    assert "What if features were removed? → Integrated gradients" in text
    assert "What if a number moved a little?" not in text
    none = ran(*SMALL, "--question", "removed", "--budget", "1")
    assert "No explanation takes at most 1 pass for a row. Allow at least 3" in none


def test_json_and_files_hold_every_number(tmp_path):
    content = json.loads(ran(*SMALL, "--json"))
    assert content["kind"] == "faithfulness"
    assert content["fields"]["methods"][0] == "lime"
    written = ran(*SMALL, "--out", str(tmp_path))
    assert sum(path.suffix == ".faithfulness" for path in tmp_path.iterdir()) == 1
    assert written.count("Wrote ") == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--question", "why"), "There is no question 'why'; choose one of moved"),
        (("--class", "cultivar 9"), "has no output 'cultivar 9'"),
        (("--scale", "0"), "scale: input should be greater than 0"),
        (("--share", "2"), "share: input should be less than or equal to 1"),
    ],
)
def test_faults_are_one_sentence(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*SMALL, *arguments])
    assert stop.value.code == 1
    told = capsys.readouterr().err
    assert message in told
    assert "Traceback" not in told
