"""Detectors of interactions side by side, in a report."""

from functools import partial

import numpy as np

from workbench.checks import run_checks
from workbench.core.detectors import NOWHERE, Detectors
from workbench.plots import render
from workbench.plots.detectors import detectors_sentence
from workbench.plots.words import number
from workbench.report.section import Grid, Picture, Section, facts_of

LISTED = 20


def detectors_section(result: Detectors, name: str) -> Section:
    """Build the section of what several detectors say of the same pairs."""
    which, record = result.output_index(None), result.provenance
    return Section(
        name=name,
        title=f"{record.title}: {result.output_names[which]}, {record.model}",
        answers=(detectors_sentence(result, which),),
        pictures=(
            Picture(
                f"{name}-ranks", "Rank of each pair by each detector",
                "Table of ranks, coloured by strength.",
                partial(render, result, "ranks", output=which),
            ),
            Picture(
                f"{name}-agreement", "How far each two detectors agree",
                "Matrix of correlations of ranks.",
                partial(render, result, "agreement", output=which),
            ),
            Picture(
                f"{name}-cost", "What each detector takes", "Bars of seconds.",
                partial(render, result, "cost"),
            ),
        ),
        outcomes=run_checks(result),
        tables=(_firsts(result, which), *_absent(result)),
        values=_ranks(result, which),
        facts=facts_of(record),
        foot=record.describe(),
    )  # fmt: skip


def _firsts(result: Detectors, which: int) -> Grid:
    """List the detectors with the pair that each finds strongest, and what it took."""
    rows = []
    for c, first in enumerate(result.firsts(which)):
        found = first != NOWHERE
        strength = number(float(result.strengths[c, first, which])) if found else ""
        rows.append((
            result.titles[c], result.localities[c],
            result.pair_names[first] if found else "none", strength, result.units[c],
            number(float(result.seconds[c])), f"{result.evaluations[c]:,}",
            f"{result.gradients[c]:,}",
        ))  # fmt: skip
    return Grid(
        "What each detector finds strongest, and what it takes",
        ("detector", "locality", "strongest pair", "strength", "unit", "seconds", "evaluations",
         "gradients"),
        tuple(rows), frozenset({3, 5, 6, 7}),
    )  # fmt: skip


def _absent(result: Detectors) -> tuple[Grid, ...]:
    """List the detectors that were left out, if there are any."""
    if not result.left_out:
        return ()
    return (Grid("Left out", ("detector", "because"), result.left_out, frozenset()),)


def _ranks(result: Detectors, which: int) -> Grid:
    frame = result.top(LISTED, which)
    rows = [
        (str(line[0]), *("" if np.isnan(rank) else f"{rank:.0f}" for rank in line[1:]))
        for line in frame.itertuples(index=False, name=None)
    ]
    return Grid(
        "Ranks, best mean first", ("pair", *result.titles), tuple(rows),
        frozenset(range(1, len(result.titles) + 1)),
    )  # fmt: skip
