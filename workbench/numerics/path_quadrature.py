"""Integrals along a path by few points, and how far they may be off."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

# Null rules behind an error: more settle it better, fewer look at finer detail.
MOST_RULES = 8
# How far the integral of a jump is off, for each unit of what a null rule makes of it.
SHARE = 4 * 2**0.5 / (3 * np.pi)


class PathQuadrature(NamedTuple):
    r"""Points on :math:`[0, 1]`, and rules to add up what is found there.

    Attributes
    ----------
    places
        Where to look, ``[q]``.
    rules
        The first are the weights of the integral; the others are null rules, which are 0 for
        every polynomial below their degree, so that only what is too rough for the points
        answers them.
    """

    places: Float[Tensor, " q"]
    rules: Float[Tensor, "1+r q"]

    @property
    def dof(self) -> float:
        """Degrees of freedom behind ``errors_of``."""
        return float(len(self.rules) - 1)


def gauss_legendre(n: int) -> PathQuadrature:
    r"""Return Gauss-Legendre quadrature with ``n`` points, at least 2, and its null rules.

    A null rule has the weights :math:`w_q P_m(x_q)` with one of the Legendre polynomials of the
    highest degrees :math:`m < n`, scaled to the norm of :math:`w`.

    References
    ----------
    Lyness (1965), Symmetric integration rules for hypercubes III: construction of integration
    rules using null rules.
    """
    nodes, weights = np.polynomial.legendre.leggauss(n)
    n_rules = min(MOST_RULES, max(1, n // 3))
    high = np.polynomial.legendre.legvander(nodes, n - 1)[:, -n_rules:].T * weights  # (r, q)
    high *= np.linalg.norm(weights) / np.linalg.norm(high, axis=1, keepdims=True)
    rules = np.concatenate([weights[None], high]) / 2
    return PathQuadrature(torch.from_numpy((1 + nodes) / 2), torch.from_numpy(rules))


def errors_of(nulls: Float[Tensor, "n r *rest"]) -> Float[Tensor, "n *rest"]:
    r"""Return the standard error of integrals from what the null rules make of the same points.

    .. math:: \hat\sigma^2 = \Big(\frac{4 \sqrt 2}{3 \pi}\Big)^2 \cdot \frac1r \sum_{m}
        \Big(\sum_q u_{mq}\, g(x_q)\Big)^2

    It is meant for a :math:`g` with jumps, as the slopes of a piecewise linear network have. For
    a jump of one unit that may lie anywhere, and many points :math:`x = \cos\theta`, the weights
    go as :math:`\sin\theta`, and an integral is off by that over :math:`\sqrt{12}`; the null
    rules go as :math:`\sqrt{\sin\theta}` and change their sign from point to point, so that they
    answer with half of it. The factor is the ratio of the two in root mean square, and 2 to 7 %
    less would do for 6 to 24 points. A smooth integrand is far more exact than that: its error is
    overstated, and tiny.
    """
    return SHARE * nulls.square().mean(1).sqrt()
