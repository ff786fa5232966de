"""Flags that are made from the methods' parameter models."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import click

from workbench.core.errors import InvalidInputError

if TYPE_CHECKING:
    from workbench.core.context import Progress
    from workbench.core.model import Model
    from workbench.core.table import Table


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


MODEL, TABLE = click.argument("model"), click.argument("table")
SPLIT = click.option(
    "--split", help="train, validation, test or all. [default: test if bundled, else all]"
)
SEED = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True,
    help="Same seed, same numbers.",
)  # fmt: skip
# Of every command that runs a method, after those of its own.
RUNNING = (
    SEED,
    click.option("--device", help="auto, cpu, cuda or mps. [default: WORKBENCH_DEVICE, else auto]"),
    click.option(
        "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to write to."
    ),
    click.option(
        "--ignore-extra-columns", is_flag=True, help="Leave out columns unknown to the model."
    ),
    click.option("--json", "as_text", is_flag=True, help="Print everything as JSON."),
)

Callback = Callable[..., None]


def _with(flags: Iterable[Callable[[Callback], Callback]]) -> Callable[[Callback], Callback]:
    """Return a decorator that adds flags in this order."""

    def decorate(command: Callback) -> Callback:
        for flag in reversed(tuple(flags)):
            command = flag(command)
        return command

    return decorate


def rows_options(default: str) -> Callable[[Callback], Callback]:
    """Return a decorator with the flags of commands that look at rows and describe the data."""
    return _with((
        MODEL,
        TABLE,
        click.option(
            "--rows", "--row", default=default, show_default=True,
            help="Positions: 5, 0:200, or 3,7,11.",
        ),
        SPLIT,
        click.option(
            "--background", help="Bundled name or file. [default: the model's training rows]"
        ),
        click.option(
            "--n-background", default=2000, show_default=True, help="Background rows at most."
        ),
        click.option("--class", "shown", help="Output to print. [default: the favourable class]"),
        *RUNNING,
    ))  # fmt: skip


def labelled_options(command: Callback, rows: str | None = None) -> Callback:
    """Add the flags of commands that take a whole labelled table and report on rows of it.

    Parameters
    ----------
    rows
        Which rows where nothing is said; None for all.
    """
    return _with((
        MODEL,
        TABLE,
        click.option(
            "--rows", "--row", default=rows,
            help=f"Positions to report on: 5, 0:200, or 3,7,11. [default: {rows or 'all'}]",
        ),
        click.option(
            "--split", default="test", show_default=True,
            help="Rows to report on: train, validation, test or all.",
        ),
        *RUNNING,
    ))(command)  # fmt: skip


def table_options(command: Callback) -> Callback:
    """Add the flags of commands that look at all rows of a table, or of a split of it."""
    return _with((MODEL, TABLE, SPLIT, *RUNNING))(command)


def whole_table_options(command: Callback) -> Callback:
    """Add the flags of commands that part a labelled table themselves."""
    return _with((MODEL, TABLE, *RUNNING))(command)


def read_labelled(
    model: "Model", table: str, rows: str | None, *, split: str, ignore_extra: bool,
    by: str | None = None,
) -> "tuple[Table, Table]":  # fmt: skip
    """Read a whole labelled table, and take the rows of it that are reported on.

    Parameters
    ----------
    by
        Columns to group by, with commas between; those that the model does not read stand aside.

    Raises
    ------
    WorkbenchError
        If the file does not fit, or there are no such rows.
    """
    from workbench import api  # loads torch

    whole = api.load_table(
        table, split="all", model=model, ignore_extra=ignore_extra, beside=_unread(model, by)
    )
    selected = whole if split == "all" else whole.split(split)
    return (selected if rows is None else api.select_rows(selected, rows)), whole


def check_output(model: "Model", shown: str | None) -> None:
    """Refuse an output that a model has not, before minutes of work.

    Raises
    ------
    InvalidInputError
        If there is no such output.
    """
    from workbench.core.schema import listing

    if shown is not None and shown not in model.output_names:
        raise InvalidInputError(
            f"Model {model.name} has no output {shown!r}; choose one of "
            f"{listing(model.output_names)}."
        )


def run_on_rows(
    verb: str, label: str, *, model: str, table: str, rows: str, split: str | None,
    background: str | None, n_background: int, shown: str | None, seed: int,
    device: str | None, ignore_extra_columns: bool, params: Mapping[str, str | None],
    given: Path | None = None,
) -> Any:  # fmt: skip
    """Run a verb of the API with what the flags of ``rows_options`` say.

    Parameters
    ----------
    given
        File of an explanation from elsewhere that the verb looks at beside its own.

    Raises
    ------
    WorkbenchError
        If anything given does not fit.
    """
    from workbench import api  # loads torch

    chosen = api.load_model(model)
    check_output(chosen, shown)
    selected, data = read_rows(
        chosen, table, rows, split=split, background=background, ignore_extra=ignore_extra_columns
    )
    drawn = api.background_for(
        chosen, data, n=n_background, seed=seed, source=background,
        ignore_extra=ignore_extra_columns, fewer=True,
    )  # fmt: skip
    asked: dict[str, Any] = {name: value for name, value in params.items() if value is not None}
    if given is not None:
        from workbench.cli.importing import read_beside  # knows these flags

        asked["given"], selected = read_beside(given, chosen, selected, asked.get("output"))
    with progress_bar(label) as progress:
        return getattr(api, verb)(
            chosen, selected, drawn, seed=seed, device=device, progress=progress, **asked
        )


def run_on_table(
    verb: str, label: str, *, model: str, table: str, split: str | None, seed: int,
    device: str | None, ignore_extra_columns: bool, params: Mapping[str, str | None],
    shown: str | None = None,
) -> Any:  # fmt: skip
    """Run a verb of the API with what the flags of ``table_options`` say.

    Raises
    ------
    WorkbenchError
        If anything given does not fit.
    """
    from workbench import api  # loads torch

    chosen = api.load_model(model)
    check_output(chosen, shown)
    beside = _unread(chosen, params.get("by"))
    rows = api.load_table(
        table, split=split, model=chosen, ignore_extra=ignore_extra_columns, beside=beside
    )
    given: dict[str, Any] = {name: value for name, value in params.items() if value is not None}
    with progress_bar(label) as progress:
        return getattr(api, verb)(
            chosen, rows, seed=seed, device=device, progress=progress, **given
        )


def run_on_labelled(
    verb: str, label: str, *, model: str, table: str, rows: str | None = None,
    split: str | None = None, seed: int, device: str | None, ignore_extra_columns: bool,
    params: Mapping[str, str | None], shown: str | None = None,
) -> Any:  # fmt: skip
    """Run a verb of the API with what the flags of ``labelled_options`` say.

    Without a split the verb parts the table itself.

    Raises
    ------
    WorkbenchError
        If anything given does not fit.
    """
    from workbench import api  # loads torch

    chosen = api.load_model(model)
    check_output(chosen, shown)
    selected, whole = read_labelled(
        chosen, table, rows, split=split or "all", ignore_extra=ignore_extra_columns,
        by=params.get("by"),
    )  # fmt: skip
    given: dict[str, Any] = {name: value for name, value in params.items() if value is not None}
    if split is not None:
        given["rows"] = selected
    with progress_bar(label) as progress:
        return getattr(api, verb)(
            chosen, table=whole, seed=seed, device=device, progress=progress, **given
        )


def _unread(model: "Model", by: str | None) -> list[str]:
    """Return the columns to group by that the model does not read."""
    names = [name.strip() for name in (by or "").split(",")]
    return [name for name in names if name and name not in model.schema.names]


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
def progress_bar(label: str) -> "Iterator[Progress | None]":
    """Yield a progress callback that draws a bar, or None where nobody would see it."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1000, label=label, file=sys.stderr) as bar:

        def report(done: int, total: int, message: str) -> None:
            bar.label = f"{label}: {done:,} of {total:,} {message}"
            bar.update(1000 * done // max(total, 1) - bar.pos)

        yield report
