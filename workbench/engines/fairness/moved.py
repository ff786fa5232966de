"""People moved to another level of a protected attribute, all else equal."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from workbench.core.grouping import MISSING, Grouping
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.engines.fairness.decided import Decided


@dataclass(frozen=True, eq=False)
class Moves:
    """What people can be moved to.

    Attributes
    ----------
    attributes, levels
        Position of the attribute and name of the level.
    codes, features, values
        Code of the level, position of the feature that the model reads, and the value it gets.
    """

    attributes: Int[np.ndarray, " l"]
    levels: tuple[str, ...]
    codes: Int[np.ndarray, " l"]
    features: Int[np.ndarray, " l"]
    values: Float[np.ndarray, " l"]


def possible_moves(rows: Table, grouping: Grouping) -> Moves:
    """List the levels of the attributes that the model reads.

    A category is itself the value; for a group of numbers it is the median of those in it. Nobody
    is moved to a group of numbers without rows, or to a missing value.
    """
    found = []
    for a, name in enumerate(grouping.attributes):
        if name not in rows.schema.names:  # beside the table: the model does not read it
            continue
        j = rows.schema.index(name)
        for code, level in enumerate(grouping.levels[a]):
            value = _value(rows, j, grouping.codes[:, a] == code, code, level)
            if np.isfinite(value):
                found.append((a, level, code, j, value))
    columns = list(zip(*found, strict=True)) or [(), (), (), (), ()]
    attributes, levels, codes, features, values = columns
    return Moves(
        np.array(attributes, dtype=np.int64), tuple(levels), np.array(codes, dtype=np.int64),
        np.array(features, dtype=np.int64), np.array(values, dtype=np.float64),
    )  # fmt: skip


def _value(rows: Table, j: int, inside: Bool[np.ndarray, " n"], code: int, level: str) -> float:
    feature = rows.schema.features[j]
    if feature.categories:
        return float(code) if code < len(feature.categories) else np.nan
    column = rows.X[:, j].numpy()[inside]
    if level == MISSING or not len(column):
        return np.nan
    return float(np.median(np.round(column) if feature.integer else column))


def moved_scores(
    model: Model, people: Table, codes: Int[np.ndarray, "m a"], moves: Moves, decided: Decided
) -> tuple[Float[np.ndarray, "m l"], Bool[np.ndarray, "m l"]]:
    """Return score and decision of everybody at every level; NaN at their own."""
    scores = np.full((len(people), len(moves.levels)), np.nan)
    granted = np.zeros(scores.shape, dtype=bool)
    for at in range(len(moves.levels)):
        others = codes[:, moves.attributes[at]] != moves.codes[at]
        if not others.any():
            continue
        X = people.X[torch.from_numpy(others)].clone()
        X[:, moves.features[at]] = float(moves.values[at])
        said = model.predict(X).numpy()
        scores[others, at] = said[:, decided.position]
        granted[others, at] = said.argmax(1) == decided.position
    return scores, granted
