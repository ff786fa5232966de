"""Coalitions that serve several laws at once, because within a size all are equally likely."""

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy import stats
from torch import Tensor

from workbench.numerics.shapley_kernel import size_probabilities

MOST_LISTED = 1_000_000


def exponential_sizes(d: int, width: float) -> Float[Tensor, " sizes"]:
    r"""Probability of each size ``0 … d`` where coalitions weigh :math:`e^{-D^2/w^2}`.

    With :math:`D^2` the number of features that are missing the law is that of independent
    features, each kept with probability :math:`1 / (1 + e^{-1/w^2})`; its best linear function is
    a weighted Banzhaf value.

    References
    ----------
    Han, Srinivas and Lakkaraju (2022), Table 1; Marichal and Mathonet (2011), Weighted Banzhaf
    power and interaction indexes through weighted approximations of games.
    """
    kept = 1 / (1 + np.exp(-1 / width**2))
    return torch.from_numpy(stats.binom.pmf(np.arange(d + 1), d, kept))


def shapley_sizes(d: int) -> Float[Tensor, " sizes"]:
    """Probability of each size ``0 … d`` under the Shapley kernel; none for the two ends."""
    found = torch.zeros(d + 1, dtype=torch.float64)
    found[1:d] = size_probabilities(d) if d > 1 else 0.0
    return found


def single_sizes(d: int) -> Float[Tensor, " sizes"]:
    """Probability of each size where one feature is removed."""
    found = torch.zeros(d + 1, dtype=torch.float64)
    found[d - 1] = 1.0
    return found


@dataclass(frozen=True)
class Design:
    """Coalitions, the empty one and the full one first.

    Attributes
    ----------
    sizes
        Of each coalition.
    counts
        How many coalitions of each size there are here.
    whole
        Sizes of which every coalition is here.
    first, second
        Positions of coalitions that were drawn, and of their complements.
    """

    masks: Bool[Tensor, "m d"]
    sizes: Int[Tensor, " m"]
    counts: Int[Tensor, " sizes"]
    whole: Bool[Tensor, " sizes"]
    first: Int[Tensor, " h"]
    second: Int[Tensor, " h"]

    @property
    def is_exact(self) -> bool:
        """Whether every coalition is here."""
        return bool(self.whole.all())

    def weights(self, law: Float[Tensor, " sizes"]) -> Float[Tensor, " m"]:
        """Share out the probability of each size among its coalitions; weights add up to 1."""
        each = torch.where(self.counts > 0, law / self.counts.clamp(min=1), 0.0)[self.sizes]
        return each / each.sum()


def make_design(
    d: int, m: int, mass: Float[Tensor, " sizes"], generator: np.random.Generator
) -> Design:
    """Choose about ``m`` coalitions, stratified by size.

    Sizes with few coalitions are listed in full, from the others coalitions are drawn in pairs
    with their complements. Removals of one feature are always listed.

    Parameters
    ----------
    mass
        What sizes ``0 … d`` matter; sizes ``s`` and ``d - s`` get equally many.
    """
    both = (mass + mass.flip(0)).numpy()
    among = np.array([float(comb(d, s)) for s in range(d + 1)])
    quota, whole = _allocate(among, both, m)
    lists = [
        torch.zeros(1, d, dtype=torch.bool),
        *([torch.ones(1, d, dtype=torch.bool)] if d else []),
        *(_all_of_size(d, s) for s in range(1, d) if whole[s]),
    ]
    drawn = [
        _draw(d, s, int(quota[s]), generator)
        for s in range(1, d // 2 + 1)
        if not whole[s] and quota[s] >= 1
    ]
    listed = sum(map(len, lists))
    chosen = torch.cat(drawn) if drawn else torch.zeros(0, d, dtype=torch.bool)
    masks = torch.cat([*lists, chosen, ~chosen])
    sizes = masks.sum(1)
    places = listed + torch.arange(len(chosen))
    return Design(
        masks, sizes, torch.bincount(sizes, minlength=d + 1), torch.from_numpy(whole), places,
        places + len(chosen),
    )  # fmt: skip


def _allocate(
    among: Float[np.ndarray, " sizes"], mass: Float[np.ndarray, " sizes"], m: int
) -> tuple[Float[np.ndarray, " sizes"], Bool[np.ndarray, " sizes"]]:
    """Return how many coalitions of each size to draw, and which sizes to list in full."""
    d = len(among) - 1
    inner = np.arange(d + 1)
    whole = (inner <= 0) | (inner >= d - 1) | (inner == 1)
    if among.sum() <= min(m, MOST_LISTED):
        return among, np.ones(d + 1, dtype=bool)
    while True:
        left = max(0.0, m - among[whole].sum())
        open_mass = mass[~whole].sum()
        if not open_mass:
            return np.zeros(d + 1), whole
        quota = np.where(whole, 0.0, left * mass / open_mass)
        full = ~whole & (quota >= among)
        if not full.any():
            return np.floor(quota), whole
        whole |= full


def _all_of_size(d: int, size: int) -> Bool[Tensor, "m d"]:
    chosen = torch.tensor(list(combinations(range(d), size)))
    return torch.zeros(len(chosen), d, dtype=torch.bool).scatter_(1, chosen, value=True)


def _draw(d: int, size: int, m: int, generator: np.random.Generator) -> Bool[Tensor, "m d"]:
    """Draw coalitions of a size; where their complements have that size, half as many."""
    m = (m + 1) // 2 if 2 * size == d else m
    ranks = generator.random((m, d)).argsort(1).argsort(1)
    return torch.from_numpy(ranks < size)
