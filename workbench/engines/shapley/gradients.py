"""What the gradient-based attributions share: chunks that are counted, the loop, the result."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS, Cost
from workbench.core.model import Model, Output
from workbench.core.params import Params
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.engines.calls import check_features, provenance_of
from workbench.engines.shapley.run import UNFINISHED
from workbench.numerics.devices import free_cache, is_out_of_memory
from workbench.numerics.links import unit_of
from workbench.numerics.slopes import slopes

CPU_CHUNK_BYTES = 2**22
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
        From sampling points; ``dof`` are the degrees of freedom behind them.
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


class Differentiated:
    """A model's chosen output and its slopes, in chunks that are counted and can be stopped.

    Attributes
    ----------
    constant_sum
        The outputs of a row add up to a constant: probabilities to 1, two log-odds to 0.
    passes
        Forward and backward passes that give the slopes of all outputs.
    evaluations
        Rows that went through the network so far, forwards and once per backward pass.
    chunk_rows
        Rows per network pass; halved when memory runs out.
    """

    def __init__(self, model: Model, output: Output, context: Context, expected: int) -> None:
        self.model = model
        self.chunk_rows = context.chunk_rows or _chunk_rows(model, context)
        self.evaluations = 0
        self.constant_sum = _constant_sum(model, output)
        self.passes = _passes(model, output)
        self._output = output
        self._context = context
        self._expected = expected
        groups = model.groups
        d = len(model.schema.features)
        self._groups = functional.one_hot(groups, d).to(model.device, model.dtype)  # (p, d)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the outputs of encoded rows, on the graph."""
        return self.model.outputs(self.model.network(inputs), self._output)

    @torch.no_grad()
    def outputs(self, inputs: Float[Tensor, "n p"]) -> Float[Tensor, "n k"]:
        """Return the outputs of encoded rows, in double precision on the CPU."""

        def evaluate(part: slice) -> Tensor:
            found = self.forward(inputs[part]).cpu().double()
            self.count(len(found))
            return found

        return self.in_chunks(len(inputs), 1, evaluate)

    def slopes(self, inputs: Float[Tensor, "m p"]) -> Float[Tensor, "m p k"]:
        """Return the slopes of all outputs of encoded rows."""
        leaf = inputs.detach().requires_grad_()
        with torch.enable_grad():
            outputs = self.forward(leaf)
            found = slopes(outputs, leaf, constant_sum=self.constant_sum)
        self.count(len(inputs) * self.passes)
        return found

    def by_feature(self, contributions: Float[Tensor, "m p k"]) -> Float[Tensor, "m d k"]:
        """Sum over the input columns of each raw feature; in double precision on the CPU."""
        found = torch.einsum("mpk,pd->mdk", contributions, self._groups)
        return found.cpu().double()

    def in_chunks(
        self, n: int, points: int, evaluate: Callable[[slice], Tensor]
    ) -> Float[Tensor, "n *rest"]:
        """Evaluate ``n`` items of so many points each, with smaller chunks where memory runs out.

        ``evaluate`` itself divides an item that has more points than ``chunk_rows``.

        Raises
        ------
        InvalidInputError
            If there is too little memory for a single row.
        RuntimeError
            As it came, where it does not say that memory ran out.
        MemoryError
            Never by itself: it is what running out of memory may look like.
        """
        parts: list[Tensor] = []
        start = 0
        while start < n:
            size = max(1, self.chunk_rows // points)
            try:
                parts.append(evaluate(slice(start, min(n, start + size))))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if self.chunk_rows == 1:
                    raise InvalidInputError(
                        f"{self.model.device.type} has too little memory for the slopes of a "
                        "single row; use another device."
                    ) from None
                self.chunk_rows //= 2
                free_cache(self.model.device)
                continue
            start += size
        return torch.cat(parts)

    def divided(self, points: int) -> list[slice]:
        """Parts of an item's points that fit into one pass."""
        step = self.chunk_rows
        return [slice(start, min(points, start + step)) for start in range(0, points, step)]

    def count(self, evaluations: int) -> None:
        """Tell how far it is, and stop if asked to."""
        self.evaluations += evaluations
        total = max(self._expected, self.evaluations)
        self._context.step(self.evaluations, total, "passes of rows through the network")


def path_contributions(
    network: Differentiated,
    ends: Float[Tensor, "i p"],
    starts: Float[Tensor, "i start p"],
    places: Float[Tensor, "path q"],
    weights: Float[Tensor, " q"],
) -> Float[Tensor, "i d k"]:
    r"""Slopes along straight lines, times the lines.

    .. math:: \sum_q w_q\, (z - b_q) \odot \nabla f\big(b_q + \alpha_q (z - b_q)\big)

    summed over the input columns of each raw feature. A line may start at one place for all its
    points or at one for each, and all lines may share their points (``path`` is 1).
    """
    weights = weights.to(ends)

    def some(part: slice, nodes: slice) -> Tensor:
        begin = starts[part] if starts.shape[1] == 1 else starts[part, nodes]
        change = ends[part, None] - begin  # (i, q or 1, p)
        own = (places[part] if len(places) > 1 else places)[:, nodes].to(ends)
        points = begin + own[:, :, None] * change  # (i, q, p)
        found = network.slopes(points.flatten(0, 1)).unflatten(0, points.shape[:2])
        moved = (weights[nodes, None] * change).expand(points.shape)
        return network.by_feature(torch.einsum("iqpk,iqp->ipk", found, moved))

    def evaluate(part: slice) -> Tensor:
        return torch.stack([some(part, nodes) for nodes in network.divided(len(weights))]).sum(0)

    return network.in_chunks(len(ends), len(weights), evaluate)


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
    _check_finite(model, rows, predictions)
    _check_finite(model, background, base)
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
    model: Model, n_rows: int, n_background: int, params: GradientParams, *, points: int
) -> Cost:
    """Rows through the network when each row sees that many points, forwards and backwards."""
    d, k = len(model.schema.features), len(model.output_names)
    evaluations = n_rows * (points * _passes(model, params.output) + 1) + n_background
    n_bytes = 8 * d * k * (n_background + 2) + 4 * points * len(model.groups)
    return Cost(evaluations, n_bytes)


def _constant_sum(model: Model, output: Output) -> bool:
    task = model.schema.task
    return task != "regression" and (output == "probability" or task == "binary")


def _passes(model: Model, output: Output) -> int:
    return 1 + len(model.output_names) - _constant_sum(model, output)


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


def _check_finite(model: Model, table: Table, outputs: Tensor) -> None:
    """Refuse rows for which the model has no answer; nothing can be attributed to NaN."""
    wrong = ~torch.isfinite(outputs).all(1)
    if wrong.any():
        place = int(wrong.nonzero()[0])
        which = f"row {int(table.ids[place])}" if len(outputs) == len(table) else "the mean row"
        raise InvalidInputError(
            f"Model {model.name} returns no finite number for {which} of {table.name!r}; look for "
            "a value far outside the training data there, and mend or leave out the row."
        )


def _chunk_rows(model: Model, context: Context) -> int:
    """Keep activations in the cache on a CPU, within the memory budget elsewhere."""
    linear = [m.out_features for m in model.network.modules() if isinstance(m, nn.Linear)]
    width = len(model.groups) + sum(linear)  # a backward pass needs all layers' activations
    row = 2 * width * torch.finfo(model.dtype).bits // 8
    if model.device.type == "cpu":
        return max(256, min(16384, CPU_CHUNK_BYTES // row))
    return max(1024, context.budget // (4 * row))
