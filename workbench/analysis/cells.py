"""Which cells the table of a step will have, so far as model, rows and settings say it before."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from workbench.analysis.condition import Cell, Condition
from workbench.analysis.faults import joined, place
from workbench.analysis.replay import Replay
from workbench.analysis.step import Step
from workbench.analysis.verdicts import same_cell
from workbench.core.error_audit import MEASURES as ERRORS
from workbench.core.errors import InvalidInputError, WorkbenchError
from workbench.core.fairness_metrics import GAPS, RATES
from workbench.core.faithfulness import EXPLANATIONS, NEIGHBOURHOODS
from workbench.core.flips import names_of
from workbench.core.measures import MEASURES
from workbench.core.method import Method
from workbench.core.model import Model
from workbench.core.performance import AREAS, CLASS_METRICS
from workbench.core.rashomon import EXPLORERS, METRICS
from workbench.core.remedy_catalogue import REMEDIES, STAGES
from workbench.core.schema import listing
from workbench.core.table import Table
from workbench.engines.decided import favourable_position
from workbench.engines.fairness.assignments import find_assignments
from workbench.engines.fairness.causes import compared
from workbench.engines.group_params import GroupingParams
from workbench.engines.groups import find_groups
from workbench.jobs.request import Request, registered_methods

# Cells by column that may stand in one row. Of a column that is not there nothing is known.
Block = Mapping[str, Sequence[Cell]]

OF_CLASSES = (
    "accuracy", "share of the commonest class", "balanced accuracy", "log-loss", "Brier score",
    "ROC AUC", "average precision", "precision", "recall", "F1", "mean ROC AUC", "mean F1",
    "calibration error",
)  # fmt: skip
OF_NUMBERS = ("root mean squared error", "mean absolute error", "mean error", "R squared")
NAMES: Mapping[str, Mapping[str, Sequence[Cell]]] = {
    "faithfulness": {"method": tuple(EXPLANATIONS), "neighbourhood": tuple(NEIGHBOURHOODS)},
    "measures": {"method": tuple(EXPLANATIONS), "measure": tuple(MEASURES)},
    "rashomon_set": {"explorer": tuple(EXPLORERS), "metric": tuple(METRICS)},
    "remedies": {"remedy": tuple(REMEDIES), "stage": tuple(STAGES)},
    "fairness_front": {"gap": tuple(GAPS)},
}
# A pair stands in the column of features as well, under a name of its own.
WITH_PAIRS = "local_functions"


@dataclass(frozen=True)
class _Asked:
    """A step, and what it is about."""

    step: Step
    method: Method
    request: Request
    model: Model
    table: Table

    @cached_property
    def rows(self) -> Table:
        """The rows of the step, as ``jobs.arrange`` takes them."""
        return self.request.select(self.table).read_by(self.model.schema)

    @property
    def params(self) -> Any:
        """The settings of the step, with their defaults."""
        return self.method.params.model_validate(dict(self.step.params))

    def blocks(self) -> list[Block]:
        """Return what is known of the rows of the table, part by part."""
        kind = self.method.yields.kind
        known = {**self._everywhere(kind), **NAMES.get(kind, {})}
        return [{**known, **part} for part in _PARTS.get(kind, _whole)(self)]

    def _everywhere(self, kind: str) -> dict[str, Sequence[Cell]]:
        """Return the cells that mean the same in every table: rows, outputs, features."""
        # Methods that are handed the whole table choose rows of their own.
        rows = self.table if "table" in self.method.uses else self.rows
        known: dict[str, Sequence[Cell]] = {
            "row": rows.ids.tolist(), "output": self.model.output_names
        }  # fmt: skip
        if kind != WITH_PAIRS:
            features = self.model.schema.names
            known |= {"feature": features, "other": (*features, ""), "third": (*features, "")}
        return known


def refuse_unknown_cells(replay: Replay) -> None:
    """Refuse conditions on rows that the tables of their steps cannot have.

    What only the run tells is left to the verdict on it.

    Raises
    ------
    InvalidInputError
        If there are some; the message names each, and what may be chosen.
    """
    faults = []
    for at, condition in enumerate(replay.analysis.fail_if):
        if not condition.where or condition.step not in replay.ids:
            continue
        try:
            blocks = _asked(replay, condition).blocks()
        except WorkbenchError:  # the step will say the same of itself
            continue
        faults += [f"{place(('fail_if', at))}, where: {said}" for said in _lacks(condition, blocks)]
    if faults:
        raise InvalidInputError(f"Nothing was run: {joined(faults)}.")


def _asked(replay: Replay, condition: Condition) -> _Asked:
    step = replay.analysis.step(condition.step)
    return _Asked(step, registered_methods().find(step.method), *replay.asked(step))


def _lacks(condition: Condition, blocks: Sequence[Block]) -> Iterator[str]:
    """Yield the first cell that no row has together with those before it."""
    for column, wanted in condition.where.items():
        left = [
            block for block in blocks
            if column not in block or any(same_cell(cell, wanted) for cell in block[column])
        ]  # fmt: skip
        if not left:
            choice = listing(dict.fromkeys(repr(cell) for b in blocks for cell in b[column]), 20)
            yield f"no row will have {wanted!r} in column {column!r}, choose one of {choice}"
            return
        blocks = left


def _whole(_: _Asked) -> list[Block]:
    return [{}]


def _of_performance(asked: _Asked) -> list[Block]:
    classes = asked.model.schema.classes
    if asked.model.schema.task == "regression":
        return [{"metric": OF_NUMBERS, "class": ("",)}]
    return [
        {"metric": OF_CLASSES, "class": ("",)},
        {"metric": (*CLASS_METRICS, *AREAS), "class": classes},
    ]


def _of_groups(asked: _Asked, measure: str, names: Iterable[str]) -> list[Block]:
    """Return one part for each way of grouping the rows."""
    params = asked.params
    grouping = find_groups(asked.rows, GroupingParams(by=params.by, bins=params.bins))
    return [
        {
            "partition": (" x ".join(grouping.attributes[at] for at in part),),
            "group": [", ".join(levels) for levels in grouping.cells(part)],
            measure: tuple(names),
        }
        for part in grouping.partitions(params.depth)
    ]


def _of_audit(asked: _Asked) -> list[Block]:
    return _of_groups(asked, "rate", RATES)


def _of_errors(asked: _Asked) -> list[Block]:
    return _of_groups(asked, "measure", ERRORS)


def _of_causes(asked: _Asked) -> list[Block]:
    """Return one part for each pair of groups."""
    return [
        {"attribute": (attribute,), "group": (group,), "reference": (reference,)}
        for attribute, group, reference in compared(asked.model, asked.rows, asked.params)
    ]


def _of_flips(asked: _Asked) -> list[Block]:
    """Return one part for each group, with the decisions and flips that there may be."""
    found, params = find_assignments(asked.model, asked.rows, asked.params), asked.params
    position = favourable_position(asked.model, asked.rows, params.favourable)
    favourable = asked.model.schema.classes[position]
    assignments = names_of(found.attributes, [
        [found.levels[at][level] for at, level in enumerate(chosen)]
        for chosen in found.levels_of.tolist()
    ])  # fmt: skip
    known: dict[str, Sequence[Cell]] = {
        "decision": (favourable, f"not {favourable}"), "flip": ("adverse", "favoured", ""),
        "plausible": (True, False), "move_as": (*assignments, ""),
    }  # fmt: skip
    ids = asked.rows.ids.tolist()
    if params.mode == "uniform":  # rows are made up
        return [{**known, "row": range(params.asked(len(ids))), "group": assignments}]
    groups = names_of(found.attributes, found.group_levels)
    return [
        {**known, "group": (name,), "row": [ids[i] for i in np.flatnonzero(found.group == at)]}
        for at, name in enumerate(groups)
    ]


_PARTS: Mapping[str, Callable[[_Asked], list[Block]]] = {
    "performance": _of_performance, "fairness_audit": _of_audit, "error_audit": _of_errors,
    "gap_causes": _of_causes, "attribute_flips": _of_flips,
}  # fmt: skip
