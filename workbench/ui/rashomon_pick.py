"""Which row of a set of equally good models is looked at, the same one as on other pages."""

from typing import Any

import numpy as np

from workbench.core.results import RashomonSet
from workbench.ui.place import Place
from workbench.ui.state import put


def position_of(place: Place, number: int) -> int | None:
    """Return the position of a row of the page by its number in the table; None if it is gone."""
    found = np.flatnonzero(place.rows.ids.numpy() == number)
    return int(found[0]) if len(found) else None


def pick_row(place: Place, result: RashomonSet, index: Any) -> None:
    """Look at a row by its position in the result."""
    if not isinstance(index, int | float) or not 0 <= int(index) < len(result):
        return
    position = position_of(place, int(result.ids[int(index)]))
    if position is not None:
        put("row", position)
