"""The folder that a run leaves: whole or not at all, and nobody else's files are lost."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.analysis.leftovers import held_name, tidy
from workbench.core.errors import InvalidInputError, ResultFileError
from workbench.core.files import refuse_special
from workbench.core.results import Result, load

ANALYSIS, NUMBERS, NOTEBOOK, STEPS = "analysis.yaml", "numbers.json", "analysis.ipynb", "steps"
REPORT = "report"
# What a run writes, and so may replace.
OURS = frozenset({
    ANALYSIS,
    NUMBERS,
    NOTEBOOK,
    STEPS,
    *(f"{REPORT}.{kind}" for kind in ("html", "pdf", "json", "zip")),
})
MAX_NUMBERS = 2**24


@contextmanager
def out_folder(out: Path, *, force: bool = False) -> Iterator[Path]:
    """Yield a folder beside ``out`` to write to; it takes its place when the block succeeds.

    An earlier run is replaced; other files in its folder are kept. When the block fails nothing
    is left and ``out`` is as it was. What runs that were killed left beside it is removed.

    Parameters
    ----------
    force
        Write into a folder that holds other things and no earlier run.

    Raises
    ------
    InvalidInputError
        If the folder is not one to write to.
    """
    out = out.absolute().resolve()
    tidy(out, OURS.__contains__)
    _check(out, force=force)
    with held_name(out) as (part, old):
        try:
            part.mkdir(parents=True)
        except OSError as error:
            raise InvalidInputError(
                f"Folder {str(out)!r} cannot be written to ({error.strerror}); choose another."
            ) from None
        try:
            yield part
            if out.exists():
                _keep_others(out, part)
                os.replace(out, old)  # noqa: PTH105 - two renames, each at once
            part.rename(out)
        finally:
            shutil.rmtree(part, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)


def is_run(folder: Path) -> bool:
    """Tell whether a folder holds an earlier run."""
    return (folder / ANALYSIS).is_file() and (folder / NUMBERS).is_file()


def read_numbers(folder: Path) -> dict[str, Any]:
    """Return what an earlier run noted of its steps.

    Raises
    ------
    InvalidInputError
        If there is no earlier run, or its file is damaged.
    """
    path = folder / NUMBERS
    refuse_special(path)
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(MAX_NUMBERS))
        steps = content["steps"]
        sound = all(isinstance(step, dict) for step in steps.values())
        sound &= isinstance(content["machine"], dict)
    except FileNotFoundError:
        raise InvalidInputError(
            f"{str(folder)!r} holds no run of an analysis; name a folder that workbench run wrote."
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        sound = False
    if not sound:
        raise InvalidInputError(f"{str(path)!r} is damaged; run the analysis again.")
    return dict(content)


def result_of(folder: Path, step: str, kind: str) -> Result:
    """Read the result of a step of an earlier run.

    Raises
    ------
    ResultFileError
        If it is missing or damaged.
    """
    if not kind.replace("_", "").isalnum():  # it comes from a file, and becomes part of a path
        raise ResultFileError(f"There is no kind of result {kind[:40]!r}; run the analysis again.")
    return load(folder / STEPS / f"{step}.{kind}")


def _check(out: Path, *, force: bool) -> None:
    here = Path.cwd().resolve()
    if out == here or out in here.parents:
        raise InvalidInputError(
            f"Folder {str(out)!r} holds the folder you are in; choose one of its own for the run."
        )
    if out.exists() and not out.is_dir():
        raise InvalidInputError(f"{str(out)!r} is a file; choose a folder.")
    if out.is_dir() and any(out.iterdir()) and not is_run(out) and not force:
        raise InvalidInputError(
            f"Folder {str(out)!r} holds other things than an earlier run; choose another, or force "
            "it (--force), which keeps them."
        )
    if out.is_dir() and not os.access(out, os.W_OK):
        raise InvalidInputError(f"Folder {str(out)!r} cannot be written to; choose another.")


def _keep_others(out: Path, part: Path) -> None:
    for entry in out.iterdir():
        if entry.name not in OURS and not (part / entry.name).exists():
            entry.rename(part / entry.name)
