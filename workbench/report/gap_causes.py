"""What gaps between groups are made of, in a report."""

from functools import partial

import numpy as np

from workbench.checks import run_checks
from workbench.core.gap_causes import GapCauses
from workbench.plots import render, views_of
from workbench.plots.gap_causes_words import gap_sentence, proxy_sentence, scale_of
from workbench.plots.words import counting_sentence, decimals_for, signed
from workbench.report.section import Grid, Picture, Section, facts_of

TITLES = {
    "waterfall": "What each feature adds to the gap",
    "proxies": "Which features stand in for the group",
}
SHOWN = 100


def gap_causes_section(result: GapCauses, name: str) -> Section:
    """Build the section of what gaps are made of; its pictures are of the widest gap."""
    record, answer = result.provenance, gap_sentence(result)
    told = proxy_sentence(result)
    said = {"waterfall": answer, "proxies": told}
    return Section(
        name=name,
        title=f"{record.title}: {record.model} on {record.table}",
        answers=(answer, *filter(None, [counting_sentence(result)]), told),
        pictures=tuple(
            Picture(
                f"{name}-{view}", TITLES[view], f"{TITLES[view]}. {said[view]}",
                partial(render, result, view),
            )
            for view in views_of(result)
        ),
        outcomes=run_checks(result),
        tables=(_gaps(result), _parts(result)),
        values=None,
        facts=facts_of(record),
        foot=record.describe(),
    )  # fmt: skip


def _interval(values: np.ndarray, times: float, digits: int) -> tuple[str, str]:
    value, low, high = (times * float(part) for part in values)
    if not np.isfinite(value):
        return "not defined", ""
    ends = f"{signed(low, digits)} to {signed(high, digits)}" if np.isfinite(low) else "not known"
    return signed(value, digits), ends


def _gaps(result: GapCauses) -> Grid:
    times, unit = scale_of(result)
    digits = decimals_for(times * float(np.nanmax(np.abs(result.gaps[:, 0]))))
    rows = tuple(
        (
            name, *(f"{size:,}" for size in result.sizes[m]),
            *_interval(result.gaps[m], times, digits),
            _area(result.remaining[result.pair_attributes[m]]), result.reason(m),
        )
        for m, name in enumerate(result.pair_names)
    )  # fmt: skip
    columns = (
        "pair", "rows", "rows of the reference", f"gap in {unit}" if unit else "gap", "95 %",
        "told by other columns (AUC)", "remark",
    )  # fmt: skip
    return Grid("Gaps in mean score", columns, rows, frozenset({1, 2, 3, 4, 5}))


def _parts(result: GapCauses) -> Grid:
    times, unit = scale_of(result)
    digits = decimals_for(times * float(np.nanmax(np.abs(result.contributions[:, :, 0]))))
    every = [(m, int(c)) for m in range(len(result)) for c in result.order(m)]
    rows = tuple(
        (
            result.pair_names[m], result.names[c],
            *_interval(result.contributions[m, c], times, digits), _area(result.told[m, c]),
            "yes" if result.itself[result.pair_attributes[m], c] else "",
        )
        for m, c in every[:SHOWN]
    )  # fmt: skip
    columns = (
        "pair", "feature", f"adds, in {unit}" if unit else "adds", "95 %",
        "tells the groups (AUC)", "the attribute itself",
    )  # fmt: skip
    caption = "What features add to the gaps, and how well each tells the groups"
    if len(every) > SHOWN:
        caption = f"{caption}, the first {SHOWN}"
    return Grid(caption, columns, rows, frozenset({2, 3, 4}))


def _area(values: np.ndarray) -> str:
    value, low, high = (float(part) for part in values)
    return f"{value:.2f} ({low:.2f} to {high:.2f})" if np.isfinite(value) else "not known"
