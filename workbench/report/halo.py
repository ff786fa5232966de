"""Halos of features, in a report."""

from functools import partial

from workbench.checks import run_checks
from workbench.core.results import Halo
from workbench.plots import render, views_of
from workbench.plots.halo import choices_of, ends_sentence, halo_sentence
from workbench.plots.words import decimals_for, number, signed
from workbench.report.section import Grid, Picture, Section, facts_of

# Sets with a figure of their own, and those in the table.
DRAWN, LISTED = 2, 40


def halo_section(result: Halo, name: str) -> Section:
    """Build the section of models that scale features together."""
    record = result.provenance
    return Section(
        name=name,
        title=f"{record.title}: {record.model} on {record.table}",
        answers=tuple(part for part in (halo_sentence(result), ends_sentence(result)) if part),
        pictures=_pictures(result, name),
        outcomes=run_checks(result),
        tables=(_sets(result),),
        values=None,
        facts=facts_of(record),
        foot=record.describe(),
    )


def _pictures(result: Halo, name: str) -> tuple[Picture, ...]:
    """Draw the first sets, and all pairs beside each other."""
    view, option = ("halo", "pair") if result.order == 2 else ("sphere", "triple")
    drawn = [
        Picture(
            f"{name}-{view}-{place}", f"Halo of {chosen}", halo_sentence(result, place),
            partial(render, result, view, **{option: chosen}),
        )
        for place, chosen in enumerate(choices_of(result)[:DRAWN])
    ]  # fmt: skip
    if "matrix" in views_of(result):
        drawn.append(
            Picture(
                f"{name}-matrix", "Halos of pairs",
                "For each pair the joint models around the given one.",
                partial(render, result, "matrix"),
            )
        )  # fmt: skip
    return tuple(drawn)


def _sets(result: Halo) -> Grid:
    """List the sets with how many joint models are as good, and the range of their scores."""
    rows = []
    for place, chosen in enumerate(choices_of(result)[:LISTED]):
        known, spread = result.known[place], result.spread(place)
        digits = decimals_for(max(abs(value) for value in spread))
        excess = result.excess[place, known] / result.tolerance
        ends = [number(float(end)) for end in (excess.min(), excess.max())] if len(excess) else []
        rows.append((
            chosen, f"{int(result.members[place].sum())} of {int(known.sum())}",
            *(ends or ["none", "none"]), *(signed(value, digits) for value in spread),
        ))  # fmt: skip
    return Grid(
        "Joint models of each set, by their excess loss in tolerances, and scores in the loss "
        f"{f'in {result.loss_unit} ' if result.loss_unit else ''}over those that are as good",
        ("features", "as good", "least excess", "most excess", "given model", "least", "most"),
        tuple(rows), frozenset(range(2, 7)),
    )  # fmt: skip
