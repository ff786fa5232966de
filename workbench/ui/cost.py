"""What a run will take, said before it starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from workbench import api
from workbench.core.method import Cost
from workbench.core.wording import counted
from workbench.ui import cache
from workbench.ui.place import Place
from workbench.ui.queue import queue
from workbench.ui.text import duration, size

PROBE_BACKGROUND = (1, 100, 100)
TELLING_SECONDS = 0.5


@dataclass(frozen=True)
class Quote:
    """The price of a run.

    Attributes
    ----------
    method, params
        The method that would run, where the user left the choice to the program, and all of its
        settings.
    cost
        Rows through the network, at most, and temporary memory.
    seconds
        Measured on this device with the same model, in its last run or a small trial, and scaled.
    notes
        Why this method was chosen.
    """

    method: str
    params: Mapping[str, Any]
    cost: Cost
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def evaluations(self) -> int:
        """Rows through the network, at most."""
        return self.cost.evaluations

    def describe(self) -> str:
        """Return the line under a run button."""
        return (
            f"At most {counted(self.evaluations, 'model evaluation')} · "
            f"{size(self.cost.n_bytes)} · about {duration(self.seconds)} on this device"
        )


def quote(
    place: Place, method: str, n_rows: int, n_background: int, settings: Mapping[str, Any]
) -> Quote:
    """Say what a run would take.

    Raises
    ------
    InvalidInputError
        If the method cannot serve this model with these settings.
    """
    plan = api.plan(place.model, n_rows, n_background, method=method, **settings)
    speed = queue().speed(place.model.digest, plan.method, place.device)
    if speed is None:
        speed = _seconds_per_evaluation(
            place.reference,
            cache.owner_of(place.person.key, place.reference, place.table),
            place.model.digest,
            place.table,
            place.device,
        )
    return Quote(plan.method, plan.params, plan.cost, plan.cost.evaluations * speed, plan.notes)


@st.cache_resource(max_entries=64, show_spinner=False)
def _seconds_per_evaluation(
    reference: str,
    owner: str,
    digest: str,  # noqa: ARG001 - part of the key
    table: str,
    device: str,
) -> float:
    """Time small runs; the first warms up threads, kernels and caches, and finds slow models."""
    model, rows = cache.model(reference, owner), cache.table(table, owner)
    budget = 512 + 8 * len(model.schema.features)
    speeds = []
    for n in PROBE_BACKGROUND:
        background = rows[:n]
        _, cost = api.estimate_cost(model, 1, len(background), method="kernel", budget=budget)
        run = api.explain(
            model, rows[:1], background, method="kernel", budget=budget, device=device
        )
        speeds.append(run.provenance.seconds / cost.evaluations)
        if run.provenance.seconds > TELLING_SECONDS:
            break  # the page waits for this
    return min(speeds)
