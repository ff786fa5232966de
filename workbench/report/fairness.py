"""Audits of fairness in a report."""

from functools import partial

import numpy as np

from workbench.checks import run_checks
from workbench.core.fairness import FairnessAudit
from workbench.core.fairness_metrics import ACCURACY, FPR, GAPS, PPV, RATES, SELECTION, TPR
from workbench.numerics.audit_reading import rate_index
from workbench.plots import render, views_of
from workbench.plots.fairness_words import (
    audit_sentence,
    chance_sentence,
    conflicts_sentence,
    each_sentence,
    gap_words,
    interval_words,
    lacking_sentence,
    verdict,
)
from workbench.plots.words import counting_sentence, number
from workbench.report.section import Grid, Picture, Section, facts_of

TITLES = {
    "groups": "True positive rate of the groups",
    "gaps": "Gaps between the groups, and what chance brings",
    "intersections": "True positive rate where attributes cross",
    "roc": "How well scores rank within each group",
    "calibration": "Whether scores come true in each group",
    "thresholds": "What another threshold would do",
    "xauc": "Ranking across groups",
}
SHOWN = (SELECTION, TPR, FPR, PPV, ACCURACY)
# Views that every single attribute gets, and of how many attributes at most.
EACH, MOST = ("groups", "gaps"), 4
MOST_GROUPS = 60
# Pixels of a cell with a number in it and of what stands around, and how many groups fit anywhere.
CELL, FRAME, FEW_CELLS, MOST_CELLS = 56, 120, 3, 12


def fairness_section(result: FairnessAudit, name: str) -> Section:
    """Build the section of an audit."""
    record = result.provenance
    return Section(
        name=name,
        title=f"{record.title}: {record.model} on {record.table}",
        answers=_answers(result),
        pictures=_pictures(result, name),
        outcomes=run_checks(result),
        tables=(_rates(result), _gaps(result), _people(result)),
        values=_values(result),
        facts=facts_of(record),
        foot=record.describe(),
    )  # fmt: skip


def _singles(result: FairnessAudit) -> list[int]:
    return [p for p, part in enumerate(result.partitions) if len(part) == 1][:MOST]


def _answers(result: FairnessAudit) -> tuple[str, ...]:
    said = [counting_sentence(result)]
    for p in _singles(result):
        said += [
            audit_sentence(result, p), chance_sentence(result, p), each_sentence(result, p),
            lacking_sentence(result, p),
            conflicts_sentence(result, p),
        ]  # fmt: skip
    return tuple(sentence for sentence in said if sentence)


def _pictures(result: FairnessAudit, name: str) -> tuple[Picture, ...]:
    found = []
    for view in views_of(result):
        chosen = [None] if view == "intersections" else _singles(result)
        for p in chosen if view in EACH else chosen[:1]:
            by = "" if p is None else f", by {result.partition_names[p]}"
            said = conflicts_sentence(result, p or 0) if view == "gaps" else (
                audit_sentence(result, p or 0)
            )  # fmt: skip
            title = f"{TITLES[view]}{by}"
            found.append(Picture(
                f"{name}-{view}-{0 if p is None else p}", title, f"{title}. {said}",
                partial(render, result, view, partition=p),
                room=_room(result, p) if view == "xauc" else 0,
            ))  # fmt: skip
    return tuple(found)


def _room(result: FairnessAudit, partition: int | None) -> int:
    """Return the width at which a matrix of groups has room for a number in each cell."""
    n = min(len(result.groups_of(partition or 0)), MOST_CELLS)
    return FRAME + CELL * n if n > FEW_CELLS else 0


def _rates(result: FairnessAudit) -> Grid:
    rows = tuple(
        (
            result.partition_names[result.partition_of[g]], result.group_names[g],
            f"{result.sizes[g]:,}",
            *(_rate(result, rate, g) for rate in SHOWN),
        )
        for g in range(min(len(result), MOST_GROUPS))
    )  # fmt: skip
    columns = ("by", "group", "rows", *(RATES[rate].title.lower() for rate in SHOWN))
    cut = "" if len(result) <= MOST_GROUPS else f", the first {MOST_GROUPS}"
    caption = f"Rates of the groups{cut}, with 95 % intervals; in brackets what is insufficient"
    return Grid(caption, columns, rows, frozenset(range(2, 8)))


def _rate(result: FairnessAudit, rate: str, group: int) -> str:
    said = interval_words(result.rates[rate_index(rate), group])
    if said == "not defined":
        return f"not defined: {result.reason(rate, group)}"
    return f"[{said}]" if result.reason(rate, group) else said


def _gaps(result: FairnessAudit) -> Grid:
    rows = tuple(
        (
            result.partition_names[p], gap.title, gap_words(result, q, p),
            *(number(float(x)) if np.isfinite(x) else "" for x in result.floors[q, p]),
            verdict(result, q, p),
        )
        for p in range(len(result.partitions))
        for q, gap in enumerate(GAPS.values())
    )  # fmt: skip
    columns = (
        "by", "gap", "value (95 %)", "at random, on average", "at random, one in 20", "verdict",
    )  # fmt: skip
    return Grid("Gaps between groups", columns, rows, frozenset({2, 3, 4}))


def _people(result: FairnessAudit) -> Grid:
    """Measures over people, and of partitions, that no figure shows."""
    lines = [
        (name.replace("_", " "), _three(result.individual[i]))
        for i, name in enumerate(result.individual_names)
    ]
    for p, name in enumerate(result.partition_names):
        lines.append((f"differential fairness by {name}", _three(result.differential[p])))
        share = float(result.between[p])
        lines.append((
            f"share of Theil's index between groups by {name}",
            number(share) if np.isfinite(share) else "not defined",
        ))  # fmt: skip
    return Grid("Over people, and all groups at once", ("measure", "value (95 %)"),
                tuple(lines), frozenset({1}))  # fmt: skip


def _three(three: np.ndarray) -> str:
    value, low, high = (float(x) for x in three)
    if not np.isfinite(value):
        return "not defined"
    if not np.isfinite(low):
        return number(value)
    return f"{number(value)} ({number(low)} to {number(high)})"


def _values(result: FairnessAudit) -> Grid:
    frame = result.to_frame()
    numeric = {"value", "low", "high", "difference", "difference_low", "difference_high"}
    rows = tuple(
        tuple(
            ("" if cell != cell else number(float(cell))) if name in numeric else (  # noqa: PLR0124
                f"{cell:,.0f}" if name in {"n", "size"} else str(cell)
            )
            for name, cell in zip(frame.columns, line, strict=True)
        )
        for line in frame.itertuples(index=False)
    )  # fmt: skip
    places = [i for i, name in enumerate(frame.columns) if name in numeric | {"n", "size"}]
    columns = tuple(str(name).replace("_", " ") for name in frame.columns)
    return Grid("Every rate of every group", columns, rows, frozenset(places))
