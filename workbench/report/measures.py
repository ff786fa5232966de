"""Measures of explanations in a report."""

from functools import partial

import numpy as np

from workbench.checks import run_checks
from workbench.core.measures import MEASURES
from workbench.core.results import Measures
from workbench.plots import render
from workbench.plots.explanations import groups_of, name_of
from workbench.plots.measures import measures_sentence
from workbench.plots.words import number, quantity
from workbench.report.section import Grid, Picture, Section, facts_of

BETTER = {"higher": "higher", "lower": "lower", "": "neither"}


def measures_section(measures: Measures, name: str) -> Section:
    """Build the section of the measures of several explanations."""
    which, record = measures.output_index(None), measures.provenance
    answer = measures_sentence(measures)
    drawn = Picture(
        f"{name}-scores", "Every measure of every method", answer,
        partial(render, measures, "scores"),
    )  # fmt: skip
    return Section(
        name=name,
        title=f"{record.title}: {quantity(measures, which)}, {record.model}",
        answers=(answer,),
        pictures=(drawn,) if len(measures) else (),
        outcomes=run_checks(measures),
        tables=(_scores(measures, which), _meanings(measures)) if len(measures) else (),
        values=None,
        facts=facts_of(record),
        foot=record.describe(),
    )


def _scores(measures: Measures, which: int) -> Grid:
    """List the mean of each measure with its interval, a column for each method."""
    found = measures.summary(which)
    order = [i for _, members in groups_of(measures.types) for i in members]

    def cell(i: int, q: int) -> str:
        value, low, high = (float(part[i, q]) for part in (found.mean, found.low, found.high))
        if np.isnan(value):
            return "n/a"
        interval = f" ({number(low)} to {number(high)})" if np.isfinite(low) else ""
        return f"{number(value)}{interval}"

    rows = tuple(
        (MEASURES[key].title, BETTER[MEASURES[key].better], *(cell(i, q) for i in order))
        for q, key in enumerate(measures.measures)
    )
    columns = ("measure", "better", *(name_of(measures.methods[i]) for i in order))
    return Grid(
        f"Mean over {len(measures):,} rows (95 %), for {quantity(measures, which)}",
        columns, rows, frozenset(range(2, len(columns))),
    )  # fmt: skip


def _meanings(measures: Measures) -> Grid:
    rows = tuple(
        (MEASURES[key].title, MEASURES[key].about, settings, MEASURES[key].source)
        for key, settings in zip(measures.measures, measures.settings_words, strict=True)
    )
    columns = ("measure", "what it is", "with", "source")
    return Grid("What is measured, and how", columns, rows, frozenset())
