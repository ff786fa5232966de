"""Explanations of the same rows by every one of a set of equally good models."""

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS, Cost, Effort, Method
from workbench.core.model import Model
from workbench.core.results import Attribution, AttributionRange
from workbench.core.table import Table, split_sizes
from workbench.core.wording import counted
from workbench.engines.calls import check_features, provenance_of
from workbench.engines.rashomon.attributions_params import AttributionsParams
from workbench.engines.rashomon.found import Found, look, search_passes
from workbench.engines.rashomon.inner_method import Inner, choose_inner, explain_all
from workbench.engines.rashomon.near_params import near_trains
from workbench.engines.rashomon.scene import make_scene

NAME = "rashomon.attributions"
# Attributions that a result holds at most; with their standard errors half a gigabyte.
MOST_VALUES = 2**26
UNFINISHED = "not finished yet: more models are to come"


def _explain(
    model: Model, rows: Table, table: Table, params: AttributionsParams, context: Context
) -> AttributionRange:
    started = time.perf_counter()
    check_features(model, rows, "rows to explain")
    _check_size(model, len(rows), params)
    scene = make_scene(model, rows, table, params, context)
    background = _background(table, params, context)
    inner = choose_inner(model, len(rows), len(background), params)
    near = look(scene, params.explained, params)
    members = near.members

    def result(found: Sequence[Attribution], evaluations: int, *told: str) -> AttributionRange:
        m = len(found) - 1
        notes = _notes(near, inner, background)
        given = found[0]
        return AttributionRange(
            provenance=provenance_of(
                NAME, model, rows, table, params, context, evaluations=evaluations,
                chunk_rows=given.provenance.chunk_rows, seconds=time.perf_counter() - started,
                notes=(*notes, *told),
            ),
            **_arrays(found),
            predictions=given.predictions,
            excess=near.excess[:m].numpy(),
            noise=near.noise[:m].numpy(),
            numbers=members.numbers[:m].numpy(),
            strengths=members.strengths[:m].double().numpy(),
            stretches=members.stretches[:m].double().numpy(),
            data=given.data,
            ids=given.ids,
            truth=given.truth,
            schema=model.schema,
            output_names=model.output_names,
            unit=given.unit,
            explorer=near.explorer,
            inner=inner.name,
            inner_title=inner.method.title,
            tolerance=near.tolerance,
            loss_name="cross-entropy in nats" if scene.classes else "mean squared error",
            base_loss=scene.base_loss,
            n_admission=len(scene.admission),
            dof=given.dof,
            background_dof=given.background_dof,
        )  # fmt: skip

    done: list[Attribution] = []
    evaluations = scene.evaluations
    for some, passes in explain_all(near.family, members, inner, rows, background, context):
        done += some
        evaluations += passes
        if context.preview is not None and len(done) <= len(members.numbers):
            context.preview(partial(result, tuple(done), evaluations, UNFINISHED))
    return result(done, evaluations)


def _background(table: Table, params: AttributionsParams, context: Context) -> Table:
    """Draw training rows that stand in for unknown features, the same for all models."""
    known = table.split("train")
    return known.sample(min(params.background_rows, len(known)), seed=context.seed)


def _arrays(found: Sequence[Attribution]) -> dict[str, Any]:
    """Stack the attributions of models, that of the given one apart; in single precision."""
    shape = found[0].values.shape
    values = [one.values for one in found]
    errors = [_known(one.std_errors, shape) for one in found]
    drawn = [_known(one.background_std_errors, shape[1:]) for one in found]
    bases = [one.base_values.mean(0) for one in found]

    def others(arrays: list[np.ndarray]) -> np.ndarray:
        rest = np.array(arrays[1:], dtype=np.float32)
        return rest.reshape(-1, *arrays[0].shape)

    return {
        "values": others(values), "given_values": np.float32(values[0]),
        "std_errors": others(errors), "given_std_errors": np.float32(errors[0]),
        "background_std_errors": others(drawn), "given_background_std_errors": drawn[0],
        "base_values": others(bases), "given_base_values": bases[0],
        "model_predictions": others([one.predictions for one in found]),
    }  # fmt: skip


def _known(errors: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    return np.zeros(shape) if errors is None else errors


def _check_size(model: Model, n_rows: int, params: AttributionsParams) -> None:
    """Refuse what would not fit into memory, before minutes of work.

    Raises
    ------
    InvalidInputError
        If rows, models, features and outputs are too many together.
    """
    each = len(model.schema.features) * len(model.output_names)
    if n_rows * params.explained * each > MOST_VALUES:
        raise InvalidInputError(
            f"{counted(n_rows, 'row')} by {counted(params.explained, 'model')} are too many "
            f"attributions to keep; explain at most {MOST_VALUES // (params.explained * each):,} "
            "rows, or fewer models."
        )


def _notes(near: Found, inner: Inner, background: Table) -> tuple[str, ...]:
    """Say what was chosen, and what a reader should know of the models that were found."""
    admission, *others = near.notes("explained")
    stand_in = (
        f"{counted(len(background), 'training row')} stand in for unknown features, the same for "
        "all models"
    )
    why = (inner.why,) if inner.why else ()
    return (*why, admission, stand_in, *others)


def _cost(model: Model, n_rows: int, n_table: int, params: AttributionsParams) -> Cost:
    b = min(params.background_rows, max(1, split_sizes(n_table)["train"]))
    inner = choose_inner(model, n_rows, b, params)
    one = inner.method.cost(model, n_rows, b, inner.params)
    values = n_rows * params.explained * len(model.schema.features) * len(model.output_names)
    return Cost(
        (params.explained + 1) * one.evaluations + search_passes(model, n_rows, n_table, params),
        n_bytes=len(model.output_names) * one.n_bytes + 8 * values,
    )  # fmt: skip


def _efforts(_: int) -> dict[str, Effort]:
    return {
        "quick": Effort(0, {"explained": 16, "background_rows": 50}),
        "standard": Effort(0, {}),
        "thorough": Effort(0, {"explained": 256, "push": True}),
    }


METHODS.register(
    NAME,
    Method(
        title="Explanations across equally good models",
        question="Would equally good models explain these predictions in the same way?",
        explain=_explain,
        params=AttributionsParams,
        yields=AttributionRange,
        needs=frozenset({"perturbable"}),
        uses=frozenset({"table"}),
        cost=_cost,
        trains=near_trains,
        efforts=_efforts,
        reference="Hsu, Li, Hu and Chen (2024); Fisher, Rudin and Dominici (2019); Lundberg and "
        "Lee (2017)",
        weakness="Knows the models that its explorer finds and no others: a sign that never flips "
        "here may flip in a model that was not looked at.",
    ),
)
