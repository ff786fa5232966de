"""Interactions of pairs of features from the table of all coalitions."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from workbench.core.context import Context, Preview, Progress
from workbench.core.errors import InvalidInputError
from workbench.core.interactions import Index, Interactions
from workbench.core.method import METHODS, Cost, Method
from workbench.core.model import Model
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.engines.calls import call
from workbench.engines.shapley.exact import BLOCK_BYTES, MAX_PLAYERS, all_coalitions
from workbench.engines.shapley.params import ShapleyParams, exact_efforts
from workbench.engines.shapley.run import Estimate, run, sampling_cost
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


class InteractionsParams(ShapleyParams):
    """Which index to compute, besides what is explained and on which scale."""

    index: Index = Field(
        "k-SII",
        description="How what larger coalitions add is shared among their pairs: k-SII, STII and "
        "FSII add up to the prediction, SII and Banzhaf do not.",
    )


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
    """Values of some rows, and their standard errors from the choice of background."""

    values: Float[Tensor, "n d d k"]
    drawn: Float[Tensor, "n dd k"] | None


def _explain(
    model: Model, rows: Table, background: Table, params: InteractionsParams, context: Context
) -> Interactions:
    d = _feasible(model)
    coalitions = all_coalitions(d)
    blocks: list[_Block] = []

    def estimate(game: SetFunction, part: Table) -> Iterator[Estimate]:
        found = interaction_values_(game.values(part.X, coalitions), params.index)
        drawn = game.background_std_errors(found.flatten(1, 2))
        blocks.append(_Block(found[..., : game.n_outputs].clone(), drawn))
        yield Estimate(found.diagonal(dim1=1, dim2=2).movedim(-1, 1))

    watched = replace(context, preview=_of_pairs(context.preview, blocks, params.index))
    block = max(1, BLOCK_BYTES // (8 * len(coalitions) * len(model.output_names) * (1 + GROUPS)))
    singles = run(
        NAME, model, rows, background, params, watched, estimate=estimate, block=block
    )  # fmt: skip
    return _with_pairs(singles, blocks, params.index)


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
    )


def explain_pairs(
    model: Model,
    rows: Table,
    background: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Interactions:
    """Compute the interactions of all pairs of features for rows against a background.

    Parameters
    ----------
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``; by default ``WORKBENCH_DEVICE``, else ``auto``.
    params
        Fields of ``InteractionsParams``.

    Returns
    -------
    Values ``[n, d, d, k]`` for all outputs at once, in the unit that ``unit`` names.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, a table does not have the model's features, or there are
        more than 16.
    """
    return call(
        Interactions, NAME, model, rows, background, seed=seed, device=device, progress=progress,
        params=params,
    )  # fmt: skip


def _cost(model: Model, n_rows: int, n_background: int, _: InteractionsParams) -> Cost:
    return sampling_cost(model, n_rows, n_background, 2 ** _feasible(model) - 2)


def _feasible(model: Model) -> int:
    d = len(model.schema.features)
    if d > MAX_PLAYERS:
        raise InvalidInputError(
            f"Interactions need 2^{d} coalitions for {d} features, the limit is {MAX_PLAYERS} "
            "features; explain single features by method 'kernel' or 'permutation'."
        )
    return d


METHODS.register(
    NAME,
    Method(
        title="Shapley interactions of pairs, exact",
        question="Which features work together in this prediction?",
        explain=_explain,
        params=InteractionsParams,
        yields=Interactions,
        needs=frozenset(),
        efforts=exact_efforts,
        cost=_cost,
        reference="Grabisch and Roubens (1999); Bordt and von Luxburg (2023)",
        weakness="Asks the model about rows that cannot occur when features depend on each other; "
        "what three or more features do together is shared among their pairs.",
    ),
)
