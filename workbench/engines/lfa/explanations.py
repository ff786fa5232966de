"""Eight explanations, and one for categories, as fits of a linear function to one set of samples.

Each is a choice of what is drawn around the row and of a loss (Han, Srinivas and Lakkaraju 2022,
Table 1); for a linear function all have a closed form, and what is left is the error of the
samples, which is reported. Samples are the same for all rows and shared among methods.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from workbench.core.context import Context
from workbench.core.faithfulness import Type
from workbench.core.model import Model
from workbench.engines.lfa.lines import Line, design_errors, line, shares, through_origin
from workbench.engines.lfa.masks import Design, exponential_sizes, make_design, shapley_sizes
from workbench.engines.lfa.params import NeighbourhoodParams
from workbench.engines.lfa.scene import Scene
from workbench.numerics.differentiated import passes
from workbench.numerics.local_fit import centred, raw_moments, ridge, std_errors
from workbench.numerics.path_quadrature import errors_of, gauss_legendre

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


class Resampled(NamedTuple):
    """Which features keep their value, and the background row that each other one is taken from."""

    kept: Bool[Tensor, "r d"]
    donors: Int[Tensor, "r d"]


@dataclass(frozen=True)
class Draws:
    """Samples of a run, the same for every row, and the fits that they allow.

    Attributes
    ----------
    design
        Coalitions.
    exponential
        Weights of the coalitions under the kernel of LIME.
    lime, kernelshap, c_lime
        What coefficients are made of answers, the same for all rows; of one feature alone there is
        no kernel.
    steps
        Moves of numbers in standard deviations, each followed by its opposite.
    n_slopes
        At how many of the moved rows slopes are taken: the first ones.
    """

    design: Design
    exponential: Float[Tensor, " m"]
    lime: Line
    kernelshap: Line | None
    steps: Float[Tensor, "a d"]
    c_lime: Line
    n_slopes: int
    resampled: Resampled


def draw(scene: Scene, params: NeighbourhoodParams, context: Context) -> Draws:
    """Draw the samples of a run."""
    d, sizes = len(scene.spread), counts_of(scene.model, params)
    laws = exponential_sizes(d, params.width), shapley_sizes(d)
    design = make_design(d, params.perturbations, laws[0] + laws[1], context.stream(0, MASKS))
    masks, exponential = design.masks.double(), design.weights(laws[0])
    steps = params.scale * draw_moves(context.stream(0, STEPS), sizes.moved, d)
    return Draws(
        design=design,
        exponential=exponential,
        lime=line(masks, exponential),
        # Of one feature the Shapley kernel has no coalition: its value is the whole gain.
        kernelshap=shares(masks, design.weights(laws[1])) if d > 1 else None,
        steps=steps,
        c_lime=through_origin(steps[::2, scene.moves]),
        n_slopes=sizes.sloped,
        resampled=draw_resampled(scene, context.stream(0, KEPT), sizes.resampled, params.share),
    )


def draw_moves(generator: np.random.Generator, m: int, d: int) -> Float[Tensor, "m d"]:
    """Draw normal moves of standard deviation 1, each followed by its opposite; ``m`` is even."""
    half = generator.standard_normal((m // 2, d))
    return torch.from_numpy(np.stack([half, -half], 1).reshape(-1, d))


def draw_resampled(scene: Scene, generator: np.random.Generator, m: int, share: float) -> Resampled:
    """Draw which features get the value of another row, each with probability ``share``."""
    d = len(scene.spread)
    kept = torch.from_numpy(generator.random((m, d)) >= share)
    return Resampled(kept, torch.from_numpy(generator.integers(len(scene.donors), size=(m, d))))


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
        """Add a method; without errors it has none, neither from samples nor from points."""
        self.values[method] = values
        self.errors[method] = torch.zeros_like(values) if errors is None else errors


def explain_block(scene: Scene, X: Float[Tensor, "n d"], draws: Draws) -> Explained:
    """Explain rows by every method that the model allows."""
    found = Explained()
    _by_removal(scene, X, draws, found)
    if scene.has_slopes:
        _by_slopes(scene, X, draws, found)
    if bool(scene.moves.any()):
        _by_moving(scene, X, draws, found)
    _by_resampling(scene, X, draws, found)
    return found


def _by_removal(scene: Scene, X: Tensor, draws: Draws, found: Explained) -> None:
    """Fit LIME, KernelSHAP and Occlusion to the values of one set of coalitions."""
    design, z = draws.design, draws.design.masks.double()
    d = z.shape[1]
    table = found.table = scene.removed(X, design.masks)
    gains = table - table[:, :1]
    total = gains[:, 1]
    beta = draws.lime.fit(gains)
    rest = gains - z @ beta
    rest = rest - torch.einsum("m,nmk->nk", draws.exponential, rest)[:, None]
    found.add("lime", beta, design_errors(draws.lime, rest, design))
    even = total[:, None] / d
    if draws.kernelshap is None:
        found.add("kernelshap", even)
    else:
        beta = draws.kernelshap.fit(gains - z.sum(1)[:, None] * even) + even
        found.add("kernelshap", beta, design_errors(draws.kernelshap, gains - z @ beta, design))
    removed = (~design.masks).double() * (design.sizes == d - 1)[:, None]  # (m, d)
    without = torch.einsum("md,nmk->ndk", removed, gains)
    found.add("occlusion", total[:, None] - without)


def _by_slopes(scene: Scene, X: Tensor, draws: Draws, found: Explained) -> None:
    """Take slopes at the row, near it, and on the way from the reference."""
    ends = scene.model.encode(X)
    here = ends[:, None]
    found.add("gradient-x-input", scene.contributions(here, ends)[:, 0])
    quadrature = gauss_legendre(NODES)
    along = scene.contributions(scene.way(ends, quadrature.places), ends)
    added = torch.einsum("rq,nqdk->nrdk", quadrature.rules, along)
    found.add("integrated-gradients", added[:, 0], errors_of(added[:, 1:]))
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
    beta = draws.c_lime.fit(odd)
    free = (1 - draws.c_lime.leverage).clamp(min=0.1)[:, None]
    rest = (odd - draws.steps[::2, active] @ beta) / free
    n, k = len(X), odd.shape[-1]
    values = torch.full((n, len(active), k), torch.nan, dtype=torch.float64)
    errors = torch.zeros_like(values)
    values[:, active], errors[:, active] = beta, (draws.c_lime.influence**2 @ rest**2).sqrt()
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
    alike, answers = resample(scene, X, *draws.resampled)
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
