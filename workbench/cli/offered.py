"""Writes down what a shell may offer: ``python -m workbench.cli.offered``, after a change of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import click

from workbench.cli.candidates import FILE
from workbench.cli.options import MethodCommand

EXPLAINING = ("attribution", "interactions", "local_models")


def what_is_offered() -> dict[str, Any]:
    """Return names of methods, tables and kinds of results, and the flags of each command."""
    from workbench import api  # loads torch
    from workbench.cli.main import workbench
    from workbench.core.results import Tabular
    from workbench.data.readers import SUFFIXES

    methods = api.list_methods().items()
    return {
        "explaining": [name for name, method in methods if method.yields.kind in EXPLAINING],
        "flags": {str(command.name): _flags(command) for command in _commands(workbench)},
        "results": sorted(f".{kind.kind}" for kind in get_args(Tabular)),
        "suffixes": sorted(SUFFIXES),
        "tables": list(api.list_tables()),
    }


def _commands(group: click.Group) -> Iterator[MethodCommand]:
    for command in group.commands.values():
        if isinstance(command, click.Group):
            yield from _commands(command)
        elif isinstance(command, MethodCommand):
            yield command


def _flags(command: MethodCommand) -> list[list[Any]]:
    """Return name, whether it is a switch, choices, and what it is for, of each setting."""
    own = {param.name for param in command.params}
    return [
        [
            option.opts[0].removeprefix("--"), option.is_flag,
            list(option.type.choices) if isinstance(option.type, click.Choice) else [],
            str(option.help).partition(". ")[0].rstrip("."),
        ]
        for option in command.get_params(click.Context(command))
        if isinstance(option, click.Option)
        and option.name not in own
        and "--help" not in option.opts
    ]  # fmt: skip


def text_of_offered() -> str:
    """Return the content of the file."""
    return f"{json.dumps(what_is_offered(), indent=1, ensure_ascii=False)}\n"


if __name__ == "__main__":
    Path(__file__).with_name(FILE).write_text(text_of_offered(), encoding="utf-8")
