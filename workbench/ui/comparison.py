"""Two answers to one question side by side: of two methods, two value functions, or two models."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench import api
from workbench.core.results import Attribution
from workbench.plots.disagreement import disagreement, disagreement_sentence
from workbench.ui import cache
from workbench.ui.drawn import is_dark
from workbench.ui.frame import answer, two_halves
from workbench.ui.jobs import Answer, Ask, answer_to, is_under_way, was_stopped
from workbench.ui.place import Place
from workbench.ui.results import downloads, figure, plain_figure
from workbench.ui.shapley import FAMILY, VALUES, ask_for, values_for
from workbench.ui.state import choose
from workbench.ui.text import plain
from workbench.workspace import sources

NOTHING = "nothing"
WIDTH = 230


@dataclass(frozen=True)
class Comparison:
    """A second run, and what the two are called where they stand side by side."""

    ask: Ask
    names: tuple[str, str]


def choose_comparison(
    place: Place, ask: Ask, row: int | None, count: int, slot: DeltaGenerator
) -> Comparison | None:
    """Choose what to hold the answer against: another method, value function or model.

    Everything else stays as it is for the first run: rows, background, seed and settings. What it
    will take is said in ``slot``.

    Raises
    ------
    WorkbenchError
        If the second run does not fit.
    """
    offered = _offered(place, ask)
    kind = choose(
        st.selectbox, "Compare with", "compare", options=[NOTHING, *offered], default=NOTHING,
        format_func=lambda name: f"another {name}" if name != NOTHING else name, width=WIDTH,
    )  # fmt: skip
    if kind == NOTHING:
        return None
    options = offered[str(kind)]
    other = str(choose(
        st.selectbox, f"Other {kind}", f"compare.{kind}", options=list(options),
        default=next(iter(options)), format_func=options.get, label_visibility="collapsed",
        width=WIDTH,
    ))  # fmt: skip
    first, settings = ask.request, dict(ask.quote.params)
    there, method = place, first.method
    if kind == "model":
        there = _place_of(place, other)
        names = (place.model.card.name, there.model.card.name)
    elif kind == "method":
        method = other
        names = (_short(first.method), _short(other))
        settings = {key: settings[key] for key in ("output", "link", "value") if key in settings}
    else:
        names = (VALUES[settings["value"]], VALUES[other])
        settings["value"] = other
    second = ask_for(
        there, method, settings, row=row, count=count, background=first.background,
        seed=first.seed,
    )  # fmt: skip
    slot.caption(second.quote.describe())
    return Comparison(replace(second, subject=(*second.subject, "compared")), names)


def show_comparison(
    place: Place, first: Answer[Attribution], comparison: Comparison, output: str, view: str
) -> None:
    """Run the second, draw each with the same view, and say where they disagree."""
    ask, one = comparison.ask, len(first.result) == 1
    st.subheader(plain(" and ".join(comparison.names)), anchor=False)
    starts = ask.is_small and not was_stopped(ask, place.person)
    pressed = not starts and st.button(
        f"Explain with {comparison.names[1]}",
        type="primary",
        icon=":material/play_arrow:",
        key="run-comparison",
    )
    second = answer_to(
        ask, place.person, Attribution, pressed=pressed, starts_itself=starts, slot=st.container()
    )
    if second is None or second.is_stale:
        if not is_under_way(ask, place.person):
            st.caption(f"Press Explain with {plain(comparison.names[1])} to see both side by side.")
        return
    pair, names = (first.result, second.result), comparison.names
    files = f"compared-{place.model.card.name}-{'row' if one else 'rows'}"
    said = disagreement_sentence(*pair, output=output, names=names)
    answer(said)
    drawn = disagreement(*pair, output=output, names=names, dark=is_dark())
    plain_figure(drawn, name="disagreement", alt=said)
    for column, result, name, number in zip(two_halves("compared"), pair, names, "12", strict=True):
        with column:
            st.markdown(f"**{plain(name)}**")
            shown = "waterfall" if one else view
            figure(result, shown, name=f"compared-{number}", alt=name, output=output)
            if number == "2":  # the first has its files above
                downloads(second, files, place.person, narrow=True)


def _offered(place: Place, ask: Ask) -> Mapping[str, Mapping[str, str]]:
    """List what the run can be compared with, by kind; kinds without a choice are left out."""
    record = api.list_methods()[ask.request.method]
    value = ask.quote.params.get("value", "marginal")
    methods = {
        name: f"{_short(name)} · {method.title.removeprefix('Shapley values, ')}"
        for name, method in api.list_methods().items()
        if name.startswith(f"{FAMILY}.") and method.yields is Attribution
        and name != ask.request.method and not method.lacks(place.model)
        and value in (values_for(method.params, place.model) or ("marginal",))
    }  # fmt: skip
    values = {
        name: VALUES[name] for name in values_for(record.params, place.model) if name != value
    }
    models = {
        entry.reference: entry.reference.removeprefix(sources.MINE)
        for entry in sources.list_models(place.person.key)
        if f"{entry.reference}@{entry.default}" != place.reference
        and _answers_the_same(place, entry.reference)
        and (value != "conditional" or _has_learned(place, entry.reference))
    }
    kinds = {"method": methods, "value function": values, "model": models}
    return {kind: options for kind, options in kinds.items() if options}


def _answers_the_same(place: Place, reference: str) -> bool:
    """Whether a model reads the same features and speaks of the same classes or target."""
    card = cache.card(reference, place.person.key)
    if card is None:
        return False
    own, other = place.model.schema, card.schema
    same_outputs = (own.task, own.output_names) == (other.task, other.output_names)
    return same_outputs and cache.features_of(own) == cache.features_of(other)


def _has_learned(place: Place, reference: str) -> bool:
    """Whether a model comes with an explainer that was trained for conditional values."""
    model = cache.model_with_explainers(reference, place.person.key)
    return any(explainer.value == "conditional" for explainer in model.explainers)


def _place_of(place: Place, reference: str) -> Place:
    model = cache.model_with_explainers(reference, place.person.key)
    pinned = f"{reference.partition('@')[0]}@{model.card.version}"
    return replace(place, reference=pinned, model=model)


def _short(method: str) -> str:
    return method.partition(".")[2]
