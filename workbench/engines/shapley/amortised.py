"""Shapley values of a surrogate, corrected by an unbiased estimate of what it leaves out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, cast

import numpy as np
import torch
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.explainer import Explainer
from workbench.core.method import METHODS, Cost, Effort, Method, always
from workbench.core.model import Model
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.engines.shapley import proxy
from workbench.engines.shapley.design import PairedDesign
from workbench.engines.shapley.fastshap import EXACT_PLAYERS
from workbench.engines.shapley.params import SharingParams
from workbench.engines.shapley.permutation import antithetic_values
from workbench.engines.shapley.residual import ResidualGame
from workbench.engines.shapley.run import Estimate, Estimator, run, sampling_cost
from workbench.numerics.amortised import (
    MaskedNetwork,
    find_explainer,
    surrogate_of,
    surrogate_values,
)
from workbench.numerics.game import GROUPS
from workbench.numerics.links import Link
from workbench.numerics.set_function import SetFunction
from workbench.numerics.shapley_kernel import all_inner_coalitions, regress

NAME = "shapley.amortised"
DEFAULT_COALITIONS = 16
SURROGATE_PAIRS = 64
# Of the addresses of the permutations that the surrogate is asked about, and of few pairs.
OF_SURROGATE = 1
OF_FEW = 2
# Of independent pairs, for a standard error with three degrees of freedom.
FEWEST_PAIRS = 4


class AmortisedParams(SharingParams):
    """What is asked of the model; the surrogate is asked for the rest."""

    value: Literal["marginal"] = Field(
        "marginal",
        description="What stands in for unknown features: the background rows, of any background.",
    )
    budget: int | None = Field(
        None,
        ge=4,
        le=2**24,
        description="Coalitions per row at most that the model is asked about; by default 16 d "
        "for d features.",
    )

    def coalitions(self, n_players: int) -> int:
        """Return how many inner coalitions a row may take."""
        return self.budget or DEFAULT_COALITIONS * n_players


@dataclass(frozen=True, eq=False)
class SurrogateStandIn:
    """A surrogate as a game whose values cost nothing: the same in every column of the game."""

    surrogate: MaskedNetwork
    link: Link
    n_columns: int

    def values(
        self, X: Float[Tensor, "n d"], coalitions: Bool[Tensor, "m d"] | Bool[Tensor, "n m d"]
    ) -> Float[Tensor, "n m gk"]:
        """Value of every coalition for every row."""
        found = surrogate_values(self.surrogate, X, coalitions, self.link).double().cpu()
        return found.repeat(1, 1, self.n_columns // found.shape[2])

    def shapley(self, X: Float[Tensor, "n d"]) -> Float[Tensor, "n d gk"]:
        """Exact values, from all coalitions."""
        known, weights = all_inner_coalitions(X.shape[1])
        ends = torch.tensor([[False], [True]]).expand(-1, X.shape[1])
        table = self.values(X, torch.cat([ends, known]))
        total = table[:, 1] - table[:, 0]
        return regress(table[:, 2:] - table[:, :1], known, total, weights)

    def sampled(
        self, X: Float[Tensor, "n d"], context: Context, rows: list[int]
    ) -> tuple[Float[Tensor, "n d gk"], Float[Tensor, "n d gk"]]:
        """Return values from many antithetic permutations, and their standard errors."""
        found, errors = [], []
        for i, row in enumerate(rows):
            rng = context.stream(row, OF_SURROGATE)
            orders = torch.from_numpy(rng.random((SURROGATE_PAIRS, X.shape[1])).argsort(axis=1))
            pairs = antithetic_values(partial(self._one, X[i : i + 1]), orders)
            found.append(pairs.mean(0))
            errors.append(pairs.std(0) / len(pairs) ** 0.5)
        return torch.stack(found), torch.stack(errors)

    def _one(self, x: Float[Tensor, "1 d"], known: Bool[Tensor, "m d"]) -> Float[Tensor, "m gk"]:
        return self.values(x, known)[0]


def few_pairs(n_players: int, n_pairs: int, context: Context) -> Estimator:
    r"""Return the estimator for few pairs of coalitions: a mean over random ones.

    Sizes are drawn with probabilities :math:`q_s` in proportion to the length of a pair's terms
    :math:`a(S)` (see ``proxy.cross_fitted``), which is :math:`\sqrt{d / (s (d - s))}`, and
    half of that at :math:`s = d / 2`. Of a game without main effects, as what a good surrogate
    leaves is, all sizes say about as much, and no probabilities have less variance. With

    .. math:: \phi_i = \frac{D(N)}{d}
              + \frac{1}{n} \sum_{j} \frac{a_i(S_j)}{q_{s_j}} D(S_j)

    values are unbiased and add up, and terms are independent, so their spread is the error.
    """
    sizes = np.arange(1, n_players // 2 + 1)
    lengths = np.sqrt(n_players / (sizes * (n_players - sizes)))
    lengths *= np.where(2 * sizes == n_players, 0.5, 1.0)
    shares = lengths / lengths.sum()

    def estimate(game: SetFunction, part: Table) -> Iterator[Estimate]:
        rng = context.stream(int(part.ids[0]), OF_FEW)
        drawn = rng.choice(sizes, n_pairs, p=shares)
        ranks = rng.random((n_pairs, n_players)).argsort(axis=1).argsort(axis=1)
        first = torch.from_numpy(ranks < drawn[:, None])
        both = game.values(part.X, torch.cat([first, ~first]))  # (n, 2p, gk)
        value, complement = both.chunk(2, dim=1)
        terms = proxy.terms_of(2 * first.double() - 1, torch.from_numpy(drawn))
        terms /= torch.from_numpy(shares[drawn - 1])[:, None]
        each = terms[:, :, None] * (value - complement)[:, :, None]  # (n, p, d, gk)
        gap = (game.full(part.X) - game.empty)[:, None] / n_players
        errors = each[..., : game.n_outputs].std(1) / n_pairs**0.5
        yield Estimate(gap + each.mean(1), errors)

    return estimate


def _explain(
    model: Model, rows: Table, background: Table, params: AmortisedParams, context: Context
) -> Attribution:
    d, explainer = len(model.schema.features), find_explainer(model, params)
    surrogate = surrogate_of(explainer, model.device)
    own = background.digest == explainer.provenance.background_digest
    n_pairs = _few(d, params, own=own)
    of_rest = few_pairs(d, n_pairs, context) if n_pairs else proxy.estimator(d, params, context)

    def estimate(game: SetFunction, part: Table) -> Iterator[Estimate]:
        stand_in = SurrogateStandIn(surrogate, params.link, len(game.empty))
        # A cast because counters of the protocol are variables, and here they are looked up.
        residual = cast("SetFunction", ResidualGame(game, stand_in))
        if d <= EXACT_PLAYERS:
            known = stand_in.shapley(part.X)
            own = torch.zeros_like(known)
        else:
            known, own = stand_in.sampled(part.X, context, part.ids.tolist())
        own = own[..., : game.n_outputs]
        for rest in of_rest(residual, part):
            assert rest.std_errors is not None  # noqa: S101 - the proxy always has them
            errors = torch.hypot(rest.std_errors, own)
            yield replace(rest, values=known + rest.values, std_errors=errors)

    return run(
        NAME, model, rows, background, params, context, estimate=estimate,
        block=_block(model, params), dof=n_pairs - 1.0 if n_pairs else proxy.degrees(d, params),
        notes=(_note(explainer, d),),
    )  # fmt: skip


def _note(explainer: Explainer, n_players: int) -> str:
    each = 2**n_players
    if n_players > EXACT_PLAYERS:
        each = 2 * SURROGATE_PAIRS * (n_players + 1)
    return (
        f"the surrogate of explainer {explainer.digest[:8]} was asked about {each:,} coalitions of "
        "each row besides the model's evaluations, and answers each in one pass instead of one "
        "for every background row; its training took "
        f"{explainer.provenance.evaluations:,} evaluations, once for the model"
    )


def _cost(model: Model, n_rows: int, n_background: int, params: AmortisedParams) -> Cost:
    n_pairs = _few(len(model.schema.features), params, own=True)
    if not n_pairs:
        return proxy.cost(model, n_rows, n_background, params)
    cost = sampling_cost(model, n_rows, n_background, params, 2 * n_pairs)
    return Cost(cost.evaluations, n_bytes=min(n_rows, _block(model, params)) * cost.n_bytes)


def _few(n_players: int, params: AmortisedParams, *, own: bool) -> int:
    """Return the pairs that a budget allows where they are too few for the proxy, else 0.

    With the explainer's own background, random pairs had less error on the bundled models up to
    all singletons and two pairs of each other size: the proxy has little to fit. Another
    background leaves main effects, which it does fit, so it is taken from two pairs of each size.

    Raises
    ------
    InvalidInputError
        If the budget is too small even for these.
    """
    every = (2**n_players - 2) // 2
    n_pairs = min(params.coalitions(n_players) // 2, every)
    needed = PairedDesign(n_players).smallest + 1
    if not own:
        needed = PairedDesign(n_players, determined=False).smallest
    if n_pairs == every or n_pairs >= needed:
        return 0
    if n_pairs < FEWEST_PAIRS:
        raise InvalidInputError(
            f"A budget of {params.budget} coalitions is too small; give {2 * FEWEST_PAIRS} or more."
        )
    return n_pairs


def _block(model: Model, params: AmortisedParams) -> int:
    return params.block(
        params.coalitions(len(model.schema.features)), len(model.output_names) * (1 + GROUPS)
    )


def _efforts(n_features: int) -> dict[str, Effort]:
    standard = AmortisedParams().coalitions(n_features)
    return {
        "quick": Effort(100, {"budget": max(4, standard // 4)}),
        "standard": Effort(100, {}),
        "thorough": Effort(400, {"budget": min(8 * standard, 2**24)}),
    }


METHODS.register(
    NAME,
    Method(
        title="Shapley values, surrogate and correction",
        question="Which features made this prediction?",
        explain=_explain,
        params=AmortisedParams,
        yields=Attribution,
        needs=frozenset({"explainer"}),
        efforts=_efforts,
        cost=_cost,
        trains=always,
        reference="Mitchell, Cooper, Frank and Holmes (2022); Jethani et al. (2022), Sec. 3.2; "
        "Witter, Liu and Musco (2025)",
        weakness="Saves evaluations only where the surrogate is good; asks the model about rows "
        "that cannot occur when features depend on each other.",
    ),
)
