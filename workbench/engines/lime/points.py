"""Points in the unit cube that are spread evenly where it counts."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.special import ndtr, ndtri
from torch.quasirandom import SobolEngine

TINY = 1e-12


@dataclass(frozen=True)
class Axes:
    """Directions among the numbers, those in which a model's answers change most first.

    Attributes
    ----------
    numbers
        Which features they are about.
    turn
        One direction in each column.
    leading
        How many of them matter more than the others.
    """

    numbers: Int[np.ndarray, " n"]
    turn: Float[np.ndarray, "n n"]
    leading: int


def uniform(sequence: SobolEngine, m: int, axes: Axes | None) -> Float[np.ndarray, "m d"]:
    """Draw the next points, each of them uniform.

    Points of a scrambled Sobol sequence are spread more evenly than independent ones, in pairs of
    coordinates as well. As normal numbers they can be turned, and remain independent and normal.
    With axes the first coordinates are laid along the leading ones, and every point comes with
    another that is mirrored in all but these: if the answers depended on the leading directions
    alone, the others would get exactly nothing.

    References
    ----------
    Owen (1998), Scrambling Sobol' and Niederreiter-Xing Points; Imai and Tan (2006), A General
    Dimension Reduction Technique for Derivative Pricing.
    """
    if axes is None:
        return sequence.draw(m, dtype=torch.float64).numpy().clip(TINY, 1 - TINY)
    u = sequence.draw((m + 1) // 2, dtype=torch.float64).numpy()
    normal = ndtri(u.clip(TINY, 1 - TINY))
    mirrored = -normal
    leading = axes.numbers[: axes.leading]
    mirrored[:, leading] = normal[:, leading]
    both = np.stack([normal, mirrored], 1).reshape(-1, u.shape[1])[:m]
    both[:, axes.numbers] = both[:, axes.numbers] @ axes.turn.T
    return ndtr(both).clip(TINY, 1 - TINY)


def find_axes(
    u: Float[np.ndarray, "m d"], answers: Float[np.ndarray, "m k"], numbers: Int[np.ndarray, " n"]
) -> Axes:
    """Find the directions in which a linear model of the answers changes most.

    The others complete them by reflections, so that all change little where the answers do.
    """
    normal = ndtri(u)
    slopes = np.linalg.lstsq(normal - normal.mean(0), answers - answers.mean(0))[0]
    leading = min(max(1, answers.shape[1] - 1), len(numbers) - 1)
    found = np.linalg.svd(slopes[numbers])[0][:, :leading]
    return Axes(numbers, np.linalg.qr(found, mode="complete")[0], leading)
