"""Explanations held against neighbourhoods, in a report."""

from functools import partial

import numpy as np

from workbench.checks import run_checks
from workbench.core.faithfulness import NEIGHBOURHOODS
from workbench.core.results import Faithfulness
from workbench.plots import render
from workbench.plots.explanation_values import values_sentence
from workbench.plots.explanations import GROUPS, groups_of, name_of, offered_types
from workbench.plots.faithfulness import share_text
from workbench.plots.faithfulness_words import faithfulness_sentence
from workbench.plots.words import feature_is, number, quantity
from workbench.report.section import Grid, Picture, Section, facts_of, picture

FEW_ROWS = 3


def faithfulness_section(result: Faithfulness, name: str) -> Section:
    """Build the section of explanations and what each misses in each neighbourhood."""
    which, record = result.output_index(None), result.provenance
    answer = faithfulness_sentence(result)
    few = 0 < len(result) <= FEW_ROWS
    rows = range(len(result) if few else 0)
    return Section(
        name=name,
        title=f"{record.title}: {quantity(result, which)}, {record.model}",
        answers=(answer, values_sentence(result)) if len(result) else (answer,),
        pictures=(
            *_overall(result, name),
            *(p for row in rows for p in _values_of(result, row, name)),
        ),
        outcomes=run_checks(result),
        tables=(_entries(result, which), _neighbourhoods(result)) if len(result) else (),
        values=_values(result, which) if few else None,
        facts=facts_of(record),
        foot=record.describe(),
    )


def _overall(result: Faithfulness, name: str) -> list[Picture]:
    if not len(result):
        return []
    told = faithfulness_sentence(result)
    return [
        picture(
            f"{name}-matrix", "What each method misses in each neighbourhood", told,
            partial(render, result, "matrix"),
        ),
        picture(
            f"{name}-agreement", "How far methods agree about the strongest features",
            values_sentence(result), partial(render, result, "agreement"),
        ),
    ]  # fmt: skip


def _values_of(result: Faithfulness, row: int, name: str) -> list[Picture]:
    return [
        picture(
            f"{name}-{kind}-{row}",
            f"Row {result.ids[row]}: {GROUPS[kind]} of each feature, by each method",
            values_sentence(result, row),
            partial(render, result, "values", row=row, type=kind),
        )
        for kind in offered_types(result.types)
    ]


def _entries(result: Faithfulness, which: int) -> Grid:
    """List what each method misses, with its interval where there is one."""
    entries = result.entries(which)

    def cell(i: int, j: int) -> str:
        said = share_text(float(entries.value[i, j]))
        low, high = float(entries.low[i, j]), float(entries.high[i, j])
        return f"{said} ({share_text(low)} to {share_text(high)})" if np.isfinite(low) else said

    places = range(len(result.neighbourhoods))
    rows = tuple(
        (name_of(result.methods[i]), kind, *(cell(i, j) for j in places), f"{result.calls[i]:,}")
        for kind, members in groups_of(result.types) for i in members
    )  # fmt: skip
    heads = (NEIGHBOURHOODS[key] for key in result.neighbourhoods)
    columns = ("method", "type", *heads, "model calls for a row")
    return Grid(
        f"Share missed of {quantity(result, which)}: 0 is faithful, 1 no better than a constant "
        f"(95 % over rows); all methods together ask the model {result.shared_calls:,} times for a "
        f"row, and {result.heldout_calls:,} times to be held against",
        columns, rows, frozenset(range(2, len(columns))),
    )  # fmt: skip


def _neighbourhoods(result: Faithfulness) -> Grid:
    """Say how large each neighbourhood is."""
    sizes = {
        "near": f"each number moved by {number(result.scale)} standard deviations",
        "wide": f"each number moved by {number(result.wide_scale)} standard deviations",
        "mask-exponential": f"kernel of width {number(result.width)} over the features removed",
        "mask-shapley": "sizes weighted as Shapley values weigh them",
        "one-at-a-time": "each feature removed alone",
        "path": "all shares of the way, alike",
        "resample": f"{number(100 * result.share)} % of the features at a time",
    }
    rows = tuple((NEIGHBOURHOODS[key], sizes.get(key, "")) for key in result.neighbourhoods)
    return Grid("The neighbourhoods", ("neighbourhood", "size"), rows, frozenset())


def _values(result: Faithfulness, which: int) -> Grid:
    rows = tuple(
        (str(result.ids[row]), name_of(result.methods[i]), kind, feature_is(result, row, j),
         number(float(result.values[row, i, j, which])),
         number(float(result.std_errors[row, i, j, which])))
        for row in range(len(result))
        for kind, members in groups_of(result.types) for i in members
        for j in range(len(result.names)) if np.isfinite(result.values[row, i, j, which])
    )  # fmt: skip
    columns = ("row", "method", "type", "feature", "value", "standard error")
    caption = (
        f"What each method says of {quantity(result, which)} (slopes: per standard deviation; "
        "contributions: against the reference row)"
    )
    return Grid(caption, columns, rows, frozenset({0, 4, 5}))
