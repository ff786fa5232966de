"""Equally good models: how much do they disagree, and about whom?"""

import time
from typing import Any

import numpy as np

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS, Cost, Effort, Method
from workbench.core.model import Model
from workbench.core.rashomon import NO_MODEL, RashomonSet
from workbench.core.table import Table, split_sizes
from workbench.core.wording import counted
from workbench.engines.calls import provenance_of
from workbench.engines.rashomon.explore import PASSES, explorers_of
from workbench.engines.rashomon.explored import Explored, Wish, look, refused
from workbench.engines.rashomon.importance import IMPORTANCE_MODELS, importance_range, shuffles
from workbench.engines.rashomon.metrics import metric_names
from workbench.engines.rashomon.params import AUTO, SetParams
from workbench.engines.rashomon.reduction import growth_numbers, reported
from workbench.engines.rashomon.retrain_params import KEY as RETRAINING
from workbench.engines.rashomon.retrain_params import training_passes, trains_again
from workbench.engines.rashomon.scene import Scene, labels, make_scene

NAME = "rashomon.set"


def explain_set(
    model: Model, rows: Table, table: Table, params: SetParams, context: Context
) -> RashomonSet:
    """Let every explorer look for models, and put what they found beside each other.

    Raises
    ------
    InvalidInputError
        If a table does not fit, labels are missing, or no explorer can serve the model.
    """
    started = time.perf_counter()
    truth = labels(model, rows)
    scene = make_scene(model, rows, table, params, context)
    scene.expected = set_cost(model, len(rows), len(table), params).evaluations
    tolerances = params.within(scene.tolerance_unit, is_class=bool(scene.classes))
    names = explorers_of(model, params.explorers)
    wish = Wish(tolerances, _growth_at(params, scene), growth_numbers(params.models), truth, params)
    found = find(scene, names, wish)
    importance, used = _importance(scene, found[0], wish)
    loss, accuracy = reported(scene.predictions[None], truth, is_class=bool(scene.classes))
    return RashomonSet(
        provenance=provenance_of(
            NAME, model, rows, table, params, context, evaluations=scene.evaluations,
            chunk_rows=len(scene.inputs), seconds=time.perf_counter() - started,
            notes=_notes(scene, names, params),
        ),
        tolerances=np.array(tolerances),
        explorers=names,
        metric_names=metric_names(is_class=bool(scene.classes)),
        **_stacked(found),
        **_kept(found),
        growth_models=np.array(wish.growth_models),
        growth_at=wish.growth_at,
        importance=importance,
        importance_models=used,
        loss_name="cross-entropy in nats" if scene.classes else "mean squared error",
        base_noise=scene.base_noise,
        reported_loss=float(loss),
        reported_accuracy=float(accuracy),
        delta=params.delta,
        truth=truth.double().numpy(),
        **scene.about,
    )  # fmt: skip


def find(scene: Scene, explorers: tuple[str, ...], wish: Wish) -> list[Explored]:
    """Let explorers look, one after the other; one that cannot serve the model says why.

    Raises
    ------
    InvalidInputError
        If none of them can.
    """
    found, faults = [], []
    for explorer in explorers:
        try:
            found.append(look(scene, explorer, wish))
        except InvalidInputError as error:
            faults.append(error)
            found.append(refused(scene, wish, error))
    if len(faults) == len(explorers):
        raise faults[0]
    return found


def _growth_at(params: SetParams, scene: Scene) -> int:
    """Return the position of the tolerance that is nearest to the one asked for."""
    tolerances = np.array(params.within(scene.tolerance_unit, is_class=bool(scene.classes)))
    if params.growth_tolerance is None:
        return len(tolerances) // 2
    return int(np.abs(tolerances - params.growth_tolerance * scene.tolerance_unit).argmin())


def _stacked(found: list[Explored]) -> dict[str, Any]:
    """Put explorers beside each other."""
    of_seen = ("admitted", "noise", "metrics", "low", "high", "flips", "deviation", "capacity")
    return {name: np.stack([getattr(own.seen, name) for own in found]) for name in of_seen} | {
        "remarks": tuple(own.remark for own in found),
        "drawn": np.array([own.drawn for own in found]),
        "seconds": np.array([own.seconds for own in found]),
        "passes": np.array([own.passes for own in found]),
        "growth": np.stack([own.growth for own in found]),
    }


def _kept(found: list[Explored]) -> dict[str, Any]:
    """Give models at the ends of ranges one number through all, and list the candidates."""
    lines: list[np.ndarray] = []
    who, low, high = [], [], []
    for place, own in enumerate(found):
        start = sum(len(own_lines) for own_lines in lines)
        ends = np.stack([own.seen.low_serial, own.seen.high_serial])
        serials = np.unique(ends[ends != NO_MODEL])
        lines.append(own.kept[np.searchsorted(own.kept_serials, serials)])
        who.append(np.full(len(serials), place))
        at = np.where(ends == NO_MODEL, NO_MODEL, start + np.searchsorted(serials, ends))
        low.append(at[0])
        high.append(at[1])
    number, strength, stretch, excess = np.concatenate(lines).T
    candidates = np.concatenate([own.candidates for own in found])
    names = ("strength", "excess", "noise", "loss", "accuracy")
    return {
        "low_model": np.stack(low),
        "high_model": np.stack(high),
        "kept_explorer": np.concatenate(who),
        "kept_number": number.astype(np.int64),
        "kept_strength": strength,
        "kept_stretch": stretch,
        "kept_excess": excess,
        "candidate_explorer": np.repeat(
            np.arange(len(found)), [len(own.candidates) for own in found]
        ),
        **{f"candidate_{name}": candidates[:, i] for i, name in enumerate(names)},
    }


def _importance(scene: Scene, first: Explored, wish: Wish) -> tuple[np.ndarray, int]:
    if not wish.params.importance or first.family is None or first.first is None:
        return np.zeros((0, 3)), 0
    used = len(first.first.numbers)
    if not used:
        return np.zeros((0, 3)), 0
    return importance_range(scene, first.family, first.first).numpy(), used


def _notes(scene: Scene, names: tuple[str, ...], params: SetParams) -> tuple[str, ...]:
    notes = [
        f"models are admitted on {counted(len(scene.admission), 'validation row')} and reported "
        f"on {counted(len(scene.rows), 'row')}"
    ]
    if scene.shared:
        notes.append(
            f"{counted(scene.shared, 'row')} of those that are reported on also admitted models; "
            "choose test rows to report on others"
        )
    if AUTO in params.explorers:
        notes.append(f"auto: {names[params.explorers.index(AUTO)]}")
    return tuple(notes)


def set_cost(model: Model, n_rows: int, n_table: int, params: SetParams) -> Cost:
    """Return how many rows times models a run takes at most, and the bytes it keeps."""
    a = min(params.admission_rows, split_sizes(n_table)["validation"])
    total = n_rows + a
    total += sum(
        PASSES[name](model, a, n_rows, params)
        for name in explorers_of(model, params.explorers)
        if name in PASSES
    )
    if RETRAINING in params.explorers:
        total += training_passes(params, split_sizes(n_table)["train"], a)
    if params.importance:
        turns = 1 + len(model.schema.features) * shuffles(a)
        total += (1 + IMPORTANCE_MODELS) * turns * a
    k, t = len(model.output_names), params.steps if not params.tolerances else 101
    return Cost(total, n_bytes=2**27 + 100 * t * n_rows * k)


def _efforts(_: int) -> dict[str, Effort]:
    return {
        "quick": Effort(0, {"models": 400}),
        "standard": Effort(0, {}),
        "thorough": Effort(0, {"models": 10_000, "push": True}),
    }


METHODS.register(
    NAME,
    Method(
        title="Equally good models",
        question="How much do models that are as good as this one disagree, and about which rows?",
        explain=explain_set,
        params=SetParams,
        yields=RashomonSet,
        needs=frozenset({"perturbable"}),
        uses=frozenset({"table", "labels"}),
        cost=set_cost,
        trains=trains_again,
        efforts=_efforts,
        reference="Hsu, Li, Hu and Chen (2024)",
        weakness="Each explorer sees a part of all equally good models: ranges are at least as "
        "wide as shown, and those of few models are narrower than those of many.",
    ),
)
