"""How far a convex loss lets the outputs of a linear layer go: in closed form, and exactly."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.core.errors import InvalidInputError
from workbench.numerics.linear_loss import LinearLoss

NEWTON_STEPS = 40
HALVINGS = 12
SHORTENINGS = 4
# A picture that is off by more than this factor is not mended by one look.
MOST_CORRECTED = 10.0
PATH_STEPS = 40
# A loss within this share of the tolerance counts as on the boundary.
CLOSE = 1e-5
# Added to a curvature that is singular in double precision, as a share of its mean diagonal; it
# slows a step down and moves no solution.
JITTER = 1e-11
# A least loss that is flatter than this in some direction, where rows have a mean square of 1, may
# be none.
FLAT = 1e-6


class Ellipsoid(NamedTuple):
    """The second-order picture of all moves within a tolerance.

    Attributes
    ----------
    middle
        Minimum of the quadratic; 0 only if the given weights are one.
    ways
        For each direction, the unit way to the end of its range: ends are
        ``middle ± radius * ways``.
    reach
        How far the direction's value changes along its way.
    radius
        By tolerance; NaN where even the middle is not within it.
    """

    middle: Float[Tensor, " p"]
    ways: Float[Tensor, "m p"]
    reach: Float[Tensor, " m"]
    radius: Float[Tensor, " t"]


def quadratic_range(
    loss: LinearLoss,
    directions: Float[Tensor, "m p"],
    tolerances: Float[Tensor, " t"],
    around: Float[Tensor, " p"],
) -> Ellipsoid:
    r"""Return the ends of ranges on the quadratic of a loss around a move :math:`\delta_0`.

    With slope :math:`g` and curvature :math:`H` there,

    .. math:: v^T \delta \in v^T (\delta_0 - H^{-1} g) \pm
              \sqrt{(2 (L(0) + \epsilon - L(\delta_0)) + g^T H^{-1} g)\, v^T H^{-1} v},

    exact for a squared loss. Where the given weights are the minimum this is the known
    :math:`z \pm \sqrt{2 \epsilon\, x^T H^{-1} x}`; where they are not, the set lies around
    another middle and is wider. Closest to the truth around the minimum.
    """
    value, slope, curvature = loss.derivatives(around[None])
    factor = _factor(curvature)[0]
    back = torch.cholesky_solve(slope.T, factor)[:, 0]
    solved = torch.cholesky_solve(directions.T, factor).T
    reach = (directions * solved).sum(1).clamp(min=0).sqrt()
    room = loss.loss(standstill(loss)) + loss.spare + tolerances.to(value) - value
    radius = (2 * room + slope[0] @ back).sqrt()  # NaN below 0
    ways = solved / torch.where(reach > 0, reach, 1.0)[:, None]
    return Ellipsoid(around - back, ways, reach, radius)


def corrected(
    loss: LinearLoss, picture: Ellipsoid, tolerances: Float[Tensor, " t"]
) -> tuple[Float[Tensor, "t 2 m"], Float[Tensor, "t 2 m"]]:
    r"""Return how far to go towards both ends, after one look at the true loss at each.

    An end is :math:`c \pm s r w` with the middle, radius and way of the picture. Where the true
    loss rises from the middle by another amount than the room that there is,
    :math:`s = \sqrt{\text{room} / \text{rise}}` lands close to the boundary.

    Returns
    -------
    ``s r`` for the low ends and the high ends, and the excess loss there as a share of what the
    tolerance allows above the middle: 1 is on the boundary.
    """
    middle = loss.loss(picture.middle[None])
    room = loss.loss(standstill(loss)) + loss.spare + tolerances.to(middle) - middle
    sign = picture.radius.new_tensor([-1.0, 1.0])

    def rise(far: Float[Tensor, "t 2 m"]) -> Float[Tensor, "t 2 m"]:
        ends = picture.middle + (far * sign[:, None])[..., None] * picture.ways
        return (loss.loss(ends.flatten(0, 2)).view(far.shape) - middle) / room[:, None, None]

    far = picture.radius[:, None, None].expand(-1, 2, len(picture.ways))
    share = rise(far).rsqrt().nan_to_num(nan=1.0)  # NaN where there is no room
    far = far * share.clamp(1 / MOST_CORRECTED, MOST_CORRECTED)
    return far, rise(far)


def standstill(loss: LinearLoss) -> Float[Tensor, "1 p"]:
    """Return the move that stays where it is."""
    return loss.rows.new_zeros(1, loss.size)


def minimum(loss: LinearLoss) -> Float[Tensor, " p"]:
    """Return the move to the least loss.

    Raises
    ------
    InvalidInputError
        If there is none, since rows can be told apart without a mistake or nearly so.
    """
    here = standstill(loss)
    there = _descend(loss, here, torch.zeros_like(here), 1e-14)
    size = torch.linalg.eigvalsh(loss.derivatives(there)[2][0])
    if loss.classes and not loss.penalty.any() and size[0] < FLAT and separable(loss):
        raise InvalidInputError(
            "The range is unbounded: a linear layer tells some of the admission rows apart "
            "without a mistake, so its weights can grow for ever at no loss; give a ridge penalty "
            "or more rows."
        )
    return there[0]


def separable(loss: LinearLoss) -> bool:
    r"""Tell whether a move exists that raises no row's loss and lowers some row's.

    The linear programme maximises :math:`\sum_i \min(1, m_i)` over moves whose margins
    :math:`m_i` of true over other classes are all at least 0. It is 0 unless rows are separable
    (completely, or up to ties), and then at least 1, as any margin can be scaled to 1.
    """
    from scipy.optimize import linprog  # noqa: PLC0415 - a quarter second to load

    y, k = loss.y.long(), loss.logits.shape[1]
    eye = torch.eye(k).to(loss.rows)
    margins = [
        loss.flat(eye[y] - eye[(y + shift) % k], loss.rows).cpu().numpy() for shift in range(1, k)
    ]
    A = np.concatenate(margins)
    n, p = A.shape
    found = linprog(
        np.concatenate((np.zeros(p), -np.ones(n))),
        A_ub=np.hstack((-A, np.eye(n))), b_ub=np.zeros(n),
        bounds=[(None, None)] * p + [(0.0, 1.0)] * n, method="highs",
    )  # fmt: skip
    return found.fun is not None and bool(found.fun < -0.5)


def exact_ends(
    loss: LinearLoss,
    centre: Float[Tensor, " p"],
    directions: Float[Tensor, "m p"],
    tolerances: Float[Tensor, " t"],
) -> Iterator[Float[Tensor, "m p"]]:
    r"""Yield the moves that go furthest in each direction, tolerance by tolerance, ascending.

    For :math:`\max_\delta v^T \delta` subject to :math:`L(\delta) \le L(0) + \epsilon`, the
    optimum has :math:`\nabla L(\delta) = \lambda v`. From a move with slope :math:`g` and curvature
    :math:`H`, Newton's step to both conditions at once is

    .. math:: \delta' = \delta + H^{-1} (\lambda v - g), \qquad
              \lambda^2 = \frac{2 (L(0) + \epsilon - L(\delta)) + g^T H^{-1} g}{v^T H^{-1} v},

    the end of ``quadratic_range`` as seen from there. A step that leaves the set is shortened
    towards the centre, so that every move is within the tolerance. All directions go together,
    each from where the tolerance before left it. A tolerance that the minimum itself misses gives
    NaN.

    Parameters
    ----------
    centre
        Where the loss is least; see ``minimum``.

    References
    ----------
    Watson-Daniels, Parkes and Ustun (2023), Predictive Multiplicity in Probabilistic
    Classification, solve the same problem by constraints on a grid of thresholds.
    """
    lowest = loss.loss(centre[None])
    here = loss.loss(standstill(loss)) + loss.spare
    moves = centre.expand(len(directions), -1)
    for tolerance in tolerances.to(lowest):
        room = here + tolerance - lowest
        if bool(room < 0):
            yield torch.full_like(moves, torch.nan)
            continue
        if bool(room > 0):
            moves = _furthest(loss, centre, moves, directions, lowest + room)
        yield moves


def _furthest(
    loss: LinearLoss, centre: Float[Tensor, " p"], moves: Float[Tensor, "m p"],
    directions: Float[Tensor, "m p"], most: Float[Tensor, " 1"],
) -> Float[Tensor, "m p"]:  # fmt: skip
    """Go to the boundary and along it until the slope of the loss is that of the value."""
    moves, room = moves.clone(), most - loss.loss(centre[None])
    left = torch.arange(len(moves), device=moves.device)
    for _ in range(PATH_STEPS):
        value, slope, curvature = loss.derivatives(moves[left])
        step, missed = _newton(value, slope, curvature, directions[left], most)
        done = (missed < CLOSE * room) & ((most - value) < CLOSE * room)
        moves[left] = _within(loss, centre, moves[left] + step, most)
        left = left[~done]
        if len(left) == 0:
            break
    return moves


def _newton(
    value: Float[Tensor, " m"], slope: Float[Tensor, "m p"], curvature: Float[Tensor, "m p p"],
    directions: Float[Tensor, "m p"], most: Float[Tensor, " 1"],
) -> tuple[Float[Tensor, "m p"], Float[Tensor, " m"]]:  # fmt: skip
    """Return the step to the end of the local quadratic's range, and by how much slopes differ."""
    both = torch.stack((slope, directions), -1)
    solved = torch.cholesky_solve(both, _factor(curvature))
    inner = both.mT @ solved  # (m, 2, 2)
    reach = inner[:, 1, 1]
    still = reach <= 0
    room = (2 * (most - value) + inner[:, 0, 0]).clamp(min=0)
    pace = (room / torch.where(still, 1.0, reach)).sqrt().masked_fill(still, 0.0)
    step = pace[:, None] * solved[..., 1] - solved[..., 0]
    missed = inner[:, 0, 0] - 2 * pace * inner[:, 0, 1] + pace.square() * reach
    return step, missed


def _within(
    loss: LinearLoss, centre: Float[Tensor, " p"], moves: Float[Tensor, "m p"],
    most: Float[Tensor, " 1"],
) -> Float[Tensor, "m p"]:  # fmt: skip
    """Shorten the ways from the centre whose loss is above the most that it may be."""
    lowest = loss.loss(centre[None])
    way = moves - centre
    for _ in range(SHORTENINGS):
        share = ((most - lowest) / (loss.loss(centre + way) - lowest).clamp(min=1e-300)).sqrt()
        way = way * share.clamp(max=1.0)[:, None]
    # A convex loss is below its chord.
    share = (most - lowest) / (loss.loss(centre + way) - lowest).clamp(min=1e-300)
    return centre + way * share.clamp(max=1.0)[:, None]


def _descend(
    loss: LinearLoss, moves: Float[Tensor, "m p"], push: Float[Tensor, "m p"], enough: float
) -> Float[Tensor, "m p"]:
    r"""Minimise :math:`L(\delta) - u^T \delta` by Newton's steps, halved until they help."""
    for _ in range(NEWTON_STEPS):
        value, slope, curvature = loss.derivatives(moves)
        left = push - slope
        step = torch.cholesky_solve(left[..., None], _factor(curvature))[..., 0]
        gain = (left * step).sum(1)
        if bool((gain <= enough).all()):
            break
        value = value - (push * moves).sum(1)
        moves = moves + _halved(loss, moves, push, step, value, gain)[:, None] * step
    return moves


def _halved(
    loss: LinearLoss, moves: Float[Tensor, "m p"], push: Float[Tensor, "m p"],
    step: Float[Tensor, "m p"], value: Float[Tensor, " m"], gain: Float[Tensor, " m"],
) -> Float[Tensor, " m"]:  # fmt: skip
    """Return the largest of 1, 1/2, 1/4, ... that lowers what is minimised (Armijo's rule)."""
    share = torch.ones_like(value)
    for _ in range(HALVINGS):
        there = moves + share[:, None] * step
        new = loss.loss(there) - (push * there).sum(1)
        worse = ~(new <= value - 1e-4 * share * gain + 1e-14 * value.abs())
        if not worse.any():
            break
        share = torch.where(worse, share / 2, share)
    return share


def _factor(curvature: Float[Tensor, "m p p"]) -> Float[Tensor, "m p p"]:
    """Return Cholesky factors, of matrices made just positive where they are not."""
    diagonal = curvature.diagonal(dim1=1, dim2=2)
    jitter = JITTER * diagonal.mean(1).clamp(min=1e-300)
    for _ in range(HALVINGS):
        solid = curvature + torch.diag_embed(jitter[:, None].expand_as(diagonal))
        factor, fault = torch.linalg.cholesky_ex(solid)
        if not fault.any():
            break
        jitter = torch.where(fault > 0, 100 * jitter, jitter)
    return factor
