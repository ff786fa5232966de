"""How far to go in many directions until the loss is that of a tolerance."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

# A step whose excess loss is within this share of the tolerance is at the boundary.
CLOSE = 1e-3
MOST_GROWTH = 4.0
ROUNDS = 25


def steps_to_boundary(
    excess: Callable[[Float[Tensor, " b"]], Float[Tensor, " b"]],
    tolerance: float,
    guess: Float[Tensor, " b"],
    *,
    rounds: int = ROUNDS,
) -> tuple[Float[Tensor, " b"], Float[Tensor, " b"]]:
    r"""Seek the step at which each direction's excess loss reaches the tolerance.

    Near a minimum the excess grows like the square of the step, which gives the next guess
    :math:`t \sqrt{\epsilon / e(t)}`; it is taken where it lies between the largest step known to
    be within and the smallest known to be beyond, and else their middle. All directions take
    their rounds together.

    Parameters
    ----------
    excess
        Excess loss of all directions, each at its own step.
    guess
        Positive first steps.

    Returns
    -------
    The largest steps that were seen to be within the tolerance, 0 where none was, and the excess
    loss there.
    """
    within, beyond = torch.zeros_like(guess), torch.full_like(guess, torch.inf)
    at_within, step = torch.zeros_like(guess), guess
    for _ in range(rounds):
        found = excess(step)
        inside = found <= tolerance
        at_within = torch.where(inside & (step > within), found, at_within)
        within = torch.where(inside, torch.maximum(within, step), within)
        beyond = torch.where(inside, beyond, torch.minimum(beyond, step))
        near = (at_within >= (1 - CLOSE) * tolerance) & (within > 0)
        if bool((near | (beyond - within <= CLOSE * within)).all()):
            break
        share = (tolerance / found.clamp(min=1e-12)).sqrt().clamp(1 / MOST_GROWTH, MOST_GROWTH)
        # Aim a little inside, so that a good guess ends the search.
        next_step = step * share * (1 - CLOSE / 4)
        middle = torch.where(beyond.isinf(), MOST_GROWTH * within, (within + beyond) / 2)
        next_step = torch.where((next_step > within) & (next_step < beyond), next_step, middle)
        step = torch.where(near, within, next_step)
    return within, at_within
