"""An audit of a model of a number: who is predicted worse, and in which direction."""

import time
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from pydantic import Field

from workbench.core.context import Context
from workbench.core.error_audit import MEASURES, ErrorAudit
from workbench.core.errors import InvalidInputError
from workbench.core.fairness import ENOUGH
from workbench.core.grouping import Grouping
from workbench.core.method import METHODS, Cost, Method
from workbench.core.model import CHUNK_ROWS, Model
from workbench.core.table import Table
from workbench.engines.calls import check_features, provenance_of, true_values
from workbench.engines.fairness.audit import predicted
from workbench.engines.fairness.audit_rates import adjusted_chances
from workbench.engines.fairness.groups import find_groups
from workbench.engines.fairness.params import GroupingParams
from workbench.engines.weighing import row_weights
from workbench.numerics.group_means import sums_of
from workbench.numerics.least_chance import draws_of_errors
from workbench.numerics.mean_gaps import Valued, mean_gaps
from workbench.numerics.rates import mover_difference

NAME = "fairness.errors"
DRAWS = 0xFA7
SQUARED = list(MEASURES).index("root_mean_squared_error")


class ErrorsParams(GroupingParams):
    """Settings of ``fairness.errors``."""

    depth: int = Field(2, ge=1, le=8, description="How many attributes are crossed at most.")
    quantile: float = Field(
        0.9, gt=0, lt=1,
        description="Of the quantile loss: 0.9 makes a prediction that is too low cost nine times "
        "what one costs that is too high.",
    )  # fmt: skip
    weights: bool = Field(
        True, description="Count rows by the table's sampling weights, where it has them."
    )
    resamples: int = Field(
        2000, ge=200, le=20_000,
        description="Bootstrap samples behind intervals of gaps, and random groups behind what "
        "chance alone shows; fewer where there are many rows.",
    )  # fmt: skip
    least_rows: int = Field(
        ENOUGH, ge=1, description="Rows that a group has to have, so that gaps take it in."
    )


def _errors(
    model: Model, rows: Table, _: Table, params: ErrorsParams, context: Context
) -> ErrorAudit:
    started = time.perf_counter()
    check_features(model, rows, "rows to audit")
    if model.schema.task != "regression":
        raise InvalidInputError(
            f"Model {model.name} decides between classes, and errs by deciding wrongly; compare "
            "its rates by group instead (workbench fairness, or the page Fairness)."
        )
    truth = true_values(model, rows)
    grouping = find_groups(rows, params)
    weights, notes = row_weights(rows, wanted=params.weights)
    values = row_values(predicted(model, rows, context)[:, 0], truth, params.quantile)
    fields = _by_partition(values, grouping, weights, params, context)
    return ErrorAudit(
        provenance=provenance_of(
            NAME, model, rows, None, params, context, evaluations=len(rows),
            chunk_rows=min(len(rows), CHUNK_ROWS), seconds=time.perf_counter() - started,
            notes=notes,
        ),
        attributes=grouping.attributes,
        levels=grouping.levels,
        target=model.schema.target or "the target",
        unit=model.schema.target_unit,
        quantile=params.quantile,
        weighted=weights is not None,
        **fields,
    )  # fmt: skip


def row_values(
    said: Float[np.ndarray, " n"], truth: Float[np.ndarray, " n"], quantile: float
) -> Float[np.ndarray, "m n"]:
    """Return what the measures are means of, in the order of ``MEASURES``; the fifth is squared.

    References
    ----------
    Koenker and Bassett (1978), Regression Quantiles, for the quantile loss.
    """
    error = said - truth
    loss = np.maximum(quantile * -error, (quantile - 1) * -error)
    return np.stack([said, truth, error, np.abs(error), error**2, loss])


def _rooted(means: Float[np.ndarray, "m *k"]) -> Float[np.ndarray, "m *k"]:
    found = means.copy()
    found[SQUARED] = np.sqrt(np.maximum(0.0, found[SQUARED]))
    return found


def _of_enough(
    few: Bool[np.ndarray, " g"], means: Float[np.ndarray, "m g"]
) -> Float[np.ndarray, "m g"]:
    """Return measures of means, without those of groups that have too few rows."""
    return np.where(few, np.nan, _rooted(means))


def _by_partition(
    values: Float[np.ndarray, "m n"],
    grouping: Grouping,
    weights: Float[np.ndarray, " n"] | None,
    params: ErrorsParams,
    context: Context,
) -> dict[str, Any]:
    partitions, n = grouping.partitions(params.depth), values.shape[1]
    draws, one = draws_of_errors(n, len(partitions), params.resamples), np.ones(n)
    fields: dict[str, list[np.ndarray]] = {}
    references, start = [], 0
    for place, part in enumerate(partitions):
        context.step(place, len(partitions), "ways of grouping people")
        group, g = grouping.cell_of(part), len(grouping.cells(part))
        sums = [sums_of(own, group, g, weights) for own in values]
        measures = _rooted(np.stack([own.interval() for own in sums]))  # (m, g, 3)
        reference = int(sums[0].weight.argmax())
        apart = mover_difference(measures, measures[:, reference][:, None])
        apart[:, reference] = np.where(np.isfinite(apart[:, reference, :1]), 0.0, np.nan)
        valued = Valued(values, group, g, one if weights is None else weights)
        few = np.bincount(group, minlength=g) < params.least_rows
        gaps, floors, chances = mean_gaps(
            valued, np.where(few[:, None], np.nan, measures), partial(_of_enough, few), draws,
            context.stream(DRAWS, place),
        )  # fmt: skip
        found = {
            "partition_of": np.full(g, place), "sizes": np.bincount(group, minlength=g),
            "values": measures, "differences": apart, "gaps": gaps[:, None],
            "floors": floors[:, None], "chances": chances[:, None],
        }  # fmt: skip
        for name, own in found.items():
            fields.setdefault(name, []).append(own)
        references.append(start + reference)
        start += g
    context.step(len(partitions), len(partitions), "ways of grouping people")
    by_group = {"partition_of", "sizes"}
    joined = {
        name: np.concatenate(parts, 0 if name in by_group else 1) for name, parts in fields.items()
    }
    whole = [sums_of(own, np.zeros(n, dtype=np.int64), 1, weights) for own in values]
    return {
        **joined,
        "partitions": partitions,
        "group_levels": tuple(name for part in partitions for name in grouping.cells(part)),
        "overall": _rooted(np.stack([own.interval() for own in whole]))[:, 0],
        "references": np.array(references),
        "adjusted": adjusted_chances(joined["chances"]),
    }


def _cost(model: Model, n_rows: int, _: int, __: ErrorsParams) -> Cost:
    return Cost(n_rows, n_bytes=8 * n_rows * (32 + len(model.schema.features)) + 2**20)


METHODS.register(
    NAME,
    Method(
        title="For whom the model errs more",
        question="Which groups are predicted worse, or too low, and how sure is that?",
        explain=_errors,
        params=ErrorsParams,
        yields=ErrorAudit,
        needs=frozenset(),
        uses=frozenset({"labels"}),
        cost=_cost,
        reference="Agarwal, Dudik and Wu (2019); Koenker and Bassett (1978)",
        weakness="A group whose target varies more is predicted worse by any model; hold its error "
        "against the spread of its target.",
    ),
)
