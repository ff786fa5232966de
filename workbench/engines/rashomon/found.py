"""The equally good models of which something is asked, and what a result says of them."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from torch import Tensor

from workbench.core.across_models import GIVEN
from workbench.core.model import Model
from workbench.core.table import split_sizes
from workbench.core.wording import counted
from workbench.engines.rashomon.explore import PASSES, explorers_of, first_within, search
from workbench.engines.rashomon.near_params import NearParams
from workbench.engines.rashomon.retrain_params import KEY as RETRAINING
from workbench.engines.rashomon.retrain_params import training_passes
from workbench.engines.rashomon.scene import Scene
from workbench.numerics.stream.family import Family, Members


class Found(NamedTuple):
    """Models within the tolerance, the first that were found.

    Attributes
    ----------
    tolerance
        In units of the loss.
    excess, noise
        By how much their loss is above the given model's, and its paired standard error.
    wanted, tried
        How many were asked for, and how many an explorer tries at most.
    remark
        How what this explorer finds is to be read; may be empty.
    """

    scene: Scene
    explorer: str
    tolerance: float
    family: Family
    members: Members
    excess: Float[Tensor, " b"]
    noise: Float[Tensor, " b"]
    wanted: int
    tried: int
    remark: str

    def fields(self, count: int) -> dict[str, Any]:
        """Return what a result says of the given model and the first ``count`` others."""
        others = self.members.take(slice(0, count))

        def after(given: float, values: Tensor) -> np.ndarray:
            return np.concatenate([[given], values[:count].double().numpy()])

        return {
            "excess": after(0.0, self.excess),
            "noise": after(0.0, self.noise),
            "numbers": np.concatenate([[GIVEN], others.numbers.numpy()]),
            "strengths": after(0.0, others.strengths),
            "stretches": after(0.0, others.stretches),
            "explorer": self.explorer,
            "tolerance": self.tolerance,
            "base_loss": self.scene.base_loss,
        }

    def notes(self, what: str) -> tuple[str, ...]:
        """Say what a reader should know of the models; ``what`` was done with the rows."""
        found, scene = len(self.noise), self.scene
        admission = counted(len(scene.admission), "validation row")
        notes = [f"models were admitted by their loss on {admission}"]
        if scene.shared:
            notes.append(
                f"{counted(scene.shared, 'row')} of those {what} also admitted models; rows of the "
                "test split do not"
            )
        if found < self.wanted:
            notes.append(
                f"{counted(found, 'model')} within the tolerance among {self.tried:,} tried by "
                f"{self.explorer}, where {self.wanted:,} were asked for"
            )
        if found and self.tolerance < 2 * (middle := float(self.noise.median())):
            notes.append(
                f"the tolerance of {self.tolerance:.3g} cannot be told from 0: the paired standard "
                f"error of a model's excess loss is {middle:.2g}"
            )
        return (*notes, self.remark.rstrip(".")) if self.remark else tuple(notes)


def look(scene: Scene, wanted: int, params: NearParams) -> Found:
    """Look for so many equally good models.

    Raises
    ------
    InvalidInputError
        If the explorer cannot serve the model.
    """
    explorer = explorer_of(scene.model, params)
    tolerance = params.tolerance * scene.tolerance_unit
    sought = search(scene, explorer, (tolerance,), params)
    found = first_within(scene, sought, tolerance, wanted)
    return Found(scene, explorer, tolerance, *found, wanted, params.models, sought.remark)


def explorer_of(model: Model, params: NearParams) -> str:
    """Return who looks for models."""
    return explorers_of(model, (params.explorer,))[0]


def search_passes(model: Model, n_rows: int, n_table: int, params: NearParams) -> int:
    """Return how many rows go through networks until models are found, at most."""
    sizes = split_sizes(n_table)
    admission = min(params.admission_rows, sizes["validation"])
    explorer = explorer_of(model, params)
    tried = PASSES[explorer](model, admission, n_rows, params)
    if explorer == RETRAINING:
        tried += training_passes(params, sizes["train"], admission)
    return n_rows + admission + tried
