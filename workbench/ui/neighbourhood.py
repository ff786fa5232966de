"""A neighbourhood of rows: how samples are made, and how far a linear explanation holds in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from workbench import api
from workbench.core.local_functions import Operator
from workbench.core.model import Model
from workbench.core.results import ScaleCurves
from workbench.engines.lfa.fit import NAME as FIT
from workbench.engines.lfa.operators import LAWS, SCALED, USUAL, OperatorParams
from workbench.engines.lfa.scales import NAME as CURVE
from workbench.plots.scale_curves import scale_sentence
from workbench.plots.words import number
from workbench.ui.drawn import draw
from workbench.ui.forms import params_form, settings_button
from workbench.ui.frame import empty_state, note
from workbench.ui.jobs import Answer
from workbench.ui.local_runs import Look, levels_of
from workbench.ui.methods import choose_background, choose_effort, choose_seed
from workbench.ui.results import downloads, plain_figure
from workbench.ui.state import choose, peek, put
from workbench.ui.text import plain

OPERATORS: dict[Operator, str] = {
    "add": "Move numbers",
    "mask": "Remove features",
    "resample": "Resample values",
    "scale": "Way from the reference",
}
HOW: dict[Operator, str] = {
    "add": "Numbers are moved about the row at random, the wider the scale the further; categories "
    "stay as they are.",
    "mask": "Features take the values of a typical row: the mean of a number, the most common "
    "category.",
    "resample": "Features take the values of other rows, each of a row of its own.",
    "scale": "All features go together from the row towards a typical row.",
}
LAW_NAMES = {
    "normal": "normal moves",
    "uniform": "uniform moves",
    "exponential": "exponential kernel (LIME)",
    "shapley": "Shapley kernel",
    "even": "each with probability 1/2",
    "single": "one at a time",
}
FAMILY = "lfa"
DIGITS = 3
SHARED = frozenset(OperatorParams.model_fields)
# What has a place of its own on the page.
ELSEWHERE = SHARED | {"scale", "function", "loss", "num_features"}


@dataclass(frozen=True)
class Hood:
    """How samples are made, before a scale is chosen.

    Attributes
    ----------
    shared
        Settings that the curve and the function have in common.
    curve, function
        Further settings of each.
    """

    operator: Operator
    law: str
    shared: dict[str, Any]
    curve: dict[str, Any]
    function: dict[str, Any]
    background: int
    seed: int

    @property
    def has_scale(self) -> bool:
        """Whether the law has a scale that can grow."""
        return self.law in SCALED


def offered_operators(model: Model) -> tuple[Operator, ...]:
    """Return the ways to make samples that columns and model allow."""
    barred: set[Operator] = set()
    if all(feature.kind == "categorical" for feature in model.schema.features):
        barred.add("add")
    if "differentiable" not in model.capabilities:  # a line tells features apart by slopes alone
        barred.add("scale")
    return tuple(operator for operator in OPERATORS if operator not in barred)


def choose_hood(look: Look) -> Hood:
    """Choose how samples are made, and how hard to try."""
    model, methods = look.place.model, api.list_methods()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        operator = _choose_operator(model)
        law = _choose_law(operator)
        with settings_button(width="content"):
            levels = {method: levels_of(method, look) for method in (CURVE, FIT)}
            level = choose_effort(FAMILY, list(levels[FIT]))
            efforts = {method: levels[method][level] for method in levels}
            background = choose_background(look.place, efforts[FIT], FAMILY)
            seed = choose_seed()
            hidden = {"output"} if model.schema.task == "regression" else set()
            output = params_form(OperatorParams, FAMILY, leave_out={"operator", "law"} | hidden)
            st.markdown("**Curve**")
            curve = params_form(
                methods[CURVE].params, CURVE, leave_out=SHARED, defaults=efforts[CURVE].settings
            )
            st.markdown("**Function**")
            function = params_form(
                methods[FIT].params, FIT, leave_out=ELSEWHERE, defaults=efforts[FIT].settings
            )
    if "scale" not in offered_operators(model):
        lacking = "; ".join(methods["shapley.integrated-gradients"].lacks(model))
        note(f"{OPERATORS['scale']} needs {lacking}.")
    note(HOW[operator])
    shared = {"operator": operator, "law": law, **output}
    return Hood(operator, law, shared, curve, function, background, seed)


def _choose_operator(model: Model) -> Operator:
    offered = offered_operators(model)
    operator: Operator = choose(
        st.segmented_control, "Neighbourhood", "operator", options=list(offered),
        default=offered[0], format_func=OPERATORS.get, required=True,
    )  # fmt: skip
    return operator


def _choose_law(operator: Operator) -> str:
    """Choose what is drawn, where there is a choice."""
    laws = LAWS[operator]
    if len(laws) == 1:
        return laws[0]
    return str(choose(
        st.selectbox, "Drawn", f"law.{operator}", options=list(laws), default=laws[0],
        format_func=LAW_NAMES.get, width=230, help=OperatorParams.model_fields["law"].description,
    ))  # fmt: skip


def show_curve(look: Look, hood: Hood) -> tuple[Answer[ScaleCurves] | None, float | None]:
    """Show what a linear function misses, scale by scale, and choose a scale.

    Returns
    -------
    The curve and the scale; None for both as long as the curve is not known.

    Raises
    ------
    WorkbenchError
        If the settings do not fit.
    """
    st.markdown("**How far does a linear explanation hold?**")
    if not hood.has_scale:
        empty_state(
            f"This neighbourhood ({LAW_NAMES[hood.law]}) has one size: there is no scale to "
            "choose. The exponential kernel has one.",
            "straighten",
        )
        return None, None
    ask = look.ask(
        CURVE, hood.shared | hood.curve, background=hood.background, seed=hood.seed,
        way=hood.operator,
    )  # fmt: skip
    drawn, slider = st.container(), st.container()
    with drawn:
        found = look.answer(ask, ScaleCurves, "Draw the curve of")
    if found is None:
        return None, None
    with slider:
        scale = choose_scale(found.result, look.output)
        downloads(found, look.name("curve"), look.place.person, narrow=True)
    with drawn:
        _draw(look, found.result, scale)
    return found, scale


def choose_scale(curves: ScaleCurves, output: str) -> float:
    """Choose one of the curve's scales; by default its knee, or what is usual."""
    scales = _rounded(curves.scales)
    wished = curves.knee(output) or USUAL[curves.operator]
    name = f"scale.{curves.operator}"
    held = peek(name, 0.0)
    if isinstance(held, float) and scales[0] <= held <= scales[-1]:
        put(name, _nearest(scales, held))
    return float(choose(
        st.select_slider, f"Scale: {curves.scale_words}", name, options=scales,
        default=_nearest(scales, wished), format_func=number,
    ))  # fmt: skip


def _draw(look: Look, curves: ScaleCurves, scale: float) -> None:
    said = scale_sentence(curves, output=look.output)
    st.markdown(plain(said))
    drawn = draw(curves, "curve", output=look.output, scale=scale)
    plain_figure(drawn, name=look.name("curve"), alt=said)


def _rounded(scales: np.ndarray) -> list[float]:
    """Return scales as people write them, so that an address can hold one."""
    return sorted({float(f"{scale:.{DIGITS}g}") for scale in scales})


def _nearest(scales: Sequence[float], wished: float) -> float:
    return min(scales, key=lambda scale: abs(np.log(scale / wished)))
