"""The most similar person who is decided otherwise: exact, over a whole table."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from workbench.core.boundary import NOBODY
from workbench.core.table import Table

# Distances that are held at once.
AT_ONCE = 4_000_000


@dataclass(frozen=True, eq=False)
class Nearest:
    """For each person, the nearest of a table who is decided otherwise.

    Attributes
    ----------
    places
        Position in the table; ``NOBODY`` where there is none.
    distances, typical, closer
        To that person; the median to everybody; the share of everybody who is closer. NaN where
        there is nobody.
    """

    places: Int[np.ndarray, " m"]
    distances: Float[np.ndarray, " m"]
    typical: Float[np.ndarray, " m"]
    closer: Float[np.ndarray, " m"]


def spread_of(table: Table, left_out: frozenset[str]) -> Float[np.ndarray, " d"]:
    """Return the unit of each feature: its standard deviation, 1 for a category.

    0 for what does not count: columns left out, and numbers that are all the same or unknown.
    """
    found = np.zeros(len(table.schema.features))
    for j, feature in enumerate(table.schema.features):
        if feature.name in left_out:
            continue
        column = table.X[:, j].numpy()
        known = column[~np.isnan(column)]
        if feature.kind == "categorical":
            found[j] = 1.0
        elif len(known):
            found[j] = known.std()
    return found


def nearest_other(
    people: Table,
    decided: Bool[np.ndarray, " m"],
    table: Table,
    table_decided: Bool[np.ndarray, " t"],
    spread: Float[np.ndarray, " d"],
    step: Callable[[int], None],
) -> Nearest:
    """Find the most similar person with the other decision, by ``contributions`` added up.

    Of several who are equally similar, the first in the table.

    Parameters
    ----------
    step
        Called with the number of people who are done, between batches.
    """
    m, batch = len(people), max(1, AT_ONCE // max(len(table), 1))
    places = np.full(m, NOBODY)
    distances, typical, closer = (np.full(m, np.nan) for _ in range(3))
    others = torch.from_numpy(table_decided)
    for start in range(0, m, batch):
        part = slice(start, min(start + batch, m))
        apart = distances_to(people.X[part], table, spread)  # (b, t)
        own = torch.from_numpy(decided[part])
        held = apart.masked_fill(others[None] == own[:, None], torch.inf)
        nearest, at = held.min(1)
        is_self = (table.ids[None] == people.ids[part, None]) & (apart == 0)
        n_others = len(table) - is_self.any(1).long()
        n_closer = (apart < nearest[:, None]).sum(1) - (is_self.any(1) & (nearest > 0)).long()
        exists = torch.isfinite(nearest).numpy()
        places[part] = np.where(exists, at.numpy(), NOBODY)
        distances[part] = np.where(exists, nearest.numpy(), np.nan)
        typical[part] = np.median(apart.numpy(), axis=1)
        closer[part] = np.where(exists, (n_closer / n_others.clamp(min=1)).numpy(), np.nan)
        step(part.stop)
    return Nearest(places, distances, typical, closer)


def distances_to(
    people: Float[Tensor, "b d"], table: Table, spread: Float[np.ndarray, " d"]
) -> Float[Tensor, "b t"]:
    """Return the distance of each person to each of a table, feature by feature."""
    total = torch.zeros(len(people), len(table), dtype=torch.float64)
    for j, feature in enumerate(table.schema.features):
        if not spread[j] > 0:
            continue
        one, other = people[:, j, None].double(), table.X[None, :, j].double()
        if feature.kind == "categorical":
            apart = (one != other).double()
        else:
            apart = (one - other).abs() / float(spread[j])
        lacks_one, lacks_other = one.isnan(), other.isnan()
        if bool(lacks_one.any()) or bool(lacks_other.any()):
            alike = (lacks_one != lacks_other).double()
            apart = torch.where(lacks_one | lacks_other, alike, apart)
        total += apart
    return total
