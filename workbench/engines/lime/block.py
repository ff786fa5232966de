"""A block of rows with their samples, handed out in parts that fit the cache."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.core.local_models import IN_BINS
from workbench.engines.lime.neighbourhood import Columns, Places
from workbench.engines.lime.sampler import Sampler
from workbench.engines.lime.strongest import GROUPS
from workbench.numerics.chunks import slices
from workbench.numerics.local_fit import Line

CACHE_BYTES, CACHE_SAMPLES = 2**20, 1000  # of a part on a CPU
FAR = 1e15  # standard deviations: there no sample weighs anything


@dataclass(frozen=True)
class Part:
    """Some samples of one group around some rows.

    Attributes
    ----------
    joined
        1, interpretable values and outputs, relative to the row.
    weights
        What the kernel makes of the distance from the row.
    """

    group: int
    rows: slice
    joined: Float[Tensor, "b q s"]
    weights: Float[Tensor, "b s"]


@dataclass
class Block:
    """Some rows, and their samples relative to them.

    Attributes
    ----------
    outputs
        Which outputs are fitted: of two probabilities one is enough.
    answers
        What the model says of the samples of each turn: of each row's own, or of shared ones.
    weights
        Of the samples of each turn, once they were handed out.
    """

    sampler: Sampler
    X: Float[Tensor, "b d"]
    places: Places
    base: Float[Tensor, "b k"]
    width: float
    outputs: slice
    answers: list[Float[Tensor, "b1 k m"]] = field(default_factory=list)
    weights: list[Float[Tensor, "b m"]] = field(default_factory=list)

    def parts(self, turn: int, rows: Int[Tensor, " r"]) -> Iterator[Part]:
        """Yield a turn's samples around rows."""
        sampler, base = self.sampler, self.base[rows]
        d, k = self.X.shape[1], base.shape[1]
        if len(self.answers) <= turn:
            said = sampler.answers(turn, self.X, rows)
            self.answers.append(said[..., self.outputs].mT.contiguous())
        said = self._said(turn, rows)
        draws, sampling = sampler.draws(turn), sampler.params.sampling
        columns = Columns(self.places[rows], sampling, k)
        weights = said.new_zeros(len(rows), said.shape[2], dtype=torch.float32)
        samples, several = self._step(said.shape[2] // GROUPS, 1 + d + k)
        for group, part in _by_group(said.shape[2], samples):
            table = columns.table(draws, part)
            for some in slices(len(rows), several):
                joined = columns.of(table, some)
                joined[:, 1 + d :] = said[some, :, part] - base[some, :, None]
                z = joined[:, 1 : 1 + d]
                far = (z if sampling == IN_BINS else z**2).sum(1)
                w = torch.exp(far * (-0.5 / self.width**2))
                weights[some, part] = w.float()
                yield Part(group, some, joined, w)
        if len(self.weights) <= turn:
            self.weights.append(weights.new_zeros(len(self.X), weights.shape[1]))
        self.weights[turn][rows] = weights

    def residuals(
        self, turn: int, rows: Int[Tensor, " r"], line: Line
    ) -> Iterator[tuple[slice, Float[Tensor, "b p s"], Float[Tensor, "b s"]]]:
        """Yield which rows, their centred values of the line's features, and weighted residuals.

        In single precision: they make standard errors, which need no more. Residuals are in the
        line's unit; those that are large beyond all bounds have no weight.
        """
        said = self._said(turn, rows)[:, line.output]
        level, unit = (self.base[rows, line.output] + line.mean_y)[:, None], line.unit[:, None]
        slopes = (line.slopes / unit).float()[:, None]
        weights = self.weights[turn][rows]
        columns = Columns(self.places[rows], self.sampler.params.sampling, 0)
        lines = (columns.lines[:, 1:]).gather(1, line.kept)
        middle = line.mean_z
        if columns.shift is not None:
            middle = middle + columns.shift.gather(1, line.kept)
        centre = middle.clamp(-FAR, FAR).float()[..., None]
        samples, several = self._step(said.shape[1] // GROUPS, lines.shape[1])
        for _, part in _by_group(said.shape[1], samples):
            table = columns.table(self.sampler.draws(turn), part).float()
            for some in slices(len(rows), 2 * several):
                found = table.index_select(0, lines[some].flatten())
                c = found.unflatten(0, tuple(lines[some].shape)) - centre[some]
                about = ((said[some, part] - level[some]) / unit[some]).float()
                w, missed = weights[some, part], about - (slopes[some] @ c)[:, 0]
                yield some, c, torch.where(w > 0, w * missed, 0.0)

    def _said(self, turn: int, rows: Int[Tensor, " r"]) -> Float[Tensor, "r k m"]:
        said = self.answers[turn]
        return said[rows] if len(said) > 1 else said.expand(len(rows), -1, -1)

    def _step(self, size: int, wide: int) -> tuple[int, int]:
        """Return how many samples of a group, and of how many rows, are taken at once."""
        if self.base.device.type == "cpu":
            samples = min(size, CACHE_SAMPLES)
            return samples, max(1, CACHE_BYTES // (8 * wide * samples))
        room = self.sampler.context.budget // (32 * wide)
        samples = max(1, min(size, room))
        return samples, max(1, room // samples)


def _by_group(m: int, step: int) -> Iterator[tuple[int, slice]]:
    """Cut samples into groups, and these into parts."""
    size = m // GROUPS
    for group, part in itertools.product(range(GROUPS), slices(size, step)):
        yield group, slice(group * size + part.start, group * size + part.stop)
