"""Shapley values from the multilinear extension: how many others are known is drawn first."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS, Cost, Method
from workbench.core.model import Model
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.engines.shapley.params import SampledParams, sampled_efforts
from workbench.engines.shapley.run import Estimate, Estimator, run, sampling_cost
from workbench.engines.shapley.stopping import settled
from workbench.numerics.set_function import SetFunction

NAME = "shapley.owen"
FEWEST_SWEEPS = 2
FIRST_ROUND = 4
DEFAULT_SWEEPS = 8
DEFAULT_STRATA = 8


class OwenParams(SampledParams):
    """Budget and tolerance, and into how many strata the share of known features is cut."""

    strata: int | None = Field(
        None,
        ge=1,
        le=64,
        description="Strata of the share of known features, each sampled once a sweep; by "
        "default as many as leave eight sweeps, up to eight.",
    )

    def coalitions(self, n_players: int) -> int:
        """Return how many coalitions a row may take; by default enough for two sweeps."""
        fewest = FEWEST_SWEEPS * _stratum_cost(n_players) * (self.strata or 1)
        return self.budget or max(super().coalitions(n_players), fewest)

    def strata_for(self, n_players: int) -> int:
        """Return the chosen number of strata, or one that leaves enough sweeps."""
        affordable = self.coalitions(n_players) // (DEFAULT_SWEEPS * _stratum_cost(n_players))
        return self.strata or min(max(affordable, 1), DEFAULT_STRATA)


def _stratum_cost(n_players: int) -> int:
    """Coalitions of a pair and all neighbours."""
    return 2 * (n_players + 1)


def estimator(n_players: int, params: OwenParams, context: Context) -> Estimator:
    """Return the estimator, for any game of that many players; rows come one at a time.

    Raises
    ------
    InvalidInputError
        If the budget is too small.
    """
    n_sweeps, strata = _n_sweeps(n_players, params), params.strata_for(n_players)
    first = min(FIRST_ROUND, n_sweeps)

    def estimate(game: SetFunction, part: Table) -> Iterator[Estimate]:
        rng = context.stream(int(part.ids[0]))
        masks = draw_masks(n_sweeps, strata, n_players, rng)  # (t, s, d)
        sweeps = torch.empty(0, n_players, len(game.empty), dtype=torch.float64)
        gap = game.full(part.X)[0] - game.empty
        done, goal = 0, first
        while True:
            gains = sweep_values(lambda known: game.values(part.X, known)[0], masks[done:goal])
            gains += (gap - gains.sum(1))[:, None] / n_players
            sweeps = torch.cat([sweeps, gains])
            outputs = sweeps[..., : game.n_outputs]
            values, errors = sweeps.mean(0), outputs.std(0) / len(sweeps) ** 0.5
            yield Estimate(values[None], errors[None])
            if goal == n_sweeps or settled(outputs.mean(0), errors, params.tolerance):
                return
            done, goal = goal, n_sweeps if params.tolerance is None else min(2 * goal, n_sweeps)

    return estimate


def draw_masks(
    n_sweeps: int, n_strata: int, n_players: int, rng: np.random.Generator
) -> Bool[Tensor, "t s d"]:
    r"""Draw a coalition for each stratum of each sweep.

    The share :math:`q` of known features is uniform in stratum :math:`s` of
    :math:`(0, \frac12)`; the complement of a coalition has share :math:`1 - q` and stands for
    the other half. A feature is known with probability :math:`q`, apart from all others.
    """
    drawn = rng.random((n_sweeps, n_strata, n_players + 1))
    share = (drawn[..., :1] + np.arange(n_strata)[:, None]) / (2 * n_strata)
    return torch.from_numpy(drawn[..., 1:] < share)


def sweep_values(
    value: Callable[[Bool[Tensor, "m d"]], Float[Tensor, "m gk"]], masks: Bool[Tensor, "t s d"]
) -> Float[Tensor, "t d gk"]:
    r"""Mean contribution of each feature to the coalitions of a sweep and to their complements.

    .. math:: \phi_i = \int_0^1 \mathrm{E}[v(S_q \cup i) - v(S_q \setminus i)]\, dq

    A coalition and its neighbours, which differ from it in one feature, hold a contribution of
    every feature. Together with the complement they are exact for games without interactions of
    three or more features; for others, with :math:`q` random in its stratum, unbiased.

    References
    ----------
    Owen (1972), Multilinear Extensions of Games; Okhrati and Lipani (2021), A Multilinear Sampling
    Algorithm to Estimate Shapley Values, for the sampling; strata of shares with a random place in
    each are ours.
    """
    t, s, d = masks.shape
    both = torch.stack([masks, ~masks], dim=2)  # (t, s, 2, d)
    flips = torch.cat([torch.zeros(1, d), torch.eye(d)]).bool()  # (d + 1, d)
    near = both[..., None, :] ^ flips  # (t, s, 2, d + 1, d)
    values = value(near.flatten(0, 3)).view(t, s, 2, d + 1, -1)
    change = values[..., 1:, :] - values[..., :1, :]  # (t, s, 2, d, gk)
    return torch.where(both[..., None], -change, change).mean((1, 2))


def _n_sweeps(n_players: int, params: OwenParams) -> int:
    strata = params.strata_for(n_players)
    each = _stratum_cost(n_players) * strata
    wanted = params.coalitions(n_players)
    if wanted < FEWEST_SWEEPS * each:
        raise InvalidInputError(
            f"A budget of {wanted} coalitions is too small: {n_players} features need "
            f"{FEWEST_SWEEPS * each} for two sweeps of {strata} strata."
        )
    return wanted // each


def _dof(n_players: int, params: OwenParams) -> float:
    """Sweeps less one; of the first round, if it may be the last."""
    n_sweeps = _n_sweeps(n_players, params)
    return float(n_sweeps if params.tolerance is None else min(FIRST_ROUND, n_sweeps)) - 1


def _explain(
    model: Model, rows: Table, background: Table, params: OwenParams, context: Context
) -> Attribution:
    d = len(model.schema.features)
    return run(
        NAME, model, rows, background, params, context,
        estimate=estimator(d, params, context), block=1, dof=_dof(d, params),
    )  # fmt: skip


def _cost(model: Model, n_rows: int, n_background: int, params: OwenParams) -> Cost:
    d = len(model.schema.features)
    coalitions = _n_sweeps(d, params) * _stratum_cost(d) * params.strata_for(d)
    return sampling_cost(model, n_rows, n_background, params, coalitions)


METHODS.register(
    NAME,
    Method(
        title="Shapley values, Owen sampling",
        question="Which features made this prediction?",
        explain=_explain,
        params=OwenParams,
        yields=Attribution,
        needs=frozenset(),
        efforts=sampled_efforts,
        cost=_cost,
        reference="Owen (1972); Okhrati and Lipani (2021)",
        weakness="Approximate; with marginal values it asks the model about rows that cannot occur "
        "when features depend on each other.",
    ),
)
