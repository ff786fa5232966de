"""The command line, run inside a test."""

import json
import re
from typing import NamedTuple

import numpy as np
from click.testing import CliRunner

from workbench.cli.main import workbench

ADULT = ("explain", "adult-mlp", "adult")
QUICK = ("--rows", "0:2", "--n-background", "12")


class Said(NamedTuple):
    """What a call left behind."""

    code: int
    out: str
    err: str


def ran(*arguments):
    """What a call printed that has to work; a fault is raised as it is."""
    done = CliRunner().invoke(workbench, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def complaint(said):
    """The one sentence of a call that was refused; nothing else may have been printed."""
    assert said.code == 1, said
    assert said.out == ""
    assert said.err.startswith("Error: ")
    text = said.err.removeprefix("Error: ").removesuffix("\n")
    assert "\n" not in text
    assert text.endswith(".")
    assert not re.search(r"[.!?] [A-Z]", text), "more than one sentence"
    assert "Traceback" not in text
    return text


def misuse(said):
    """The sentence of a call that was not understood, below the usage."""
    assert said.code == 2, said
    assert said.out == ""
    assert said.err.startswith("Usage: ")
    assert "Traceback" not in said.err
    return re.search(r"^Error: (.*)$", said.err, re.MULTILINE)[1]


def write(frame, folder, name="people.csv"):
    frame.to_csv(folder / name, index=False)
    return folder / name


def values_of(said):
    """Attributions, base values, predictions and rows that a call printed as JSON."""
    assert said.code == 0, said.err
    fields = json.loads(said.out)["fields"]
    return [np.array(fields[name]) for name in ("values", "base_values", "predictions", "data")]
