"""Random numbers of near-copies, each at an address of its own."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.core.counter_rng import stream

Law = Literal["gaussian", "bernoulli"]
# The first part of every address here, so that no other numbers of a run are drawn again.
NEAR_COPIES = 0x5EED


def draw(
    law: Law, seed: int, place: int, numbers: Int[Tensor, " b"], size: int
) -> Float[Tensor, "b s"]:
    """Draw standard normal numbers, or numbers uniform on [0, 1), for members by number.

    What a member gets depends on seed, place and its number alone. Single precision on the CPU
    whatever the model's, so that a model in double precision has the same members.

    Parameters
    ----------
    place
        Which tensor of the network the numbers are for.
    """
    found = np.empty((len(numbers), size), dtype=np.float32)
    for row, number in zip(found, numbers.tolist(), strict=True):
        rng = stream(seed, NEAR_COPIES, place, number)
        fill: Callable[..., object] = rng.standard_normal if law == "gaussian" else rng.random
        fill(dtype=np.float32, out=row)
    return torch.from_numpy(found)


def deviations(
    law: Law, drawn: Float[Tensor, "b s"], strengths: Float[Tensor, " b"]
) -> Float[Tensor, "b s"]:
    r"""Return a multiplicative noise less its mean of 1, with standard deviation ``strengths``.

    Gaussian: :math:`u - 1 = s z`. Bernoulli: :math:`u = 1[U \ge p] / (1 - p)`, whose variance is
    :math:`p / (1 - p)`, so the rate is :math:`p = s^2 / (1 + s^2)`.

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014), Dropout: A Simple Way to
    Prevent Neural Networks from Overfitting, Sec. 10 (both laws).
    """
    s = strengths.to(drawn)[:, None]
    if law == "gaussian":
        return s * drawn
    odds = s.square()
    return (drawn >= odds / (1 + odds)) * (1 + odds) - 1
