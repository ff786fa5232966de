"""Shapley values by regression on paired coalitions, with standard errors."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS, Cost, Method
from workbench.core.model import Model
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.engines.shapley.design import PairedDesign
from workbench.engines.shapley.params import SampledParams, sampled_efforts
from workbench.engines.shapley.run import Estimate, run, sampling_cost
from workbench.engines.shapley.stopping import settled
from workbench.numerics.set_function import SetFunction

NAME = "shapley.kernel"


class KernelParams(SampledParams):
    """Budget and tolerance; there is no screen that sets small effects to zero."""


@dataclass(frozen=True)
class PairedSample:
    """Pairs of coalitions of one row and what the model says of them.

    Attributes
    ----------
    signs
        +1 where a feature is in the first coalition of the pair, -1 where in the second.
    differences
        Value of the first coalition minus that of the second.
    strata
        Which stratum of the design a pair is of.
    """

    signs: Float[Tensor, "p d"]
    differences: Float[Tensor, "p gk"]
    strata: Int[Tensor, " p"]


def _explain(
    model: Model, rows: Table, background: Table, params: KernelParams, context: Context
) -> Attribution:
    d = len(model.schema.features)
    design, n_pairs = _design(d, params)
    goals = _rounds(design, n_pairs, grow=params.tolerance is not None)

    def estimate(game: SetFunction, part: Table) -> Iterator[Estimate]:
        gap = game.full(part.X)[0] - game.empty
        sample = PairedSample(
            torch.empty(0, d, dtype=torch.float64),
            torch.empty(0, len(gap), dtype=torch.float64),
            torch.empty(0, dtype=torch.int64),
        )
        counts = np.zeros_like(goals[0])
        for goal in goals:
            sample = _extend(sample, game, part, design, counts, goal, context)
            values, errors = solve(sample, gap, design, n_outputs=game.n_outputs)
            yield Estimate(values[None], errors[None])
            if settled(values[:, : game.n_outputs], errors, params.tolerance):
                return
            counts = goal

    return run(
        NAME, model, rows, background, params, context, estimate=estimate, block=1
    )  # fmt: skip


def _design(n_players: int, params: KernelParams) -> tuple[PairedDesign, int]:
    design = PairedDesign(n_players)
    n_pairs = min(params.coalitions(n_players), 2**n_players - 2) // 2
    if n_pairs < design.smallest:
        raise InvalidInputError(
            f"A budget of {params.budget or 2 * n_pairs} coalitions is too small: "
            f"{n_players} features need {2 * design.smallest}."
        )
    return design, n_pairs


def _rounds(design: PairedDesign, n_pairs: int, *, grow: bool) -> list[np.ndarray]:
    """Pairs per stratum after each round, which never fall: doubling for an early stop."""
    sizes = [n_pairs]
    while grow and sizes[0] // 2 >= max(1, design.smallest):  # a single feature needs no pair
        sizes.insert(0, sizes[0] // 2)
    return [design.allocate(size) for size in sizes]


def _extend(
    sample: PairedSample,
    game: SetFunction,
    part: Table,
    design: PairedDesign,
    counts: np.ndarray,
    goal: np.ndarray,
    context: Context,
) -> PairedSample:
    """Add the pairs between ``counts`` and ``goal``; a row's draws depend on its id alone."""
    drawn = [
        design.draw(size, int(goal[size - 1]), context.stream(int(part.ids[0]), size))[
            counts[size - 1] :
        ]
        for size in range(1, len(goal) + 1)
    ]
    if not drawn:
        return sample
    first = torch.from_numpy(np.concatenate(drawn))  # (p, d)
    value, complement = game.values(part.X, torch.cat([first, ~first]))[0].chunk(2)
    strata = np.repeat(np.arange(len(goal)), [len(pairs) for pairs in drawn])
    return PairedSample(
        torch.cat([sample.signs, 2 * first.double() - 1]),
        torch.cat([sample.differences, value - complement]),
        torch.cat([sample.strata, torch.from_numpy(strata)]),
    )


def solve(
    sample: PairedSample, gap: Float[Tensor, " gk"], design: PairedDesign, *, n_outputs: int
) -> tuple[Float[Tensor, "d gk"], Float[Tensor, "d k"]]:
    r"""Regress paired differences on signs, with the efficiency constraint eliminated.

    For a pair, the two squared residuals of KernelSHAP add up to half the square of
    :math:`v(S) - v(\bar S) - \sum_i z_i \phi_i`, :math:`z_i = \pm 1`, and a part without
    :math:`\phi`. With :math:`\phi = \frac{\Delta}{d} 1 + Q\theta`, where :math:`Q` spans the
    directions that leave the sum alone, this is an ordinary regression for :math:`\theta`; a
    pair of stratum :math:`s` weighs :math:`W_s / n_s`.

    Standard errors are those of a stratified sample without replacement, by linearisation: with
    :math:`u_j` the influence of pair :math:`j`,
    :math:`\sum_s (1 - n_s/N_s) \frac{n_s}{n_s - 1} \sum_j (u_j - \bar u_s)^2`. Residuals are
    divided by :math:`1 - h_j`, since a regression fits its own sample too well (the jackknife
    form, HC3, of MacKinnon and White 1985). An enumerated stratum adds nothing.

    Returns
    -------
    Values of every column, and standard errors of the first ``n_outputs``.

    References
    ----------
    Lundberg and Lee (2017), Theorem 2; Covert and Lee (2021), Sec. 3; Särndal, Swensson and
    Wretman (1992), Model Assisted Survey Sampling, Sec. 5.5.
    """
    d = sample.signs.shape[1]
    counts = torch.bincount(sample.strata, minlength=len(design.populations)).double()
    # Beyond 2^62 a sample is no share of its stratum, and far beyond no float holds the number.
    populations = torch.tensor([min(p, 2**62) for p in design.populations], dtype=torch.float64)
    weights = (torch.from_numpy(design.masses) / counts)[sample.strata]  # (p,)
    basis = _sum_free_basis(d)  # (d, d - 1)
    X = sample.signs @ basis  # (p, d - 1)
    y = sample.differences - sample.signs.sum(1)[:, None] * gap / d  # (p, gk)
    normal = (X * weights[:, None]).T @ X
    influence = basis @ torch.linalg.solve(normal, (X * weights[:, None]).T)  # (d, p)
    values = influence @ y + gap / d
    leverage = (influence * sample.signs.T).sum(0)  # (p,)
    residuals = (sample.differences - sample.signs @ values)[:, :n_outputs]  # (p, k)
    sampled = (counts < populations)[sample.strata]
    jackknife = torch.where(sampled, 1 - leverage, 1.0).clamp(min=1e-3)
    parts = influence.T[:, :, None] * (residuals / jackknife[:, None])[:, None, :]  # (p, d, k)
    variance = torch.zeros(d, n_outputs, dtype=torch.float64)
    for stratum in torch.nonzero(counts < populations)[:, 0].tolist():
        own = parts[sample.strata == stratum]
        share = 1 - counts[stratum] / populations[stratum]
        variance += share * len(own) * own.var(0)
    return values, variance.sqrt()


def _sum_free_basis(n_players: int) -> Float[Tensor, "d e"]:
    """Return orthonormal directions that leave the sum unchanged ``[d, d - 1]``."""
    ones = torch.ones(n_players, 1, dtype=torch.float64)
    full, _ = torch.linalg.qr(ones, mode="complete")
    return full[:, 1:]


def _cost(model: Model, n_rows: int, n_background: int, params: KernelParams) -> Cost:
    d = len(model.schema.features)
    _, n_pairs = _design(d, params)
    return sampling_cost(model, n_rows, n_background, 2 * n_pairs)


METHODS.register(
    NAME,
    Method(
        title="Shapley values, paired kernel regression",
        question="Which features made this prediction?",
        explain=_explain,
        params=KernelParams,
        yields=Attribution,
        needs=frozenset(),
        efforts=sampled_efforts,
        cost=_cost,
        reference="Lundberg and Lee (2017); Covert and Lee (2021)",
        weakness="Approximate; asks the model about rows that cannot occur when features depend on "
        "each other.",
    ),
)
