"""An attribution in a report."""

from functools import partial
from typing import Any

from workbench.checks import run_checks
from workbench.core.results import Attribution
from workbench.core.wording import percent
from workbench.plots import overall_sentence, render, sentence, view_sentence
from workbench.plots.clusters import Clusters, clusters, clusters_of
from workbench.plots.words import amount, decimals_for, quantity, signed
from workbench.report.section import Grid, Picture, Section, facts_of

# With more rows a reader wants the whole; single rows are then one request away.
FEW_ROWS = 20
WATERFALLS = 3
# WebGL needs generated code, which the policy forbids, and prints as pixels; as many rows of 12
# features are still quick as SVG.
SWARM_ROWS = 500
# What a reader gets of more rows than a few, beside bar and beeswarm, and what keeps it small.
TITLES = {
    "dependence": "The most important feature: value and effect",
    "heatmap": "Every row: effects, similar rows side by side",
    "decision": "From the base value to each prediction",
    "cohorts": "Groups of rows side by side",
}
OPTIONS: dict[str, dict[str, Any]] = {
    "dependence": {"max_rows": SWARM_ROWS, "webgl": False},
    "heatmap": {"max_rows": 200},
    "decision": {"max_rows": 100},
}


def attribution_section(attribution: Attribution, name: str) -> Section:
    """Build the section of an attribution."""
    n = len(attribution)
    few = 0 < n <= FEW_ROWS
    singles = range(min(n, WATERFALLS)) if few else range(0)
    pictures = [
        Picture(
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
            Picture(
                f"{name}-bar",
                "Mean size of each feature's effect",
                overall,
                partial(render, attribution, "bar"),
            ),
            Picture(
                f"{name}-beeswarm",
                "Every row: effect and feature value",
                f"A point for each of {n:,} rows; {overall}",
                partial(render, attribution, "beeswarm", max_rows=SWARM_ROWS, webgl=False),
            ),
        ]
    groups = clusters_of(attribution) if n > FEW_ROWS else None
    if groups is not None:
        pictures += _whole(attribution, name, groups)
    answers = tuple(sentence(attribution, row) for row in singles)
    tables = (_importance(attribution),)
    record = attribution.provenance
    return Section(
        name=name,
        title=f"{record.title}: {quantity(attribution)}, {record.model}",
        answers=answers if n == 1 else (overall, *answers),
        pictures=tuple(pictures),
        outcomes=run_checks(attribution),
        tables=tables if groups is None else (*tables, _groups(attribution, groups)),
        values=_values(attribution) if few else None,
        facts=facts_of(record),
        foot=record.describe(),
    )


def _whole(attribution: Attribution, name: str, groups: Clusters) -> list[Picture]:
    """Draw what only many rows show."""
    found = [
        Picture(
            f"{name}-{view}", title, view_sentence(attribution, view),
            partial(render, attribution, view, **OPTIONS.get(view, {})),
        )
        for view, title in TITLES.items()
    ]  # fmt: skip
    drawn = partial(clusters, attribution, found=groups, max_rows=SWARM_ROWS, webgl=False)
    said = f"{len(groups.names)} groups, {groups.strength}; the table of groups says what they are"
    return [*found, Picture(f"{name}-clusters", "Rows grouped by their explanations", said, drawn)]


def _groups(attribution: Attribution, groups: Clusters) -> Grid:
    rows = tuple(
        (name, f"{size:,}", rule.text or "no short rule", percent(rule.purity),
         percent(rule.coverage), amount(attribution, float(prediction)))
        for name, size, rule, prediction in zip(
            groups.names, groups.sizes, groups.rules, groups.predictions, strict=True
        )
    )  # fmt: skip
    columns = ("group", "rows", "what tells it apart", "purity", "coverage", "mean prediction")
    caption = (
        "Groups of rows with similar explanations (purity: of the rows that fit the line, how many "
        "are of the group; coverage: of the group, how many fit)"
    )
    return Grid(caption, columns, rows, frozenset({1, 3, 4, 5}))


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
