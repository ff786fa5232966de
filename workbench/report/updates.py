"""Churn of an update, and what lessens disagreement, in a report."""

from functools import partial

import numpy as np

from workbench.checks import run_checks
from workbench.core.mitigation import MEASURED, Mitigation
from workbench.core.results import Churn
from workbench.core.wording import percent
from workbench.engines.rashomon.realised import realised
from workbench.plots import render, views_of
from workbench.plots.churn_words import churn_sentence, group_sentence, update_sentence
from workbench.plots.mitigation import TITLES, judge_name
from workbench.plots.mitigation_words import (
    abstention_sentence,
    by_construction_sentence,
    ensemble_sentence,
    selection_sentence,
)
from workbench.plots.words import number
from workbench.report.section import Grid, Picture, Section, facts_of

TOP = 20
CHURN_TITLES = {
    "tolerances": "What changes, by how good a model has to be",
    "rows": "Rows that are most likely to change",
    "groups": "Whose decisions change",
    "pairs": "How differently each two models decide",
    "update": "What the update changed, against what was foreseen",
}
MITIGATION_TITLES = {
    "reduction": "Disagreement against the size of ensembles",
    "abstention": "Accuracy on the rows that are decided",
    "candidates": "Models trained again",
}


def churn_section(churn: Churn, name: str) -> Section:
    """Build the section of what an update would change, and what one did."""
    views, known = views_of(churn), bool(len(churn)) and bool(churn.admitted().any())
    answers = [churn_sentence(churn)]
    if known and "groups" in views:
        answers.append(group_sentence(churn))
    if churn.update:
        answers.append(update_sentence(churn))
    shown = [view for view in CHURN_TITLES if view in views] if known else []
    tables = [_by_tolerance(churn), _rows(churn)]
    if churn.update:
        tables.append(_realised(churn))
    record = churn.provenance
    return Section(
        name=name,
        title=f"{record.title}: {record.model}",
        answers=tuple(answers),
        pictures=tuple(
            Picture(f"{name}-{view}", CHURN_TITLES[view], answers[0], partial(render, churn, view))
            for view in shown
        ),
        outcomes=run_checks(churn),
        tables=tuple(tables) if known else (),
        values=None,
        facts=facts_of(record),
        foot=record.describe(),
    )


def mitigation_section(mitigation: Mitigation, name: str) -> Section:
    """Build the section of ensembles, abstention and choice among models."""
    tell = (
        ensemble_sentence, by_construction_sentence, abstention_sentence, selection_sentence
    )  # fmt: skip
    answers, record = tuple(sentence(mitigation) for sentence in tell), mitigation.provenance
    if mitigation.candidate_names and mitigation.remark:
        answers = (*answers, mitigation.remark)
    shown = views_of(mitigation) if len(mitigation) else ()
    return Section(
        name=name,
        title=f"{record.title}: {record.model}",
        answers=answers,
        pictures=tuple(
            Picture(
                f"{name}-{view}",
                MITIGATION_TITLES[view],
                answers[0],
                partial(render, mitigation, view),
            )
            for view in shown
        ),
        outcomes=run_checks(mitigation),
        tables=(_ensembles(mitigation),) if len(mitigation) else (),
        values=None,
        facts=facts_of(record),
        foot=record.describe(),
    )


def _share(value: float) -> str:
    return "n/a" if np.isnan(value) else percent(float(value))


def _by_tolerance(churn: Churn) -> Grid:
    frame = churn.to_frame()
    heads = ("expected", "low", "high", "worst", "smoothed", "pairwise", "fixes", "breaks", "bound")
    rows = tuple(
        (number(line["tolerance"]), f"{line['models']:,}", *(_share(line[key]) for key in heads))
        for line in frame.to_dict("records")
    )
    columns = ("tolerance", "models", "expected", "95 % from", "95 % to", *heads[3:])
    caption = f"Decisions that change; tolerances are excess {churn.loss_name}"
    return Grid(caption, columns, rows, frozenset(range(len(columns))))


def _rows(churn: Churn) -> Grid:
    frame = churn.rows_frame().head(TOP)
    rows = tuple(
        (str(line["row"]), _text(line["decision"]), _text(line["truth"]), _share(line["flips"]),
         _share(line["low"]), _share(line["high"]))
        for line in frame.to_dict("records")
    )  # fmt: skip
    columns = ("row", "now", "true", "models that change it", "95 % from", "95 % to")
    return Grid("Rows that are most likely to change", columns, rows, frozenset({0, 3, 4, 5}))


def _realised(churn: Churn) -> Grid:
    found = realised(churn)
    rows = (
        ("rows changed", *(_share(value) for value in found.churn)),
        ("foreseen on average", _share(found.expected), "", ""),
        ("AUC of what was foreseen", *(number(value) for value in found.area)),
        ("from wrong to right", _share(found.fixes), "", ""),
        ("from right to wrong", _share(found.breaks), "", ""),
    )
    columns = (f"by {churn.update}", "value", "95 % from", "95 % to")
    return Grid("What the update changed", columns, rows, frozenset({1, 2, 3}))


def _text(value: object) -> str:
    return value if isinstance(value, str) else number(float(str(value)))


def _ensembles(mitigation: Mitigation) -> Grid:
    rows = []
    for j, judge in enumerate(mitigation.judges):
        for s, size in enumerate(mitigation.sizes):
            if np.isnan(mitigation.metrics[j, s, -1, 0]):
                continue
            cells = [_interval(mitigation.metrics[j, s, q]) for q in range(len(MEASURED))]
            less = mitigation.reduction[j, s, 1 if mitigation.classifies else 2]
            cells.append("" if s == 0 else _interval(100 * less))
            rows.append((judge_name(mitigation, judge), f"{size:,}", *cells))
    columns = ("judge", "members", *(TITLES[metric] for metric in MEASURED), "% less than one")
    return Grid(
        "Disagreement by judge and size (95 %, over ensembles and rows)", columns, tuple(rows),
        frozenset(range(1, len(columns))),
    )  # fmt: skip


def _interval(numbers: np.ndarray) -> str:
    value, low, high = (float(part) for part in numbers)
    if np.isnan(value):
        return "n/a"
    return number(value) if np.isnan(low) else f"{number(value)} ({number(low)} to {number(high)})"
