"""One explorer at work: its candidates tried, reduced and measured."""

import time
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.core.errors import InvalidInputError
from workbench.core.rashomon import GROWING
from workbench.engines.rashomon.explore import RANGES, search, tried
from workbench.engines.rashomon.importance import IMPORTANCE_MODELS
from workbench.engines.rashomon.metrics import Seen, measure, measure_range
from workbench.engines.rashomon.params import SetParams
from workbench.engines.rashomon.reduction import Reduction, directions_of
from workbench.engines.rashomon.scene import Scene
from workbench.numerics.stream.family import Family, Members

DIRECTIONS_DRAWN = 29


@dataclass(frozen=True, eq=False)
class Wish:
    """What is asked of every explorer of a run.

    Attributes
    ----------
    tolerances
        Ascending, in units of the loss.
    growth_at
        Position of the tolerance at which the growth with the number of models is followed.
    growth_models
        After how many models it is looked at.
    truth
        Class codes or values of the rows that are reported on.
    """

    tolerances: tuple[float, ...]
    growth_at: int
    growth_models: tuple[int, ...]
    truth: Float[Tensor, " n"] | Int[Tensor, " n"]
    params: SetParams


@dataclass(frozen=True, eq=False)
class Explored:
    """What one explorer found, and what that took.

    Attributes
    ----------
    kept_serials, kept
        Candidates at the ends of ranges, by their place in the order, ascending: number,
        strength, stretch and excess loss.
    candidates
        A sample: strength, excess loss, its standard error, loss and accuracy on the rows.
    growth
        ``GROWING`` metrics by number of models.
    family, first
        The first models that the largest tolerance admits; None where there are no models.
    """

    seen: Seen
    remark: str
    drawn: int
    seconds: float
    passes: int
    kept_serials: Int[np.ndarray, " q"]
    kept: Float[np.ndarray, "q 4"]
    candidates: Float[np.ndarray, "c 5"]
    growth: Float[np.ndarray, "g 3"]
    family: Family | None
    first: Members | None


def look(scene: Scene, explorer: str, wish: Wish) -> Explored:
    """Let one explorer look for models, or work out its range by formula.

    Raises
    ------
    InvalidInputError
        If it cannot serve the model.
    """
    return _closed(scene, explorer, wish) if explorer in RANGES else _tried(scene, explorer, wish)


def refused(scene: Scene, wish: Wish, error: InvalidInputError) -> Explored:
    """Return nothing at all, and why."""
    empty = np.full((len(wish.tolerances), *scene.predictions.shape), np.nan)
    is_class, base = bool(scene.classes), scene.predictions.numpy()
    seen = measure_range(empty, empty, base, is_class=is_class, delta=wish.params.delta)
    return _without_models(seen, wish, str(error), 0.0, 0)


def _tried(scene: Scene, explorer: str, wish: Wish) -> Explored:
    started, passes = time.perf_counter(), scene.evaluations
    found = search(scene, explorer, wish.tolerances, wish.params)
    sums = make_reduction(scene, wish)
    first = []
    missing = IMPORTANCE_MODELS
    for block in tried(scene, found):
        sums.add(block)
        chosen = (block.excess <= wish.tolerances[-1]).nonzero()[:missing, 0]
        first.append(block.members.take(chosen))
        missing -= len(chosen)
    seen = measure(sums)
    members = Members(*(torch.cat(parts) for parts in zip(*first, strict=True)))
    return Explored(
        seen=seen,
        remark=" ".join(part for part in (found.remark, _remark(seen, wish.tolerances)) if part),
        drawn=sums.tried,
        seconds=time.perf_counter() - started,
        passes=scene.evaluations - passes,
        kept_serials=sums.kept_serials.numpy(),
        kept=sums.kept.numpy(),
        candidates=sums.sample.columns(),
        growth=sums.growing.found,
        family=found.family,
        first=members,
    )


def make_reduction(scene: Scene, wish: Wish) -> Reduction:
    """Return an empty reduction for what a scene is asked."""
    base = scene.predictions.to(scene.inputs)
    is_class = bool(scene.classes)
    rng = scene.context.stream(DIRECTIONS_DRAWN)
    return Reduction(
        wish.tolerances, base, truth=wish.truth.to(base.device), is_class=is_class,
        delta=wish.params.delta, growth_at=wish.growth_at, growth_models=wish.growth_models,
        directions=directions_of(base, len(wish.tolerances), rng, is_class=is_class),
    )  # fmt: skip


def _closed(scene: Scene, explorer: str, wish: Wish) -> Explored:
    started, passes = time.perf_counter(), scene.evaluations
    low, high, remark = RANGES[explorer](scene, explorer, wish.tolerances, wish.params)
    seen = measure_range(
        low.double().cpu().numpy(), high.double().cpu().numpy(), scene.predictions.numpy(),
        is_class=bool(scene.classes), delta=wish.params.delta,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    return _without_models(seen, wish, remark, seconds, scene.evaluations - passes)


def _without_models(seen: Seen, wish: Wish, remark: str, seconds: float, passes: int) -> Explored:
    return Explored(
        seen=seen,
        remark=remark,
        drawn=0,
        seconds=seconds,
        passes=passes,
        kept_serials=np.zeros(0, dtype=np.int64),
        kept=np.zeros((0, 4)),
        candidates=np.zeros((0, 5)),
        growth=np.full((len(wish.growth_models), len(GROWING)), np.nan),
        family=None,
        first=None,
    )


def _remark(seen: Seen, tolerances: tuple[float, ...]) -> str:
    """Say up to which tolerance no model was admitted."""
    empty = seen.admitted == 0
    if empty.all():
        return f"No model admitted within {tolerances[-1]:.3g} of the given model's loss."
    if empty.any():
        return f"No model admitted within {max(np.array(tolerances)[empty]):.3g}."
    return ""
