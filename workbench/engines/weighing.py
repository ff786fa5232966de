"""How much each row of a table counts."""

import numpy as np
from jaxtyping import Float

from workbench.core.errors import InvalidInputError
from workbench.core.table import Table
from workbench.numerics.intervals import effective_rows


def row_weights(
    rows: Table, *, wanted: bool
) -> tuple[Float[np.ndarray, " n"] | None, tuple[str, ...]]:
    """Return weights of 1 on average, or None where all rows count the same, and a note on them.

    Raises
    ------
    InvalidInputError
        If no row has weight.
    """
    if rows.weights is None or not wanted:
        return None, ()
    weights = rows.weights.double().numpy()
    total = float(weights.sum())
    if not total > 0:
        raise InvalidInputError(
            f"All rows of table {rows.name!r} have weight 0; set weights to false or choose other "
            "rows."
        )
    weights = weights * (len(weights) / total)
    column = f"column {rows.schema.weight!r}" if rows.schema.weight else "the table's weights"
    return weights, (
        f"rows count by {column}; they tell as much as {effective_rows(weights):,.0f} rows of "
        "equal weight",
    )
