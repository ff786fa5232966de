"""The steps of an analysis, run one by one through the path that pages take."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.analysis.contents import Analysis
from workbench.analysis.numbers import numbers_digest
from workbench.analysis.places import Found, Places, find_all
from workbench.analysis.step import Step
from workbench.analysis.yaml_file import load_analysis
from workbench.core.context import Progress
from workbench.core.errors import CancelledError, InvalidInputError, WorkbenchError
from workbench.core.model import Model
from workbench.core.people import LOCAL
from workbench.core.results import Explainer, Result
from workbench.core.table import Table
from workbench.engines.shapley.chosen import noted, was_chosen, why_chosen
from workbench.jobs.work import compute, prepare
from workbench.numerics.devices import choose_device

if TYPE_CHECKING:
    from workbench.jobs.request import Request

DIGEST = 64  # letters


@dataclass(frozen=True)
class StepRun:
    """What became of one step.

    Attributes
    ----------
    result
        None where the step failed; ``error`` then says why in one sentence.
    key, numbers
        Digests of what was asked and of what came out.
    reused
        Whether it was taken from an earlier run.
    """

    step: Step
    result: Result | None = None
    error: str = ""
    key: str = ""
    numbers: str = ""
    seconds: float = 0.0
    reused: bool = False

    @property
    def as_expected(self) -> bool | None:
        """Whether the numbers are those that the analysis expects; None where it says none."""
        if self.result is None or not self.step.expect:
            return None
        return self.numbers == self.step.expect


class Replay:
    """An analysis on this machine, whose steps are run when they are asked for.

    Every step is computed once. A step that asks an explainer which another step trains has that
    one run first.

    Parameters
    ----------
    analysis
        An analysis, or the path of its file.
    folder
        Where relative paths of the analysis start; by default the folder of its file.
    only
        Ids of the steps that may be asked for; by default all.
    models, tables, given
        References that have another name on this machine, and what to take instead.
    seed, device
        Instead of those of the steps.
    changed_is_fine
        Run on models and tables that are others now; ``changed`` then says which.
    earlier
        Results that may be taken instead of computing, by key of what is asked.

    Raises
    ------
    InvalidInputError
        If something is not there, or is another one than the analysis was made with.
    """

    def __init__(
        self,
        analysis: Analysis | str | Path,
        *,
        folder: str | Path | None = None,
        only: Sequence[str] = (),
        models: Mapping[str, str] | None = None,
        tables: Mapping[str, str] | None = None,
        given: Mapping[str, str] | None = None,
        seed: int | None = None,
        device: str | None = None,
        changed_is_fine: bool = False,
        earlier: Mapping[str, Result] | None = None,
        owner: str = LOCAL,
    ) -> None:
        if not isinstance(analysis, Analysis):
            folder = Path(analysis).parent if folder is None else folder
            analysis = load_analysis(analysis)
        self.analysis = _adapted(analysis, seed, device)
        self.ids = _wanted(analysis, only)
        self.places = Places(self.analysis, Path(folder or "."), models, tables, given)
        self._owner, self._earlier = owner, dict(earlier or {})
        self._runs: dict[str, StepRun] = {}
        self.found: Found = find_all(self.places, self.analysis, owner, self.ids)
        if self.found.changed and not changed_is_fine:
            said = "; ".join(changed.describe() for changed in self.found.changed)
            raise InvalidInputError(
                f"Nothing was run: {said}; restore what it was, or run nevertheless with "
                "changed_is_fine (--changed-is-fine)."
            )

    def run(self, id: str, progress: Progress | None = None) -> Result:
        """Return the result of a step, which is computed if it was not yet.

        Raises
        ------
        InvalidInputError
            If there is no such step, or it cannot be computed.
        CancelledError
            If progress asks it to stop.
        """
        run = self.attempt(id, progress)
        if run.result is None:
            raise InvalidInputError(run.error)
        return run.result

    def attempt(self, id: str, progress: Progress | None = None) -> StepRun:
        """Run a step and return what became of it, if it failed as well.

        Raises
        ------
        CancelledError
            If progress asks it to stop.
        InvalidInputError
            If there is no such step, or it was left out.
        """
        step = self.analysis.step(id)
        if id not in self.ids:
            raise InvalidInputError(f"Step {id!r} was left out; open the analysis with it.")
        if id not in self._runs:
            self._runs[id] = self._attempt(step, progress)
        return self._runs[id]

    def asked(self, step: Step) -> tuple["Request", Model, Table]:
        """Return what a step asks, its model and all rows of its table; nothing is computed.

        A model lacks the explainer that another step is yet to train.

        Raises
        ------
        WorkbenchError
            If something is gone or has changed.
        """
        request = self._request(step, step.explainer if len(step.explainer) == DIGEST else "")
        model = self.places.model(request, self._owner)
        return request, model, self.places.table(request, self._owner)

    def _attempt(self, step: Step, progress: Progress | None) -> StepRun:
        start = time.perf_counter()
        try:
            request = self.request(step, progress)
            key = request.key
            result = self._earlier.get(key)
            reused = result is not None
            if result is None:
                work = prepare(request, self._owner, self.places)
                result = compute(request, work, progress)
            if step.chosen and not was_chosen(result.provenance):
                result = self._say_why(request, result)
            if isinstance(result, Explainer):
                self.places.add(result)
        except CancelledError:
            raise
        except WorkbenchError as error:
            return StepRun(step, error=str(error))
        except Exception as error:
            said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            return StepRun(step, error=f"The program has a defect here ({said}); report it.")
        seconds = time.perf_counter() - start
        return StepRun(
            step, result, key=key, numbers=numbers_digest(result), seconds=seconds, reused=reused
        )

    def _say_why(self, request: "Request", result: Result) -> Result:
        """Note in a result why the program chose its method."""
        work = prepare(request, self._owner, self.places)
        n_rows, n_background = len(work.rows), len(work.background)
        why = why_chosen(request.method, work.model, n_rows, n_background, request.params)
        return noted(result, why)

    def request(self, step: Step, progress: Progress | None = None) -> "Request":
        """Return what a step asks here; the step that trains its explainer is run first.

        Raises
        ------
        InvalidInputError
            If that step failed.
        CancelledError
            If progress asks it to stop.
        """
        explainer = step.explainer
        if explainer and len(explainer) < DIGEST:
            trained = self.attempt(explainer, progress).result
            if not isinstance(trained, Explainer):
                raise InvalidInputError(
                    f"Step {explainer!r}, which trains the explainer of this step, failed; mend "
                    "that one."
                )
            explainer = trained.digest
        return self._request(step, explainer)

    def _request(self, step: Step, explainer: str) -> "Request":
        return step.request(
            model_digest=self.found.models[step.model],
            table_digest=self.found.tables[step.table],
            explainer=explainer,
            given_digest=self.found.given.get(step.given, ""),
        )


def _wanted(analysis: Analysis, only: Sequence[str]) -> tuple[str, ...]:
    """Return the ids that are asked for and those that these need, in the order of the file."""
    if not only:
        return tuple(step.id for step in analysis.steps)
    wanted = {analysis.step(name).id for name in only}
    wanted |= {analysis.step(name).explainer for name in wanted}
    return tuple(step.id for step in analysis.steps if step.id in wanted)


def _adapted(analysis: Analysis, seed: int | None, device: str | None) -> Analysis:
    """Return the analysis with another seed or device, after looking for every device.

    Numbers of another seed are others, so that none are expected.
    """
    steps = []
    for step in analysis.steps:
        changes: dict[str, object] = {
            "device": str(choose_device(step.device if device is None else device))
        }
        if seed is not None and seed != step.seed:
            changes |= {"seed": seed, "expect": ""}
        steps.append(step.model_copy(update=changes))
    return analysis.model_copy(update={"steps": tuple(steps)})
