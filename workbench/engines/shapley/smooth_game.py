"""A Gaussian process over coalitions, whose Shapley values are known in closed form."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

MAX_TRAINING = 1024
MAX_CHOOSING = 128
CHUNK_ROWS = 4096
LINEAR_VARIANCE = 100.0
STRENGTHS = (0.06, 0.16, 0.4, 0.8)
NOISES = (1e-2, 1.0)
LEAST_WEIGHT = 1e-2


@dataclass(frozen=True)
class SmoothGame:
    r"""Mean of a Gaussian process for the difference of a coalition and its complement.

    Over signs :math:`z \in \{-1, 1\}^d` the covariance is, with strengths
    :math:`\rho_i \in (0, 1)` and :math:`\lambda_i = \operatorname{artanh} \rho_i`,

    .. math:: k(z, z') = \frac{c}{d} \sum_i z_i z'_i
              + \frac{\sinh \sum_i \lambda_i z_i z'_i}{\sinh \sum_i \lambda_i}.

    The second term is the odd part of a product over the features: it gives the interaction of
    an odd set :math:`T` of features a prior variance proportional to
    :math:`\prod_{i \in T} \rho_i`. Even ones cancel in the difference. The Shapley value of
    :math:`\prod_{i \in T} z_i`, taken as a difference, is :math:`1 / |T|` for each member, and
    :math:`1 / |T| = \int_0^1 q^{|T| - 1} dq`, so those of the covariance as a function of
    :math:`z` are polynomial integrals, which Gauss-Legendre nodes take exactly.

    Attributes
    ----------
    centres
        Signs of the pairs that it was fitted to.
    coefficients
        Weight of each centre's covariance.
    strengths
        :math:`\rho`, how readily each feature takes part in interactions.
    """

    centres: Float[Tensor, "t d"]
    coefficients: Float[Tensor, "t c"]
    strengths: Float[Tensor, " d"]

    def values(self, signs: Float[Tensor, "p d"]) -> Float[Tensor, "p c"]:
        """Differences that the process expects."""
        return torch.cat([
            covariance(part, self.centres, self.strengths) @ self.coefficients
            for part in signs.split(CHUNK_ROWS)
        ])

    @property
    def shapley(self) -> Float[Tensor, "d c"]:
        """Shapley values of the game, whose sum is its value at all ones."""
        return covariance_shapley(self.centres, self.strengths).T @ self.coefficients


def covariance(
    first: Float[Tensor, "p d"], second: Float[Tensor, "t d"], strengths: Float[Tensor, "*g d"]
) -> Float[Tensor, "*g p t"]:
    """Prior covariance of the differences of two sets of pairs, see ``SmoothGame``."""
    slopes = torch.atanh(strengths)[..., None, :]
    total = slopes.sum(-1, keepdim=True)
    x = (first * slopes) @ second.T
    odd = ((x - total).exp() - (-x - total).exp()) / -torch.expm1(-2 * total)
    return LINEAR_VARIANCE / first.shape[1] * first @ second.T + odd


def covariance_shapley(
    centres: Float[Tensor, "t d"], strengths: Float[Tensor, " d"]
) -> Float[Tensor, "t d"]:
    r"""Shapley values of the covariance with each centre, as a game of the other argument.

    With :math:`u_i = \rho_i z_i`, those of the second term are, up to its scale,
    :math:`\frac{u_i}{2} \int_{-1}^1 \prod_{j \ne i} (1 + q u_j) dq`.
    """
    d = centres.shape[1]
    nodes, weights = np.polynomial.legendre.leggauss((d + 1) // 2)
    u = centres * strengths
    integral = torch.zeros_like(u)
    for node, weight in zip(nodes.tolist(), weights.tolist(), strict=True):
        logs = torch.log1p(node * u)
        others = logs.sum(1, keepdim=True) - logs - torch.log1p(strengths).sum()
        integral += weight * others.exp()
    scale = -torch.expm1(-2 * torch.atanh(strengths).sum())
    return LINEAR_VARIANCE / d * centres + u * integral / scale


def fit_smooth_game(
    signs: Float[Tensor, "t d"], differences: Float[Tensor, "t c"], outputs: Int[Tensor, " o"]
) -> SmoothGame:
    r"""Fit the process to every column, its strengths and its noise to those of ``outputs``.

    Strengths are :math:`\rho\, |\beta_i|^{1/2}`, where :math:`\beta` are the main effects of a
    ridge regression, scaled to a largest one of 1; :math:`\rho` and the variance of what is too
    rough to be fitted are chosen by the marginal likelihood, with a scale for each output.
    At most ``MAX_TRAINING`` pairs are used, spread evenly over those given.
    """
    chosen = evenly(len(signs), MAX_TRAINING)
    signs, differences = signs[chosen], differences[chosen]
    few = evenly(len(signs), MAX_CHOOSING)
    relative = importance(signs, differences[:, outputs])
    choices = torch.tensor(STRENGTHS, dtype=torch.float64)[:, None] * relative  # (g, d)
    likely = log_likelihood(
        covariance(signs[few], signs[few], choices), differences[few][:, outputs]
    )  # (g, noises)
    best, noise = divmod(int(likely.argmax()), len(NOISES))
    noisy = covariance(signs, signs, choices[best])
    noisy.diagonal().add_(NOISES[noise])
    coefficients = torch.cholesky_solve(differences, torch.linalg.cholesky(noisy))
    return SmoothGame(signs, coefficients, choices[best])


def evenly(n: int, at_most: int) -> Int[Tensor, " t"]:
    """Positions of at most so many of ``n``, spread evenly."""
    return torch.linspace(0, n - 1, min(n, at_most)).round().long()


def importance(
    signs: Float[Tensor, "t d"], differences: Float[Tensor, "t k"]
) -> Float[Tensor, " d"]:
    """Square roots of the main effects' sizes, the largest being 1."""
    t, d = signs.shape
    normal = signs.T @ signs + 1e-3 * t * torch.eye(d, dtype=torch.float64)
    size = torch.linalg.solve(normal, signs.T @ differences).norm(dim=1)
    largest = size.max()
    return (size / largest).clamp(min=LEAST_WEIGHT).sqrt() if largest > 0 else torch.ones_like(size)


def log_likelihood(
    covariances: Float[Tensor, "g t t"], values: Float[Tensor, "t k"]
) -> Float[Tensor, "g e"]:
    """Log marginal likelihood of covariances and ``NOISES``, at the best scale of each output."""
    t = len(values)
    noise = torch.tensor(NOISES, dtype=torch.float64)[:, None, None] * torch.eye(t).double()
    roots = torch.linalg.cholesky(covariances[:, None] + noise)
    white = torch.linalg.solve_triangular(
        roots, values.expand(*roots.shape[:2], -1, -1), upper=False
    )
    scales = white.square().mean(2)  # (g, e, k)
    logs = torch.where(scales > 0, scales.log(), 0.0).sum(-1)
    moved = (values != 0).any(0).sum()
    return -0.5 * t * logs - moved * roots.diagonal(dim1=2, dim2=3).log().sum(-1)
