"""What a run will take, said before it starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from workbench import api
from workbench.core.provenance import Provenance
from workbench.numerics.devices import choose_device
from workbench.ui import cache
from workbench.ui.frame import Place
from workbench.ui.text import duration, size

PROBE_BACKGROUND = 100
PROBES = 4
SPEED = "speed."
TELLING_SECONDS = 0.5


@dataclass(frozen=True)
class Quote:
    """The price of a run.

    Attributes
    ----------
    method
        The method that would run, where the user left the choice to the program.
    evaluations
        Rows through the network, at most.
    n_bytes
        Temporary memory.
    seconds
        Measured on this device with the same model, in its last run or a small trial, and scaled.
    """

    method: str
    evaluations: int
    n_bytes: int
    seconds: float

    def describe(self) -> str:
        """Return the line under a run button."""
        return (
            f"At most {self.evaluations:,} model evaluations · {size(self.n_bytes)} · "
            f"about {duration(self.seconds)} on this device"
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
    model = place.model
    name, cost = api.estimate_cost(model, n_rows, n_background, method=method, **settings)
    speed = st.session_state.get(SPEED + model.digest) or _seconds_per_evaluation(
        model.name, model.digest, place.table, str(choose_device())
    )
    return Quote(name, cost.evaluations, cost.n_bytes, cost.evaluations * speed)


def remember_speed(quoted: Quote, made: Provenance) -> None:
    """Let the next quote for this model rest on a real run; a short one says little.

    The speed is per evaluation *quoted*: how many of them turn out to be repeats, which are not
    computed, depends on the table, and is much the same from run to run.
    """
    if made.seconds >= TELLING_SECONDS:
        st.session_state[SPEED + made.model_digest] = made.seconds / quoted.evaluations


@st.cache_resource(max_entries=64, show_spinner=False)
def _seconds_per_evaluation(reference: str, digest: str, table: str, device: str) -> float:  # noqa: ARG001 - the digest is part of the key
    """Time a small run; the first warms up threads, kernels and caches."""
    model, rows = cache.model(reference), cache.table(table, "all")
    background = rows[:PROBE_BACKGROUND]
    budget = 512 + 8 * len(model.schema.features)
    _, cost = api.estimate_cost(model, 1, len(background), method="kernel", budget=budget)
    runs = [
        api.explain(model, rows[:1], background, method="kernel", budget=budget, device=device)
        for _ in range(PROBES)
    ]
    return min(run.provenance.seconds for run in runs) / cost.evaluations
