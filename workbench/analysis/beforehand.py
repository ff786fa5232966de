"""What model, table and settings say of a step before anything runs: that it cannot."""

from collections.abc import Iterator

from workbench.analysis.faults import joined
from workbench.analysis.figures import beyond
from workbench.analysis.replay import Replay
from workbench.analysis.step import Step
from workbench.core.errors import InvalidInputError, WorkbenchError
from workbench.core.method import Method
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.engines.decided import favourable_position
from workbench.engines.fairness.causes import compared
from workbench.engines.fairness.causes_params import CausesParams
from workbench.engines.group_params import GroupingParams, GroupParams
from workbench.engines.groups import find_groups
from workbench.jobs.request import registered_methods
from workbench.jobs.work import arrange


def refuse_misfits(replay: Replay) -> None:
    """Refuse steps that cannot run, and figures of rows that their results cannot have.

    What only the computation tells is left to it: such a step fails, and the others run.

    Raises
    ------
    InvalidInputError
        If there are some; the message names each step, and what does not fit.
    """
    faults = [
        f"step {name!r}{said}"
        for name in replay.ids
        for said in _of_step(replay, replay.analysis.step(name))
    ]
    if faults:
        raise InvalidInputError(f"Nothing was run: {joined(faults)}.")


def _of_step(replay: Replay, step: Step) -> Iterator[str]:
    method = registered_methods().find(step.method)
    try:
        request, model, table = replay.asked(step)
        if step.explainer in {"", request.explainer} and (lacking := method.lacks(model)):
            yield (
                f": {method.title} needs what model {model.name} does not have, "
                f"{'; '.join(lacking)}; choose another method or model"
            )
            return
        work = arrange(request, model, table)
        _check_groups(method, step, model, work.rows)
    except WorkbenchError as error:
        yield f": {str(error).removesuffix('.')}"
        return
    # Methods that are handed the whole table may report on rows of their own.
    rows = table if "table" in method.uses else work.rows
    yield from (f", {fault}" for fault in beyond(step, rows))


def _check_groups(method: Method, step: Step, model: Model, rows: Table) -> None:
    """Refuse columns and classes that are named and are not there."""
    params = method.params.model_validate(dict(step.params))
    if isinstance(params, GroupParams) and params.favourable:
        favourable_position(model, rows, params.favourable)
    if isinstance(params, CausesParams):
        compared(model, rows, params)
    elif isinstance(params, GroupingParams) and params.by:
        find_groups(rows, GroupingParams(by=params.by, bins=params.bins), one_will_do=True)
