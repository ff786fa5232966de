"""The command line as a whole: its commands, flags, ends and progress."""

import errno
import io
import json
import os
import re
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from tests.command_line import ADULT, complaint
from workbench import api
from workbench.cli.main import main, workbench
from workbench.cli.options import progress_bar


def test_train_publishes_where_asked(cli, tmp_path):
    said = cli("train", "wine-mlp", "--into", tmp_path)
    assert (said.code, said.err) == (0, "")
    first, *figures = said.out.splitlines()
    assert first == f"Wrote {tmp_path / 'wine-mlp' / '1'}"
    card = api.load_model(tmp_path / "wine-mlp" / "1").card
    assert figures == [
        f"  {m.name} {m.value:.4f} [{m.low:.4f}, {m.high:.4f}] on 36 test rows"
        for m in card.metrics
    ]


def test_train_says_what_is_wrong(cli, tmp_path):
    assert complaint(cli("train", "nope", "--into", tmp_path)).startswith("There is no recipe")
    assert list(tmp_path.iterdir()) == []


def commands(group, *path):
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


@pytest.mark.parametrize("path", [(), *commands(workbench)], ids=" ".join)
def test_every_command_explains_itself(path):
    said = CliRunner().invoke(workbench, [*path, "--help"])
    assert said.exit_code == 0
    assert said.output.startswith("Usage: ")


# The command that runs the methods of a kind of result.
COMMANDS = {
    "attribution": "explain",
    "interactions": "explain",
    "performance": "evaluate",
    "explainer": "fastshap train",
    "counterfactuals": "counterfactual",
    "local_models": "explain",
    "faithfulness": "compare",
    "measures": "measure",
    "local_functions": "local",
    "scale_curves": "scales",
    "attribution_range": "explain-set",
    "rashomon_set": "rashomon",
    "simpler_models": "simpler",
    "interaction_scores": "interactions",
    "detectors": "detectors",
    "interaction_test": "interaction-test",
    "local_basis": "lib",
    "gap_causes": "gap-causes",
    "fairness_front": "fairness-front",
    "churn": "churn",
    "mitigation": "mitigate",
    "profiles": "profile",
    "halo": "halo",
    "fairness_audit": "fairness",
    "error_audit": "group-errors",
    "attribute_flips": "flips",
    "boundary_people": "people",
    "remedies": "remedies",
}
# Methods of such a kind that have a command of their own.
OWN = {"rashomon.interactions": "interactions-set", "rashomon.profiles": "profile-set"}


def test_every_field_of_a_method_is_a_flag():
    texts = {
        command: CliRunner().invoke(workbench, [*command.split(), "--help"]).output
        for command in {*COMMANDS.values(), *OWN.values()}
    }
    for name, method in api.list_methods().items():
        text = texts[OWN.get(name, COMMANDS[method.yields.kind])]
        for field in method.params.model_fields:
            assert f"--{field.replace('_', '-')} " in text


def failing(error):
    def load(_reference):
        raise error

    return load


def test_a_defect_is_told_apart_from_a_fault(cli, monkeypatch):
    monkeypatch.delenv("WORKBENCH_DEBUG", raising=False)
    monkeypatch.setattr(api, "load_model", failing(ZeroDivisionError("division by zero")))
    said = cli(*ADULT)
    assert (said.code, said.out) == (70, "")
    assert said.err == (
        "Unexpected fault (ZeroDivisionError: division by zero). Set WORKBENCH_DEBUG=1 to see "
        "where it happened, and please report it.\n"
    )
    monkeypatch.setenv("WORKBENCH_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main(list(ADULT))


def test_a_path_that_is_far_too_long_is_not_told_in_full(cli):
    said = complaint(cli("evaluate", "wine-mlp", "wine", "--out", "y" * 5000))
    assert said == (
        f"'{'y' * 299}…' cannot be read or written: File name too long; choose another path or "
        "change its permissions."
    )


class Full(io.StringIO):
    """A place without room."""

    def write(self, _):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_where_what_comes_out_has_no_room_it_is_told(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", Full())
    with pytest.raises(SystemExit) as stop:
        main(["methods", "--method", "lib.graph"])
    assert stop.value.code == 1
    assert capsys.readouterr().err == (
        "Error: What came out cannot be written: No space left on device; make room, or write "
        "elsewhere.\n"
    )


def test_without_a_standard_output_it_is_quiet(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", None)
    main(["methods", "--method", "lib.graph"])
    assert capsys.readouterr().err == ""


def test_an_interrupt_is_a_cancel(cli, monkeypatch):
    monkeypatch.setattr(api, "load_model", failing(KeyboardInterrupt()))
    said = cli(*ADULT)
    assert said.code == 130
    assert said.err.strip() == "Cancelled."


class Terminal(io.StringIO):
    """A place that a person looks at."""

    def isatty(self):
        return True


def test_progress_is_drawn_where_somebody_sees_it(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress_bar("Explaining") as progress:
        progress(0, 0, "rows")
        progress(500, 2000, "rows")
        progress(3000, 2000, "rows")
    drawn = sys.stderr.getvalue()
    assert "Explaining: 500 of 2,000 rows" in drawn
    assert " 25%" in drawn
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress_bar("Explaining") as progress:
        assert progress is None


@pytest.mark.parametrize(
    ("arguments", "code", "out", "err"),
    [
        (("models", "verify", "wine-mlp"), 0, r"✓ wine-mlp@1 sha256 [0-9a-f]{64}\n", ""),
        (("explain", "nope", "adult"), 1, "", r"Error: There is no model 'nope'; .*\.\n"),
        (("--nope",), 2, "", r"Usage: workbench .*\nError: No such option.*\n"),
    ],
)
def test_a_process_ends_with_the_code_it_promises(arguments, code, out, err):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "from workbench.cli.main import main; main()",
         *arguments],
        capture_output=True, encoding="utf-8", timeout=120, check=False,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert re.fullmatch(out, done.stdout, re.DOTALL)
    assert re.fullmatch(err, done.stderr, re.DOTALL)


@pytest.mark.parametrize("command", ["explain", "counterfactual"])
def test_a_gap_in_a_row_that_nobody_asks_for_does_not_matter(cli, tmp_path, command):
    frame = api.load_table("wine", split="all").to_frame().head(8).astype(object)
    frame.iloc[2, 0] = None
    path = tmp_path / "some.csv"
    frame.to_csv(path, index=False)
    asked = ("wine-mlp", str(path), "--n-background", "10", "--budget", "1000", "--json")
    said = cli(command, *asked, "--rows", "5")
    assert said.code == 0, said.err
    assert json.loads(said.out)["fields"]["ids"] == [5]
    refused = cli(command, *asked, "--rows", "1:3")
    assert refused.code == 1
    assert "has no value in row 2" in refused.err


def test_help_loads_no_large_library():
    """``workbench --help`` answers at once: what takes seconds to load comes with a command."""
    asked = (
        "import sys\nfrom workbench.cli import main\n"
        "print(*{'torch', 'scipy', 'pandas', 'plotly', 'streamlit'} & set(sys.modules))"
    )
    found = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=120
    )
    assert found.stdout.split() == []
