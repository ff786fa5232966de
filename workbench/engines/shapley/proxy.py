"""Shapley values of a smooth model of the game, corrected by what it leaves unexplained."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.core.context import Context
from workbench.core.method import METHODS, Cost, Method
from workbench.core.model import Model
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.engines.shapley.design import PairedDesign, design_within, first_look
from workbench.engines.shapley.params import SampledParams, SharingParams, sampled_efforts
from workbench.engines.shapley.run import Estimate, Estimator, answers_of, run, sampling_cost
from workbench.engines.shapley.smooth_game import fit_smooth_game
from workbench.engines.shapley.stopping import settled
from workbench.numerics.game import GROUPS
from workbench.numerics.set_function import SetFunction

NAME = "shapley.proxy"
MAX_FOLDS = 5
LARGEST_COUNT = 2**62


class ProxyParams(SharingParams):
    """Budget, tolerance, and whose coalitions; the model of the game chooses its own settings."""


@dataclass(frozen=True)
class DrawnPairs:
    """Pairs of complementary coalitions in the strata of a design.

    Attributes
    ----------
    signs
        +1 where a feature is in the first coalition of the pair, -1 where in the second.
    differences
        Value of the first coalition minus that of the second.
    strata
        Which stratum of the design a pair is of.
    places
        Place of a pair in the random order of its stratum.
    """

    signs: Float[Tensor, "p d"]
    differences: Float[Tensor, "p c"]
    strata: Int[Tensor, " p"]
    places: Int[Tensor, " p"]


def estimator(n_players: int, params: SampledParams, context: Context) -> Estimator:
    """Return the estimator, for any game of that many players; rows given together share pairs.

    Raises
    ------
    InvalidInputError
        If the budget is too small.
    """
    design, n_pairs = design_within(n_players, params, determined=False)
    goals = design.rounds(n_pairs, grow=params.tolerance is not None)

    def estimate(game: SetFunction, part: Table) -> Iterator[Estimate]:
        n, k = len(part), game.n_outputs
        gap = game.full(part.X) - game.empty  # (n, gk)
        outputs = torch.arange(gap.numel()).view_as(gap)[:, :k].flatten()
        pairs = DrawnPairs(
            torch.empty(0, n_players, dtype=torch.float64),
            torch.empty(0, gap.numel(), dtype=torch.float64),
            torch.empty(0, dtype=torch.int64),
            torch.empty(0, dtype=torch.int64),
        )
        counts = np.zeros_like(goals[0])
        for goal in goals:
            pairs = _extend(pairs, game, part, design, counts, goal, context)
            found, spread = cross_fitted(pairs, gap.flatten(), design, outputs)
            values = found.unflatten(1, (n, -1)).transpose(0, 1)  # (n, d, gk)
            errors = spread.unflatten(1, (n, k)).transpose(0, 1)  # (n, d, k)
            yield Estimate(values, errors)
            rows = zip(values[..., :k], errors, strict=True)
            if all(settled(*row, params.tolerance) for row in rows):
                return
            counts = goal

    return estimate


def cross_fitted(
    pairs: DrawnPairs, gap: Float[Tensor, " c"], design: PairedDesign, outputs: Int[Tensor, " o"]
) -> tuple[Float[Tensor, "d c"], Float[Tensor, "d o"]]:
    r"""Take the values of a smooth game fitted to the other folds, and add those of the rest.

    Shapley values are a sum over pairs. With :math:`D = v(S) - v(\bar S)`, :math:`z_i = \pm 1`
    and :math:`h_s = \frac12` where both members have the same size, else 1,

    .. math:: \phi_i = \frac{D(N)}{d} + \sum_s \frac{1}{N_s} \sum_{S \in s} a_i(S) D(S), \qquad
              a_i(S) = \frac{d\, h_s}{2 s (d - s)} (z_i - \bar z).

    They are linear in the game, so those of a proxy :math:`g` and of :math:`D - g` add up to
    them. The proxy is fitted without fold :math:`k`; the pairs of fold :math:`k` are then a
    random sample of the pairs that it has not seen, and estimate their part of the second sum
    without bias, whatever the proxy; the part that it has seen is known. Folds are averaged.
    Enumerated strata are known to all folds, and where all are, the values are exact. Values add
    up by themselves, as the terms of a pair do; the last line takes out what was rounded.

    The variance is that of a stratified sample of the terms :math:`a_i (D - g)`, each with the
    proxy that has not seen it.

    Returns
    -------
    Values of every column, and standard errors of those of ``outputs``.

    References
    ----------
    Witter, Liu and Musco (2025), Regression-adjusted Monte Carlo Estimators for Shapley Values
    and Probabilistic Values, for the correction; Chernozhukov et al. (2018), Double/Debiased
    Machine Learning, Sec. 3, for cross-fitting; Särndal, Swensson and Wretman (1992), Sec. 6.3,
    for the difference estimator.
    """
    d = pairs.signs.shape[1]
    counts = torch.bincount(pairs.strata, minlength=len(design.populations)).double()
    populations = torch.tensor(
        [min(p, LARGEST_COUNT) for p in design.populations], dtype=torch.float64
    )
    terms = terms_of(pairs.signs, pairs.strata + 1)  # (p, d)
    sampled = counts < populations
    if not sampled.any():
        every = terms / populations[pairs.strata][:, None]
        errors = torch.zeros(d, len(outputs), dtype=torch.float64)
        return every.T @ pairs.differences + gap / d, errors
    n_folds = int(counts[sampled].min().clamp(max=MAX_FOLDS))
    folds = torch.where(sampled[pairs.strata], pairs.places % n_folds, -1)
    values = torch.zeros(d, len(gap), dtype=torch.float64)
    rest = torch.zeros(len(terms), len(outputs), dtype=torch.float64)
    signs = torch.cat([torch.ones(1, d, dtype=torch.float64), pairs.signs])
    differences = torch.cat([gap[None], pairs.differences])
    for fold in range(n_folds):
        held = folds == fold
        share = held.sum() / (folds >= 0).sum()
        seen = torch.cat([torch.ones(1, dtype=torch.bool), ~held])
        proxy = fit_smooth_game(signs[seen], differences[seen], outputs)
        residuals = differences - proxy.values(signs)  # (1 + p, c)
        own = torch.bincount(pairs.strata[held], minlength=len(counts)).double()
        unseen = (populations - counts + own) / populations
        weights = torch.where(held, (unseen / own)[pairs.strata], (1 / populations)[pairs.strata])
        values += share * (proxy.shapley + residuals[0] / d)
        values += share * (terms * weights[:, None]).T @ residuals[1:]
        rest[held] = residuals[1:][held][:, outputs]
    unknown = (1 - counts / populations) / counts
    variance = torch.zeros(d, len(outputs), dtype=torch.float64)
    for stratum in torch.nonzero(sampled)[:, 0].tolist():
        chosen = pairs.strata == stratum
        parts = terms[chosen][:, :, None] * rest[chosen][:, None, :]  # (n_s, d, o)
        variance += unknown[stratum] * parts.var(0)
    return values + (gap - values.sum(0)) / d, variance.sqrt()


def terms_of(signs: Float[Tensor, "p d"], sizes: Int[Tensor, " p"]) -> Float[Tensor, "p d"]:
    """Weights ``a`` of a pair's difference in the values, by which strata means are taken."""
    d = signs.shape[1]
    size = sizes.double()
    scale = torch.where(2 * size == d, 0.5, 1.0) * d / (2 * size * (d - size).clamp(min=1))
    return (signs - signs.mean(1, keepdim=True)) * scale[:, None]


def _extend(
    pairs: DrawnPairs,
    game: SetFunction,
    part: Table,
    design: PairedDesign,
    counts: np.ndarray,
    goal: np.ndarray,
    context: Context,
) -> DrawnPairs:
    """Add the pairs between ``counts`` and ``goal``."""
    first, strata, places = design.draw_between(counts, goal, context, int(part.ids[0]))
    if not len(first):
        return pairs
    both = game.values(part.X, torch.cat([first, ~first]))  # (n, 2p, gk)
    value, complement = both.transpose(0, 1).flatten(1).chunk(2)
    return DrawnPairs(
        torch.cat([pairs.signs, 2 * first.double() - 1]),
        torch.cat([pairs.differences, value - complement]),
        torch.cat([pairs.strata, strata]),
        torch.cat([pairs.places, places]),
    )


def _explain(
    model: Model, rows: Table, background: Table, params: ProxyParams, context: Context
) -> Attribution:
    d = len(model.schema.features)
    hasty = _early(d, params)
    return run(
        NAME, model, rows, background, params, context,
        estimate=estimator(d, params, context), block=rows_at_once(model, params),
        early=None if hasty is None else estimator(d, hasty, context), dof=degrees(d, params),
    )  # fmt: skip


def degrees(n_players: int, params: SampledParams) -> float | None:
    """Pairs of sampled strata, less one for each; of the first round, if it may be the last."""
    design, n_pairs = design_within(n_players, params, determined=False)
    return design.degrees(design.rounds(n_pairs, grow=params.tolerance is not None)[0])


def _early(n_players: int, params: ProxyParams) -> ProxyParams | None:
    design, n_pairs = design_within(n_players, params, determined=False)
    changes = first_look(design, n_pairs, params)
    return None if changes is None else params.model_copy(update=changes)


def rows_at_once(model: Model, params: SharingParams) -> int:
    """Return how many rows share coalitions."""
    n_pairs = design_within(len(model.schema.features), params, determined=False)[1]
    return params.block(2 * n_pairs, len(model.output_names) * (1 + GROUPS))


def cost(model: Model, n_rows: int, n_background: int, params: SharingParams) -> Cost:
    """Rows through the network, without those of a first look."""
    n_pairs = design_within(len(model.schema.features), params, determined=False)[1]
    each = sampling_cost(model, n_rows, n_background, params, 2 * n_pairs)
    block = min(n_rows, rows_at_once(model, params))
    return Cost(each.evaluations, n_bytes=block * each.n_bytes)


def _cost(model: Model, n_rows: int, n_background: int, params: ProxyParams) -> Cost:
    d = len(model.schema.features)
    whole, hasty = cost(model, n_rows, n_background, params), _early(d, params)
    block = min(n_rows, rows_at_once(model, params))
    answers = answers_of(params, n_background)
    looks = 0 if hasty is None else block * (hasty.coalitions(d) * answers + 1)
    return Cost(whole.evaluations + looks, n_bytes=whole.n_bytes)


METHODS.register(
    NAME,
    Method(
        title="Shapley values, smooth proxy with correction",
        question="Which features made this prediction?",
        explain=_explain,
        params=ProxyParams,
        yields=Attribution,
        needs=frozenset(),
        efforts=sampled_efforts,
        cost=_cost,
        reference="Witter, Liu and Musco (2025), with a Gaussian process as the regression",
        weakness="Approximate; with marginal values it asks the model about rows that cannot occur "
        "when features depend on each other.",
    ),
)
