"""Flags that are made from the methods' parameter models."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import click

from workbench.core.context import Progress

if TYPE_CHECKING:
    from workbench.core.model import Model
    from workbench.core.table import Table


class MethodCommand(click.Command):
    """A command with one flag for each field of any method's parameter model.

    The flags are made when they are first needed: the engines take a second to load, and
    ``workbench --help`` should not. Only methods that yield results of kind ``yields`` count.
    """

    def __init__(self, *arguments: Any, yields: str = "attribution", **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.yields = yields

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own flags, then those of the methods."""
        return [*super().get_params(ctx), *_method_options(self.yields)]


def _method_options(yields: str) -> Iterator[click.Option]:
    from workbench.api import list_methods  # loads torch

    fields: dict[str, tuple[Any, list[str]]] = {}
    chosen = {name: m for name, m in list_methods().items() if m.yields.kind == yields}
    names = {name.partition(".")[2]: name for name in chosen}
    for name, method in chosen.items():
        for field, info in method.params.model_fields.items():
            fields.setdefault(field, (info, []))[1].append(name.partition(".")[2])
    for field, (info, methods) in fields.items():
        kinds = [chosen[names[name]].params.model_fields[field].annotation for name in methods]
        choices = _union(kinds)
        default = "" if info.default is None else f" Default: {info.default}."
        flag, is_switch = f"--{field.replace('_', '-')}", info.annotation is bool
        given: dict[str, Any] = {"default": None} if is_switch else {
            "type": click.Choice(choices) if choices else str
        }  # fmt: skip
        yield click.Option(
            [f"{flag}/--no-{flag[2:]}" if is_switch else flag, field],
            **given,
            help=f"{info.description}{default} ({', '.join(methods)})",
        )


def _union(kinds: Iterable[Any]) -> tuple[str, ...]:
    """Return what any of several fields of one name may be chosen as; none for a free one."""
    if not all(get_origin(kind) is Literal for kind in kinds):
        return ()
    return tuple(dict.fromkeys(choice for kind in kinds for choice in get_args(kind)))


def read_rows(
    model: "Model",
    table: str,
    rows: str,
    *,
    split: str | None,
    background: str | None,
    ignore_extra: bool,
) -> "tuple[Table, Table]":
    """Read the rows that are asked for, and those that a background may be drawn from.

    The latter are more of the same file only where nothing else is known to draw from: a fault in
    a row that nobody asks for is then none.
    """
    from workbench import api  # loads torch
    from workbench.workspace.background import training_rows

    settings: dict[str, Any] = {"split": split, "model": model, "ignore_extra": ignore_extra}
    selected = api.load_table(table, rows=rows, **settings)
    if background is not None or training_rows(model) is not None:
        return selected, selected
    return selected, api.load_table(table, **settings)


@contextmanager
def progress_bar(label: str) -> Iterator[Progress | None]:
    """Yield a progress callback that draws a bar, or None where nobody would see it."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1000, label=label, file=sys.stderr) as bar:

        def report(done: int, total: int, message: str) -> None:
            bar.label = f"{label}: {done:,} of {total:,} {message}"
            bar.update(1000 * done // max(total, 1) - bar.pos)

        yield report
