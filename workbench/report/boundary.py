"""People at the boundary in a report."""

from functools import partial

import numpy as np

from workbench.checks import run_checks
from workbench.core.boundary import NOBODY, UNKNOWN, BoundaryPeople
from workbench.core.wording import percent
from workbench.plots import render, views_of
from workbench.plots.boundary import side_by_side
from workbench.plots.boundary_words import (
    chosen_sentence,
    flip_sentence,
    neighbour_sentence,
    people_sentence,
    person_sentence,
    points,
    tolerance_sentence,
)
from workbench.report.section import Grid, Picture, Section, facts_of

TITLES = {
    "strip": "The people closest to the boundary, and what equally good models say of them",
    "scores": "How many people have each score",
    "person": "What sets the closest person apart from the most similar one decided otherwise",
}
SHOWN, TOLD = 50, 3


def boundary_section(result: BoundaryPeople, name: str) -> Section:
    """Build the section about people at the boundary."""
    record = result.provenance
    rows = [int(row) for row in result.ids[result.chosen[:TOLD]]]
    persons = tuple(
        " ".join(say(result, row) for say in (person_sentence, flip_sentence, neighbour_sentence))
        for row in rows
    )
    return Section(
        name=name,
        title=f"{record.title}: {record.model} on {record.table}",
        answers=(
            people_sentence(result), chosen_sentence(result), tolerance_sentence(result), *persons,
        ),
        pictures=tuple(
            Picture(
                f"{name}-{view}", TITLES[view], f"{TITLES[view]}. {_alt(result, view)}",
                partial(render, result, view),
            )
            for view in views_of(result)
        ),
        outcomes=run_checks(result),
        tables=(_people(result), *(_beside(result, row) for row in rows[:1])),
        values=None,
        facts=facts_of(record),
        foot=record.describe(),
    )  # fmt: skip


def _alt(result: BoundaryPeople, view: str) -> str:
    if view == "person" and len(result.chosen):
        return neighbour_sentence(result)
    return people_sentence(result)


def _people(result: BoundaryPeople) -> Grid:
    rows = tuple(_line(result, place) for place in range(min(SHOWN, len(result.chosen))))
    columns = (
        "row", "points of 100", "decision", "by the label", *result.attributes, "range",
        "decide otherwise", "nearest decided otherwise",
    )  # fmt: skip
    caption = "The closest to the boundary"
    if len(result.chosen) > SHOWN:
        caption = f"{caption}, the first {SHOWN} of {len(result.chosen):,}"
    return Grid(caption, columns, rows, frozenset({0, 1}))


def _line(result: BoundaryPeople, place: int) -> tuple[str, ...]:
    person = int(result.chosen[place])
    share, low, high = (float(part) for part in result.otherwise[person])
    ends = (float(result.low[person]), float(result.high[person]))
    known = result.truth[person] != UNKNOWN
    other = result.neighbour_ids[place]
    return (
        str(result.ids[person]),
        points(float(result.scores[person])),
        "approved" if result.decided[person] else "refused",
        ("wrong" if result.wrong[person] else "right") if known else "not known",
        *(result.group_of(person, a) for a in range(len(result.attributes))),
        "not known" if np.isnan(ends[0]) else f"{points(ends[0])} to {points(ends[1])}",
        "not known" if np.isnan(share)
        else f"{percent(share)} ({percent(low)} to {percent(high)})",
        f"row {other}" if other != NOBODY else "nobody",
    )  # fmt: skip


def _beside(result: BoundaryPeople, row: int) -> Grid:
    place = result.place_of(row)
    other = result.neighbour_ids[place]
    name = f"row {other}" if other != NOBODY else "nobody"
    rows = tuple(
        (feature, own, theirs, "differs" if differs else "")
        for feature, own, theirs, differs in side_by_side(result, row)
    )
    return Grid(
        f"Row {row} and the most similar one who is decided otherwise",
        ("feature", f"row {row}", name, ""), rows, frozenset(),
    )  # fmt: skip
