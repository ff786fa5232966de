"""Samples around rows: drawn once, with the same random numbers for every row."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.special import ndtri
from torch import Tensor

from workbench.core.local_models import Sampling
from workbench.engines.lime.levels import Levels


@dataclass(frozen=True)
class Draws:
    """Samples in every form that a row needs.

    Attributes
    ----------
    raw
        Samples as the model reads them; of numbers around a row, what is drawn where the row's
        own value is missing.
    levels
        Level of each value.
    steps
        Standardised numbers: distance from the background's mean, or from the row, in standard
        deviations; 0 for a missing value and for a number that never varies.
    """

    raw: Float[Tensor, "m d"]
    levels: Int[Tensor, "d m"]
    steps: Float[Tensor, "d m"]

    def to(self, device: torch.device) -> "Draws":
        """Return them elsewhere."""
        return Draws(self.raw.to(device), self.levels.to(device), self.steps.to(device))

    def part(self, samples: slice | Int[Tensor, " s"]) -> "Draws":
        """Select samples."""
        return Draws(self.raw[samples], self.levels[:, samples], self.steps[:, samples])


def draw(
    u: Float[np.ndarray, "m d"], levels: tuple[Levels, ...], sampling: Sampling
) -> Draws:  # fmt: skip
    """Turn uniform numbers into samples from what the background says."""
    raw, codes, steps = np.empty_like(u), np.empty(u.shape, dtype=np.int64), np.zeros_like(u)
    for j, known in enumerate(levels):
        codes[:, j], raw[:, j] = known.draw(u[:, j])
        if sampling == "discretised" or not len(known.centre) or known.spread[0] == 0:
            continue
        standard = (raw[:, j] - known.centre[0]) / known.spread[0]
        steps[:, j] = np.nan_to_num(standard) if sampling == "mean-centred" else ndtri(u[:, j])
    columns = np.ascontiguousarray(codes.T.astype(np.int32)), np.ascontiguousarray(steps.T)
    return Draws(*map(torch.from_numpy, (raw, *columns)))


@dataclass(frozen=True)
class Places:
    """Where rows are in the interpretable space.

    Attributes
    ----------
    levels
        Level of each value.
    as_level
        Features whose interpretable value is 1 in the row's level and 0 elsewhere; of the others
        it is the standardised number.
    at
        Interpretable values of the rows.
    """

    levels: Int[Tensor, "b d"]
    as_level: Bool[Tensor, "b d"]
    at: Float[Tensor, "b d"]

    def __getitem__(self, rows: slice | Int[Tensor, " r"]) -> "Places":
        return Places(self.levels[rows], self.as_level[rows], self.at[rows])

    def to(self, device: torch.device) -> "Places":
        """Return them elsewhere."""
        return Places(self.levels.to(device), self.as_level.to(device), self.at.to(device))


def places_of(
    X: Float[np.ndarray, "b d"], levels: tuple[Levels, ...], sampling: Sampling
) -> Places:
    """Place rows in the interpretable space."""
    codes, at = np.empty(X.shape, dtype=np.int64), np.ones(X.shape)
    as_level = np.ones(X.shape, dtype=bool)
    for j, known in enumerate(levels):
        codes[:, j] = known.level_of(X[:, j])
        if sampling != "discretised" and len(known.centre):
            as_level[:, j] = np.isnan(X[:, j])
            spread = known.spread[0]
            standard = (X[:, j] - known.centre[0]) / spread if spread > 0 else 0 * X[:, j]
            at[:, j] = np.where(as_level[:, j], 1.0, standard)
    return Places(*map(torch.from_numpy, (codes.astype(np.int32), as_level, at)))


class Columns:
    """Interpretable values of samples, less those of some rows: lines of one table.

    Rows in the same level of a feature share a line, so what a row needs is picked and not made.
    Of levels it is the other way round: a sample in another level is at 1 and not at -1.

    Parameters
    ----------
    extra
        How many further lines a row has room for after its features.
    """

    def __init__(self, places: Places, sampling: Sampling, extra: int) -> None:
        b, d = places.at.shape
        step = int(places.levels.max()) + 1  # stands for a number in the place of a level
        codes = torch.where(places.as_level, places.levels.long(), step)
        every = torch.arange(d, device=codes.device) * (step + 1) + codes
        lines, own = torch.unique(every, return_inverse=True)
        self.features, self.levels = lines // (step + 1), (lines % (step + 1)).int()
        self.numbers = self.levels == step
        one = own.new_zeros(b, 1)
        self.lines = torch.cat([one, own + 1, one.expand(b, extra)], 1)  # (b, q)
        moved = sampling == "mean-centred" and not bool(places.as_level.all())
        self.shift = torch.where(places.as_level, 0.0, places.at) if moved else None

    def table(self, draws: Draws, part: slice) -> Float[Tensor, "u s"]:
        """Make the lines, the first of them of ones, of some samples."""
        levels = draws.levels[:, part]
        shape = 1 + len(self.features), levels.shape[1]
        table = torch.empty(shape, dtype=torch.float64, device=levels.device)
        table[0] = 1
        torch.ne(levels[self.features], self.levels[:, None], out=table[1:])
        table[1:][self.numbers] = draws.steps[self.features[self.numbers], part]
        return table

    def of(self, table: Float[Tensor, "u s"], rows: slice) -> Float[Tensor, "b q s"]:
        """Return 1, the interpretable values, and room for more, of some rows."""
        lines = self.lines[rows]
        found = table.index_select(0, lines.flatten()).unflatten(0, tuple(lines.shape))
        if self.shift is not None:
            shift = self.shift[rows]
            found[:, 1 : 1 + shift.shape[1]] -= shift[..., None]
        return found


def around(
    draws: Draws, X: Float[Tensor, "b d"], scales: Float[Tensor, " d"],
    is_number: Bool[Tensor, " d"],
) -> Float[Tensor, "b m d"]:  # fmt: skip
    """Move the known numbers of rows by the steps; the rest is as drawn."""
    moves = is_number & ~X.isnan()
    return torch.where(moves[:, None], X[:, None] + scales * draws.steps.T, draws.raw)
