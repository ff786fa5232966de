"""Churn: what models that might replace a given one would decide otherwise."""

import time
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

from workbench.core.churn import Churn, decided
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS, Cost, Effort, Method
from workbench.core.model import Model
from workbench.core.table import Table, split_sizes
from workbench.core.wording import counted
from workbench.engines.calls import provenance_of
from workbench.engines.rashomon.churn_params import ChurnParams
from workbench.engines.rashomon.explore import PASSES, explorers_of, search, tried
from workbench.engines.rashomon.retrain_params import trains_again
from workbench.engines.rashomon.scene import Scene, labels, make_scene
from workbench.engines.rashomon.search import Block
from workbench.numerics.ensembles import churn_resampled, with_interval

NAME = "rashomon.churn"
RESAMPLES = 23
KEPT_BYTES = 6  # of a row of a prospective model: what it decides, and by how much


@dataclass
class Kept:
    """Prospective models within the largest tolerance, as they are found."""

    explorer: list[int] = field(default_factory=list)
    parts: list[tuple[np.ndarray, ...]] = field(default_factory=list)
    drawn: list[int] = field(default_factory=list)

    def add(self, explorer: int, block: Block, scene: Scene, most: float, movement: float) -> None:
        """Keep what is needed of the candidates that are admitted."""
        within = block.excess <= most
        outputs = block.outputs[within.to(block.outputs.device)].double().cpu().numpy()
        members = block.members.take(within.nonzero()[:, 0])
        decisions, margins = decided(
            outputs, scene.predictions.numpy(), movement, scene.classes > 0
        )
        self.explorer += [explorer] * len(outputs)
        self.drawn[explorer] += len(within)
        self.parts.append((
            *(part.numpy() for part in members), block.excess[within].numpy(),
            block.noise[within].numpy(), decisions, margins,
        ))  # fmt: skip


def _explain(
    model: Model, rows: Table, table: Table, params: ChurnParams, context: Context
) -> Churn:
    started = time.perf_counter()
    truth = labels(model, rows).double().numpy()
    scene = make_scene(model, rows, table, params, context)
    explorers = explorers_of(model, params.explorers)
    _check_room(len(explorers) * params.models, rows, context)
    scene.expected = _cost(model, len(rows), len(table), params).evaluations
    movement = params.gamma * float(scene.truth.double().std()) if not scene.classes else np.nan
    tolerances = params.within(scene.tolerance_unit, is_class=bool(scene.classes))
    kept = Kept(drawn=[0] * len(explorers))
    remarks, faults = list(notes_of(scene)), []
    for place, explorer in enumerate(explorers):
        try:
            found = search(scene, explorer, tolerances, params)
            for block in tried(scene, found):
                kept.add(place, block, scene, tolerances[-1], movement)
        except InvalidInputError as error:  # another one may serve the model
            faults.append(error)
            remarks.append(str(error).rstrip("."))
        else:
            remarks += [found.remark.rstrip(".")] if found.remark else []
    if len(faults) == len(explorers):
        raise faults[0]
    numbers, strengths, stretches, excess, noise, decisions, margins = (
        np.concatenate(part) for part in zip(*kept.parts, strict=True)
    )
    base = scene.predictions.numpy().argmax(1) if scene.classes else np.zeros(len(rows), int)
    within = excess <= np.array(tolerances)[:, None]
    return Churn(
        provenance=provenance_of(
            NAME, model, rows, table, params, context, evaluations=scene.evaluations,
            chunk_rows=len(rows), seconds=time.perf_counter() - started, notes=tuple(remarks),
        ),
        tolerances=np.array(tolerances),
        explorers=explorers,
        drawn=np.array(kept.drawn),
        model_explorer=np.array(kept.explorer, dtype=np.int64),
        model_number=numbers,
        model_strength=strengths,
        model_stretch=stretches,
        excess=excess,
        noise=noise,
        decisions=decisions,
        margins=margins,
        expected=_expected(decisions != base, within, context),
        gamma=params.gamma,
        movement=movement,
        loss_name=loss_name(scene),
        truth=truth,
        **scene.about,
    )  # fmt: skip


def _expected(
    flips: Bool[np.ndarray, "m n"], within: Bool[np.ndarray, "t m"], context: Context
) -> Float[np.ndarray, "t 3"]:
    """Churn of an admitted model on average, with an interval over models and rows."""
    found = np.full((len(within), 3), np.nan)
    for place, chosen in enumerate(within):
        if chosen.any():
            own = flips[chosen].astype(float)
            again = churn_resampled(own, context.stream(RESAMPLES, place))
            found[place] = with_interval(float(own.mean()), again)
    return found


def loss_name(scene: Scene) -> str:
    """Name the loss that admits models."""
    return "cross-entropy" if scene.classes else "mean squared error"


def notes_of(scene: Scene) -> tuple[str, ...]:
    """Say what a reader should know of the rows."""
    found = [
        f"models are admitted on {counted(len(scene.admission), 'row')} of {scene.admission.name}"
    ]
    if scene.shared:
        found.append(
            f"{counted(scene.shared, 'row')} reported on also admit models, so they look more "
            "settled than new rows would"
        )
    return tuple(found)


def _check_room(models: int, rows: Table, context: Context) -> None:
    n_bytes = KEPT_BYTES * models * len(rows)
    if n_bytes > context.budget:
        raise InvalidInputError(
            f"Decisions of {counted(models, 'model')} about {counted(len(rows), 'row')} take "
            f"{n_bytes / 1e9:.1f} GB, more than there is room for; ask for fewer models or rows."
        )


def _cost(model: Model, n_rows: int, n_table: int, params: ChurnParams) -> Cost:
    admission = min(params.admission_rows, split_sizes(n_table)["validation"])
    names = explorers_of(model, params.explorers)
    passes = sum(PASSES[name](model, admission, n_rows, params) for name in names if name in PASSES)
    kept = KEPT_BYTES * len(names) * params.models * n_rows
    return Cost(passes + n_rows + admission, 2**27 + kept)


def _efforts(_: int) -> dict[str, Effort]:
    return {
        "quick": Effort(0, {"models": 50}),
        "standard": Effort(0, {}),
        "thorough": Effort(0, {"models": 1000, "push": True}),
    }


METHODS.register(
    NAME,
    Method(
        title="Churn of an update",
        question="If another model that is as good replaced this one, whose decisions would "
        "change?",
        explain=_explain,
        params=ChurnParams,
        yields=Churn,
        needs=frozenset({"perturbable"}),
        uses=frozenset({"table", "labels"}),
        cost=_cost,
        trains=trains_again,
        efforts=_efforts,
        reference="Watson-Daniels, Calmon, D'Amour, Long, Parkes and Ustun (2024); Milani Fard, "
        "Cormier, Canini and Gupta (2016)",
        weakness="It knows the updates that its explorers think of. New data or another "
        "architecture may change other decisions; hold it against a real update where there is "
        "one.",
    ),
)
