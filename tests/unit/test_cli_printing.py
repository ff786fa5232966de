"""What comes from files cannot steer the terminal, whatever command prints it."""

import io
import json
import re
import shlex
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from safetensors.torch import save_file
from torch import nn

from workbench.cli.printing import echo, harmless

STEERING = "\x1b[31m\x9b31m\x07\x08\u202e\u2066\u200f\u2028"
UNWANTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
NETWORK = "from torch import nn\n\ndef build():\n    return nn.Sequential(nn.Linear(3, 1))\n"
AGE, HOME, PAID = f"a{STEERING}ge", f"h{STEERING}ome", f"p{STEERING}aid"
TABLE = "t\x1b[31m\u202eable.csv"
EXPLAIN = "explain {model} {table} --rows 0:2 --n-background 9 --background {table}"
COMMANDS = [
    "data check {table}",
    "data check {table} --target {paid}",
    "models show {model}",
    "models list",
    "models verify {model}",
    "models diff {model} {model}",
    "list",
    EXPLAIN,
    EXPLAIN + " --method lime --perturbations 200",
    "profile {model} {table} --points 3",
    "evaluate {model} {table}",
    "fairness {model} {table} --by {home} --favourable no --resamples 200 --neighbour-rows 20",
    "counterfactual {model} {table} --rows 0 --budget 1000",
    "run analysis.yaml",
]
FAULTS = [
    ("explain {model} {table} --class {paid}", 1),
    ("explain {model} {model} --rows 0", 1),
    ("explain {paid} {table}", 1),
    ("profile {model} {table} --features {paid}", 1),
    ("data check {paid}.csv", 1),
    ("{paid}", 2),
    ("explain {model} {table} --{paid}", 2),
    ("report {paid}", 1),
    ("run {paid}.yaml", 1),
    ("jobs show {paid}", 1),
]


@pytest.fixture
def said_by(cli, home, tmp_path, monkeypatch):  # noqa: ARG001 - a home of this test's own
    """Runs commands over a table, a model and an analysis that are full of such characters."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKBENCH_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({
        AGE: rng.integers(18, 80, 60), HOME: rng.choice([f"ow{STEERING}n", "rent"], 60),
        PAID: rng.choice(["no", f"y{STEERING}es"], 60),
    })  # fmt: skip
    frame.to_csv(TABLE, index=False)
    (tmp_path / "steered.py").write_text(NETWORK)
    save_file(nn.Sequential(nn.Linear(3, 1)).state_dict(), "weights.safetensors")
    named = {"table": TABLE, "model": "steered", "paid": PAID, "home": HOME}

    def run(command):
        return cli(*(word.format(**named) for word in shlex.split(command)))

    made = run(
        "convert steered:build --state weights.safetensors --table {table} --target {paid} "
        "--encoder tabular --name steered --into models --title {home}"
    )
    assert made.code == 0, made.err
    steps = [{"id": "it", "method": "performance.evaluate", "model": "steered",
              "table": TABLE, "title": PAID}]  # fmt: skip
    (tmp_path / "analysis.yaml").write_text(
        yaml.safe_dump({"format": 1, "title": HOME, "steps": steps})
    )
    return run


@pytest.mark.parametrize("command", COMMANDS)
def test_names_from_files_do_not_steer_the_terminal(command, said_by):
    said = said_by(command)
    assert said.code == 0, said.err
    assert not UNWANTED.search(said.out + said.err)


@pytest.mark.parametrize(("command", "code"), FAULTS)
def test_nor_do_complaints(command, code, said_by):
    said = said_by(command)
    assert (said.code, said.out) == (code, "")
    assert not UNWANTED.search(said.err)


def test_json_stays_the_same_json(capsys):
    content = {AGE: [STEERING, "caf\xe9 \U0001f600 \\u202e"]}
    echo(json.dumps(content, ensure_ascii=False, indent=2))
    printed = capsys.readouterr().out
    assert not UNWANTED.search(printed)
    assert json.loads(printed) == content


def test_tabs_and_line_ends_are_kept_and_half_letters_told():
    assert harmless("a\tb\n\udcff") == "a\tb\n\\udcff"


def test_what_a_terminal_has_no_code_for_is_told_by_number(monkeypatch):
    for encoding, said in (("ascii", "\\u2713 \\u00e9 \\ud83d\\ude00"),
                           ("latin-1", "\\u2713 \xe9 \\ud83d\\ude00")):  # fmt: skip
        printed = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding=encoding))
        echo("\u2713 \xe9 \U0001f600")
        assert printed.getvalue().decode(encoding) == f"{said}\n"
