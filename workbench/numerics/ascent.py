"""Weights that raise a value as far as a loss allows, by gradient ascent of many at once."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

STEPS = 200
GROWTH, SHRINKAGE = 1.5, 0.5
# A step that shrank to this share of the first one is at its end.
LEAST = 1e-3

Rise = Callable[[Float[Tensor, "b p"]], tuple[Float[Tensor, " b"], Float[Tensor, "b p"]]]
Excess = Callable[[Float[Tensor, "b p"]], Float[Tensor, " b"]]


def ascend(
    rise: Rise, excess: Excess, start: Float[Tensor, "b p"], tolerance: float,
    *, first: float, steps: int = STEPS,
) -> Float[Tensor, "b p"]:  # fmt: skip
    r"""Climb along the slope of each value while the excess loss is within a tolerance.

    A step :math:`\theta + a \nabla v / \lVert \nabla v \rVert` is taken if it raises the value and
    stays within; the next is half as long again. One that does not is tried at half its length. A
    climb ends after ``steps`` tries, or when its steps are a thousandth of the first. What comes
    out was evaluated and is within, if the start is.

    Parameters
    ----------
    rise
        Value of each at its weights (as moves from the given ones), and its slope.
    excess
        Excess loss of each.
    first
        Length of the first step.

    References
    ----------
    Hsu and Calmon (2022), Rashomon Capacity, Sec. 4, climb by stochastic gradients and stop at the
    first step that leaves the set.
    """
    here, (value, slope) = start, rise(start)
    pace = torch.full_like(value, first)
    for _ in range(steps):
        climbing = pace > LEAST * first
        if not climbing.any():
            break
        size = slope.norm(dim=1).clamp(min=torch.finfo(slope.dtype).tiny)
        there = here + (pace / size)[:, None] * slope
        new, new_slope = rise(there)
        taken = climbing & (new > value) & (excess(there) <= tolerance).to(climbing.device)
        here = torch.where(taken[:, None], there, here)
        value, slope = torch.where(taken, new, value), torch.where(taken[:, None], new_slope, slope)
        pace = pace * torch.where(taken, GROWTH, SHRINKAGE)
    return here
