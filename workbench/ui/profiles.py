"""The page about profiles: how the output changes with each feature, of one model or of many."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from workbench import api
from workbench.core.results import Profiles
from workbench.engines.profiles.curves import NAME
from workbench.engines.rashomon.profiles import NAME as ACROSS
from workbench.plots.profile_models import across_sentence
from workbench.plots.profiles import profile_sentence
from workbench.ui.cost import quote
from workbench.ui.forms import params_form, settings_button, whole_number
from workbench.ui.frame import answer, errors_shown
from workbench.ui.jobs import Ask
from workbench.ui.methods import choose_seed
from workbench.ui.needs import lacks_labels
from workbench.ui.place import Place
from workbench.ui.profile_views import (
    choose_feature,
    choose_other,
    show_feature,
    show_multiples,
    show_pair,
)
from workbench.ui.results import downloads
from workbench.ui.runs import announced, answer_of, ask_of, choose_run, show_part
from workbench.ui.shapley import choose_output
from workbench.ui.state import choose

FAMILY, ACROSS_FAMILY = "profiles", "near_profiles"
OF_OUTPUTS = (
    "mean", "std_errors", "effects", "effect_errors", "base", "curves", "predictions", "pair_mean",
    "pair_effects",
)  # fmt: skip
USUAL_ROWS, MOST_ROWS, USUAL_CURVES = 2000, 20_000, 200


def profiles(place: Place) -> None:
    """Show the part of the page that was chosen."""
    part = str(choose(
        st.segmented_control, "Part", "part", options=list(PARTS), default=next(iter(PARTS)),
        format_func=lambda key: PARTS[key][0], required=True, label_visibility="collapsed",
    ))  # fmt: skip
    PARTS[part][1](place)


def of_this_model(place: Place) -> None:
    """Follow the given model along its features: all, one of them, and two together."""
    _follow(place, _choose, "Follow the features", profile_sentence)


def of_equally_good_models(place: Place) -> None:
    """Follow models that are as good as the given one, and show where they differ."""
    if lacks_labels(place, "Which models are as good"):
        return
    _follow(place, _choose_across, "Follow equally good models", across_sentence)


def _follow(
    place: Place,
    choose_ask: Callable[[Place], Ask],
    verb: str,
    tell: Callable[[Profiles, str], str],
) -> None:
    """Show a run of profiles: its sentence, all features, one of them, and for one model a pair."""
    output = choose_output(place, None)
    part = show_part(
        place, Profiles, choose_ask, key=FAMILY, heading="How it is followed", verb=verb,
        icon="show_chart",
    )  # fmt: skip
    if (found := part.found) is None or part.ask is None:
        return
    result, name = found.result, f"profiles-{place.model.card.name}"
    with part.said, errors_shown():
        answer(tell(result, output))
    with part.left, st.container(border=True), errors_shown():
        show_multiples(result, output, name=name)
        downloads(found, name, place.person)
    with part.below:
        with errors_shown():
            feature = choose_feature(result, output)
            show_feature(result, feature, output, name=name)
        if part.ask.request.method == NAME:
            with errors_shown():
                _together(place, part.ask, result, feature, output)
    part.end(_of_output(result, output))


def _choose_across(place: Place) -> Ask:
    """Choose who looks for equally good models, and how; returns the run.

    Raises
    ------
    WorkbenchError
        If the settings do not fit the model.
    """
    chosen: dict[str, Any] = {"features": (), "pair": ()}
    hidden = {"pair_points"} | ({"output"} if place.model.schema.task == "regression" else set())
    return choose_run(place, ACROSS, ACROSS_FAMILY, chosen=chosen, by_hand=hidden)


def _choose(place: Place) -> Ask:
    """Choose rows and settings; returns the run.

    Raises
    ------
    WorkbenchError
        If the settings do not fit the model.
    """
    record, n = api.list_methods()[NAME], len(place.rows)
    with settings_button():
        count = n
        if n > 1:
            count = whole_number(
                "Rows", f"{FAMILY}.count", min(n, USUAL_ROWS), 1, min(n, MOST_ROWS),
                f"Rows to average over, drawn at random from the {n:,} of {place.rows_name}.",
                width="stretch",
            )  # fmt: skip
        seed = choose_seed()
        hidden = {"features", "pair", "pair_points"}
        hidden |= {"output"} if place.model.schema.task == "regression" else set()
        settings = params_form(
            record.params, FAMILY, leave_out=hidden, defaults={"curves": USUAL_CURVES}
        )
    return announced(_ask(place, settings, count, seed))


def _ask(
    place: Place, settings: Mapping[str, Any], count: int, seed: int, what: str = "features"
) -> Ask:
    price = quote(place, NAME, count, count, settings)
    return ask_of(
        place, NAME, price, seed=seed, count=count, title=f"Profiles of {what}", subject=(what,)
    )


def _together(place: Place, ask: Ask, result: Profiles, feature: str, output: str) -> None:
    """Follow two features at once, over the rows of another run."""
    other, points = choose_other(result, feature, output)
    if not other:
        return
    settings = {
        **ask.quote.params, "features": (feature,), "pair": (feature, other), "curves": 0,
        "pair_points": points,
    }  # fmt: skip
    asked = _ask(place, settings, result.n_rows, ask.request.seed, f"{feature} and {other}")
    found = answer_of(place, asked, Profiles, "Follow both", "grid_on", key="run-profiles-together")
    if found is not None:
        name = f"profiles-{place.model.card.name}-pair"
        with st.container(border=True):
            show_pair(found.result, output, name=name)
            downloads(found, name, place.person)


def _of_output(result: Profiles, output: str) -> Profiles:
    """Return a result about one of several classes alone, which checks then look at."""
    if len(result.output_names) <= 2:  # what is known of one of two is known of the other
        return result
    which = result.output_index(output)
    arrays: dict[str, Any] = {name: getattr(result, name)[..., [which]] for name in OF_OUTPUTS}
    schema = result.schema.model_copy(update={"favourable": None})
    return replace(result, **arrays, schema=schema, output_names=(output,))


# What each part is called, and what shows it.
PARTS: Mapping[str, tuple[str, Callable[[Place], None]]] = {
    "model": ("This model", of_this_model),
    "models": ("Across equally good models", of_equally_good_models),
}
