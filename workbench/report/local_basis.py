"""The section of a report about the inside of a network."""

from functools import partial

from workbench.checks import run_checks
from workbench.core.local_basis import BASES, LocalBasis
from workbench.plots import render
from workbench.plots.basis_redundancy import (
    redundancy_sentence,
    switching,
    switching_layers,
)
from workbench.plots.local_basis import lib_sentence, together_sentence
from workbench.report.section import Grid, Picture, Section, facts_of

TITLES = {
    "graph": "Features of the layers and the strongest edges between them",
    "curves": "What is left with fewer edges",
    "feature": "What excites the first feature",
    "used": "What the dimensions of each layer are good for",
    "alike": "Units that are on and off on the same rows",
}
NOT_KNOWN = "\N{EN DASH}"
LIMITS = (
    "A layer has at most as many features as units; what several features share with too few units "
    "is not taken apart. Features depend on the rows that they are made of."
)


def local_basis_section(result: LocalBasis, name: str) -> Section:
    """Build the section of a Local Interaction Basis."""
    record, answer = result.provenance, lib_sentence(result)
    silent = set() if int(result.sizes[0, :-1].sum()) else {"graph", "feature"}
    if not switching_layers(result):
        silent.add("alike")
    shown = {view: title for view, title in TITLES.items() if view not in silent}
    return Section(
        name=name,
        title=f"{record.title}: {record.model} on {record.table}",
        answers=(answer, together_sentence(result), redundancy_sentence(result), LIMITS),
        pictures=tuple(
            Picture(f"{name}-{view}", title, f"{title}. {answer}", partial(render, result, view))
            for view, title in shown.items()
        ),
        outcomes=run_checks(result),
        tables=(_needed(result), _dropped(result)),
        values=None,
        facts=facts_of(record),
        foot=record.describe(),
    )


def _needed(result: LocalBasis) -> Grid:
    rows = tuple(
        (
            name, result.layer_names[at], f"{result.widths[at]:,}", f"{result.sizes[b, at]:,}",
            f"{result.nodes_required[b, at]:,}", f"{result.edges_required[b, at]:,}",
            f"{result.possible_edges(at):,}",
        )
        for b, name in enumerate(BASES.values())
        for at in range(result.n_sections)
    )  # fmt: skip
    columns = ("basis", "layer", "units", "features", "features needed", "edges needed", "of")
    return Grid("What each layer, and the section after it, takes", columns, rows,
                frozenset(range(2, 7)))  # fmt: skip


def _dropped(result: LocalBasis) -> Grid:
    known = switching_layers(result)
    rows = []
    for at, (name, rule) in enumerate(zip(result.layer_names[:-1], result.rules, strict=True)):
        switched: tuple[str, ...] = (NOT_KNOWN,) * 3
        if name in known:
            switched = tuple(f"{len(units):,}" for units in switching(result, at))
        counts = (result.widths[at], result.unvisited[at], result.ignored[at])
        rows.append((name, *(f"{n:,}" for n in counts), rule, *switched))
    columns = ("layer", "units", "never vary", "ignored", "gradients", "never on", "always on",
               "alike")  # fmt: skip
    return Grid(
        "Directions that were dropped, units that are never or always on, and groups of alike ones",
        columns, tuple(rows), frozenset({1, 2, 3, 5, 6, 7}),
    )  # fmt: skip
