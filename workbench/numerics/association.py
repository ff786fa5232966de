"""How closely features depend on each other, whatever their kinds."""

import numpy as np
from jaxtyping import Float
from scipy import stats

from workbench.core.schema import Feature

# Singular values below this share of the largest are rounding.
RANK_TOLERANCE = 1e-9


def association(
    data: Float[np.ndarray, "n d"], features: tuple[Feature, ...]
) -> Float[np.ndarray, "d d"]:
    r"""Return how closely each pair of features goes together: 0 not at all, 1 one tells the other.

    With orthonormal bases :math:`Q_i` of the centred columns that a feature is written as (its
    ranks, or a column for each category; one more where values are missing),

    .. math:: A_{ij}^2 = \lVert Q_i^\top Q_j \rVert^2 / \min(r_i, r_j)

    with their numbers of columns :math:`r_i`. This is the size of Spearman's rank correlation for
    two ordered features, the correlation ratio of ranks for an ordered and a categorical one, and
    Cramér's V for two categorical ones. A feature that never varies goes with none.

    Parameters
    ----------
    data
        Raw rows, categories as codes, missing as NaN.

    References
    ----------
    Cramér (1946), Mathematical Methods of Statistics, chapter 21; Spearman (1904).
    """
    bases = [
        _basis(column, bool(feature.categories))
        for column, feature in zip(data.T, features, strict=True)
    ]
    found = np.eye(len(bases))
    for i, own in enumerate(bases):
        found[i, i] = float(own.shape[1] > 0)
        for j, other in enumerate(bases[:i]):
            least = min(own.shape[1], other.shape[1])
            shared = float(np.square(own.T @ other).sum()) / least if least else 0.0
            found[i, j] = found[j, i] = min(1.0, shared) ** 0.5
    return found


def _basis(column: Float[np.ndarray, " n"], is_category: bool) -> Float[np.ndarray, "n r"]:
    """Return an orthonormal basis of the centred columns that a feature is written as."""
    missing = np.isnan(column)
    if is_category:
        known = np.unique(column[~missing])
        columns = [(column == code).astype(float) for code in known]
    else:
        ranks = np.zeros(len(column))
        ranks[~missing] = stats.rankdata(column[~missing])
        if (~missing).any():
            ranks[~missing] -= ranks[~missing].mean()
        columns = [ranks]
    matrix = np.stack([*columns, missing.astype(float)], 1)
    left, sizes, _ = np.linalg.svd(matrix - matrix.mean(0), full_matrices=False)
    basis: np.ndarray = left[:, sizes > max(sizes[0], 1.0) * RANK_TOLERANCE]
    return basis
