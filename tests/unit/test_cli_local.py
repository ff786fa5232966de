"""``workbench local``, ``scales`` and ``measure``: what they print is what the API returns."""

import json

import pytest

import workbench as wb
from tests.command_line import ran
from workbench.cli.main import main

LOCAL = ("local", "wine-mlp", "wine", "--rows", "5")


def test_a_function_is_told_with_its_largest_coefficients_and_what_it_misses():
    text = ran(*LOCAL, "--operator", "mask", "--law", "shapley")
    rows = wb.load_table("wine")[5:6]
    result = wb.local_functions("wine-mlp", rows, operator="mask", law="shapley")
    values = result.coefficients[0, :, result.output_index(None)]
    largest = int(abs(values).argmax())
    line = next(line for line in text.splitlines() if " ± " in line and "95 %" not in line)
    assert line.strip().startswith(f"{values[largest]:+.4f} ± ")
    assert result.names[largest] in line
    assert f"misses {100 * result.share_missed()[0]:.1f} %" in text


def test_scales_are_told_with_their_intervals():
    text = ran("scales", "wine-mlp", "wine", "--rows", "5", "--count", "4")
    result = wb.scale_curves("wine-mlp", wb.load_table("wine")[5:6], count=4)
    for scale, missed in zip(result.scales, result.curve().middle, strict=True):
        assert any(
            line.split()[:2] == [f"{scale:.3g}", f"{missed:.3f}"] for line in text.splitlines()
        )  # fmt: skip


def test_measures_are_told_by_their_medians():
    asked = {"perturbations": 64, "repeats": 20, "copies": 0, "networks": 0}
    flags = [part for name, value in asked.items() for part in (f"--{name}", str(value))]
    text = ran("measure", "wine-mlp", "wine", "--rows", "0:6", *flags)
    result = wb.measures("wine-mlp", wb.load_table("wine")[:6], **asked)
    middle = result.summary().median[:, result.measures.index("sparseness")]
    line = next(line for line in text.splitlines() if line.strip().startswith("Sparseness"))
    assert line.split()[1:] == [f"{value:.3g}" for value in middle]
    assert "n/a" in text


def test_files_and_json(tmp_path):
    content = json.loads(ran(*LOCAL, "--json"))
    assert content["kind"] == "local_functions"
    ran(*LOCAL, "--out", str(tmp_path))
    ran("scales", "wine-mlp", "wine", "--count", "3", "--out", str(tmp_path))
    assert {path.suffix for path in tmp_path.iterdir()} == {
        ".local_functions", ".scale_curves", ".csv", ".json",
    }  # fmt: skip
    ran("report", str(tmp_path))
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "How far a linear explanation holds" in report


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--operator", "scale"), "choose --loss 'gradient', or --operator 'mask'"),
        (("--function", "sparse", "--num-features", "99"), "--num-features is 99, and model"),
        (("--scale", "-1"), "--scale: input should be greater than 0"),
        (("--class", "none"), "has no output 'none'"),
    ],
)
def test_faults_are_one_sentence(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*LOCAL, *arguments])
    assert stop.value.code == 1
    told = capsys.readouterr().err
    assert message in told
    assert "Traceback" not in told


def test_without_checks_and_notes_nothing_is_said_of_trust():
    text = ran("scales", "wine-mlp", "wine", "--rows", "5", "--count", "2")
    assert "How far to trust this" not in text
