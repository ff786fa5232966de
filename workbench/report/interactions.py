"""Interactions in a report."""

from functools import partial

from workbench.checks import run_checks
from workbench.core.results import Interactions
from workbench.plots import render
from workbench.plots.interactions import adds_up_sentence, interactions_sentence
from workbench.plots.words import decimals_for, quantity, signed
from workbench.report.section import Grid, Picture, Section, facts_of

# As of attributions; a row has many more pairs than features.
FEW_ROWS = 5
NETWORKS = 3
PAIRS = 20
TITLES = {
    "network": "Which features work together",
    "matrix": "Every pair, with the single features on the diagonal",
}


def interactions_section(interactions: Interactions, name: str) -> Section:
    """Build the section of interactions."""
    n = len(interactions)
    few = 0 < n <= FEW_ROWS
    singles = range(min(n, NETWORKS)) if few and n > 1 else range(0)
    overall = interactions_sentence(interactions)
    pictures = [
        Picture(
            f"{name}-{view}", TITLES[view], f"{TITLES[view]}. {overall}",
            partial(render, interactions, view),
        )
        for view in ("network", "matrix")
    ]  # fmt: skip
    pictures += [_network_of(interactions, row, name) for row in singles]
    answers = [interactions_sentence(interactions, row) for row in singles]
    record = interactions.provenance
    return Section(
        name=name,
        title=f"{record.title}: {quantity(interactions.singles)}, {record.model}",
        answers=(overall, *answers, adds_up_sentence(interactions)),
        pictures=tuple(pictures),
        outcomes=run_checks(interactions),
        tables=(_strongest(interactions),),
        values=_values(interactions) if few else None,
        facts=facts_of(record),
        foot=record.describe(),
    )


def _network_of(interactions: Interactions, row: int, name: str) -> Picture:
    return Picture(
        f"{name}-network-{row}",
        f"Row {interactions.ids[row]}: which features work together",
        interactions_sentence(interactions, row),
        partial(render, interactions, "network", row=row),
    )


def _strongest(interactions: Interactions) -> Grid:
    frame = interactions.strongest().head(PAIRS)
    columns = ["feature", "other", "mean size", "standard error", "mean"]
    numbers = frame[["strength", "std_error", "mean"]]
    if len(interactions) < 2:  # without a spread over rows
        columns.remove("standard error")
        numbers = numbers.drop(columns="std_error")
    decimals = decimals_for(float(frame["strength"].max()) if len(frame) else 0.0) + 1
    cells = [
        (f"{line[0]:,.{decimals}f}", *(f"{x:,.{decimals}f}" for x in line[1:-1]),
         signed(line[-1], decimals))
        for line in numbers.itertuples(index=False, name=None)
    ]  # fmt: skip
    rows = tuple(
        (str(feature), str(other), *cell)
        for feature, other, cell in zip(frame["feature"], frame["other"], cells, strict=True)
    )
    return Grid(
        f"Strongest pairs ({interactions.index}) for {quantity(interactions.singles)}",
        tuple(columns),
        rows if len(interactions) else (),
        frozenset(range(2, len(columns))),
    )


def _values(interactions: Interactions) -> Grid:
    frame = interactions.to_frame()
    decimals = decimals_for(float(frame["interaction"].abs().max())) + 1
    known = interactions.background_std_errors is not None
    numbers = ("interaction", "low", "high") if known else ("interaction",)
    text = ("row", "output", "feature", "value", "other", "other_value")
    rows = tuple(
        (*(str(cell) for cell in line[: len(text)]),
         *(signed(x, decimals) for x in line[len(text) :]))
        for line in frame[[*text, *numbers]].itertuples(index=False, name=None)
    )  # fmt: skip
    heads = {"low": "95 % from", "high": "95 % to", "other_value": "its value"}
    return Grid(
        f"Every single value and pair, in {interactions.unit or 'the unit of the target'}",
        tuple(heads.get(name, name) for name in (*text, *numbers)),
        rows,
        frozenset({0, *range(len(text), len(text) + len(numbers))}),
    )
