"""What a network is worth with fewer features and fewer edges at the same time."""

import numpy as np

from workbench.core.errors import InvalidInputError
from workbench.core.local_basis import LocalBasis


def worth_of_both(
    result: LocalBasis, basis: str, *, features: int, edges: int
) -> tuple[int, int, float, float]:
    """Return what is left with so many features of every layer and edges of every section.

    Returns
    -------
    The nearest counts that were tried, the worth, and the standard error of what was lost.

    Raises
    ------
    InvalidInputError
        If none were tried with each other, as in a result of an earlier version.
    """
    if not result.both_worth.size:
        raise InvalidInputError(
            "Features and edges were not left out together in this run; look inside again."
        )
    i, j = (
        int(np.abs(np.log(tried) - np.log(max(n, 1))).argmin())
        for tried, n in ((result.both_features, features), (result.both_edges, edges))
    )
    b = result.basis_index(basis)
    return (
        int(result.both_features[i]), int(result.both_edges[j]),
        float(result.both_worth[b, i, j]), float(result.both_error[b, i, j]),
    )  # fmt: skip


def fewest_of_both(result: LocalBasis) -> tuple[int, int]:
    """Return how many features and edges together are fewest of those that keep the worth.

    Fewest is the smallest product of the two, in the Local Interaction Basis; all where none do.
    """
    features, edges = np.meshgrid(result.both_features, result.both_edges, indexing="ij")
    enough = result.both_worth[0] >= result.least
    enough[-1, -1] = True
    at = np.where(enough, features * edges, np.inf).argmin()
    return int(features.flat[at]), int(edges.flat[at])
