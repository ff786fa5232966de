"""Exact Shapley values from the table of all coalitions."""

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS, Cost, Method
from workbench.core.model import Model
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.engines.shapley.params import ShapleyParams, exact_efforts
from workbench.engines.shapley.run import Estimate, run, sampling_cost
from workbench.numerics.game import GROUPS, weighted_sums
from workbench.numerics.set_function import SetFunction

NAME = "shapley.exact"
MAX_PLAYERS = 16
BLOCK_BYTES = 2**26


class ExactParams(ShapleyParams):
    """Nothing to choose but the scale: every coalition is evaluated."""


def all_coalitions(n_players: int) -> Bool[Tensor, "m d"]:
    """Return all ``2^d`` coalitions; bit ``i`` of the row number says whether ``i`` is in."""
    return (torch.arange(2**n_players)[:, None] >> torch.arange(n_players)) & 1 == 1


def shapley_weights(n_players: int) -> Float[Tensor, "d m"]:
    r"""Weights that turn the table of all coalitions' values into Shapley values.

    .. math:: \phi_i = \sum_{S \ni i} \frac{(|S|-1)!\,(d-|S|)!}{d!} v(S)
              - \sum_{S \not\ni i} \frac{|S|!\,(d-|S|-1)!}{d!} v(S)

    References
    ----------
    Shapley (1953), A Value for n-Person Games.
    """
    inside = all_coalitions(n_players)
    size = inside.sum(1).double()

    def log_factorial(number: Tensor) -> Tensor:
        return torch.lgamma(number.clamp(min=0) + 1)

    total = log_factorial(torch.tensor(float(n_players), dtype=torch.float64))
    gained = (log_factorial(size - 1) + log_factorial(n_players - size) - total).exp()
    missed = (log_factorial(size) + log_factorial(n_players - size - 1) - total).exp()
    return torch.where(inside, gained[:, None], -missed[:, None]).T.contiguous()


def _explain(
    model: Model, rows: Table, background: Table, params: ExactParams, context: Context
) -> Attribution:
    d = _feasible(model)
    coalitions, weights = all_coalitions(d), shapley_weights(d)

    def estimate(game: SetFunction, part: Table) -> Iterator[Estimate]:
        yield Estimate(weighted_sums(game, part.X, coalitions, weights))

    block = max(1, BLOCK_BYTES // (8 * len(coalitions) * len(model.output_names) * (1 + GROUPS)))
    return run(
        NAME, model, rows, background, params, context, estimate=estimate, block=block
    )  # fmt: skip


def _cost(model: Model, n_rows: int, n_background: int, params: ExactParams) -> Cost:
    return sampling_cost(model, n_rows, n_background, params, 2 ** _feasible(model) - 2)


def _feasible(model: Model) -> int:
    d = len(model.schema.features)
    if d > MAX_PLAYERS:
        raise InvalidInputError(
            f"Exact Shapley values need 2^{d} coalitions for {d} features, the limit is "
            f"{MAX_PLAYERS} features; use method 'kernel' or 'permutation'."
        )
    return d


METHODS.register(
    NAME,
    Method(
        title="Shapley values, exact",
        question="Which features made this prediction?",
        explain=_explain,
        params=ExactParams,
        yields=Attribution,
        needs=frozenset(),
        efforts=exact_efforts,
        cost=_cost,
        reference="Shapley (1953); Lundberg and Lee (2017), Sec. 4",
        weakness="With marginal values it asks the model about rows that cannot occur when "
        "features depend on each other.",
    ),
)
