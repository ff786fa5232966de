r"""How the indices of pairs weigh what two features add to the coalitions of the others.

Every index of order two is a mean of discrete derivatives over coalitions of the other features
that hold each of them with the same chance :math:`q`,

.. math:: I_{ij} = \int_0^1 \mathrm{E}\big[\Delta_{ij} v(T_q)\big]\, w(q)\, dq, \qquad
          \Delta_{ij} v(T) = v(T \cup ij) - v(T \cup i) - v(T \cup j) + v(T),

and the indices differ in the density :math:`w`. That of a single feature is the same with
:math:`\Delta_i v(T) = v(T \cup i) - v(T)`, less half of its pairs where singles and pairs have to
add up and the mean of singles is the Shapley value:

======== ==================== ============================ ================
index    pairs, :math:`w(q)`  singles, :math:`w(q)`        less half a pair
======== ==================== ============================ ================
SII      1                    1                            no
k-SII    1                    1                            yes
FSII     :math:`6q(1-q)`      1                            yes
STII     :math:`2(1-q)`       all at :math:`q = 0`         no
Banzhaf  all at 1/2           all at 1/2                   no
======== ==================== ============================ ================
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from workbench.core.interactions import Index


@dataclass(frozen=True)
class Density:
    r"""Of the chance :math:`q`: :math:`q^{a-1} (1-q)^{b-1} / B(a, b)`, or all of it at 1/2.

    Attributes
    ----------
    shape
        :math:`a` and :math:`b`; None for all at 1/2.
    """

    shape: tuple[int, int] | None

    @property
    def lopsided(self) -> bool:
        """Whether a chance and its complement weigh differently."""
        return self.shape is not None and self.shape[0] != self.shape[1]

    def by_size(self, n_others: int) -> Float[np.ndarray, " t"]:
        r"""Log of :math:`\int q^t (1-q)^{n-t} w(q) dq`, the weight of a coalition of t others."""
        if self.shape is None:
            return np.full(n_others + 1, -n_others * math.log(2))
        a, b = self.shape
        return np.array([
            _log_beta(t + a, n_others - t + b) - _log_beta(a, b) for t in range(n_others + 1)
        ])

    def nodes(self, degree: int) -> tuple[Float[Tensor, " m"], Float[Tensor, " m"]]:
        """Points ``2 q - 1`` and weights that integrate polynomials up to a degree exactly.

        Points are the same on both sides of 0.
        """
        if self.shape is None:
            return torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
        a, b = self.shape
        points, weights = np.polynomial.legendre.leggauss((degree + a + b - 2) // 2 + 1)
        q = (1 + points) / 2
        density = q ** (a - 1) * (1 - q) ** (b - 1) / math.exp(_log_beta(a, b))
        return torch.from_numpy(points), torch.from_numpy(weights / 2 * density)


@dataclass(frozen=True)
class Weighing:
    """How an index weighs pairs and singles.

    Attributes
    ----------
    single
        None where a single feature is worth what it adds to nothing.
    halved
        Whether half of its pairs is taken off a single feature.
    """

    pair: Density
    single: Density | None
    halved: bool

    @property
    def adds_up(self) -> bool:
        """Whether singles and pairs add up to what all features together are worth."""
        return self.halved or self.single is None


EVEN, MIDDLE = Density((1, 1)), Density(None)
WEIGHINGS: Mapping[Index, Weighing] = {
    "SII": Weighing(EVEN, EVEN, halved=False),
    "k-SII": Weighing(EVEN, EVEN, halved=True),
    "FSII": Weighing(Density((2, 2)), EVEN, halved=True),
    "STII": Weighing(Density((1, 2)), None, halved=False),
    "Banzhaf": Weighing(MIDDLE, MIDDLE, halved=False),
}


@dataclass(frozen=True)
class Targets:
    """The single features of a game, then its pairs, as one axis of estimates.

    Attributes
    ----------
    n_players
        Players of the game, two at least.
    first, second
        The features of each pair.
    """

    n_players: int
    first: Int[Tensor, " p"]
    second: Int[Tensor, " p"]

    @classmethod
    def of(cls, n_players: int) -> "Targets":
        """Return all features and pairs of a game."""
        first, second = torch.triu_indices(n_players, n_players, 1)
        return cls(n_players, first, second)

    def __len__(self) -> int:
        return self.n_players + len(self.first)

    def join(
        self, singles: Float[Tensor, "n d"], pairs: Float[Tensor, "n p"], weighing: Weighing
    ) -> Float[Tensor, "n q"]:
        """Put singles, less half of their pairs where the index says so, beside the pairs."""
        if weighing.halved:
            both = torch.zeros_like(singles).index_add_(1, self.first, pairs)
            singles = singles - both.index_add_(1, self.second, pairs) / 2
        return torch.cat([singles, pairs], dim=1)

    def square(self, values: Float[Tensor, "n q c"]) -> Float[Tensor, "n d d c"]:
        """Pairs on both sides of the diagonal, singles on it."""
        d = self.n_players
        square = values.new_zeros(len(values), d, d, values.shape[2])
        square.diagonal(dim1=1, dim2=2).copy_(values[:, :d].movedim(1, -1))
        square[:, self.first, self.second] = values[:, d:]
        square[:, self.second, self.first] = values[:, d:]
        return square


def halves_of_terms(
    members: Bool[Tensor, "p d"], targets: Targets, weighing: Weighing
) -> tuple[Float[Tensor, "p q"], Float[Tensor, "p q"]]:
    r"""Weights of a pair's difference and of its sum in the targets, times coalitions of its size.

    A target is :math:`\sum_S c(S) v(S)`, where :math:`c` depends on the size of :math:`S` and on
    how many members of the target it holds. What a coalition and its complement add is
    :math:`\tfrac12 (c(S) - c(\bar S))` times their difference and
    :math:`\tfrac12 (c(S) + c(\bar S))` times their sum. Times :math:`\binom{d}{s}`, half of it
    at half size, the mean over the pairs of a size is their share in the target.
    """
    d = targets.n_players
    size = members.sum(1)
    scale = torch.where(2 * size == d, 0.5, 1.0).double()[:, None]
    both = members[:, targets.first].long() + members[:, targets.second].long()  # (p, pairs)
    inner = _shares(d, 2, weighing.pair)
    own, other = inner[size[:, None], both], inner[(d - size)[:, None], 2 - both]
    alone, rest = torch.zeros_like(members, dtype=torch.float64), torch.zeros(1).double()
    if weighing.single is not None:
        single, inside = _shares(d, 1, weighing.single), members.long()
        alone, rest = single[size[:, None], inside], single[(d - size)[:, None], 1 - inside]
    return (
        targets.join((alone - rest) * scale / 2, (own - other) * scale / 2, weighing),
        targets.join((alone + rest) * scale / 2, (own + other) * scale / 2, weighing),
    )


@lru_cache(maxsize=64)
def _shares(d: int, order: int, density: Density) -> Float[Tensor, "s r"]:
    """Weight of a coalition of ``s`` with ``r`` members of the target, times their number."""
    logs = density.by_size(d - order)
    shares = torch.zeros(d + 1, order + 1, dtype=torch.float64)
    for size in range(d + 1):
        count = math.lgamma(d + 1) - math.lgamma(size + 1) - math.lgamma(d - size + 1)
        for held in range(order + 1):
            if 0 <= (others := size - held) <= d - order:
                sign = (-1) ** (order - held)
                shares[size, held] = sign * math.exp(float(logs[others]) + count)
    return shares


def _log_beta(a: int, b: int) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
