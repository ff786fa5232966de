"""The equally good model that says something else of a row, beside the model itself."""

import numpy as np
import streamlit as st
import torch

from workbench.core.model import Model
from workbench.core.rashomon import EXPLORERS, NO_MODEL
from workbench.core.results import Attribution, RashomonSet
from workbench.core.schema import Feature
from workbench.core.table import Table
from workbench.engines.rashomon.again import NOT_AGAIN, kept_model
from workbench.plots.disagreement import disagreement, disagreement_sentence
from workbench.plots.rashomon_pair import pair_curves
from workbench.plots.words import number, quantity
from workbench.ui import cache
from workbench.ui.cards import key_figures
from workbench.ui.drawn import is_dark
from workbench.ui.frame import note, two_halves
from workbench.ui.place import Place
from workbench.ui.rashomon_views import Focus
from workbench.ui.results import plain_figure
from workbench.ui.scenarios import Ground, full
from workbench.ui.state import choose, put
from workbench.ui.text import plain
from workbench.ui.what_if import ground_of

OTHER = "rashomon.other"
ENDS = {"low": "Says least", "high": "Says most"}
POINTS = 61


def offer_other(place: Place, result: RashomonSet, focus: Focus, index: int, row: int) -> None:
    """Offer to look at the model at an end of a row's range beside the given one.

    Parameters
    ----------
    index, row
        Position of the row in the result, and on the page.
    """
    which = result.output_index(focus.output)
    if focus.explorer in NOT_AGAIN:
        note(f"{EXPLORERS[focus.explorer]}: {NOT_AGAIN[focus.explorer]}.")
        return
    ends = _ends(result, focus, index, which)
    if not ends:
        note(f"{EXPLORERS[focus.explorer]} has no single model that says less or more of this row.")
        return
    default = _otherwise(result, focus, index, which, ends)
    differs = np.nan_to_num(result.flips[focus.where][index]) > 0
    label = "Show the equally good model that decides otherwise" if differs else (
        "Show the equally good model that is furthest away"
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        is_on = choose(st.toggle, label, "other", default=False)
        st.button(
            "What if this row were different?", icon=":material/tune:", type="tertiary",
            on_click=_go_to_row, args=(row,), key="other-what-if",
        )  # fmt: skip
    if st.session_state.pop(f"{OTHER}.go", False):
        st.switch_page("pages/what_if.py")
    if not is_on:
        return
    end = default
    if len(ends) > 1:
        end = str(choose(
            st.segmented_control, "Which end", "other_end", options=list(ends), default=default,
            format_func=lambda key: ENDS[key], required=True, label_visibility="collapsed",
        ))  # fmt: skip
    with st.spinner("Making the model again …"):
        other = _model(place, result, ends[end])
    _show(place, result, focus, other, ends[end], row)


def _go_to_row(row: int) -> None:
    put("row", row)
    st.session_state[f"{OTHER}.go"] = True


def _ends(result: RashomonSet, focus: Focus, index: int, which: int) -> dict[str, int]:
    """Return the kept model at each end of a range; the given model's own end is left out."""
    both = {
        "low": int(result.low_model[focus.where][index, which]),
        "high": int(result.high_model[focus.where][index, which]),
    }
    return {end: kept for end, kept in both.items() if kept != NO_MODEL}


def _otherwise(
    result: RashomonSet, focus: Focus, index: int, which: int, ends: dict[str, int]
) -> str:
    """Choose the end that is on the other side: down where the class was decided for, else up."""
    value = float(result.predictions[index, which])
    reach = {
        "low": value - float(result.low[focus.where][index, which]),
        "high": float(result.high[focus.where][index, which]) - value,
    }
    usual = max(reach, key=lambda end: reach[end])
    if result.schema.n_classes:
        usual = "low" if int(result.decisions[index]) == which else "high"
    return usual if usual in ends else next(iter(ends))


def _model(place: Place, result: RashomonSet, kept: int) -> Model:
    """Make a kept model again; the last one is remembered."""
    record = result.provenance
    key = (record.model_digest, record.table_digest, record.created, kept)
    known = st.session_state.get(OTHER)
    if known is None or known[0] != key:
        whole = cache.table(place.table, place.person.key)
        positions = np.searchsorted(whole.ids.numpy(), result.ids)
        whole = whole.read_by(place.model.schema)
        made = kept_model(result, kept, place.model, whole[positions], whole)
        known = (key, made)
        st.session_state[OTHER] = known
    found: Model = known[1]
    return found


def _show(
    place: Place, result: RashomonSet, focus: Focus, other: Model, kept: int, row: int
) -> None:
    """Show both models side by side: outputs, effects of features, and what moving one does."""
    one, models = place.rows[[row]], (place.model, other)
    names = place.model.card.name, f"near-copy {result.kept_number[kept]:,}"
    _numbers(result, focus, one, models, names, kept)
    ground = ground_of(place)
    with st.spinner("Explaining both …"):
        first, second = _explained(models, one, ground, (place.model.digest, kept, row))
    effects, curves = two_halves("other")
    with effects:
        said = disagreement_sentence(first, second, output=focus.output, names=names)
        st.markdown(plain(said))
        drawn = disagreement(first, second, output=focus.output, names=names, dark=is_dark())
        plain_figure(drawn, name="other-effects", alt=said)
    with curves:
        _curves(result, focus, one, models, (first, second), ground, names)


def _numbers(
    result: RashomonSet, focus: Focus, one: Table, models: tuple[Model, Model],
    names: tuple[str, str], kept: int,
) -> None:  # fmt: skip
    which = result.output_index(focus.output)
    said = [model.predict(one.X)[0].double().numpy() for model in models]
    classes = result.schema.n_classes > 0
    figures = [
        (name, number(float(outputs[which])),
         f"decides {result.output_names[int(outputs.argmax())]}" if classes
         else quantity(result, which))
        for name, outputs in zip(names, said, strict=True)
    ]  # fmt: skip
    excess = float(result.kept_excess[kept])
    key_figures([
        *figures,
        ("Excess loss", number(excess), f"{result.loss_name}; within "
         f"{number(float(result.tolerances[focus.where.tolerance]))}"),
    ])  # fmt: skip


def _explained(
    models: tuple[Model, Model], one: Table, ground: Ground, key: tuple[object, ...]
) -> tuple[Attribution, Attribution]:
    """Explain the row by both models; the last pair is remembered."""
    known = st.session_state.get(f"{OTHER}.explained")
    key = (*key, models[1].digest, one.digest)
    if known is None or known[0] != key:
        pair = tuple(full(model, one, ground) for model in models)
        known = (key, pair)
        st.session_state[f"{OTHER}.explained"] = known
    first, second = known[1]
    return first, second


def _curves(
    result: RashomonSet, focus: Focus, one: Table, models: tuple[Model, Model],
    pair: tuple[Attribution, Attribution], ground: Ground, names: tuple[str, str],
) -> None:  # fmt: skip
    """Draw what both models say as one feature moves; by default the one they differ most in."""
    which = result.output_index(focus.output)
    gap = np.abs(pair[1].values[0, :, which] - pair[0].values[0, :, which])
    offered = [result.names[j] for j in np.argsort(-gap, kind="stable")]
    name = str(choose(
        st.selectbox, "What if it had another", "other_feature", options=offered,
        default=offered[0],
    ))  # fmt: skip
    j = result.names.index(name)
    feature, x = result.schema.features[j], one.X[0].double().numpy()
    values = values_of(feature, float(ground.ranges.low[j]), float(ground.ranges.high[j]), x[j])
    moved = np.tile(x, (len(values), 1))
    moved[:, j] = values
    outputs = [
        model.predict(torch.from_numpy(moved))[:, which].double().numpy() for model in models
    ]
    what = quantity(result, which)
    drawn = pair_curves(
        feature, values, outputs, names=names, own=float(x[j]), what=what,
        threshold=0.5 if result.schema.task == "binary" else None, dark=is_dark(),
    )  # fmt: skip
    plain_figure(drawn, name="other-curves", alt=f"{what} by both models as {name} moves")


def values_of(feature: Feature, low: float, high: float, own: float) -> np.ndarray:
    """Return values to try: every category, or numbers over what was seen and the row's own."""
    if feature.kind == "categorical":
        return np.arange(len(feature.categories), dtype=float)
    if not np.isnan(own):
        low, high = min(low, own), max(high, own)
    values = np.linspace(low, high, POINTS)
    return np.unique(values.round()) if feature.integer else values
