"""How far an explainer is from the values of its game, on rows that it never saw."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from workbench.core.explainer import Certificate
from workbench.numerics.shapley_kernel import (
    all_inner_coalitions,
    distance_factor,
    outer_design,
    regress,
    squared_residuals,
)

EXACT_PLAYERS = 12
FEWEST_ROWS, MOST_EVALUATIONS = 16, 30_000_000


@dataclass(frozen=True, eq=False)
class Questions:
    """Two sets of coalitions that held-out rows are asked about; one twice where it has all."""

    halves: tuple[tuple[Bool[Tensor, "m d"], Float[Tensor, " m"]], ...]

    @property
    def exact(self) -> bool:
        """Whether every coalition is asked for."""
        return len(self.halves) == 1

    @property
    def coalitions(self) -> Bool[Tensor, "m d"]:
        """All of them, one half after the other."""
        return torch.cat([known for known, _ in self.halves])


@dataclass(frozen=True, eq=False)
class Measured:
    """The certificate, and the root mean square error of each feature and output."""

    certificate: Certificate
    errors: Float[Tensor, "d k"]


def n_questions(n_players: int) -> int:
    """Return how many coalitions a held-out row is asked about, at most."""
    return 2**n_players - 2 if n_players <= EXACT_PLAYERS else 2 * _half(n_players)


def n_measured(n_rows: int, n_players: int, n_background: int) -> int:
    """Return how many held-out rows can be asked within 30 million evaluations, at least 16."""
    each = n_questions(n_players) * max(1, n_background)
    return min(n_rows, max(FEWEST_ROWS, MOST_EVALUATIONS // max(1, each)))


def questions(n_players: int, generator: torch.Generator) -> Questions:
    """Return all coalitions where they are few, else two independent designs."""
    if n_players <= EXACT_PLAYERS:
        return Questions((all_inner_coalitions(n_players),))
    half = _half(n_players)
    return Questions(tuple(outer_design(n_players, half, generator) for _ in range(2)))


def _half(n_players: int) -> int:
    return max(512, 16 * n_players)


def measure(
    values: Float[Tensor, "n d k"],
    references: list[Float[Tensor, "n d k"]],
    loss: float,
    asked: Questions,
    *,
    against: str,
) -> Measured:
    r"""Say how far values are from those of the game, by regressions that are independent.

    With :math:`\hat\phi_A` and :math:`\hat\phi_B` from different coalitions, the errors of the
    two do not correlate, so

    .. math:: E\,(\phi - \hat\phi_A) \cdot (\phi - \hat\phi_B) = \lVert \phi - \phi^* \rVert^2

    without the noise of either being counted as an error of :math:`\phi`. With all coalitions
    there is one regression, and it is exact. Values and exact values add up to the same, so the
    distance also says how much of the loss is left to gain,

    .. math:: L(\phi) - L(\phi^*) = \lVert \phi - \phi^* \rVert^2 / (2 H_{d-1}).

    A single row's estimate may fall below zero; it then counts as zero in the mean distance, and
    as it is in the root mean squares.
    """
    first, second = references[0], references[-1]
    products = (values - first) * (values - second)  # (n, d, k)
    n, d, _ = values.shape
    by_row = products.sum((1, 2)).clamp(min=0)
    squared = float(products.sum(1).mean(0).sum().clamp(min=0))  # per row
    size = float((first * second).sum((1, 2)).mean())
    certificate = Certificate(
        n_rows=n,
        n_coalitions=len(asked.coalitions),
        exact=asked.exact,
        against=against,
        loss=loss,
        lowest_loss=loss - squared / distance_factor(d),
        mean_distance=float(by_row.sqrt().mean()),
        rmse=(squared / (d * values.shape[2])) ** 0.5,
        relative=(squared / size) ** 0.5 if size > 0 else float(squared > 0),
    )
    return Measured(certificate, products.mean(0).clamp(min=0).sqrt())


def kernel_loss(
    values: Float[Tensor, "n d k"], gains: list[Float[Tensor, "n m k"]], asked: Questions
) -> float:
    """Return the squared residual's expectation under the kernel, summed over the outputs."""
    parts = [
        torch.einsum("nmk,m->n", squared_residuals(values, own, known), weights)
        for own, (known, weights) in zip(gains, asked.halves, strict=True)
    ]
    return float(torch.stack(parts).mean())


def regressions(
    gains: list[Float[Tensor, "n m k"]], totals: Float[Tensor, "n k"], asked: Questions
) -> list[Float[Tensor, "n d k"]]:
    """Return the values of the game by each half of the questions."""
    return [
        regress(own, known, totals, weights)
        for own, (known, weights) in zip(gains, asked.halves, strict=True)
    ]
