"""The folder that a run leaves: whole or not at all, and nobody else's files are lost."""

import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator
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
def out_folder(
    out: Path, *, force: bool = False, steps: Collection[str] = ()
) -> Iterator[Path]:  # fmt: skip
    """Yield a folder beside ``out`` to write to; it takes its place when the block succeeds.

    An earlier run is replaced; other files in its folder are kept. When the block fails nothing
    is left and ``out`` is as it was. What runs that were killed left beside it is removed.

    Parameters
    ----------
    force
        Write into a folder that holds other things and no earlier run.
    steps
        Ids of the steps that may be written.

    Raises
    ------
    InvalidInputError
        If the folder is not one to write to.
    OSError
        If it cannot take its place; what was there is there again.
    """
    out = out.absolute().resolve()
    tidy(out, _give_back)
    _check(out, force=force)
    _check_others(out, steps)
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
                try:
                    _move(_others(out, unsure=True), out, part)
                    os.replace(out, old)  # noqa: PTH105 - two renames, each at once
                except OSError:
                    _give_back(part, out)
                    raise
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


def _check_others(out: Path, steps: Collection[str]) -> None:
    """Refuse to replace what no run wrote."""
    if not out.is_dir():
        return
    found = [] if is_run(out) else [Path(name) for name in sorted(OURS - {STEPS})]
    for path in sorted(_others(out, unsure=True)):
        name, dot, _ = path.name.partition(".")
        if dot and path.parent.name == STEPS and name in steps:
            found.append(path)
    for path in found:
        if os.path.lexists(out / path):
            raise InvalidInputError(
                f"{str(out / path)!r} is of no run and would be replaced by this one; move it, or "
                "choose another folder."
            )


def _others(folder: Path, *, unsure: bool) -> list[Path]:
    """Return what no run wrote into its folder, nor among its steps, as paths within it.

    Parameters
    ----------
    unsure
        Whether files among the steps are somebody's where the notes of the run do not say.
    """
    found = [Path(entry.name) for entry in folder.iterdir() if entry.name not in OURS]
    own = _step_files(folder)
    if (folder / STEPS).is_dir() and (own is not None or unsure):
        names = {entry.name for entry in (folder / STEPS).iterdir()}
        found += [Path(STEPS, name) for name in names - (own or set())]
    return found


def _step_files(folder: Path) -> set[str] | None:
    """Return the names of the files of steps that a run wrote; None where it does not say."""
    try:
        steps = read_numbers(folder)["steps"]
    except (InvalidInputError, OSError):
        return None
    return {
        f"{name}.{ending}"
        for name, step in steps.items()
        for ending in (step.get("kind"), "json", "csv")
    }


def _give_back(part: Path, out: Path) -> None:
    """Return to a folder what a run that was killed had taken over from it."""
    _move(_others(part, unsure=False), part, out)


def _move(paths: Iterable[Path], source: Path, target: Path) -> None:
    """Move what lies in one folder to another, where its place is free."""
    for path in paths:
        if not os.path.lexists(target / path):
            (target / path).parent.mkdir(exist_ok=True)
            (source / path).rename(target / path)
