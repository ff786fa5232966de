"""Captions of a figure that fit a telephone: what would be cut off goes on a line of its own."""

import html
from collections.abc import Iterator
from textwrap import wrap

import plotly.graph_objects as go

from workbench.plots.theme import escaped

# Pixels of the narrowest figure, of a letter of a caption and of a label, and around the plot.
NARROW, CAPTION, LABEL, BESIDE = 340, 7.4, 6.6, 24
# Pixels of the numbers of an axis and of its title, and of a line of a remark.
NUMBERS, TITLED, LINE = 40, 24, 16
FEWEST = 14


def fit(figure: go.Figure) -> go.Figure:
    """Break captions below plots, and remarks above them, that a narrow window would cut off.

    For who knows the width: in a wide window a figure is to stay as it is.

    A caption stands below the middle of its plot, so labels on the left leave it less room. Where
    lines are added, the figure grows by them. Returns the figure, which is changed.
    """
    left = _left(figure)
    plot = NARROW - left - BESIDE
    added = 0
    for axis in figure.select_xaxes():
        if axis.title.text:
            start, end = axis.domain or (0, 1)
            beside = 2 * min(left + start * plot, BESIDE + (1 - end) * plot)
            text = _broken(axis.title.text, int(((end - start) * plot + beside) / CAPTION))
            added = max(added, text.count("<br>") - axis.title.text.count("<br>"))
            axis.title.text = text
    added += _fit_remark(figure)
    if added and figure.layout.height:
        figure.layout.height += LINE * added
    return figure


def _fit_remark(figure: go.Figure) -> int:
    """Break the remark above the right end of a figure; return how many lines that adds."""
    above = [
        one for one in figure.layout.annotations
        if (one.xref, one.yref, one.x, one.xanchor, one.yanchor)
        == ("paper", "paper", 1, "right", "bottom") and one.text
    ]  # fmt: skip
    added = 0
    for one in above:
        text = _broken(one.text, int((NARROW - BESIDE) / LABEL))
        added = max(added, text.count("<br>") - one.text.count("<br>"))
        one.text = text
    if added:
        margin = figure.layout.margin.t
        top = figure.layout.template.layout.margin.t if margin is None else margin
        figure.update_layout(margin={"t": (top or 0) + LINE * added})
    return added


def _left(figure: go.Figure) -> float:
    """Pixels that stand left of the plots: labels or numbers, and a title."""
    widest = [0.0]
    for axis in figure.select_yaxes():
        if axis.visible is False or axis.showticklabels is False:
            continue
        labels = [line for text in axis.ticktext or () for line in _lines(str(text))]
        found = LABEL * max(map(len, labels)) if labels else NUMBERS
        widest.append(found + TITLED * bool(axis.title.text))
    return 12 + max(widest)


def _broken(text: str, letters: int) -> str:
    """Break lines that have more letters, after a semicolon first; our markup is left alone."""
    lines: list[str] = []
    for line in text.split("<br>"):
        plain = html.unescape(line)
        if "<" in line or len(plain) <= letters:
            lines.append(line)
        else:
            lines += [escaped(one) for one in _parted(plain, max(letters, FEWEST))]
    return "<br>".join(lines)


def _parted(line: str, letters: int) -> Iterator[str]:
    """Yield the parts of a line, several on one line where they fit."""
    kept = ""
    for part in line.split("; "):
        joined = f"{kept}; {part}" if kept else part
        if kept and len(joined) > letters:
            yield from wrap(kept, letters, break_on_hyphens=False)
            joined = part
        kept = joined
    yield from wrap(kept, letters, break_on_hyphens=False)


def _lines(text: str) -> Iterator[str]:
    """Yield the lines of a label as they are seen."""
    for line in text.replace("<b>", "").replace("</b>", "").split("<br>"):
        yield html.unescape(line)
