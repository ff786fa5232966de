"""Explanations of the same rows by every one of a set of equally good models."""

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS, Cost, Effort, Method
from workbench.core.model import Model
from workbench.core.results import Attribution, AttributionRange
from workbench.core.table import Table, split_sizes
from workbench.core.wording import counted
from workbench.engines.calls import check_features, provenance_of
from workbench.engines.rashomon.attributions_params import AttributionsParams
from workbench.engines.rashomon.explore import PASSES, admitted
from workbench.engines.rashomon.inner_method import Inner, choose_inner, explain_all
from workbench.engines.rashomon.params import AUTO
from workbench.engines.rashomon.scene import Scene, make_scene
from workbench.numerics.stream.dropout import hidden_readers

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
    explorer = choose_explorer(model, params)
    tolerance = params.tolerance * scene.tolerance_unit
    family, members, excess, noise = admitted(
        scene, explorer, tolerance, params.explained, params
    )  # fmt: skip

    def result(found: Sequence[Attribution], evaluations: int, *told: str) -> AttributionRange:
        m = len(found) - 1
        notes = _notes(scene, inner, explorer, tolerance, background, noise, params)
        given = found[0]
        return AttributionRange(
            provenance=provenance_of(
                NAME, model, rows, table, params, context, evaluations=evaluations,
                chunk_rows=given.provenance.chunk_rows, seconds=time.perf_counter() - started,
                notes=(*notes, *told),
            ),
            **_arrays(found),
            predictions=given.predictions,
            excess=excess[:m].numpy(),
            noise=noise[:m].numpy(),
            numbers=members.numbers[:m].numpy(),
            strengths=members.strengths[:m].double().numpy(),
            stretches=members.stretches[:m].double().numpy(),
            data=given.data,
            ids=given.ids,
            truth=given.truth,
            schema=model.schema,
            output_names=model.output_names,
            unit=given.unit,
            explorer=explorer,
            inner=inner.name,
            inner_title=inner.method.title,
            tolerance=tolerance,
            loss_name="cross-entropy in nats" if scene.classes else "mean squared error",
            base_loss=scene.base_loss,
            n_admission=len(scene.admission),
            dof=given.dof,
            background_dof=given.background_dof,
        )  # fmt: skip

    done: list[Attribution] = []
    evaluations = scene.evaluations
    for some, passes in explain_all(family, members, inner, rows, background, context):
        done += some
        evaluations += passes
        if context.preview is not None and len(done) <= len(members.numbers):
            context.preview(partial(result, tuple(done), evaluations, UNFINISHED))
    return result(done, evaluations)


def choose_explorer(model: Model, params: AttributionsParams) -> str:
    """Return who looks for models: noise on hidden units, or on weights where there are none."""
    if params.explorer != AUTO:
        return params.explorer
    return "gaussian-units" if hidden_readers(model) else "gaussian-weights"


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


def _notes(
    scene: Scene, inner: Inner, explorer: str, tolerance: float, background: Table,
    noise: Float[Tensor, " b"], params: AttributionsParams,
) -> tuple[str, ...]:  # fmt: skip
    """Say what was chosen, and what a reader should know of the models that were found."""
    found = len(noise)
    notes = [inner.why] if inner.why else []
    notes += [
        f"models were admitted by their loss on {counted(len(scene.admission), 'validation row')}",
        f"{counted(len(background), 'training row')} stand in for unknown features, the same for "
        "all models",
    ]
    if scene.shared:
        notes.append(
            f"{counted(scene.shared, 'row')} of those explained also admitted models; rows of the "
            "test split do not"
        )
    if found < params.explained:
        notes.append(
            f"{counted(found, 'model')} within the tolerance among {params.models:,} tried by "
            f"{explorer}, where {params.explained:,} were asked for"
        )
    if found and tolerance < 2 * (middle := float(noise.median())):
        notes.append(
            f"the tolerance of {tolerance:.3g} cannot be told from 0: the paired standard error of "
            f"a model's excess loss is {middle:.2g}"
        )
    return tuple(notes)


def _cost(model: Model, n_rows: int, n_table: int, params: AttributionsParams) -> Cost:
    sizes = split_sizes(n_table)
    a = min(params.admission_rows, sizes["validation"])
    b = min(params.background_rows, max(1, sizes["train"]))
    inner = choose_inner(model, n_rows, b, params)
    one = inner.method.cost(model, n_rows, b, inner.params)
    explorer = choose_explorer(model, params)
    search = n_rows + a + (PASSES[explorer](model, a, n_rows, params) if explorer in PASSES else 0)
    values = n_rows * params.explained * len(model.schema.features) * len(model.output_names)
    return Cost(
        (params.explained + 1) * one.evaluations + search,
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
        efforts=_efforts,
        reference="Hsu, Li, Hu and Chen (2024); Fisher, Rudin and Dominici (2019); Lundberg and "
        "Lee (2017)",
        weakness="Knows the models that its explorer finds and no others: a sign that never flips "
        "here may flip in a model that was not looked at.",
    ),
)
