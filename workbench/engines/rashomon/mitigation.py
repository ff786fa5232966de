"""Mitigation: how far averaging, choosing and abstaining lessen disagreement."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from workbench.core.context import Context
from workbench.core.decisions import support
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS, Cost, Effort, Method
from workbench.core.mitigation import DRAWN, MEASURED, Mitigation
from workbench.core.model import Model
from workbench.core.outputs import find_output
from workbench.core.table import Table, split_sizes
from workbench.engines.calls import provenance_of
from workbench.engines.rashomon.calibrate import DOUBLINGS, HALVINGS
from workbench.engines.rashomon.candidates import candidate_passes, candidates
from workbench.engines.rashomon.changed_ensembles import (
    Ensemble,
    drawn_ensembles,
    said_by,
)
from workbench.engines.rashomon.churn import loss_name, notes_of
from workbench.engines.rashomon.explore import PASSES, admitted, explorers_of
from workbench.engines.rashomon.mitigation_params import SIZES, MitigationParams
from workbench.engines.rashomon.params import AUTO
from workbench.engines.rashomon.scene import Scene, labels, make_scene
from workbench.numerics.ensembles import (
    RESAMPLES,
    Disagreement,
    among,
    around,
    resampled,
    with_interval,
)
from workbench.numerics.stream.family import Family, Members, materialise

NAME = "rashomon.mitigate"
JUDGING, ROWS, SETS = 29, 31, 37
PER_SET = 10
PUSHES = DOUBLINGS + HALVINGS + 1


@dataclass(frozen=True)
class Found:
    """Disagreement of sets of models, how many were compared, and the share at the tolerance."""

    values: Disagreement
    models: int
    at_boundary: float


@dataclass(frozen=True)
class Near:
    """Admitted near-copies, and what is asked of ensembles of them."""

    scene: Scene
    family: Family
    members: Members
    which: int
    tolerance: float
    params: MitigationParams

    def __len__(self) -> int:
        return len(self.members.numbers)


def _explain(
    model: Model, rows: Table, table: Table, params: MitigationParams, context: Context
) -> Mitigation:
    started = time.perf_counter()
    truth = labels(model, rows).double().numpy()
    scene = make_scene(model, rows, table, params, context)
    scene.expected = _cost(model, len(rows), len(table), params).evaluations
    builder, independent = explorers_for(model, params)
    near = _admitted(scene, builder, params)
    sizes = [size for size in SIZES if size <= min(params.largest, len(near))]
    judges = (DRAWN, builder, independent)
    drawn = {size: _drawn(near, size) for size in sizes}
    found = _among_sets(near, {size: outputs for size, (outputs, _) in drawn.items()})
    for size in sizes:
        if size <= params.judged_largest and len(near) >= 2 * size:
            ensembles = _ensembles(near, size)
            found |= {(judge, size): _judged(near, judge, ensembles) for judge in judges[1:]}
    metrics, reduction = _summed(found, judges, sizes, len(rows), context)
    accuracy = [_accuracy(drawn[size][0], truth, scene.classes) for size in sizes]
    excess = [_with_range(drawn[size][1] - float(scene.losses.mean())) for size in sizes]
    counts = [[_of(found, judge, size) for size in sizes] for judge in judges]
    return Mitigation(
        provenance=provenance_of(
            NAME, model, rows, table, params, context, evaluations=scene.evaluations,
            chunk_rows=len(rows), seconds=time.perf_counter() - started, notes=notes_of(scene),
        ),
        tolerance=near.tolerance,
        builder=builder,
        judges=judges,
        sizes=np.array(sizes),
        metrics=metrics,
        reduction=reduction,
        sets=np.array([[sets for sets, _, _ in line] for line in counts]),
        models=np.array([[models for _, models, _ in line] for line in counts]),
        at_boundary=np.array([[share for _, _, share in line] for line in counts]),
        excess=np.array(excess),
        accuracy=np.array(accuracy),
        least_support=_least_support(near),
        admitted=len(near),
        loss_name=loss_name(scene),
        truth=truth,
        **scene.about,
        **candidates(scene, near.which, independent, near.tolerance, truth, params),
    )  # fmt: skip


def explorers_for(model: Model, params: MitigationParams) -> tuple[str, str]:
    """Return who builds ensembles, and who judges them without having built them.

    Raises
    ------
    InvalidInputError
        If both are the same.
    """
    (builder,) = explorers_of(model, (params.builder,))
    usual = "bernoulli-weights" if builder == "gaussian-weights" else "gaussian-weights"
    independent = usual if params.independent == AUTO else params.independent
    if independent == builder:
        raise InvalidInputError(
            f"Explorer {builder!r} cannot judge independently what it built itself; choose another "
            "as independent."
        )
    return builder, independent


def _admitted(scene: Scene, builder: str, params: MitigationParams) -> Near:
    tolerance = params.tolerance * scene.tolerance_unit
    family, members, _, _ = admitted(scene, builder, tolerance, params.models, params)
    if len(members.numbers) < 2:
        raise InvalidInputError(
            f"Fewer than 2 of {params.models:,} near-copies have a loss within {tolerance:.3g} of "
            "the given model's, so there is nothing to average; choose a larger tolerance or more "
            "models."
        )
    which = find_output(
        None, scene.model.schema, scene.model.output_names, scene.predictions.numpy()
    )
    return Near(scene, family, members, which, tolerance, params)


def _drawn(near: Near, size: int) -> tuple[Float[np.ndarray, "r n k"], Float[np.ndarray, " r"]]:
    count = min(len(near) // size, PER_SET * near.params.judged)
    return drawn_ensembles(near.scene, near.family, near.members, size, count)


def _among_sets(
    near: Near, drawn: Mapping[int, Float[np.ndarray, "r n k"]]
) -> dict[tuple[str, int], Found]:
    """Hold ensembles of a size against each other, equally many at a time for every size.

    Ten at a time, or as many as there are of the largest size with two of them: a single one has
    nothing to differ from.
    """
    several = {size: outputs for size, outputs in drawn.items() if len(outputs) > 1}
    each = min([PER_SET, *(len(outputs) for outputs in several.values())])
    found = {}
    for size, outputs in several.items():
        starts = range(0, len(outputs) - each + 1, each)
        values = np.stack([among(outputs[i : i + each], near.which) for i in starts], 1)
        found[DRAWN, size] = Found(Disagreement(*values), each, np.nan)
    return found


def _ensembles(near: Near, size: int) -> list[list[Model]]:
    """Make the members of the ensembles that are judged."""
    count = min(near.params.judged, len(near) // size)
    return [
        [materialise(near.family, near.members, i) for i in range(start, start + size)]
        for start in range(0, count * size, size)
    ]


def _judged(near: Near, judge: str, ensembles: list[list[Model]]) -> Found:
    """Change ensembles, all members at once, to where their loss reaches the tolerance."""
    params, values, reached = near.params, [], []
    for place, models in enumerate(ensembles):
        changed = Ensemble(near.scene, models, judge, JUDGING + 100 * place)
        said, share = changed.near_copies(params.near_copies, near.tolerance)
        values.append(around(changed.base.cpu().numpy(), said, near.which))
        reached.append(share)
    return Found(
        Disagreement(*np.stack(values, 1)), params.near_copies, float(np.mean(reached))
    )  # fmt: skip


def _summed(
    found: dict[tuple[str, int], Found], judges: Sequence[str], sizes: Sequence[int], n: int,
    context: Context,
) -> tuple[Float[np.ndarray, "j s q 3"], Float[np.ndarray, "j s q 3"]]:  # fmt: skip
    """Sum up over sets and rows, and against a single model over the same resampled rows."""
    shape = len(judges), len(sizes), len(MEASURED), 3
    metrics, reduction = np.full(shape, np.nan), np.full(shape, np.nan)
    rows = context.stream(ROWS).integers(0, n, (RESAMPLES, n))
    for j, judge in enumerate(judges):
        for q in range(len(MEASURED)):
            single: tuple[float, np.ndarray] | None = None
            for s, size in enumerate(sizes):
                if (judge, size) not in found:
                    continue
                values, summary = found[judge, size].values.metric(q)
                value = float(summary(values, axis=1).mean())
                again = resampled(values, summary, rows, context.stream(SETS, j, q, s))
                metrics[j, s, q] = with_interval(value, again)
                single = (value, again) if single is None else single
                reduction[j, s, q] = _reduction(value, again, *single)
    return metrics, reduction


def _reduction(
    value: float, again: Float[np.ndarray, " b"], single: float, single_again: np.ndarray
) -> tuple[float, float, float]:
    """Share by which a metric is below a single model's; NaN where that one does not disagree."""
    if not single > 0:
        return np.nan, np.nan, np.nan
    known = np.where(single_again > 0, single_again, np.nan)
    less = np.zeros(len(again)) if again is single_again else 1 - again / known
    return with_interval(1 - value / single, less)


def _of(found: dict[tuple[str, int], Found], judge: str, size: int) -> tuple[int, int, float]:
    if (judge, size) not in found:
        return 0, 0, np.nan
    one = found[judge, size]
    return len(one.values.width), one.models, one.at_boundary


def _accuracy(outputs: Float[np.ndarray, "r n k"], truth: np.ndarray, classes: int) -> float:
    return float((outputs.argmax(2) == truth).mean()) if classes else np.nan


def _with_range(values: Float[np.ndarray, " r"]) -> tuple[float, float, float]:
    return float(values.mean()), float(values.min()), float(values.max())


def _least_support(near: Near) -> Float[np.ndarray, " n"]:
    """Least support of the given model's decision, by itself and every admitted near-copy."""
    scene = near.scene
    base = scene.predictions.numpy()
    if not scene.classes:
        return np.full(len(base), np.nan)
    chosen = base.argmax(1)
    least = support(base, chosen)
    for part in scene.parts(near.family, len(base), len(near)):
        said = said_by(scene, near.family, near.members.take(part), admission=False).cpu().numpy()
        least = np.minimum(least, support(said, chosen).min(0))
    return least


def _cost(model: Model, n_rows: int, n_table: int, params: MitigationParams) -> Cost:
    admission = min(params.admission_rows, split_sizes(n_table)["validation"])
    (builder,) = explorers_of(model, (params.builder,))
    searched = PASSES[builder](model, admission, n_rows, params)
    averaged = sum(size * params.judged * PER_SET for size in SIZES if size <= params.largest)
    averaged = min(averaged, len(SIZES) * params.models)
    judged = 2 * params.judged * sum(size for size in SIZES if size <= params.judged_largest)
    changed = judged * (params.near_copies * (PUSHES * admission + n_rows) + admission + n_rows)
    searched += candidate_passes(model, admission, n_rows, params)
    passes = searched + averaged * (admission + n_rows) + changed
    return Cost(passes + (params.models + 1) * n_rows + admission, 2**26)


def _efforts(_: int) -> dict[str, Effort]:
    return {
        "quick": Effort(0, {"models": 400, "largest": 20, "judged_largest": 5}),
        "standard": Effort(0, {}),
        "thorough": Effort(0, {"judged_largest": 50, "judged": 10, "near_copies": 40}),
    }


def _trains(params: MitigationParams) -> bool:
    return params.candidates > 0


METHODS.register(
    NAME,
    Method(
        title="What lessens the disagreement",
        question="Does averaging near-copies, choosing among trainings or refusing to decide make "
        "decisions less arbitrary?",
        explain=_explain,
        params=MitigationParams,
        yields=Mitigation,
        needs=frozenset({"perturbable"}),
        uses=frozenset({"table", "labels"}),
        cost=_cost,
        trains=_trains,
        efforts=_efforts,
        reference="Hsu, Li, Hu and Chen (2024); Black, Leino and Fredrikson (2022)",
        weakness="A judge finds what its own changes reach; another may still find models as good "
        "as the ensemble that decide otherwise.",
    ),
)
