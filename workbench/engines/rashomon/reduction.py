"""One pass over candidates: what is kept of them, by tolerance, whatever their number."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.core.rashomon import NO_MODEL
from workbench.engines.rashomon.search import Block
from workbench.engines.rashomon.tallies import Ends, Growing, Sample

# Directions in which the furthest models are kept, from which the capacity of more than two
# classes is found; fewer where they would take too much room.
DIRECTIONS = 32
DIRECTION_BYTES = 2**27
LEAST_KEPT = 4096
GROWTH = tuple(digit * 10**power for power in range(6) for digit in (1, 3))


class Reduction:
    """What is known of the candidates of one explorer; its size does not grow with their number.

    A candidate belongs to the bin of the smallest tolerance that admits it. At the end bins are
    put together from the smallest tolerance on, so that one pass serves all tolerances.

    Parameters
    ----------
    tolerances
        Ascending, in units of the loss.
    base
        What the given model says of the rows, where the candidates' outputs are.
    truth
        Class codes or values of the rows; None where they are not known.
    growth_at
        Position of the tolerance at which growth is followed.
    growth_models
        Ascending; after how many models the growth of a set is looked at.
    directions
        Of the simplex, ``[k, q]``: the models that are furthest along each are kept; see
        ``directions_of``.
    """

    def __init__(
        self, tolerances: tuple[float, ...], base: Float[Tensor, "n k"], *, truth: Tensor | None,
        is_class: bool, delta: float, growth_at: int, growth_models: tuple[int, ...],
        directions: Float[Tensor, "k q"],
    ) -> None:  # fmt: skip
        t, (n, k) = len(tolerances), base.shape
        self.tolerances = torch.tensor(tolerances, dtype=torch.float64)
        self.base, self.truth, self.is_class, self.delta = base, truth, is_class, delta
        self.tried = 0
        self.counts = torch.zeros(t, dtype=torch.int64)
        self.ends = Ends(
            base.new_full((2, t, n, k), -torch.inf),
            torch.full((2, t, n, k), NO_MODEL, device=base.device),
        )
        self.votes = torch.zeros((t, n, k), dtype=torch.int32, device=base.device)
        self.mean = torch.zeros((t, n, k), dtype=torch.float64, device=base.device)
        self.squares = torch.zeros_like(self.mean)
        self.most_flips = np.zeros(t)
        self.most_moved = np.zeros(t)
        self.directions = directions
        furthest = (2, t, n, self.directions.shape[1])
        self.furthest = base.new_full(furthest, -torch.inf)
        self.corners = base[None, None, :, None].repeat(2, t, 1, furthest[3], 1)
        self.growing = Growing(growth_models, base, is_class)
        self.growth_at = growth_at
        self.sample = Sample()
        self.kept_serials = torch.zeros(0, dtype=torch.int64)
        self.kept = torch.zeros((0, 4), dtype=torch.float64)
        self._prune_at = LEAST_KEPT

    def add(self, block: Block) -> None:
        """Take candidates, admitted or not."""
        serials = torch.arange(self.tried, self.tried + len(block.excess))
        self.tried += len(serials)
        self._note(serials, block)
        bins = torch.searchsorted(self.tolerances, block.excess)
        for place in sorted(set(bins.tolist()) - {len(self.tolerances)}):
            chosen = (bins == place).nonzero()[:, 0]
            self._add_bin(place, block.outputs[chosen.to(block.outputs.device)], serials[chosen])
        within = (bins <= self.growth_at).nonzero()[:, 0]
        self.growing.add(block.outputs[within.to(block.outputs.device)])
        self._keep(serials, block)

    def _note(self, serials: Int[Tensor, " b"], block: Block) -> None:
        loss, accuracy = reported(block.outputs, self.truth, is_class=self.is_class)
        columns = (block.members.strengths, block.excess, block.noise, loss, accuracy)
        self.sample.add(serials, torch.stack([column.double().cpu() for column in columns], 1))

    def _add_bin(self, place: int, x: Float[Tensor, "c n k"], serials: Int[Tensor, " c"]) -> None:
        where = serials.to(x.device)
        self.ends.add(place, x, where)
        self._add_moments(place, x.double())
        if self.is_class:
            decided = x.argmax(2)  # (c, n)
            for one in range(x.shape[2]):
                self.votes[place, :, one] += (decided == one).sum(0).int()
            flips = (decided != self.base.argmax(1)).double().mean(1).max()
            moved = ((x - self.base).abs().amax(2) >= self.delta).double().mean(1).max()
            self.most_flips[place] = max(self.most_flips[place], float(flips))
            self.most_moved[place] = max(self.most_moved[place], float(moved))
        if self.directions.shape[1]:
            self._add_corners(place, x)

    def _add_moments(self, place: int, x: Float[Tensor, "c n k"]) -> None:
        """Mean and sum of squared differences from it, put together as Chan et al. (1979) do."""
        old, new = int(self.counts[place]), len(x)
        mean = x.mean(0)
        away = mean - self.mean[place]
        self.squares[place] += (x - mean).square().sum(0)
        self.squares[place] += away.square() * (old * new / (old + new))
        self.mean[place] += away * (new / (old + new))
        self.counts[place] += new

    def _add_corners(self, place: int, x: Float[Tensor, "c n k"]) -> None:
        along = x @ self.directions  # (c, n, q)
        for side, signed in enumerate((-along, along)):
            most, which = signed.max(0)  # (n, q)
            better = most > self.furthest[side, place]
            self.furthest[side, place] = torch.where(better, most, self.furthest[side, place])
            rows = torch.arange(x.shape[1], device=x.device)[:, None]
            corners = self.corners[side, place]
            self.corners[side, place] = torch.where(better[..., None], x[which, rows], corners)

    def _keep(self, serials: Int[Tensor, " b"], block: Block) -> None:
        """Remember how those candidates are made that an end belongs to."""
        own = self.ends.serials[self.ends.serials >= int(serials[0])].unique().cpu()
        chosen = own - int(serials[0])
        members = block.members.take(chosen)
        lines = torch.stack(
            [members.numbers.double(), members.strengths, members.stretches, block.excess[chosen]],
            1,
        )
        self.kept_serials = torch.cat([self.kept_serials, own])
        self.kept = torch.cat([self.kept, lines])
        if len(self.kept_serials) > self._prune_at:
            needed = torch.isin(self.kept_serials, self.ends.serials.unique().cpu())
            self.kept_serials, self.kept = self.kept_serials[needed], self.kept[needed]
            self._prune_at = max(LEAST_KEPT, 2 * len(self.kept_serials))

    @property
    def n_bytes(self) -> int:
        """Bytes of what is kept by tolerance and row; nothing of it depends on how many came."""
        parts = (
            self.ends.values, self.ends.serials, self.votes, self.mean, self.squares,
            self.furthest, self.corners,
        )  # fmt: skip
        return sum(part.numel() * part.element_size() for part in parts)


def growth_numbers(models: int) -> tuple[int, ...]:
    """Return the numbers of models after which the growth of a set is looked at.

    Examples
    --------
    >>> growth_numbers(50)
    (1, 3, 10, 30, 50)
    """
    return (*(number for number in GROWTH if number < models), models)


def directions_of(
    base: Float[Tensor, "n k"], tolerances: int, rng: np.random.Generator, *, is_class: bool
) -> Float[Tensor, "k q"]:
    """Draw directions in the simplex; none for two classes, whose ends say everything."""
    n, k = base.shape
    room = DIRECTION_BYTES // (2 * tolerances * n * (k + 1) * base.element_size())
    number = min(DIRECTIONS, max(2, room)) if is_class and k > 2 else 0
    found = torch.from_numpy(rng.standard_normal((k, number)))
    return (found / found.norm(dim=0, keepdim=True)).to(base)


def reported(
    outputs: Float[Tensor, "b n k"], truth: Tensor | None, *, is_class: bool
) -> tuple[Float[Tensor, " b"], Float[Tensor, " b"]]:
    """Return loss and accuracy on labelled rows; NaN where there are no labels or no classes."""
    nothing = outputs.new_full((len(outputs),), torch.nan, dtype=torch.float64)
    if truth is None:
        return nothing, nothing
    if not is_class:
        return (outputs[..., 0].double() - truth).square().mean(1), nothing
    own = outputs.gather(2, truth.expand(outputs.shape[:2])[..., None])[..., 0].double()
    # A probability too small for the network's precision has no logarithm.
    loss = -own.clamp(min=torch.finfo(outputs.dtype).tiny).log().mean(1)
    return loss, (outputs.argmax(2) == truth).double().mean(1)
