"""A run that somebody made, put into an analysis file as a step that makes it again."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.analysis.compare import machine
from workbench.analysis.contents import Analysis, TableEntry
from workbench.analysis.numbers import numbers_digest
from workbench.analysis.replay import Replay
from workbench.analysis.step import Step, ids_for
from workbench.analysis.yaml_file import load_analysis, save_analysis
from workbench.core.errors import InvalidInputError
from workbench.core.faithfulness import GIVEN
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.people import LOCAL
from workbench.core.results import Result
from workbench.core.table import Table
from workbench.data.bundled import TABLES
from workbench.engines.shapley.chosen import was_chosen
from workbench.jobs.request import MAX_POSITIONS, Split
from workbench.jobs.work import prepare
from workbench.workspace.sources import MINE


@dataclass(frozen=True)
class Made:
    """A run: what it was about, as somebody named it, and what came out.

    Attributes
    ----------
    model, table
        References: names, or paths from the working folder.
    rows
        Those that the run was about; None where the method chose them of the whole table.
    beside
        Columns of a file that no model reads.
    changes
        Values that the rows were looked at with.
    explainer
        Digest of the trained explainer that was asked.
    given
        Path of the explanation from elsewhere that stood beside those of the run.
    """

    result: Result
    loaded: Model
    device: str
    model: str
    table: str
    rows: Table | None
    beside: tuple[str, ...] = ()
    ignore_extra_columns: bool = False
    changes: dict[str, str | int | float] | None = None
    explainer: str = ""
    given: str = ""


def record(path: str | Path, made: Made, *, title: str = "Analysis") -> Step:
    """Add a run to an analysis file, which is made where there is none; returns the step.

    The step is prepared before it is written, so that it is about the very rows of the run.

    Parameters
    ----------
    title
        Of a new analysis.

    Raises
    ------
    InvalidInputError
        If the file is no analysis, is about other models or tables of these names, or the run is
        not one that a step can say.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)  # relative paths start there
    earlier = load_analysis(path) if path.exists() else None
    draft = _step(made, _free_id(earlier, made), path.parent)
    found = Replay(_with(earlier, draft, made, title), folder=path.parent, only=[draft.id])
    whole = found.places.find_table(draft.table, LOCAL)
    for split, positions in _places(whole, made):
        step = draft.model_copy(update={"split": split, "rows": positions})
        analysis = _with(earlier, step, made, title)
        replay = Replay(analysis, folder=path.parent, only=[step.id])
        if _is_same(replay, step, made):
            save_analysis(_pinned(analysis, replay), path)
            return step
    raise InvalidInputError(
        f"This run is not one that an analysis file can say: its rows or its background are no "
        f"part of {made.table!r} as it is; leave out --background, and take rows of one split."
    )


def _free_id(earlier: Analysis | None, made: Made) -> str:
    steps = () if earlier is None else earlier.steps
    (stem,) = ids_for([made.result.provenance.method])
    taken = {step.id for step in steps}
    return next(
        name for n in range(1, len(taken) + 2) if (name := stem if n == 1 else f"{stem}-{n}")
        not in taken
    )  # fmt: skip


def _step(made: Made, id: str, folder: Path) -> Step:
    asked = made.result.provenance
    uses = METHODS.find(asked.method).uses
    return Step(
        id=id, method=asked.method,
        params={name: value for name, value in asked.params.items() if name != GIVEN},
        model=_reference("model", made.model, made.loaded.name, folder),
        table=_reference("table", made.table, made.table, folder), changes=made.changes or {},
        background=asked.n_background if "background" in uses else 0, seed=asked.seed,
        device=made.device, explainer=made.explainer, expect=numbers_digest(made.result),
        chosen="auto" if was_chosen(asked) else "",
        given=_reference(GIVEN, made.given, made.given, folder) if made.given else "",
    )  # fmt: skip


def _reference(word: str, given: str, name: str, folder: Path) -> str:
    """Return what an analysis in a folder calls a thing: by its whole name, or by its path."""
    if given.startswith(MINE):
        return f"{MINE}{name}" if word == "model" else given
    if word == "table" and given.replace("_", "-") in TABLES:
        return given.replace("_", "-")
    if not Path(given).exists():
        return name
    text = Path(os.path.relpath(Path(given).resolve(), folder.resolve())).as_posix()
    return text if "/" in text else f"./{text}"


def _with(earlier: Analysis | None, step: Step, made: Made, title: str) -> Analysis:
    """Return the analysis with one more step."""
    models = {} if earlier is None else dict(earlier.models)
    tables = {} if earlier is None else dict(earlier.tables)
    models.setdefault(step.model, "")
    entry = TableEntry(beside=made.beside, ignore_extra_columns=made.ignore_extra_columns)
    tables.setdefault(step.table, entry)
    given = {} if earlier is None else dict(earlier.given)
    if step.given:
        given.setdefault(step.given, "")
    if earlier is None:
        return Analysis(title=title, models=models, tables=tables, given=given, steps=(step,))
    changes = {"models": models, "tables": tables, "given": given, "steps": (*earlier.steps, step)}
    return Analysis(**{**dict(earlier), **changes})


def _pinned(analysis: Analysis, replay: Replay) -> Analysis:
    """Return the analysis with the digests of what its last step is about."""
    tables = {
        name: entry.model_copy(update={"digest": replay.found.tables.get(name, entry.digest)})
        for name, entry in analysis.tables.items()
    }
    changes = {
        "models": {**analysis.models, **replay.found.models}, "tables": tables,
        "given": {**analysis.given, **replay.found.given},
    }  # fmt: skip
    return analysis.model_copy(update={**changes, "made_with": machine()})


def _places(whole: Table, made: Made) -> Iterator[tuple[Split, tuple[int, ...] | None]]:
    """Yield the splits that the rows may be of, with their positions there; None for all."""
    bundled = made.table.replace("_", "-") in TABLES
    order: tuple[Split, ...] = ("test", "all", "train", "validation")
    for split in order if bundled else ("all", "test", "train", "validation"):
        part = whole if split == "all" else whole.split(split)
        if made.rows is None:
            yield split, None
            continue
        places = {int(row): place for place, row in enumerate(part.ids)}
        found = [places.get(int(row), -1) for row in made.rows.ids]
        if found == list(range(len(part))):
            yield split, None
        elif min(found, default=-1) >= 0 and len(found) <= MAX_POSITIONS:
            yield split, tuple(found)


def _is_same(replay: Replay, step: Step, made: Made) -> bool:
    """Tell whether a step is about the very rows and background of a run."""
    work, asked = prepare(replay.request(step), LOCAL, replay.places), made.result.provenance
    rows = asked.table_digest if made.rows is None else made.rows.digest
    same = work.rows.digest == rows
    return same and (not step.background or work.background.digest == asked.background_digest)
