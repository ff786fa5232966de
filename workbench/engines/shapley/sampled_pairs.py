"""Interactions of pairs of many features, from a sample of the coalitions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.interactions import Index
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.engines.shapley.design import PairedDesign, design_within
from workbench.engines.shapley.pair_weighing import (
    WEIGHINGS,
    Targets,
    Weighing,
    halves_of_terms,
)
from workbench.engines.shapley.params import BLOCK_BYTES, SharingParams
from workbench.engines.shapley.proxy import LARGEST_COUNT, MAX_FOLDS
from workbench.engines.shapley.smooth_game import fit_smooth_game, importance
from workbench.engines.shapley.smooth_pairs import fit_even_game, smooth_interactions
from workbench.engines.shapley.stopping import settled
from workbench.numerics.game import GROUPS
from workbench.numerics.set_function import SetFunction

MOST_FEATURES = 128
TERM_ELEMENTS = 2**21
FEW_PAIRS, MORE_FOLDS = 400, 10  # where fits are cheap, and each pair of coalitions counts


@dataclass(frozen=True)
class PairEstimate:
    """Pairs and, on the diagonal, singles of some rows, and standard errors of the outputs."""

    values: Float[Tensor, "n d d gk"]
    std_errors: Float[Tensor, "n d d k"]


PairEstimator = Callable[[SetFunction, Table], Iterator[PairEstimate]]


@dataclass(frozen=True)
class DrawnCoalitions:
    """Pairs of complementary coalitions in the strata of a design.

    Attributes
    ----------
    members
        The first coalition of each pair.
    differences
        Its value minus that of the second.
    sums
        Its value plus that of the second, less what full and empty coalition are worth.
    strata
        Which stratum of the design a pair is of.
    places
        Place of a pair in the random order of its stratum.
    """

    members: Bool[Tensor, "p d"]
    differences: Float[Tensor, "p c"]
    sums: Float[Tensor, "p c"]
    strata: Int[Tensor, " p"]
    places: Int[Tensor, " p"]


def pair_estimator(
    n_players: int, params: SharingParams, index: Index, context: Context
) -> PairEstimator:
    """Return the estimator, for any game of that many players; rows given together share pairs.

    Raises
    ------
    InvalidInputError
        If the budget is too small, or there are too many players.
    """
    design, n_pairs = pair_design(n_players, params)
    goals = design.rounds(n_pairs, grow=params.tolerance is not None)
    targets, weighing = Targets.of(n_players), WEIGHINGS[index]

    def estimate(game: SetFunction, part: Table) -> Iterator[PairEstimate]:
        n, k = len(part), game.n_outputs
        full = game.full(part.X)
        gap, ends = full - game.empty, (full + game.empty).flatten()  # (n, gk), (n * gk,)
        outputs = torch.arange(gap.numel()).view_as(gap)[:, :k].flatten()
        drawn, counts = _only_ends(n_players, gap.flatten()), np.zeros_like(goals[0])
        for goal in goals:
            new = design.draw_between(counts, goal, context, int(part.ids[0]))
            drawn = _extend(drawn, game, part, ends, new)
            found, spread = cross_fitted(drawn, design, outputs, targets, weighing)
            values = found.unflatten(1, (n, -1)).transpose(0, 1)  # (n, q, gk)
            errors = spread.unflatten(1, (n, k)).transpose(0, 1)  # (n, q, k)
            yield PairEstimate(targets.square(values), targets.square(errors))
            rows = zip(values[..., :k], errors, strict=True)
            if all(settled(*row, params.tolerance) for row in rows):
                return
            counts = goal

    return estimate


def cross_fitted(
    drawn: DrawnCoalitions,
    design: PairedDesign,
    outputs: Int[Tensor, " o"],
    targets: Targets,
    weighing: Weighing,
) -> tuple[Float[Tensor, "q c"], Float[Tensor, "q o"]]:
    r"""Take the interactions of a smooth game fitted to the other folds, and add those of the rest.

    An interaction is a sum over pairs of complementary coalitions. With their difference
    :math:`D` and sum :math:`A`, and :math:`N_s` pairs of size :math:`s`,

    .. math:: I = \sum_s \frac{1}{N_s} \sum_{S \in s} \alpha(S) D(S) + \beta(S) A(S).

    It is linear in the game, so interactions of a proxy and of the rest add up to it. A proxy of
    the differences and one of the sums are fitted without fold :math:`k`; the pairs of that fold
    are a random sample of those that neither has seen, and estimate their part of the sum of the
    rest without bias, whatever the proxies; the part that they have seen is known. Folds are
    averaged. For an index that adds up, terms of a pair add up to nothing over the singles and
    pairs of features, so that values add up by themselves.

    The variance is that of a stratified sample of the terms, each with the proxies that have not
    seen it.

    Returns
    -------
    Values of every column, and standard errors of those of ``outputs``.

    References
    ----------
    As of ``proxy.cross_fitted``, for values of single features; for estimating all pairs from
    every coalition: Kolpaczki, Muschalik, Fumagalli, Hammer and Hüllermeier (2024), SVARM-IQ.
    """
    strata = drawn.strata
    counts = torch.bincount(strata[1:], minlength=len(design.populations)).double()
    populations = torch.tensor(
        [min(p, LARGEST_COUNT) for p in design.populations], dtype=torch.float64
    )
    sampled = counts < populations
    known = torch.cat([torch.ones(1, dtype=torch.float64), (1 / populations)[strata[1:]]])
    # Rows 0 and 1 are differences and sums: what is left of them times its weight, and unweighted.
    whole = torch.stack([drawn.differences, drawn.sums])  # (2, 1 + p, c)
    if not sampled.any():
        values = _sums_of_terms(drawn.members, whole * known[:, None], targets, weighing)
        return _settled_up(values, drawn, targets, weighing), values.new_zeros(
            len(targets), len(outputs)
        )
    most = MORE_FOLDS if len(strata) <= FEW_PAIRS else MAX_FOLDS
    n_folds = int(counts[sampled].min().clamp(max=most))
    open_to = torch.cat([torch.zeros(1, dtype=torch.bool), sampled[strata[1:]]])
    folds = torch.where(open_to, drawn.places % n_folds, -1)
    signs = 2 * drawn.members.double() - 1
    values = torch.zeros(len(targets), whole.shape[2], dtype=torch.float64)
    weighted, rest = torch.zeros_like(whole), whole[:, :, outputs].clone()
    for fold in range(n_folds):
        held = folds == fold
        share = held.sum() / open_to.sum()
        seen, given = signs[~held], whole[:, ~held]
        odd = fit_smooth_game(seen, given[0], outputs)
        sizes = importance(seen, given[0][:, outputs]).square()
        even = fit_even_game(seen, given[1], outputs, sizes)
        residuals = whole - torch.stack([odd.values(signs), even.values(signs)])
        own = torch.bincount(strata[held], minlength=len(counts)).double()
        unseen = (populations - counts + own) / populations / own.clamp(min=1)
        weights = torch.where(held, unseen[strata], known)
        values += share * smooth_interactions(odd, even, targets, weighing)
        weighted += share * weights[:, None] * residuals
        rest[:, held] = residuals[:, held][:, :, outputs]
    values += _sums_of_terms(drawn.members, weighted, targets, weighing)
    variance = torch.zeros(len(targets), len(outputs), dtype=torch.float64)
    for stratum in torch.nonzero(sampled)[:, 0].tolist():
        chosen = open_to & (strata == stratum)
        unknown = (1 - counts[stratum] / populations[stratum]) / counts[stratum]
        variance += unknown * _variance_of_terms(
            drawn.members[chosen], rest[:, chosen], targets, weighing
        )
    return _settled_up(values, drawn, targets, weighing), variance.sqrt()


def _only_ends(d: int, gap: Float[Tensor, " c"]) -> DrawnCoalitions:
    """Full and empty coalition: the pair that is always known, and of no stratum."""
    return DrawnCoalitions(
        torch.ones(1, d, dtype=torch.bool), gap[None], torch.zeros_like(gap)[None],
        torch.zeros(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64),
    )  # fmt: skip


def _extend(
    drawn: DrawnCoalitions,
    game: SetFunction,
    part: Table,
    ends: Float[Tensor, " c"],
    new: tuple[Bool[Tensor, "p d"], Int[Tensor, " p"], Int[Tensor, " p"]],
) -> DrawnCoalitions:
    """Add new pairs, with their strata and places."""
    first, strata, places = new
    both = game.values(part.X, torch.cat([first, ~first]))  # (n, 2p, gk)
    value, complement = both.transpose(0, 1).flatten(1).chunk(2)
    return DrawnCoalitions(
        torch.cat([drawn.members, first]),
        torch.cat([drawn.differences, value - complement]),
        torch.cat([drawn.sums, value + complement - ends]),
        torch.cat([drawn.strata, strata]),
        torch.cat([drawn.places, places]),
    )


def _chunks(n: int, targets: Targets) -> list[slice]:
    """Pairs whose terms are held at once."""
    step = max(1, TERM_ELEMENTS // len(targets))
    return [slice(start, start + step) for start in range(0, n, step)]


def _sums_of_terms(
    members: Bool[Tensor, "p d"],
    halves: Float[Tensor, "2 p c"],
    targets: Targets,
    weighing: Weighing,
) -> Float[Tensor, "q c"]:
    """Sum of the terms of all pairs, from their differences and sums."""
    total = halves.new_zeros(len(targets), halves.shape[2])
    for some in _chunks(len(members), targets):
        odd, even = halves_of_terms(members[some], targets, weighing)
        total += odd.T @ halves[0, some] + even.T @ halves[1, some]
    return total


def _variance_of_terms(
    members: Bool[Tensor, "p d"],
    halves: Float[Tensor, "2 p o"],
    targets: Targets,
    weighing: Weighing,
) -> Float[Tensor, "q o"]:
    """Variance over pairs of their terms, without holding a term for each output."""
    n = len(members)
    total = halves.new_zeros(len(targets), halves.shape[2])
    squares = torch.zeros_like(total)
    for some in _chunks(n, targets):
        odd, even = halves_of_terms(members[some], targets, weighing)
        differences, sums = halves[:, some]
        total += odd.T @ differences + even.T @ sums
        squares += odd.square().T @ differences.square() + even.square().T @ sums.square()
        squares += 2 * (odd * even).T @ (differences * sums)
    return ((squares - total.square() / n) / (n - 1)).clamp(min=0)


def _settled_up(
    values: Float[Tensor, "q c"], drawn: DrawnCoalitions, targets: Targets, weighing: Weighing
) -> Float[Tensor, "q c"]:
    """Fill in singles that are known, and take out of the pairs what was rounded.

    Singles that are worth what they add to nothing are among the coalitions.
    """
    d, gap = targets.n_players, drawn.differences[:1]
    if weighing.single is None:
        alone = drawn.members.sum(1) == 1
        own = (drawn.differences + drawn.sums + gap)[alone] / 2
        values[drawn.members[alone].long().argmax(1)] = own
    if weighing.adds_up:
        values[d:] += (gap - values.sum(0)) / len(targets.first)
    return values


def pair_design(n_players: int, params: SharingParams) -> tuple[PairedDesign, int]:
    """Return the design, which has all singletons, and the number of pairs of a budget.

    Raises
    ------
    InvalidInputError
        If the budget is too small, or there are too many players.
    """
    if n_players > MOST_FEATURES:
        raise InvalidInputError(
            f"{n_players} features have {n_players * (n_players - 1) // 2:,} pairs; interactions "
            f"are for up to {MOST_FEATURES} features. Explain single features, or a model of fewer."
        )
    return design_within(n_players, params, determined=True)


def degrees(n_players: int, params: SharingParams) -> float | None:
    """Pairs of sampled strata, less one for each; of the first round, if it may be the last."""
    design, n_pairs = pair_design(n_players, params)
    return design.degrees(design.rounds(n_pairs, grow=params.tolerance is not None)[0])


def rows_at_once(model: Model, params: SharingParams) -> int:
    """Return how many rows share coalitions: fewer where their values take much memory."""
    d, columns = len(model.schema.features), len(model.output_names) * (1 + GROUPS)
    n_pairs = pair_design(d, params)[1]
    values = 8 * len(Targets.of(d)) * columns
    return max(1, min(params.block(2 * n_pairs, columns), BLOCK_BYTES // values))
