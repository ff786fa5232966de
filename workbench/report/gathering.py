"""Cards of the models and overviews of the tables that results are about, where they are here."""

from collections.abc import Iterable, Sequence

import numpy as np

from workbench.core.card import Card
from workbench.core.errors import WorkbenchError
from workbench.core.people import LOCAL
from workbench.core.results import Result
from workbench.core.table import SPLITS, Table
from workbench.engines.performance.overview import Overview, table_overview
from workbench.registry.store import read_card
from workbench.workspace.sources import MINE, find_model_version, find_table


def gather(
    results: Sequence[Result], owner: str = LOCAL
) -> tuple[tuple[Card, ...], tuple[Overview, ...], tuple[str, ...]]:
    """Return cards, overviews, and a sentence for each that had to be left out.

    A card counts where its digest is the one in the results; a table where the rows that a result
    is about can be found in it, by their digest.
    """
    cards, tables, missing = [], [], []
    for name, digest in dict.fromkeys(
        (r.provenance.model, r.provenance.model_digest) for r in results
    ):
        card = _card(name, digest, owner)
        if card is None:
            missing.append(
                f"The card of {name} is left out: no model of that name and digest is here."
            )
        else:
            cards.append(card)
    for name in dict.fromkeys(r.provenance.table for r in results):
        table = _table(name, [r for r in results if r.provenance.table == name], owner)
        if table is None:
            missing.append(
                f"The description of {name} is left out: the rows of the results cannot be found "
                "in a table of that name here."
            )
        else:
            tables.append(table_overview(table))
    return tuple(cards), tuple(tables), tuple(missing)


def _card(name: str, digest: str, owner: str) -> Card | None:
    for reference in (name, f"{MINE}{name}"):
        try:
            card, found = read_card(find_model_version(reference, owner))
        except WorkbenchError:
            continue
        if found == digest:
            return card
    return None


def _table(name: str, results: Iterable[Result], owner: str) -> Table | None:
    """Return the table, or the part of it, that any of the results has rows of."""
    known = list(results)
    base, _, part = name.rpartition("/")
    choices = [(name, "all"), *([(base, part)] if part in SPLITS and base else [])]
    for reference in (each for pair in choices for each in (pair, (f"{MINE}{pair[0]}", pair[1]))):
        try:
            whole = find_table(reference[0], owner)
            table = whole if reference[1] == "all" else whole.split(reference[1])
            if any(_holds(table, result) for result in known):
                return table
        except WorkbenchError:
            continue
    return None


def _holds(table: Table, result: Result) -> bool:
    """Whether the rows of a result are rows of a table: all of them, or those of its ids."""
    digest = result.provenance.table_digest
    if result.provenance.n_rows == len(table):
        return table.digest == digest
    ids = getattr(result, "ids", None)
    if ids is None:
        return False
    wanted = np.asarray(ids)
    places = np.flatnonzero(np.isin(table.ids.numpy(), wanted))
    return len(places) == len(wanted) and table[places].digest == digest
