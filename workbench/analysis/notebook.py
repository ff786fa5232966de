"""A notebook that runs the steps of an analysis again through the Python API."""

import html
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, get_args

from workbench.analysis.contents import Analysis
from workbench.analysis.replay import StepRun
from workbench.core.figures import ChosenFigure
from workbench.core.results import Tabular
from workbench.plots import views_of

_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$^=:@])")


def notebook(analysis: Analysis, runs: Sequence[StepRun], file: str) -> str:
    """Return the notebook as the text of an ``.ipynb`` file (nbformat 4.5), without outputs.

    Parameters
    ----------
    file
        The analysis file, as the notebook finds it.
    """
    texts: list[tuple[str, str]] = [("markdown", f"# {plain(analysis.title)}")]
    texts += [("markdown", plain(comment)) for comment in analysis.comments]
    texts.append((
        "code",
        "import workbench as wb\nfrom workbench.plots import render\n\n"
        f"replay = wb.Replay({file!r})",
    ))  # fmt: skip
    for run in runs:
        texts += _cells(run)
    return json.dumps(
        {
            "cells": [_cell(i, kind, text) for i, (kind, text) in enumerate(texts)],
            "metadata": {
                "kernelspec": {
                    "display_name": "Python 3", "language": "python", "name": "python3"
                },
                "language_info": {"name": "python"},
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        },
        indent=1,
    ) + "\n"  # fmt: skip


def plain(text: str) -> str:
    r"""Return Markdown that shows a text as it is, whatever marks or tags it holds.

    Examples
    --------
    >>> plain("<b>a*b</b>")
    '&lt;b&gt;a\\*b&lt;/b&gt;'
    """
    return _MARKS.sub(r"\\\1", " ".join(text.split())).translate({
        ord(letter): html.escape(letter) for letter in "<>&"
    })


def _cells(run: StepRun) -> Iterable[tuple[str, str]]:
    step = run.step
    heading = step.title or step.id
    yield "markdown", f"## {plain(heading)}"
    if step.remark:
        yield "markdown", plain(step.remark)
    if run.result is None:
        yield "markdown", f"This step failed: {plain(run.error)}"
        return
    if not isinstance(run.result, get_args(Tabular)):
        yield "code", f"result = replay.run({step.id!r})\nprint(result.describe())"
        return
    yield "code", f"result = replay.run({step.id!r})\nresult.to_frame()"
    if run.step.figures:
        for figure in run.step.figures:
            yield "code", _drawn(figure)
    elif views := views_of(run.result):
        others = f"  # or: {', '.join(views[1:])}" if views[1:] else ""
        yield "code", f"render(result, {views[0]!r}){others}"


def _drawn(figure: ChosenFigure) -> str:
    """Return the call that draws a figure; options are written as Python reads them.

    Examples
    --------
    >>> _drawn(ChosenFigure(view="dependence", options={"feature": "age", "max_rows": 9}))
    "wb.plot(result, 'dependence', **{'feature': 'age', 'max_rows': 9})"
    >>> _drawn(ChosenFigure(view="bar"))
    "wb.plot(result, 'bar')"
    """
    options = f", **{dict(figure.options)!r}" if figure.options else ""
    return f"wb.plot(result, {figure.view!r}{options})"


def _cell(number: int, kind: str, text: str) -> dict[str, Any]:
    cell = {
        "id": f"cell-{number}", "cell_type": kind, "metadata": {},
        "source": text.splitlines(keepends=True),
    }  # fmt: skip
    return cell if kind == "markdown" else cell | {"execution_count": None, "outputs": []}
