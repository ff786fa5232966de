"""What a shell offers: commands, flags and names, fast enough to be asked at every key."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from workbench import api
from workbench.cli import offered
from workbench.cli.candidates import FILE
from workbench.cli.completion import ASKED_BY
from workbench.cli.main import workbench
from workbench.core.table import SPLITS
from workbench.registry.store import registry_root


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WORKBENCH_MODELS", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def offers(*words, text=""):
    asked = ShellComplete(workbench, {}, "workbench", ASKED_BY)
    return [item.value for item in asked.get_completions(list(words), text)]


def test_what_is_written_down_is_what_there_is():
    """After a change of methods, settings or tables: python -m workbench.cli.offered."""
    written = Path(offered.__file__).with_name(FILE).read_text(encoding="utf-8")
    assert written == offered.text_of_offered()


def test_commands_and_flags():
    assert "explain" in offers(text="exp")
    assert {"list", "show", "diff", "add", "remove", "alias"} <= set(offers("models"))
    assert {"--seed", "--budget", "--method", "--set"} <= set(offers("explain", text="--"))
    assert "--budget" not in offers("evaluate", text="--")
    assert offers("explain", "adult-mlp", "adult", "--output") == ["probability", "score"]


def test_models_with_versions_and_aliases(home, tmp_path, monkeypatch):
    names = [entry.name for entry in api.list_models()]
    assert offers("explain") == names
    assert offers("explain", text="wine-mlp@") == ["wine-mlp@1"]
    own = tmp_path / "models"
    for folder in (own / "credit/1", own / "credit/2", home / "people/local/models/mine/1"):
        folder.mkdir(parents=True)
    (own / "credit/aliases.json").write_text('{"tested": 1}')
    monkeypatch.setenv("WORKBENCH_MODELS", str(own))
    assert offers("evaluate") == ["credit", "my:mine"]
    assert offers("evaluate", text="credit@") == ["credit@1", "credit@2", "credit@tested"]
    assert offers("models", "show", text="my:") == ["my:mine"]
    monkeypatch.delenv("WORKBENCH_MODELS")
    (home / "workbench.toml").write_text(f"models = {str(own)!r}\n")
    assert offers("evaluate", text="cr") == ["credit"]


def test_the_registry_is_that_of_the_program():
    assert offers("models", "show") == sorted(
        folder.name for folder in registry_root().iterdir() if (folder / "1").is_dir()
    )


def test_tables_then_files(home, tmp_path):
    (home / "people/local/tables/loans").mkdir(parents=True)
    assert offers("explain", "adult-mlp") == [*api.list_tables(), "my:loans"]
    assert offers("data", "remove") == ["my:loans"]
    (tmp_path / "people.csv").touch()
    (tmp_path / "people.pdf").touch()
    (tmp_path / ".hidden.csv").touch()
    (tmp_path / "peoples").mkdir()
    assert offers("explain", "adult-mlp", text="peo") == ["people.csv", "peoples/"]
    assert offers("explain", "adult-mlp", text="nowhere/peo") == []


def test_methods_splits_and_devices():
    found = offers("explain", "adult-mlp", "adult", "--method")
    assert {"auto", "shapley.exact", "lime.tabular", "shapley.interactions"} <= set(found)
    assert "performance.evaluate" not in found
    assert offers("explain", "adult-mlp", "adult", "--split") == [*SPLITS, "all"]
    assert offers("rashomon", "german-mlp", "german", "--device", text="c") == ["cpu", "cuda"]


@pytest.mark.parametrize(
    ("shell", "known_by"),
    [("bash", "complete -o nosort -F"), ("zsh", "compdef"), ("fish", "complete --no-files")],
)  # fmt: skip
def test_prints_a_script(shell, known_by):
    said = CliRunner().invoke(workbench, ["completion", shell], prog_name="workbench")
    assert said.exit_code == 0
    assert known_by in said.output
    assert f"{ASKED_BY}={shell}_complete" in said.output


def test_answers_a_shell_without_loading_much():
    code = (
        "import sys\nfrom workbench.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(*{'torch', 'numpy', 'pandas', 'pydantic', 'plotly'} & set(sys.modules), "
        "file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True,
        env=os.environ | {ASKED_BY: "bash_complete", "COMP_CWORD": "5",
                          "COMP_WORDS": "workbench explain adult-mlp adult --budget 64"},
    )  # fmt: skip
    assert done.stderr.split() == []
    one = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True,
        env=os.environ | {ASKED_BY: "bash_complete", "COMP_CWORD": "3",
                          "COMP_WORDS": "workbench explain adult-mlp ger"},
    )  # fmt: skip
    assert (one.stdout, one.stderr.split()) == ("plain,german\n", [])
