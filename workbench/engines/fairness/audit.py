"""An audit of decisions: rates of groups, gaps between them, and how sure both are."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.fairness import FairnessAudit
from workbench.core.fairness_metrics import GAPS
from workbench.core.grouping import Grouping
from workbench.core.method import METHODS, Cost, Method
from workbench.core.model import CHUNK_ROWS, Model
from workbench.core.table import Table
from workbench.engines.calls import check_features, check_finite, provenance_of, true_values
from workbench.engines.fairness import audit_people, audit_rates, audit_scores
from workbench.engines.fairness.audit_params import AuditParams
from workbench.engines.fairness.audit_scores import Scored
from workbench.engines.fairness.decided import Decided, decide, favourable_position
from workbench.engines.fairness.groups import find_groups
from workbench.engines.fairness.tally import Tally, tally
from workbench.engines.weighing import row_weights

NAME = "fairness.audit"
STEP_ROWS = 4 * CHUNK_ROWS
THRESHOLDS = np.linspace(0.0, 1.0, 201)


@dataclass(frozen=True, eq=False)
class Audited:
    """What an audit looks at: decisions about rows, and whose they are.

    Attributes
    ----------
    decided
        With truth; scores are NaN where decisions are all that is known.
    unfavourable
        What it means not to be of the favourable class.
    weights
        1 on average; None where all rows count alike.
    table
        Features of the rows, by which people are alike; None where there are none.
    """

    decided: Decided
    grouping: Grouping
    unfavourable: str
    weights: Float[np.ndarray, " n"] | None = None
    table: Table | None = None


def _audit(
    model: Model, rows: Table, _: Table, params: AuditParams, context: Context
) -> FairnessAudit:
    started = time.perf_counter()
    check_features(model, rows, "rows to audit")
    position = favourable_position(model, rows, params.favourable)
    truth = true_values(model, rows)
    grouping = find_groups(rows, params)
    weights, notes = row_weights(rows, wanted=params.weights)
    decided = decide(predicted(model, rows, context), position, model.schema.classes, truth)
    if params.threshold is not None:
        decided = _decided_from(decided, params.threshold)
    others = [name for name in model.schema.classes if name != decided.favourable]
    audited = Audited(
        decided, grouping, others[0] if len(others) == 1 else f"not {decided.favourable}",
        weights, rows,
    )  # fmt: skip
    fields, more = audit_fields(audited, params, context)
    return FairnessAudit(
        provenance=provenance_of(
            NAME, model, rows, None, params, context, evaluations=len(rows),
            chunk_rows=min(len(rows), CHUNK_ROWS), seconds=time.perf_counter() - started,
            notes=(*notes, *more),
        ),
        **fields,
    )  # fmt: skip


def predicted(model: Model, rows: Table, context: Context) -> Float[np.ndarray, "n k"]:
    """Ask the model about all rows; the only work that grows with a network's size.

    Raises
    ------
    InvalidInputError
        If the model has no answer for a row.
    """
    found = np.empty((len(rows), len(model.output_names)))
    for start in range(0, len(rows), STEP_ROWS):
        part = rows[start : start + STEP_ROWS]
        outputs = model.predict(part.X)
        check_finite(model, part, outputs)
        found[start : start + len(part)] = outputs.numpy()
        context.step(start + len(part), len(rows), "rows")
    return found


def _decided_from(decided: Decided, threshold: float) -> Decided:
    return Decided(
        decided.favourable, decided.position, decided.scores, decided.scores >= threshold,
        decided.truth,
    )  # fmt: skip


def audit_fields(
    audited: Audited, params: AuditParams, context: Context
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Compare groups by everything that is known of the decisions; return fields and notes.

    Raises
    ------
    InvalidInputError
        If a score is no probability.
    """
    decided = audited.decided
    scored = bool(np.isfinite(decided.scores).all())
    thresholds = THRESHOLDS if scored else np.zeros(0)
    if scored:
        _check_scores(decided.scores)
    counted = tally(decided, audited.grouping, audited.weights, thresholds, params.depth)
    own, joined = _by_partition(audited, counted, params, context)
    total = counted.counts.sum(0)[None], counted.squares.sum(0)[None]
    chances = np.stack([part["chances"] for part in own], 1)
    left_out = frozenset(audited.grouping.attributes)
    partitions = tuple(counted.partitions)
    return {
        "attributes": audited.grouping.attributes,
        "levels": audited.grouping.levels,
        "partitions": tuple(part.attributes for part in partitions),
        "partition_of": np.repeat(np.arange(len(partitions)), [len(part) for part in partitions]),
        "group_levels": tuple(name for part in partitions for name in part.names),
        "favourable": decided.favourable,
        "unfavourable": audited.unfavourable,
        "overall": audit_rates.rates_with_bounds(*total)[:, 0],
        "gaps": np.stack([part["gaps"] for part in own], 1),
        "floors": np.stack([part["floors"] for part in own], 1),
        "chances": chances,
        "adjusted": audit_rates.adjusted_chances(chances),
        "score_names": audit_scores.NAMES,
        "thresholds": thresholds,
        "individual_names": audit_people.NAMES,
        "individual": audit_people.individual_fields(
            _effective(*total), decided.decided.astype(float), audited.table, audited.weights,
            left_out, params, context,
        ),
        "differential": np.stack([part["differential"] for part in own]),
        "between": np.array([part["between"] for part in own]),
        "weighted": audited.weights is not None,
        "rows": None if audited.weights is None
        else np.rint(joined.pop("rows")).astype(np.int64),
        **{name: value for name, value in joined.items() if name != "rows"},
    }, _notes(counted, audited)  # fmt: skip


# Fields that have an axis of groups, and which one it is.
GROUP_AXES = {
    "rows": 0, "counts": 0, "rates": 1, "pooled": 1, "differences": 1, "ratios": 1,
    "score_values": 1, "bin_scores": 0, "bin_counts": 0, "bin_positives": 0, "passed": 1,
}  # fmt: skip


def _by_partition(
    audited: Audited, counted: Tally, params: AuditParams, context: Context
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the fields of each partition, and those of all groups one after another."""
    partitions = tuple(counted.partitions)
    draws = max(params.resamples, audit_rates.DRAWS_EACH * len(GAPS) * len(partitions))
    truth = audited.decided.truth
    assert truth is not None  # noqa: S101 - counted already
    scored = Scored(audited.decided, truth, audited.weights)
    found = []
    for place, part in enumerate(partitions):
        context.step(place, len(partitions), "ways of grouping people")
        fields = {"rows": part.rows, "counts": part.counts, **audit_rates.rate_fields(part)}
        fields |= audit_rates.gap_fields(part, fields["rates"], place, params, draws, context)
        if len(counted.thresholds):
            group = audited.grouping.cell_of(part.attributes)
            fields |= audit_scores.score_fields(
                scored, part, group, place, params.resamples, context
            )
        else:
            fields |= audit_scores.without_scores(part)
        fields |= audit_people.evenness_fields(part, place, params.resamples, context)
        fields["passed"] = counted.passed_by(part)
        found.append(fields)
    context.step(len(partitions), len(partitions), "ways of grouping people")
    joined = {
        name: np.concatenate([fields[name] for fields in found], axis)
        for name, axis in GROUP_AXES.items()
    }
    starts = np.cumsum([0, *(len(part) for part in partitions)])
    joined["references"] = np.array([
        start + fields["references"] for start, fields in zip(starts, found, strict=False)
    ])
    joined["cross_areas"] = _blocks([fields["cross_areas"] for fields in found], starts)
    return found, joined


def _blocks(
    parts: list[Float[np.ndarray, "_ _"]], starts: Int[np.ndarray, " p"]
) -> Float[np.ndarray, "g g"]:
    whole = np.full((int(starts[-1]), int(starts[-1])), np.nan)
    for start, part in zip(starts, parts, strict=False):
        whole[start : start + len(part), start : start + len(part)] = part
    return whole


def _effective(
    counts: Float[np.ndarray, "1 2 2"], squares: Float[np.ndarray, "1 2 2"]
) -> Float[np.ndarray, " 4"]:
    scale = counts.sum() / squares.sum()
    scaled: np.ndarray = counts.reshape(4) * scale
    return scaled


def _check_scores(scores: Float[np.ndarray, " n"]) -> None:
    wrong = (scores < 0) | (scores > 1)
    if wrong.any():
        row = int(wrong.argmax())
        raise InvalidInputError(
            f"Score {scores[row]:.4g} in row {row} is no probability; give scores from 0 to 1."
        )


def _notes(counted: Tally, audited: Audited) -> tuple[str, ...]:
    """Say which groups a rate is missing of, and which rows lack an attribute."""
    notes = []
    for part in counted.partitions:
        if len(part.attributes) > 1:
            break
        seen = part.rows.sum((1, 2)) > 0
        for truth, what in ((1, "with"), (0, "without")):
            bare = [
                ", ".join(name)
                for name, rows, own in zip(part.names, part.rows, seen, strict=True)
                if own and not rows[truth].sum()
            ]
            if bare:
                name = audited.grouping.attributes[part.attributes[0]]
                notes.append(
                    f"no rows {what} the favourable outcome for {name} {', '.join(bare)}: what is "
                    "a share of them is undefined there, and its gaps leave such groups out"
                )
    return tuple(notes)


def _cost(model: Model, n_rows: int, _: int, params: AuditParams) -> Cost:
    per_row = 8 * (len(model.output_names) + 16 + 4 * len(model.schema.features))
    return Cost(n_rows, n_bytes=n_rows * per_row + 40 * 4_000_000 + 8 * params.resamples * 64)


METHODS.register(
    NAME,
    Method(
        title="Who is worse off",
        question="Which groups fare worse under the decisions, by how much, and how sure is that?",
        explain=_audit,
        params=AuditParams,
        yields=FairnessAudit,
        needs=frozenset(),
        uses=frozenset({"labels"}),
        cost=_cost,
        reference="Hardt, Price and Srebro (2016); Wilson (1927); Zou and Donner (2008)",
        weakness="It takes the labels for the truth: where the labels are unfair themselves, a "
        "model that repeats them looks fair.",
    ),
)
