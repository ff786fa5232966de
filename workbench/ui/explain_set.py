"""Explanations across equally good models on a page: of one row, or of many."""

from typing import Any

import numpy as np
import streamlit as st

from workbench import api
from workbench.core.results import AttributionRange
from workbench.core.wording import counted
from workbench.engines.rashomon.attributions import NAME
from workbench.engines.rashomon.attributions_params import AttributionsParams
from workbench.plots import options_of
from workbench.plots.attribution_range_words import range_sentence, stability_sentence
from workbench.plots.words import WORTH_A_WORD
from workbench.ui import cache
from workbench.ui.cost import quote
from workbench.ui.drawn import draw
from workbench.ui.forms import params_form, settings_button
from workbench.ui.frame import answer, errors_shown, note
from workbench.ui.jobs import Ask
from workbench.ui.local_runs import Look, levels_of, open_button
from workbench.ui.methods import choose_effort, choose_seed
from workbench.ui.place import Place
from workbench.ui.results import downloads, plain_figure
from workbench.ui.runs import announced, show_part
from workbench.ui.shapley import choose_output, choose_rows, describe_row
from workbench.ui.state import choose

FAMILY = "across"
LISTED = 5
VIEWS = {"importance": "Importance", "stability": "Order"}
MEASURES = {"order": "rank correlation", "top": "strongest features kept"}


def explanations_across_the_set(place: Place) -> None:
    """Show how far equally good models differ in how they explain rows."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        row, count = choose_rows(place)
        output = choose_output(place, row)
    if row is not None:
        note(describe_row(place, row))
    look = Look(place, row, count, output)
    part = show_part(
        look.place, AttributionRange, lambda _: _choose(look), key=FAMILY,
        heading="Which models, and how each is explained", verb=f"Compare models on {look.about}",
        icon="play_circle",
    )  # fmt: skip
    if (found := part.found) is None:
        return
    result, one = found.result, 0 if look.one else None
    with part.said, errors_shown():
        answer(range_sentence(result, one, output))
        if result.n_models:
            note(stability_sentence(result, one, output))
    name = look.name("across-models")
    with part.left, errors_shown():
        with st.container(border=True):
            _show(look, result, name)
            downloads(found, name, place.person)
        _numbers(look, result)
    part.end(result)


def _choose(look: Look) -> Ask:
    """Choose who looks for models, effort and settings; returns the run.

    Raises
    ------
    WorkbenchError
        If the settings do not fit the model.
    """
    levels = levels_of(NAME, look)
    effort = levels[choose_effort(FAMILY, list(levels))]
    hidden = {"output"} if look.place.model.schema.task == "regression" else set()
    with settings_button():
        seed = choose_seed()
        settings = params_form(
            AttributionsParams, FAMILY, leave_out=hidden, defaults=effort.settings
        )
    return announced(_ask(look, settings, seed))


def _ask(look: Look, settings: dict[str, Any], seed: int) -> Ask:
    place = look.place
    whole = cache.table(place.table, place.person.key)
    price = quote(place, NAME, look.count, len(whole), settings)
    request = place.request(
        NAME, price.params, seed=seed, rows=None if look.row is None else (look.row,),
        count=look.count if look.row is None else None,
    )  # fmt: skip
    subject = (NAME, place.model.digest, place.table, place.split, str(place.cohort), look.row)
    title = f"{api.list_methods()[NAME].title}, {place.model.card.name}, {look.about}"
    return Ask(request, price, f"{title} of {place.table}", subject)


def _show(look: Look, result: AttributionRange, name: str) -> None:
    """Draw the intervals of one row, or what the models say of all rows together."""
    which = result.output_index(look.output)
    if look.one:
        said = range_sentence(result, 0, which)
        drawn = draw(result, "interval", output=which)
        plain_figure(drawn, name=f"{name}-interval", alt=said)
        return
    options: dict[str, Any] = {"output": which}
    with st.container(horizontal=True, vertical_alignment="center"):
        view = str(choose(
            st.segmented_control, "View", "range_view", options=list(VIEWS), default="importance",
            format_func=VIEWS.get, required=True, label_visibility="collapsed",
        ))  # fmt: skip
        for key, offered in options_of(result, view).items():
            options[key] = str(choose(
                st.selectbox, key.capitalize(), f"range.{key}", options=offered,
                default=offered[0], format_func=MEASURES.get, label_visibility="collapsed",
            ))  # fmt: skip
    tell = range_sentence if view == "importance" else stability_sentence
    drawn = draw(result, view, **options)
    plain_figure(drawn, name=f"{name}-{view}", alt=tell(result, None, which))


def _numbers(look: Look, result: AttributionRange) -> None:
    """Show the figure's numbers; of many rows, those with most signs that flip can be opened."""
    which = result.output_index(look.output)
    st.markdown("**In numbers**")
    if look.one:
        frame = result.to_frame()
        frame = frame[frame["output"] == result.output_names[which]]
        size = np.abs(frame[["low", "high"]].to_numpy()).max(1)
        columns = ["feature", "value", "attribution", "low", "high", "agreement"]
        frame = frame.iloc[np.argsort(-size, kind="stable")][columns]
        frame["agreement"] *= 100
    else:
        _list_open(look, result, which)
        flips = dict(zip(result.names, 100 * result.flips(which, least=WORTH_A_WORD).mean(0),
                         strict=True))  # fmt: skip
        frame = result.importance(which)[["feature", "importance", "low", "high"]]
        frame = frame.assign(flips=[flips[name] for name in frame["feature"]])
    config = st.column_config
    heads = {
        "attribution": config.NumberColumn("this model", format="%+.4g"),
        "importance": config.NumberColumn("this model", format="%.4g"),
        "low": config.NumberColumn("models from", format="%.4g"),
        "high": config.NumberColumn("to", format="%.4g"),
        "agreement": config.ProgressColumn(
            "same sign", format="%.0f %%", min_value=0.0, max_value=100.0
        ),
        "flips": config.ProgressColumn(
            "sign flips", format="%.0f %%", min_value=0.0, max_value=100.0
        ),
    }
    st.dataframe(frame, hide_index=True, column_config=heads)


def _list_open(look: Look, result: AttributionRange, which: int) -> None:
    """List the rows in which most features change sign, each with a button that opens it."""
    count = result.flips(which, least=WORTH_A_WORD).sum(1)
    worst = [int(i) for i in np.argsort(-count, kind="stable")[:LISTED] if count[i]]
    if not worst:
        return
    note("Rows in which most signs depend on the model:")
    for place in worst:
        number = int(result.ids[place])
        text = f"Row {number}: {counted(int(count[place]), 'feature')} with both signs"
        open_button(look, number, text, key="range")
