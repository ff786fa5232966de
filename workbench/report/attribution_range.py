"""Explanations across equally good models in a report."""

from functools import partial

from workbench.checks import run_checks
from workbench.core.results import AttributionRange
from workbench.core.wording import percent
from workbench.plots import render
from workbench.plots.attribution_range_words import range_sentence, stability_sentence
from workbench.plots.words import WORTH_A_WORD, decimals_for, number, quantity
from workbench.report.section import Grid, Picture, Section, facts_of

FEW_ROWS = 5


def attribution_range_section(ranges: AttributionRange, name: str) -> Section:
    """Build the section of explanations across models: every row of a few, all rows together."""
    n, which, record = len(ranges), ranges.output_index(None), ranges.provenance
    asked = n > 0 and ranges.n_models > 0
    few = range(n) if n <= FEW_ROWS and asked else ()
    answers = [range_sentence(ranges, row) for row in few] or [range_sentence(ranges)]
    pictures = [_interval(ranges, row, name) for row in few]
    if asked:
        answers.append(stability_sentence(ranges))
        pictures += [_together(ranges, view, title, name) for view, title in (
            ("importance", "Importance of features over equally good models"),
            ("stability", "How far equally good models keep the order of the features"),
        )]  # fmt: skip
    return Section(
        name=name,
        title=f"{record.title}: {quantity(ranges, which)}, {record.model}",
        answers=tuple(answers),
        pictures=tuple(pictures),
        outcomes=run_checks(ranges),
        tables=(_importances(ranges, which),) if asked else (),
        values=_values(ranges) if few else None,
        facts=facts_of(record),
        foot=record.describe(),
    )


def _interval(ranges: AttributionRange, row: int, name: str) -> Picture:
    return Picture(
        f"{name}-interval-{row}",
        f"Row {ranges.ids[row]}: attributions over equally good models",
        range_sentence(ranges, row),
        partial(render, ranges, "interval", row=row),
    )


def _together(ranges: AttributionRange, view: str, title: str, name: str) -> Picture:
    said = range_sentence(ranges) if view == "importance" else stability_sentence(ranges)
    return Picture(f"{name}-{view}", title, said, partial(render, ranges, view))


def _importances(ranges: AttributionRange, which: int) -> Grid:
    frame = ranges.importance(which)
    decimals = decimals_for(float(frame["high"].max())) + 1
    flips = dict(zip(ranges.names, ranges.flips(which, least=WORTH_A_WORD).mean(0), strict=True))
    rows = tuple(
        (str(line.feature), f"{line.importance:,.{decimals}f}", f"{line.low:,.{decimals}f}",
         f"{line.high:,.{decimals}f}", f"{line.best_rank} to {line.worst_rank}",
         percent(float(flips[str(line.feature)])))
        for line in frame.itertuples()
    )  # fmt: skip
    return Grid(
        f"Mean |attribution| to {quantity(ranges, which)} over equally good models",
        ("feature", "this model", "least", "greatest", "rank", "sign flips, share of rows"),
        rows, frozenset({1, 2, 3, 4, 5}),
    )  # fmt: skip


def _values(ranges: AttributionRange) -> Grid:
    frame = ranges.to_frame()
    text = ("row", "output", "feature", "value")
    numbers = ("attribution", "sampling_low", "sampling_high", "low", "high", "agreement")
    rows = tuple(
        (*(str(cell) for cell in line[: len(text)]),
         *(number(x) if x == x else "none" for x in line[len(text) :]))  # noqa: PLR0124 - NaN
        for line in frame[[*text, *numbers]].itertuples(index=False, name=None)
    )  # fmt: skip
    heads = {
        "sampling_low": "95 % from", "sampling_high": "95 % to", "low": "models from",
        "high": "models to", "agreement": "same sign",
    }  # fmt: skip
    return Grid(
        "Every attribution",
        tuple(heads.get(column, column) for column in (*text, *numbers)),
        rows,
        frozenset({0, *range(len(text), len(text) + len(numbers))}),
    )
