"""Figures that were chosen for a result, in place of those that its section has as a rule."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from workbench.core.figures import ChosenFigure
from workbench.core.results import Result
from workbench.plots.chosen import draw_chosen, title_of
from workbench.plots.chosen_words import chosen_sentence
from workbench.report.section import Picture, Section

# WebGL needs generated code, which the policy of a report forbids, and prints as pixels; as many
# rows are still quick as SVG. They hold where nobody chose another number.
LIMITS: dict[str, Any] = {"webgl": False, "max_rows": 500}


def with_chosen(section: Section, result: Result, figures: Sequence[ChosenFigure]) -> Section:
    """Return a section with these figures, and what they say below its answers.

    Raises
    ------
    InvalidInputError
        If the result has no such view, or the view no such option.
    WorkbenchError
        If an option has a value that the result does not have.
    """
    said = [chosen_sentence(result, figure) for figure in figures]
    pictures = tuple(
        _picture(section.name, i, result, figure, words)
        for i, (figure, words) in enumerate(zip(figures, said, strict=True), 1)
    )
    return replace(
        section, pictures=pictures, answers=tuple(dict.fromkeys((*section.answers, *said)))
    )


def _picture(name: str, number: int, result: Result, figure: ChosenFigure, said: str) -> Picture:
    title = title_of(type(result), figure, getattr(result, "ids", None))
    return Picture(
        f"{name}-chosen-{number}", title, said, partial(draw_chosen, result, figure, **LIMITS)
    )
