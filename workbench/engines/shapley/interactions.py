"""Interactions of pairs of features, from the table of all coalitions or from a sample."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from workbench.core.context import Context, Preview
from workbench.core.errors import InvalidInputError
from workbench.core.interactions import Index, Interactions
from workbench.core.method import METHODS, Cost, Effort, Method
from workbench.core.model import Model
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.engines.shapley.exact import BLOCK_BYTES, MAX_PLAYERS, all_coalitions
from workbench.engines.shapley.params import SharingParams, exact_efforts, sampled_efforts
from workbench.engines.shapley.run import Estimate, Estimator, run, sampling_cost
from workbench.engines.shapley.sampled_pairs import (
    degrees,
    pair_design,
    pair_estimator,
    rows_at_once,
)
from workbench.numerics.game import GROUPS
from workbench.numerics.set_function import SetFunction
from workbench.numerics.set_transforms import moebius_, superset_sums_

NAME = "shapley.interactions"

# By index: the share that a single feature, and a pair, get of what a coalition of t features adds
# to all of its parts. Asked for t >= 1 and t >= 2.
Shares = Callable[[Float[Tensor, " t"]], Float[Tensor, " t"]]
SHARES: Mapping[Index, tuple[Shares, Shares]] = {
    "SII": (lambda t: 1 / t, lambda t: 1 / (t - 1)),
    "k-SII": (lambda t: 1 / t - (t > 1) / 2, lambda t: 1 / (t - 1)),
    "STII": (lambda t: (t == 1).to(t), lambda t: 2 / (t * (t - 1))),
    "FSII": (lambda t: 2 * (2 - t) / (t * (t + 1)), lambda t: 6 / (t * (t + 1))),
    "Banzhaf": (lambda t: 2 ** (1 - t), lambda t: 2 ** (2 - t)),
}


class InteractionsParams(SharingParams):
    """Which index to compute and how, besides what is explained and on which scale."""

    index: Index = Field(
        "k-SII",
        description="How what larger coalitions add is shared among their pairs: k-SII, STII and "
        "FSII add up to the prediction, SII and Banzhaf do not.",
    )
    estimator: Literal["auto", "exact", "sampled"] = Field(
        "auto",
        description="All coalitions (exact, up to 16 features), or as many as the budget allows "
        "(sampled, with standard errors); auto is exact where it can be and no budget forbids it.",
    )

    def is_exact(self, n_players: int) -> bool:
        """Tell whether all coalitions are evaluated, as they are wherever a budget covers them."""
        if self.estimator == "exact" or n_players > MAX_PLAYERS:
            return self.estimator == "exact"
        unlimited = self.estimator == "auto" and self.budget is None
        return unlimited or self.coalitions(n_players) >= 2**n_players - 2


def interaction_values_(
    table: Float[Tensor, "n m gk"], index: Index
) -> Float[Tensor, "n d d gk"]:  # fmt: skip
    r"""Turn the values of all coalitions into those of pairs and, on the diagonal, of singles.

    With :math:`m(T)` the Moebius transform of the values, what coalition :math:`T` adds to all of
    its parts, every index of order two is

    .. math:: I(S) = \sum_{T \supseteq S} c_{|S|}(|T|)\, m(T), \qquad |S| \in \{1, 2\},

    and differs from the others in the shares :math:`c` alone:

    ======== ====================================== =========================
    index    single, :math:`c_1(t)`                 pair, :math:`c_2(t)`
    ======== ====================================== =========================
    SII      :math:`1/t`                            :math:`1/(t-1)`
    k-SII    :math:`1/t - \tfrac12 [t > 1]`         :math:`1/(t-1)`
    STII     :math:`[t = 1]`                        :math:`2/(t(t-1))`
    FSII     :math:`2(2-t)/(t(t+1))`                :math:`6/(t(t+1))`
    Banzhaf  :math:`2^{1-t}`                        :math:`2^{2-t}`
    ======== ====================================== =========================

    Where :math:`t\,c_1(t) + \binom t2 c_2(t) = 1`, singles and pairs add up to
    :math:`v(N) - v(\emptyset)`: for k-SII, STII and FSII. The table is overwritten.

    References
    ----------
    Grabisch and Roubens (1999) for SII and Banzhaf; Bordt and von Luxburg (2023) for k-SII;
    Sundararajan, Dhamdhere and Agarwal (2020) for STII; Tsai, Yeh and Ravikumar (2023) for FSII.
    """
    d = table.shape[1].bit_length() - 1
    sizes = all_coalitions(d).sum(1)
    single, pair = (_by_size(shares, order, sizes) for order, shares in enumerate(SHARES[index], 1))
    players = 1 << torch.arange(d)
    moebius_(table)
    values = superset_sums_(table * pair[:, None])[:, players[:, None] | players]  # (n, d, d, gk)
    table *= single[:, None]
    values.diagonal(dim1=1, dim2=2).copy_(superset_sums_(table)[:, players].movedim(1, -1))
    return values


def _by_size(shares: Shares, order: int, sizes: Tensor) -> Float[Tensor, " m"]:
    """Shares of every coalition; nothing of those smaller than what they are shared among."""
    of_size = torch.zeros(int(sizes.max()) + 1, dtype=torch.float64)
    of_size[order:] = shares(torch.arange(order, len(of_size), dtype=torch.float64))
    return of_size[sizes]


@dataclass(frozen=True)
class _Block:
    """Values of some rows, and their standard errors from what was sampled and drawn.

    Attributes
    ----------
    std_errors
        None where every coalition was evaluated.
    drawn
        From the choice of background; None where it is too small to tell.
    """

    values: Float[Tensor, "n d d k"]
    std_errors: Float[Tensor, "n d d k"] | None
    drawn: Float[Tensor, "n dd k"] | None


def _explain(
    model: Model, rows: Table, background: Table, params: InteractionsParams, context: Context
) -> Interactions:
    d = _feasible(model, params)
    blocks: list[_Block] = []
    make, block, dof = _exact, _exact_block(model), None
    if not params.is_exact(d):
        make, block, dof = _sampled, rows_at_once(model, params), degrees(d, params)
    watched = replace(context, preview=_of_pairs(context.preview, blocks, params.index))
    singles = run(
        NAME, model, rows, background, params, watched,
        estimate=make(d, params, context, blocks), block=block, dof=dof,
    )  # fmt: skip
    return _with_pairs(singles, blocks, params.index)


def _exact(
    n_players: int,
    params: InteractionsParams,
    context: Context,  # noqa: ARG001 - as what samples
    blocks: list[_Block],
) -> Estimator:
    """Return the estimator of singles that evaluates all coalitions and leaves pairs in blocks."""
    coalitions = all_coalitions(n_players)

    def estimate(game: SetFunction, part: Table) -> Iterator[Estimate]:
        found = interaction_values_(game.values(part.X, coalitions), params.index)
        blocks.append(_block(game, found, None))
        yield _singles(found, None)

    return estimate


def _sampled(
    n_players: int, params: InteractionsParams, context: Context, blocks: list[_Block]
) -> Estimator:
    """Return the estimator of singles that samples coalitions and leaves pairs in blocks."""
    pairs = pair_estimator(n_players, params, params.index, context)

    def estimate(game: SetFunction, part: Table) -> Iterator[Estimate]:
        done = len(blocks)
        for found in pairs(game, part):
            blocks[done:] = [_block(game, found.values, found.std_errors)]
            yield _singles(found.values, found.std_errors)

    return estimate


def _block(
    game: SetFunction,
    values: Float[Tensor, "n d d gk"],
    std_errors: Float[Tensor, "n d d k"] | None,
) -> _Block:
    drawn = game.background_std_errors(values.flatten(1, 2))
    return _Block(values[..., : game.n_outputs].clone(), std_errors, drawn)


def _singles(
    values: Float[Tensor, "n d d gk"], std_errors: Float[Tensor, "n d d k"] | None
) -> Estimate:
    errors = None if std_errors is None else torch.einsum("niik->nik", std_errors)
    return Estimate(torch.einsum("niik->nik", values), errors)


def _of_pairs(preview: Preview | None, blocks: list[_Block], index: Index) -> Preview | None:
    """Offer the pairs of the blocks so far wherever the loop over rows offers the singles."""
    if preview is None:
        return None

    def offer(singles: Callable[[], Attribution]) -> None:
        known = list(blocks)
        preview(lambda: _with_pairs(singles(), known, index))

    return offer


def _with_pairs(singles: Attribution, blocks: list[_Block], index: Index) -> Interactions:
    """Make the result of the singles, which say how they came about, and the pairs."""
    sampled = [part.std_errors for part in blocks if part.std_errors is not None]
    errors = [part.drawn for part in blocks if part.drawn is not None]
    d, k = singles.values.shape[1:]
    drawn = torch.cat(errors).pow(2).mean(0).sqrt().numpy().reshape(d, d, k) if errors else None
    return Interactions(
        provenance=singles.provenance,
        values=torch.cat([part.values for part in blocks]).numpy(),
        index=index,
        base_values=singles.base_values,
        predictions=singles.predictions,
        data=singles.data,
        ids=singles.ids,
        truth=singles.truth,
        base_std_errors=singles.base_std_errors,
        schema=singles.schema,
        output_names=singles.output_names,
        unit=singles.unit,
        background_std_errors=drawn,
        background_dof=singles.background_dof,
        std_errors=torch.cat(sampled).numpy() if sampled else None,
        dof=singles.dof,
    )


def _exact_block(model: Model) -> int:
    """Return of how many rows the table of all coalitions is held at once."""
    columns = len(model.output_names) * (1 + GROUPS)
    return max(1, BLOCK_BYTES // ((8 * columns) << len(model.schema.features)))


def _cost(model: Model, n_rows: int, n_background: int, params: InteractionsParams) -> Cost:
    d = _feasible(model, params)
    if params.is_exact(d):
        return sampling_cost(model, n_rows, n_background, params, 2**d - 2)
    each = sampling_cost(model, n_rows, n_background, params, 2 * pair_design(d, params)[1])
    block = min(n_rows, rows_at_once(model, params))
    return Cost(each.evaluations, n_bytes=block * each.n_bytes)


def _feasible(model: Model, params: InteractionsParams) -> int:
    d = len(model.schema.features)
    if params.estimator == "exact" and d > MAX_PLAYERS:
        raise InvalidInputError(
            f"Exact interactions need 2^{d} coalitions for {d} features, the limit is "
            f"{MAX_PLAYERS} features; use estimator 'sampled'."
        )
    return d


def _efforts(n_features: int) -> dict[str, Effort]:
    """As of exact values where interactions are exact, else as of sampled ones."""
    return (exact_efforts if n_features <= MAX_PLAYERS else sampled_efforts)(n_features)


METHODS.register(
    NAME,
    Method(
        title="Shapley interactions of pairs",
        question="Which features work together in this prediction?",
        explain=_explain,
        params=InteractionsParams,
        yields=Interactions,
        needs=frozenset(),
        efforts=_efforts,
        cost=_cost,
        reference="Grabisch and Roubens (1999); Bordt and von Luxburg (2023)",
        weakness="Asks the model about rows that cannot occur when features depend on each other; "
        "what three or more features do together is shared among their pairs. Beyond 16 features "
        "approximate.",
    ),
)
