"""A report: one HTML file that opens anywhere, without a network, and runs nothing but itself.

The page's content security policy names each of its scripts by digest and forbids every address,
so text that slipped through the escaping could still neither run nor load anything.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from workbench.checks import Outcome, run_checks
from workbench.core.errors import InvalidInputError
from workbench.core.files import replacing
from workbench.core.method import METHODS
from workbench.core.provenance import Provenance
from workbench.core.results import Attribution, Result
from workbench.plots import overall_sentence, render, sentence
from workbench.plots.words import decimals_for, quantity, signed

# With more rows a reader wants the whole; single rows are then one request away.
FEW_ROWS = 20
WATERFALLS = 3
# WebGL needs generated code, which the policy forbids, and prints as pixels; as many rows of 12
# features are still quick as SVG.
SWARM_ROWS = 500
SYMBOLS = {"ok": "✓", "warning": "▲", "failure": "✕", "not_applicable": "\N{EN DASH}"}
STATUS_WORDS = {
    "ok": "fine",
    "warning": "caution",
    "failure": "failed",
    "not_applicable": "does not apply",
}


@dataclass(frozen=True)
class Picture:
    """A figure of the report in both themes: the light one, and what the dark one changes."""

    name: str
    title: str
    alt: str
    height: int
    light: dict[str, Any]
    dark: Any


@dataclass(frozen=True)
class Grid:
    """A table of the report; the columns in ``numeric`` are set flush right."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int]


@dataclass(frozen=True)
class Section:
    """One result as the report shows it; all text plain, escaped by the template."""

    name: str
    title: str
    answers: tuple[str, ...]
    pictures: tuple[Picture, ...]
    outcomes: tuple[Outcome, ...]
    importance: Grid
    values: Grid | None
    facts: tuple[tuple[str, str], ...]
    foot: str


def write_report(
    results: Sequence[Result], path: str | Path, *, title: str, comments: Sequence[str] = ()
) -> Path:
    """Write results as one HTML file; a file of that name is replaced as a whole.

    Parameters
    ----------
    title
        Plain text, as are the comments; markup in either is shown, not obeyed.
    comments
        Paragraphs of the author, above the results.

    Raises
    ------
    InvalidInputError
        If there are no results, or one of a kind that reports cannot show.
    """
    if not results:
        raise InvalidInputError("A report needs at least one result; add one and write it again.")
    sections = [_section(result, f"result-{i}") for i, result in enumerate(results, 1)]
    environment = Environment(
        loader=PackageLoader("workbench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    loader = environment.loader
    assert loader is not None  # noqa: S101 - given two lines above
    behaviour = loader.get_source(environment, "report.js")[0]
    plotly_js = get_plotlyjs()
    page = environment.get_template("report.html.j2").render(
        title=title,
        comments=comments,
        sections=sections,
        caveats=[
            (section, [o for o in section.outcomes if o.status in {"warning", "failure"}])
            for section in sections
        ],
        weaknesses=[
            (section, METHODS[name].weakness)
            for section, name in zip(sections, (r.provenance.method for r in results), strict=True)
            if name in METHODS
        ],
        symbols=SYMBOLS,
        status_words=STATUS_WORDS,
        plotly_js=plotly_js,
        behaviour=behaviour,
        policy=_policy(plotly_js, behaviour),
    )
    path = Path(path)
    with replacing(path) as part:
        part.write_bytes(page.encode())
    return path


def _policy(*scripts: str) -> str:
    """Allow these scripts, inline styles and images made by the page; nothing from outside."""
    digests = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts)
    return "; ".join((
        "default-src 'none'",
        "script-src " + " ".join(f"'sha256-{digest}'" for digest in digests),
        "style-src 'unsafe-inline'",
        "img-src data: blob:",
        "base-uri 'none'",
        "form-action 'none'",
    ))


def _section(result: Result, name: str) -> Section:
    for kind, build in _SECTIONS.items():
        if isinstance(result, kind):
            return build(result, name)
    raise InvalidInputError(f"A report cannot show results of kind {result.kind!r}; leave it out.")


def _attribution_section(attribution: Attribution, name: str) -> Section:
    n = len(attribution)
    few = 0 < n <= FEW_ROWS
    singles = range(min(n, WATERFALLS)) if few else range(0)
    pictures = [
        _picture(
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
            _picture(
                f"{name}-bar",
                "Mean size of each feature's effect",
                overall,
                partial(render, attribution, "bar"),
            ),
            _picture(
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
        importance=_importance(attribution),
        values=_values(attribution) if few else None,
        facts=_facts(record),
        foot=record.describe(),
    )


_SECTIONS: Mapping[type[Result], Callable[[Any, str], Section]] = {
    Attribution: _attribution_section,
}


def _picture(name: str, title: str, alt: str, draw: Callable[..., go.Figure]) -> Picture:
    light, dark = (json.loads(draw(dark=theme).to_json()) for theme in (False, True))
    return Picture(name, title, alt, light["layout"]["height"], light, _changes(light, dark))


def _changes(old: Any, new: Any) -> Any:
    """Return what turns ``old`` into ``new``, so that points are not in the file twice.

    Objects, and lists of objects, are compared part by part; anything else is replaced as a whole.
    Both come from the same renderer, so they have the same parts.
    """
    if isinstance(old, dict):
        return {k: _changes(old[k], new[k]) for k in old if old[k] != new[k]}
    if isinstance(old, list) and old and isinstance(old[0], dict):
        pairs = enumerate(zip(old, new, strict=True))
        return {str(i): _changes(a, b) for i, (a, b) in pairs if a != b}
    return new


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


def _facts(record: Provenance) -> tuple[tuple[str, str], ...]:
    """Every field of the provenance with its name in words."""
    words = {"n_rows": "rows", "n_background": "background rows", "dtype": "precision"}
    return tuple(
        (words.get(name, name.replace("_", " ")), _fact(value))
        for name, value in record.model_dump().items()
    )


def _fact(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} = {part}" for key, part in value.items()) or "none"
    if isinstance(value, list | tuple):
        return "; ".join(str(part) for part in value) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value)
