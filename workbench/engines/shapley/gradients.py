"""What the gradient-based attributions share: chunks that are counted, the loop, the result."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from workbench.core.context import Context
from workbench.core.method import METHODS, Cost
from workbench.core.model import Model, Output
from workbench.core.params import Params
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.engines.calls import check_features, check_finite, provenance_of
from workbench.engines.shapley.run import UNFINISHED
from workbench.numerics.differentiated import Differentiated, passes
from workbench.numerics.links import unit_of

BLOCK_POINTS = 2**16
QUIET_GAP = 1e-4


class GradientParams(Params):
    """What is explained; gradients know no coalitions, so no link and no value function."""

    output: Output = Field(
        "probability", description="Explain probabilities, or scores (log-odds, logits)."
    )


@dataclass(frozen=True)
class GradientEstimate:
    """Values of some rows, with what is known of their errors.

    Attributes
    ----------
    std_errors
        From the points on the paths; ``dof`` are the degrees of freedom behind them.
    background_std_errors
        From the choice of background rows.
    notes
        What the user should know of this estimate.
    """

    values: Float[Tensor, "n d k"]
    std_errors: Float[Tensor, "n d k"] | None = None
    background_std_errors: Float[Tensor, "n d k"] | None = None
    dof: float | None = None
    notes: tuple[str, ...] = ()


def path_contributions(
    network: Differentiated,
    ends: Float[Tensor, "i p"],
    starts: Float[Tensor, "i start p"],
    places: Float[Tensor, "path q"],
    rules: Float[Tensor, "r q"],
) -> Float[Tensor, "i r d k"]:
    r"""Slopes along straight lines, times the lines, added up by one rule or several.

    .. math:: \sum_q w_q\, (z - b_q) \odot \nabla f\big(b_q + \alpha_q (z - b_q)\big)

    for the weights :math:`w` of each rule, summed over the input columns of each raw feature. A
    line may start at one place for all its points or at one for each, and all lines may share
    their points (``path`` is 1).
    """
    rules = rules.to(ends)

    def some(part: slice, nodes: slice) -> Tensor:
        begin = starts[part] if starts.shape[1] == 1 else starts[part, nodes]
        change = ends[part, None] - begin  # (i, q or 1, p)
        own = (places[part] if len(places) > 1 else places)[:, nodes].to(ends)
        points = begin + own[:, :, None] * change  # (i, q, p)
        found = network.slopes(points.flatten(0, 1)).unflatten(0, points.shape[:2])
        moved = found * change[..., None]  # (i, q, p, k)
        added = torch.einsum("iqpk,rq->irpk", moved, rules[:, nodes])
        return network.by_feature(added.flatten(0, 1)).unflatten(0, added.shape[:2])

    def evaluate(part: slice) -> Tensor:
        return torch.stack([some(part, nodes) for nodes in network.divided(n_points)]).sum(0)

    n_points = rules.shape[1]
    return network.in_chunks(len(ends), n_points, evaluate)


# Yields better and better estimates of some rows, given them encoded, and the encoded baselines.
GradientEstimator = Callable[
    [Differentiated, Table, Tensor, Tensor], Iterator[GradientEstimate]
]  # fmt: skip


def run_gradients(
    name: str,
    model: Model,
    rows: Table,
    background: Table,
    params: GradientParams,
    context: Context,
    *,
    estimate: GradientEstimator,
    points: int,
    one_baseline: bool = False,
) -> Attribution:
    """Estimate rows block by block; each better estimate is offered to ``context.preview``.

    Parameters
    ----------
    points
        On the paths of one row, all background rows together.
    one_baseline
        Start all paths at the mean of the encoded background instead of at each of its rows.

    Raises
    ------
    InvalidInputError
        If there are no rows, a table does not have the model's features, or the model returns no
        finite number for a row.
    """
    started = time.perf_counter()
    for table, what in ((rows, "rows to explain"), (background, "background rows")):
        check_features(model, table, what)
    cost = METHODS[name].cost(model, len(rows), len(background), params)
    network = Differentiated(model, params.output, context, cost.evaluations)
    starts = model.encode(background.X)
    if one_baseline:
        starts = starts.mean(0, keepdim=True)
    base = network.outputs(starts)  # (b, k)
    ends = model.encode(rows.X)
    predictions = network.outputs(ends)
    check_finite(model, rows, predictions)
    check_finite(model, background, base)
    b = len(base)
    spread = base.std(0) / b**0.5 if b > 1 else torch.zeros_like(base[0])

    def result(parts: list[GradientEstimate], *told: str) -> Attribution:
        values = torch.cat([part.values for part in parts])
        n = len(values)
        known = rows[:n]
        errors = [part.std_errors for part in parts if part.std_errors is not None]
        drawn = [p.background_std_errors for p in parts if p.background_std_errors is not None]
        moved = predictions[:n] - base.mean(0)
        notes = tuple(dict.fromkeys(note for part in parts for note in part.notes))
        return Attribution(
            provenance=provenance_of(
                name, model, known, background, params, context,
                evaluations=network.evaluations, chunk_rows=network.chunk_rows,
                seconds=time.perf_counter() - started,
                notes=(_gap_note(moved, values), *notes, *told),
            ),
            values=values.numpy(),
            base_values=base.mean(0).expand(n, -1).numpy().copy(),
            predictions=predictions[:n].numpy(),
            data=known.X.double().numpy(),
            ids=known.ids.numpy(),
            truth=np.full(n, np.nan) if known.y is None else known.y.double().numpy(),
            base_std_errors=spread.numpy(),
            schema=model.schema,
            output_names=model.output_names,
            unit=unit_of(model.schema, params.output, "identity"),
            std_errors=torch.cat(errors).numpy() if errors else None,
            background_dof=b - 1.0 if drawn else None,
            background_std_errors=torch.cat(drawn).pow(2).mean(0).sqrt().numpy() if drawn else None,
            dof=min((part.dof for part in parts if part.dof is not None), default=None),
        )  # fmt: skip

    done: list[GradientEstimate] = []
    block = max(1, BLOCK_POINTS // points)
    for start in range(0, len(rows), block):
        part = slice(start, start + block)
        latest = None
        for latest in estimate(network, rows[part], ends[part], starts):
            if context.preview is not None:
                context.preview(partial(result, [*done, latest], UNFINISHED))
        assert latest is not None  # noqa: S101 - an estimator yields at least once
        done.append(latest)
    return result(done)


def mean_over_background(
    by_start: Float[Tensor, "n b d k"],
) -> tuple[Float[Tensor, "n d k"], Float[Tensor, "n d k"] | None]:
    """Return the mean over background rows and its standard error, unknown for a single row."""
    b = by_start.shape[1]
    return by_start.mean(1), by_start.std(1) / b**0.5 if b > 1 else None


def gradient_cost(
    model: Model,
    n_rows: int,
    n_background: int,
    params: GradientParams,
    *,
    points: int,
    rules: int = 1,
) -> Cost:
    """Rows through the network when each row sees that many points, forwards and backwards."""
    d, k = len(model.schema.features), len(model.output_names)
    evaluations = n_rows * (points * passes(model, params.output) + 1) + n_background
    n_bytes = 8 * d * k * (n_background * rules + 2) + 4 * points * len(model.groups)
    return Cost(evaluations, n_bytes)


def _gap_note(moved: Float[Tensor, "n k"], values: Float[Tensor, "n d k"]) -> str:
    """Say by how much the attributions miss the difference that they should add up to."""
    gap = float((moved - values.sum(1)).abs().max())
    largest = float(moved.abs().max())
    if gap <= QUIET_GAP * largest:
        return f"attributions add up: the largest gap is {gap:.1e}"
    share = f", {100 * gap / largest:.2g} % of the largest distance" if largest > 0 else ""
    return (
        f"attributions miss the distance from base value to prediction by at most {gap:.2g}{share}"
    )
