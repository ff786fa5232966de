"""The even half of a game as a Gaussian process, and interactions of smooth games."""

import itertools
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.engines.shapley.pair_weighing import Density, Targets, Weighing
from workbench.engines.shapley.smooth_game import (
    CHUNK_ROWS,
    LINEAR_VARIANCE,
    MAX_CHOOSING,
    MAX_TRAINING,
    NOISES,
    STRENGTHS,
    SmoothGame,
    evenly,
    log_likelihood,
)

CONSTANT_VARIANCE = 100.0
PAIR_VARIANCES = (0.3, 3.0, 30.0)
POWERS = (1.0, 0.5, 0.0)  # of the sizes of main effects
Parity = Literal[1, -1]


@dataclass(frozen=True)
class EvenGame:
    r"""Mean of a Gaussian process for the sum of a coalition and its complement.

    As ``SmoothGame`` is for their difference. With relative sizes :math:`b_i`, the largest being
    1, strengths :math:`\rho_i = \rho\, b_i` and
    :math:`\lambda_i = \operatorname{artanh} \rho_i`, the covariance over signs is

    .. math:: k(z, z') = c_0 + c_2 \frac{\sum_{i<j} b_i b_j z_i z_j z'_i z'_j}
              {\sum_{i<j} b_i b_j} + \frac{\cosh \sum_i \lambda_i z_i z'_i}
              {\cosh \sum_i \lambda_i}.

    The last term is the even part of a product over the features. A game that is a product over
    the features keeps that form when features are known by chance, so that what a pair adds is
    known for every chance, and its mean over chances is a polynomial integral.

    Attributes
    ----------
    centres
        Signs of the pairs that it was fitted to.
    coefficients
        Weight of each centre's covariance.
    sizes
        How readily features take part in interactions, the largest being 1.
    strength
        How readily the feature with the largest one does.
    pair_variance
        Prior variance of all pairs together.
    """

    centres: Float[Tensor, "t d"]
    coefficients: Float[Tensor, "t c"]
    sizes: Float[Tensor, " d"]
    strength: float
    pair_variance: float

    def values(self, signs: Float[Tensor, "p d"]) -> Float[Tensor, "p c"]:
        """Return the sums that the process expects."""
        kernel = (self.sizes, self.strength, self.pair_variance)
        return torch.cat([
            even_covariance(part, self.centres, *kernel) @ self.coefficients
            for part in signs.split(CHUNK_ROWS)
        ])

    def pairs(self, targets: Targets, density: Density) -> Float[Tensor, "p c"]:
        """Interactions of all pairs, of the game that is the sum over its two coalitions."""
        found = product_pairs(self.centres, self.strength * self.sizes, targets, density, 1)
        first, second = targets.first, targets.second
        weights = self.sizes[first] * self.sizes[second]
        quadratic = self.centres[:, first] * self.centres[:, second]
        found += 4 * self.pair_variance / weights.sum() * weights * quadratic
        return found.T @ self.coefficients


def even_covariance(
    first: Float[Tensor, "p d"],
    second: Float[Tensor, "t d"],
    sizes: Float[Tensor, " d"],
    strength: float,
    pair_variance: float,
) -> Float[Tensor, "p t"]:
    """Prior covariance of the sums of two sets of pairs, see ``EvenGame``."""
    quadratic = pair_variance * _quadratic(first, second, sizes)
    return CONSTANT_VARIANCE + quadratic + _even_product(first, second, strength * sizes)


def _quadratic(
    first: Float[Tensor, "p d"], second: Float[Tensor, "t d"], sizes: Float[Tensor, " d"]
) -> Float[Tensor, "p t"]:
    """Mean of the products of all pairs' signs, weighed by the sizes of both features."""
    alone = sizes.square().sum()
    return (((first * sizes) @ second.T).square_() - alone) / (sizes.sum() ** 2 - alone)


def _even_product(
    first: Float[Tensor, "p d"], second: Float[Tensor, "t d"], strengths: Float[Tensor, " d"]
) -> Float[Tensor, "p t"]:
    slopes = torch.atanh(strengths)
    x, total = ((first * slopes) @ second.T).abs_(), slopes.sum()
    even = (x - total).exp_()
    return even.add_((-x - total).exp_()).div_(1 + torch.exp(-2 * total))


def product_pairs(
    centres: Float[Tensor, "t d"],
    strengths: Float[Tensor, " d"],
    targets: Targets,
    density: Density,
    parity: Parity,
) -> Float[Tensor, "t p"]:
    r"""Interactions of the even or odd part of a product kernel with each centre.

    With :math:`u_i = \rho_i z'_i`, the product is :math:`\prod_i (1 + u_i z_i)`. Where features
    are known with chance :math:`(1 + m) / 2`, a pair adds
    :math:`4 u_i u_j \prod_{l \ne i, j} (1 + m u_l)` in the mean.
    """
    nodes, weights = density.nodes(targets.n_players)
    folded = weights + parity * weights.flip(0)  # the other part of it is the same at -m
    u, products = _products(centres, strengths, nodes, parity)
    without = 1 / (1 + nodes[None, :, None] * u[:, None])  # (t, m, d)
    sums = (without * (folded * products)[:, :, None]).transpose(1, 2) @ without  # (t, d, d)
    first, second = targets.first, targets.second
    return 4 * u[:, first] * u[:, second] * sums[:, first, second]


def odd_singles(game: SmoothGame, density: Density) -> Float[Tensor, "d c"]:
    """Values of single features, of the game that is the difference of its two coalitions."""
    d = game.centres.shape[1]
    nodes, weights = density.nodes(d)
    u, products = _products(game.centres, game.strengths, nodes, -1)
    without = 1 / (1 + nodes[None, :, None] * u[:, None])
    found = 2 * u * ((weights + weights.flip(0)) * products)[:, None].matmul(without)[:, 0]
    return (found + 2 * LINEAR_VARIANCE / d * game.centres).T @ game.coefficients


def _products(
    centres: Float[Tensor, "t d"],
    strengths: Float[Tensor, " d"],
    nodes: Float[Tensor, " m"],
    parity: Parity,
) -> tuple[Float[Tensor, "t d"], Float[Tensor, "t m"]]:
    """Return ``u``, and products over all features by the kernel's value at its centre."""
    u = centres * strengths
    largest = torch.log1p(strengths).sum()
    logs = torch.log1p(nodes[None, :, None] * u[:, None]).sum(2) - largest
    return u, logs.exp() / (1 + parity * torch.exp(-2 * torch.atanh(strengths).sum()))


def smooth_interactions(
    odd: SmoothGame, even: EvenGame, targets: Targets, weighing: Weighing
) -> Float[Tensor, "q c"]:
    """Interactions of a game, half of whose differences and half of whose sums are these.

    Singles that are worth what they add to nothing are left at 0.
    """
    pairs = even.pairs(targets, weighing.pair)
    if weighing.pair.lopsided:
        product = product_pairs(odd.centres, odd.strengths, targets, weighing.pair, -1)
        pairs = pairs + product.T @ odd.coefficients
    singles = pairs.new_zeros(targets.n_players, pairs.shape[1])
    if weighing.single is not None:
        singles = odd_singles(odd, weighing.single)
    return targets.join(singles.T / 2, pairs.T / 2, weighing).T


def fit_even_game(
    signs: Float[Tensor, "t d"],
    sums: Float[Tensor, "t c"],
    outputs: Int[Tensor, " o"],
    sizes: Float[Tensor, " d"],
) -> EvenGame:
    """Fit the process to every column, and its settings to those of ``outputs``.

    ``sizes`` are those of the main effects, the largest being 1. Which power of them tells
    features apart, the strength, the variance of pairs beside that of higher orders, and the
    variance of what is too rough to be fitted are chosen by the marginal likelihood, with a scale
    for each output. At most ``MAX_TRAINING`` pairs are used, spread evenly over those given.
    """
    chosen = evenly(len(signs), MAX_TRAINING)
    signs, sums = signs[chosen], sums[chosen]
    few = evenly(len(signs), MAX_CHOOSING)
    shapes = [sizes**power for power in POWERS]
    tried = torch.cat([_tried(signs[few], shape) for shape in shapes])
    likely = log_likelihood(tried, sums[few][:, outputs])  # (choices, noises)
    choice, noise = divmod(int(likely.argmax()), len(NOISES))
    sizes, strength, variance = list(itertools.product(shapes, STRENGTHS, PAIR_VARIANCES))[choice]
    noisy = even_covariance(signs, signs, sizes, strength, variance)
    noisy.diagonal().add_(NOISES[noise])
    coefficients = torch.cholesky_solve(sums, torch.linalg.cholesky(noisy))
    return EvenGame(signs, coefficients, sizes, strength, variance)


def _tried(signs: Float[Tensor, "t d"], sizes: Float[Tensor, " d"]) -> Float[Tensor, "g t t"]:
    """Covariances of every strength with every variance of pairs, variances changing fastest."""
    products = torch.stack([_even_product(signs, signs, rho * sizes) for rho in STRENGTHS])
    variances = torch.tensor(PAIR_VARIANCES, dtype=torch.float64)[:, None, None]
    pairs = variances * _quadratic(signs, signs, sizes) + CONSTANT_VARIANCE
    return (products[:, None] + pairs).flatten(0, 1)
