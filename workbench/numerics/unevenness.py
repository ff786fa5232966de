"""How unevenly a model's decisions treat people: indices over people, from counts alone."""

import numpy as np
from jaxtyping import Float, Int

from workbench.numerics.chunks import slices

# Distances that are held at once.
BLOCK = 4_000_000
# What a person gets by (truth, decision), TN, FP, FN, TP: 1 is as deserved, 2 more, 0 less.
BENEFITS = np.array([1.0, 2.0, 0.0, 1.0])


def generalized_entropy(cells: Float[np.ndarray, "*m 4"]) -> Float[np.ndarray, "*m"]:
    r"""Half the squared coefficient of variation of the benefits.

    .. math:: b_i = \hat y_i - y_i + 1, \qquad
              \frac{1}{2n} \sum_i \left[\left(\frac{b_i}{\mu}\right)^2 - 1\right]

    Cells are rows by (truth, decision): TN, FP, FN, TP. NaN where nobody gets anything.

    References
    ----------
    Speicher et al. (2018), A Unified Approach to Quantifying Algorithmic Unfairness, eq. 2.
    """
    n, mean = _mean(cells)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(((cells @ BENEFITS**2) / n / mean**2 - 1) / 2)


def theil(cells: Float[np.ndarray, "*m 4"]) -> Float[np.ndarray, "*m"]:
    r"""Theil's index of the benefits: :math:`\frac1n \sum_i \frac{b_i}{\mu} \ln \frac{b_i}{\mu}`.

    Cells as in ``generalized_entropy``; of benefit 0 the summand is 0.

    References
    ----------
    Speicher et al. (2018), A Unified Approach to Quantifying Algorithmic Unfairness, Sec. 3.
    """
    n, mean = _mean(cells)
    logs = np.array([0.0, 2 * np.log(2.0), 0.0, 0.0])
    with np.errstate(invalid="ignore", divide="ignore"):
        # The benefits sum up to n mean, so that ln(mean) leaves the sum.
        return np.asarray((cells @ logs) / n / mean - np.log(mean))


def between_groups(cells: Float[np.ndarray, "g 4"]) -> float:
    r"""Share of Theil's index that lies between groups; NaN where there is nothing to share out.

    .. math:: \frac{1}{T} \sum_g \frac{n_g}{n} \frac{\mu_g}{\mu} \ln \frac{\mu_g}{\mu}

    References
    ----------
    Speicher et al. (2018), A Unified Approach to Quantifying Algorithmic Unfairness, prop. 1.
    """
    total = float(theil(cells.sum(0)))
    if not total > 0:
        return float("nan")
    (n, mean), (n_all, mean_all) = _mean(cells), _mean(cells.sum(0))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = mean / mean_all
        parts = np.where(ratio > 0, n / n_all * ratio * np.log(ratio), 0.0)
    return float(parts.sum()) / total


def differential(
    cells: Float[np.ndarray, "*m g 4"], concentration: float = 1.0
) -> Float[np.ndarray, "*m"]:
    r"""Greatest log ratio of the probability of either decision between two groups.

    .. math:: \max_{y, g, g'} |\ln P_g(y) - \ln P_{g'}(y)|, \qquad
              P_g(y) = \frac{n_{gy} + c / 2}{n_g + c}

    :math:`c` is the ``concentration`` of a Dirichlet prior. Groups without rows are left out; NaN
    where fewer than two are left.

    References
    ----------
    Foulds, Islam, Keya and Pan (2020), An Intersectional Definition of Fairness, def. 3.1, Sec. V.
    """
    n = cells.sum(-1)
    seen = n > 0
    favoured = cells[..., 1] + cells[..., 3]
    found = []
    for count in (favoured, n - favoured):
        logs = np.log((count + concentration / 2) / (n + concentration))
        high = np.where(seen, logs, -np.inf).max(-1)
        found.append(high - np.where(seen, logs, np.inf).min(-1))
    return np.where(seen.sum(-1) > 1, np.maximum(*found), np.nan)


def disagreements(
    points: Float[np.ndarray, "n p"],
    decided: Float[np.ndarray, " n"],
    k: int,
    own: Int[np.ndarray, " m"],
    *,
    with_self: bool,
) -> Float[np.ndarray, " m"]:
    r"""How far the decision of each chosen row is from the mean decision of its neighbours.

    .. math:: \left|\hat y_i - \frac1k \sum_{j \in N_k(i)} \hat y_j\right|

    Consistency is 1 less the mean. Neighbours are the ``k`` nearest rows by Euclidean distance;
    rows that tie for the last places share them. A row is a neighbour of itself where
    ``with_self`` says so.

    References
    ----------
    Zemel et al. (2013), Learning Fair Representations, Sec. 4.
    """
    k = min(k, len(points) - (not with_self))
    lengths = np.square(points).sum(1)
    found = []
    for part in slices(len(own), max(1, BLOCK // len(points))):
        chosen = own[part]
        away = lengths[chosen, None] + lengths - 2 * points[chosen] @ points.T
        # Rows that are alike are equally far, whatever the rounding of the product.
        away = np.round(away, 9)
        if not with_self:
            away[np.arange(len(chosen)), chosen] = np.inf
        last = np.partition(away, k - 1, axis=1)[:, k - 1 : k]
        nearer, tied = away < last, away == last
        rest = (k - nearer.sum(1)) / tied.sum(1)
        mean = (nearer @ decided + rest * (tied @ decided)) / k
        found.append(np.abs(decided[chosen] - mean))
    return np.concatenate(found)


def _mean(
    cells: Float[np.ndarray, "*m 4"],
) -> tuple[Float[np.ndarray, "*m"], Float[np.ndarray, "*m"]]:
    n = cells.sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(n), np.asarray((cells @ BENEFITS) / n)
