"""A function of one's choice in the neighbourhood that was chosen: what it says and misses."""

from typing import Any

import numpy as np
import streamlit as st

from workbench.core.faithfulness import ADEQUATE
from workbench.core.local_functions import FunctionClass, Loss, Operator
from workbench.core.results import LocalFunctions
from workbench.core.wording import counted, percent
from workbench.engines.lfa.fit import NAME, USUAL_FEATURES
from workbench.plots.local_functions import local_function_sentence
from workbench.ui.cards import key_figures
from workbench.ui.drawn import draw
from workbench.ui.forms import whole_number
from workbench.ui.frame import note
from workbench.ui.jobs import Answer
from workbench.ui.local_runs import Look, open_button
from workbench.ui.local_tables import mean_table
from workbench.ui.neighbourhood import Hood
from workbench.ui.results import downloads, plain_figure
from workbench.ui.state import choose
from workbench.ui.text import plain

FUNCTIONS: dict[FunctionClass, str] = {
    "linear": "Linear", "sparse": "Sparse", "pairwise": "Pairwise", "logistic": "Logistic",
}  # fmt: skip
LOSSES: dict[Loss, str] = {"squared": "outputs (squared)", "gradient": "slopes (gradient)"}
# What a function can be fitted to: the other operators have no slopes, or move all as one.
FITS: dict[Operator, tuple[Loss, ...]] = {
    "add": ("squared", "gradient"), "mask": ("squared",), "resample": ("squared",),
    "scale": ("gradient",),
}  # fmt: skip
# Settings that are known by a name: law, function and loss.
NAMES: dict[tuple[str, FunctionClass, Loss], str] = {
    ("normal", "linear", "squared"): "C-LIME",
    ("normal", "linear", "gradient"): "SmoothGrad",
    ("exponential", "linear", "squared"): "LIME without bins",
    ("shapley", "linear", "squared"): "KernelSHAP",
    ("shapley", "pairwise", "squared"): "faithful Shapley interactions",
    ("single", "linear", "squared"): "Occlusion",
}
INTEGRATED = "Integrated gradients"
WORST = 6
# In half of a page the numbers right of bars need more room than the axis leaves them.
ROOM = 48


def show_function(look: Look, hood: Hood, scale: float | None) -> Answer[LocalFunctions] | None:
    """Choose a function, fit it in the neighbourhood, and show it with what it misses.

    Raises
    ------
    WorkbenchError
        If the settings do not fit each other.
    """
    settings = _choose_function(look, hood)
    if hood.has_scale:
        settings["scale"] = scale
    if name := _known_as(hood, settings):
        st.badge(f"These settings are {name}", icon=":material/label:", color="gray")
    if hood.has_scale and scale is None:
        note("The function follows when the curve is there.")
        return None
    ask = look.ask(
        NAME, hood.shared | hood.function | settings, background=hood.background, seed=hood.seed,
        way=hood.operator,
    )  # fmt: skip
    found = look.answer(ask, LocalFunctions, "Fit functions to")
    if found is not None:
        _show(look, found)
    return found


def _choose_function(look: Look, hood: Hood) -> dict[str, Any]:
    """Choose the function, how many features it has, and what it is fitted to."""
    model, title = look.place.model, st.empty()
    offered = list(FUNCTIONS)
    if model.schema.task == "regression":  # a logistic function is for probabilities
        offered.remove("logistic")
    losses = [
        loss for loss in FITS[hood.operator]
        if loss != "gradient" or "differentiable" in model.capabilities
    ]  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom"):
        function: FunctionClass = choose(
            st.segmented_control, "Function", "function", options=offered,
            default="linear", format_func=FUNCTIONS.get, required=True,
        )  # fmt: skip
        settings: dict[str, Any] = {"function": function}
        if function == "sparse":
            d = len(model.schema.features)
            settings["num_features"] = whole_number(
                "Features", "features", min(USUAL_FEATURES, d), 1, d,
                "How many features the function has.", width=110,
            )  # fmt: skip
        settings["loss"] = losses[0] if len(losses) == 1 else choose(
            st.selectbox, "Fitted to", "loss", options=losses, default=losses[0],
            format_func=LOSSES.get, width=190,
            help="What counts as a miss: squared differences of outputs, or of slopes.",
        )  # fmt: skip
    title.markdown(f"**What does it look like near {plain(look.about)}?**")
    return settings


def _known_as(hood: Hood, settings: dict[str, Any]) -> str:
    """Name the published method that these settings are; empty where there is none."""
    function, loss = settings["function"], settings["loss"]
    if hood.operator == "scale" and (function, settings["scale"]) == ("linear", 1):
        return INTEGRATED
    return NAMES.get((hood.law, function, loss), "")


def _show(look: Look, found: Answer[LocalFunctions]) -> None:
    result, name = found.result, look.name("function")
    key_figures(_missed(result, look.output))
    if look.one:
        said = local_function_sentence(result, 0, look.output)
        drawn = draw(result, "coefficients", output=look.output)
        drawn.update_layout(margin={"r": ROOM})
        plain_figure(drawn, name=name, alt=said)
    else:
        mean_table(result, look.output)
    for remark in result.provenance.notes:
        note(f"{remark[:1].upper()}{remark[1:]}.")
    downloads(found, name, look.place.person, narrow=True)


def _missed(result: LocalFunctions, output: str) -> list[tuple[str, str, str]]:
    """Say what is missed of samples not seen, beside those that the function was fitted to."""
    held, fitted = result.share_missed(output), result.share_missed_fitted(output)
    of = "" if len(result) == 1 else "in the middle of the rows, "
    figures = [
        ("Missed of samples not seen", percent(float(np.median(held))),
         f"{of}{counted(result.heldout, 'sample')}"),
        ("Missed of samples fitted to", percent(float(np.median(fitted))),
         f"{of}{counted(result.samples, 'sample')}"),
    ]  # fmt: skip
    if len(result) > 1:
        poor = int((held > ADEQUATE).sum())
        figures.append((
            "Not adequate for",
            counted(poor, "row"),
            f"more than {percent(ADEQUATE)} missed",
        ))
    return figures


def list_worst(look: Look, result: LocalFunctions) -> None:
    """List the rows of which most is missed, each a button that opens it."""
    st.markdown("**Rows that are missed most**")
    missed = result.share_missed(look.output)
    with st.container(gap=None):
        for at in np.argsort(-missed, kind="stable")[:WORST]:
            number = int(result.ids[at])
            text = f"Row {number}: {percent(float(missed[at]))} missed"
            open_button(look, number, text, key="worst")
