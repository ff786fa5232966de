"""Interactions from and for the package shapiq."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.attribution import GIVEN_BASE
from workbench.core.errors import InvalidInputError
from workbench.core.interactions import Index, Interactions
from workbench.core.model import Model, Output
from workbench.core.schema import listing
from workbench.core.table import Table
from workbench.interop.given import Given, digest_of
from workbench.interop.importing import explained_elsewhere, record_of
from workbench.interop.matching import match_outputs
from workbench.interop.packages import load_package

# What shapiq calls our indices.
THEIRS: dict[Index, str] = {
    "k-SII": "k-SII", "SII": "SII", "STII": "STII", "FSII": "FSII", "Banzhaf": "BII",
}  # fmt: skip
ORDER = 2


def to_shapiq(interactions: Interactions, row: int = 0, output: str | int | None = None) -> Any:
    """Return shapiq's ``InteractionValues`` of a row and an output, with singles and pairs.

    Features are players in the model's order. The base value is the baseline value.

    Parameters
    ----------
    row
        Position of the row in the result.

    Raises
    ------
    InvalidInputError
        If shapiq is not installed, or there is no such row or output.
    """
    package = load_package("shapiq", "to_shapiq")
    if not -len(interactions) <= row < len(interactions):
        raise InvalidInputError(f"There is no row {row}; the result has {len(interactions)}.")
    which, d = interactions.output_index(output), len(interactions.names)
    values, base = interactions.values[row, :, :, which], interactions.base_values[row, which]
    found: dict[tuple[int, ...], float] = {(): float(base)}
    found |= {(i,): float(values[i, i]) for i in range(d)}
    found |= {(i, j): float(values[i, j]) for i in range(d) for j in range(i + 1, d)}
    lookup = {key: place for place, key in enumerate(found)}
    return package.InteractionValues(
        np.array(list(found.values())), index=THEIRS[interactions.index], max_order=ORDER,
        n_players=d, min_order=0, interaction_lookup=lookup, baseline_value=float(base),
        estimated=interactions.std_errors is not None,
    )  # fmt: skip


def from_shapiq(
    values: Any,
    model: Model,
    rows: Table,
    *,
    output: Output = "probability",
    of: str | int | None = None,
) -> Interactions:
    """Return interactions from shapiq's ``InteractionValues`` of order 2.

    Parameters
    ----------
    values
        Of one row, or a list with one for each row; players are the model's features in order.
    output
        What was explained: ``probability``, or ``score``.
    of
        Output that the values are of, by name or position.

    Raises
    ------
    InvalidInputError
        If the values are of another order, index or number of features than fits.
    """
    parts: Sequence[Any] = values if isinstance(values, list | tuple) else [values]
    d, index = len(model.schema.names), _index_of(parts)
    for one in parts:
        if one.n_players != d or one.max_order != ORDER:
            raise InvalidInputError(
                f"The InteractionValues are of {one.n_players} players up to order "
                f"{one.max_order}; model {model.name} has {d} features, and pairs are of order 2."
            )
    if len(parts) != len(rows):
        raise InvalidInputError(
            f"There are InteractionValues of {len(parts)} rows, table {rows.name!r} has "
            f"{len(rows)} here; give the rows that were explained, in their order."
        )
    found = np.stack([
        one.get_n_order_values(2) + np.diag(one.get_n_order_values(1)) for one in parts
    ])  # fmt: skip
    flat = found.reshape(len(parts), d * d, 1)
    base = np.array([[float(one.baseline_value)] for one in parts])
    source = f"shapiq InteractionValues ({parts[0].index})"
    given = Given(flat, source, digest_of(flat), base=base)
    given, outputs, notes = match_outputs(given, model, of)
    scene = explained_elsewhere(given, model, rows, outputs, output)
    params = {"base": GIVEN_BASE, "output": output, "index": index}
    return Interactions(
        provenance=record_of(given, model, rows, params, notes),
        values=given.values.reshape(len(parts), d, d, -1),
        index=index,
        **scene,
    )


def _index_of(parts: Sequence[Any]) -> Index:
    """Return the index that all values share, as the workbench calls it."""
    names = {one.index for one in parts}
    ours = {theirs: index for index, theirs in THEIRS.items()}
    if len(names) != 1 or not names <= set(ours):
        raise InvalidInputError(
            f"The InteractionValues have index {listing(sorted(map(str, names)))}; read is one "
            f"of {listing(ours)}, the same for all rows."
        )
    return ours[names.pop()]
