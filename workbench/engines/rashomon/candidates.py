"""Models that are trained again, and how far models as good as each disagree with it."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from workbench.core.mitigation import MEASURED
from workbench.core.model import Model
from workbench.engines.rashomon.calibrate import DOUBLINGS, HALVINGS
from workbench.engines.rashomon.changed_ensembles import Ensemble
from workbench.engines.rashomon.explore import PASSES, search
from workbench.engines.rashomon.mitigation_params import MitigationParams
from workbench.engines.rashomon.retrain_params import KEY as RETRAINING
from workbench.engines.rashomon.retrain_params import RetrainParams
from workbench.engines.rashomon.scene import Scene
from workbench.numerics.ensembles import Disagreement, around, order_stability
from workbench.numerics.row_losses import row_losses
from workbench.numerics.stream.family import Family, Members, materialise

ADDRESS, ROWS, BOOTSTRAPS = 10_000, 41, 200
PUSHES = DOUBLINGS + HALVINGS + 1
STANDARD_ERRORS = 2.0


def candidates(
    scene: Scene, which: int, judge: str, tolerance: float, truth: Float[np.ndarray, " n"],
    params: MitigationParams,
) -> dict[str, Any]:  # fmt: skip
    """Train models again, judge each, and say which are as good as the best; fields of a result.

    As good is what has a mean loss on the admission rows within two paired standard errors of the
    least one. Disagreement is that of near-copies, as for an ensemble of one.
    """
    if not params.candidates:
        return none("no models were trained again; ask for candidates")
    family, found, remark = search(scene, RETRAINING, (tolerance,), _training(params))
    members = next(found).take(slice(0, params.candidates))
    excess, noise = _against_the_best(scene, family, members)
    outputs = scene.outputs(family, members).double().cpu().numpy()
    right = (outputs.argmax(2) == truth).mean(1) if scene.classes else np.full(len(outputs), np.nan)
    judged = [_judged(scene, family, members, i, which, judge, tolerance, params)
              for i in range(len(outputs))]  # fmt: skip
    values = Disagreement(*np.stack(judged, 1))
    eligible = excess <= STANDARD_ERRORS * noise
    n = values.width.shape[1]
    rows = scene.context.stream(ROWS).integers(0, n, (BOOTSTRAPS, n))
    stable, metrics = [], []
    for q in range(len(MEASURED)):
        own, summary = values.metric(q)
        metrics.append(summary(own, axis=1))
        stable.append(order_stability(own[eligible], summary, rows))
    return {
        "candidate_names": tuple(f"training {number}" for number in members.numbers.tolist()),
        "candidate_excess": excess, "candidate_noise": noise, "candidate_accuracy": right,
        "candidate_metrics": np.stack(metrics, 1), "eligible": eligible,
        "stability": np.array(stable), "remark": remark,
    }  # fmt: skip


def none(remark: str) -> dict[str, Any]:
    """Return the fields of a result without models that were trained again."""
    nothing = np.zeros(0)
    return {
        "candidate_names": (), "candidate_excess": nothing, "candidate_noise": nothing,
        "candidate_accuracy": nothing, "candidate_metrics": np.zeros((0, len(MEASURED))),
        "eligible": np.zeros(0, dtype=bool), "stability": np.full((len(MEASURED), 3), np.nan),
        "remark": remark,
    }  # fmt: skip


def candidate_passes(model: Model, n_admission: int, n_rows: int, params: MitigationParams) -> int:
    """Return how many rows times models training and judging candidates takes at most."""
    if not params.candidates:
        return 0
    trained = PASSES[RETRAINING](model, n_admission, n_rows, _training(params))
    each = (params.near_copies + 1) * (PUSHES * n_admission + n_rows) + n_admission + n_rows
    return trained + params.candidates * (each + n_admission + n_rows)


def _training(params: MitigationParams) -> RetrainParams:
    return RetrainParams(models=params.candidates, admission_rows=params.admission_rows)


def _against_the_best(
    scene: Scene, family: Family, members: Members
) -> tuple[Float[np.ndarray, " c"], Float[np.ndarray, " c"]]:
    """Return mean losses in excess of the least one, with paired standard errors."""
    logits = [
        scene.ask(family, scene.admission_inputs, members.take(slice(i, i + 1)))
        for i in range(len(members.numbers))
    ]
    losses = row_losses(torch.cat(logits), scene.truth, scene.classes)
    away = losses - losses[losses.mean(1).argmin()]
    noise = away.std(1) / away.shape[1] ** 0.5
    return away.mean(1).cpu().numpy(), noise.cpu().numpy()


def _judged(
    scene: Scene, family: Family, members: Members, place: int, which: int, judge: str,
    tolerance: float, params: MitigationParams,
) -> Float[np.ndarray, "3 n"]:  # fmt: skip
    alone = Ensemble(scene, [materialise(family, members, place)], judge, ADDRESS + place)
    said, _ = alone.near_copies(params.near_copies, tolerance)
    return around(alone.base.cpu().numpy(), said, which)
