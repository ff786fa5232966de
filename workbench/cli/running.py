"""What every command that computes does: read, run, tell, write."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.cli.options import progress_bar
from workbench.cli.printing import echo
from workbench.cli.recording import add_step, check_analysis
from workbench.cli.results import as_json, check_folder, write_result
from workbench.core.errors import InvalidInputError

if TYPE_CHECKING:
    from workbench.core.context import Progress
    from workbench.core.model import Model
    from workbench.core.table import Table

READING = ("table", "rows", "split", "background", "n_background", "ignore_extra_columns")


@dataclass(frozen=True)
class Asked:
    """What the flags of a command say about rows; those that it does not have are as here.

    Attributes
    ----------
    by
        Columns to group by, with commas between; those that the model does not read stand aside.
    output
        Which numbers of the model are looked at: probabilities or scores.
    fewer
        Whether fewer background rows will do where there are not that many.
    """

    table: str
    rows: str | None = None
    split: str | None = None
    background: str | None = None
    n_background: int = 0
    ignore_extra_columns: bool = False
    by: str | None = None
    output: str | None = None
    seed: int = 0
    fewer: bool = True


# The tables that a verb takes, and what else is read of files, by the names of its arguments.
Read = Callable[["Model", Asked], dict[str, Any]]


@dataclass(frozen=True)
class Done:
    """A run of a verb: what it was given, and what came out."""

    model: "Model"
    tables: dict[str, Any]
    settings: dict[str, Any]
    result: Any


def finish(
    verb: str, label: str, tell: Callable[[Any], str], *, out: Path | None, as_text: bool,
    write: Callable[..., list[Path]] = write_result, then: Callable[[Done], str] | None = None,
    analysis: Path | None = None, named: str = "", changes: Mapping[str, str] | None = None,
    given: Path | None = None, **flags: Any,
) -> None:  # fmt: skip
    """Run a verb of the API, write its files, and print it: in words, or as JSON.

    Standard output holds the words or the JSON and nothing else; what was written is named after
    the words, or beside the JSON on standard error.

    Parameters
    ----------
    tell
        Says in words what came out.
    write
        Writes a result into a folder, and returns what it wrote.
    then
        Does more with what came out, and says so.
    analysis
        Analysis file that the run becomes a step of.
    named
        What the model was called, where it is loaded already.
    changes
        Values that the reader of the rows gave them.
    given
        File of an explanation from elsewhere that the reader of the rows read.
    flags
        As for ``compute``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit.
    """
    if out is not None:
        check_folder(out)
    if analysis is not None:
        check_analysis(analysis, flags)
    done = compute(verb, label, **flags)
    written = write(done.result, out) if out else []
    echo(as_json(done.result) if as_text else tell(done.result))
    for path in written:
        echo(f"Wrote {path}", err=as_text)
    if then is not None:
        echo(then(done), err=as_text)
    if analysis is not None:
        reference = named or str(flags["model"])
        echo(add_step(analysis, done, reference, flags, changes, str(given or "")), err=as_text)


def compute(
    verb: str, label: str, *, model: "str | Model", read: Read, device: str | None, seed: int,
    memory: int | None, shown: str | None = None, fewer: bool = True, **flags: Any,
) -> Done:  # fmt: skip
    """Run a verb of the API with what the flags of a command say.

    Parameters
    ----------
    read
        Reads the tables that the verb takes, by the names of its arguments.
    flags
        What ``Asked`` names says which rows; the others are settings, left out where None.

    Raises
    ------
    WorkbenchError
        If anything given does not fit.
    """
    from workbench import api  # loads torch

    chosen = api.load_model(model) if isinstance(model, str) else model
    check_output(chosen, shown)
    asked = {name: flags.pop(name) for name in READING if name in flags}
    settings = {name: value for name, value in flags.items() if value is not None}
    also: dict[str, Any] = {name: settings.get(name) for name in ("by", "output")}
    tables = read(chosen, Asked(**asked, **also, seed=seed, fewer=fewer))
    with running(label, memory) as progress:
        result = getattr(api, verb)(
            chosen, **tables, seed=seed, device=device, progress=progress, **settings
        )
    return Done(chosen, tables, settings, result)


@contextmanager
def running(label: str, memory: int | None) -> "Iterator[Progress | None]":
    """Draw a bar, and keep to the memory that is given."""
    from workbench.numerics.devices import memory_limited  # loads torch

    with memory_limited(memory), progress_bar(label) as progress:
        yield progress


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


def rows_of_table(model: "Model", asked: Asked) -> "dict[str, Table]":
    """Read all rows of a table, or of a split of it."""
    from workbench import api  # loads torch

    rows = api.load_table(
        asked.table, split=asked.split, model=model, ignore_extra=asked.ignore_extra_columns,
        beside=_unread(model, asked.by),
    )  # fmt: skip
    return {"rows": rows}


def whole_table(model: "Model", asked: Asked) -> "dict[str, Table]":
    """Read a labelled table that the verb parts itself."""
    from workbench import api  # loads torch

    whole = api.load_table(
        asked.table, split="all", model=model, ignore_extra=asked.ignore_extra_columns,
        beside=_unread(model, asked.by),
    )  # fmt: skip
    return {"table": whole}


def labelled_rows(model: "Model", asked: Asked) -> "dict[str, Table]":
    """Read a whole labelled table, and take the rows of it that are reported on."""
    from workbench import api  # loads torch

    whole = whole_table(model, asked)["table"]
    selected = whole if asked.split in {None, "all"} else whole.split(str(asked.split))
    rows = selected if asked.rows is None else api.select_rows(selected, asked.rows)
    return {"table": whole, "rows": rows}


def rows_and_background(model: "Model", asked: Asked) -> "dict[str, Table]":
    """Read the rows that are asked for, and draw others that describe the data.

    The latter are of the same file only where nothing else is known to draw from: a fault in a
    row that nobody asks for is then none.
    """
    from workbench import api  # loads torch
    from workbench.workspace.background import training_rows

    ignore = asked.ignore_extra_columns
    settings: dict[str, Any] = {"split": asked.split, "model": model, "ignore_extra": ignore}
    rows = api.load_table(asked.table, rows=asked.rows, **settings)
    elsewhere = asked.background is not None or training_rows(model) is not None
    background = api.background_for(
        model, rows if elsewhere else api.load_table(asked.table, **settings),
        n=asked.n_background, seed=asked.seed, source=asked.background, ignore_extra=ignore,
        fewer=asked.fewer,
    )  # fmt: skip
    return {"rows": rows, "background": background}


def _unread(model: "Model", by: str | None) -> list[str]:
    """Return the columns to group by that the model does not read."""
    names = [name.strip() for name in (by or "").split(",")]
    return [name for name in names if name and name not in model.schema.names]
