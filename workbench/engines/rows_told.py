"""Which rows a number is about, and how they count, as notes of a result."""

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.fairness_metrics import GAPS
from workbench.core.table import SPLIT_SEED, SPLITS, Table
from workbench.core.wording import COUNTED_ALIKE, counted, percent
from workbench.numerics.group_rates import confusion, gaps_of, rates_of


def which_rows(rows: Table, table: Table) -> str:
    """Say which rows of a table are reported on, and how they were chosen.

    Both are numbered as in one file.
    """
    n, whole = len(rows), len(table)
    part = rows.name.rpartition("/")[2]
    if rows.digest == table.digest:
        return f"reported on: all {counted(n, 'row')} of {table.name}"
    if part in SPLITS and whole >= 5 and np.array_equal(table.split(part).ids, rows.ids):
        return (
            f"reported on: the {counted(n, f'{part} row')} of {whole:,} ({percent(n / whole)}), "
            f"drawn once with seed {SPLIT_SEED} by the number of rows alone, so that they are the "
            "same in every run"
        )
    some = "chosen by their place or by a group"
    return f"reported on: {counted(n, 'row')} of {rows.name}, {some}; the table has {whole:,}"


def counted_alike(rows: Table, by_weight: str = "") -> tuple[str, ...]:
    """Say that weights are not used where rows have some, and perhaps what they would change."""
    if rows.weights is None:
        return ()
    column = f" ({rows.schema.weight})" if rows.schema.weight else ""
    more = f"; by them {by_weight}" if by_weight else ""
    return (f"{COUNTED_ALIKE}: the sampling weights{column} are not used{more}",)


def gap_by_weight(
    rows: Table, decided: Bool[np.ndarray, " n"], truth: Int[np.ndarray, " n"],
    group: Int[np.ndarray, " n"], enough: Bool[np.ndarray, "r g"], gap: str,
) -> str:  # fmt: skip
    """Say what a gap would be if rows counted by their weights; empty where there is none.

    Parameters
    ----------
    enough
        Which groups count in a rate.
    """
    weights = weights_or_none(rows)
    if weights is None:
        return ""
    rates = rates_of(confusion(decided, truth, group, enough.shape[1], weights))
    value = float(gaps_of(np.where(enough, rates, np.nan))[list(GAPS).index(gap)])
    if not np.isfinite(value):
        return ""
    shown = f"{value:.2f}" if GAPS[gap].way == "ratio" else f"{100 * value:.1f} points"
    return f"the {GAPS[gap].title.lower()} of the given model would be {shown}"


def weights_or_none(rows: Table) -> Float[np.ndarray, " n"] | None:
    """Return the sampling weights, None where there are none or all are 0."""
    if rows.weights is None or not float(rows.weights.sum()) > 0:
        return None
    found: np.ndarray = rows.weights.double().numpy()
    return found
