"""Unknown features from the background rows that are most like the known part of the row."""

import math
from functools import partial

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from workbench.core.context import Context
from workbench.core.model import Model, Output
from workbench.core.schema import Schema
from workbench.core.table import Table
from workbench.numerics.chunks import slices
from workbench.numerics.game import BLOCK_ELEMENTS, MAX_CODED_PLAYERS, Game
from workbench.numerics.links import Link, apply_link
from workbench.numerics.maskers import marginal

FEWEST_NEAREST = 10
# Distances are whole numbers of these parts of a standard deviation, and no feature is further
# away than this: sums are then exact, and equal distances are equal in every order of adding.
RESOLUTION = 2.0**20
FURTHEST = 2.0**20


def default_nearest(n_background: int) -> int:
    """Return how many neighbours to take: the root of the background, at least 10.

    Examples
    --------
    >>> default_nearest(5), default_nearest(100), default_nearest(400)
    (5, 10, 20)
    """
    return min(n_background, max(FEWEST_NEAREST, math.ceil(math.sqrt(n_background))))


class NeighbourGame(Game):
    r"""Value of coalitions, given the known features, from the nearest background rows.

    .. math:: v(x, S) = g\Big(\frac1k \sum_{b \in N_k(x_S)} f(x_S, b_{\bar S})\Big)

    :math:`N_k` are the ``nearest`` background rows by distance in the known features alone
    (``distances``). Rows that tie for the last places share them, so that nothing depends on the
    order of the rows. With no feature known all rows tie, and the base value is the background's
    mean.

    Each of the groups looks for neighbours among its own rows and takes the same share of them, so
    that all have one bandwidth and the spread between them is that of the draw of the background.

    Attributes
    ----------
    nearest
        How many neighbours a coalition has, ``k``.
    notes
        That these are all background rows, where they are.

    References
    ----------
    Aas, Jullum and Løland (2021), Explaining Individual Predictions When Features Are Dependent,
    Sec. 3.3, for conditioning by weights on training rows; Gower (1971), A General Coefficient of
    Similarity, for distances over mixed columns.
    """

    def __init__(
        self,
        model: Model,
        background: Table,
        *,
        nearest: int | None = None,
        output: Output = "probability",
        link: Link = "identity",
        context: Context,
        expected: int = 0,
    ) -> None:
        super().__init__(
            model, marginal(background), output=output, link=link, context=context,
            expected=expected,
        )  # fmt: skip
        n = len(background)
        self.nearest = default_nearest(n) if nearest is None else min(nearest, n)
        self.notes = _notes(self.nearest, n)
        self._parts = [slice(None)] + [slice(g, None, self.n_groups) for g in range(self.n_groups)]

    def _inner_values(self, X: Tensor, coalitions: Tensor) -> Tensor:
        columns = len(self._parts) + self.n_outputs
        step = max(1, BLOCK_ELEMENTS // (len(self._background) * columns))
        total = torch.empty(len(X), len(coalitions), len(self.empty), dtype=torch.float64)
        for row, x in enumerate(X):
            away = distances(x.numpy(), self._background, self.model.schema)
            for part in slices(len(coalitions), step):
                evaluate = partial(self._means, x, away, coalitions[part])
                total[row, part] = self._with_less_memory(evaluate)
        return apply_link(total, self.link)

    def _means(self, x: Tensor, away: np.ndarray, coalitions: Tensor) -> Tensor:
        """Mean outputs of one row ``[m, gk]`` over the nearest rows of each coalition."""
        known = coalitions.numpy()
        distance = away @ known.T.astype(np.float64)  # (b, m)
        weights = np.zeros((*distance.shape, len(self._parts)))
        for column, rows in enumerate(self._parts):
            weights[rows, :, column] = nearest_weights(distance[rows], self.nearest / len(distance))
        background, chosen = np.nonzero(weights.any(2))  # pairs (p,), by background row
        differs = differing(x.numpy(), self._background)
        outputs = self._outputs(x, background, known[chosen] & differs[background])  # (p, k)
        table = torch.zeros(*distance.shape, self.n_outputs, dtype=torch.float64)
        table[torch.from_numpy(background), torch.from_numpy(chosen)] = outputs
        self.covered += distance.size
        return torch.einsum("bmk,bmg->mgk", table, torch.from_numpy(weights)).flatten(1)

    def _outputs(self, x: Tensor, background: np.ndarray, known: np.ndarray) -> Tensor:
        """Return outputs ``[p, k]`` of mixtures; those that are the same are evaluated once."""
        place: np.ndarray | slice = slice(None)
        if self.n_players <= MAX_CODED_PLAYERS:
            keys = (background << self.n_players) + known @ (1 << np.arange(self.n_players))
            _, first, place = np.unique(keys, return_index=True, return_inverse=True)
            background, known = background[first], known[first]
        z = self.model.encode(x[None])[0]
        rows, kept = torch.from_numpy(background), torch.from_numpy(known)
        parts = [
            self._pairs(z, rows[chunk], kept[chunk]) for chunk in slices(len(rows), self.chunk_rows)
        ]
        return torch.cat(parts).double()[place]


def _notes(nearest: int, n_rows: int) -> tuple[str, ...]:
    if nearest < n_rows:
        return ()
    return (
        f"{'the only background row is' if n_rows == 1 else f'all {n_rows:,} background rows are'} "
        "a neighbour, near or far, so that these are the values of 'marginal'; give more rows, "
        "best a hundred",
    )


def distances(
    x: Float[np.ndarray, " d"], background: Float[np.ndarray, "b d"], schema: Schema
) -> Float[np.ndarray, "b d"]:
    r"""Distance of a row to each background row in each feature, in whole ``1 / RESOLUTION``.

    For numbers :math:`|x_j - b_j| / s_j` with the standard deviation :math:`s_j` of the known
    numbers of the background, or of 1 where they are all the same; 1 for another category; and 1
    where one is missing and the other is not.
    """
    categorical = np.array([feature.kind == "categorical" for feature in schema.features])
    away = differing(x, background).astype(np.float64)
    known = ~np.isnan(background)
    counts = np.maximum(1, known.sum(0))
    values = np.where(known, background, 0.0)
    mean = values.sum(0) / counts
    spread = np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(0) / counts)
    varies = np.where(known, background, -np.inf).max(0) > np.where(known, background, np.inf).min(
        0
    )
    measured = known & ~np.isnan(x) & varies & ~categorical
    np.divide(np.abs(x - background), spread, out=away, where=measured)
    whole: np.ndarray = np.rint(np.minimum(away, FURTHEST) * RESOLUTION)
    return whole


def differing(
    x: Float[np.ndarray, " d"], background: Float[np.ndarray, "b d"]
) -> Bool[np.ndarray, "b d"]:
    """Tell in which features a row differs from each background row; missing equals missing."""
    differs: np.ndarray = (x != background) & ~(np.isnan(x) & np.isnan(background))
    return differs


def nearest_weights(distance: Float[np.ndarray, "b m"], share: float) -> Float[np.ndarray, "b m"]:
    """Weigh the nearest share of the rows alike; those that tie for the last places share them.

    The weights of a column add up to 1. The number of rows need not be whole: of 2.5 rows the
    third counts half.

    Examples
    --------
    >>> nearest_weights(np.array([[0.0], [1.0], [1.0], [2.0]]), 0.5).ravel().tolist()
    [0.5, 0.25, 0.25, 0.0]
    """
    k = round(share * len(distance), 9)
    last = max(0, math.ceil(k) - 1)
    bound = np.partition(distance, last, axis=0)[last]
    nearer, tied = distance < bound, distance == bound
    rest = (k - nearer.sum(0)) / tied.sum(0)
    weights: np.ndarray = (nearer + tied * rest) / k
    return weights
