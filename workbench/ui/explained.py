"""Views of an explanation: which one, its options, what it says, and what is not finished yet."""

from typing import get_args

import streamlit as st

from workbench import api
from workbench.core.results import Attribution, Interactions
from workbench.core.wording import counted
from workbench.engines.shapley.exact import MAX_PLAYERS
from workbench.engines.shapley.interactions import NAME as PAIRS
from workbench.plots import options_of, view_sentence, views_of
from workbench.plots.interactions import adds_up_sentence, interactions_sentence
from workbench.ui.drawn import draw
from workbench.ui.frame import answer
from workbench.ui.jobs import Ask, answer_to, is_under_way, was_stopped
from workbench.ui.place import Place
from workbench.ui.results import downloads, figure, plain_figure
from workbench.ui.shapley import ask_for, words
from workbench.ui.state import choose, peek
from workbench.ui.text import plain

VIEW = "view"
# Views of many rows, and what the buttons for them say.
LABELS = {
    "bar": "Importance",
    "beeswarm": "Rows",
    "dependence": "Feature",
    "heatmap": "Heatmap",
    "decision": "Paths",
    "cohorts": "Groups",
    "clusters": "Clusters",
}
# Views whose sentence says more than the answer of the page does.
TOLD = frozenset({"dependence", "decision", "cohorts", "clusters"})
SHOWN_PAIRS = 12
TOGETHER = {"network": "Network", "matrix": "Matrix"}


def choose_view(result: Attribution) -> str:
    """Choose how to look at the explanations of many rows."""
    views = [view for view in views_of(result) if view in LABELS]
    return str(choose(
        st.segmented_control, "View", VIEW, options=views, default=views[0],
        format_func=LABELS.get, required=True, label_visibility="collapsed",
    ))  # fmt: skip


def figure_with_options(
    result: Attribution, view: str, *, name: str, alt: str, output: str
) -> None:
    """Draw a view below the choices that it offers, and say what it shows."""
    options = _choose_options(result, view, output)
    said = view_sentence(result, view, output=output, **options) if view in TOLD else alt
    if view in TOLD:
        st.caption(plain(said))
    drawn = draw(result, view, output=output, **options)
    plain_figure(drawn, name=f"{name}-{view}", alt=said)


def unfinished(result: Attribution, output: str, *, one: bool) -> None:
    """Draw what a run knows so far, or knew when it was stopped."""
    rows = "" if one else f" {counted(len(result), 'row')} so far;"
    view = "waterfall" if one else str(peek(VIEW, "bar"))
    view = view if view in views_of(result) else views_of(result)[0]
    st.markdown(f"**{plain(words(result, output, one=one))}**")
    st.caption(f":material/hourglass_top: Not the whole answer:{rows} intervals are still wide.")
    figure(result, view, name="unfinished", alt="What is known so far", output=output)


def choose_together() -> bool:
    """Offer to see which features work together."""
    return bool(choose(
        st.toggle, "Which features work together?", "pairs", default=False,
        help="Interactions of pairs: what two features do together beyond what each does alone. "
        "From all coalitions up to 16 features, beyond that from a sample, with intervals.",
    ))  # fmt: skip


def show_interactions(place: Place, ask: Ask, row: int | None, count: int, output: str) -> None:
    """Show which features work together, on the same rows and background."""
    record = api.list_methods()[PAIRS]
    kept = {name: ask.quote.params.get(name) for name in ("output", "link", "value")}
    settings = {name: value for name, value in kept.items() if value is not None}
    if row is None and len(place.model.schema.features) > MAX_PLAYERS:
        settings["draw"] = "shared"  # one fit serves all rows of a block
    options = list(get_args(record.params.model_fields["index"].annotation))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        settings["index"] = choose(
            st.selectbox, "Index", "pairs.index", options=options, default=options[0], width=220,
            help=record.params.model_fields["index"].description,
        )  # fmt: skip
        view = choose(
            st.segmented_control, "View of pairs", "pairs.view", options=list(TOGETHER),
            default="network", format_func=TOGETHER.get, required=True,
            label_visibility="collapsed",
        )  # fmt: skip
    asked = ask_for(
        place, PAIRS, settings, row=row, count=count, background=ask.request.background,
        seed=ask.request.seed,
    )  # fmt: skip
    starts = asked.is_small and not was_stopped(asked, place.person)
    pressed = not starts and st.button(
        "Find interactions", type="primary", icon=":material/play_arrow:"
    )
    st.caption(asked.quote.describe())
    found = answer_to(
        asked, place.person, Interactions, pressed=pressed, starts_itself=starts,
        slot=st.container(),
    )  # fmt: skip
    if found is None or found.is_stale:
        if not is_under_way(asked, place.person):
            st.caption("Press Find interactions to see which pairs of features work together.")
        return
    result = found.result
    said = interactions_sentence(result, output=output)
    answer(said)
    with st.container(border=True):
        figure(result, str(view), name="interactions", alt=said, output=output)
        rows = "rows" if row is None else f"row-{result.ids[0]}"
        downloads(found, f"interactions-{place.model.card.name}-{rows}", place.person)
    st.markdown("**The strongest pairs**")
    _pairs_table(result, output)
    st.caption(plain(adds_up_sentence(result)))


def _pairs_table(result: Interactions, output: str) -> None:
    strongest = result.strongest(output).head(SHOWN_PAIRS).dropna(axis=1, how="all")
    effect = "mean effect"
    if len(result) == 1:  # the size of one effect is no news
        strongest, effect = strongest.drop(columns="strength"), "effect"
    heads = {
        name: st.column_config.NumberColumn(label, format=form)
        for name, label, form in (
            ("strength", "mean size of effect", "%.4g"),
            ("std_error", "standard error", "%.2g"),
            ("mean", effect, "%+.4g"),
            ("sampling_std_error", "standard error, coalitions", "%.2g"),
            ("background_std_error", "standard error, background", "%.2g"),
        )
    }
    st.dataframe(strongest, hide_index=True, height="content", column_config=heads)


def _choose_options(result: Attribution, view: str, output: str) -> dict[str, str]:
    """Choose what a view leaves open; its first choices are its defaults."""
    chosen: dict[str, str] = {}
    offered = options_of(result, view, output)
    if not offered:
        return chosen
    with st.container(horizontal=True):
        for name in offered:
            choices = options_of(result, view, output, feature=chosen.get("feature"))[name]
            if not choices:
                continue
            chosen[name] = str(choose(
                st.selectbox, name.capitalize(), f"{view}.{name}", options=choices,
                default=choices[0], width=230,
            ))  # fmt: skip
    return chosen
