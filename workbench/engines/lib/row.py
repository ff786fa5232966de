"""What each feature of a layer adds to those of the next, for one row."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.core.errors import InvalidInputError
from workbench.core.local_basis import LocalBasis
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.engines.calls import check_features
from workbench.engines.lib.sections import cut, where_double
from workbench.numerics.interaction_basis import Basis
from workbench.numerics.section_jacobians import GRADIENT, attributions, gauss_legendre


@dataclass(frozen=True, eq=False)
class RowInside:
    """Signed attributions of one row, section by section, in the Local Interaction Basis.

    Attributes
    ----------
    features
        Of every layer, the outputs (around their mean) last; of several positions the mean.
    attributions
        Of each section, what a feature of a layer (columns) adds to one of the next (rows).
    constants
        Of each section and feature of the next layer, what none of its features adds: biases and
        means. Together with the attributions it gives the feature.
    """

    features: tuple[Float[np.ndarray, " _"], ...]
    attributions: tuple[Float[np.ndarray, "_ _"], ...]
    constants: tuple[Float[np.ndarray, " _"], ...]


@torch.no_grad()
def explain_row(model: Model, result: LocalBasis, row: Table) -> RowInside:
    r"""Say how one row passes through the features of a network.

    With :math:`A_{ij}` the attribution of feature :math:`j` to feature :math:`i` of the next layer
    and :math:`c_i` what is left,

    .. math:: \hat f_i = \sum_j A_{ij} + c_i.

    Parameters
    ----------
    result
        Of this model.
    row
        A table of a single row.

    Raises
    ------
    InvalidInputError
        If the result is of another model, or there is not exactly one row that fits the model.
    """
    if result.provenance.model_digest != model.digest:
        raise InvalidInputError(
            f"The bases are of {result.provenance.model}, not of this {model.name}: compute them "
            "for the model whose row is to be explained."
        )
    if len(row) != 1:
        raise InvalidInputError(f"One row is explained at a time, got {len(row)}; choose one.")
    check_features(model, row, "rows")
    model = where_double(model)
    encoded = model.encode(row.X).double()
    sections = cut(model.network, encoded, result.layer_names[1:-1])
    layers = sections.layers(encoded)
    bases = [_basis(result, at, encoded) for at in range(len(layers))]
    features = [basis.features(layer)[0] for basis, layer in zip(bases, layers, strict=True)]
    found, constants = [], []
    for at, section in enumerate(sections.parts):
        rule = GRADIENT if result.rules[at] == "gradient" else gauss_legendre(_points(result, at))
        signed = attributions(section, layers[at], bases[at], bases[at + 1], rule)[0]
        found.append(signed.mean(0).cpu().numpy())
        constants.append((features[at + 1] - signed.sum(-1)).mean(0).cpu().numpy())
    return RowInside(
        tuple(each.mean(0).cpu().numpy() for each in features), tuple(found), tuple(constants)
    )


def _points(result: LocalBasis, at: int) -> int:
    """Return the number at the end of the name of a rule."""
    return int(result.rules[at].rpartition(" ")[2])


def _basis(result: LocalBasis, at: int, like: Tensor) -> Basis:
    """Take a layer's basis out of a result."""
    layer, start = result.layer(at), int(result.widths[:at].sum())

    def tensor(values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(like)

    return Basis(
        tensor(layer.mean), tensor(layer.into), tensor(layer.back), tensor(layer.importance),
        tensor(result.spectra[start : start + len(layer.mean)]), 0, 0,
    )  # fmt: skip
