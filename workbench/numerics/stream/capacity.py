"""Rashomon capacity: how many answers the models of a set tell apart, row by row."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

GAP = 1e-3
MOST_ROUNDS = 2000
_LN2 = math.log(2)
_TINY = 1e-300


def binary_capacity(low: Float[Tensor, "*n"], high: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    r"""Return the capacity of models whose probabilities of one of two classes span a range.

    Only the two ends matter. With :math:`h` the binary entropy in bits, :math:`a < b` the ends,

    .. math:: I^* = \frac{a h(b) - b h(a)}{b - a}
        + \log_2\!\left(1 + 2^{(h(a) - h(b)) / (b - a)}\right),
        \qquad C = 2^{I^*}.

    Where the ends almost meet the formula cancels, and its limit :math:`(b - a)^2 / (8 m (1 - m)
    \ln 2)` with :math:`m` the middle takes its place. From 1 (one answer) to 2.

    References
    ----------
    Hsu and Calmon (2022), Rashomon Capacity: A Metric for Predictive Multiplicity in
    Classification, Definition 2; the closed form is the capacity of a binary channel.
    """
    a, b = low.double(), high.double()
    width, middle = b - a, (a + b) / 2
    safe = torch.where(width == 0, 1.0, width)  # NaN stays so
    h_a, h_b = _entropy(a), _entropy(b)
    bits = (a * h_b - b * h_a) / safe + torch.log1p(2 ** ((h_a - h_b) / safe)) / _LN2
    room = middle * (1 - middle)
    limit = width.square() / (8 * _LN2 * torch.where(room > 0, room, 1.0))
    bits = torch.where(width < 1e-4 * room, limit, bits)
    return 2 ** torch.where(width == 0, 0.0, bits.clamp(0, 1))


def capacity(channels: Float[Tensor, "r m k"], *, gap: float = GAP) -> Float[Tensor, " r"]:
    r"""Return the capacity of models that each say a distribution over ``k`` classes.

    .. math:: C = 2^{I^*}, \qquad I^* = \max_w \sum_m w_m \, D(p_m \| \textstyle\sum_j w_j p_j)

    in bits, by Blahut and Arimoto's ascent :math:`w_m \propto w_m 2^{s D_m}`. For any weights
    the mean of the divergences is a lower bound and their largest an upper one; a row is done
    when these are ``gap`` bits apart, and what is returned lies in the middle. Steps :math:`s`
    grow while the lower bound does: models that say almost the same would take forever at 1.

    References
    ----------
    Arimoto (1972), An algorithm for computing the capacity of arbitrary discrete memoryless
    channels; Blahut (1972), Computation of channel capacity and rate-distortion functions. Longer
    steps: Matz and Duhamel (2004), Information geometric formulation and interpretation of
    accelerated Blahut-Arimoto-type algorithms.
    """
    p = channels.double()
    r, m, _ = p.shape
    weights = p.new_full((r, m), 1 / m)
    lower, divergences = _bounds(p, weights)
    step = p.new_ones(r)
    for _ in range(MOST_ROUNDS):
        open_ = (divergences.amax(1) - lower > gap).nonzero()[:, 0]
        if not len(open_):
            break
        growth = step[open_, None] * (divergences[open_] - lower[open_, None])
        tried = weights[open_] * torch.exp2(growth.clamp(max=100))
        tried = tried / tried.sum(1, keepdim=True)
        better, found = _bounds(p[open_], tried)
        rises = better >= lower[open_]
        taken = open_[rises]
        weights[taken], divergences[taken] = tried[rises], found[rises]
        lower[taken] = better[rises]
        step[open_] *= torch.where(rises, 1.5, 0.4)
    return 2 ** ((lower + divergences.amax(1)) / 2).clamp(min=0)


def _bounds(
    p: Float[Tensor, "r m k"], weights: Float[Tensor, "r m"]
) -> tuple[Float[Tensor, " r"], Float[Tensor, "r m"]]:
    """Divergences of models from the mixture in bits, and their weighted mean."""
    mixture = torch.einsum("rm,rmk->rk", weights, p)
    logs = torch.log2(p.clamp(min=_TINY)) - torch.log2(mixture.clamp(min=_TINY))[:, None]
    divergences = (p * logs).sum(2)
    return (weights * divergences).sum(1), divergences


def _entropy(p: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    return -(torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p)) / _LN2
