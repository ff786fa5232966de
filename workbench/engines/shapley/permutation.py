"""Shapley values from antithetic permutations."""

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS, Cost, Method
from workbench.core.model import Model
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.engines.shapley.params import SampledParams, sampled_efforts
from workbench.engines.shapley.run import (
    EARLY_SHARE,
    Estimate,
    Estimator,
    answers_of,
    run,
    sampling_cost,
)
from workbench.engines.shapley.stopping import settled
from workbench.numerics.set_function import SetFunction

NAME = "shapley.permutation"
FEWEST_PAIRS = 2
FIRST_ROUND = 8


class PermutationParams(SampledParams):
    """Budget and tolerance; a pair of permutations takes 2 (d - 1) coalitions."""


def estimator(n_players: int, params: SampledParams, context: Context) -> Estimator:
    """Return the estimator of a row, for any game of that many players.

    Raises
    ------
    InvalidInputError
        If the budget is too small.
    """
    n_pairs = _n_pairs(n_players, params)
    first = n_pairs if params.tolerance is None else min(FIRST_ROUND, n_pairs)

    def estimate(game: SetFunction, part: Table) -> Iterator[Estimate]:
        rng = context.stream(int(part.ids[0]))
        permutations = torch.from_numpy(rng.random((n_pairs, n_players)).argsort(axis=1))
        done, pairs = 0, torch.empty(0, n_players, len(game.empty), dtype=torch.float64)
        goal = first
        while True:
            gains = antithetic_values(
                lambda known: game.values(part.X, known)[0], permutations[done:goal]
            )
            pairs = torch.cat([pairs, gains])
            outputs = pairs[..., : game.n_outputs]
            values, errors = pairs.mean(0), outputs.std(0) / len(pairs) ** 0.5
            yield Estimate(values[None], errors[None], dof=float(first - 1))
            if goal == n_pairs or settled(outputs.mean(0), errors, params.tolerance):
                return
            done, goal = goal, min(2 * goal, n_pairs)

    return estimate


def _explain(
    model: Model, rows: Table, background: Table, params: PermutationParams, context: Context
) -> Attribution:
    d = len(model.schema.features)
    hasty = _early(d, params)
    return run(
        NAME, model, rows, background, params, context, estimate=estimator(d, params, context),
        early=None if hasty is None else estimator(d, hasty, context), block=1,
    )  # fmt: skip


def antithetic_values(
    value: Callable[[Bool[Tensor, "m d"]], Float[Tensor, "m gk"]],
    permutations: Int[Tensor, "t d"],
) -> Float[Tensor, "t d gk"]:
    r"""Mean contribution of each feature along a permutation and along its reverse.

    Where :math:`C_j` are the first :math:`j` features of a permutation, the reverse one passes
    through their complements. The mean over both is exact for games without interactions of
    three or more features.

    References
    ----------
    Mitchell, Cooper, Frank and Holmes (2022), Sampling Permutations for Shapley Value Estimation.
    """
    t, d = permutations.shape
    rank = permutations.argsort(1)
    known = rank[:, None, :] < torch.arange(d + 1)[:, None]  # (t, d + 1, d)
    both = torch.stack([known, ~known]).flatten(0, 2)  # (2 t (d + 1), d)
    forward, backward = value(both).view(2, t, d + 1, -1)
    gains = (forward.diff(dim=1) - backward.diff(dim=1)) / 2  # (t, d, k), by rank
    return gains.gather(1, rank[..., None].expand_as(gains))


def _n_pairs(n_players: int, params: SampledParams) -> int:
    each = max(1, 2 * (n_players - 1))
    wanted = params.coalitions(n_players)
    if wanted < FEWEST_PAIRS * each:
        raise InvalidInputError(
            f"A budget of {wanted} coalitions is too small: {n_players} features need "
            f"{FEWEST_PAIRS * each} for two pairs of permutations."
        )
    return wanted // each


def _early(n_players: int, params: PermutationParams) -> PermutationParams | None:
    """Return settings for a first look from an eighth of the budget, where that is enough."""
    n_pairs = _n_pairs(n_players, params) // EARLY_SHARE
    if params.tolerance is not None or n_pairs < FEWEST_PAIRS:
        return None
    budget = n_pairs * max(1, 2 * (n_players - 1))
    return params.model_copy(update={"budget": budget, "tolerance": 0.0})


def _cost(model: Model, n_rows: int, n_background: int, params: PermutationParams) -> Cost:
    d = len(model.schema.features)
    coalitions = _n_pairs(d, params) * 2 * (d - 1)
    cost = sampling_cost(model, n_rows, n_background, params, coalitions)
    hasty = _early(d, params)
    looks = 0 if hasty is None else hasty.coalitions(d) * answers_of(params, n_background) + 1
    return Cost(cost.evaluations + looks, n_bytes=cost.n_bytes)


METHODS.register(
    NAME,
    Method(
        title="Shapley values, antithetic permutations",
        question="Which features made this prediction?",
        explain=_explain,
        params=PermutationParams,
        yields=Attribution,
        needs=frozenset(),
        efforts=sampled_efforts,
        cost=_cost,
        reference="Mitchell, Cooper, Frank and Holmes (2022)",
        weakness="Approximate; with marginal values it asks the model about rows that cannot occur "
        "when features depend on each other.",
    ),
)
