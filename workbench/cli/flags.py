"""The group of all commands: in sections, and with faults told by flags instead of settings."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click

from workbench.cli.options import MethodCommand
from workbench.core.errors import WorkbenchError

QUOTED = r"(?<!\w)'[^']*'(?!\w)"
# Settings that are common words besides: only a colon or an equals sign makes them settings.
WORDS = frozenset({"among", "by", "keep", "most", "order", "within"})
ASKING = "set|leave|lower|raise|choose|use|without|or|and|in|with"


class FlagsGroup(click.Group):
    """Commands in sections, whose faults name flags where the methods name settings."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.sections: dict[str, Mapping[click.Command, str]] = {}

    def add_section(self, title: str, commands: Mapping[click.Command, str]) -> None:
        """Add commands that are listed together, in this order, each with what it tells."""
        self.sections[title] = commands
        for command, told in commands.items():
            command.short_help = told
            self.add_command(command)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands in the order of the sections."""
        first = [str(command.name) for part in self.sections.values() for command in part]
        return [*first, *(name for name in super().list_commands(ctx) if name not in first)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each section with its commands and what they are for."""
        wide = max(map(len, self.list_commands(ctx)))
        for title, commands in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([
                    (f"{command.name:<{wide}}", told) for command, told in commands.items()
                ])

    def invoke(self, ctx: click.Context) -> None:
        """Run the command that is asked for."""
        try:
            super().invoke(ctx)
        except WorkbenchError as error:
            command = self.get_command(ctx, ctx.invoked_subcommand or "")
            if isinstance(command, MethodCommand) and error.args:
                flags = flags_of(command.get_params(ctx))
                error.args = (by_flags(str(error.args[0]), flags), *error.args[1:])
            raise


def flags_of(params: Iterable[click.Parameter]) -> dict[str, str]:
    """Return the flag of each setting."""
    return {
        param.name: max(param.opts, key=len)
        for param in params
        if param.name and isinstance(param, click.Option) and param.opts[0].startswith("--")
    }


def by_flags(sentence: str, flags: Mapping[str, str]) -> str:
    """Write flags for settings, where it is plain that a word is one; quoted words stay.

    Plain are names before a colon at the start of a fault or before ``=``, names with an
    underscore, and names that one is asked to set, choose or leave.

    Examples
    --------
    >>> flags = {"bins": "--bins", "refits": "--refits", "least_rows": "--least-rows",
    ...          "weights": "--weights", "among": "--among"}
    >>> by_flags("bins: write for example bins=age=25.", flags)
    '--bins: write for example --bins age=25.'
    >>> by_flags("Fewer bins, or lower least_rows; set weights to false or refits to 0.", flags)
    'Fewer bins, or lower --least-rows; give --no-weights or --refits 0.'
    >>> by_flags("'least_rows' is no column; choose among 'bins'.", flags)
    "'least_rows' is no column; choose among 'bins'."
    """
    if not flags:
        return sentence
    names = _either(flags)
    sure = _either(flags.keys() - WORDS)
    pattern = re.compile(
        rf"(?P<quoted>{QUOTED})"
        rf"|(?P<off>\bset (?P<switch>{sure}) to (?:false|False)\b)"
        rf"|(?P<verb>\b(?:{ASKING}) )(?P<asked>{sure})(?P<to> to (?=\d|[a-z_]+[,;.]))"
        rf"|(?<![\w-])(?P<equals>{names})=(?=\S)"
        rf"|(?P<start>^|; |fit: )(?P<fault>{names})(?=: )"
        rf"|(?P<ask>\b(?:{ASKING}) )(?P<named>{sure})(?= (?:to|empty|out)\b| ')"
        rf"|(?<![\w-])(?P<long>{sure})(?![\w=-])"
    )

    def told(found: re.Match[str]) -> str:
        return _told(found, flags)

    return pattern.sub(told, sentence)


def _either(names: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True)) or "(?!)"


def _told(found: re.Match[str], flags: Mapping[str, str]) -> str:
    group = {kind: text for kind, text in found.groupdict().items() if text is not None}
    told: dict[str, Callable[[str], str]] = {
        "switch": lambda name: f"give --no-{flags[name].removeprefix('--')}",
        "asked": lambda name: f"{group['verb'].replace('set ', 'give ')}{flags[name]} ",
        "equals": lambda name: f"{flags[name]} ",
        "fault": lambda name: f"{group['start']}{flags[name]}",
        "named": lambda name: f"{group['ask']}{flags[name]}",
        "long": lambda name: flags[name] if "_" in name else name,
    }
    return next((tell(group[kind]) for kind, tell in told.items() if kind in group), found[0])
