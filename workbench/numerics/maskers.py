"""What stands in for a feature that is not known."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.core.errors import InvalidInputError
from workbench.core.table import Table


@dataclass(frozen=True, eq=False)
class Masker:
    """Rows whose values replace the unknown features, with weights that add up to 1.

    ``marginal`` takes many rows: the value of a coalition is the mean over them, which treats
    features as if they were independent (Lundberg and Lee 2017, Eq. 11). ``baseline`` takes one.
    """

    rows: Float[Tensor, "b d"]
    weights: Float[Tensor, " b"]
    digest: str
    name: str

    def __len__(self) -> int:
        return len(self.rows)


def marginal(background: Table) -> Masker:
    """Replace unknown features by those of each background row, all from the same row.

    Raises
    ------
    InvalidInputError
        If there is no background row.
    """
    if len(background) == 0:
        raise InvalidInputError("The background has no rows; give at least one.")
    # Sums of floats depend on their order; a fixed order makes the result independent of it.
    order = torch.argsort(background.ids, stable=True)
    rows = background.X[order]
    weights = torch.full((len(rows),), 1 / len(rows), dtype=torch.float64)
    return Masker(rows, weights, background.digest, background.name)


def baseline(reference: Table) -> Masker:
    """Replace unknown features by those of one reference row.

    Raises
    ------
    InvalidInputError
        If the reference is not one row.
    """
    if len(reference) != 1:
        raise InvalidInputError(f"A baseline is one row, got {len(reference)}.")
    return marginal(reference)
