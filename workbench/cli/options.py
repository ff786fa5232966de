"""The flags of commands: common ones, and those made from the methods' parameter models."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import click

from workbench.cli.candidates import (
    background_names,
    devices,
    known_flags,
    model_names,
    splits,
    table_names,
)
from workbench.cli.printing import harmless

if TYPE_CHECKING:
    from workbench.core.context import Progress

POSITIONS = "5, 0:200, or 3,7,11; -1 is the last"


class MethodCommand(click.Command):
    """A command with one flag for each field of any method's parameter model.

    The flags are made when they are first needed: the engines take a second to load, and
    ``workbench --help`` should not. Only methods that yield results of kind ``yields`` count, and
    of those only the one that ``only`` names, if it does.
    """

    def __init__(
        self, *arguments: Any, yields: str = "attribution", only: str | None = None, **settings: Any
    ) -> None:
        super().__init__(*arguments, **settings)
        self.yields, self.only = yields, only

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own flags, then those of the methods."""
        if ctx.resilient_parsing:  # a shell asks for what may come next, and cannot wait
            return [*super().get_params(ctx), *known_flags(self.name)]
        return [*super().get_params(ctx), *_method_options(self.yields, self.only)]


def _method_options(yields: str, only: str | None) -> Iterator[click.Option]:
    from workbench.api import list_methods  # loads torch

    fields: dict[str, tuple[Any, list[str]]] = {}
    chosen = {
        name: m
        for name, m in list_methods().items()
        if m.yields.kind == yields and only in {None, name}
    }
    names = {name.partition(".")[2]: name for name in chosen}
    for name, method in chosen.items():
        for field, info in method.params.model_fields.items():
            fields.setdefault(field, (info, []))[1].append(name.partition(".")[2])
    for field, (info, methods) in fields.items():
        kinds = [chosen[names[name]].params.model_fields[field].annotation for name in methods]
        choices = _union(kinds)
        default = "" if info.default in {None, "", ()} else f" Default: {_told(info.default)}."
        flag, is_switch = f"--{field.replace('_', '-')}", info.annotation is bool
        given: dict[str, Any] = {"default": None} if is_switch else {
            "type": click.Choice(choices) if choices else str,
            "metavar": None if choices else _kind_of(kinds),
        }  # fmt: skip
        yield click.Option(
            [f"{flag}/--no-{flag[2:]}" if is_switch else flag, field],
            **given,
            help=f"{info.description}{default} ({', '.join(methods)})",
        )


def _kind_of(kinds: Iterable[Any]) -> str:
    """Say what a flag takes; the methods' own models check it, and say better what is wrong."""
    named = {kind for whole in kinds for kind in (get_args(whole) or (whole,))} - {type(None)}
    if named == {int}:
        return "INTEGER"
    return "NUMBER" if named and named <= {int, float} else "TEXT"


def _told(default: Any) -> str:
    return ", ".join(map(str, default)) if isinstance(default, tuple) else str(default)


def _union(kinds: Iterable[Any]) -> tuple[str, ...]:
    """Return what any of several fields of one name may be chosen as; none for a free one."""
    if not all(get_origin(kind) is Literal for kind in kinds):
        return ()
    return tuple(dict.fromkeys(choice for kind in kinds for choice in get_args(kind)))


MODEL = click.argument("model", shell_complete=model_names)
TABLE = click.argument("table", shell_complete=table_names)
SPLIT = click.option(
    "--split", shell_complete=splits,
    help="train, validation, test or all. [default: test if bundled, else all]",
)  # fmt: skip
SHOWN = click.option("--class", "shown", help="Output to print. [default: the favourable class]")
AS_JSON = click.option("--json", "as_text", is_flag=True, help="Print everything as JSON.")
FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
LEAST_MEMORY = 2**20


class Memory(click.ParamType[int]):
    """An amount of memory such as ``2GB``, ``512MB`` or ``1.5GiB``, in bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number of bytes; 1 KB is 1,024 of them."""
        found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?) ?([KMGT]?)(?:I?B)?", str(value).upper())
        n_bytes = int(float(found[1]) * UNITS[found[2]]) if found else 0
        if n_bytes < LEAST_MEMORY:
            self.fail(f"{value!r} is no amount of memory of at least 1MB, such as 512MB or 2GB.",
                      param, ctx)  # fmt: skip
        return n_bytes


SEED = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True,
    help="Same seed, same numbers.",
)  # fmt: skip
DEVICE = click.option(
    "--device", shell_complete=devices,
    help="auto, cpu, cuda or mps. [default: WORKBENCH_DEVICE, else auto]",
)  # fmt: skip
MEMORY = click.option(
    "--memory", type=Memory(), help="Memory for tensors made on the way, such as 2GB; less takes "
    "more time. [default: 512MB; on a GPU a sixteenth of it if that is more]",
)  # fmt: skip
EXTRA = click.option(
    "--ignore-extra-columns", is_flag=True, help="Leave out columns unknown to the model."
)
# Of every command that runs a method, after those of its own.
RUNNING = (
    SEED,
    DEVICE,
    MEMORY,
    click.option("--out", type=FOLDER, help="Folder to write to."),
    click.option(
        "--analysis",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Analysis file to add this run to as a step; `workbench run` runs it again.",
    ),
    EXTRA,
    AS_JSON,
)

Callback = Callable[..., None]


def with_flags(*flags: Callable[[Callback], Callback]) -> Callable[[Callback], Callback]:
    """Return a decorator that adds flags in this order."""

    def decorate(command: Callback) -> Callback:
        for flag in reversed(flags):
            command = flag(command)
        return command

    return decorate


def rows_option(default: str | None, help: str = f"Positions: {POSITIONS}.") -> Any:
    """Return the flag that says which rows."""
    shown = f"{help} [default: {default or 'all'}]"
    return click.option("--rows", "--row", default=default, help=shown)


def background_options(n: int | None, told: str) -> tuple[Any, ...]:
    """Return the flags that say which other rows describe the data."""
    return (
        click.option(
            "--background", shell_complete=background_names,
            help="Bundled name or file. [default: the model's training rows]",
        ),
        click.option(
            "--n-background", type=int, default=n,
            help=f"Background rows to draw. [default: {told}]",
        ),
    )  # fmt: skip


def rows_options(default: str) -> Callable[[Callback], Callback]:
    """Return a decorator with the flags of commands that look at rows and describe the data."""
    return with_flags(
        MODEL,
        TABLE,
        rows_option(default),
        SPLIT,
        *background_options(2000, "2000"),
        SHOWN,
        *RUNNING,
    )


def labelled_options(command: Callback, rows: str | None = None) -> Callback:
    """Add the flags of commands that take a whole labelled table and report on rows of it.

    Parameters
    ----------
    rows
        Which rows where nothing is said; None for all.
    """
    return with_flags(
        MODEL,
        TABLE,
        rows_option(rows, f"Positions to report on: {POSITIONS}."),
        click.option(
            "--split", default="test", show_default=True, shell_complete=splits,
            help="Rows to report on: train, validation, test or all.",
        ),
        *RUNNING,
    )(command)  # fmt: skip


def table_options(command: Callback) -> Callback:
    """Add the flags of commands that look at all rows of a table, or of a split of it."""
    return with_flags(MODEL, TABLE, SPLIT, *RUNNING)(command)


def whole_table_options(command: Callback) -> Callback:
    """Add the flags of commands that part a labelled table themselves."""
    return with_flags(MODEL, TABLE, *RUNNING)(command)


@contextmanager
def progress_bar(label: str) -> "Iterator[Progress | None]":
    """Yield a progress callback that draws a bar, or None where nobody would see it."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1000, label=label, file=sys.stderr) as bar:

        def report(done: int, total: int, message: str) -> None:
            bar.label = harmless(f"{label}: {done:,} of {total:,} {message}")
            bar.update(1000 * done // max(total, 1) - bar.pos)

        yield report
