"""``workbench methods``: which method serves which model."""

import json

import pytest

from tests.command_line import ran
from workbench.cli.main import main

ONE = ("methods", "--model", "wine-mlp", "--method", "fairness.errors", "--method", "lime")


def test_a_run_finds_what_the_record_does_not_say(tmp_path):
    file = tmp_path / "new" / "table.md"
    assert ran(*ONE).splitlines() == [
        f"✓ {'wine-mlp':20}fairness.errors", f"✓ {'wine-mlp':20}lime.tabular",
    ]  # fmt: skip
    refused, works, wrote = ran(*ONE, "--check", "--out", str(file)).splitlines()
    assert refused.startswith(f"✗ {'wine-mlp':20}{'fairness.errors':28}  The model decides ")
    assert works == f"✓ {'wine-mlp':20}lime.tabular"
    assert wrote == f"Wrote {file}"
    text = file.read_text(encoding="utf-8")
    assert "| [For whom the model errs more](fairness.errors.md) | no (1) |" in text
    assert "| [LIME for tables](lime.tabular.md) | works |" in text


def test_json_has_a_record_for_each():
    found = json.loads(ran("methods", "--model", "wine-mlp", "--method", "fastshap", "--json"))
    assert [(one["method"], one["works"]) for one in found] == [("shapley.fastshap", False)]
    assert "a trained explainer" in found[0]["words"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--model", "nope"), "There is no model 'nope'"),
        (("--method", "nope"), "There is no method"),
    ],
)
def test_what_there_is_not_is_one_sentence(arguments, message, capsys):
    with pytest.raises(SystemExit):
        main(["methods", *arguments])
    assert capsys.readouterr().err.startswith(f"Error: {message}")
