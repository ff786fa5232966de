"""A whole analysis run again: results, verdicts, and the files that it leaves."""

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from workbench.analysis.beforehand import refuse_misfits
from workbench.analysis.cells import refuse_unknown_cells
from workbench.analysis.compare import Comparison, differ, machine, tolerance_for
from workbench.analysis.contents import Analysis, TableEntry
from workbench.analysis.figures import drawable
from workbench.analysis.folder import (
    ANALYSIS,
    NOTEBOOK,
    NUMBERS,
    STEPS,
    is_run,
    out_folder,
    read_numbers,
    result_of,
)
from workbench.analysis.notebook import notebook
from workbench.analysis.replay import Replay, StepRun
from workbench.analysis.report_files import write_reports
from workbench.analysis.verdicts import Verdict, judge
from workbench.analysis.yaml_file import load_analysis, to_yaml
from workbench.core.context import Progress
from workbench.core.errors import InvalidInputError, ResultFileError
from workbench.core.people import LOCAL
from workbench.core.results import Result, Tabular
from workbench.operations.chromium import find_chromium
from workbench.report.document import Document, Entry, Level
from workbench.report.tables import to_json, write_csv

NUMBERS_FORMAT = 1


@dataclass(frozen=True)
class AnalysisRun:
    """What became of an analysis.

    Attributes
    ----------
    analysis
        As it was run, with the digests of what was found and of what came out.
    verdicts
        On each condition of ``fail_if``.
    comparisons
        With an earlier run, where one was named.
    document
        The report, which is written where there is a folder.
    changed
        Models and tables that are others than the analysis names, in words.
    undrawn
        Figures that steps name and their results do not have, in words.
    """

    analysis: Analysis
    steps: tuple[StepRun, ...]
    verdicts: tuple[Verdict, ...]
    comparisons: tuple[Comparison, ...]
    document: Document
    changed: tuple[str, ...] = ()
    out: Path | None = None
    undrawn: tuple[str, ...] = ()

    def __getitem__(self, id: str) -> Result:
        for run in self.steps:
            if run.step.id == id and run.result is None:
                raise InvalidInputError(f"Step {id!r} failed: {run.error}")
        return self.results[id]

    @property
    def results(self) -> dict[str, Result]:
        """Results by step, without steps that failed."""
        return {run.step.id: run.result for run in self.steps if run.result is not None}

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the run counts as failed though every step went well."""
        held = [verdict.sentence for verdict in self.verdicts if verdict.holds]
        beyond = [other.describe() for other in self.comparisons if not other.is_within]
        return (*held, *beyond)

    @property
    def faults(self) -> tuple[str, ...]:
        """What went wrong: steps that failed, figures and conditions that cannot be had."""
        failed = [f"{run.step.id}: {run.error}" for run in self.steps if run.result is None]
        open_ = [verdict.sentence for verdict in self.verdicts if verdict.holds is None]
        return (*failed, *self.undrawn, *open_)

    @property
    def exit_code(self) -> int:
        """1 where something went wrong, 3 where a condition holds or numbers differ, else 0."""
        return 1 if self.faults else 3 if self.reasons else 0

    def summary(self) -> dict[str, Any]:
        """Return everything that a program wants to know as plain values."""
        return {
            "title": self.analysis.title,
            "exit_code": self.exit_code,
            "faults": list(self.faults),
            "reasons": list(self.reasons),
            "changed": list(self.changed),
            "steps": [
                {
                    "id": run.step.id, "method": run.step.method,
                    "kind": None if run.result is None else run.result.kind,
                    "error": run.error or None, "numbers": run.numbers or None,
                    "as_expected": run.as_expected, "reused": run.reused,
                    "seconds": round(run.seconds, 3),
                }
                for run in self.steps
            ],
            "conditions": [
                {"holds": verdict.holds, "asked": verdict.is_asked, "sentence": verdict.sentence}
                for verdict in self.verdicts
            ],
            "comparisons": [
                {
                    "step": other.step, "where": other.difference.where,
                    "absolute": other.difference.absolute, "relative": other.difference.relative,
                    "tolerance": other.tolerance, "within": other.is_within,
                }
                for other in self.comparisons
            ],
            "out": None if self.out is None else str(self.out),
        }  # fmt: skip


def run_analysis(
    analysis: Analysis | str | Path,
    *,
    out: str | Path | None = None,
    only: Sequence[str] = (),
    models: Mapping[str, str] | None = None,
    tables: Mapping[str, str] | None = None,
    given: Mapping[str, str] | None = None,
    seed: int | None = None,
    device: str | None = None,
    changed_is_fine: bool = False,
    against: str | Path | None = None,
    reuse: bool = False,
    earlier: Mapping[str, Result] | None = None,
    force: bool = False,
    level: Level | None = None,
    pdf: bool = False,
    folder: str | Path | None = None,
    owner: str = LOCAL,
    progress: Progress | None = None,
) -> AnalysisRun:
    """Run every step of an analysis again, judge its conditions, and write what came out.

    A step that fails does not keep the others from running. On the same CPU and versions the
    numbers are the same to the bit.

    Parameters
    ----------
    analysis
        An analysis, or the path of its file.
    out
        Folder for results, tables, report, notebook and a copy of the analysis with all digests;
        written as a whole or not at all. None writes nothing.
    only
        Ids of the steps to run; those that they need are run as well.
    models, tables, given
        References that have another name on this machine, and what to take instead.
    seed, device
        Instead of those of the steps.
    changed_is_fine
        Run on models and tables that are others now; every result then says so.
    against
        Folder of an earlier run to compare the numbers with.
    reuse
        Take results of the earlier run in ``out`` where all that decides them is the same.
    earlier
        Results to take instead of computing them, by key of what is asked (``Request.key``).
    force
        Write into a folder that holds other things, which are kept.
    level
        For whom the report is; by default as the analysis says.
    pdf
        Print the report as well.
    folder
        Where relative paths start; by default the folder of the analysis file.
    owner
        Whose models and tables ``my:`` means; by default those of this machine without sign-in.
    progress
        Called with per cent of the whole; it may raise ``CancelledError`` to stop.

    Raises
    ------
    InvalidInputError
        If the analysis does not fit, something is not there or has changed, or the folder is not
        one to write to.
    CancelledError
        If progress asks to stop; nothing is written then.
    """
    if not isinstance(analysis, Analysis | str | Path):
        raise InvalidInputError(
            f"What is run is an Analysis or its file, got {type(analysis).__name__}; a mapping "
            "becomes one with Analysis(**mapping)."
        )
    if not isinstance(analysis, Analysis):
        folder = Path(analysis).parent if folder is None else folder
        analysis = load_analysis(analysis)
    target = None if out is None else Path(out)
    if pdf:
        find_chromium()  # before minutes of work rather than after
    before = None if against is None else (Path(against), read_numbers(Path(against)))
    ids = {step.id for step in analysis.steps}
    with nullcontext() if target is None else out_folder(target, force=force, steps=ids) as part:
        replay = Replay(
            analysis, folder=folder, only=only, models=models, tables=tables,
            given=given, seed=seed, device=device, changed_is_fine=changed_is_fine, owner=owner,
            earlier={**_earlier(target if reuse else None), **(earlier or {})},
        )  # fmt: skip
        refuse_misfits(replay)
        refuse_unknown_cells(replay)
        steps = _run_all(replay, progress)
        runs = {run.step.id: run for run in steps}
        verdicts = judge(replay.analysis.fail_if, runs)
        comparisons = _compare(steps, *before) if before else ()
        made = _as_run(replay, steps, target)
        changed = tuple(change.describe() for change in replay.found.changed)
        document, undrawn = _document(replay, steps, made, level)
        run = AnalysisRun(
            made, steps, verdicts, comparisons, document, changed, target, undrawn
        )  # fmt: skip
        run = replace(run, document=_with_findings(run))
        if part is not None:
            _write(run, part, pdf=pdf)
    return run


def _run_all(replay: Replay, progress: Progress | None) -> tuple[StepRun, ...]:
    runs, n = [], len(replay.ids)
    for i, name in enumerate(replay.ids):

        def told(done: int, total: int, message: str, i: int = i, name: str = name) -> None:
            if progress is not None:
                share = min(1.0, done / max(total, 1))
                where = f"step {i + 1} of {n}, {name}: {done:,} of {total:,} {message}"
                progress(int(100 * (i + share) / n), 100, f"per cent, {where}")

        told(0, 1, "started")
        runs.append(replay.attempt(name, told))
    return tuple(runs)


def _earlier(folder: Path | None) -> dict[str, Result]:
    """Return sound results of an earlier run by key of what was asked."""
    if folder is None or not is_run(folder):
        return {}
    found = {}
    for name, step in read_numbers(folder)["steps"].items():
        try:
            found[str(step["key"])] = result_of(folder, name, str(step["kind"]))
        except (ResultFileError, KeyError):
            continue
    return found


def _compare(
    steps: Sequence[StepRun], folder: Path, numbers: Mapping[str, Any]
) -> tuple[Comparison, ...]:
    same = numbers["machine"] == machine()
    found = []
    for run in steps:
        old = numbers["steps"].get(run.step.id)
        if run.result is None or old is None:
            continue
        result = result_of(folder, run.step.id, str(old.get("kind")))
        kinds = {str(device).partition(":")[0] for device in (run.step.device, old.get("device"))}
        tolerance = tolerance_for(
            run.step.method, run.step.params, same_machine=same and kinds == {"cpu"},
            same_kind_of_device=len(kinds) == 1,
        )  # fmt: skip
        found.append(Comparison(
            run.step.id, differ(run.result, result, digests=tolerance == 0), tolerance,
        ))  # fmt: skip
    return tuple(found)


def _as_run(replay: Replay, steps: Sequence[StepRun], out: Path | None) -> Analysis:
    """Return the analysis with all digests filled in, and paths as seen from the folder."""
    analysis, places = replay.analysis, replay.places

    def seen(word: str, reference: str) -> str:
        return reference if out is None else places.seen_from(out, word, reference)

    numbers = {run.step.id: run.numbers for run in steps}
    tables = {}
    for name, digest in replay.found.tables.items():
        entry = analysis.tables.get(name, TableEntry())
        schema_of = seen("model", entry.schema_of) if entry.schema_of else ""
        changes = {"digest": digest, "schema_of": schema_of}
        tables[seen("table", name)] = entry.model_copy(update=changes)
    return analysis.model_copy(
        update={
            "models": {seen("model", name): d for name, d in replay.found.models.items()},
            "tables": tables,
            "given": {seen("given", name): d for name, d in replay.found.given.items()},
            "steps": tuple(
                step.model_copy(
                    update={
                        "model": seen("model", step.model), "table": seen("table", step.table),
                        "given": seen("given", step.given) if step.given else "",
                        "expect": numbers[step.id],
                    }
                )
                for step in analysis.steps
                if step.id in numbers
            ),
            "fail_if": tuple(c for c in analysis.fail_if if not c.step or c.step in numbers),
            "made_with": machine(),
        }
    )  # fmt: skip


def _document(
    replay: Replay, steps: Sequence[StepRun], made: Analysis, level: Level | None
) -> tuple[Document, tuple[str, ...]]:
    """Return the report, and a sentence for each figure that it was to have and cannot."""
    entries: list[Entry] = []
    undrawn: list[str] = []
    for run in steps:
        if not isinstance(run.result, get_args(Tabular)):
            continue
        notes = [
            f"Note: {changed.describe()}."
            for changed in replay.found.changed
            if run.step.id in changed.steps
        ]
        remark = "\n".join([*([run.step.remark] if run.step.remark else []), *notes])
        figures, faults = drawable(run.step, run.result)
        undrawn += faults
        entries.append(Entry(run.result, run.step.title, remark, run.step.id, figures))
    document = Document(
        made.title, tuple(entries), made.comments, level or made.level, replay.found.cards,
        replay.found.overviews, to_yaml(made),
    )  # fmt: skip
    return document, tuple(undrawn)


def _with_findings(run: AnalysisRun) -> Document:
    """Return the report with what failed and what the conditions came to above its results."""
    said = [f"This step failed: {run_.step.id}: {run_.error}" for run_ in run.steps if run_.error]
    said += run.undrawn
    said += [verdict.sentence for verdict in run.verdicts]
    said += [other.describe() for other in run.comparisons]
    return replace(run.document, comments=(*run.document.comments, *said))


def _write(run: AnalysisRun, folder: Path, *, pdf: bool) -> None:
    (folder / STEPS).mkdir()
    for step in run.steps:
        if step.result is not None:
            _write_result(step.result, folder / STEPS, step.step.id)
    (folder / ANALYSIS).write_text(run.document.analysis, encoding="utf-8")
    (folder / NOTEBOOK).write_text(notebook(run.analysis, run.steps, ANALYSIS), encoding="utf-8")
    (folder / NUMBERS).write_text(json.dumps(_numbers(run), indent=2) + "\n", encoding="utf-8")
    write_reports(run.document, folder, pdf=pdf)


def _write_result(result: Result, folder: Path, name: str) -> None:
    result.save(folder / f"{name}.{result.kind}")
    (folder / f"{name}.json").write_text(to_json(result), encoding="utf-8")
    if isinstance(result, get_args(Tabular)):
        table: Any = result
        write_csv(table.to_frame(), folder / f"{name}.csv")


def _numbers(run: AnalysisRun) -> dict[str, Any]:
    return {
        "format": NUMBERS_FORMAT,
        "machine": machine(),
        "steps": {
            step.step.id: {
                "method": step.step.method, "kind": step.result.kind, "device": step.step.device,
                "key": step.key, "numbers": step.numbers,
            }
            for step in run.steps
            if step.result is not None
        },
    }  # fmt: skip
