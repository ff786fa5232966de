"""The page of a report: its parts put together, closed to the network, deaf to markup in names.

The page's content security policy names each of its scripts by digest and forbids every address,
so text that slipped through the escaping could still neither run nor load anything.
"""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from workbench.engines import registered_methods
from workbench.report.appendix import appendix
from workbench.report.cards import model_part
from workbench.report.caveats import caveat, glance, weaknesses
from workbench.report.data import data_part
from workbench.report.document import Document
from workbench.report.embedded import embedded
from workbench.report.levels import at_level
from workbench.report.plotly_js import plotly_js
from workbench.report.section import Section
from workbench.report.visible import visible

SYMBOLS = {"ok": "✓", "warning": "▲", "failure": "✕", "not_applicable": "\N{EN DASH}"}
STATUS_WORDS = {
    "ok": "fine",
    "warning": "caution",
    "failure": "failed",
    "not_applicable": "does not apply",
}


def page(document: Document, sections: Sequence[Section]) -> str:
    """Return the page of a report as HTML.

    Parameters
    ----------
    sections
        One for each entry, complete; what the document's level leaves out is left out here.
    """
    level, results = document.level, [entry.result for entry in document.entries]
    environment, methods = _environment(), registered_methods()
    shown = [at_level(s, r, level) for s, r in zip(sections, results, strict=True)]
    library, behaviour = plotly_js(_kinds(shown)), _source(environment, "report.js")
    return environment.get_template("report.html.j2").render(
        title=document.title,
        comments=document.comments,
        level=level,
        glances=[glance(section) for section in sections],
        models=[
            model_part(card, f"model-{i}", level, results)
            for i, card in enumerate(document.cards, 1)
        ],
        tables=[data_part(t, f"data-{i}", level) for i, t in enumerate(document.tables, 1)],
        results=[
            (section, methods.get(result.provenance.method))
            for section, result in zip(shown, results, strict=True)
        ],
        caveats=[
            caveat(s, r, document.tables) for s, r in zip(sections, results, strict=True)
        ],
        weaknesses=weaknesses(results, methods),
        appendix=appendix(document, sections) if level == "auditor" else None,
        computed=_computed(document),
        is_long=_is_long,
        symbols=SYMBOLS,
        status_words=STATUS_WORDS,
        style=_source(environment, "report.css"),
        plotly_js=library,
        behaviour=behaviour,
        policy=_policy(library, behaviour),
    )  # fmt: skip


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("workbench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters["embedded"] = embedded
    return environment


def _shown(value: Any) -> Any:
    """Write what a user typed so that it cannot turn the text around it; markup is our own."""
    return visible(value) if type(value) is str else value


def _is_long(cell: str, width: int) -> bool:
    """Whether a cell has a word that is wider than a number of letters."""
    return len(cell) > width and any(len(word) > width for word in cell.split())


def _source(environment: Environment, name: str) -> str:
    loader = environment.loader
    assert loader is not None  # noqa: S101 - given where it is made
    return loader.get_source(environment, name)[0]


def _kinds(sections: Sequence[Section]) -> set[str]:
    """Kinds of traces of which the figures consist."""
    pictures = (picture for section in sections for picture in section.pictures)
    return {trace["type"] for picture in pictures for trace in picture.light["data"]}


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


def _computed(document: Document) -> str:
    """Say when the results were computed."""
    days = sorted({entry.result.provenance.created[:10] for entry in document.entries})
    span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return f"Computed {span} with the explainability workbench."
