"""Figures of results on a page, and which of them are in view: what a report then shows."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from workbench.core.figures import ChosenFigure
from workbench.core.results import Result
from workbench.plots import render

IN_VIEW, TO_FINISH = "drawn.figures", "drawn.last"


def is_dark() -> bool:
    """Tell whether the user looks at the dark theme."""
    return bool(st.context.theme.type == "dark")


def start_page() -> None:
    """Forget what the page drew when it ran before."""
    st.session_state[IN_VIEW] = []
    st.session_state[TO_FINISH] = []


def at_the_end(finish: Callable[[], None]) -> None:
    """Have something done when everything on the page is drawn."""
    st.session_state.setdefault(TO_FINISH, []).append(finish)


def finish_page() -> None:
    """Do what waited until everything was drawn."""
    for finish in st.session_state.pop(TO_FINISH, []):
        finish()


def draw(result: Result, view: str, **options: Any) -> go.Figure:
    """Draw a view of a result in the theme of the page, and remember that it is in view."""
    drawn = render(result, view, dark=is_dark(), **options)
    seen = st.session_state.setdefault(IN_VIEW, [])
    seen.append((result, _as_chosen(result, view, options)))
    return drawn


def in_view(result: Result) -> tuple[ChosenFigure, ...]:
    """Return the figures of this very result that the page has drawn, in their order."""
    seen = st.session_state.get(IN_VIEW, [])
    return tuple(dict.fromkeys(figure for drawn, figure in seen if drawn is result))


def _as_chosen(result: Result, view: str, options: Mapping[str, Any]) -> ChosenFigure:
    """Return a figure in plain values: outputs by name, options at their default left out."""
    order = sorted(options, key=lambda name: name == "output")  # which output is said last
    plain = {name: _plain(result, name, options[name]) for name in order}
    return ChosenFigure(
        view=view, options={name: value for name, value in plain.items() if value is not None}
    )


def _plain(result: Any, name: str, value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return result.output_names[value] if name == "output" and isinstance(value, int) else value
