"""Which coalitions the regression estimators look at: paired, in strata by size, never twice."""

import itertools
import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.engines.shapley.params import SampledParams
from workbench.engines.shapley.run import EARLY_SHARE

Allocation = Literal["kernel", "even"]

TABLE_ELEMENTS = 2**23
BISECTIONS = 64


@dataclass(frozen=True)
class PairedDesign:
    r"""Pairs :math:`\{S, \bar S\}` in strata by the size of the smaller one.

    Stratum :math:`s` holds :math:`N_s = \binom{d}{s}` pairs (half of that for :math:`s = d/2`)
    and has the Shapley kernel's total mass for its sizes,
    :math:`W_s \propto 1 / (s (d - s))`, halved for :math:`s = d/2`. Pairs are shared out in
    proportion to mass (``kernel``), or as many to each size (``even``), which is in proportion to
    the leverage scores of the regression. So the outer strata, which are small, are enumerated
    first; each other one gets at least two pairs, so that a variance can be estimated.

    Covert and Lee (2021), Improving KernelSHAP, Sec. 4, for the pairing; Musco and Witter (2025),
    Provably Accurate Shapley Value Estimation via Leverage Score Sampling, Sec. 3, for even sizes;
    the enumeration follows Lundberg's implementation; strata instead of random sizes are ours.

    Attributes
    ----------
    determined
        Whether pairs have to determine a regression by themselves, as all singletons do.
    """

    n_players: int
    allocation: Allocation = "kernel"
    determined: bool = True

    @cached_property
    def populations(self) -> tuple[int, ...]:
        """Number of pairs in each stratum."""
        d = self.n_players
        return tuple(math.comb(d, s) // (1 + (2 * s == d)) for s in range(1, d // 2 + 1))

    @cached_property
    def masses(self) -> np.ndarray:
        """Share of the kernel's mass in each stratum; they add up to 1."""
        d = self.n_players
        mass = np.array([1 / (s * (d - s) * (1 + (2 * s == d))) for s in range(1, d // 2 + 1)])
        return mass / mass.sum() if len(mass) else mass

    @cached_property
    def spreads(self) -> np.ndarray:
        r"""Mean of :math:`(z^T q)^2` over a stratum, for any unit :math:`q` that sums to 0."""
        d = self.n_players
        sizes = np.arange(1, d // 2 + 1)
        return 1 - ((d - 2 * sizes) ** 2 - d) / (d * (d - 1))

    @cached_property
    def _shares(self) -> np.ndarray:
        """What pairs are shared out in proportion to."""
        if self.allocation == "kernel":
            return self.masses
        d = self.n_players
        return np.array([1 / (1 + (2 * s == d)) for s in range(1, d // 2 + 1)])

    @property
    def smallest(self) -> int:
        """Fewest pairs for every value and its standard error."""
        first, *others = self.populations or (0,)
        return (first if self.determined else min(2, first)) + sum(min(2, n) for n in others)

    def allocate(self, n_pairs: int) -> np.ndarray:
        """Return how many pairs each stratum gets: in proportion to its share, within bounds.

        At least two pairs and at most all of them. Singletons come first: they make a regression
        determined, and say most of main effects. A larger budget never takes pairs from a stratum.
        """
        whole = self._least(self.populations[:1])
        if n_pairs < whole.sum():
            return self._least((n_pairs - int(whole[1:].sum()),))
        # No stratum gets more than the whole budget; of hundreds of features, strata have more
        # pairs than any integer type holds.
        sizes = range(1, len(self.populations) + 1)
        highest = np.array([min(n_pairs, self._ceiling(s)) for s in sizes], dtype=np.int64)
        lowest = np.minimum(highest, whole)
        low, high = 0.0, float((highest / self._shares).max(initial=0.0)) + 1

        def counts(scale: float) -> np.ndarray:
            share = np.floor(scale * self._shares).astype(np.int64)
            return np.clip(share, lowest, highest)

        if counts(high).sum() <= n_pairs:
            return counts(high)
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            if counts(middle).sum() <= n_pairs:
                low = middle
            else:
                high = middle
        return counts(low)

    def rounds(self, n_pairs: int, *, grow: bool) -> list[np.ndarray]:
        """Pairs per stratum after each round, which never fall: doubling for an early stop.

        What is asked at once is evaluated once, so fewer rounds repeat fewer mixtures.
        """
        sizes = [n_pairs]
        while grow and sizes[0] // 2 >= max(1, self.smallest):  # a single feature needs no pair
            sizes.insert(0, sizes[0] // 2)
        return [self.allocate(size) for size in sizes]

    def degrees(self, counts: np.ndarray) -> float | None:
        """Degrees of freedom: pairs of sampled strata, less one for each; None without any."""
        free = [
            int(n) - 1 for n, total in zip(counts, self.populations, strict=True) if int(n) < total
        ]
        return float(sum(free)) if free else None

    def draw_between(
        self, counts: np.ndarray, goal: np.ndarray, context: Context, row: int
    ) -> tuple[Bool[Tensor, "p d"], Int[Tensor, " p"], Int[Tensor, " p"]]:
        """Return pairs beyond ``counts`` up to ``goal``, their strata and places within them.

        They depend on the (first) row's number alone.
        """
        parts = [
            self.draw(size, int(wanted), context.stream(row, size))[known:]
            for size, (known, wanted) in enumerate(zip(counts, goal, strict=True), start=1)
        ]
        first = np.concatenate([np.empty((0, self.n_players), dtype=bool), *parts])
        strata = np.repeat(np.arange(len(goal)), [len(pairs) for pairs in parts])
        places = [np.arange(known, wanted) for known, wanted in zip(counts, goal, strict=True)]
        return (
            torch.from_numpy(first),
            torch.from_numpy(strata),
            torch.from_numpy(np.concatenate([np.empty(0, dtype=np.int64), *places])),
        )

    def _least(self, singletons: tuple[int, ...]) -> np.ndarray:
        """So many singletons, and two pairs (or all there are) of each other stratum."""
        least = np.minimum(np.array(self.populations, dtype=object), 2).astype(np.int64)
        least[:1] = singletons
        return least

    def _ceiling(self, size: int) -> int:
        """Without a table of its pairs, a stratum is drawn by rejection: at most half of it."""
        population = self.populations[size - 1]
        return population if self._has_table(size) else population // 2

    def _has_table(self, size: int) -> bool:
        return self.populations[size - 1] * self.n_players <= TABLE_ELEMENTS

    def draw(self, size: int, n_pairs: int, rng: np.random.Generator) -> np.ndarray:
        """Draw the smaller (or, at half size, one) members of distinct pairs ``[n_pairs, d]``.

        From generators in the same state, a shorter draw is the beginning of a longer one.
        """
        if self._has_table(size):
            table = _pairs_of_size(self.n_players, size)
            return table[rng.permutation(len(table))[:n_pairs]]
        found: dict[bytes, np.ndarray] = {}
        while len(found) < n_pairs:
            drawn = rng.random((n_pairs - len(found), self.n_players))
            members = np.zeros(drawn.shape, dtype=bool)
            np.put_along_axis(members, drawn.argsort(axis=1)[:, :size], values=True, axis=1)
            for chosen in members:
                one = ~chosen if 2 * size == self.n_players and not chosen[0] else chosen
                found.setdefault(one.tobytes(), one)
        return np.array(list(found.values()), dtype=bool).reshape(n_pairs, self.n_players)


def design_within(
    n_players: int, params: SampledParams, allocation: Allocation = "kernel", *, determined: bool
) -> tuple[PairedDesign, int]:
    """Return a design, and the number of pairs that a budget allows.

    Raises
    ------
    InvalidInputError
        If the budget is too small.
    """
    design = PairedDesign(n_players, allocation, determined)
    return design, pairs_within(n_players, params, design.smallest)


def pairs_within(n_players: int, params: SampledParams, smallest: int) -> int:
    """Return how many pairs a budget allows: at most all of them.

    Raises
    ------
    InvalidInputError
        If that is fewer than ``smallest``.
    """
    n_pairs = min(params.coalitions(n_players), 2**n_players - 2) // 2
    if n_pairs < smallest:
        raise InvalidInputError(
            f"A budget of {params.budget or 2 * n_pairs} coalitions is too small: "
            f"{n_players} features need {2 * smallest}."
        )
    return n_pairs


def first_look(design: PairedDesign, n_pairs: int, params: SampledParams) -> dict[str, Any] | None:
    """Return what to change of settings for a look in growing rounds, where there is room."""
    n_pairs //= EARLY_SHARE
    if params.tolerance is not None or n_pairs < design.smallest:
        return None
    return {"budget": 2 * n_pairs, "tolerance": 0.0}


@lru_cache(maxsize=64)
def _pairs_of_size(n_players: int, size: int) -> np.ndarray:
    """All coalitions of a size; of half size, those with the first player."""
    halved = 2 * size == n_players
    players = range(1, n_players) if halved else range(n_players)
    chosen = np.array(list(itertools.combinations(players, size - halved)), dtype=np.int64)
    table = np.zeros((len(chosen), n_players), dtype=bool)
    np.put_along_axis(table, chosen.reshape(len(chosen), -1), values=True, axis=1)
    table[:, 0] |= halved
    table.flags.writeable = False
    return table
