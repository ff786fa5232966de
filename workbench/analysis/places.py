"""Where the models and tables of an analysis are on this machine, and whether they are the same."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.analysis.contents import Analysis, TableEntry
from workbench.analysis.figures import unknown_to
from workbench.core.card import Card
from workbench.core.errors import InvalidInputError, WorkbenchError
from workbench.core.explainer import Explainer
from workbench.core.model import Model
from workbench.core.schema import listing
from workbench.core.table import Table
from workbench.core.wording import joined
from workbench.data.bundled import TABLES, open_table, with_beside
from workbench.engines.performance.overview import Overview, table_overview
from workbench.jobs.given import digest_of_given
from workbench.jobs.work import Sources
from workbench.workspace import explainers
from workbench.workspace.sources import MINE

# What steps refer to, and what it is called.
WORDS = {"model": "model", "table": "table", "given": "given explanation"}


@dataclass(frozen=True)
class Changed:
    """What steps refer to and is another one than the analysis was made with."""

    word: str
    reference: str
    expected: str
    found: str
    steps: tuple[str, ...]

    def describe(self) -> str:
        """Say it in part of a sentence."""
        plural = "s" if len(self.steps) > 1 else ""
        return (
            f"{self.word} {self.reference!r} is another one now (digest {self.found[:8]} instead "
            f"of {self.expected[:8]}), which step{plural} {joined(self.steps)} "
            f"use{'' if plural else 's'}"
        )


class Places(Sources):
    """Models and tables of one analysis by reference, which may be a path.

    Parameters
    ----------
    folder
        Relative paths of the analysis start here.
    models, tables, given
        What to take instead of a reference; relative paths start in the working folder.
    """

    def __init__(
        self,
        analysis: Analysis,
        folder: Path,
        models: Mapping[str, str] | None = None,
        tables: Mapping[str, str] | None = None,
        given: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self._analysis, self._folder = analysis, folder
        self._instead = {
            "model": dict(models or {}), "table": dict(tables or {}), "given": dict(given or {}),
        }  # fmt: skip
        self._trained: dict[str, Explainer] = {}
        for word, instead in self._instead.items():
            used = [*dict.fromkeys(filter(None, (getattr(step, word) for step in analysis.steps)))]
            if unused := [name for name in instead if name not in used]:
                choice = listing(map(repr, used), 20)
                raise InvalidInputError(
                    f"No step uses {WORDS[word]} {unused[0]!r}; "
                    f"{f'what may be replaced is {choice}' if used else 'there are none'}."
                )

    def add(self, explainer: Explainer) -> None:
        """Offer an explainer that a step has trained."""
        self._trained[explainer.digest] = explainer

    def find_model(self, reference: str, owner: str) -> Model:
        """Load a model by name or path, with the explainers beside it."""
        place = self.place("model", reference)
        if isinstance(place, Path):
            return explainers.load_model(str(place))
        return super().find_model(place, owner)

    def find_table(self, reference: str, owner: str) -> Table:
        """Load all rows of a table by name, or of a file as its model reads it."""
        place = self.place("table", reference)
        if not isinstance(place, Path):
            return super().find_table(place, owner)
        entry = self._analysis.tables.get(reference, TableEntry())
        first = next(step.model for step in self._analysis.steps if step.table == reference)
        schema = self.find_model(entry.schema_of or first, owner).schema
        if entry.beside:
            schema = with_beside(place, schema, entry.beside)
        return open_table(place, schema=schema, ignore_extra=entry.ignore_extra_columns)[0]

    def find_given(self, reference: str, owner: str) -> tuple[Path, str]:
        """Return the file of an explanation from elsewhere, and its digest."""
        place = self.place("given", reference)
        if not isinstance(place, Path):
            return super().find_given(place, owner)
        return place, digest_of_given(place)

    def with_explainer(self, model: Model, digest: str, owner: str) -> Model:
        """Return the model with one explainer: of a step, or one that is kept."""
        if digest in self._trained:
            return replace(model, explainers=()).with_explainer(self._trained[digest])
        return super().with_explainer(model, digest, owner)

    def place(self, word: str, reference: str) -> str | Path:
        """Return the name that a reference means on this machine, or the path."""
        instead = self._instead[word].get(reference)
        text, start = (reference, self._folder) if instead is None else (instead, Path())
        return start / text if _is_path(word, text) else text

    def seen_from(self, folder: Path, word: str, reference: str) -> str:
        """Return the reference that means the same to a file in another folder."""
        place = self.place(word, reference)
        if not isinstance(place, Path):
            return place
        try:
            text = Path(os.path.relpath(place.resolve(), folder.resolve())).as_posix()
        except ValueError:  # on another drive
            return str(place.resolve())
        return text if "/" in text else f"./{text}"


@dataclass(frozen=True)
class Found:
    """What lies behind the references of an analysis here.

    Attributes
    ----------
    models, tables, given
        Digests by reference.
    """

    models: dict[str, str]
    tables: dict[str, str]
    given: dict[str, str]
    cards: tuple[Card, ...]
    overviews: tuple[Overview, ...]
    changed: tuple[Changed, ...]


def find_all(
    places: Places, analysis: Analysis, owner: str, ids: Sequence[str] | None = None
) -> Found:
    """Load every model and table that steps use, and hold their digests against the analysis.

    Parameters
    ----------
    ids
        Only what these steps use.

    Raises
    ------
    InvalidInputError
        If some cannot be loaded; the message names each, and the steps that use it.
    """
    steps = [step for step in analysis.steps if ids is None or step.id in ids]
    users: dict[tuple[str, str], list[str]] = {}
    for step in steps:
        users.setdefault(("model", step.model), []).append(step.id)
        users.setdefault(("table", step.table), []).append(step.id)
        if step.given:
            users.setdefault(("given", step.given), []).append(step.id)
    digests: dict[str, dict[str, str]] = {word: {} for word in WORDS}
    cards, overviews, faults, changed = [], [], [], []
    for (word, reference), used_by in users.items():
        try:
            if word == "model":
                model = places.find_model(reference, owner)
                digest, expected = model.digest, analysis.models.get(reference, "")
                cards.append(model.card)
                own = [step for step in steps if step.id in used_by]
                faults += unknown_to(model.schema, own)
            elif word == "given":
                digest = places.find_given(reference, owner)[1]
                expected = analysis.given.get(reference, "")
            else:
                table = places.find_table(reference, owner)
                entry = analysis.tables.get(reference, TableEntry())
                digest, expected = table.digest, entry.digest
                overviews.append(table_overview(table))
        except WorkbenchError as error:
            faults.append(f"step {used_by[0]!r}, {WORDS[word]}: {str(error).removesuffix('.')}")
            continue
        digests[word][reference] = digest
        if expected and digest != expected:
            changed.append(Changed(WORDS[word], reference, expected, digest, tuple(used_by)))
    if faults:
        raise InvalidInputError(f"Nothing was run: {'; '.join(faults)}.")
    return Found(
        digests["model"], digests["table"], digests["given"], tuple(cards), tuple(overviews),
        tuple(changed),
    )  # fmt: skip


def _is_path(word: str, text: str) -> bool:
    """Tell paths from names: ``./credit``, ``people.csv``; what is given has a path if not mine."""
    if text.startswith(MINE):
        return False
    if word == "given":
        return True
    if word == "table" and text.replace("_", "-") in TABLES:
        return False
    return "/" in text or "\\" in text or (word == "table" and bool(Path(text).suffix))
