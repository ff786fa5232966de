"""Eight explanations, and one for categories, as fits of a linear function to one set of samples.

Each is a choice of what is drawn around the row and of a loss (Han, Srinivas and Lakkaraju 2022,
Table 1); for a linear function all have a closed form, and what is left is the error of the
samples, which is reported. Samples are the same for all rows and shared among methods.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from workbench.core.context import Context
from workbench.core.faithfulness import Type
from workbench.core.model import Model
from workbench.engines.lfa.lines import design_errors, line, shares
from workbench.engines.lfa.masks import (
    Design,
    exponential_sizes,
    make_design,
    shapley_sizes,
    single_sizes,
)
from workbench.engines.lfa.params import NeighbourhoodParams
from workbench.engines.lfa.scene import Scene
from workbench.numerics.differentiated import passes
from workbench.numerics.local_fit import centred, raw_moments, ridge, std_errors

# For so many coalitions the other methods get one sample, so that all eight take about a fifth
# more passes than the most expensive one; and so many at least.
SHARE, FEWEST = 24, 128
NODES = 24
# A resampled fit has no penalty, but a feature that never changes has to have a coefficient: 0.
TINY = 1e-9
# Addresses of random numbers.
MASKS, STEPS, KEPT, HELDOUT = 0, 1, 2, 100
TYPES: dict[str, Type] = {
    "lime": "contribution",
    "kernelshap": "contribution",
    "occlusion": "contribution",
    "integrated-gradients": "contribution",
    "gradient-x-input": "contribution",
    "smoothgrad": "slope",
    "vanilla-gradients": "slope",
    "c-lime": "slope",
    "resampled": "contribution",
}
GRADIENTS = frozenset({
    "integrated-gradients", "gradient-x-input", "smoothgrad", "vanilla-gradients",
})  # fmt: skip


@dataclass(frozen=True)
class Draws:
    """Random numbers of a run, the same for every row.

    Attributes
    ----------
    design
        Coalitions.
    steps
        Moves of numbers in standard deviations, each followed by its opposite.
    n_slopes
        At how many of the moved rows slopes are taken: the first ones.
    kept, donors
        Which features keep their value, and the background row that the others are taken from.
    """

    design: Design
    steps: Float[Tensor, "a d"]
    n_slopes: int
    kept: Bool[Tensor, "r d"]
    donors: Int[Tensor, "r d"]


def draw(
    scene: Scene, params: NeighbourhoodParams, context: Context, *, n: int | None = None,
    address: int = 0,
) -> Draws:  # fmt: skip
    """Draw the samples of a run; with ``n``, that many of each kind, to hold others against.

    Parameters
    ----------
    address
        Where the random numbers come from: another address, other samples.
    """
    model, d = scene.model, len(scene.spread)
    sizes = counts_of(model, params)
    moved, resampled = (sizes.moved, sizes.resampled) if n is None else (n + n % 2, n)
    laws = exponential_sizes(d, params.width), shapley_sizes(d), single_sizes(d)
    mass = laws[0] + laws[1]
    m = params.perturbations if n is None else n
    half = context.stream(address, STEPS).standard_normal((moved // 2, d))
    paired = np.stack([half, -half], 1).reshape(-1, d)
    chosen = context.stream(address, KEPT)
    return Draws(
        design=make_design(d, m, mass, context.stream(address, MASKS)),
        steps=torch.from_numpy(params.scale * paired),
        n_slopes=sizes.sloped if n is None else 0,
        kept=torch.from_numpy(chosen.random((resampled, d)) >= params.share),
        donors=torch.from_numpy(chosen.integers(len(scene.donors), size=(resampled, d))),
    )


@dataclass(frozen=True)
class Counts:
    """How many rows go through the network for one row, by what is done with it."""

    masks: int
    moved: int
    sloped: int
    nodes: int
    resampled: int
    passes: int
    features: int

    def of(self, method: str) -> int:
        """Return how many passes a method would take if it alone were asked for."""
        single = {
            "lime": self.masks, "kernelshap": self.masks, "c-lime": self.moved,
            "smoothgrad": self.sloped * self.passes, "resampled": self.resampled,
            "integrated-gradients": self.nodes * self.passes, "occlusion": self.features + 1,
        }  # fmt: skip
        return single.get(method, self.passes)


def counts_of(model: Model, params: NeighbourhoodParams) -> Counts:
    """Return how many samples of each kind a run takes: coalitions by far the most."""
    d, back = len(model.schema.features), passes(model, params.output) - 1
    masks = max(d, int(min(2.0**d, float(params.perturbations))))
    share = max(FEWEST, masks // SHARE)
    moved = max(share, 4 * d)
    sloped = max(8, min(moved, share // max(1, back)))
    moved, sloped = moved + moved % 2, sloped - sloped % 2
    return Counts(masks, moved, sloped, NODES, max(share, 4 * d), 1 + back, d)


@dataclass
class Explained:
    """What each method says of some rows, with standard errors, and what may be used again.

    Attributes
    ----------
    values, errors
        By method; NaN where it says nothing of a feature.
    table
        Values of the coalitions of the design.
    """

    values: dict[str, Float[Tensor, "n d k"]] = field(default_factory=dict)
    errors: dict[str, Float[Tensor, "n d k"]] = field(default_factory=dict)
    table: Float[Tensor, "n m k"] | None = None

    def add(self, method: str, values: Tensor, errors: Tensor | None = None) -> None:
        """Add a method; without errors it has none from samples."""
        self.values[method] = values
        self.errors[method] = torch.zeros_like(values) if errors is None else errors


def explain_block(scene: Scene, X: Float[Tensor, "n d"], draws: Draws, width: float) -> Explained:
    """Explain rows by every method that the model allows."""
    found = Explained()
    _by_removal(scene, X, draws, width, found)
    if scene.has_slopes:
        _by_slopes(scene, X, draws, found)
    if bool(scene.moves.any()):
        _by_moving(scene, X, draws, found)
    _by_resampling(scene, X, draws, found)
    return found


def _by_removal(scene: Scene, X: Tensor, draws: Draws, width: float, found: Explained) -> None:
    """Fit LIME, KernelSHAP and Occlusion to the values of one set of coalitions."""
    design = draws.design
    d = design.masks.shape[1]
    table = found.table = scene.removed(X, design.masks)
    gains = table - table[:, :1]
    total = gains[:, 1]
    z = design.masks.double()
    fitted = line(z, design.weights(exponential_sizes(d, width)))
    beta = fitted.fit(gains)
    rest = gains - z @ beta
    weights = design.weights(exponential_sizes(d, width))
    rest = rest - torch.einsum("m,nmk->nk", weights, rest)[:, None]
    found.add("lime", beta, design_errors(fitted, rest, design))
    even = total[:, None] / d
    if d == 1:
        found.add("kernelshap", even)
    else:
        efficient = shares(z, design.weights(shapley_sizes(d)))
        beta = efficient.fit(gains - z.sum(1)[:, None] * even) + even
        found.add("kernelshap", beta, design_errors(efficient, gains - z @ beta, design))
    removed = (~design.masks).double() * (design.sizes == d - 1)[:, None]  # (m, d)
    without = torch.einsum("md,nmk->ndk", removed, gains)
    found.add("occlusion", total[:, None] - without)


def _by_slopes(scene: Scene, X: Tensor, draws: Draws, found: Explained) -> None:
    """Take slopes at the row, near it, and on the way from the reference."""
    ends = scene.model.encode(X)
    here = ends[:, None]
    found.add("gradient-x-input", scene.contributions(here, ends)[:, 0])
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    places = torch.from_numpy((1 + nodes) / 2).to(ends)
    way = scene.start + places[:, None] * (ends - scene.start)[:, None]
    along = scene.contributions(way, ends)
    found.add(
        "integrated-gradients", torch.einsum("q,nqdk->ndk", torch.from_numpy(weights / 2), along)
    )
    if not bool(scene.moves.any()):
        return
    silent = ~scene.known(X)[..., None]
    found.add("vanilla-gradients", scene.slopes(here)[:, 0].masked_fill(silent, torch.nan))
    near = scene.slopes(scene.moved(X, draws.steps[: draws.n_slopes]))
    pairs = near.unflatten(1, (-1, 2)).mean(2)
    errors = pairs.std(1) / pairs.shape[1] ** 0.5
    found.add("smoothgrad", pairs.mean(1).masked_fill(silent, torch.nan), errors)


def _by_moving(scene: Scene, X: Tensor, draws: Draws, found: Explained) -> None:
    """Fit C-LIME: least squares on numbers that move, each move with its opposite.

    Half the difference of a pair has no even part of the model in it, so that no intercept is
    needed and little noise is left.
    """
    active = scene.moves
    answers = scene.ask(scene.moved(X, draws.steps)).unflatten(1, (-1, 2))
    odd = (answers[:, :, 0] - answers[:, :, 1]) / 2
    steps = draws.steps[::2, active]
    influence = torch.linalg.pinv(steps)  # (a, h)
    free = (1 - (steps * influence.T).sum(1)).clamp(min=0.1)[:, None]
    beta = influence @ odd
    rest = (odd - steps @ beta) / free
    n, k = len(X), odd.shape[-1]
    values = torch.full((n, len(active), k), torch.nan, dtype=torch.float64)
    errors = torch.zeros_like(values)
    values[:, active], errors[:, active] = beta, (influence**2 @ rest**2).sqrt()
    silent = ~scene.known(X)[..., None]
    found.add("c-lime", values.masked_fill(silent, torch.nan), errors.masked_fill(silent, 0.0))


def resample(
    scene: Scene, X: Float[Tensor, "n d"], kept: Bool[Tensor, "r d"], donors: Int[Tensor, "r d"]
) -> tuple[Float[Tensor, "n r d"], Float[Tensor, "n r k"]]:
    """Give rows values of other rows; returns which features are still alike, and the answers."""
    others = scene.donors.gather(0, donors)  # (r, d)
    own = X[:, None].expand(-1, *others.shape)
    mixed = torch.where(kept, own, others)
    alike = (mixed == own) | (mixed.isnan() & own.isnan())
    answers = scene.ask(scene.model.encode(mixed.flatten(0, 1)).unflatten(0, mixed.shape[:2]))
    return alike.double(), answers


def _by_resampling(scene: Scene, X: Tensor, draws: Draws, found: Explained) -> None:
    """Fit a linear function of which features still have the row's value."""
    alike, answers = resample(scene, X, draws.kept, draws.donors)
    base = scene.ask(scene.model.encode(X)[:, None])
    d = alike.shape[-1]
    ones = torch.ones_like(alike[..., :1])
    joined = torch.cat([ones, alike - 1, answers - base], -1).mT  # (n, q, r)
    w = torch.ones_like(joined[:, 0])
    moments = centred(raw_moments(joined, w), d)
    every = torch.ones_like(moments.cross.mT, dtype=torch.bool)
    beta, system = ridge(moments, every, TINY)
    errors = std_errors(joined, w, moments, every, beta, system)
    constant = (alike == alike[:, :1]).all(1)[:, None]  # never drawn otherwise
    beta, errors = beta.masked_fill(constant, 0.0), errors.masked_fill(constant, 0.0)
    found.add("resampled", beta.mT, errors.mT)
