"""Scores of pairs of features, in a report."""

from functools import partial

from workbench.checks import run_checks
from workbench.core.results import InteractionScores
from workbench.core.wording import percent
from workbench.plots import render, views_of
from workbench.plots.interaction_scores_words import LOSS_SIGN, scores_sentence
from workbench.plots.scored_sets import PAIR, SIZES, TRIPLE, scored_sets, ways_of
from workbench.plots.words import quantity
from workbench.report.section import Grid, Picture, Section, facts_of

LISTED = 40
TITLES = {
    "ranked": "Pairs by what they do together",
    "heatmap": "Every pair",
    "network": "Pairs that matter",
    "swarm": "Every pair in every model",
    "triples": "Triples by what they do together",
}


def interaction_scores_section(scores: InteractionScores, name: str) -> Section:
    """Build the section of which features work together, in one model or over several."""
    which, record = scores.output_index(None), scores.provenance
    answers = [scores_sentence(scores, which)]
    in_loss = "loss" in ways_of(scores)
    if in_loss:
        answers += [scores_sentence(scores, which, by="loss"), LOSS_SIGN]
    return Section(
        name=name,
        title=f"{record.title}: {quantity(scores, which)}, {record.model}",
        answers=tuple(answers),
        pictures=_pictures(scores, which, name, in_loss=in_loss),
        outcomes=run_checks(scores),
        tables=_tables(scores, which),
        values=None,
        facts=facts_of(record),
        foot=record.describe(),
    )


def _pictures(
    scores: InteractionScores, which: int, name: str, *, in_loss: bool
) -> tuple[Picture, ...]:
    """Draw every view, and the bars by the loss where it was asked for."""
    said = scores_sentence(scores, which)
    drawn = [
        Picture(f"{name}-{view}", TITLES[view], said, partial(render, scores, view, output=which))
        for view in views_of(scores)
    ]
    if in_loss:
        drawn.append(Picture(
            f"{name}-loss", "Pairs by their score in the loss",
            scores_sentence(scores, which, by="loss"),
            partial(render, scores, "ranked", output=which, by="loss"),
        ))  # fmt: skip
    return tuple(drawn)


def _tables(scores: InteractionScores, which: int) -> tuple[Grid, ...]:
    sizes = [size for size in (PAIR, TRIPLE) if (scores.orders == size).any()]
    return tuple(_table(scores, which, size) for size in sizes)


def _table(scores: InteractionScores, which: int, size: int) -> Grid:
    """List the strongest sets with their intervals, directions and ranges."""
    sets = scored_sets(scores, which, size=size)
    several, top = sets.n_models > 1, sets.cloud()
    rows = []
    for at in range(min(LISTED, len(sets))):
        over = (sets.span(at), percent(float(top.in_top[at]))) if several else ()
        rows.append((
            sets.name(at), sets.show(float(sets.own[at])), sets.interval(at),
            sets.way(at), "yes" if sets.matters[at] else "no", *over,
        ))  # fmt: skip
    heads = (SIZES[size], "share of the variance", "95 %", "direction", "matters")
    over_models = (f"over {sets.n_models:,} models", f"in top {top.top}") if several else ()
    what = quantity(scores, which)
    return Grid(
        f"What {SIZES[size]}s do together in the {what}", (*heads, *over_models), tuple(rows),
        frozenset({1, 2, *((5, 6) if several else ())}),
    )  # fmt: skip
