"""Linear functions fitted to samples that all rows share: a small matrix does it for all."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.engines.lfa.masks import Design


@dataclass(frozen=True)
class Line:
    r"""A fit whose coefficients are linear in the answers, :math:`\beta = A y`.

    Attributes
    ----------
    influence
        The matrix :math:`A`; it takes out the intercept.
    leverage
        How much of its own answer a sample predicts, at most 1.
    """

    influence: Float[Tensor, "d m"]
    leverage: Float[Tensor, " m"]

    def fit(self, y: Float[Tensor, "n m k"]) -> Float[Tensor, "n d k"]:
        """Return the coefficients of all rows."""
        return self.influence @ y


def equal_weights(m: int) -> Float[Tensor, " m"]:
    """Weights of samples that all count alike; they add up to 1."""
    return torch.full((m,), 1 / m, dtype=torch.float64)


def line(z: Float[Tensor, "m d"], weights: Float[Tensor, " m"]) -> Line:
    r"""Weighted least squares with an intercept: :math:`A = (Z_c^T W Z_c)^{-1} Z_c^T W`.

    Features that do not vary get no coefficient. :math:`Z_c` is about the weighted mean.
    """
    share = weights / weights.sum()
    about = z - share @ z
    left = about.T * share
    solve = torch.linalg.pinv(left @ about, rtol=1e-12, hermitian=True)
    influence = solve @ left
    leverage = (about * influence.T).sum(1) + share
    return Line(influence, leverage.clamp(max=1.0))


def through_origin(z: Float[Tensor, "m d"]) -> Line:
    """Least squares without an intercept."""
    influence = torch.linalg.pinv(z)
    return Line(influence, (z * influence.T).sum(1).clamp(max=1.0))


def shares(masks: Float[Tensor, "m d"], weights: Float[Tensor, " m"]) -> Line:
    r"""Weighted least squares of gains whose coefficients add up to the whole gain.

    Answers are gains less the even share of each coalition, :math:`v(S) - v(\emptyset) -
    \frac{|S|}{d} (v(N) - v(\emptyset))`; the even share is added back to the coefficients.

    References
    ----------
    Lundberg and Lee (2017), Theorem 2.
    """
    d = masks.shape[1]
    about = masks - masks.sum(1, keepdim=True) / d
    left = about.T * weights
    # The direction in which all coefficients grow alike is fixed, so fill it in.
    influence = torch.linalg.solve(left @ about + 1 / d, left)
    return Line(influence, (about * influence.T).sum(1).clamp(max=1.0))


def design_errors(
    fitted: Line, residuals: Float[Tensor, "n m k"], design: Design
) -> Float[Tensor, "n d k"]:
    r"""Return standard errors of coefficients from the coalitions that were drawn.

    .. math:: \mathrm{Var}\, \beta_j = \sum_{\text{pairs}} (A_{ja} e_a + A_{jb} e_b)^2

    with residuals divided by one less their leverage (HC3). A coalition and its complement were
    drawn together; sizes that were listed in full add nothing.

    References
    ----------
    MacKinnon and White (1985), Some Heteroskedasticity-Consistent Covariance Matrix Estimators.
    """
    a, b = design.first, design.second
    if not len(a):
        return torch.zeros_like(fitted.influence @ residuals)
    free = (1 - fitted.leverage).clamp(min=0.1)[:, None]
    e = residuals / free
    one, other = fitted.influence[:, a], fitted.influence[:, b]
    variance = (
        one**2 @ e[:, a] ** 2 + other**2 @ e[:, b] ** 2 + 2 * (one * other) @ (e[:, a] * e[:, b])
    )
    return variance.clamp(min=0).sqrt()
