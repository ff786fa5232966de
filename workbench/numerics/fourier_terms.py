"""Waves that a function of two numbers modulo p is made of."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from workbench.core.errors import InvalidInputError

# A spread below this share of the size of a function is what rounding leaves.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Wave:
    r"""A wave :math:`\cos(2\pi(ax + by)/p + \varphi)` in a function of x and y.

    Attributes
    ----------
    x, y
        Its frequencies a and b; the first that is not 0 is positive.
    cosine
        Share of the wave's energy that is its cosine; the rest is its sine.
    share
        Of the function's variance that is this wave's, cosine and sine together. Two features of
        equal importance may be turned into each other, which moves a wave along but keeps its
        share.
    """

    x: int
    y: int
    cosine: float
    share: float

    @property
    def label(self) -> str:
        """The wave in words, such as ``cos 5(x + y)``: by the greater of cosine and sine.

        Examples
        --------
        >>> Wave(x=5, y=5, cosine=0.9, share=1.0).label
        'cos 5(x + y)'
        """
        a, b = self.x, self.y
        if not b:
            angle = f"{_times(a)}x"
        elif not a:
            angle = f"{_times(b)}y"
        elif abs(b) == a:
            angle = f"{_times(a)}(x {_sign(b)} y)"
        else:
            angle = f"({_times(a)}x {_sign(b)} {_times(abs(b))}y)"
        return f"{'cos' if self.cosine >= 0.5 else 'sin'} {angle}"


@dataclass(frozen=True, eq=False)
class GridFeature:
    """A feature of a layer as a function of the two numbers.

    Attributes
    ----------
    number
        1 for the strongest of its layer.
    position
        Of the token at which it is looked at: that where it varies most.
    grid
        Its values by x (rows) and y (columns).
    waves
        The strongest, first that which holds most; none where it is constant.
    """

    layer: str
    number: int
    importance: float
    position: int
    grid: Float[np.ndarray, "p p"]
    waves: tuple[Wave, ...]

    @property
    def label(self) -> str:
        """Its strongest wave and what that holds, such as ``cos 5(x + y) 97 %``."""
        if not self.waves:
            return "no wave"
        return f"{self.waves[0].label} {100 * self.waves[0].share:.0f} %"


def waves_of(grid: Float[np.ndarray, "p p"]) -> list[Wave]:
    r"""Take a function of two numbers modulo p apart into waves, the strongest first.

    With :math:`G` the discrete Fourier transform of the values around their mean, the wave of
    frequencies :math:`(a, b)` and :math:`(-a, -b)` holds

    .. math:: 2\,|G_{ab}|^2 \Big/ \sum_{a'b'} |G_{a'b'}|^2

    of the variance; all waves together hold all of it.

    Parameters
    ----------
    grid
        Values by x (rows) and y (columns).

    Returns
    -------
    No wave of a function that is constant, rounding aside.

    Raises
    ------
    InvalidInputError
        If p is even: then some waves are their own mirror image.
    """
    p = len(grid)
    if p % 2 == 0:
        raise InvalidInputError(f"Waves are told apart for odd p alone, got p={p}.")
    transform = np.fft.fft2(grid - grid.mean()) / p**2
    energy = np.abs(transform) ** 2
    energy[0, 0] = 0.0
    total = energy.sum()
    if total <= (ROUNDING * np.abs(grid).max()) ** 2:
        return []
    half = p // 2
    mirrored = [(0, b) for b in range(1, half + 1)]
    mirrored += [(a, b) for a in range(1, half + 1) for b in range(-half, half + 1)]
    mirrored.sort(key=lambda at: -energy[at])
    return [
        Wave(a, b, float(transform[a, b].real ** 2 / energy[a, b]), float(2 * energy[a, b] / total))
        for a, b in mirrored
        if energy[a, b] > 0
    ]


def _times(count: int) -> str:
    return "" if count == 1 else str(count)


def _sign(value: int) -> str:
    return "+" if value > 0 else "-"
