"""Explanations held against neighbourhoods, in a report."""

from functools import partial

import numpy as np

from workbench.checks import run_checks
from workbench.core.faithfulness import NEIGHBOURHOODS
from workbench.core.results import Faithfulness
from workbench.core.wording import percent
from workbench.plots import render
from workbench.plots.explanation_values import values_sentence
from workbench.plots.explanations import GROUPS, groups_of, name_of, offered_types
from workbench.plots.faithfulness import share_text
from workbench.plots.faithfulness_words import faithfulness_sentence
from workbench.plots.words import feature_is, number, quantity
from workbench.report.section import Grid, Picture, Section, facts_of

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
        tables=(_shares(result, which), _neighbourhoods(result)) if len(result) else (),
        values=(_values if few else _entries)(result, which) if len(result) else None,
        facts=facts_of(record),
        foot=record.describe(),
    )


def _overall(result: Faithfulness, name: str) -> list[Picture]:
    if not len(result):
        return []
    told = faithfulness_sentence(result)
    return [
        Picture(
            f"{name}-matrix", "What each method misses in each neighbourhood", told,
            partial(render, result, "matrix"),
        ),
        Picture(
            f"{name}-agreement", "How far methods agree about the strongest features",
            values_sentence(result), partial(render, result, "agreement"),
        ),
    ]  # fmt: skip


def _values_of(result: Faithfulness, row: int, name: str) -> list[Picture]:
    return [
        Picture(
            f"{name}-{kind}-{row}",
            f"Row {result.ids[row]}: {GROUPS[kind]} of each feature, by each method",
            values_sentence(result, row),
            partial(render, result, "values", row=row, type=kind),
        )
        for kind in offered_types(result.types)
    ]


def _shares(result: Faithfulness, which: int) -> Grid:
    """List what each method misses in each neighbourhood, and what it costs."""
    value = result.entries(which).value
    rows = tuple(
        (name_of(result.methods[i]), kind, *(share_text(float(share)) for share in value[i]),
         f"{result.calls[i]:,}")
        for kind, members in groups_of(result.types) for i in members
    )  # fmt: skip
    heads = (NEIGHBOURHOODS[key] for key in result.neighbourhoods)
    columns = ("method", "type", *heads, "model calls")
    return Grid(
        f"Share missed of {quantity(result, which)} (model calls: for one row, by itself)",
        columns, rows, frozenset(range(2, len(columns))),
    )  # fmt: skip


def _entries(result: Faithfulness, which: int) -> Grid:
    """List every share with its interval."""
    entries = result.entries(which)
    rows = tuple(
        (name_of(result.methods[i]), NEIGHBOURHOODS[key],
         *(share_text(float(part[i, j])) for part in entries))
        for _, members in groups_of(result.types) for i in members
        for j, key in enumerate(result.neighbourhoods) if np.isfinite(entries.value[i, j])
    )  # fmt: skip
    columns = ("method", "neighbourhood", "share missed", "95 % from", "95 % to")
    caption = f"Every share missed, over {len(result):,} rows"
    return Grid(caption, columns, rows, frozenset({2, 3, 4}))


def _neighbourhoods(result: Faithfulness) -> Grid:
    """Say how large each neighbourhood is."""
    sizes = {
        "near": f"each number moved by {_deviations(result.scale)}",
        "wide": f"each number moved by {_deviations(result.wide_scale)}",
        "mask-exponential": f"kernel of width {number(result.width)} over the features removed",
        "mask-shapley": "sizes weighted as Shapley values weigh them",
        "one-at-a-time": "each feature removed alone",
        "path": "every part of the way alike",
        "resample": f"each feature with probability {percent(result.share)}",
    }
    rows = tuple((NEIGHBOURHOODS[key], sizes[key]) for key in result.neighbourhoods)
    return Grid(
        f"The neighbourhoods (for one row: {result.shared_calls:,} model calls for all methods "
        f"together, {result.heldout_calls:,} to hold them against)",
        ("neighbourhood", "size"), rows, frozenset(),
    )  # fmt: skip


def _deviations(scale: float) -> str:
    return f"{number(scale)} standard deviation{'' if scale == 1 else 's'}"


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
