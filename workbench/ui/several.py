"""What several explanations say of a row, side by side, and how far they agree."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from workbench.core.faithfulness import EXPLANATIONS
from workbench.core.results import Faithfulness
from workbench.numerics.agreement_of_explanations import AGREEMENTS
from workbench.plots.explanation_values import values_sentence
from workbench.plots.explanations import offered_types
from workbench.ui.drawn import draw
from workbench.ui.frame import side_by_side
from workbench.ui.results import plain_figure
from workbench.ui.state import choose, choose_several, put
from workbench.ui.text import plain

CHOSEN = "explanations"
FIRST = ("lime", "kernelshap", "integrated-gradients")
TYPES = {"contribution": "Contributions", "slope": "Slopes"}
MEASURES = {
    "top": "Strongest features", "sign": "Strongest features, same sign", "rank": "Order of all",
    "same-rank": "Same place", "signed-rank": "Same place and sign",
}  # fmt: skip


def choose_methods(result: Faithfulness, believed: str) -> tuple[str, ...]:
    """Choose which explanations to show; anchors, which know nothing, are not among them.

    Parameters
    ----------
    believed
        The one that is recommended: offered with a button where it is not shown.
    """
    offered = [m for m, kind in zip(result.methods, result.types, strict=True) if kind != "anchor"]

    def label(method: str) -> str:
        name = EXPLANATIONS.get(method, method)
        return f"{name} · recommended" if method == believed else name

    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = choose_several(
            "Explanations", CHOSEN, options=offered,
            default=[method for method in FIRST if method in offered], format_func=label,
            width="stretch",
        )  # fmt: skip
        if believed in offered and believed not in chosen:
            st.button(
                f"Show {EXPLANATIONS[believed]} too", icon=":material/add:", on_click=put,
                args=(CHOSEN, ",".join([*chosen, believed])),
            )  # fmt: skip
    return chosen


def with_methods(result: Faithfulness, methods: Sequence[str]) -> Faithfulness:
    """Return a result with some of its explanations, in its own order."""
    keep = np.array([i for i, method in enumerate(result.methods) if method in methods], dtype=int)
    return replace(
        result,
        values=result.values[:, keep],
        std_errors=result.std_errors[:, keep],
        missed=result.missed[:, keep],
        methods=tuple(result.methods[i] for i in keep),
        types=tuple(result.types[i] for i in keep),
        calls=tuple(result.calls[i] for i in keep),
    )


def show_several(result: Faithfulness, output: str, *, believed: str, name: str) -> None:
    """Show what chosen explanations say of one row, and how far they agree; of rows, the latter."""
    methods = choose_methods(result, believed)
    if not methods:
        st.caption("Choose at least one explanation.")
        return
    shown = with_methods(result, methods)
    said = values_sentence(shown, output=output)
    st.markdown(plain(said))
    if len(result) > 1:
        with st.container(border=True):
            _agreement(shown, output, said, name)
        return
    left, right = side_by_side("several")
    with left, st.container(border=True):
        _values(shown, output, said, name)
    with right, st.container(border=True):
        _agreement(shown, output, said, name)


def _values(result: Faithfulness, output: str, said: str, name: str) -> None:
    kinds = offered_types(result.types)
    st.markdown("**What each says of the row**")
    kind = kinds[0] if len(kinds) == 1 else choose(
        st.segmented_control, "Values", "values", options=kinds, default=kinds[0],
        format_func=TYPES.get, required=True, label_visibility="collapsed",
    )  # fmt: skip
    drawn = draw(result, "values", output=output, type=kind)
    plain_figure(drawn, name=f"{name}-values", alt=said)


def _agreement(result: Faithfulness, output: str, said: str, name: str) -> None:
    st.markdown("**How far they agree**")
    measure = choose(
        st.selectbox, "Agreement in", "agreement", options=list(MEASURES), default="top",
        format_func=MEASURES.get, label_visibility="collapsed",
    )  # fmt: skip
    drawn = draw(result, "agreement", output=output, measure=measure)
    plain_figure(drawn, name=f"{name}-agreement", alt=f"{AGREEMENTS[str(measure)].words}. {said}")
