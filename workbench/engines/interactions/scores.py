"""Scores of pairs and triples of features in one model."""

import math
import time
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.core.context import Context
from workbench.core.interaction_scores import NONE, InteractionScores
from workbench.core.method import METHODS, Cost, Method
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.engines.calls import provenance_of
from workbench.engines.interactions.candidates import (
    MOST_FEATURES,
    MOST_SETS,
    SCREEN_ROWS,
    chosen_pairs,
    chosen_triples,
)
from workbench.engines.interactions.params import PAIR, TRIPLE, ScoresParams
from workbench.engines.interactions.scene import Scene, scene_of
from workbench.numerics.association import association
from workbench.numerics.devices import LEAST_BUDGET
from workbench.numerics.links import unit_of
from workbench.numerics.pair_weights import pair_weights
from workbench.numerics.reference_row import reference_row
from workbench.numerics.second_differences import COPIES, NUMBER_BYTES, SUMS, Differences, parts_of
from workbench.numerics.swaps import Set

NAME = "interactions.scores"


def _explain(
    model: Model, rows: Table, _: Table, params: ScoresParams, context: Context
) -> InteractionScores:
    started = time.perf_counter()
    scene = scene_of(model, rows, params, context)
    scene.expected = _cost(model, len(rows), 0, params).evaluations
    outputs = scene.outputs(model)
    variances = outputs.var(0, correction=0).numpy()
    d = len(model.schema.features)
    alone = scene.measure(model, [(i,) for i in range(d)])
    sets, found = _measured(scene, variances, params)
    besides = _compared(scene, sets) if params.compare else {}
    predictions = model.predict(scene.rows.X)
    scene.count(len(predictions))
    return InteractionScores(
        provenance=provenance_of(
            NAME, model, rows, None, params, context, evaluations=scene.evaluations,
            chunk_rows=len(scene.rows), seconds=time.perf_counter() - started,
            notes=_notes(model, rows, scene, params),
        ),
        sets=np.array([[*one, *[NONE] * (3 - len(one))] for one in sets], dtype=np.int64),
        variances=variances.reshape(model.n_models, -1),
        totals=_by_model(alone.squared.values, model),
        mean_predictions=predictions.mean(0).numpy()[: len(model.schema.output_names)],
        excess=np.zeros(model.n_models),
        association=association(scene.rows.X.double().numpy(), model.schema.features),
        n_possible=math.comb(d, 2),
        schema=model.schema,
        output_names=model.schema.output_names,
        unit=unit_of(model.schema, params.output, "identity"),
        loss_unit=loss_unit(model),
        **scores_of(found, sets, model),
        **_in_loss(found, alone),
        **besides,
    )  # fmt: skip


def _measured(
    scene: Scene, variances: Float[np.ndarray, " k"], params: ScoresParams
) -> tuple[list[Set], list[Differences]]:
    """Choose sets, unless they are named, and measure them: pairs, and then triples."""
    model, d = scene.model, len(scene.model.schema.features)
    named = params.places(model.schema)
    if named:
        pairs, triples = ([one for one in named if len(one) == size] for size in (PAIR, TRIPLE))
    else:
        pairs, triples = chosen_pairs(scene, model, variances), []
    found = [scene.measure(model, pairs)] if pairs else []
    if not named and params.order == TRIPLE:
        shares = found[0].squared.values.numpy() / np.where(variances > 0, variances, 1)
        triples = chosen_triples(pairs, shares.mean(1), d)
    if triples:
        found.append(scene.measure(model, triples))
    return pairs + triples, found


def _by_model(values: Float[Tensor, "s mk"], model: Model) -> Float[np.ndarray, "m s k"]:
    """Take models apart that answered side by side."""
    return values.unflatten(1, (model.n_models, -1)).movedim(1, 0).numpy()


def scores_of(found: list[Differences], sets: list[Set], model: Model) -> dict[str, Any]:
    """Return the scores of a model as fields of a result; of sets without an order no sign."""
    ordered = torch.tensor([
        all(len(model.schema.features[i].categories) <= 2 for i in one) for one in sets
    ])
    means = {"mixed": [part.squared for part in found], "signed": [part.signed for part in found]}
    fields: dict[str, Any] = {}
    for name, parts in means.items():
        fields[name] = torch.cat([part.values for part in parts])
        fields[f"{name}_std_errors"] = torch.cat([part.std_errors for part in parts])
    for name in ("signed", "signed_std_errors"):
        fields[name] = fields[name].masked_fill(~ordered[:, None], torch.nan)
    return {name: _by_model(values, model) for name, values in fields.items()}


def _compared(scene: Scene, sets: list[Set]) -> dict[str, Any]:
    """Return the scores of the other detectors as fields of a result."""
    model = scene.model
    typical = reference_row(scene.rows.X, model.schema, model.whole_numbers)
    sizes = sorted({len(one) for one in sets})
    in_contexts = [
        scene.in_contexts(model, [one for one in sets if len(one) == size], typical)
        for size in sizes
    ]
    fields = {"in_contexts": _by_model(torch.cat(in_contexts), model)}
    weights = pair_weights(model, sets)
    return fields if weights is None else fields | {"by_weights": weights.numpy()[None]}


def _in_loss(found: list[Differences], alone: Differences) -> dict[str, Any]:
    losses = [part.loss for part in found if part.loss is not None]
    if not losses or alone.loss is None:
        return {}
    return {
        "losses": torch.cat([part.values for part in losses]).T.numpy(),
        "losses_std_errors": torch.cat([part.std_errors for part in losses]).T.numpy(),
        "loss_effects": alone.loss.values.T.numpy(),
    }


def loss_unit(model: Model) -> str:
    """Return the unit of the loss; empty for a target without one."""
    if model.schema.n_classes:
        return "nats"
    return f"{model.schema.target_unit}²" if model.schema.target_unit else ""


def _notes(model: Model, rows: Table, scene: Scene, params: ScoresParams) -> tuple[str, ...]:
    notes = []
    if len(scene.rows) < len(rows):
        notes.append(f"{len(scene.rows):,} of {len(rows):,} rows were drawn")
    if (d := len(model.schema.features)) > MOST_FEATURES and not params.sets:
        notes.append(
            f"of {math.comb(d, 2):,} pairs the {MOST_SETS} that were strongest on "
            f"{min(SCREEN_ROWS, len(scene.rows))} rows were scored"
        )
    if rows.weights is not None:
        notes.append("rows count alike, whatever their sampling weight")
    return tuple(notes)


def _cost(model: Model, n_rows: int, _: int, params: ScoresParams) -> Cost:
    d, k = len(model.schema.features), len(model.output_names)
    n, pairs = min(n_rows, params.max_rows), math.comb(d, 2)
    wide = d > MOST_FEATURES and not params.sets
    scored, triples = _n_sets(d, params)
    subsets = (1 + d) + asked_subsets(n, k, scored, d + 1, 3)
    if triples:
        subsets += asked_subsets(n, k, triples, 1 + d + pairs, 7)
    screening = min(n, SCREEN_ROWS)
    evaluations = 2 * n + params.permutations * n * subsets
    if params.compare:  # rows and as many typical rows, whose sums take twice the room
        evaluations += 4 * n * subsets
    if wide:
        evaluations += screening * asked_subsets(screening, k, pairs, d + 1, 3)
    # The sums of a part of the sets, encoded rows, and what a pass takes.
    sums = NUMBER_BYTES * n * k * (SUMS + COPIES) * max(scored, 1 + d)
    return Cost(evaluations, min(sums, LEAST_BUDGET) + LEAST_BUDGET // 4)


def _n_sets(d: int, params: ScoresParams) -> tuple[int, int]:
    """Return how many pairs and triples are scored at most."""
    if params.sets:
        pairs = sum(len(one) == PAIR for one in params.sets)
        return pairs, len(params.sets) - pairs
    pairs = math.comb(d, 2) if d <= MOST_FEATURES else min(math.comb(d, 2), MOST_SETS)
    return pairs, min(math.comb(d, 3), MOST_SETS) if params.order == TRIPLE else 0


def asked_subsets(n: int, k: int, n_sets: int, shared: int, each: int) -> int:
    """Bound how many sets the network is asked about: smaller ones anew for each part."""
    parts = parts_of(n_sets, n, k, LEAST_BUDGET)
    sizes = [part.stop - part.start for part in parts]
    return sum(min(size + shared, size * each + 1) for size in sizes)


METHODS.register(
    NAME,
    Method(
        title="Scores of pairs of features",
        question="Which features does the model use together?",
        explain=_explain,
        params=ScoresParams,
        yields=InteractionScores,
        needs=frozenset(),
        uses=frozenset(),
        cost=_cost,
        reference="Liu and Owen (2006); Li, Wang, Deng and Barnard (2024)",
        weakness="Rows with features of other rows may not occur when features depend on each "
        "other; effects of rare combinations are hardly met.",
    ),
)
