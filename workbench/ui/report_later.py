"""Results that a page made itself: put into the report, a job makes them again."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from workbench import api
from workbench.core.figures import ChosenFigure
from workbench.core.people import Person, demand
from workbench.core.results import Counterfactuals
from workbench.core.schema import MISSING, Feature
from workbench.jobs.request import Request
from workbench.ui.actions import act
from workbench.ui.drawn import in_view
from workbench.ui.queue import queue
from workbench.ui.results import add_to_report
from workbench.ui.scenarios import differs
from workbench.ui.state import link_to
from workbench.ui.text import plain
from workbench.ui.what_if_play import Setting
from workbench.workspace.basket import Basket


def changes_of_row(
    features: tuple[Feature, ...], x: np.ndarray, original: np.ndarray
) -> dict[str, str | int | float]:
    """Return the values by column in which a scenario differs from its row.

    Examples
    --------
    >>> age = Feature(name="age", integer=True)
    >>> changes_of_row((age, Feature(name="bmi")), np.array([41.0, 30.5]), np.array([40.0, 30.5]))
    {'age': 41}
    """
    changes: dict[str, str | int | float] = {}
    for j in np.flatnonzero(differs(x, original)):
        feature, value = features[j], float(x[j])
        if np.isnan(value):
            changes[feature.name] = MISSING
        elif feature.kind == "categorical":
            changes[feature.name] = feature.categories[int(value)]
        else:
            changes[feature.name] = int(value) if value.is_integer() else value
    return changes


def scenario_to_report(setting: Setting, values: np.ndarray, name: str) -> None:
    """Offer to put the explanation of a scenario of this name into the report.

    The report draws it as a waterfall of the output that the page is about: what the page draws
    beside it is about several rows, and a result has one.
    """
    ground, features = setting.ground, setting.features
    changes = changes_of_row(features, values, setting.play.original)
    request = setting.place.request(
        ground.full, ground.full_params, rows=(setting.number,), changes=changes,
        background=len(ground.background),
    )  # fmt: skip
    told = ", ".join(f"{column}={value}" for column, value in changes.items())
    title = f"{_about(setting, ground.full)}{f' as if {told}' if told else ''}"
    figure = ChosenFigure(view="waterfall", options={"output": setting.output})
    _offer(request, title, setting, f"Add {plain(name)} to report", name, (figure,))


def nearest_to_report(setting: Setting, found: Counterfactuals, params: Mapping[str, Any]) -> None:
    """Offer to put the nearest changes of a row into the report, as they are drawn on the page."""
    method = "counterfactual.search"
    request = setting.place.request(
        method, params, rows=(setting.number,), background=len(setting.ground.reference)
    )
    title = _about(setting, method)
    _offer(request, title, setting, "Add to report", "nearest", in_view(found))


def _about(setting: Setting, method: str) -> str:
    title, place = api.list_methods()[method].title, setting.place
    return f"{title}, {place.model.card.name}, row {setting.number} of {place.rows_name}"


def _offer(
    request: Request, title: str, setting: Setting, label: str, key: str,
    figures: Sequence[ChosenFigure],
) -> None:  # fmt: skip
    person = setting.place.person
    job = queue().find(request, person.key)
    inside = {item.job for item in Basket(person.key).content.items}
    if job is not None and job.id in inside:
        add_to_report(job, person, width="content", figures=figures)
        return
    st.button(
        label, icon=":material/add:", key=f"later-{key}", on_click=act,
        args=(_put_aside, request, title, setting, person, figures),
        help="A job computes it again for the report.",
    )  # fmt: skip


def _put_aside(
    request: Request, title: str, setting: Setting, person: Person,
    figures: Sequence[ChosenFigure],
) -> None:  # fmt: skip
    demand(person, "run_small")
    plan = api.plan(setting.model, 1, request.background, method=request.method, **request.params)
    job = queue().submit(
        request, owner=person.key, title=title, cost=plan.cost,
        link=link_to(),
    )  # fmt: skip
    Basket(person.key).add(job.id, job.title, figures=figures)
