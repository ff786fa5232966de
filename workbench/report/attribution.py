"""An attribution in a report."""

from functools import partial

from workbench.checks import run_checks
from workbench.core.results import Attribution
from workbench.plots import overall_sentence, render, sentence
from workbench.plots.words import decimals_for, quantity, signed
from workbench.report.section import Grid, Section, facts_of, picture

# With more rows a reader wants the whole; single rows are then one request away.
FEW_ROWS = 20
WATERFALLS = 3
# WebGL needs generated code, which the policy forbids, and prints as pixels; as many rows of 12
# features are still quick as SVG.
SWARM_ROWS = 500


def attribution_section(attribution: Attribution, name: str) -> Section:
    """Build the section of an attribution."""
    n = len(attribution)
    few = 0 < n <= FEW_ROWS
    singles = range(min(n, WATERFALLS)) if few else range(0)
    pictures = [
        picture(
            f"{name}-row-{row}",
            f"Row {attribution.ids[row]}: from the base value to the prediction",
            sentence(attribution, row),
            partial(render, attribution, "waterfall", row=row),
        )
        for row in singles
    ]
    overall = overall_sentence(attribution)
    if n > 1:
        pictures += [
            picture(
                f"{name}-bar",
                "Mean size of each feature's effect",
                overall,
                partial(render, attribution, "bar"),
            ),
            picture(
                f"{name}-beeswarm",
                "Every row: effect and feature value",
                f"A point for each of {n:,} rows; {overall}",
                partial(render, attribution, "beeswarm", max_rows=SWARM_ROWS, webgl=False),
            ),
        ]
    answers = tuple(sentence(attribution, row) for row in singles)
    record = attribution.provenance
    return Section(
        name=name,
        title=f"{record.title}: {quantity(attribution)}, {record.model}",
        answers=answers if n == 1 else (overall, *answers),
        pictures=tuple(pictures),
        outcomes=run_checks(attribution),
        tables=(_importance(attribution),),
        values=_values(attribution) if few else None,
        facts=facts_of(record),
        foot=record.describe(),
    )


def _importance(attribution: Attribution) -> Grid:
    if not len(attribution):
        return Grid("Mean size of each feature's effect", ("feature",), (), frozenset())
    frame = attribution.importance()
    decimals = decimals_for(float(frame["importance"].max())) + 1
    has_error = len(attribution) > 1
    rows = tuple(
        (str(feature), f"{size:,.{decimals}f}", *([f"{error:,.{decimals}f}"] if has_error else []),
         signed(mean, decimals))
        for feature, size, error, mean in frame.itertuples(index=False)
    )  # fmt: skip
    columns = ("feature", "mean size", *(["standard error"] if has_error else []), "mean")
    return Grid(
        f"Mean size and mean of each feature's effect on {quantity(attribution)}",
        columns,
        rows,
        frozenset(range(1, len(columns))),
    )


def _values(attribution: Attribution) -> Grid:
    frame = attribution.to_frame()
    decimals = decimals_for(float(frame["attribution"].abs().max())) + 1
    numbers = ("attribution", "low", "high") if attribution.sources_of_error else (
        "attribution",
    )  # fmt: skip
    text = ("row", "output", "feature", "value")
    rows = tuple(
        (*(str(cell) for cell in line[: len(text)]),
         *(signed(x, decimals) for x in line[len(text) :]))
        for line in frame[[*text, *numbers]].itertuples(index=False, name=None)
    )  # fmt: skip
    heads = {"low": "95 % from", "high": "95 % to"}
    return Grid(
        f"Every attribution, in {attribution.unit or 'the unit of the target'}",
        (*text, *(heads.get(name, name) for name in numbers)),
        rows,
        frozenset({0, *range(len(text), len(text) + len(numbers))}),
    )
