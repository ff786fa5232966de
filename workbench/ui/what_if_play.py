"""A row that somebody plays with: its scenario, what was kept of it, and its explanations."""

from dataclasses import dataclass, field

import numpy as np

from workbench.core.model import Model
from workbench.core.results import Attribution, Counterfactuals
from workbench.core.schema import Feature
from workbench.core.table import Table
from workbench.ui.place import Place
from workbench.ui.scenarios import Ground, full, quick, with_values

KEPT = 128


@dataclass
class Pinned:
    """A scenario that was kept, and its full explanation."""

    name: str
    attribution: Attribution


@dataclass
class Play:
    """What a person does with one row; it ends when another row, model or table is chosen.

    Attributes
    ----------
    subject
        Which row it is about.
    x
        The scenario's values.
    settled
        The scenario whose quick explanation has been shown, so that the full one is next.
    """

    subject: tuple[object, ...]
    original: np.ndarray
    x: np.ndarray
    pinned: list[Pinned] = field(default_factory=list)
    found: Counterfactuals | None = None
    asked: tuple[object, ...] = ()
    settled: bytes = b""
    known: dict[tuple[str, bytes], Attribution] = field(default_factory=dict)

    def remember(self, kind: str, values: np.ndarray, made: Attribution) -> Attribution:
        """Keep an explanation; the oldest of many give way."""
        self.known[kind, values.tobytes()] = made
        while len(self.known) > KEPT:
            del self.known[next(iter(self.known))]
        return made


@dataclass(frozen=True)
class Setting:
    """A row, the ground it stands on, and how it is looked at."""

    place: Place
    row: Table
    number: int
    output: str
    ground: Ground
    play: Play
    frozen: frozenset[int]

    @property
    def model(self) -> Model:
        """The model."""
        return self.place.model

    @property
    def features(self) -> tuple[Feature, ...]:
        """Its features."""
        return self.model.schema.features

    def explain(self, kind: str, values: np.ndarray) -> Attribution:
        """Explain a scenario once: ``quick`` or ``full``."""
        known = self.play.known.get((kind, values.tobytes()))
        if known is not None:
            return known
        made = {"quick": quick, "full": full}[kind](
            self.model, with_values(self.row, values), self.ground
        )
        return self.play.remember(kind, values, made)

    def knows_full(self, values: np.ndarray) -> bool:
        """Whether the full explanation of a scenario is there."""
        return ("full", values.tobytes()) in self.play.known
