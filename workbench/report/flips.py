"""Attribute flips in a report."""

from functools import partial

import numpy as np

from workbench.checks import run_checks
from workbench.core.flips import AttributeFlips
from workbench.core.wording import percent
from workbench.plots import render
from workbench.plots.flips_people import people_in_order
from workbench.plots.flips_words import (
    flips_sentence,
    groups_sentence,
    plausible_sentence,
    score_sentence,
    share,
)
from workbench.plots.words import counting_sentence
from workbench.report.section import Grid, Picture, Section, facts_of

TITLES = {
    "rates": "Whose decision changes, by group",
    "moves": "How far scores move",
    "people": "Everybody as they are and as another",
}
LISTED = 20


def flips_section(result: AttributeFlips, name: str) -> Section:
    """Build the section of attributes that were set to all that they could be."""
    record, answer = result.provenance, flips_sentence(result)
    said = (counting_sentence(result), groups_sentence(result), score_sentence(result),
            plausible_sentence(result))  # fmt: skip
    tables = [_groups(result), _assignments(result), _people(result)]
    if result.pairs:
        tables.append(_pairs(result))
    return Section(
        name=name,
        title=f"{record.title}: {record.model} on {record.table}",
        answers=(answer, *filter(None, said)),
        pictures=tuple(
            Picture(
                f"{name}-{view}", title, f"{title}. {answer}", partial(render, result, view),
            )
            for view, title in TITLES.items()
        ),
        outcomes=run_checks(result),
        tables=tuple(tables),
        values=None,
        facts=facts_of(record),
        foot=record.describe(),
    )  # fmt: skip


def _groups(result: AttributeFlips) -> Grid:
    rows = tuple(
        (
            result.group_names[g], f"{result.sizes[g]:,}", share(result.rates[1, 0, g]),
            share(result.rates[1, 1, g]), share(result.rates[2, 0, g]),
            share(result.rates[2, 1, g]),
        )
        for g in range(len(result.group_levels))
    )  # fmt: skip
    columns = (
        "group", "rows", "refused because of it", "by plausible ones", "favoured because of it",
        "by plausible ones",
    )  # fmt: skip
    return Grid("Whose decision changes, with 95 % intervals", columns, rows, frozenset({1}))


def _assignments(result: AttributeFlips) -> Grid:
    rows = tuple(
        (name, share(result.set_rates[c])) for c, name in enumerate(result.assignment_names)
    )
    return Grid(
        f"Share that would get {result.favourable} if everybody were of one group",
        ("if everybody were", "share"), rows, frozenset(),
    )  # fmt: skip


def _people(result: AttributeFlips) -> Grid:
    order = [i for i in people_in_order(result) if result.furthest[i] >= 0][:LISTED]
    rows = tuple(
        (
            str(result.ids[i]), result.group_names[result.group[i]],
            f"{result.own_scores[i]:.3f}", result.assignment_names[result.furthest[i]],
            f"{result.scores[i, result.furthest[i]]:.3f}",
            "yes" if result.changes()[i].any() else "no",
            _seldom_met(result, i, int(result.furthest[i])),
        )
        for i in order
    )  # fmt: skip
    columns = (
        "row", "group", "probability", "most as", "probability then", "decided otherwise",
        "hardly ever met",
    )  # fmt: skip
    caption = f"People, those refused because of it first, up to {LISTED}"
    return Grid(caption, columns, rows, frozenset({0, 2, 4}))


def _seldom_met(result: AttributeFlips, i: int, c: int) -> str:
    """Tell whether an alternative is hardly ever met; too few rows to say is not a no."""
    if result.implausible[i, c]:
        return "yes"
    # A real person of another group is met, whatever the neighbourhood tells.
    unknown = result.mode != "conditional" and np.isnan(result.support[i, c])
    return "not known" if unknown else "no"


def _pairs(result: AttributeFlips) -> Grid:
    rows = tuple(
        (one, other, f"{flips:,}", f"{seen:,}", f"{expected:,.0f}", percent(seen / expected))
        for (one, other), flips, seen, expected in zip(
            result.pairs, result.pair_flips, result.pair_seen, result.pair_expected, strict=True
        )
    )
    columns = (
        "set to", "with", "alternatives", "rows with both", "rows if independent", "of these",
    )  # fmt: skip
    return Grid(
        "Values that hardly ever go together", columns, rows, frozenset({2, 3, 4, 5})
    )  # fmt: skip
