"""Simple functions fitted to samples: least squares with an intercept, and logistic functions.

Interpretable values that all rows share, and features that all functions have, are held once: a
dimension of size 1 then stands for all rows or outputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from workbench.engines.lfa.explanations import TINY
from workbench.engines.lfa.neighbourhoods import Look, Together, apply
from workbench.numerics.local_fit import Moments, forward

Pairs = tuple[tuple[int, int], ...]
MOST_PAIRS = 300
STEPS, HALVINGS = 50, 20
# The last step lowers the loss by so little that another would not change coefficients.
SETTLED = 1e-14


@dataclass(frozen=True)
class Fitted:
    r"""Functions :math:`g(z) = b + \beta^T \phi(z)` of some rows, or its logistic transform.

    Attributes
    ----------
    beta, errors
        Coefficients and their standard errors from the samples.
    chosen
        Which coefficients the function has.
    """

    beta: Float[Tensor, "n k p"]
    errors: Float[Tensor, "n k p"]
    chosen: Bool[Tensor, "n k p"]
    intercepts: Float[Tensor, "n k"]
    is_logistic: bool = False

    def at(self, phi: Float[Tensor, "r m p"]) -> Float[Tensor, "n m k"]:
        """Return what the functions say of samples."""
        line = self.intercepts[:, None] + phi @ self.beta.mT
        return line.sigmoid() if self.is_logistic else line


def with_products(z: Shaped[Tensor, "*r d"], pairs: Pairs) -> Shaped[Tensor, "*r p"]:
    """Put products of pairs of interpretable values behind the values."""
    if not pairs:
        return z
    first, second = torch.tensor(pairs).T
    return torch.cat([z, z[..., first] * z[..., second]], -1)


def errors_of(
    fitted: Fitted, phi: Float[Tensor, "r m p"], answers: Float[Tensor, "n m k"],
    weights: Float[Tensor, " m"],
) -> tuple[Float[Tensor, "n m k"], Float[Tensor, "n m k"]]:  # fmt: skip
    """Return squared errors over samples, and squared distances from the weighted mean."""
    away = answers - answers[:, :1]  # exactly 0 where all answers are the same
    about = away - torch.einsum("m,nmk->nk", weights, away)[:, None]
    return (answers - fitted.at(phi)) ** 2, about**2


@dataclass(frozen=True)
class System:
    r"""Weighted sums of a least squares fit about a point through which the function goes.

    Attributes
    ----------
    about
        :math:`\phi - c`, with the point :math:`c`.
    left
        :math:`(\phi - c)^T W`.
    gram
        :math:`(\phi - c)^T W (\phi - c)`.
    centre, start
        The point, and the outputs there.
    whole
        By how much the outputs change from the point to where everything is 1, if the function has
        to follow.
    leverage
        What the point itself owes to each sample.
    """

    about: Float[Tensor, "r m p"]
    left: Float[Tensor, "r p m"]
    gram: Float[Tensor, "r p p"]
    centre: Float[Tensor, "r p"]
    start: Float[Tensor, "n k"]
    whole: Float[Tensor, "n k"] | None
    leverage: Float[Tensor, " m"]


def system_of(
    phi: Float[Tensor, "r m p"], weights: Float[Tensor, " m"], answers: Float[Tensor, "n m k"],
    law: str,
) -> System:  # fmt: skip
    """Set up a fit that goes through the weighted mean, or through ends that a law holds fixed.

    Removals of one feature are held against the row itself, which has no other sample beside them;
    the Shapley kernel gives the reference and the row endless weight.
    """
    start, whole, leverage = torch.einsum("m,nmk->nk", weights, answers), None, weights
    centre = torch.einsum("m,rmp->rp", weights, phi)
    if law == "single":
        centre, start, leverage = phi[:, 1], answers[:, 1], torch.zeros_like(weights)
    elif law == "shapley":
        centre, start, leverage = phi[:, 0], answers[:, 0], torch.zeros_like(weights)
        whole = answers[:, 1] - start
    about = phi - centre[:, None]
    left = about.mT * weights
    return System(about, left, left @ about, centre, start, whole, leverage)


def least_squares(
    system: System, answers: Float[Tensor, "n m k"], chosen: Bool[Tensor, "nr nk p"],
    together: Together,
) -> Fitted:  # fmt: skip
    r"""Fit :math:`\min_\beta E_w (f - b - \beta^T \phi)^2`, with sandwich errors.

    .. math:: A = ((\phi - c)^T W (\phi - c))^{-1} (\phi - c)^T W, \quad \beta = A (f - f_c)

    restricted to chosen features. Where the whole change :math:`\Delta` is held fixed, with
    :math:`h = G^{-1} 1 / (1^T G^{-1} 1)`, it is :math:`(I - h 1^T) A (f - f_c) + h \Delta`. A
    penalty of 1e-9 of the mean variance gives columns that are copies of each other a
    coefficient. Errors are divided by one less their leverage (HC3).

    References
    ----------
    MacKinnon and White (1985), Some Heteroskedasticity-Consistent Covariance Matrix Estimators.
    """
    y = (answers - system.start[:, None]).mT  # (n, k, m)
    influence, follow = _influence(system, chosen)
    beta = apply(influence, y)
    if system.whole is not None:
        beta = beta + follow * system.whole[..., None]
    hat = (system.about[:, None] * influence.mT).sum(-1) + system.leverage
    residuals = (y - beta @ system.about.mT) / (1 - hat).clamp(min=0.1)
    intercepts = system.start - (beta * system.centre[:, None]).sum(-1)
    return Fitted(
        beta, together.variance(influence, residuals).sqrt(),
        chosen.expand(beta.shape), intercepts,
    )  # fmt: skip


def _influence(system: System, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """Return what coefficients owe to each sample, and how they follow a fixed whole change."""
    both = chosen[..., None] & chosen[..., None, :]
    gram = system.gram[:, None]
    scale = gram.diagonal(dim1=-2, dim2=-1).mean(-1, keepdim=True)
    penalty = torch.where(chosen & (scale > 0), TINY * scale, 1.0)
    matrix = torch.where(both, gram, 0.0) + torch.diag_embed(penalty)
    left = torch.where(chosen[..., None], system.left[:, None], 0.0)
    ones = chosen.double()[..., None]
    ones = ones.expand(*matrix.shape[:2], *ones.shape[2:])
    solved = torch.linalg.solve(matrix, torch.cat([left, ones], -1))
    influence, follow = solved[..., :-1], solved[..., -1]
    if system.whole is None:
        return influence, follow
    total = follow.sum(-1, keepdim=True)
    follow = follow / torch.where(total > 0, total, 1.0)
    return influence - follow[..., None] * influence.sum(-2, keepdim=True), follow


def most_telling(
    system: System, answers: Float[Tensor, "n m k"], varies: Bool[Tensor, "n d"], count: int
) -> Bool[Tensor, "n k d"]:
    """Choose features by forward selection, for each row and output."""
    gram = torch.where(varies[:, :, None] & varies[:, None], system.gram, 0.0)
    y = answers - system.start[:, None]
    cross = torch.where(varies[..., None], system.left @ y, 0.0)
    weight = torch.ones(len(answers), dtype=torch.float64)
    nothing = torch.zeros_like(system.start)
    moments = Moments(weight, torch.zeros_like(gram[:, 0]), nothing, gram, cross, nothing)
    return forward(moments, count) & varies[:, None]


def screen(look: Look, weights: Float[Tensor, " m"], among: Sequence[int], count: int) -> Pairs:
    r"""Choose the pairs whose products explain most of what linear functions miss.

    .. math:: \sum_{\text{rows, outputs}}
        \frac{(\sum_m w_m e_m \bar z_{mi} \bar z_{mj})^2}{\sum_m w_m \bar z_{mi}^2 \bar z_{mj}^2}

    with residuals :math:`e` in units of each output's spread, so that it takes a product of
    matrices, and no table of all products.
    """
    system = system_of(look.z, weights, look.answers, "mean")
    fitted = least_squares(system, look.answers, look.varies[:, None], Together())
    _, total = errors_of(fitted, look.z, look.answers, weights)
    spread = torch.einsum("m,nmk->nk", weights, total).sqrt()[:, None]
    rest = (look.answers - fitted.at(look.z)) / torch.where(spread > 0, spread, 1.0)
    about = system.about * look.varies[:, None]  # (n, m, d)
    gains = torch.zeros(about.shape[-1], about.shape[-1], dtype=torch.float64)
    for z, e in zip(about, rest, strict=True):
        own = (z**2).T * weights @ z**2
        joint = torch.stack([z.T * (weights * each) @ z for each in e.T])  # (k, d, d)
        gains += torch.where(own > 0, (joint**2).sum(0) / torch.where(own > 0, own, 1.0), 0.0)
    pairs = torch.combinations(torch.tensor(among))
    order = gains[pairs[:, 0], pairs[:, 1]].sort(descending=True, stable=True).indices[:count]
    return tuple((int(i), int(j)) for i, j in pairs[order.sort().values])


def logistic(
    z: Float[Tensor, "r m d"], weights: Float[Tensor, " m"], answers: Float[Tensor, "n m k"],
    varies: Bool[Tensor, "n d"], together: Together,
) -> Fitted:  # fmt: skip
    r"""Fit :math:`\sigma(b + \beta^T z)` to probabilities by maximum likelihood, one output each.

    Newton's method on :math:`-E_w [p \log \sigma + (1 - p) \log(1 - \sigma)]`, steps halved until
    they lower it; a penalty of 1e-9 keeps coefficients finite where probabilities are 0 and 1. Of
    two probabilities one is fitted, and the other is its mirror image.
    """
    design = torch.cat([torch.ones_like(z[..., :1]), z], -1)  # (r, m, q)
    usable = torch.cat([torch.ones_like(varies[:, :1]), varies], -1)
    design = design if bool(usable.all()) else design * usable[:, None]
    y = (answers[..., 1:] if answers.shape[-1] == 2 else answers).mT  # (n, k, m)
    theta = torch.zeros(*y.shape[:2], design.shape[-1], dtype=torch.float64)
    theta[..., 0] = torch.logit((y @ weights).clamp(1e-6, 1 - 1e-6))
    going = torch.arange(len(y))
    for _ in range(STEPS):
        own = design if len(design) == 1 else design[going]
        theta[going], done = _newton_step(theta[going], own, weights, y[going])
        going = going[~done]
        if not len(going):
            break
    errors = _logistic_errors(theta, design, weights, y, together)
    return of_log_odds(theta, errors, varies, answers.shape[-1])


def of_log_odds(
    theta: Float[Tensor, "n j q"], errors: Float[Tensor, "n j q"], varies: Bool[Tensor, "n d"],
    k: int,
) -> Fitted:  # fmt: skip
    """Make functions from intercepts and coefficients; one output of two gives the other."""
    if theta.shape[1] < k:
        theta, errors = torch.cat([-theta, theta], 1), errors.expand(-1, k, -1)
    chosen = varies[:, None].expand(-1, k, -1)
    return Fitted(
        theta[..., 1:] * chosen, errors[..., 1:] * chosen, chosen, theta[..., 0], is_logistic=True
    )


def _newton_step(
    theta: Tensor, design: Tensor, weights: Tensor, y: Tensor
) -> tuple[Tensor, Bool[Tensor, " n"]]:
    """Take a step, halved where it does not lower the loss; says which rows have arrived."""
    matrix, gradient = _newton(theta, design, weights, y)
    step = torch.linalg.solve(matrix, gradient)
    gain = (step * gradient).sum(-1)  # twice what a step lowers the loss by
    loss, size = _unlikely(theta, design, weights, y), torch.ones_like(gain)
    done = gain < SETTLED
    for _ in range(HALVINGS):
        worse = (_unlikely(theta + size[..., None] * step, design, weights, y) > loss) & ~done
        if not bool(worse.any()):
            break
        size = torch.where(worse, size / 2, size)
    return theta + size[..., None] * step, done.all(1)


def _unlikely(theta: Tensor, design: Tensor, weights: Tensor, y: Tensor) -> Tensor:
    u = theta @ design.mT
    found = torch.nn.functional.softplus(u) - y * u
    return found @ weights + TINY / 2 * (theta**2).sum(-1)


def _newton(
    theta: Tensor, design: Tensor, weights: Tensor, y: Tensor
) -> tuple[Float[Tensor, "n k q q"], Float[Tensor, "n k q"]]:
    """Return the second derivatives of the loss, and the negative first ones."""
    p = (theta @ design.mT).sigmoid()
    own = design[:, None]  # (r, 1, m, q)
    matrix = (own.mT * (weights * p * (1 - p))[..., None, :]) @ own
    eye = torch.eye(theta.shape[-1], dtype=torch.float64)
    gradient = (weights * (y - p)) @ design
    return matrix + TINY * eye, gradient - TINY * theta


def _logistic_errors(
    theta: Tensor, design: Tensor, weights: Tensor, y: Tensor, together: Together
) -> Float[Tensor, "n k q"]:
    """Return sandwich errors of intercept and coefficients."""
    matrix, _ = _newton(theta, design, weights, y)
    residuals = y - (theta @ design.mT).sigmoid()
    left = (design.mT * weights)[:, None].expand(*matrix.shape[:2], -1, -1)
    influence = torch.linalg.solve(matrix, left)
    return together.variance(influence, residuals).sqrt()
