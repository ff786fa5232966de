"""How strong a noise has to be for near-copies to end up at a tolerance."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

PILOT = (0.05, 0.2)
LEAST, MOST = 1e-4, 8.0
ROUNDS = 6
MOST_LOOKS = len(PILOT) + math.ceil(math.log2(MOST / PILOT[-1])) + 2 * ROUNDS
DOUBLINGS, HALVINGS = 3, 12
CLOSE = 0.2
# Share of near-copies that should be admitted at the tolerance that a strength is made for.
WITHIN = 0.6


@dataclass
class Calibration:
    r"""Excess losses that were seen at some strengths, and the strength for a tolerance.

    For small noise with variance :math:`v` the excess loss grows in proportion,
    :math:`\Delta L \approx c v`, for each near-copy with a :math:`c` of its own. The reach of a
    strength is what most of the near-copies there stay within, a fixed quantile that skew does not
    move as it moves a mean; the strength for a tolerance is the one that reaches it, so that
    candidates fall on both sides. Between and beyond strengths that were tried the reach is taken
    for a power of the strength, which follows networks farther than their second order.

    References
    ----------
    For a linear model with squared loss the mean is exact: :math:`E[\Delta L] = v \, \mathrm{tr}
    \, T` with :math:`T = \mathrm{diag}(w) X'X \mathrm{diag}(w) / n`.
    """

    excess_of: Callable[[float], Float[Tensor, " b"]]
    reaches: dict[float, float] = field(default_factory=dict)

    def look(self, strength: float) -> float:
        """Try near-copies at a strength; return what they reach."""
        if strength not in self.reaches:
            excess = self.excess_of(strength)
            reach = float(excess.quantile(WITHIN))
            self.reaches[strength] = reach if math.isfinite(reach) else math.inf
        return self.reaches[strength]

    def strength(self, tolerance: float) -> float:
        """Return the strength at which near-copies reach a tolerance, by what was seen."""
        seen = sorted((s, r) for s, r in self.reaches.items() if 0 < r < math.inf)
        if not seen:
            return max(self.reaches)
        above = next((i for i, (_, reach) in enumerate(seen) if reach > tolerance), len(seen) - 1)
        pair = seen[max(0, above - 1) : max(0, above - 1) + 2]
        (s0, r0), (s1, r1) = pair[0], pair[-1]
        # Twice the strength, four times the loss, where nothing else is known.
        power = math.log(s1 / s0) / math.log(r1 / r0) if r1 > r0 and s1 > s0 else 0.5
        near, reached = (s0, r0) if tolerance <= r0 else (s1, r1)
        found = near * (tolerance / reached) ** min(1.0, max(0.1, power))
        return min(MOST, max(LEAST, found))


def calibrate(
    excess_of: Callable[[float], Float[Tensor, " b"]], tolerances: tuple[float, ...]
) -> Calibration:
    """Try two strengths, then those that the tolerances seem to need, until they are met.

    Parameters
    ----------
    excess_of
        Excess loss of the same few members at a strength.
    tolerances
        Above 0; the smallest and the largest are aimed at.
    """
    found = Calibration(excess_of)
    for strength in PILOT:
        found.look(strength)
    while max(found.reaches.values()) <= tolerances[-1] and max(found.reaches) < MOST:
        found.look(2 * max(found.reaches))
    for tolerance in (tolerances[-1], tolerances[0]):
        for _ in range(ROUNDS):
            reach = found.look(found.strength(tolerance))
            if abs(reach / tolerance - 1) <= CLOSE:
                break
    return found


def push(
    excess_of: Callable[[Float[Tensor, " b"]], Float[Tensor, " b"]],
    targets: Float[Tensor, " b"],
) -> Float[Tensor, " b"]:
    """Return how far members may go on their ways until their loss reaches a target.

    All at once: each way is doubled while its loss stays within the target, then halved between
    what is within and what is not. What is returned was evaluated and is within, or 0.

    Parameters
    ----------
    excess_of
        Excess loss of the members at stretches.
    targets
        By member; 0 or more.
    """
    within = torch.zeros_like(targets)
    beyond = torch.ones_like(targets)
    inside = torch.ones_like(targets, dtype=torch.bool)
    for _ in range(DOUBLINGS):
        inside &= excess_of(beyond) <= targets
        within = torch.where(inside, beyond, within)
        beyond = torch.where(inside, 2 * beyond, beyond)
    for _ in range(HALVINGS):
        middle = (within + beyond) / 2
        fits = excess_of(middle) <= targets
        within, beyond = torch.where(fits, middle, within), torch.where(fits, beyond, middle)
    return within
