"""Explainers of a model: which there are, how good they are, and training one more."""

from dataclasses import replace

import streamlit as st

from workbench import api
from workbench.core.explainer import Explainer
from workbench.core.model import Model
from workbench.core.people import demand
from workbench.core.table import SPLITS
from workbench.core.wording import counted, percent
from workbench.engines.fastshap.train import NAME
from workbench.plots.training import explainer_sentence
from workbench.ui import cache
from workbench.ui.actions import act, removal
from workbench.ui.cards import computed_card, facts_list
from workbench.ui.cost import quote_training
from workbench.ui.drawn import draw
from workbench.ui.forms import params_form, settings_button, whole_number
from workbench.ui.frame import answer, two_halves
from workbench.ui.jobs import Answer, Ask, answer_to, is_under_way
from workbench.ui.methods import choose_seed
from workbench.ui.place import Place
from workbench.ui.results import plain_figure
from workbench.ui.state import choose
from workbench.ui.text import plain
from workbench.workspace import sources
from workbench.workspace.background import background_source
from workbench.workspace.explainers import explainers_of, keep_explainer, remove_explainer

FAMILY = "fastshap"
MOST_BACKGROUND = 1000


def explainer_list(place: Place) -> None:
    """Show the explainers that the model has, each with its certificate."""
    own = {e.digest for e in explainers_of(_model_of(place), place.person.key)}
    name, known = place.model.card.name, place.model.explainers
    if not known:
        answer(f"{name} has no explainer yet. Train one below.")
        return
    best = min(explainer.certificate.relative for explainer in known)
    count = "1 explainer" if len(known) == 1 else f"{len(known)} explainers; the best"
    answer(f"{name} has {count} with an error of {percent(best)} of the size of the values.")
    for explainer in place.model.explainers:
        with st.expander(_headline(explainer), icon=":material/bolt:"):
            st.caption(plain(explainer_sentence(explainer)))
            _certificate(explainer, "kept")
            if explainer.digest in own:
                removal(
                    "To have it again, it must be trained again.", explainer.digest,
                    remove_explainer, _model_of(place), explainer.digest, place.person.key,
                )  # fmt: skip


def train_explainer(place: Place) -> None:
    """Choose settings, train, and keep what came out."""
    ask = _choose_training(place)
    pressed = st.button("Train an explainer", type="primary", icon=":material/play_arrow:")
    st.caption(ask.quote.describe())
    found = answer_to(
        ask, place.person, Explainer, pressed=pressed, starts_itself=False, slot=st.container()
    )
    if found is None:
        if not is_under_way(ask, place.person):
            st.caption("Training goes on while you look at other pages.")
        return
    if found.is_stale:
        st.warning("The settings have changed since this one was trained.")
    _show_trained(place, found)


def _show_trained(place: Place, found: Answer[Explainer]) -> None:
    explainer = found.result
    answer(explainer_sentence(explainer))
    known = {own.digest for own in place.model.explainers}
    with st.container(horizontal=True):
        if explainer.digest in known:
            st.button("Kept", icon=":material/check:", disabled=True)
        else:
            st.button(
                "Keep this explainer", type="primary", icon=":material/save:", on_click=act,
                args=(_keep, place, explainer),
                help="Then the method fastshap explains this model, on every page.",
            )  # fmt: skip
    if explainer.digest not in known:
        with st.container(border=True):
            _certificate(explainer, "trained")
    computed_card(explainer.provenance)


def _keep(place: Place, explainer: Explainer) -> None:
    demand(place.person, "upload")
    keep_explainer(_model_of(place), explainer, place.person.key)


def _choose_training(place: Place) -> Ask:
    record = api.list_methods()[NAME]
    whole = cache.table(place.table, place.person.key)
    most = min(len(background_source(place.model, whole, MOST_BACKGROUND)), MOST_BACKGROUND)
    splits = ["all"] if len(whole) < len(SPLITS) + 2 else [*SPLITS, "all"]
    own = place.table.startswith(sources.MINE) or "train" not in splits
    split = str(choose(
        st.selectbox, "Learn from", "fastshap.split", options=splits,
        default="all" if own else "train", width=320, format_func=lambda name: (
            "all rows" if name == "all" else f"{name} split"
        ),
        help="Rows like those that it will explain; a part of them is held out to measure its "
        "error.",
    ))  # fmt: skip
    rows = cache.rows(place.table, place.person.key, split, str(place.cohort))
    there = replace(place, split=split, rows=rows)
    hidden = {"output", "link"} if place.model.schema.task == "regression" else set()
    with settings_button(width="content"):
        background = whole_number(
            "Background rows", "fastshap.background", min(api.BACKGROUND_ROWS, most), 1, most,
            "Rows that stand for features that are not known.", width="stretch",
        )  # fmt: skip
        seed = choose_seed()
        settings = params_form(record.params, FAMILY, leave_out=hidden)
    n_rows = len(rows)
    price = quote_training(there, background, settings)
    name = place.model.card.name
    return Ask(
        request=there.request(NAME, price.params, background=background, seed=seed),
        quote=price,
        title=f"{record.title}, {name}, {counted(n_rows, 'row')} of {place.table}",
        subject=(NAME, place.model.digest, place.table, split, str(place.cohort)),
        notes=price.notes,
    )  # fmt: skip


def _certificate(explainer: Explainer, where: str) -> None:
    """Show what is known of an explainer's error, and how its training went."""
    certificate, fidelity = explainer.certificate, explainer.fidelity
    name = f"{where}-{explainer.digest[:8]}"
    left, right = two_halves(name)
    with left:
        st.markdown("**Error by feature**")
        drawn = draw(explainer, "errors")
        plain_figure(drawn, name=f"errors-{name}", alt="Error by feature")
    with right:
        st.markdown("**Training**")
        drawn = draw(explainer, "training")
        plain_figure(drawn, name=f"training-{name}", alt="Loss of the training")
    against = "all coalitions" if certificate.exact else f"{certificate.n_coalitions:,} coalitions"
    facts_list([
        ("Explains", f"{explainer.output}, link {explainer.link}, {explainer.value}"),
        ("Held-out rows", f"{certificate.n_rows:,}, {against} of each, against the values of the "
                          f"{certificate.against}"),
        ("Error of a value", f"{certificate.rmse:.4g} (root mean square), "
                             f"{percent(certificate.relative)} of the values"),
        ("Distance to the exact values", f"{certificate.mean_distance:.4g} on average (L2 over "
                                         "features and outputs of a row)"),
        ("Loss above the lowest", f"{certificate.loss - certificate.lowest_loss:.3g} "
                                  f"({certificate.loss:.5g}, the exact values have "
                                  f"{certificate.lowest_loss:.5g})"),
        ("Surrogate", f"loss {fidelity.loss:.4g}, without information "
                      f"{fidelity.no_information:.4g}; {fidelity.full:.3g} off the model on whole "
                      "rows"),
        ("Digest", explainer.digest),
    ])  # fmt: skip


def _headline(explainer: Explainer) -> str:
    c = explainer.certificate
    return plain(
        f"{explainer.value}, {explainer.output}, link {explainer.link} · error "
        f"{percent(c.relative)} of the values"
    )


def _model_of(place: Place) -> Model:
    """Return the model as it comes, without the person's explainers."""
    return cache.model(place.reference, place.person.key)
