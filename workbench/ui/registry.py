"""The registry: every version with its figures, aliases and digest, and two side by side."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from workbench.core.card import Card
from workbench.core.errors import RegistryError, WorkbenchError
from workbench.core.people import Person, may
from workbench.engines.performance.agreement import agreement
from workbench.plots.agreement import agreement_figure
from workbench.registry.comparison import cards_beside
from workbench.registry.store import read_card, registry_root, remove_version, set_alias
from workbench.ui import cache
from workbench.ui.drawn import is_dark
from workbench.ui.frame import answer, errors_shown
from workbench.ui.results import plain_figure
from workbench.ui.state import choose, open_link
from workbench.ui.text import plain
from workbench.workspace import sources
from workbench.workspace.store import Workspace


@dataclass(frozen=True)
class Version:
    """A line of the list; ``fault`` says why it cannot be used."""

    reference: str
    version: int
    aliases: tuple[str, ...]
    card: Card | None
    digest: str
    fault: str = ""

    @property
    def is_own(self) -> bool:
        """Whether it is an upload of the person who looks."""
        return self.reference.startswith(sources.MINE)

    @property
    def name(self) -> str:
        """Name and version as people say them."""
        return f"{self.reference.removeprefix(sources.MINE)}{' · yours' if self.is_own else ''}"


def versions_of(person: Person) -> list[Version]:
    """Read the cards of all versions that a person may use; a damaged one says what is wrong."""
    found = []
    for entry in sources.list_models(person.key):
        for version in entry.versions:
            reference = f"{entry.reference}@{version}"
            names = tuple(name for name, meant in entry.aliases.items() if meant == version)
            try:
                card, digest = read_card(sources.find_model_version(reference, person.key))
            except RegistryError as error:
                found.append(Version(reference, version, names, None, "", str(error)))
            else:
                found.append(Version(reference, version, names, card, digest))
    return found


def model_list(person: Person) -> None:
    """Show every version in a table; a chosen one can be opened, renamed by alias, or removed."""
    versions = versions_of(person)
    own = sum(version.is_own for version in versions)
    broken = [version for version in versions if version.fault]
    said = f"There are {len(versions):,} versions of models, {own:,} of them yours"
    answer(f"{said}; {len(broken):,} cannot be used." if broken else f"{said}.")
    picked = st.dataframe(
        _frame(versions), hide_index=True, on_select="rerun", selection_mode="single-row",
        key="registry-list",
    )  # fmt: skip
    for version in broken:
        st.error(f"{plain(version.name)}: {plain(version.fault)}")
    chosen = picked["selection"]["rows"]
    if chosen and chosen[0] < len(versions):
        _actions(versions[chosen[0]], person)
    else:
        st.caption("Select a line to open a version, give it an alias, or remove it.")


def _frame(versions: list[Version]) -> pd.DataFrame:
    return pd.DataFrame([
        {
            "model": version.name,
            "what it does": version.card.title if version.card else "cannot be used",
            "figure": _first_figure(version.card),
            "network": version.card.network.name if version.card else "",
            "features": len(version.card.schema.features) if version.card else None,
            "trained on": version.card.training_table if version.card else "",
            "aliases": ", ".join(version.aliases),
            "SHA-256": version.digest[:12],
        }
        for version in versions
    ])


def _first_figure(card: Card | None) -> str:
    if card is None or not card.metrics:
        return ""
    figure = card.metrics[0]
    return f"{figure.name} {figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"


def _actions(version: Version, person: Person) -> None:
    """Offer what can be done with a version: everybody may open it, its owner may change it."""
    changes = version.is_own or may(person, "administer")
    name, _, number = version.reference.removeprefix(sources.MINE).partition("@")
    with st.container(border=True), errors_shown():
        st.markdown(f"**{plain(version.name)}**")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            if version.card and st.button("Open", icon=":material/open_in_new:", type="primary"):
                open_link(f"?model={version.reference}")
            if version.card and st.button("Explain", icon=":material/waterfall_chart:"):
                open_link(f"shapley?model={version.reference}")
            if not changes:
                return
            alias = st.text_input("Alias", "production", width=180, max_chars=64)
            root = Workspace(person.key).models_root if version.is_own else registry_root()
            if st.button("Set alias", icon=":material/bookmark:"):
                set_alias(name, alias, int(number), root)
                st.rerun()
            sure = st.checkbox(
                "Sure", help="A removed version cannot be brought back. An alias of an upload goes "
                "with it; others must mean another version first.",
            )  # fmt: skip
            if st.button("Remove", icon=":material/delete:", disabled=not sure):
                # Nobody else relies on an upload, and its only version has none to give way to.
                remove_version(f"{name}@{number}", root, force=version.is_own)
                st.rerun()


def compare_models(person: Person) -> None:
    """Put two versions side by side: their figures, what differs, and what they say about rows."""
    versions = [version for version in versions_of(person) if version.card]
    if len(versions) < 2:
        return
    st.subheader("Two side by side", anchor=False)
    references = [version.reference for version in versions]
    names = {version.reference: version.name for version in versions}
    with st.container(horizontal=True):
        one = choose(
            st.selectbox, "First", "one", options=references, default=references[0],
            format_func=names.get,
        )  # fmt: skip
        other = choose(
            st.selectbox, "Second", "other", options=references, default=references[1],
            format_func=names.get,
        )  # fmt: skip
    cards = {version.reference: version.card for version in versions if version.card}
    _cards_beside(cards[one], cards[other])
    if one == other:
        st.caption("Choose two different versions to compare what they say.")
        return
    with errors_shown():
        try:
            _predictions_beside(one, other, person)
        except WorkbenchError as error:
            st.info(plain(str(error)))


def _cards_beside(one: Card, other: Card) -> None:
    heads = [f"{card.name}@{card.version}" for card in (one, other)]
    if heads[0] == heads[1]:
        heads = [f"{heads[0]} (first)", f"{heads[1]} (second)"]
    st.dataframe(pd.DataFrame(cards_beside(one, other), columns=["what", *heads]), hide_index=True)


def _predictions_beside(one: str, other: str, person: Person) -> None:
    first, second = cache.model(one, person.key), cache.model(other, person.key)
    tables = cache.tables_for(first.schema, person.key)
    if not tables:
        st.caption("No table here has the features of the first model.")
        return
    trained_on = first.card.training_table
    table = choose(
        st.selectbox, "On the rows of", "compared", options=tables,
        default=trained_on if trained_on in tables else tables[0], width=320,
    )  # fmt: skip
    whole = cache.table(table, person.key)
    part = "all" if len(whole) < 50 or table.startswith(sources.MINE) else "test"
    found = agreement(first, second, cache.rows(table, person.key, part))
    sentence = found.describe()
    answer(sentence)
    with st.container(border=True):
        plain_figure(agreement_figure(found, dark=is_dark()), name="agreement", alt=sentence)
