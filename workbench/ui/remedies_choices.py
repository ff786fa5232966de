"""What is to be evened out, what is tried for it, and what that takes."""

from dataclasses import dataclass
from typing import Any, get_args

import streamlit as st

from workbench import api
from workbench.core.fairness_metrics import GAPS
from workbench.core.model import Model
from workbench.core.remedy_catalogue import AS_IS, REMEDIES, STAGES
from workbench.core.schema import Schema
from workbench.core.wording import counted
from workbench.engines.fairness.remedies import NAME, TRAINED
from workbench.engines.fairness.remedies_params import CHEAP, GAP_OF, Constraint, RemediesParams
from workbench.ui import cache
from workbench.ui.cost import quote_measured
from workbench.ui.fairness_choices import choose_groups, choose_partition, cuts_of
from workbench.ui.forms import params_form, settings_button
from workbench.ui.frame import note
from workbench.ui.jobs import Ask
from workbench.ui.methods import choose_seed
from workbench.ui.place import Place
from workbench.ui.runs import announced, ask_of
from workbench.ui.state import choose, choose_several
from workbench.ui.text import plain

FAMILY = "remedies"
# What groups are to have alike, for somebody who has not met the names.
ALIKE: dict[str, str] = {
    "demographic_parity": "How often they are granted",
    "equal_opportunity": "How often the deserving are granted",
    "equalized_odds": "How often the deserving, and the others, are granted",
}
# Settings that only some remedies have; the others belong to training.
ONLY: dict[str, frozenset[str]] = {
    "eps": frozenset({"exponentiated_gradient"}),
    "rounds": frozenset({"exponentiated_gradient"}),
    "grid": frozenset({"grid_search"}),
    "learner": frozenset({"exponentiated_gradient", "grid_search"}),
    "trials": frozenset({"hyperparameters"}),
    "candidates": frozenset({"selection"}),
    "within": frozenset({"grid_search", "selection", "hyperparameters"}),
}
TRAINING = ("refits", "epochs", "batch", "rate", "decay", "patience")
USUAL = tuple(part.strip() for part in CHEAP.split(","))


@dataclass(frozen=True)
class Wish:
    """What was chosen: settings of the method that are not asked for by its form."""

    settings: dict[str, Any]
    names: tuple[str, ...]


def choose_wish(place: Place) -> Wish | str:
    """Choose groups, goal and remedies; or say what has to be chosen first."""
    groups = choose_groups(place)
    by = choose_partition(
        groups["by"], "Even out groups of", f"{FAMILY}.partition",
        "A remedy evens out one set of groups: of one attribute, or of all of them crossed.",
    )  # fmt: skip
    goal = str(choose(
        st.selectbox, "What groups should have alike", f"{FAMILY}.constraint",
        options=list(get_args(Constraint)), default=get_args(Constraint)[0],
        format_func=lambda name: ALIKE.get(name, name),
        help=plain("; ".join(f"{ALIKE.get(k, k)}: {GAPS[gap].title}" for k, gap in GAP_OF.items())),
    ))  # fmt: skip
    names = _choose_remedies(place.model)
    mask = _choose_mask(place.model.schema) if "masking" in names else ""
    about_remedies(names)
    if not (by and names and groups["favourable"]):
        lacking = "what people hope for" if by and names else "groups and at least one remedy"
        return f"Choose {lacking} to go on."
    return Wish(
        {
            "by": by, "bins": cuts_of(groups["bins"], by), "favourable": groups["favourable"],
            "constraint": goal, "remedies": ",".join(names), "mask": mask,
        },
        names,
    )  # fmt: skip


def _choose_remedies(model: Model) -> tuple[str, ...]:
    offered = [name for name in REMEDIES if name != AS_IS]
    if "black_box" in model.capabilities:
        offered = [name for name in offered if name not in TRAINED]
    usual = [name for name in offered if name in USUAL] or offered[:1]
    chosen = choose_several(
        "Remedies to try", f"{FAMILY}.remedies", options=offered, default=usual,
        format_func=lambda name: REMEDIES[name].title,
    )  # fmt: skip
    if "black_box" in model.capabilities:
        note(
            "This model is a black box: it cannot be trained again, so only remedies are offered "
            "that change its decisions."
        )
    return chosen


def _choose_mask(schema: Schema) -> str:
    """Choose columns and categories to hide, protected columns at first."""
    options = [
        option
        for feature in schema.features
        for option in (feature.name, *(f"{feature.name}={level}" for level in feature.categories))
        if not set(option.replace("=", "", 1)) & set(",=")
    ]
    protected = [f.name for f in schema.features if f.protected and f.name in options]
    chosen = choose_several(
        "Hide from the network", f"{FAMILY}.mask", options=options, default=protected,
        placeholder="columns or categories",
        help="Whole columns, or single categories of them. Other columns may still tell the "
        "group: the result says how far.",
    )  # fmt: skip
    return ",".join(chosen)


def about_remedies(names: tuple[str, ...]) -> None:
    """Say of each remedy where it acts, what it does, and what to watch out for."""
    with st.popover("What each does", icon=":material/menu_book:", width="stretch"):
        for name in names or tuple(REMEDIES):
            remedy = REMEDIES[name]
            st.markdown(f"**{plain(remedy.title)}** · {plain(STAGES[remedy.stage])}")
            st.caption(f"{plain(remedy.does)}  \nWatch out: {plain(remedy.watch)}")


def choose_run(place: Place, wish: Wish) -> Ask:
    """Choose settings, and say what the run takes.

    Raises
    ------
    WorkbenchError
        If the settings do not fit the model.
    """
    method = api.list_methods()[NAME]
    settings = dict(wish.settings)
    with settings_button():
        seed = choose_seed(f"{FAMILY}_seed")
        hidden = {*wish.settings, "keep_network", *_idle(place.model, wish.names)}
        settings |= params_form(method.params, FAMILY, leave_out=hidden)
    if "black_box" in place.model.capabilities:
        settings["refits"] = 0
    n_table = len(cache.table(place.table, place.person.key))
    price = quote_measured(place, NAME, len(place.rows), n_table, settings)
    tried = counted(len(wish.names), "remedy").replace("remedys", "remedies")
    asked = ask_of(place, NAME, price, seed=seed, title=f"{tried} by {settings['by']}")
    return announced(asked)


def subject_of(place: Place) -> tuple[object, ...]:
    """Return what runs have in common whose results can be held against each other."""
    return (NAME, place.model.digest, place.table, place.split, str(place.cohort))


def _idle(model: Model, names: tuple[str, ...]) -> set[str]:
    """Return the settings that nothing chosen makes use of."""
    idle = {name for name, users in ONLY.items() if not users & set(names)}
    trains = "black_box" not in model.capabilities
    return idle if trains else {*idle, *TRAINING} & set(RemediesParams.model_fields)
