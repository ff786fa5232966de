"""What a reader of each level is shown of a result: less, never something else."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from workbench.core.results import Result
from workbench.plots.words import number
from workbench.report.document import Level
from workbench.report.section import Grid, Section

# Lines of a table of all values; the files beside a report hold the rest.
MOST_LINES = 2000


def at_level(section: Section, result: Result, level: Level) -> Section:
    """Leave out what a reader of this level does not need, or add what an auditor does.

    Answers, the author's remark and what checks object to are for everybody: the latter come
    again among the caveats, which no level leaves out.
    """
    if level == "summary":
        return replace(
            section, pictures=section.pictures[:1], outcomes=(), tables=(), values=None, facts=(),
            foot="",
        )  # fmt: skip
    if level == "auditor":
        return replace(section, values=every_value(result) or section.values)
    return section


def every_value(result: Result) -> Grid | None:
    """Return the table of a result as text, numbers in six digits; None where it has none."""
    to_frame: Callable[[], Any] | None = getattr(result, "to_frame", None)
    frame = to_frame() if to_frame else None
    if frame is None or frame.empty:
        return None
    if frame.index.name is not None:
        frame = frame.reset_index()
    is_number = [dtype.kind in "iuf" for dtype in frame.dtypes]
    lines = frame.head(MOST_LINES).itertuples(index=False, name=None)
    rows = tuple(tuple(_cell(cell) for cell in line) for line in lines)
    told = "" if len(frame) <= MOST_LINES else (
        f", the first {MOST_LINES:,} of {len(frame):,} lines; the JSON and CSV files hold all"
    )  # fmt: skip
    columns = tuple(str(name).replace("_", " ") for name in frame.columns)
    numeric = frozenset(place for place, found in enumerate(is_number) if found)
    return Grid(f"Every value{told}", columns, rows, numeric)


def _cell(cell: Any) -> str:
    if isinstance(cell, float):
        if math.isnan(cell):
            return ""
        return f"{cell:.6g}" if math.isfinite(cell) else number(cell)
    return str(cell)
