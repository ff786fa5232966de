"""Results in a notebook: a figure, an answer in words, and how a result shows itself."""

import html
from typing import TYPE_CHECKING, Any

from workbench.core.errors import InvalidInputError
from workbench.core.result import refuse_other, show_with
from workbench.core.results import Result

if TYPE_CHECKING:
    from workbench.plots import Figure

LINES = 5
MARKS = {"ok": "✓", "warning": "▲", "failure": "✕", "not_applicable": "\N{EN DASH}"}


def plot(result: Result, view: str | None = None, **options: Any) -> "Figure":
    """Draw a result.

    Parameters
    ----------
    result
        Of any kind that has views.
    view
        Such as ``waterfall`` or ``beeswarm``; by default the plainest that has something to say.
    options
        Those of the view, such as ``output``, ``row``, ``max_features`` or ``dark``.

    Returns
    -------
    A plotly figure.

    Raises
    ------
    InvalidInputError
        If it is no result, there is no such view of it, or an option that the view does not have.
    """
    from workbench.plots import render, views_of  # noqa: PLC0415 - plotly takes half a second

    refuse_other(result)
    if view is None:
        views = views_of(result)
        if not views:
            raise InvalidInputError(
                f"This result of kind {result.kind!r} has nothing to draw; look at what it says "
                "with answer."
            )
        view = views[0]
    return render(result, view, **options)


def answer(result: Result) -> str:
    """Say in a sentence what a result says: of its row where it has one, else over all rows.

    Parameters
    ----------
    result
        Of any kind.

    Raises
    ------
    InvalidInputError
        If it is no result, or of a kind that has no answer in words.
    """
    from workbench.plots.answers import answer as told  # noqa: PLC0415 - as above

    refuse_other(result)
    return told(result)


def as_html(result: Result) -> str:
    """Write a result as a notebook shows it: answer, first lines, checks, origin; all escaped."""
    from workbench.checks import run_checks  # noqa: PLC0415 - after the result exists

    parts = [f"<p><strong>{html.escape(answer(result))}</strong></p>"]
    if hasattr(result, "to_frame"):
        frame = result.to_frame()
        parts.append(frame.head(LINES).to_html(index=frame.index.name is not None, border=0))
        if len(frame) > LINES:
            parts.append(f"<p>{LINES} of {len(frame):,} lines of <code>to_frame()</code></p>")
    checks = "".join(
        f"<li>{MARKS[o.status]} {html.escape(f'{o.code} {o.title}: {o.sentence}')}</li>"
        for o in run_checks(result)
    )
    parts.append(f"<ul style='list-style:none;padding-left:0'>{checks}</ul>" if checks else "")
    parts.append(f"<p><small>{html.escape(result.provenance.describe())}</small></p>")
    return f"<div>{''.join(parts)}</div>"


show_with(as_html)
