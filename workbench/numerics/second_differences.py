"""How much features of a set do together, from rows that take them from other rows."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.numerics.chunks import slices
from workbench.numerics.swaps import Set, Swaps

# Sums that a set keeps for each row: squares and signed ones of each output, and losses.
SUMS = 3
# Copies of the outputs of a step that are alive at once.
COPIES = 8
NUMBER_BYTES = 8


@dataclass(frozen=True)
class Exchange:
    """What sets of features are asked about: rows, and for each the rows to take from.

    Attributes
    ----------
    donors
        For each repetition, the row that each row takes features from: a permutation, the same
        for all sets (and models), so that what they have in common cancels in differences.
    X
        Raw features of the rows, for the direction of a change.
    outputs
        Turns what the network says into what is looked at.
    losses
        Turns what the network says of these rows into their losses, one for each model that
        answers; None without labels.
    n_outputs, n_models
        How many there are of ``outputs``, and of ``losses``.
    count
        Told how many rows went through the network.
    """

    swaps: Swaps
    donors: Int[Tensor, "r n"]
    X: Float[Tensor, "n d"]
    outputs: Callable[[Tensor], Tensor]
    losses: Callable[[Tensor, Tensor], Tensor] | None
    n_outputs: int
    budget: int
    count: Callable[[int], None]
    n_models: int = 1


@dataclass(frozen=True)
class Mean:
    """A mean over rows and repetitions by set, and its standard error."""

    values: Float[Tensor, "s k"]
    std_errors: Float[Tensor, "s k"]


@dataclass(frozen=True)
class Differences:
    """What sets of one size do together: squared, with sign, and in the loss."""

    squared: Mean
    signed: Mean
    loss: Mean | None


def donors_of(
    n: int, repeats: int, draw: Callable[[int], np.random.Generator]
) -> Int[Tensor, "r n"]:
    """Draw for each repetition a row to take from; never the row itself, each row once.

    In a random order, each row takes from the one before it.
    """
    found = np.empty((repeats, n), dtype=np.int64)
    for repeat in range(repeats):
        order = draw(repeat).permutation(n)
        found[repeat, order] = np.roll(order, 1)
    return torch.from_numpy(found)


def parts_of(n_sets: int, n_rows: int, n_outputs: int, budget: int) -> list[slice]:
    """Cut sets into parts whose sums by row fit into half of the budget."""
    each = NUMBER_BYTES * n_rows * n_outputs * (SUMS + COPIES)
    return slices(n_sets, max(1, budget // (2 * each)))


def differences(sets: Sequence[Set], exchange: Exchange) -> Differences:
    r"""Measure what the features of each set do together beyond what fewer of them do.

    With another row :math:`x'` and :math:`x_T` the row that takes the features of :math:`T` from
    it, the mixed difference of a set :math:`S` is

    .. math:: \Delta_S = \sum_{T \subseteq S} (-1)^{|T|} f(x_T), \qquad
              Y_S = 2^{-|S|}\, E[\Delta_S^2].

    :math:`Y_S` is the variance of all effects that contain the whole of :math:`S` where features
    are independent (superset importance), and 0 if and only if there are none. With sign it is the
    mean of :math:`\Delta_S \prod_{i \in S} \mathrm{sign}(x_i - x'_i)`: positive where features
    strengthen each other. In the loss :math:`\ell` it is

    .. math:: \varphi_S = E[\ell(x_S) - \ell(x)], \qquad
              \mathrm{FIS}_S = \varphi_S - \sum_{i \in S} \varphi_i,

    of single features :math:`\varphi` alone.

    Standard errors hold how both the rows and the rows they take from were drawn: pairs of rows
    that share a row, in either role, go together,

    .. math:: \mathrm{Var} = \frac{1}{(nR)^2}
              \Big( \sum_l \big( \textstyle\sum_{o \ni l} e_o \big)^2 - \sum_o e_o^2 \Big)

    with the residual :math:`e_o` of each of the :math:`nR` pairs :math:`o` and rows :math:`l`.

    Parameters
    ----------
    sets
        All of one size.

    References
    ----------
    Liu and Owen (2006), Estimating Mean Dimensionality of Analysis of Variance Decompositions;
    Li et al. (2024), Exploring the Cloud of Feature Interaction Scores in a Rashomon Set;
    Aronow, Samii and Assenova (2015), Cluster-Robust Variance Estimation for Dyadic Data.
    """
    n = exchange.donors.shape[1]
    found = [
        _of_part(sets[part], exchange)
        for part in parts_of(len(sets), n, exchange.n_outputs, exchange.budget)
    ]
    losses = [part.loss for part in found if part.loss is not None]
    return Differences(
        squared=_joined([part.squared for part in found]),
        signed=_joined([part.signed for part in found]),
        loss=_joined(losses) if losses else None,
    )


def _joined(means: Sequence[Mean]) -> Mean:
    return Mean(
        torch.cat([mean.values for mean in means]), torch.cat([mean.std_errors for mean in means])
    )


def _of_part(sets: Sequence[Set], exchange: Exchange) -> Differences:
    n, order, k = exchange.donors.shape[1], len(sets[0]), exchange.n_outputs
    subsets = _subsets(sets)
    terms = _terms(sets, subsets)
    repeats = len(exchange.donors)
    squared, signed, loss = (
        PairSums(len(sets), n, width, repeats) for width in (k, k, exchange.n_models)
    )  # fmt: skip
    step = min(n, exchange.swaps.rows_at_once())
    for donors in exchange.donors:
        for part in slices(n, step):
            own, others = torch.arange(part.start, part.stop), donors[part]
            logits = exchange.swaps.ask(own, others, subsets)  # (u, c, k)
            exchange.count(len(subsets) * len(own))
            moved = _alternating(precise(exchange.outputs(logits)), terms)  # (s, c, k)
            signs = _signs(exchange.X, own, others, sets).to(moved.device)
            squared.add(own, others, moved.square() / 2**order)
            signed.add(own, others, moved * signs[..., None])
            if exchange.losses is not None:
                losses = precise(exchange.losses(logits, own))  # (u, c, m)
                loss.add(own, others, _joint_less_single(losses, terms))
    return Differences(
        squared.mean(), signed.mean(), None if exchange.losses is None else loss.mean()
    )


def precise(values: Tensor) -> Tensor:
    """Double precision, which Apple's devices do not know."""
    return values.cpu().double() if values.device.type == "mps" else values.double()


def _subsets(sets: Sequence[Set]) -> list[Set]:
    """Return all subsets that occur, once each: first the empty one, then by size."""
    every = {
        members
        for one in sets
        for size in range(len(one) + 1)
        for members in itertools.combinations(one, size)
    }
    return sorted(every, key=lambda members: (len(members), members))


def _terms(sets: Sequence[Set], subsets: Sequence[Set]) -> list[tuple[int, Int[Tensor, " s"]]]:
    """Return for each way to choose places of a set their number, and where the subsets are."""
    place = {members: at for at, members in enumerate(subsets)}
    order = len(sets[0])
    chosen = [c for size in range(order + 1) for c in itertools.combinations(range(order), size)]
    return [
        (len(places), torch.tensor([place[tuple(one[i] for i in places)] for one in sets]))
        for places in chosen
    ]


def _alternating(values: Tensor, terms: Sequence[tuple[int, Tensor]]) -> Tensor:
    """Add up the values of all subsets of each set, those of odd size with a minus."""
    total = torch.zeros_like(values[terms[0][1].to(values.device)])
    for size, places in terms:
        total.add_(values[places.to(values.device)], alpha=(-1) ** size)
    return total


def _joint_less_single(losses: Tensor, terms: Sequence[tuple[int, Tensor]]) -> Tensor:
    """Return the joint effect of each set on the loss less the effects of its members alone."""
    base, joint = losses[0], losses[terms[-1][1].to(losses.device)] - losses[0]
    if terms[-1][0] == 1:
        return joint
    for size, places in terms:
        if size == 1:
            joint = joint - (losses[places.to(losses.device)] - base)
    return joint


def _signs(X: Tensor, own: Tensor, others: Tensor, sets: Sequence[Set]) -> Tensor:
    """Return whether the features of each set changed in the same direction: 1, -1, or 0."""
    moves = (X[own] - X[others]).sign().nan_to_num(nan=0.0)  # (c, d)
    signs = moves.T[torch.tensor([one[0] for one in sets])]
    for at in range(1, len(sets[0])):
        signs = signs * moves.T[torch.tensor([one[at] for one in sets])]
    return signs


class PairSums:
    """Sums of a number over pairs of rows, in all and by the rows that take part in either role."""

    def __init__(self, n_sets: int, n_rows: int, width: int, repeats: int) -> None:
        self._shape, self._pairs, self._repeats = (n_sets, n_rows, width), n_rows * repeats, repeats
        self._by_row: Tensor | None = None
        self._squares = torch.zeros((), dtype=torch.float64)

    def add(self, own: Tensor, others: Tensor, values: Float[Tensor, "s c k"]) -> None:
        """Add the numbers of pairs of rows; no row is given twice in a role."""
        if self._by_row is None:
            self._by_row = values.new_zeros(self._shape)
            self._squares = self._squares.to(values.device)
        for rows in (own, others):
            self._by_row.index_add_(1, rows.to(values.device), values)
        self._squares = self._squares + values.square().sum(1)

    def mean(self) -> Mean:
        """Return the mean over all pairs, and its standard error, on the CPU."""
        assert self._by_row is not None  # noqa: S101 - there is at least one row
        mean = self._by_row.sum(1) / (2 * self._pairs)
        residuals = (self._squares - self._pairs * mean.square()).clamp(min=0.0)
        shared = self._by_row - 2 * self._repeats * mean[:, None]
        variance = torch.maximum(shared.square().sum(1) - residuals, residuals)
        return Mean(mean.cpu(), (variance.sqrt() / self._pairs).cpu())
