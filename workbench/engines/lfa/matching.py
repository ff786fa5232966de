"""Simple functions whose slopes match those of a model."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.optimize import minimize
from torch import Tensor

from workbench.engines.lfa.explanations import TINY
from workbench.engines.lfa.functions import Fitted, Pairs, of_log_odds, with_products
from workbench.engines.lfa.neighbourhoods import Look, Together
from workbench.numerics.local_fit import top_of

# A logistic function starts within these probabilities.
EDGE = 1e-3
ROUNDS = 500


def match_linear(
    look: Look, slopes: Float[Tensor, "n m d k"], weights: Float[Tensor, " m"],
    together: Together, count: int,
) -> Fitted:  # fmt: skip
    r"""Fit :math:`\min_\beta E_w |\nabla f - \beta|^2`: the mean slopes, or the largest of them.

    A feature that is left out adds :math:`(E_w \partial_j f)^2` to the error, so the best
    ``count`` features are those with the largest mean slopes. The intercept is the one for which
    the mean error of the outputs is 0.
    """
    n, _, d, k = slopes.shape
    mean = torch.einsum("m,nmdk->nkd", weights, slopes)
    chosen = look.varies[:, None].expand(n, k, d) & top_of(mean, count)
    residuals = (slopes.permute(0, 3, 2, 1) - mean[..., None]) / (1 - weights).clamp(min=0.1)
    variance = together.variance(weights[None, None, None], residuals.flatten(1, 2))
    errors = variance.unflatten(1, (k, d))[..., 0].sqrt()
    beta = mean * chosen
    start = torch.einsum("m,nmk->nk", weights, look.answers)
    intercepts = start - (beta @ torch.einsum("m,rmd->rd", weights, look.z)[..., None])[..., 0]
    return Fitted(beta, errors * chosen, chosen, intercepts)


def match_pairwise(
    look: Look, slopes: Float[Tensor, "n m d k"], weights: Float[Tensor, " m"],
    together: Together, pairs: Pairs,
) -> Fitted:  # fmt: skip
    r"""Fit :math:`\min_{\beta, B} E_w |\nabla f - \beta - B z|^2` with products of these pairs.

    :math:`B` is symmetric and 0 but for the pairs. With :math:`S` the covariance of the values and
    :math:`C` that of slopes with values, the equations of pair :math:`(i, j)` are

    .. math:: (B S + S B)_{ij} = C_{ij} + C_{ji}, \quad \beta = E_w \nabla f - B E_w z.
    """
    first, second = torch.tensor(pairs).T
    chosen = look.varies[:, None, first] & look.varies[:, None, second]  # (n, 1, q)
    z, grads = look.z[0], slopes.permute(0, 3, 1, 2)  # (m, d), (n, k, m, d)
    centre = weights @ z
    about = z - centre
    matrix = _of_pairs((about.T * weights) @ about, first, second, chosen)

    def sides(values: Tensor) -> Tensor:
        """Return what each sample adds to the right-hand sides, ``[n, k, q, m]``."""
        both = values[..., first] * about[:, second] + values[..., second] * about[:, first]
        return torch.where(chosen[..., None], (both * weights[:, None]).mT, 0.0)

    products = torch.linalg.solve(matrix, sides(grads).sum(-1, keepdim=True))[..., 0]
    bends = torch.zeros(*products.shape[:2], len(centre), len(centre), dtype=torch.float64)
    bends[..., first, second] = bends[..., second, first] = products
    beta = torch.einsum("m,nkmd->nkd", weights, grads) - bends @ centre
    rest = grads - beta[:, :, None] - z @ bends
    owed = (rest * weights[:, None]).mT, torch.linalg.solve(matrix, sides(rest))
    ones = torch.ones(*products.shape[:2], len(z), dtype=torch.float64)
    errors = torch.cat([together.variance(each, ones) for each in owed], -1).sqrt()
    kept = torch.cat([look.varies[:, None], chosen], -1).expand(errors.shape)
    found = torch.cat([beta, products], -1) * kept
    start = torch.einsum("m,nmk->nk", weights, look.answers)
    intercepts = start - found @ (weights @ with_products(z, pairs))
    return Fitted(found, errors * kept, kept, intercepts)


def _of_pairs(
    spread: Float[Tensor, "d d"], first: Int[Tensor, " q"], second: Int[Tensor, " q"],
    chosen: Bool[Tensor, "n 1 q"],
) -> Float[Tensor, "n 1 q q"]:  # fmt: skip
    """Return the matrix that turns products of chosen pairs into ``B S + S B`` at these pairs."""
    found = torch.zeros(len(first), len(first), dtype=torch.float64)
    for one, other in ((first, second), (second, first)):
        for own, far in ((first, second), (second, first)):
            found += (one[:, None] == own) * spread[other[:, None], far]
    scale = found.diagonal().mean()
    penalty = torch.where(chosen, TINY * scale, 1.0)
    both = chosen[..., None] & chosen[..., None, :]
    return torch.where(both, found, 0.0) + torch.diag_embed(penalty)


def match_logistic(
    look: Look, slopes: Float[Tensor, "n m d k"], weights: Float[Tensor, " m"],
    together: Together,
) -> Fitted:  # fmt: skip
    r"""Fit :math:`\min_{b, \beta} E_w |\nabla f - \sigma'(b + \beta^T z) \beta|^2` by L-BFGS.

    The problem is not convex; it starts from the mean slopes, turned into log-odds. Errors are
    those of an extremum estimator, from exact second derivatives at the end.

    References
    ----------
    Newey and McFadden (1994), Large Sample Estimation and Hypothesis Testing, Theorem 3.1.
    """
    n, _, d, k = slopes.shape
    first = int(k == 2)  # of two probabilities one is the mirror image of the other
    theta = torch.zeros(n, k - first, d + 1, dtype=torch.float64)
    errors = torch.zeros_like(theta)
    z = look.z.expand(n, -1, -1) * look.varies[:, None]
    for row in range(n):
        for place in range(k - first):
            match = _Match(z[row], slopes[row, ..., first + place], weights)
            theta[row, place] = match.fit(float(weights @ look.answers[row, :, first + place]))
            errors[row, place] = match.errors(theta[row, place], together)
    return of_log_odds(theta, errors, look.varies, k)


class _Match:
    """The slopes of one row and output, in units of their size."""

    def __init__(
        self, z: Float[Tensor, "m d"], slopes: Float[Tensor, "m d"], weights: Float[Tensor, " m"]
    ) -> None:
        self._z, self._weights = z, weights
        size = float((weights @ slopes**2).sum().sqrt())
        self._size = size if size > 0 else 1.0
        self._slopes = slopes

    def fit(self, mean: float) -> Float[Tensor, " q"]:
        """Return intercept and coefficients, from the mean slopes and the mean output on."""
        within = torch.tensor(min(max(mean, EDGE), 1 - EDGE), dtype=torch.float64)
        slopes = self._weights @ self._slopes
        start = torch.cat([torch.logit(within)[None], slopes / (within * (1 - within))])
        found = minimize(
            self._told, start.numpy(), jac=True, method="L-BFGS-B",
            options={"maxiter": ROUNDS, "ftol": 1e-14, "gtol": 1e-9},
        )  # fmt: skip
        return torch.from_numpy(found.x)

    def errors(self, theta: Float[Tensor, " q"], together: Together) -> Float[Tensor, " q"]:
        """Return sandwich errors."""
        matrix = torch.autograd.functional.jacobian(lambda at: self._scores(at).sum(0), theta)
        influence = torch.linalg.pinv(matrix, hermitian=True) @ self._scores(theta).T
        ones = torch.ones(1, 1, influence.shape[1], dtype=torch.float64)
        return together.variance(influence[None, None], ones)[0, 0].sqrt()

    def _told(self, theta: np.ndarray, *_: object) -> tuple[float, np.ndarray]:
        rest, own = self._parts(torch.from_numpy(theta))
        loss = float(self._weights @ (rest**2).sum(1)) / 2
        return loss, (self._weights @ own).numpy()

    def _scores(self, theta: Tensor) -> Float[Tensor, "m q"]:
        """Return what each sample adds to the slope of the loss."""
        return self._weights[:, None] * self._parts(theta)[1]

    def _parts(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Return errors of the slopes of each sample, and by how much its loss changes."""
        p = (theta[0] + self._z @ theta[1:]).sigmoid()
        first = (p * (1 - p))[:, None]
        rest = (first * theta[1:] - self._slopes) / self._size
        along = (rest @ theta[1:])[:, None] * first * (1 - 2 * p[:, None])
        return rest, torch.cat([along, along * self._z + first * rest], 1) / self._size
