"""The loss of a linear layer as a function of how its weights move, with slope and curvature."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Num
from torch import Tensor, nn

# A direction that labelled rows move in by less than this share of the largest is one that they
# say nothing about.
UNSEEN = 1e-9
OUTSIDE = 1e-6


@dataclass(frozen=True)
class LinearLoss:
    r"""Mean loss of labelled rows when a linear layer moves away from its given weights.

    With a row's features :math:`z` (1 appended for the bias), coordinates :math:`T` and output
    basis :math:`C`, the layer moves by :math:`C \delta T^T` and its logits by
    :math:`C \delta T^T z`. A constant added to all logits changes no probability, so for ``k``
    classes ``C`` has ``k - 1`` columns that are orthogonal to it; a regression has one.

    .. math:: L(\delta) = \frac1n \sum_i \ell(y_i, f_i + C \delta T^T z_i)
              + \frac\rho2 \lVert C^T W_0 + \delta T^T \rVert^2

    with the cross-entropy or the squared error :math:`\ell`, and no penalty on the bias. Without
    a penalty the coordinates are the directions in which rows differ, of unit variance, so that
    columns that are copies of others (one-hot columns that add up to 1) do no harm; with one they
    are the weights themselves.

    Attributes
    ----------
    rows
        :math:`T^T z` of labelled rows.
    logits
        Of the given weights, for the same rows.
    start
        :math:`C^T W_0` where there is a penalty, else 0.
    penalty
        :math:`\rho` by coordinate.
    spare
        What the part of the given weights that is the same for all classes adds to the penalty:
        an equally good model can do without it, so it is added to a tolerance.
    """

    rows: Float[Tensor, "n r"]
    logits: Float[Tensor, "n k"]
    y: Num[Tensor, " n"]
    basis: Float[Tensor, "k q"]
    coordinates: Float[Tensor, "h r"]
    start: Float[Tensor, "q r"]
    penalty: Float[Tensor, " r"]
    spare: float
    classes: bool

    @property
    def size(self) -> int:
        """How many numbers a move has."""
        return self.start.numel()

    def flat(
        self, contrast: Float[Tensor, "m k"], rows: Float[Tensor, "m r"]
    ) -> Float[Tensor, "m p"]:
        """Return how contrasts of the logits of rows change with a move, as flat directions."""
        return torch.einsum("mq,mr->mqr", contrast @ self.basis, rows).flatten(1)

    def moved(
        self, moves: Float[Tensor, "b p"], rows: Float[Tensor, "m r"]
    ) -> Float[Tensor, "b m k"]:
        """Return how much moves change the logits of rows."""
        change = torch.einsum("bqr,mr->bmq", moves.view(-1, *self.start.shape), rows)
        return change @ self.basis.T

    def loss(self, moves: Float[Tensor, "b p"]) -> Float[Tensor, " b"]:
        """Return the loss after each move."""
        return self._data_loss(self.logits + self.moved(moves, self.rows)) + self._penalty(moves)

    def derivatives(
        self, moves: Float[Tensor, "b p"]
    ) -> tuple[Float[Tensor, " b"], Float[Tensor, "b p"], Float[Tensor, "b p p"]]:
        """Return loss, slope and curvature after each move."""
        logits = self.logits + self.moved(moves, self.rows)
        missed, spread = self._by_logit(logits)  # (b, n, q), (b, n, q, q)
        n, (q, r) = len(self.rows), self.start.shape
        slope = torch.einsum("bnq,nr->bqr", missed, self.rows) / n
        curvature = self.rows.new_empty(len(moves), q, r, q, r)
        for i in range(q):
            for j in range(i + 1):
                block = (self.rows.T * spread[:, None, :, i, j]) @ self.rows / n
                curvature[:, i, :, j] = curvature[:, j, :, i] = block
        weights = self.start + moves.view(-1, q, r)
        slope = (slope + self.penalty * weights).flatten(1)
        curvature = curvature.view(len(moves), q * r, q * r)
        curvature.diagonal(dim1=1, dim2=2).add_(self.penalty.repeat(q))
        return self._data_loss(logits) + self._penalty(moves), slope, curvature

    def _data_loss(self, logits: Float[Tensor, "b n k"]) -> Float[Tensor, " b"]:
        if not self.classes:
            return (logits[..., 0] - self.y).square().mean(-1)
        chosen = logits.gather(-1, self.y.long().expand(len(logits), -1)[..., None])[..., 0]
        return (logits.logsumexp(-1) - chosen).mean(-1)

    def _penalty(self, moves: Float[Tensor, "b p"]) -> Float[Tensor, " b"]:
        weights = self.start + moves.view(-1, *self.start.shape)
        return 0.5 * (self.penalty * weights.square()).sum((-2, -1))

    def _by_logit(
        self, logits: Float[Tensor, "b n k"]
    ) -> tuple[Float[Tensor, "b n q"], Float[Tensor, "b n q q"]]:
        """First and second derivatives of each row's loss, in the output basis."""
        if not self.classes:
            missed = 2 * (logits - self.y[:, None])
            return missed, torch.full_like(missed, 2.0)[..., None]
        share = logits.softmax(-1)
        truth = nn.functional.one_hot(self.y.long(), logits.shape[-1]).to(share)
        inner = share @ self.basis  # (b, n, q)
        second = torch.einsum("bnk,ki,kj->bnij", share, self.basis, self.basis)
        return (share - truth) @ self.basis, second - inner[..., None] * inner[..., None, :]

    def project(
        self, features: Float[Tensor, "m f"]
    ) -> tuple[Float[Tensor, "m r"], Bool[Tensor, " m"]]:
        """Return rows in the coordinates of moves, and whether labelled rows span them.

        What a layer says of a row outside their span (a category that none of them has) can be
        anything without a change of the loss, unless there is a penalty.
        """
        wide = _with_one(features, len(self.coordinates))
        rows = wide @ self.coordinates
        if self.penalty.any():
            return rows, torch.ones(len(rows), dtype=torch.bool, device=rows.device)
        back = rows @ torch.linalg.pinv(self.coordinates)
        far = (wide - back).norm(dim=1) > OUTSIDE * wide.norm(dim=1)
        return rows, ~far

    def change(self, moves: Float[Tensor, "b p"]) -> Float[Tensor, "b k h"]:
        """Return what moves add to the layer: to weights, and to the bias in the last column."""
        return self.basis @ (moves.view(-1, *self.start.shape) @ self.coordinates.T)

    def common(self, given: Float[Tensor, "k h"]) -> Float[Tensor, "1 h"]:
        """Return the part of penalised weights that is the same for all classes, which is idle."""
        if not (self.classes and self.penalty.any()):
            return torch.zeros_like(given[:1])
        return given.mean(0, keepdim=True) * (self.penalty > 0)

    def weights(
        self, given: Float[Tensor, "k h"], moves: Float[Tensor, "b p"]
    ) -> Float[Tensor, "b k h"]:
        """Return the layer after each move, without its idle part."""
        return given - self.common(given) + self.change(moves)


def linear_loss(
    features: Float[Tensor, "n f"],
    weights: Float[Tensor, "k h"],
    y: Num[Tensor, " n"],
    *,
    ridge: float = 0.0,
    classes: bool = True,
) -> LinearLoss:
    r"""Set up the loss of a linear layer on labelled rows, in the precision of the features.

    Parameters
    ----------
    features
        What the layer reads.
    weights
        Of the layer, with the bias in a last column where it has one.
    ridge
        Factor :math:`\rho` of half the sum of squares of the weights, the bias not counted.
    """
    wide = _with_one(features, weights.shape[1])
    basis = _output_basis(len(weights)).to(weights) if classes else torch.ones_like(weights[:, :1])
    coordinates = torch.eye(wide.shape[1]).to(wide) if ridge else _spanned(wide)
    penalty = torch.full_like(coordinates[0], ridge)
    if weights.shape[1] > features.shape[1]:
        penalty[-1] = 0.0 if ridge else penalty[-1]
    start = basis.T @ weights if ridge else basis.new_zeros(basis.shape[1], len(penalty))
    common = weights.mean(0).square() * len(weights) if classes and ridge else 0 * weights[0]
    spare = 0.5 * float((penalty * common).sum()) if ridge else 0.0
    return LinearLoss(
        wide @ coordinates, wide @ weights.T, y, basis, coordinates, start, penalty, spare, classes
    )


def _with_one(features: Float[Tensor, "n f"], width: int) -> Float[Tensor, "n h"]:
    """Append a column of ones where the layer has a bias."""
    if features.shape[1] == width:
        return features
    return torch.cat((features, torch.ones_like(features[:, :1])), 1)


def _output_basis(k: int) -> Float[Tensor, "k q"]:
    """Return Helmert's basis: orthonormal, and orthogonal to the same change of all logits."""
    basis = torch.zeros(k, k - 1, dtype=torch.double)
    for j in range(1, k):
        basis[:j, j - 1] = 1.0
        basis[j, j - 1] = -float(j)
    return basis / basis.norm(dim=0)


def _spanned(wide: Float[Tensor, "n h"]) -> Float[Tensor, "h r"]:
    """Return the directions in which rows differ, scaled to a mean square of 1."""
    _, size, directions = torch.linalg.svd(wide, full_matrices=False)
    kept = size > UNSEEN * size[0]
    return directions[kept].T / size[kept] * len(wide) ** 0.5
