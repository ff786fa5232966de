"""What a run will take, said before it starts."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from workbench import api
from workbench.core.context import Context
from workbench.core.errors import WorkbenchError
from workbench.core.method import Cost
from workbench.core.params import parse_params
from workbench.core.results import (
    AttributeFlips,
    Attribution,
    Interactions,
    InteractionScores,
    LocalBasis,
    Profiles,
)
from workbench.core.wording import counted
from workbench.engines.fastshap.params import FastshapParams
from workbench.engines.fastshap.train import NAME as TRAINING
from workbench.engines.fastshap.trial import can_try, training_seconds
from workbench.engines.shapley.exact import MAX_PLAYERS
from workbench.jobs.request import pace_of
from workbench.numerics.devices import choose_device
from workbench.ui import cache
from workbench.ui.place import Place
from workbench.ui.queue import queue
from workbench.ui.text import duration, size

PROBE_BACKGROUND, PROBE_ROWS = 100, 3
PROBE_EVALUATIONS = 400_000  # of a row
PROBE_MODELS, PROBE_ADMISSION, PROBE_REPORTED = 64, 200, 100  # of a search for near-copies
TELLING_SECONDS = 0.3
SLOW_SECONDS = 1.0  # of one background row, of which a method's own arithmetic takes the most
MARGINAL, INSTEAD = "marginal", "shapley.kernel"
ALL_COALITIONS, SMOOTH = "shapley.exact", "shapley.proxy"
_trying = threading.Lock()


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
        Measured on this device with the same model, method and value function, in the last such
        run or in a small trial, and scaled; 0 where nothing tells yet.
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
        taken = (
            f"about {duration(self.seconds)} on this device"
            if self.seconds
            else "how long is known after the first run"
        )
        return (
            f"At most {counted(self.evaluations, 'model evaluation')} · "
            f"{size(self.cost.n_bytes)} · {taken}"
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
    seconds = plan.cost.evaluations * _speed(place, plan)
    return Quote(plan.method, plan.params, plan.cost, seconds, plan.notes)


def quote_measured(
    place: Place, method: str, n_rows: int, n_background: int, settings: Mapping[str, Any]
) -> Quote:
    """Say what a run would take whose time goes into more than asking the model.

    A small trial would not tell how long: only the last such run on this device does.

    Raises
    ------
    InvalidInputError
        If the method cannot serve this model with these settings.
    """
    plan = api.plan(place.model, n_rows, n_background, method=method, **settings)
    speed = queue().speed(place.model.digest, pace_of(plan.method, plan.params), place.device)
    seconds = plan.cost.evaluations * (speed or 0.0)
    return Quote(plan.method, plan.params, plan.cost, seconds, plan.notes)


def quote_training(place: Place, n_background: int, settings: Mapping[str, Any]) -> Quote:
    """Say what the training of an explainer on the rows of a place would take.

    Most of it goes into the networks that learn, which evaluations of the model do not count.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds.
    """
    plan = api.plan(place.model, len(place.rows), n_background, method=TRAINING, **settings)
    speed = _speed(place, api.plan(place.model, 1, 1, method=INSTEAD))
    if not can_try(place.model, place.rows):  # which the training then says in words
        seconds = plan.cost.evaluations * speed
    else:
        owner = cache.owner_of(place.person.key, place.reference, place.table)
        chosen = json.dumps(plan.params, sort_keys=True)
        seconds = _training_seconds(
            place.reference, owner, place.model.digest, place.table, place.device,
            len(place.rows), n_background, chosen, speed,
        )  # fmt: skip
    return Quote(plan.method, plan.params, plan.cost, seconds, plan.notes)


@st.cache_resource(max_entries=64, show_spinner="Trying how fast it learns …")
def _training_seconds(
    reference: str,
    owner: str,
    digest: str,  # noqa: ARG001 - part of the key
    table: str,
    device: str,
    n_rows: int,
    n_background: int,
    settings: str,
    speed: float,
) -> float:
    """Try a few passes; ``settings`` are JSON, so that they can be part of the key."""
    model, rows = cache.model(reference, owner), cache.table(table, owner)
    context = Context(device=choose_device(device))
    moved = model if model.device == context.device else model.to(context.device)
    with _trying:  # a trial sets the number of threads for a moment
        return training_seconds(
            moved, rows, rows[:n_background],
            parse_params(FastshapParams, json.loads(settings)), context, n_rows=n_rows,
            speed=speed,
        )  # fmt: skip


def _speed(place: Place, plan: api.Plan) -> float:
    """Return seconds per evaluation: of the last such run, else of a small one now."""
    speed = queue().speed(place.model.digest, pace_of(plan.method, plan.params), place.device)
    if speed is not None:
        return speed
    record = api.list_methods()[plan.method]
    if "table" in record.uses and record.yields is not LocalBasis:
        return _seconds_per_near_copy(
            place.reference, cache.owner_of(place.person.key, place.reference, place.table),
            place.model.digest, place.table, place.device,
        )  # fmt: skip
    if (kind := record.yields) in (
        InteractionScores, Profiles, AttributeFlips,
    ):  # fmt: skip
        return _seconds_per_value(
            place.reference, cache.owner_of(place.person.key, place.reference, place.table),
            place.model.digest, place.table, place.device, profiles=kind is Profiles,
        )  # fmt: skip
    return _seconds_per_evaluation(
        place.reference, cache.owner_of(place.person.key, place.reference, place.table),
        place.model.digest, place.table, place.device,
        *_tried(plan, len(place.model.schema.features)),
    )  # fmt: skip


def _tried(plan: api.Plan, n_features: int) -> tuple[str, str]:
    """Choose what to try before a run of this plan: method and value function.

    The method itself, where it explains rows by asking the model about coalitions; for pairs one
    that asks about as many and does the like with the answers; else regression.
    """
    method = api.list_methods()[plan.method]
    value = str(plan.params.get("value", MARGINAL))
    if method.yields is Interactions:
        return ALL_COALITIONS if n_features <= MAX_PLAYERS else SMOOTH, value
    if plan.params.get("draw") == "shared":  # what a method does besides asking is shared out
        return INSTEAD, value
    is_alike = method.yields is Attribution and not method.needs and "background" in method.uses
    return (plan.method, value) if is_alike else (INSTEAD, MARGINAL)


@st.cache_resource(max_entries=64, show_spinner=False)
def _seconds_per_near_copy(
    reference: str,
    owner: str,
    digest: str,  # noqa: ARG001 - part of the key
    table: str,
    device: str,
) -> float:
    """Time a small search for equally good models, which asks many models about the same rows.

    Raises
    ------
    WorkbenchError
        If the model cannot be moved, or the table has no labels.
    """
    model, rows = cache.model(reference, owner), cache.table(table, owner)
    settings: dict[str, Any] = {
        "models": PROBE_MODELS,
        "admission_rows": PROBE_ADMISSION,
        "importance": False,
    }
    run = api.rashomon_set(model, rows[:PROBE_REPORTED], rows, device=device, **settings)
    return run.provenance.seconds / run.provenance.evaluations


@st.cache_resource(max_entries=64, show_spinner=False)
def _seconds_per_value(
    reference: str,
    owner: str,
    digest: str,  # noqa: ARG001 - part of the key
    table: str,
    device: str,
    *,
    profiles: bool,
) -> float:
    """Time small runs that give rows other values of features; the first warms up.

    The values are those of other rows, or for profiles those of a grid.

    Raises
    ------
    WorkbenchError
        If the model cannot be asked at all.
    """
    model, rows = cache.model(reference, owner), cache.table(table, owner)
    speeds: list[float] = []
    for n in (2, PROBE_REPORTED):
        run: InteractionScores | Profiles
        if profiles:
            run = api.profiles(model, rows[:n], device=device)
        else:
            run = api.interaction_scores(model, rows[:n], permutations=1, device=device)
        speeds.append(run.provenance.seconds / run.provenance.evaluations)
        if run.provenance.seconds > SLOW_SECONDS:
            break
    return speeds[-1]


@st.cache_resource(max_entries=64, show_spinner=False)
def _seconds_per_evaluation(
    reference: str,
    owner: str,
    digest: str,
    table: str,
    device: str,
    method: str,
    value: str,
) -> float:
    """Time small runs of a method; the first warms up threads, kernels and caches.

    The last has rows enough that what a run takes before and after them counts little. A slow
    model is known before that: the page waits for this.

    Raises
    ------
    WorkbenchError
        If the model cannot be asked at all.
    """
    model, rows = cache.model(reference, owner), cache.table(table, owner)
    params: dict[str, Any] = {} if value == MARGINAL else {"value": value}
    least = api.estimate_cost(model, 1, 1, method=method, **params)[1].evaluations
    background = rows[: max(1, min(PROBE_BACKGROUND, PROBE_EVALUATIONS // least))]
    speeds: list[float] = []
    trials = ((1, rows[:1], SLOW_SECONDS), (1, background, TELLING_SECONDS),
              (PROBE_ROWS, background, TELLING_SECONDS))  # fmt: skip
    for n, known, telling in trials:
        _, cost = api.estimate_cost(model, n, len(known), method=method, **params)
        try:
            run = api.explain(model, rows[:n], known, method=method, device=device, **params)
        except WorkbenchError:
            if (method, value) == (INSTEAD, MARGINAL):
                raise
            return _seconds_per_evaluation(
                reference, owner, digest, table, device, INSTEAD, MARGINAL
            )
        speeds.append(run.provenance.seconds / cost.evaluations)
        if run.provenance.seconds > telling:
            break
    return min(speeds)
