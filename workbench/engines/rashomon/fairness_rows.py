"""The rows that choose among models and those that confirm, each with its groups."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from workbench.core.errors import InvalidInputError
from workbench.core.fairness_metrics import GAPS, RATES
from workbench.core.grouping import Grouping
from workbench.core.model import CHUNK_ROWS, Model
from workbench.core.schema import listing
from workbench.core.table import Table
from workbench.core.wording import counted
from workbench.engines.calls import check_features, true_values
from workbench.engines.decided import favourable_position
from workbench.engines.groups import find_groups
from workbench.engines.rashomon.fairness_params import FairnessFrontParams
from workbench.numerics.group_rates import confusion, denominators_of


@dataclass(frozen=True, eq=False)
class Part:
    """Rows with what is true of them: 1 where it is the favourable class."""

    table: Table
    group: Int[np.ndarray, " n"]
    truth: Int[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class Parts:
    """Rows that train, choose and are reported on.

    Attributes
    ----------
    overlap
        Rows reported on that are among the others.
    enough
        Whether gaps take a rate of a group in: of the given model's on the rows reported on, it is
        a share of ``least_rows`` or more. All models and both sets of rows go by that.
    """

    by: tuple[str, ...]
    groups: tuple[str, ...]
    position: int
    train: Part
    validation: Part
    reported: Part
    overlap: int
    enough: Bool[np.ndarray, "r g"]

    def compared(self, gap: str) -> Bool[np.ndarray, " g"]:
        """Tell which groups have enough rows behind every rate of a gap."""
        rates = [list(RATES).index(name) for name in GAPS[gap].of]
        return np.asarray(self.enough[rates].all(0))


def make_parts(model: Model, rows: Table, table: Table, params: FairnessFrontParams) -> Parts:
    """Sort the rows of a labelled table, and those reported on, into groups.

    Raises
    ------
    InvalidInputError
        If a table does not fit or has no labels, nobody says what is favourable, or there are no
        groups to compare.
    """
    check_features(model, rows, "rows to report on")
    check_features(model, table, "labelled rows")
    if len(table) < 10:
        raise InvalidInputError(
            f"Table {table.name!r} has {len(table)} rows, too few to choose a model on a fifth of "
            "them; give at least 10 labelled rows."
        )
    position = favourable_position(model, rows, params.favourable)
    whole, own = find_groups(table, params), find_groups(rows, params)
    crossed = tuple(range(len(whole.attributes))) if params.by else (0,)
    names, own_names = _names(whole, crossed), _names(own, crossed)
    groups = tuple(dict.fromkeys((*names, *own_names)))
    cells = whole.cell_of(crossed)

    def part(which: str) -> Part:
        split = table.split(which)
        places = _places(table, which)
        return Part(split, cells[places], _favoured(model, split, position))

    place = np.array([groups.index(name) for name in own_names])
    reported = Part(rows, place[own.cell_of(crossed)], _favoured(model, rows, position))
    said = (model.predict(rows.X).argmax(1) == position).cpu().numpy()
    counts = confusion(said, reported.truth, reported.group, len(groups))
    known = np.concatenate([_places(table, which) for which in ("train", "validation")])
    return Parts(
        tuple(whole.attributes[at] for at in crossed), groups, position,
        part("train"), part("validation"), reported, _overlap(rows, table, known),
        denominators_of(counts) >= params.least_rows,
    )  # fmt: skip


def check_enough(parts: Parts, params: FairnessFrontParams) -> None:
    """Refuse groups of which fewer than two have enough rows behind each rate of the gap.

    Raises
    ------
    InvalidInputError
        If so.
    """
    of = [parts.enough[list(RATES).index(name)].sum() for name in GAPS[params.gap].of]
    if min(of) < 2:
        raise InvalidInputError(
            f"Fewer than two groups by {listing(parts.by)} have "
            f"{counted(params.least_rows, 'row')} behind the {GAPS[params.gap].title.lower()} in "
            f"{parts.reported.table.name!r}, so that there is no gap to lessen; choose other "
            "columns or cuts, or more rows."
        )


def _names(grouping: Grouping, crossed: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(", ".join(levels) for levels in grouping.cells(crossed))


def _places(table: Table, which: str) -> Int[np.ndarray, " n"]:
    """Positions of the rows of a split: it goes by their number alone."""
    numbered = replace(table, ids=torch.arange(len(table)), aside=None)
    found: np.ndarray = numbered.split(which).ids.numpy()
    return found


def _favoured(model: Model, rows: Table, position: int) -> Int[np.ndarray, " n"]:
    found: np.ndarray = (true_values(model, rows) == position).astype(np.int64)
    return found


def _overlap(rows: Table, table: Table, known: Int[np.ndarray, " k"]) -> int:
    """Count rows that are in both by number and by value: other files have the same numbers."""
    at = {int(table.ids[place]): int(place) for place in known}
    shared = [(i, at[own]) for i, own in enumerate(rows.ids.tolist()) if own in at]
    if not shared:
        return 0
    here, there = torch.tensor(shared).T
    return int((rows.X[here].nan_to_num() == table.X[there].nan_to_num()).all(1).sum())


@torch.no_grad()
def logits_of(model: Model, inputs: Float[Tensor, "n p"]) -> Float[Tensor, "n k"]:
    """Ask a model about encoded rows, in the parts in which ``Model.predict`` asks."""
    return torch.cat([model.network(rows) for rows in inputs.split(CHUNK_ROWS)])
