"""What results of several equally good models know of each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.rashomon import EXPLORERS

GIVEN = -1
_ARRAYS = ("noise", "numbers", "strengths", "stretches")
_ALIKE = ("explorer", "tolerance", "base_loss")


@dataclass(frozen=True, eq=False, kw_only=True)
class AcrossModels:
    """From what each model is made again, and what it was admitted by; the given one comes first.

    All are None where a result is of one model, or of models that were not looked for.

    Attributes
    ----------
    noise
        Paired standard error of the excess loss of a model, 0 of the given one.
    numbers, strengths, stretches
        From what each model is made again, see ``rashomon.set``; of the given one ``GIVEN``, 0
        and 0.
    explorer
        Key of ``EXPLORERS``: who looked for equally good models.
    tolerance, base_loss
        How much more loss was admitted, and the given model's loss on the admission rows.
    """

    noise: Float[np.ndarray, " m"] | None = None
    numbers: Int[np.ndarray, " m"] | None = None
    strengths: Float[np.ndarray, " m"] | None = None
    stretches: Float[np.ndarray, " m"] | None = None
    explorer: str | None = None
    tolerance: float | None = None
    base_loss: float | None = None

    def _model_shapes(self, m: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes that the arrays need which there are.

        Raises
        ------
        InvalidInputError
            If only some of what belongs together is there, or the explorer is not known.
        """
        known = {name for name in (*_ARRAYS, *_ALIKE) if getattr(self, name) is not None}
        if known and known != {*_ARRAYS, *_ALIKE}:
            raise InvalidInputError(
                "Models are made again from noise, numbers, strengths, stretches, explorer, "
                "tolerance and base_loss together; give all of them or none."
            )
        if self.explorer is not None and self.explorer not in EXPLORERS:
            raise InvalidInputError("The explorer of the result is not known to this version.")
        return {name: (m,) for name in _ARRAYS if name in known}

    def _models_joined(self, others: Sequence["AcrossModels"]) -> dict[str, Any]:
        """Return the fields of the models of several results; None unless one explorer's."""
        every = (self, *others)
        alike = all(
            getattr(other, name) == getattr(self, name) for other in others for name in _ALIKE
        )
        if self.numbers is None or not alike:
            return dict.fromkeys((*_ARRAYS, *_ALIKE))
        return {name: np.concatenate([getattr(one, name) for one in every]) for name in _ARRAYS}

    def _models_taken(self, models: np.ndarray) -> dict[str, Any]:
        """Return the fields of some of the models."""
        if self.numbers is None:
            return {}
        return {name: getattr(self, name)[models] for name in _ARRAYS}
