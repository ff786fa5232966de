"""What a page is about: a person, a model, rows of a table, and a device."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench import api
from workbench.core.cohort import Cohort
from workbench.core.model import Model
from workbench.core.people import Person
from workbench.core.table import Table
from workbench.jobs.request import Request
from workbench.ui import cache


@dataclass(frozen=True)
class Place:
    """What every page that explains is about.

    Attributes
    ----------
    reference
        Of the model, with its version: ``adult-mlp@1``, or ``my:credit@2`` for an upload.
    table
        Reference of the table.
    split
        ``train``, ``validation``, ``test`` or ``all``.
    cohort
        Conditions that the rows satisfy.
    rows
        The rows of split and cohort.
    device
        Name of the device that jobs run on.
    """

    person: Person
    reference: str
    model: Model
    table: str
    split: str
    cohort: Cohort
    rows: Table
    device: str

    @property
    def rows_name(self) -> str:
        """How a sentence speaks of the rows."""
        name = f"table {self.table}" if self.split == "all" else f"the {self.split} split"
        return f"{name} where {self.cohort.describe()}" if self.cohort else name

    def request(
        self,
        method: str,
        params: Mapping[str, Any],
        *,
        rows: tuple[int, ...] | None = None,
        count: int | None = None,
        changes: Mapping[str, str | int | float] | None = None,
        background: int = 0,
        seed: int = 0,
    ) -> Request:
        """Return a run of a method on these rows: some by position, some drawn, or all.

        Parameters
        ----------
        changes
            Values by column that the rows are looked at with.

        Raises
        ------
        InvalidInputError
            If the method asks an explainer, and the model has none for these settings.
        """
        return Request(
            method=method,
            params=dict(params),
            model=self.reference,
            model_digest=self.model.digest,
            table=self.table,
            table_digest=cache.table_digest(self.table, self.person.key),
            split=self.split,
            cohort=str(self.cohort),
            explainer=api.explainer_for(self.model, method, params),
            rows=rows,
            count=count,
            changes=dict(changes or {}),
            background=background,
            seed=seed,
            device=self.device,
        )
