"""What all Shapley estimators share: the game, the loop over rows, the result."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS, Cost
from workbench.core.model import Model
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.engines.calls import check_features, provenance_of
from workbench.engines.shapley.params import ShapleyParams
from workbench.numerics.links import apply_link, unit_of
from workbench.numerics.set_function import SetFunction
from workbench.numerics.value_functions import SINGLE, make_game, notes_of

EARLY_SHARE = 8  # a first look takes one part of that many
# Model evaluations from which a run takes long enough that somebody wants to see it early.
WORTH_A_LOOK = 2_000_000
UNFINISHED = "not finished yet: values still change"


@dataclass(frozen=True)
class Estimate:
    """Values of some rows for every column of the game, and standard errors of the outputs.

    Attributes
    ----------
    dof
        Degrees of freedom of the standard errors, where they are few.
    """

    values: Float[Tensor, "n d gk"]
    std_errors: Float[Tensor, "n d k"] | None = None
    dof: float | None = None


# Yields better and better estimates of the same rows; the last one stands.
Estimator = Callable[[SetFunction, Table], Iterator[Estimate]]


def run(
    name: str,
    model: Model,
    rows: Table,
    background: Table,
    params: ShapleyParams,
    context: Context,
    *,
    estimate: Estimator,
    block: int,
    early: Estimator | None = None,
    dof: float | None = None,
    notes: tuple[str, ...] = (),
) -> Attribution:
    """Estimate row block by row block, so that memory does not grow with the rows.

    Each better estimate is offered to ``context.preview``. Where there is one and the run is
    long, ``early`` estimates the first block beforehand: a look that costs little, whose
    evaluations are not used again, so that the result has the same bits whether or not somebody
    watches.

    Raises
    ------
    InvalidInputError
        If there are no rows, or a table does not have the model's features.
    """
    started = time.perf_counter()
    unit = unit_of(model.schema, params.output, params.link)
    for table, what in ((rows, "rows to explain"), (background, "background rows")):
        check_features(model, table, what)
    cost = METHODS[name].cost(model, len(rows), len(background), params)
    game = make_game(
        model, background, value=params.value, output=params.output, link=params.link,
        context=context, expected=cost.evaluations,
    )  # fmt: skip
    explained = model.predict if params.output == "probability" else model.scores
    predictions = apply_link(explained(rows.X), params.link)
    _check_finite(model, rows, background, predictions, game)

    def result(parts: list[Estimate], *told: str) -> Attribution:
        values = torch.cat([part.values for part in parts])
        known, n = rows[: len(values)], len(values)
        drawn = game.background_std_errors(values)  # (n, d, k)
        k = game.n_outputs
        errors = [part.std_errors for part in parts if part.std_errors is not None]
        return Attribution(
            provenance=provenance_of(
                name, model, known, background, params, context,
                evaluations=game.evaluations, chunk_rows=game.chunk_rows,
                seconds=time.perf_counter() - started, notes=(*notes, *notes_of(game), *told),
            ),
            values=values[..., :k].numpy().copy(),
            base_values=game.empty[:k].expand(n, -1).numpy().copy(),
            predictions=predictions[:n].numpy(),
            data=known.X.double().numpy(),
            ids=known.ids.numpy(),
            truth=np.full(n, np.nan) if known.y is None else known.y.double().numpy(),
            base_std_errors=game.empty_std_errors.numpy(),
            schema=model.schema,
            output_names=model.output_names,
            unit=unit,
            std_errors=torch.cat(errors).numpy() if errors else None,
            background_dof=None if drawn is None else game.n_groups - 1.0,
            background_std_errors=None if drawn is None else drawn.pow(2).mean(0).sqrt().numpy(),
            dof=min((part.dof for part in parts if part.dof is not None), default=dof),
        )  # fmt: skip

    is_long = cost.evaluations >= WORTH_A_LOOK
    if context.preview is not None and early is not None and is_long:
        for hasty in early(game, rows[:block]):
            context.preview(partial(result, [hasty], UNFINISHED))
    done: list[Estimate] = []
    for start in range(0, len(rows), block):
        latest = None
        for latest in estimate(game, rows[start : start + block]):
            if context.preview is not None:
                context.preview(partial(result, [*done, latest], UNFINISHED))
        assert latest is not None  # noqa: S101 - an estimator yields at least once
        done.append(latest)
        game.report()
    return result(done)


def _check_finite(
    model: Model, rows: Table, background: Table, predictions: Tensor, game: SetFunction
) -> None:
    """Refuse rows for which the model has no answer; nothing can be attributed to NaN."""
    wrong = ~torch.isfinite(predictions).all(1)
    if wrong.any():
        row = int(rows.ids[int(wrong.nonzero()[0])])
        raise InvalidInputError(
            f"Model {model.name} returns no finite number for row {row} of {rows.name!r}; look for "
            "a value far outside the training data there, and mend or leave out the row."
        )
    if not torch.isfinite(game.empty).all():
        raise InvalidInputError(
            f"Model {model.name} returns no finite number for a background row of "
            f"{background.name!r}; mend or leave out rows far outside the training data."
        )


def answers_of(params: ShapleyParams, n_background: int) -> int:
    """Return how many rows at most go through a network for a coalition of a row."""
    return 1 if params.value in SINGLE else n_background


def sampling_cost(
    model: Model, n_rows: int, n_background: int, params: ShapleyParams, coalitions: int
) -> Cost:
    """Rows through the network when each row sees that many inner coalitions."""
    d, k = len(model.schema.features), len(model.output_names)
    evaluations = n_rows * (coalitions * answers_of(params, n_background) + 1) + n_background
    return Cost(evaluations, n_bytes=coalitions * (d + 8 * k * (d + 2)))
