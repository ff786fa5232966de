"""What goes into a report, whichever file it becomes."""

from dataclasses import dataclass
from typing import Literal

from workbench.core.card import Card
from workbench.core.figures import ChosenFigure
from workbench.core.results import Result
from workbench.engines.performance.overview import Overview

Level = Literal["summary", "analyst", "auditor"]


@dataclass(frozen=True)
class Entry:
    """One result of a report.

    Attributes
    ----------
    title
        What stands above it; empty for the title that the result gives itself.
    remark
        What the author says of it; plain text.
    step
        Name of the step of the analysis that made it; empty where there is none.
    figures
        What to draw of it in place of the usual figures; empty for these.
    """

    result: Result
    title: str = ""
    remark: str = ""
    step: str = ""
    figures: tuple[ChosenFigure, ...] = ()


@dataclass(frozen=True)
class Document:
    """A report before it is written: results in order, and what they are about.

    Attributes
    ----------
    title, comments
        Plain text; markup in either is shown, not obeyed.
    level
        For whom it is: answers and caveats alone, with figures and tables, or with everything
        that is needed to check and repeat it.
    cards, tables
        The models and tables that the results are about.
    analysis
        The analysis file that makes these results again; empty where there is none.
    """

    title: str
    entries: tuple[Entry, ...]
    comments: tuple[str, ...] = ()
    level: Level = "analyst"
    cards: tuple[Card, ...] = ()
    tables: tuple[Overview, ...] = ()
    analysis: str = ""
