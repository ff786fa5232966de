"""The nearest changes of a row with which the model decides otherwise."""

from typing import Any

import streamlit as st

from workbench import api
from workbench.core.results import Counterfactuals
from workbench.core.wording import counted
from workbench.plots.counterfactuals import changes_of
from workbench.plots.what_if import counterfactual_sentence
from workbench.plots.words import amount, quantity
from workbench.ui.drawn import draw
from workbench.ui.frame import list_line, note
from workbench.ui.report_later import nearest_to_report
from workbench.ui.results import plain_figure, result_files
from workbench.ui.state import choose
from workbench.ui.text import plain
from workbench.ui.what_if import move_to
from workbench.ui.what_if_play import Setting


def find_nearest(setting: Setting) -> None:
    """Offer to search for the nearest change with which the model decides otherwise."""
    play = setting.play
    with st.container(border=True):
        st.markdown("**What would have to be different?**")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            params = _wish(setting)
            pressed = st.button("Find the nearest change", icon=":material/search:")
        asked = (*sorted(params.items()), setting.frozen)
        if pressed:
            with st.spinner("Searching …"):
                play.found = _nearest(setting, params)
                play.asked = asked
        found = play.found
        if found is None:
            note(
                "Searches for the smallest changes of what may be changed, within the values that "
                "occur, for which the model decides otherwise."
            )
            return
        if play.asked != asked:
            note("The wish has changed since: press the button to search again.")
        if len(found.owners):
            said = counterfactual_sentence(found, 0)
            st.markdown(plain(said))
            drawn = draw(found, "nearest")
            plain_figure(drawn, name="nearest", alt=said)
            _changes(setting, found)
            nearest_to_report(setting, found, found.provenance.params)
            result_files(found, f"nearest-{setting.place.model.card.name}-row-{found.ids[0]}")
        else:
            st.info(plain(counterfactual_sentence(found, 0)), icon=":material/search_off:")


def _nearest(setting: Setting, params: dict[str, Any]) -> Counterfactuals:
    immutable = not any(setting.features[j].immutable for j in setting.frozen)
    return api.counterfactuals(
        setting.model, setting.row, setting.ground.reference, device="cpu",
        immutable=immutable, **params,
    )  # fmt: skip


def _wish(setting: Setting) -> dict[str, Any]:
    """Choose what the model should say."""
    schema = setting.model.schema
    outputs = setting.model.predict(setting.row.X)[0].numpy()
    if schema.classes:
        decided = schema.classes[int(outputs.argmax())]
        others = [name for name in schema.classes if name != decided]
        best = max(others, key=lambda name: outputs[schema.classes.index(name)])
        target = choose(
            st.selectbox, "The model should decide for", "what_if_target", options=others,
            default=schema.favourable if schema.favourable in others else best, width=240,
        )  # fmt: skip
        return {"target": str(target)}
    value = float(outputs[0])
    way = choose(
        st.segmented_control, "The prediction should be", "what_if_way",
        options=["high", "low"], default="low", required=True,
        format_func={"high": "at least", "low": "at most"}.get,
    )  # fmt: skip
    bound = st.number_input(
        "Bound", value=float(f"{value * (1.1 if way == 'high' else 0.9):.3g}"),
        key=f"what-if-bound-{way}-{setting.number}", width=160,
    )  # fmt: skip
    return {"low": bound} if way == "high" else {"high": bound}


def _changes(setting: Setting, found: Counterfactuals) -> None:
    shown = setting.explain("full", setting.play.original)
    target = found.provenance.params.get("target")
    which = shown.output_index(setting.output if target is None else str(target))
    for i in found.of(0):
        said = changes_of(found, int(i))
        result = amount(shown, float(found.changed_predictions[i, which]))
        about, button = list_line(f"change-{i}")
        with about:
            st.markdown(plain(said))
            note(
                f"{counted(int(found.changed[i].sum()), 'change')} · distance "
                f"{found.distances[i]:.2f} · {quantity(shown, which)}: {result}"
            )
        button.button(
            "Try this", key=f"try-{i}", icon=":material/arrow_upward:", on_click=move_to,
            args=(setting.play, found.changed_data[i]),
        )  # fmt: skip
