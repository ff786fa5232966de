"""Samples around rows by four operators, with what is drawn the same for every row."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy import stats
from torch import Tensor

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.local_functions import Operator
from workbench.engines.lfa.explanations import draw_resampled, resample
from workbench.engines.lfa.lines import equal_weights
from workbench.engines.lfa.masks import (
    Design,
    exponential_sizes,
    make_design,
    shapley_sizes,
    single_sizes,
)
from workbench.engines.lfa.scene import Scene

# Opposite moves halve what is known about other coefficients than odd ones: with fewer samples for
# each coefficient than this, moves are drawn one by one.
AMPLE = 4
MOVES, WAY, KEPT, COALITIONS = 1, 2, 3, 4


class Look(NamedTuple):
    """Samples of some rows: interpretable values, answers, and which features vary at all.

    Interpretable values that all rows share are held once.
    """

    z: Float[Tensor, "r m d"]
    answers: Float[Tensor, "n m k"]
    varies: Bool[Tensor, "n d"]


def _none() -> Tensor:
    return torch.zeros(0, dtype=torch.int64)


@dataclass(frozen=True)
class Together:
    """Which samples were drawn together; those named nowhere were listed and not drawn.

    Attributes
    ----------
    first, second
        Positions of samples and of their partners; without partners each was drawn alone.
    sign
        1 for opposites, whose errors add up; -1 for neighbours of a stratified draw, whose
        difference shows the error of both (collapsed strata).
    """

    first: Int[Tensor, " h"] = field(default_factory=_none)
    second: Int[Tensor, " g"] = field(default_factory=_none)
    sign: float = 1.0

    def variance(
        self, influence: Float[Tensor, "nr nk p m"], errors: Float[Tensor, "n k m"]
    ) -> Float[Tensor, "n k p"]:
        r"""Return :math:`\sum_{(a, b)} (A_{pa} e_a \pm A_{pb} e_b)^2`.

        References
        ----------
        Cochran (1977), Sampling Techniques, Ch. 5A, for collapsed strata.
        """
        one, e = influence[..., self.first], errors[..., self.first]
        found = apply(one**2, e**2)
        if len(self.second):
            other, f = influence[..., self.second], errors[..., self.second]
            found = found + apply(other**2, f**2) + 2 * self.sign * apply(one * other, e * f)
        return found.clamp(min=0)


def apply(
    influence: Float[Tensor, "nr nk p m"], y: Float[Tensor, "n k m"]
) -> Float[Tensor, "n k p"]:
    """Multiply the values of every row and output by their matrix, or by the one of all."""
    if influence.shape[:2] == (1, 1):
        return y @ influence[0, 0].T
    return (influence @ y[..., None])[..., 0]


@dataclass(frozen=True)
class Neighbourhood:
    """Samples of one neighbourhood, before any row is known.

    Attributes
    ----------
    weights
        Of the samples; they add up to 1.
    is_exact
        Every sample that there can be is here: nothing was drawn.
    look
        Makes the samples of rows and asks the model about them.
    slopes
        Returns the change of the outputs with each interpretable value, ``[n, m, d, k]``; None
        where these values are not continuous.
    """

    weights: Float[Tensor, " m"]
    together: Together
    look: Callable[[Tensor], Look]
    slopes: Callable[[Tensor], Tensor] | None = None
    is_exact: bool = False

    def __len__(self) -> int:
        return len(self.weights)


def make_neighbourhood(
    scene: Scene, operator: Operator, law: str, scale: float, m: int, context: Context, *,
    address: int, coefficients: int,
) -> Neighbourhood:  # fmt: skip
    """Draw a neighbourhood; another scale at the same address takes the same random numbers.

    Parameters
    ----------
    m
        About how many samples.
    coefficients
        How many are to be fitted.
    """
    if operator == "add":
        return _moves(scene, law, scale, m, context.stream(address, MOVES), coefficients)
    if operator == "scale":
        return _way(scene, scale, m, context.stream(address, WAY))
    if operator == "resample":
        return _resampling(scene, scale, m, context.stream(address, KEPT))
    d = len(scene.spread)
    sizes = sizes_of(law, d, scale)
    return removals(scene, make_design(d, m, sizes, context.stream(address, COALITIONS)), sizes)


def most_samples(operator: Operator, d: int, m: int) -> int:
    """Return how many samples ``make_neighbourhood`` makes at most."""
    if operator != "mask":
        return m + 1
    return int(min(2.0**d, max(m, 2 * d + 2) + 1))


def _moves(
    scene: Scene, law: str, scale: float, m: int, generator: np.random.Generator,
    coefficients: int,
) -> Neighbourhood:  # fmt: skip
    """Move numbers, each move followed by its opposite where there are enough samples."""
    d = len(scene.spread)
    paired = m >= AMPLE * coefficients
    shape = ((m + 1) // 2, d) if paired else (m, d)
    if law == "normal":
        drawn = generator.standard_normal(shape)
    else:  # of the same standard deviation
        drawn = 3**0.5 * (2 * generator.random(shape) - 1)
    steps = torch.from_numpy(scale * drawn) * scene.moves
    together = Together(torch.arange(len(steps)))
    if paired:
        steps = torch.stack([steps, -steps], 1).flatten(0, 1)
        order = torch.arange(len(steps))
        together = Together(order[::2], order[1::2])

    def look(X: Tensor) -> Look:
        return Look(steps[None], scene.ask(scene.moved(X, steps)), scene.known(X))

    def slopes(X: Tensor) -> Tensor:
        found = scene.slopes(scene.moved(X, steps))
        return found * scene.known(X)[:, None, :, None]

    return Neighbourhood(equal_weights(len(steps)), together, look, slopes)


def _way(scene: Scene, scale: float, m: int, generator: np.random.Generator) -> Neighbourhood:
    """Go from the row towards the reference: one place in each of as many equal parts."""
    m += m % 2
    places = 1 - scale * torch.from_numpy((np.arange(m) + generator.random(m)) / m)

    def look(X: Tensor) -> Look:
        z = places[None, :, None].expand(1, -1, X.shape[1])
        return Look(z, scene.ask(scene.way(scene.model.encode(X), places)), scene.differs(X))

    def slopes(X: Tensor) -> Tensor:
        ends = scene.model.encode(X)
        return scene.contributions(scene.way(ends, places), ends)

    order = torch.arange(m)
    together = Together(order[::2], order[1::2], sign=-1.0)
    return Neighbourhood(equal_weights(m), together, look, slopes)


def _resampling(
    scene: Scene, share: float, m: int, generator: np.random.Generator
) -> Neighbourhood:
    """Give each feature the value of another row with some probability."""
    drawn = draw_resampled(scene, generator, m, share)

    def look(X: Tensor) -> Look:
        alike, answers = resample(scene, X, *drawn)
        return Look(alike, answers, (alike < 1).any(1))

    return Neighbourhood(equal_weights(m), Together(torch.arange(m)), look)


def sizes_of(law: str, d: int, width: float) -> Float[Tensor, " sizes"]:
    """Return the probability of each size ``0 … d`` of coalitions under a law."""
    if law == "exponential":
        return exponential_sizes(d, width)
    if law == "even":
        return torch.from_numpy(stats.binom.pmf(np.arange(d + 1), d, 0.5))
    # Of one feature alone both ends are all that the Shapley kernel has.
    return shapley_sizes(d) if law == "shapley" and d > 1 else single_sizes(d)


def removals(scene: Scene, design: Design, sizes: Float[Tensor, " sizes"]) -> Neighbourhood:
    """Replace features by those of the reference row; the first two samples replace all, none."""

    def look(X: Tensor) -> Look:
        return Look(design.masks.double()[None], scene.removed(X, design.masks), scene.differs(X))

    together = Together(design.first, design.second)
    return Neighbourhood(design.weights(sizes), together, look, is_exact=design.is_exact)


def check_operator(scene: Scene, operator: Operator) -> None:
    """Refuse to move the numbers of a table that has none.

    Raises
    ------
    InvalidInputError
        Naming operators that need none.
    """
    if operator == "add" and not bool(scene.moves.any()):
        raise InvalidInputError(
            "Operator 'add' moves numbers, and no number varies among the background rows; choose "
            "operator 'mask' or 'resample', or another background."
        )
