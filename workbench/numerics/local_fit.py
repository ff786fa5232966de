"""Weighted linear models of many rows at once, from their moments alone.

Values are taken relative to the row that is explained: its own sample is then 0 in everything, so
it adds its weight of 1 to the moments and nothing else, and no digits are lost where a row is far
from the mean.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

Selection = Literal["auto", "forward", "highest", "lasso", "none"]
FEW = 6
RANKING_PENALTY = 0.01
# A column whose remaining variance is below this share of its own is a copy of others.
COPY = 1e-10


@dataclass(frozen=True)
class Moments:
    """Centred weighted moments of some rows' samples.

    Attributes
    ----------
    weight
        Sum of the weights.
    gram, cross, spread
        Weighted sums of products, of the interpretable values, of them with the outputs, and of
        the outputs with themselves, about the weighted means.
    """

    weight: Float[Tensor, " b"]
    mean_z: Float[Tensor, "b d"]
    mean_y: Float[Tensor, "b k"]
    gram: Float[Tensor, "b d d"]
    cross: Float[Tensor, "b d k"]
    spread: Float[Tensor, "b k"]

    def __getitem__(self, rows: Bool[Tensor, " b"]) -> "Moments":
        return Moments(*(value[rows] for value in vars(self).values()))


def raw_moments(joined: Float[Tensor, "b q s"], w: Float[Tensor, "b s"]) -> Float[Tensor, "b q q"]:
    r"""Return :math:`\sum_i w_i a_i a_i^T` with :math:`a_i = (1, z_i, y_i)`; it adds up."""
    return (joined * w[:, None]) @ joined.mT


def centred(raw: Float[Tensor, "b q q"], d: int) -> Moments:
    """Add the row itself, and take means out."""
    raw = raw.clone()
    raw[:, 0, 0] += 1
    weight, first = raw[:, 0, 0], raw[:, 0, 1:]
    mean = first / weight[:, None]
    about = raw[:, 1:, 1:] - first[:, :, None] * mean[:, None]
    return Moments(
        weight, mean[:, :d], mean[:, d:], about[:, :d, :d], about[:, :d, d:],
        about.diagonal(dim1=1, dim2=2)[:, d:].clamp(min=0),
    )  # fmt: skip


def ridge(
    moments: Moments, chosen: Bool[Tensor, "b k d"], alpha: float
) -> tuple[Float[Tensor, "b k d"], Float[Tensor, "b k d d"]]:
    r"""Fit :math:`\min_\beta \sum_i w_i (y_i - \beta_0 - \beta^T z_i)^2 + \alpha |\beta|^2`.

    Only chosen features have a coefficient, the intercept has no penalty. Also returns the matrix
    that was inverted; rows and columns of features that were not chosen are those of a unit
    matrix.
    """
    both = chosen[..., None] & chosen[..., None, :]
    kept = torch.where(both, moments.gram[:, None], 0.0)
    penalty = torch.where(chosen, alpha, 1.0)
    system = kept + torch.diag_embed(penalty)
    target = torch.where(chosen, moments.cross.mT, 0.0)
    return torch.linalg.solve(system, target), system


def r_squared(moments: Moments, beta: Float[Tensor, "b k d"]) -> Float[Tensor, "b k"]:
    """Share of the weighted variance that is explained; 1 where there is none to explain."""
    inner = (moments.gram[:, None] @ beta[..., None])[..., 0]
    missed = moments.spread - 2 * (beta * moments.cross.mT).sum(-1) + (beta * inner).sum(-1)
    none = moments.spread <= 1e-24 * moments.weight[:, None]
    share = 1 - missed / torch.where(none, 1.0, moments.spread)
    return torch.where(none, 1.0, share)


def choose(
    moments: Moments, at: Float[Tensor, "b d"], count: int, selection: Selection
) -> Bool[Tensor, "b k d"]:
    """Choose features for each output.

    Parameters
    ----------
    at
        Interpretable values of the row itself.
    """
    d = moments.gram.shape[1]
    if selection == "auto":
        selection = "forward" if count <= FEW else "highest"
    if selection == "none" or (count >= d and selection != "lasso"):
        return torch.ones_like(moments.cross.mT, dtype=torch.bool)
    if selection == "forward":
        return forward(moments, count)
    return highest(moments, at, count) if selection == "highest" else lasso(moments, count)


def forward(moments: Moments, count: int) -> Bool[Tensor, "b k d"]:
    """Add the feature that explains most beyond those chosen, again and again.

    What is chosen is swept out of the moments, so that a step costs no solve.
    """
    target = moments.cross.mT.clone()  # (b, k, d)
    rest = moments.gram[:, None].repeat(1, target.shape[1], 1, 1)
    own = rest.diagonal(dim1=-2, dim2=-1).clone()
    chosen = torch.zeros_like(target, dtype=torch.bool)
    for _ in range(count):
        left = rest.diagonal(dim1=-2, dim2=-1)
        usable = left > COPY * own
        gain = torch.where(usable, target**2 / torch.where(usable, left, 1.0), 0.0)
        best = gain.masked_fill(chosen, -1.0).argmax(-1, keepdim=True)  # (b, k, 1)
        chosen.scatter_(-1, best, value=True)
        column = rest.gather(-1, best[..., None, :].expand(*rest.shape[:-1], 1))[..., 0]
        pivot = column.gather(-1, best)
        share = torch.where(usable.gather(-1, best), column / pivot, 0.0)
        target = target - share * target.gather(-1, best)
        rest = rest - share[..., None] * column[..., None, :]
    return chosen


def highest(moments: Moments, at: Float[Tensor, "b d"], count: int) -> Bool[Tensor, "b k d"]:
    """Choose the features that contribute most to the row in a fit with all of them."""
    every = torch.ones_like(moments.cross.mT, dtype=torch.bool)
    beta, _ = ridge(moments, every, RANKING_PENALTY)
    return top_of(beta * at[:, None], count)


def lasso(moments: Moments, count: int) -> Bool[Tensor, "b k d"]:
    """Choose the features of the longest stretch of the lasso path that has at most ``count``."""
    from sklearn.linear_model import lars_path_gram  # noqa: PLC0415 - a second to load

    gram, cross = moments.gram.cpu().numpy(), moments.cross.cpu().numpy()
    chosen = np.zeros(moments.cross.mT.shape, dtype=bool)
    for row, output in np.ndindex(*chosen.shape[:2]):
        target = np.ascontiguousarray(cross[row, :, output])
        if not target.any():
            continue
        n = round(float(moments.weight[row]))  # scales the penalties, not the path
        path = lars_path_gram(
            Xy=target, Gram=gram[row].copy(), n_samples=n, method="lasso", copy_Gram=True
        )[2].T  # fmt: skip
        short = [step for step in path[1:] if np.count_nonzero(step) <= count]
        chosen[row, output] = (short[-1] if short else path[min(1, len(path) - 1)]) != 0
    return torch.from_numpy(chosen).to(moments.gram.device)


def top_of(values: Float[Tensor, "*b d"], count: int) -> Bool[Tensor, "*b d"]:
    """Mark the ``count`` values largest in size; of equal ones the first."""
    order = values.abs().sort(dim=-1, descending=True, stable=True).indices[..., :count]
    return torch.zeros_like(values, dtype=torch.bool).scatter_(-1, order, value=True)


def overlap(one: Bool[Tensor, "*b d"], other: Bool[Tensor, "*b d"]) -> Float[Tensor, "*b"]:
    """Jaccard index of two sets: shared members over all members; 1 for two empty sets."""
    both, either = (one & other).sum(-1), (one | other).sum(-1)
    return torch.where(either > 0, both / either.clamp(min=1), 1.0).double()


@dataclass(frozen=True)
class Line:
    """The fitted lines of some rows for one output, without the features that they do not have.

    Attributes
    ----------
    kept
        Features that the lines have; rows with fewer have some with a slope of 0.
    mean_z, mean_y
        Weighted means, through which the lines go.
    unit
        Weighted standard deviation of the output, in which scores count residuals.
    """

    output: int
    kept: Int[Tensor, "b p"]
    slopes: Float[Tensor, "b p"]
    mean_z: Float[Tensor, "b p"]
    mean_y: Float[Tensor, " b"]
    unit: Float[Tensor, " b"]

    def own_score(self) -> Float[Tensor, "b p p"]:
        """Return what the row itself adds to the sum of scores."""
        missed = (self.slopes * self.mean_z).sum(-1) - self.mean_y
        own = -self.mean_z * (missed / self.unit)[:, None]
        return own[..., None] * own[:, None]


def line_of(
    moments: Moments, chosen: Bool[Tensor, "b k d"], beta: Float[Tensor, "b k d"], output: int
) -> Line:
    """Return the lines of one output."""
    most = int(chosen[:, output].sum(-1).max())
    order = chosen[:, output].int().sort(dim=-1, descending=True, stable=True).indices
    kept = order[:, :most]
    spread = (moments.spread[:, output] / moments.weight).sqrt()
    return Line(
        output, kept, beta[:, output].gather(1, kept), moments.mean_z.gather(1, kept),
        moments.mean_y[:, output], torch.where(spread > 0, spread, 1.0),
    )  # fmt: skip


def score_sum(c: Float[Tensor, "b p s"], missed: Float[Tensor, "b s"]) -> Float[Tensor, "b p p"]:
    r"""Return :math:`\sum_i (w_i e_i)^2 c_i c_i^T`; it adds up.

    Parameters
    ----------
    c
        Interpretable values about their weighted means.
    missed
        Weighted residuals.
    """
    influence = c * missed[:, None]
    return influence @ influence.mT


def sandwich(
    scores: Float[Tensor, "b p p"], system: Float[Tensor, "b p p"]
) -> Float[Tensor, "b p"]:
    r"""Return the variance of each coefficient from the scores of all samples.

    .. math:: \operatorname{diag}\Bigl(B^{-1} \sum_i (w_i e_i)^2
              (z_i - \bar z)(z_i - \bar z)^T B^{-1}\Bigr)

    with :math:`B` the matrix of the ridge fit; the sum includes the row itself.

    References
    ----------
    White (1980), A Heteroskedasticity-Consistent Covariance Matrix Estimator.
    """
    half = torch.linalg.solve(system, scores)
    both = torch.linalg.solve(system, half.mT)
    return both.diagonal(dim1=-2, dim2=-1).clamp(min=0)


def std_errors(
    joined: Float[Tensor, "b q s"],
    w: Float[Tensor, "b s"],
    moments: Moments,
    chosen: Bool[Tensor, "b k d"],
    beta: Float[Tensor, "b k d"],
    system: Float[Tensor, "b k d d"],
) -> Float[Tensor, "b k d"]:
    """Return the standard error of each coefficient where all samples are at hand at once."""
    d = beta.shape[-1]
    c = joined[:, 1 : 1 + d] - moments.mean_z[..., None]
    about = joined[:, 1 + d :] - moments.mean_y[..., None]
    missed = w[:, None] * (about - beta @ c)  # (b, k, s)
    variances = []
    for output in range(beta.shape[1]):
        line = line_of(moments, torch.ones_like(chosen), beta, output)
        own = line.own_score() * line.unit[:, None, None] ** 2
        variances.append(sandwich(own + score_sum(c, missed[:, output]), system[:, output]))
    return torch.where(chosen, torch.stack(variances, 1).sqrt(), 0.0)
