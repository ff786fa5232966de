"""The usual measures of explanations: pure functions of explanations and of the model's answers.

Axes: rows ``b``, methods ``m``, samples ``s``, features ``d``, outputs ``k``. Values are signed. A
feature that an explanation says nothing of is NaN and counts as 0 in sums, orders and norms, and
not at all where features are counted. A measure is NaN where it is not defined.
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

Measured = Float[Tensor, "b m k"]
# Numbers in double precision that differ by no more than this share of their size are the same.
ROUNDING = 1e-12


def predicted_changes(
    values: Float[Tensor, "b m d k"], changes: Float[Tensor, "b s d"] | Float[Tensor, "1 s d"]
) -> Float[Tensor, "b m s k"]:
    r"""Return what explanations predict of changes, :math:`e^T I_s`.

    ``changes`` are steps of each feature for slopes, and 1 where a feature is removed for
    contributions. A feature without a value is taken to do nothing.
    """
    return torch.einsum("bmdk,bsd->bmsk", values.nan_to_num(), changes.expand(len(values), -1, -1))


def faithfulness_correlation(
    predicted: Float[Tensor, "b m s k"], happened: Float[Tensor, "b s k"]
) -> Measured:
    r"""Return the correlation of predicted with actual changes.

    .. math:: \mathrm{corr}_s\big(e^T I_s,\; f(x) - f(x_s)\big)

    In the source :math:`I_s` marks the features of a random subset, which are removed. NaN where
    one of both does not vary.

    References
    ----------
    Bhatt, Weller and Moura (2020), Evaluating and aggregating feature-based model explanations.
    """
    both = torch.broadcast_tensors(predicted, happened[:, None])
    return _correlation(both[0].movedim(2, -1), both[1].movedim(2, -1))


def infidelity(
    predicted: Float[Tensor, "b m s k"],
    happened: Float[Tensor, "b s k"],
    *,
    rescaled: bool = False,
    relative: bool = False,
) -> Measured:
    r"""Return the mean squared gap between predicted and actual changes.

    .. math:: E_s \big(\beta\, e^T I_s - (f(x) - f(x_s))\big)^2

    Parameters
    ----------
    rescaled
        Choose the factor :math:`\beta` that makes it smallest, instead of 1: only the shares that
        an explanation gives to features count then, not their common size.
    relative
        Divide by :math:`E_s (f(x) - f(x_s))^2`, which makes it a share: 0 where changes are
        predicted exactly, 1 where the explanation says no more than that nothing happens. NaN
        where nothing happens.

    References
    ----------
    Yeh, Hsieh, Suggala, Inouye and Ravikumar (2019), On the (in)fidelity and sensitivity of
    explanations, Definition 2.1.
    """
    actual = happened[:, None]
    if rescaled:
        square = predicted.square().sum(2, keepdim=True)
        factor = (predicted * actual).sum(2, keepdim=True) / square.where(square > 0, 1.0)
        predicted = factor * predicted
    gap = (predicted - actual).square().mean(2)
    return _ratio(gap, actual.square().mean(2)) if relative else gap


def completeness_gap(
    values: Float[Tensor, "b m d k"],
    full: Float[Tensor, "b k"],
    empty: Float[Tensor, "b k"],
    *,
    rounding: float = ROUNDING,
) -> Measured:
    r"""Return how far contributions are from adding up, as a share of what they should add up to.

    .. math:: \left| \textstyle\sum_j e_j - (f(x) - f(r)) \right| \,/\, |f(x) - f(r)|

    NaN where row and reference ``r`` have the same output.

    Parameters
    ----------
    rounding
        Outputs that differ by no more than this share of their size are the same.

    References
    ----------
    Sundararajan, Taly and Yan (2017), Axiomatic attribution for deep networks, Section 3.
    """
    way = way_of(full, empty, rounding)[:, None]
    return (values.nan_to_num().sum(2) - way).abs() / way.abs()


def strongest(values: Float[Tensor, "b m d k"], count: int) -> Bool[Tensor, "b m d k"]:
    """Mark the ``count`` features of largest size; of equal ones the first, and none without."""
    size = values.abs().nan_to_num(nan=-1.0)
    order = size.argsort(dim=2, descending=True, stable=True)
    place = order.argsort(dim=2)
    return (place < count) & ~values.isnan()


def prediction_gap(moved: Float[Tensor, "b m s k"], predictions: Float[Tensor, "b k"]) -> Measured:
    r"""Return the mean change of the output over samples, :math:`E_s |f(x_s) - f(x)|`.

    With the strongest features moved it is the gap of important features (PGI), with all others
    moved that of unimportant features (PGU).

    Parameters
    ----------
    moved
        Outputs of samples, each for the explanation of that method and output.

    References
    ----------
    Agarwal et al. (2022), OpenXAI: towards a transparent evaluation of model explanations.
    """
    return (moved - predictions[:, None, None]).abs().mean(2)


def removal_order(
    values: Float[Tensor, "b m d k"], full: Float[Tensor, "b k"], empty: Float[Tensor, "b k"]
) -> Int[Tensor, "b m d k"]:
    """Order features by how much they move the output away from the reference's, most first.

    These are the features that raise the output of a row that is above the reference, and those
    that lower it where the row is below. Of equal ones the first stands first; a feature without
    a value stands as if it did nothing.
    """
    towards = (full - empty).sign()[:, None, None]
    return (values.nan_to_num() * towards).argsort(dim=2, descending=True, stable=True)


def kept_on_the_way(order: Int[Tensor, "b m d k"], *, insertion: bool) -> Bool[Tensor, "b m j d k"]:
    """Mark the features that are kept after each of ``d - 1`` removals, or insertions."""
    d = order.shape[2]
    place = order.argsort(dim=2)[:, :, None]  # (b, m, 1, d, k)
    steps = torch.arange(1, d, device=order.device)[:, None, None]  # (j, 1, 1)
    return place < steps if insertion else place >= steps


def curve_area(
    between: Float[Tensor, "b m j k"],
    full: Float[Tensor, "b k"],
    empty: Float[Tensor, "b k"],
    *,
    rounding: float = ROUNDING,
) -> Measured:
    r"""Return the mean output along a path, as a share of the way from the reference to the row.

    .. math:: \frac{1}{d} \sum_{j=0}^{d-1} \frac{g_j + g_{j+1}}{2},
        \qquad g_j = \frac{f(x_j) - f(r)}{f(x) - f(r)}

    by the trapezoidal rule, with the features removed one after the other (deletion, from 1 to 0)
    or added to the reference (insertion, from 0 to 1). Either way the ends together add a half.

    Parameters
    ----------
    between
        Outputs on the way, without the ends.
    full, empty
        Outputs of the row and of the reference; NaN where they are the same.
    rounding
        As for ``completeness_gap``.

    References
    ----------
    Petsiuk, Das and Saenko (2018), RISE: randomized input sampling for explanation of black-box
    models.
    """
    way = way_of(full, empty, rounding)[:, None]
    moved = (between - empty[:, None, None]).sum(2)
    return (way / 2 + moved) / (way * (between.shape[2] + 1))


def relative_changes(
    values: Float[Tensor, "b m d k"], others: Float[Tensor, "b c m d k"]
) -> Float[Tensor, "b c m k"]:
    r"""Return :math:`\|e' - e\| / \|e\|`, the norms taken over all features.

    A quotient of each feature by itself would be decided by features with values near 0. NaN where
    all values are 0.
    """
    own = values.nan_to_num()[:, None]
    change = torch.linalg.vector_norm(others.nan_to_num() - own, dim=3)
    return _ratio(change, torch.linalg.vector_norm(own, dim=3))


def max_sensitivity(changes: Float[Tensor, "b c m k"]) -> Measured:
    """Return the largest relative change of an explanation among copies of the row near it.

    References
    ----------
    Yeh, Hsieh, Suggala, Inouye and Ravikumar (2019), On the (in)fidelity and sensitivity of
    explanations, Definition 3.1, made relative.
    """
    return changes.amax(1)


def relative_stability(
    changes: Float[Tensor, "b c m k"],
    moved: Float[Tensor, "b c"],
    usable: Bool[Tensor, "b c"],
) -> Measured:
    r"""Return the largest relative change of an explanation per relative change of something else.

    .. math:: \max_{x'} \frac{\|e' - e\| / \|e\|}{\|h(x') - h(x)\| / \|h(x)\|}

    with the row itself for :math:`h` (RIS), or its outputs (ROS). Copies that are not usable or
    for which :math:`h` does not change are left out; NaN where none is left.

    Parameters
    ----------
    moved
        The denominator.
    usable
        Which copies count; in the source those of the same predicted class.

    References
    ----------
    Agarwal et al. (2022), Rethinking stability for attribution-based explanations.
    """
    known = (usable & (moved > 0))[:, :, None, None]
    ratio = changes / moved.where(moved > 0, 1.0)[:, :, None, None]
    most = ratio.where(known, -math.inf).amax(1)
    return most.where(known.any(1), math.nan)


def relative_moves(
    points: Float[Tensor, "b q"], others: Float[Tensor, "b c q"]
) -> Float[Tensor, "b c"]:
    """Return the length of moves relative to the length of where they start; NaN from 0."""
    change = torch.linalg.vector_norm(others - points[:, None], dim=2)
    return _ratio(change, torch.linalg.vector_norm(points, dim=1, keepdim=True))


def rank_correlation(
    values: Float[Tensor, "b m d k"], others: Float[Tensor, "b m d k"]
) -> Measured:
    """Return the rank correlation (Spearman) of two explanations, equal values sharing a rank.

    With the explanation of a network of random parameters as the other one it is the check by
    parameter randomisation. Features without a value in one of both are left out; NaN where fewer
    than two are left, or all of one are equal.

    References
    ----------
    Adebayo et al. (2018), Sanity checks for saliency maps.
    """
    known = ~(values.isnan() | others.isnan())
    one, other = (_ranks(side.where(known, math.inf).movedim(2, -1)) for side in (values, others))
    return _correlation(one, other, known.movedim(2, -1))


def sign_agreement(values: Float[Tensor, "b m d k"], others: Float[Tensor, "b m d k"]) -> Measured:
    r"""Return the share of features that push the same way in two explanations.

    .. math:: \frac{\#\{j : \mathrm{sgn}\, e_j = \mathrm{sgn}\, e'_j \ne 0\}}
        {\#\{j : e_j \ne 0 \text{ or } e'_j \ne 0\}}

    Features without a value in one of both are left out; NaN where none is left.

    References
    ----------
    Krishna et al. (2022), The disagreement problem in explainable machine learning, Section 3.
    """
    known = ~(values.isnan() | others.isnan())
    told = known & ((values != 0) | (others != 0))
    same = told & (values.sign() == others.sign())
    return _ratio(same.sum(2).to(values.dtype), told.sum(2).to(values.dtype))


def sparseness(values: Float[Tensor, "b m d k"]) -> Measured:
    r"""Return the Gini index of the sizes: 0 where all are alike, :math:`1 - 1/d` for one alone.

    .. math:: 1 - 2 \sum_{j=1}^d \frac{|e|_{(j)}}{\|e\|_1} \, \frac{d - j + 1/2}{d}

    with sizes in ascending order. NaN where all values are 0.

    References
    ----------
    Hurley and Rickard (2009), Comparing measures of sparsity, Table I; Chalasani et al. (2020),
    Concise explanations of neural networks using adversarial training.
    """
    size = values.abs()
    known = ~values.isnan()
    n = known.sum(2, keepdim=True)
    # Features without a value come first, and their weights fall outside.
    ascending = size.nan_to_num(nan=-1.0).sort(dim=2).values.clamp(min=0)
    d = values.shape[2]
    behind = torch.arange(d, 0, -1, device=values.device)[:, None] - 0.5  # d - j + 1/2
    total = ascending.sum(2, keepdim=True)
    shares = _ratio(ascending, total)
    return 1 - 2 * (shares * behind / n.clamp(min=1)).sum(2)


def complexity(values: Float[Tensor, "b m d k"]) -> Measured:
    r"""Return the entropy of the shares of the sizes, in nats: 0 for one feature, ``ln d`` at most.

    .. math:: -\sum_j p_j \ln p_j, \qquad p_j = |e_j| / \|e\|_1

    NaN where all values are 0.

    References
    ----------
    Bhatt, Weller and Moura (2020), Evaluating and aggregating feature-based model explanations.
    """
    size = values.abs().nan_to_num()
    return torch.special.entr(_ratio(size, size.sum(2, keepdim=True))).sum(2)


def _ratio(above: Tensor, below: Tensor) -> Tensor:
    """Divide; NaN where there is nothing to divide by."""
    return above / below.where(below > 0, math.nan)


def way_of(full: Tensor, empty: Tensor, rounding: float) -> Tensor:
    """Return the way from the reference to the row; NaN where it is nothing but rounding."""
    way = full - empty
    return way.where(way.abs() > rounding * torch.maximum(full.abs(), empty.abs()), math.nan)


def _ranks(values: Float[Tensor, "*n d"]) -> Float[Tensor, "*n d"]:
    """Rank along the last axis, equal values at the mean of their places."""
    values = values.contiguous()
    ascending = values.sort(dim=-1).values
    below = torch.searchsorted(ascending, values)
    upto = torch.searchsorted(ascending, values, right=True)
    return (below + upto).to(values.dtype) / 2


def _correlation(
    one: Float[Tensor, "*n s"], other: Float[Tensor, "*n s"], known: Tensor | None = None
) -> Float[Tensor, "*n"]:
    """Correlate along the last axis, over what is known; NaN where a side does not vary."""
    weights = torch.ones_like(one) if known is None else known.to(one.dtype)
    n = weights.sum(-1, keepdim=True).clamp(min=1)

    def centred(side: Tensor) -> tuple[Tensor, Tensor]:
        side = side * weights
        about = (side - side.sum(-1, keepdim=True) / n) * weights
        square = about.square().sum(-1)
        return about, square.where(square > ROUNDING**2 * side.square().sum(-1), math.nan)

    (one, first), (other, second) = centred(one), centred(other)
    return ((one * other).sum(-1) / (first * second).sqrt()).clamp(-1, 1)
