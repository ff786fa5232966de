"""What explanations miss of a model, over samples that none of them was made from."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from workbench.core.context import Context
from workbench.core.faithfulness import RANDOM, SIZE
from workbench.engines.lfa.explanations import (
    HELDOUT,
    KEPT,
    STEPS,
    TYPES,
    Draws,
    Explained,
    Resampled,
    draw_moves,
    draw_resampled,
    resample,
)
from workbench.engines.lfa.lines import equal_weights
from workbench.engines.lfa.masks import (
    Design,
    exponential_sizes,
    make_design,
    shapley_sizes,
    single_sizes,
)
from workbench.engines.lfa.params import MatrixParams
from workbench.engines.lfa.scene import Scene

ANCHORS = (RANDOM, SIZE)
# Slopes are costly: the way from the reference is looked at in fewer places.
PLACES = 16
MASKS, PATH, NUMBERS = 3, 4, 5
MASKED = ("mask-exponential", "mask-shapley", "one-at-a-time")


@dataclass(frozen=True)
class Heldout:
    """Samples to hold explanations against, the same for every row.

    Attributes
    ----------
    near, wide
        Moves of numbers in standard deviations.
    design
        Coalitions.
    listed
        They are those that explanations were made from: all that there are, so that nothing is
        sampled and nothing has to be held out.
    places
        Where on the way from the reference slopes are taken: one in each of as many equal parts.
    again
        Which features keep their value, and where the others are taken from.
    """

    near: Float[Tensor, "h d"]
    wide: Float[Tensor, "h d"]
    design: Design
    listed: bool
    places: Float[Tensor, " q"]
    again: Resampled


def draw_heldout(scene: Scene, params: MatrixParams, context: Context, draws: Draws) -> Heldout:
    """Draw what explanations made from ``draws`` are held against."""
    d, h = len(scene.spread), params.heldout
    design, listed = draws.design, draws.design.is_exact
    if not listed:
        laws = exponential_sizes(d, params.width) + shapley_sizes(d)
        design = make_design(d, 2 * h, laws, context.stream(HELDOUT, MASKS))
    parts = (np.arange(PLACES) + context.stream(HELDOUT, PATH).random(PLACES)) / PLACES
    unit = draw_moves(context.stream(HELDOUT, STEPS), h + h % 2, d)[:h]
    return Heldout(
        params.scale * unit, params.wide_scale * unit, design, listed, torch.from_numpy(parts),
        draw_resampled(scene, context.stream(HELDOUT, KEPT), h, params.share),
    )  # fmt: skip


@dataclass(frozen=True)
class Missed:
    """What each method misses in one neighbourhood, and what there is to miss; sums over samples.

    NaN where a comparison would be meaningless.
    """

    missed: Float[Tensor, "n m k"]
    total: Float[Tensor, "n k"]


def hold_against(
    scene: Scene,
    X: Float[Tensor, "n d"],
    found: Explained,
    heldout: Heldout,
    params: MatrixParams,
    *,
    convertible: bool,
) -> dict[str, Missed]:
    """Hold every method of ``found`` against every neighbourhood that the rows have.

    Parameters
    ----------
    convertible
        Whether slopes say what removing a feature would do: all features are known numbers.
    """
    result: dict[str, Missed] = {}
    methods = list(found.values)
    slope = {m: TYPES.get(m) == "slope" for m in methods}
    away = _away(scene, X)
    shared = {
        m: found.values[m] * away[..., None] if slope[m] else found.values[m] for m in methods
    }
    if bool(scene.moves.any()):
        for name, steps in (("near", heldout.near), ("wide", heldout.wide)):
            answers = scene.ask(scene.moved(X, steps))
            moved = scene.known(X)[:, None] * steps  # (n, h, d)
            own = {
                m: moved @ found.values[m].nan_to_num() if slope[m] or m in ANCHORS else None
                for m in methods
            }  # fmt: skip
            result[name] = _over(methods, answers, own, equal_weights(len(steps)))
    usable = {m: shared[m] if convertible or not slope[m] else None for m in methods}
    design = heldout.design
    table = found.table
    if table is None or not heldout.listed:
        table = scene.removed(X, design.masks)
    z, d = design.masks.double(), len(away[0])
    predicted = {m: None if v is None else z @ v for m, v in usable.items()}
    laws = exponential_sizes(d, params.width), shapley_sizes(d), single_sizes(d)
    for name, law in zip(MASKED, laws, strict=True):
        if float(law.sum()) > 0:
            result[name] = _over(methods, table, predicted, design.weights(law))
    if scene.has_slopes:
        result["path"] = _on_the_way(scene, X, heldout.places, methods, usable)
    alike, answers = resample(scene, X, *heldout.again)
    own = {m: alike @ v if v is not None and not slope[m] else None for m, v in usable.items()}
    result["resample"] = _over(methods, answers, own, equal_weights(alike.shape[1]))
    return result


def add_anchors(scene: Scene, X: Tensor, found: Explained, numbers: Float[Tensor, " d"]) -> None:
    """Add two explanations that know nothing of the model: random numbers, and distances."""
    k = next(iter(found.values.values())).shape[-1]
    found.add(RANDOM, numbers[None, :, None].expand(len(X), -1, k).clone())
    away = _away(scene, X)
    size = torch.where(scene.moves & ~away.isnan(), away.abs(), scene.differs(X).double())
    found.add(SIZE, size[..., None].expand(-1, -1, k).clone())


def _away(scene: Scene, X: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Distance of numbers from the reference in standard deviations; 0 where they never vary."""
    spread = torch.where(scene.moves, scene.spread, 1.0)
    return torch.where(scene.moves, (X - scene.reference) / spread, 0.0)


def _over(
    methods: list[str],
    answers: Float[Tensor, "n h k"],
    predicted: Mapping[str, Tensor | None],
    weights: Float[Tensor, " h"],
) -> Missed:
    """Compare predictions with answers up to a constant; anchors are put to their best scale."""

    def spread(one: Tensor, other: Tensor) -> Tensor:
        one, other = (each - each[:, :1] for each in (one, other))  # a constant becomes exactly 0
        about = one - torch.einsum("h,nhk->nk", weights, one)[:, None]
        beside = other - torch.einsum("h,nhk->nk", weights, other)[:, None]
        return torch.einsum("h,nhk->nk", weights, about * beside)

    total = spread(answers, answers).clamp(min=0)
    blank = torch.full_like(total, torch.nan)
    missed = []
    for method in methods:
        g = predicted[method]
        if g is None:
            missed.append(blank)
        elif method in ANCHORS:
            missed.append(_at_best_scale(total, spread(answers, g), spread(g, g)))
        else:
            missed.append(spread(answers - g, answers - g).clamp(min=0))
    return Missed(torch.stack(missed, 1), total)


def _on_the_way(
    scene: Scene, X: Tensor, places: Float[Tensor, " q"], methods: list[str],
    values: Mapping[str, Tensor | None],
) -> Missed:  # fmt: skip
    """Compare contributions with the slopes along the way, feature by feature."""
    ends = scene.model.encode(X)
    along = scene.contributions(scene.way(ends, places), ends)  # (n, q, d, k)
    total = (along**2).sum(2).mean(1)
    blank = torch.full_like(total, torch.nan)
    missed = []
    for method in methods:
        w = values[method]
        if w is None:
            missed.append(blank)
        elif method in ANCHORS:
            inner = torch.einsum("nqdk,ndk->nk", along, w) / len(places)
            missed.append(_at_best_scale(total, inner, (w**2).sum(1)))
        else:
            missed.append(((along - w[:, None]) ** 2).sum(2).mean(1))
    return Missed(torch.stack(missed, 1), total)


def _at_best_scale(total: Tensor, inner: Tensor, own: Tensor) -> Tensor:
    """Return what is left of ``total`` when a prediction is multiplied by the best number."""
    explained = torch.where(own > 0, inner**2 / torch.where(own > 0, own, 1.0), 0.0)
    return (total - explained).clamp(min=0)


def numbers_of(context: Context, d: int) -> Float[Tensor, " d"]:
    """Draw the random explanation."""
    return torch.from_numpy(context.stream(HELDOUT, NUMBERS).standard_normal(d))


def all_numbers(scene: Scene, X: Float[Tensor, "n d"]) -> Bool[Tensor, ""]:
    """Whether every feature is a number that is known, in the rows and in the reference."""
    kinds = [feature.kind != "categorical" for feature in scene.model.schema.features]
    complete = ~X.isnan().any() & ~scene.reference.isnan().any()
    return torch.tensor(all(kinds)) & complete
