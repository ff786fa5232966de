"""Which method of a family, how hard it should try, and what it is told of the data."""

import streamlit as st

from workbench import api
from workbench.core.method import Effort
from workbench.core.model import Model
from workbench.core.results import Attribution
from workbench.ui import cache
from workbench.ui.forms import whole_number
from workbench.ui.place import Place
from workbench.ui.state import choose, forget_under
from workbench.ui.text import plain
from workbench.workspace.background import background_source

MOST_BACKGROUND = 2000
EFFORTS = {"quick": "a first look", "standard": "the default", "thorough": "narrower intervals"}


def choose_by_title(family: str, model: Model) -> str:
    """Choose a method of a family that explains rows, or ``auto``; others say what they lack."""
    methods = {
        name.partition(".")[2]: method
        for name, method in api.list_methods().items()
        if name.startswith(f"{family}.") and method.yields is Attribution
    }
    titles = {
        name: method.title.removeprefix("Shapley values, ") for name, method in methods.items()
    }
    serving = [name for name, method in methods.items() if not method.lacks(model)]
    name = choose(
        st.selectbox, "Method", "method", options=["auto", *serving], default="auto",
        format_func=lambda key: (
            f"{key} · {titles[key]}" if titles.get(key, key) != key else str(key)
        ),
        label_visibility="collapsed",
    )  # fmt: skip
    for other in sorted(methods.keys() - set(serving)):
        title, why = titles[other], "; ".join(methods[other].lacks(model))
        st.caption(f":material/block: {plain(f'{title[:1].upper()}{title[1:]} needs {why}')}")
    return str(name)


def choose_effort(family: str, levels: list[str]) -> str:
    """Choose how hard to try; settings changed by hand give way to those of the new level."""
    return str(choose(
        st.segmented_control, "Effort", "effort", options=levels, default="standard",
        required=True, width="stretch", then=lambda: forget_under(family, "background"),
        help=plain(", ".join(f"{name}: {EFFORTS[name]}" for name in levels)),
    ))  # fmt: skip


def choose_background(place: Place, effort: Effort, family: str) -> int:
    """Choose how many rows describe the data: what is typical, and how far numbers spread."""
    whole = cache.table(place.table, place.person.key)
    most = min(len(background_source(place.model, whole, MOST_BACKGROUND)), MOST_BACKGROUND)
    usual = min(effort.background, most)
    source = background_source(place.model, whole, usual)
    return whole_number(
        "Background rows", f"{family}.background", usual, 1, most,
        f"Rows of {source.name} that say what is typical and how far numbers spread.",
        width="stretch",
    )  # fmt: skip


def choose_seed(name: str = "seed") -> int:
    """Choose the seed, of a part by its own name where other parts of its page have one too."""
    return whole_number(
        "Seed", name, 0, 0, 2**31 - 1, "The same seed gives the same numbers.", width="stretch"
    )
