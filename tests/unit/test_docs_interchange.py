"""The examples of docs/interchange.md run, in their order."""

import re
from pathlib import Path

import numpy as np
from click import Context

from workbench.cli.main import workbench as commands

PAGE = (Path(__file__).parents[2] / "docs" / "interchange.md").read_text(encoding="utf-8")


def test_the_examples_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(blocks) == 6
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "docs/interchange.md", "exec"), names)  # noqa: S102 - our own page
    assert "moves probability" in capsys.readouterr().out
    medians = names["table"].set_index("method")["median"]
    assert medians["given"] > medians["kernelshap"], "random numbers are no explanation"
    assert np.isfinite(medians["given"])


def test_the_commands_exist_with_their_flags():
    lines = re.findall(r"^workbench (.*)$", PAGE, flags=re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        name, *rest = line.split()
        command = commands.commands[name]
        known = {flag for p in command.get_params(Context(command)) for flag in p.opts}
        assert {part for part in rest if part.startswith("--")} <= known
