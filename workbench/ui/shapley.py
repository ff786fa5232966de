"""The choices that an explanation by Shapley values needs: which rows, which class, how."""

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
import streamlit as st

from workbench import api
from workbench.core.method import Effort
from workbench.core.model import Model
from workbench.core.params import Params
from workbench.core.results import Attribution
from workbench.engines.shapley.params import ShapleyParams
from workbench.plots import overall_sentence, sentence
from workbench.plots.words import probability
from workbench.ui import cache
from workbench.ui.cost import quote
from workbench.ui.forms import params_form, settings_button, whole_number
from workbench.ui.jobs import Ask
from workbench.ui.methods import choose_by_title, choose_effort, choose_seed
from workbench.ui.place import Place
from workbench.ui.state import choose, peek
from workbench.ui.text import plain
from workbench.workspace.background import background_source

FAMILY = "shapley"
MANY = 100
MOST_ROWS = 5000
MOST_BACKGROUND = 2000
AS_PREDICTED = ""
VALUE = f"{FAMILY}.value"
# What stands in for a feature that is not known, as the page says it.
VALUES = {
    "marginal": "background rows",
    "baseline": "one typical row",
    "neighbours": "similar background rows",
    "gaussian": "what correlation implies",
    "surrogate": "a trained surrogate",
    "conditional": "a trained surrogate",
}


def choose_rows(place: Place) -> tuple[int | None, int]:
    """Choose one row by position, or how many to draw; returns the position, or None, and both."""
    n = len(place.rows)
    mode = choose(
        st.segmented_control, "Explain", "mode", options=["one", "many"][: min(n, 2)],
        default="one",
        format_func={"one": "One row", "many": "Many rows"}.get, required=True,
    )  # fmt: skip
    if mode == "many":
        most = min(n, MOST_ROWS)
        count = whole_number(
            "Number of rows", "count", min(MANY, most), 2, most,
            f"Drawn at random from the {n:,} rows of {place.rows_name}.",
        )  # fmt: skip
        return None, count
    row = whole_number(
        "Row", "row", 0, 0, n - 1, f"Position in {place.rows_name}, 0 to {n - 1:,}."
    )  # fmt: skip
    return row, 1


def choose_output(place: Place, row: int | None) -> str:
    """Choose whose probability or value is explained; returns the output's name."""
    names, schema = place.model.output_names, place.model.schema
    if len(names) == 1:
        return names[0]
    default = names[schema.favourable_output]
    options = list(names)
    if row is not None and schema.favourable is None:
        default = AS_PREDICTED
        options.insert(0, AS_PREDICTED)
    predicted = _predicted(place, row)
    chosen = choose(
        st.selectbox, "Class", "output", options=options, default=default, width=220,
        format_func=lambda name: name if name != AS_PREDICTED else f"as predicted: {predicted}",
    )  # fmt: skip
    return str(predicted if chosen == AS_PREDICTED else chosen)


def choose_method(place: Place, row: int | None, count: int) -> Ask:
    """Choose method, effort and settings; returns the whole run, with what it will take.

    Raises
    ------
    WorkbenchError
        If the settings do not fit the model.
    """
    name = choose_by_title(FAMILY, place.model)
    held_value = peek(VALUE, "marginal")
    told = {"value": held_value} if held_value in values_for(ShapleyParams, place.model) else {}
    efforts = api.list_methods()[_meant(place, name, count, told)].efforts
    effort = Effort(api.BACKGROUND_ROWS, {})
    if efforts is not None:
        levels = efforts(len(place.model.schema.features))
        effort = levels[choose_effort(FAMILY, list(levels))]
    whole = cache.table(place.table, place.person.key)
    most = min(len(background_source(place.model, whole, MOST_BACKGROUND)), MOST_BACKGROUND)
    standard = min(effort.background, most)
    held = peek("background", standard)
    n_background = held if isinstance(held, int) and 1 <= held <= most else standard
    source = background_source(place.model, whole, n_background)
    planned = api.plan(place.model, count, n_background, method=name, **told)
    method = api.list_methods()[planned.method]
    picked = f"Chosen here: {planned.method.partition('.')[2]}. " if name == "auto" else ""
    st.caption(plain(f"{picked}{method.weakness}"))
    settings = _choose_value(method.params, place.model)
    background = n_background
    with settings_button():
        if "background" in method.uses:
            background = whole_number(
                "Background rows", "background", standard, 1, most,
                f"Rows of {source.name} that stand for features that are not known.",
                width="stretch",
            )  # fmt: skip
        seed = choose_seed()
        hidden = {"output", "link"} if place.model.schema.task == "regression" else set()
        hidden |= {"value", "draw"} if name == "auto" else {"value"}  # auto shares where it pays
        settings |= params_form(
            method.params, FAMILY, leave_out=hidden, defaults=effort.settings
        )  # fmt: skip
    asked = ask_for(
        place, name, settings, row=row, count=count, background=background, seed=seed
    )  # fmt: skip
    st.caption(asked.quote.describe())
    return asked


def ask_for(
    place: Place,
    name: str,
    settings: Mapping[str, Any],
    *,
    row: int | None,
    count: int,
    background: int,
    seed: int,
) -> Ask:
    """Return a run of a method, or of ``auto``, on one row or on some that are drawn.

    Raises
    ------
    WorkbenchError
        If the settings do not fit the model.
    """
    price = quote(place, name, count, background, settings)
    method = api.list_methods()[price.method]
    return Ask(
        request=place.request(
            price.method, price.params, background=background, seed=seed,
            rows=None if row is None else (row,), count=count if row is None else None,
        ),
        quote=price,
        title=f"{method.title}, {place.model.card.name}, "
              f"{f'row {row}' if row is not None else f'{count:,} rows'} of {place.table}",
        subject=(place.model.digest, place.table, place.split, str(place.cohort), row is None),
        notes=price.notes,
    )  # fmt: skip


def values_of(params: type[Params]) -> tuple[str, ...]:
    """Return the ways in which a method can fill in unknown features; none where it has no say."""
    field = params.model_fields.get("value")
    return () if field is None else get_args(field.annotation)


def values_for(params: type[Params], model: Model) -> tuple[str, ...]:
    """Return those of ``values_of`` that the model's columns and its explainers allow."""
    barred = set()
    if not all(f.kind == "numeric" and not f.has_missing for f in model.schema.features):
        barred.add("gaussian")
    if all(explainer.value != "conditional" for explainer in model.explainers):
        barred.add("conditional")
    return tuple(name for name in values_of(params) if name not in barred)


def _choose_value(params: type[Params], model: Model) -> dict[str, str]:
    options = values_for(params, model)
    if not options:
        return {}
    return {
        "value": str(choose(
            st.selectbox, "Unknown features", VALUE, options=options, default=options[0],
            format_func=lambda name: VALUES.get(name, name),
            help=params.model_fields["value"].description,
        ))
    }  # fmt: skip


def _meant(place: Place, name: str, count: int, told: Mapping[str, Any]) -> str:
    return api.plan(place.model, count, api.BACKGROUND_ROWS, method=name, **told).method


def describe_row(place: Place, row: int) -> str:
    """Say which row of the file this is, what is true of it and what the model says."""
    rows, schema = place.rows[[row]], place.model.schema
    predicted = place.model.predict(rows.X)[0]
    where = "" if int(rows.ids[0]) == row else f" (row {row} of {place.rows_name})"
    parts = [f"Row {int(rows.ids[0])} of {place.table}{where}"]
    if rows.y is not None:
        classes = rows.schema.classes  # a table of one's own may have them in another order
        known = classes[int(rows.y[0])] if classes else f"{float(rows.y[0]):.4g}"
        parts.append(f"truth: {known}")
    said = _predicted(place, row) if schema.classes else f"{float(predicted[0]):.4g}"
    if schema.classes:
        said += f" ({probability(float(predicted.max()))})"
    return " · ".join([*parts, f"prediction: {said}"])


def words(result: Attribution, output: str, *, one: bool) -> str:
    """Answer the question in a sentence."""
    return sentence(result, 0, output) if one else overall_sentence(result, output)


def _predicted(place: Place, row: int | None) -> str:
    if row is None:
        return ""
    outputs = place.model.predict(place.rows[[row]].X)[0].numpy()
    return place.model.output_names[int(np.argmax(outputs))]
