"""What a person has put aside for a report: jobs in an order, and what is said of each."""

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.core.errors import LimitError
from workbench.core.figures import MAX_FIGURES, ChosenFigure
from workbench.core.files import replacing
from workbench.workspace.folders import disk_explained
from workbench.workspace.store import Workspace

FILE = "report.json"
MAX_ITEMS = 100
MAX_REMARK = 2000
MAX_TITLE = 200
MAX_COMMENT = 20_000

# Two windows of one person may change a report at once; all of them are threads of one server.
_CHANGES = threading.Lock()

Level = Literal["summary", "analyst", "auditor"]


class Item(BaseModel):
    """A job on its way into a report.

    Attributes
    ----------
    title
        Of the job; ``heading`` is what the author puts in its place, if anything.
    figures
        What the report shows of it; empty for the usual figures.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    job: str
    title: str
    remark: str = ""
    heading: str = ""
    figures: tuple[ChosenFigure, ...] = Field((), max_length=MAX_FIGURES)


class Content(BaseModel):
    """Everything put aside, and what the report says beside it.

    Attributes
    ----------
    comment
        Paragraphs above the results, with empty lines between them.
    level
        For whom the report is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    heading: str = "Explanations"
    comment: str = ""
    level: Level = "analyst"
    items: tuple[Item, ...] = Field((), max_length=MAX_ITEMS)


class Basket:
    """The report that one person is putting together; kept in that person's folder."""

    def __init__(self, owner: str, home: Path | None = None) -> None:
        self._path = Workspace(owner, home).models_root.parent / FILE

    @property
    def built(self) -> Path:
        """Return the folder that the report is written into."""
        return self._path.with_suffix("")

    @property
    def content(self) -> Content:
        """What is in it; empty where nothing was kept or the file is damaged."""
        try:
            return Content.model_validate_json(self._path.read_bytes())
        except (OSError, ValidationError):
            return Content()

    def add(
        self, job: str, title: str, remark: str = "", figures: Sequence[ChosenFigure] = ()
    ) -> None:
        """Put a job at the end with a remark and figures; where it is in already, only these.

        Raises
        ------
        LimitError
            If the report is full, or has as many figures of the job as it may have.
        """

        def change(content: Content) -> tuple[Item, ...]:
            if any(item.job == job for item in content.items):
                return tuple(
                    _with(item, figures) if item.job == job else item for item in content.items
                )
            if len(content.items) >= MAX_ITEMS:
                raise LimitError(
                    f"A report holds at most {MAX_ITEMS} results; remove one on the page Report."
                )
            item = Item(job=job, title=title, remark=remark[:MAX_REMARK])
            return (*content.items, _with(item, figures))

        self._change(change)

    def remove(self, job: str) -> None:
        """Take a job out."""
        self._change(lambda content: tuple(item for item in content.items if item.job != job))

    def move(self, job: str, places: int) -> None:
        """Move a job down, or up by a negative number of places."""

        def change(content: Content) -> tuple[Item, ...]:
            items = list(content.items)
            for place, item in enumerate(items):
                if item.job == job:
                    items.insert(max(0, place + places), items.pop(place))
                    break
            return tuple(items)

        self._change(change)

    def remark(self, job: str, text: str) -> None:
        """Write a remark beside a job."""
        self._edit(job, remark=text[:MAX_REMARK])

    def head(self, job: str, text: str) -> None:
        """Put a title of the author's above a job's result; empty for its own."""
        self._edit(job, heading=text.strip()[:MAX_TITLE])

    def drop(self, job: str, figure: ChosenFigure) -> None:
        """Take a figure of a job out; without any the report shows the usual ones."""
        self._change(
            lambda content: tuple(
                item.model_copy(update={"figures": tuple(f for f in item.figures if f != figure)})
                if item.job == job
                else item
                for item in content.items
            )
        )

    def show_usual(self, job: str) -> None:
        """Have the report show the usual figures of a job."""
        self._edit(job, figures=())

    def rename(self, heading: str) -> None:
        """Give the report another heading."""
        self._update(heading=heading.strip()[:MAX_TITLE] or Content().heading)

    def comment(self, text: str) -> None:
        """Write what stands above the results."""
        self._update(comment=text[:MAX_COMMENT])

    def address(self, level: Level) -> None:
        """Say for whom the report is."""
        self._update(level=level)

    def _edit(self, job: str, **update: object) -> None:
        self._change(
            lambda content: tuple(
                item.model_copy(update=update) if item.job == job else item
                for item in content.items
            )
        )

    def _change(self, change: Callable[[Content], tuple[Item, ...]]) -> None:
        with _CHANGES:
            content = self.content
            self._write(content.model_copy(update={"items": change(content)}))

    def _update(self, **update: object) -> None:
        with _CHANGES:
            self._write(self.content.model_copy(update=update))

    def _write(self, content: Content) -> None:
        with disk_explained(), replacing(self._path) as part:
            part.write_text(json.dumps(content.model_dump(), indent=2), encoding="utf-8")


def _with(item: Item, figures: Sequence[ChosenFigure]) -> Item:
    """Return an item with more figures, each once."""
    together = tuple(dict.fromkeys((*item.figures, *figures)))
    if len(together) > MAX_FIGURES:
        raise LimitError(
            f"A report shows at most {MAX_FIGURES} figures of a result; remove one on the page "
            "Report."
        )
    return item.model_copy(update={"figures": together})
