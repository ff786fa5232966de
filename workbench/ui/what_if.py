"""What if a row were otherwise: widgets that move a row, and what the model makes of it."""

import re
from typing import Any, Literal

import numpy as np
import streamlit as st

from workbench.core.people import demand
from workbench.core.results import Attribution
from workbench.plots.what_if import (
    change_sentence,
    effects_before_and_after,
)
from workbench.plots.words import MINUS, amount, quantity, signed
from workbench.ui import cache
from workbench.ui.drawn import draw, is_dark
from workbench.ui.frame import (
    answer,
    errors_shown,
    side_by_side,
)
from workbench.ui.place import Place
from workbench.ui.results import plain_figure
from workbench.ui.scenarios import (
    AMORTISED,
    Ground,
    differs,
    ground_for,
    is_doubtful,
    slider_for,
    with_explainer,
    with_values,
)
from workbench.ui.state import choose
from workbench.ui.text import markup, plain
from workbench.ui.what_if_play import Play, Setting

STATE = "what_if.state"
FIRST = 12
SETTLED_SECONDS = 0.4
MISSING = "missing"
# In a wide window the figure stays in view while one scrolls through the widgets.
STYLE = """<style>
@media (min-width: 1100px) {
  div:has(> .st-key-figure) { position: sticky; top: 3.75rem; align-self: flex-start; }
}
</style>"""
VIEWS = {"pair": "Before and after", "waterfall": "Waterfall"}
ORDERS = {"effect": "Largest effect first", "table": "As in the table"}
HEAD = (
    '<div style="display:flex;justify-content:space-between;gap:.75rem;font-size:.875rem;'
    'line-height:1.35;margin-bottom:-.35rem"><span style="overflow-wrap:anywhere">{}</span>'
    '<span style="text-align:right;white-space:nowrap;overflow:hidden;text-overflow:ellipsis;'
    'opacity:{};font-weight:{}">{}</span></div>'
)


@st.cache_resource(max_entries=16, show_spinner="Looking at what is usual …")
def _ground(
    reference: str,
    owner: str,
    digest: str,  # noqa: ARG001 - part of the key
    table: str,
    table_digest: str,  # noqa: ARG001 - part of the key
) -> Ground:
    rows = cache.table(table, owner)
    return ground_for(cache.model(reference, owner), rows, rows[[0]])


def ground_of(place: Place) -> Ground:
    """Return what scenarios of a place stand on.

    Raises
    ------
    WorkbenchError
        If the table does not fit the model.
    """
    owner = cache.owner_of(place.person.key, place.reference, place.table)
    table_digest = cache.table_digest(place.table, place.person.key)
    return _ground(place.reference, owner, place.model.digest, place.table, table_digest)


def choose_one_row(place: Place) -> int:
    """Choose a row by position, the same one as on other pages."""
    most = len(place.rows) - 1
    value = choose(
        st.number_input, "Row", "row", default=0, width=160, min_value=0, max_value=most, step=1,
        help=plain(f"Position in {place.rows_name}, 0 to {most:,}."),
        valid=lambda number: isinstance(number, int) and 0 <= number <= most,
    )  # fmt: skip
    return int(value or 0)


def choose_order() -> str:
    """Choose the order of the widgets."""
    return str(choose(
        st.selectbox, "Order", "what_if_order", options=list(ORDERS), default="effect",
        format_func=ORDERS.get, width=220,
    ))  # fmt: skip


def choose_unlocked(place: Place) -> bool:
    """Choose whether what a person cannot change may be changed; False where there is nothing."""
    locked = [feature.name for feature in place.model.schema.features if feature.immutable]
    if not locked:
        return False
    return bool(choose(
        st.toggle, "Allow changing what a person cannot change", "what_if_unlocked",
        default=False, help=plain(f"Locked: {', '.join(locked)}."),
    ))  # fmt: skip


def setting_for(place: Place, number: int, output: str, *, unlocked: bool) -> Setting:
    """Gather what the page is about; another row begins anew.

    Raises
    ------
    WorkbenchError
        If the person may not explain rows, or the table does not fit the model.
    """
    demand(place.person, "run_small")
    table_digest = cache.table_digest(place.table, place.person.key)
    ground = with_explainer(ground_of(place), place.model)
    row = place.rows[[number]]
    original = row.X[0].double().numpy().copy()
    subject = place.model.digest, table_digest, int(row.ids[0]), place.person.key
    play = st.session_state.get(STATE)
    if play is None or play.subject != subject:
        play = Play(subject, original, original.copy())
        st.session_state[STATE] = play
    features = place.model.schema.features
    frozen = frozenset(
        j for j, feature in enumerate(features) if feature.immutable and not unlocked
    )
    locked = sorted(frozen)
    play.x[locked] = play.original[locked]  # what was changed before it was locked again
    return Setting(place, row, number, output, ground, play, frozen)


def play_with(setting: Setting, order: str) -> None:
    """Show the widgets of a row and, beside them, what the model makes of it."""
    _moving(setting, order)


@st.fragment
def _moving(setting: Setting, order: str) -> None:
    """Everything that changes while a slider is dragged; nothing else runs again."""
    with errors_shown():
        said = st.container()
        st.html(STYLE)
        results, controls = side_by_side()
        with controls, st.container(border=True):
            _controls(setting, order)
        with results, st.container(border=True):
            _results(setting)
        kind = _kind(setting)
        before = setting.explain(kind, setting.play.original)
        with said:
            answer(change_sentence(before, setting.explain(kind, setting.play.x), setting.output))


def _controls(setting: Setting, order: str) -> None:
    play = setting.play
    changed = differs(play.x, play.original)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("**Values**")
        st.button(
            "Reset", icon=":material/restart_alt:", on_click=move_to, args=(play, play.original),
            disabled=not changed.any(), help="Back to the row as it is.",
        )  # fmt: skip
    places = np.arange(len(setting.features))
    if order == "effect":
        which = setting.model.output_names.index(setting.output)
        effects = setting.explain("full", play.original).values[0, :, which]
        places = np.argsort(-np.abs(effects), kind="stable")
    first, rest = places, places[:0]
    if len(places) > FIRST + 1:
        first, rest = places[:FIRST], places[FIRST:]
    for j in first:
        _widget(setting, int(j))
    if len(rest):
        n_changed = int(changed[rest].sum())
        told = f", {n_changed} changed" if n_changed else ""
        with st.expander(f"{len(rest)} more features{told}"):
            for j in rest:
                _widget(setting, int(j))


def _widget(setting: Setting, j: int) -> None:
    """Show the widget of one feature below a line that says what it was."""
    feature, play = setting.features[j], setting.play
    was, now = play.original[j], play.x[j]
    changed = bool(differs(play.x[[j]], play.original[[j]])[0])
    locked = j in setting.frozen
    name = f"{markup(feature.name)}{' 🔒' if locked else ''}"
    told = f"was {feature.show(float(was))}" if changed else feature.show(float(was))
    st.html(HEAD.format(name, 1 if changed else 0.65, 600 if changed else 400, markup(told)))
    key = f"what-if-{j}"
    look: dict[str, Any] = {
        "key": key, "disabled": locked, "label_visibility": "collapsed",
        "on_change": _moved, "args": (play, j, key),
    }  # fmt: skip
    if feature.kind == "categorical":
        codes = [float(code) for code in range(len(feature.categories))]
        if feature.has_missing or np.isnan(was):
            codes.append(float("nan"))
        labels = [feature.show(code) for code in codes]
        st.session_state[key] = feature.show(float(now))
        look["args"] = (play, j, key, dict(zip(labels, codes, strict=True)))
        st.selectbox(_spoken(feature.name), labels, **look)
        return
    ranges = setting.ground.ranges
    bounds = slider_for(feature, float(ranges.low[j]), float(ranges.high[j]), float(was))
    kind = type(bounds.low)
    known = now if not np.isnan(now) else (was if not np.isnan(was) else bounds.low)
    st.session_state[key] = kind(min(max(known, bounds.low), bounds.high))
    may_be_missing = feature.has_missing or np.isnan(was)
    look["disabled"] = locked or bool(np.isnan(now))
    st.slider(
        _spoken(feature.name), min_value=bounds.low, max_value=bounds.high, step=bounds.step,
        format=f"%.{bounds.decimals}f" if kind is float else "%d", **look,
    )  # fmt: skip
    if may_be_missing:
        st.session_state[f"{key}-missing"] = bool(np.isnan(now))
        st.checkbox(
            f"{_spoken(feature.name)} is missing", key=f"{key}-missing", disabled=locked,
            on_change=_gone, args=(play, j, key),
        )  # fmt: skip


def _spoken(name: str) -> str:
    """Return a name without markup, for a label that is read aloud and not seen."""
    return " ".join(re.sub(r"[^\w .,/%-]", " ", name).split()) or "feature"


def _moved(play: Play, j: int, key: str, codes: dict[str, float] | None = None) -> None:
    value = st.session_state[key]
    play.x = play.x.copy()
    play.x[j] = value if codes is None else codes[value]


def _gone(play: Play, j: int, key: str) -> None:
    play.x = play.x.copy()
    play.x[j] = np.nan if st.session_state[f"{key}-missing"] else st.session_state[key]


def move_to(play: Play, values: np.ndarray) -> None:
    """Give the scenario these values."""
    play.x = values.copy()


def _kind(setting: Setting) -> str:
    """Tell which explanations to show: both rows are explained alike."""
    ready = setting.knows_full(setting.play.x) and setting.knows_full(setting.play.original)
    return "full" if ready or not setting.ground.quick else "quick"


def _results(setting: Setting) -> None:
    play = setting.play
    outputs = setting.model.predict(with_values(setting.row, play.x).X)[0].numpy()
    before = setting.model.predict(setting.row.X)[0].numpy()
    _numbers(setting, before, outputs)
    view = choose(
        st.segmented_control, "View", "what_if_view", options=list(VIEWS), default="pair",
        format_func=VIEWS.get, required=True, label_visibility="collapsed",
    )  # fmt: skip
    waits = _kind(setting) == "quick"
    st.fragment(_explanation, run_every=SETTLED_SECONDS if waits else None)(setting, str(view))


def _numbers(setting: Setting, before: np.ndarray, after: np.ndarray) -> None:
    """Show the prediction, what it was, and whether the decision is another one."""
    shown = setting.explain("full", setting.play.original)
    which = shown.output_index(setting.output)
    schema = setting.model.schema
    moved = float(after[which] - before[which])
    small = max(abs(moved), abs(float(before[which])) / 1000)
    decimals = 3 if schema.classes else max(0, 2 - int(np.floor(np.log10(small or 1))))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.metric(
            plain(quantity(shown, which)), plain(amount(shown, float(after[which]))),
            delta=signed(moved, decimals).replace(MINUS, "-") if moved else None,
            delta_color="off", width="content",
        )  # fmt: skip
        if schema.classes:
            old, new = (schema.classes[int(part.argmax())] for part in (before, after))
            said = plain(new) if old == new else f"{plain(old)} → **{plain(new)}**"
            st.metric("Decision", said, width="content")


def _explanation(setting: Setting, view: str) -> None:
    """Draw the quick explanation; when the row stays as it is, the full one takes its place."""
    with errors_shown():
        play = setting.play
        settled = play.settled == play.x.tobytes()
        play.settled = play.x.tobytes()
        if _kind(setting) == "quick" and settled:
            for values in (play.original, play.x):
                setting.explain("full", values)
            st.rerun()
        kind = _kind(setting)
        before, after = (setting.explain(kind, values) for values in (play.original, play.x))
        _badge(setting, after)
        name = f"what-if-{setting.model.card.name}-row-{setting.row.ids[0]}"
        said = change_sentence(before, after, setting.output)
        drawn = (
            effects_before_and_after(before, after, output=setting.output, dark=is_dark())
            if view == "pair"
            else draw(after, "waterfall", output=setting.output)
        )
        plain_figure(drawn, name=name, alt=said)


def _badge(setting: Setting, after: Attribution) -> None:
    """Say which explanation is in view, and how it was made."""
    ground, record = setting.ground, after.provenance
    refining = record.method != ground.full or record.params != ground.full_params
    colour: Literal["green", "blue", "orange"] = "orange"
    label, icon = "few coalitions, refining …", "bolt"
    if not refining and ground.is_exact:
        label, icon, colour = "exact", "check_circle", "green"
    elif not refining:
        label, icon, colour = "estimate with intervals", "straighten", "blue"
    elif record.method == AMORTISED:
        label = f"FastSHAP{', doubtful here' if is_doubtful(after) else ''}, refining …"
    told = "; ".join([f"{record.method} against {record.background}", *record.notes])
    st.badge(label, icon=f":material/{icon}:", color=colour, help=plain(told))
