"""How far around a row a linear explanation stays honest: what is missed, scale by scale."""

import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor

from workbench.core.context import Context
from workbench.core.local_functions import Operator
from workbench.core.method import METHODS, Cost, Effort, Method
from workbench.core.model import Model
from workbench.core.scale_curves import ScaleCurves
from workbench.core.table import Table
from workbench.engines.calls import check_features, check_finite, provenance_of
from workbench.engines.lfa.functions import errors_of, least_squares, system_of
from workbench.engines.lfa.masks import make_design
from workbench.engines.lfa.matrix import WORK_BYTES
from workbench.engines.lfa.neighbourhoods import (
    COALITIONS,
    Look,
    Neighbourhood,
    check_operator,
    make_neighbourhood,
    most_samples,
    removals,
    sizes_of,
)
from workbench.engines.lfa.operators import SCALE_WORDS, SCALED, OperatorParams, check_reach
from workbench.engines.lfa.scene import Scene, make_scene
from workbench.numerics.chunks import slices
from workbench.numerics.links import unit_of

NAME = "lfa.scales"
FITTED, HELDOUT = 0, 100
MOST_ROWS = 64
# Fewer samples for each coefficient than this would show noise of the fit as a miss.
AMPLE = 8
RANGES: dict[Operator, tuple[float, float]] = {
    "add": (0.02, 4.0), "scale": (0.05, 1.0), "mask": (0.5, 4.0), "resample": (0.05, 1.0),
}  # fmt: skip


class ScalesParams(OperatorParams):
    """Settings of ``lfa.scales``."""

    count: int = Field(
        12, ge=2, le=100, description="Scales, in equal ratios from the smallest to the largest."
    )
    smallest: float | None = Field(
        None, gt=0, le=1000,
        description="The smallest scale; by default 0.02 standard deviations (add), 0.05 (scale, "
        "resample), or a kernel of width 0.5 (mask).",
    )  # fmt: skip
    largest: float | None = Field(
        None, gt=0, le=1000,
        description="The largest scale; by default 4 standard deviations (add), 1 (scale, "
        "resample), or a kernel of width 4 (mask).",
    )  # fmt: skip
    samples: int = Field(
        256, ge=16, le=100_000,
        description="Samples that functions are fitted to at each scale; at least eight for each "
        "feature are taken.",
    )  # fmt: skip
    heldout: int = Field(
        256, ge=16, le=100_000, description="Other samples at each scale, that they are held "
        "against.",
    )  # fmt: skip

    @property
    def bounds(self) -> tuple[float, float]:
        """The smallest and the largest scale, by default those of the operator."""
        low, high = RANGES[self.operator]
        return (
            low if self.smallest is None else self.smallest,
            high if self.largest is None else self.largest,
        )

    @property
    def scales(self) -> Float[np.ndarray, " s"]:
        """The scales, ascending."""
        return np.geomspace(*self.bounds, self.count)

    @model_validator(mode="after")
    def _scales_fit(self) -> "ScalesParams":
        if self.chosen_law not in SCALED:
            raise ValueError(
                f"law {self.chosen_law!r} has no scale that could grow; choose law 'exponential' "
                "with operator 'mask'"
            )
        low, high = self.bounds
        if low >= high:
            raise ValueError(f"smallest ({low:g}) must be below largest ({high:g})")
        for scale in (low, high):
            check_reach(self.operator, scale)
        return self


def _explain(
    model: Model, rows: Table, background: Table, params: ScalesParams, context: Context
) -> ScaleCurves:
    started = time.perf_counter()
    for table, what in ((rows, "rows to explain"), (background, "background rows")):
        check_features(model, table, what)
    done = 0
    scene = make_scene(
        model, background, params.output, context, lambda: context.step(done, len(rows), "rows")
    )
    check_operator(scene, params.operator)
    X = rows.X.double()
    predictions = scene.ask(model.encode(X)[:, None])[:, 0]
    check_finite(model, rows, predictions)
    fitting = _at_scales(scene, params, _samples(params, X.shape[1]), context, FITTED)
    holding = _at_scales(scene, params, params.heldout, context, HELDOUT)
    parts = []
    for part in slices(len(rows), _block_rows(model, params, context)):
        parts.append(_hold_block(scene, X[part], params, fitting, holding))
        done = part.stop
        context.step(done, len(rows), "rows")
    missed, total, spread = (np.concatenate(found) for found in zip(*parts, strict=True))
    return ScaleCurves(
        provenance=provenance_of(
            NAME, model, rows, background, params, context, evaluations=scene.evaluations,
            chunk_rows=scene.network.chunk_rows, seconds=time.perf_counter() - started,
            notes=_notes(holding[0]),
        ),
        scales=params.scales,
        missed=missed,
        total=total,
        spread=spread,
        predictions=predictions.numpy(),
        data=X.numpy(),
        ids=rows.ids.numpy(),
        operator=params.operator,
        law=params.chosen_law,
        scale_words=SCALE_WORDS[params.operator],
        schema=model.schema,
        output_names=model.output_names,
        unit=unit_of(model.schema, params.output, "identity"),
    )  # fmt: skip


def _samples(params: ScalesParams, d: int) -> int:
    return max(params.samples, AMPLE * d)


def _at_scales(
    scene: Scene, params: ScalesParams, m: int, context: Context, address: int
) -> list[Neighbourhood]:
    """Draw one neighbourhood for each scale, all from the same random numbers.

    Coalitions are the same at all scales, and weigh differently.
    """
    d, law = len(scene.spread), params.chosen_law
    if params.operator != "mask":
        return [
            make_neighbourhood(
                scene, params.operator, law, float(scale), m, context, address=address,
                coefficients=d,
            )
            for scale in params.scales
        ]  # fmt: skip
    laws = [sizes_of(law, d, float(scale)) for scale in params.scales]
    mass = torch.stack(laws).mean(0)
    design = make_design(d, m, mass, context.stream(address, COALITIONS))
    return [removals(scene, design, sizes) for sizes in laws]


class _Missed(NamedTuple):
    """What is missed, what there is to miss, and the standard error of the ratio."""

    missed: Float[np.ndarray, "n s k"]
    total: Float[np.ndarray, "n s k"]
    spread: Float[np.ndarray, "n s k"]


def _hold_block(
    scene: Scene, X: Float[Tensor, "n d"], params: ScalesParams, fitting: list[Neighbourhood],
    holding: list[Neighbourhood],
) -> _Missed:  # fmt: skip
    """Fit some rows at every scale, and hold the functions against samples not seen."""
    found = [
        _missed_at(near, other, look, held)
        for near, other, look, held in zip(
            fitting, holding, _looks(X, params.operator, fitting),
            _looks(X, params.operator, holding), strict=True,
        )
    ]  # fmt: skip
    scene.game.report()
    return _Missed(*(torch.stack(each, 1).numpy() for each in zip(*found, strict=True)))


def _looks(X: Tensor, operator: Operator, places: list[Neighbourhood]) -> Iterator[Look]:
    """Ask the model about the samples of every scale; coalitions are those of all scales."""
    if operator == "mask":
        look = places[0].look(X)
        yield from [look] * len(places)
        return
    for place in places:
        z, answers, varies = place.look(X)
        # On the way to the reference all features move as one.
        yield (
            Look(z[..., :1], answers, varies.any(1, keepdim=True))
            if operator == "scale"
            else (Look(z, answers, varies))
        )


def _missed_at(
    near: Neighbourhood, other: Neighbourhood, look: Look, held: Look
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Return what the best linear function misses of the held samples, and how sure that is.

    The standard error of the ratio :math:`R` of two sums over samples is that of the sum of
    :math:`w (e^2 - R t^2)`, divided by the total (linearised).
    """
    chosen = look.varies[:, None]
    chosen = chosen[:1] if bool((chosen == chosen[:1]).all()) else chosen
    system = system_of(look.z, near.weights, look.answers, "mean")
    fitted = least_squares(system, look.answers, chosen, near.together)
    errors, squares = errors_of(fitted, held.z, held.answers, other.weights)
    missed, total = (torch.einsum("m,nmk->nk", other.weights, each) for each in (errors, squares))
    known = torch.where(total > 0, total, 1.0)
    rest = (errors - (missed / known)[:, None] * squares).mT
    variance = other.together.variance(other.weights[None, None, None], rest)[..., 0]
    return missed, total, torch.where(total > 0, variance.sqrt() / known, 0.0)


def _row_bytes(model: Model, params: ScalesParams) -> int:
    """Return what the samples of one row and scale take."""
    d, k = len(model.schema.features), len(model.output_names)
    m = most_samples(params.operator, d, max(_samples(params, d), params.heldout))
    return 8 * (m * (len(model.groups) + 8 * k + 4 * d * k) + 4 * k * d**2)


def _block_rows(model: Model, params: ScalesParams, context: Context) -> int:
    """Rows that are held at once: as many as there is room for."""
    return max(1, min(MOST_ROWS, min(WORK_BYTES, context.budget) // _row_bytes(model, params)))


def _notes(near: Neighbourhood) -> tuple[str, ...]:
    if near.is_exact:
        return ("all coalitions were evaluated: nothing was drawn, and nothing is held out",)
    return ()


def _cost(model: Model, n_rows: int, n_background: int, params: ScalesParams) -> Cost:
    d = len(model.schema.features)
    each = sum(most_samples(params.operator, d, m) for m in (_samples(params, d), params.heldout))
    looks = 1 if params.operator == "mask" else params.count
    return Cost(
        n_rows * (looks * each + 1) + n_background + 32,
        n_bytes=max(WORK_BYTES, _row_bytes(model, params)),
    )


def _efforts(_: int) -> dict[str, Effort]:
    return {
        "quick": Effort(500, {"samples": 128, "heldout": 128, "count": 8}),
        "standard": Effort(2000, {}),
        "thorough": Effort(2000, {"samples": 2048, "heldout": 2048, "count": 20}),
    }


METHODS.register(
    NAME,
    Method(
        title="How far a linear explanation holds",
        question="How far around a row is a linear explanation still honest?",
        explain=_explain,
        params=ScalesParams,
        yields=ScaleCurves,
        needs=frozenset(),
        cost=_cost,
        efforts=_efforts,
        reference="Han, Srinivas and Lakkaraju (2022)",
        weakness="A curve is about one way of making samples; rows made so may not occur.",
    ),
)
