"""What the regression estimators share: pairs of coalitions, the regression, the loop over rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.core.context import Context
from workbench.core.method import Cost
from workbench.core.model import Model
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.engines.shapley.design import Allocation, PairedDesign, design_within, first_look
from workbench.engines.shapley.params import SharingParams
from workbench.engines.shapley.run import (
    Estimate,
    Estimator,
    answers_of,
    run,
    sampling_cost,
)
from workbench.engines.shapley.stopping import settled
from workbench.numerics.game import GROUPS
from workbench.numerics.set_function import SetFunction

LARGEST_COUNT = 2**62
LEAST_FREEDOM = 1e-3


class RegressionParams(SharingParams):
    """Budget, tolerance, and whose coalitions; no screen sets small effects to zero."""


@dataclass(frozen=True)
class PairedRegression:
    r"""Regression of paired differences on signs, with the efficiency constraint eliminated.

    For a pair, the two squared residuals of KernelSHAP add up to half the square of
    :math:`D(S) - \sum_i z_i \phi_i`, with :math:`D(S) = v(S) - v(\bar S)` and
    :math:`z_i = \pm 1`, and a part without :math:`\phi`. With
    :math:`\phi = \frac{\Delta}{d} 1 + Q\theta`, where :math:`Q` spans the directions that leave
    the sum alone, this is an ordinary regression for :math:`\theta`; a pair of stratum :math:`s`
    weighs :math:`w_s = W_s / n_s`. All of it depends on the coalitions alone: values are linear
    in the differences, so that any number of outputs and rows are columns of one system.

    Attributes
    ----------
    signs
        +1 where a feature is in the first coalition of the pair, -1 where in the second.
    strata
        Which stratum of the design a pair is of; pairs of a stratum stand together.
    """

    signs: Float[Tensor, "p d"]
    strata: Int[Tensor, " p"]
    design: PairedDesign

    @cached_property
    def _counts(self) -> Float[Tensor, " s"]:
        return torch.bincount(self.strata, minlength=len(self.design.populations)).double()

    @cached_property
    def _populations(self) -> Float[Tensor, " s"]:
        # Beyond 2^62 a sample is no share of its stratum, and far beyond no float holds the number.
        sizes = [min(p, LARGEST_COUNT) for p in self.design.populations]
        return torch.tensor(sizes, dtype=torch.float64)

    @cached_property
    def _unseen(self) -> Float[Tensor, " s"]:
        """Share of each stratum that is not in the sample."""
        return 1 - self._counts / self._populations

    @cached_property
    def _weights(self) -> Float[Tensor, " p"]:
        return (torch.from_numpy(self.design.masses) / self._counts)[self.strata]

    @cached_property
    def _basis(self) -> Float[Tensor, "d e"]:
        """Orthonormal directions that leave the sum unchanged ``[d, d - 1]``."""
        ones = torch.ones(self.signs.shape[1], 1, dtype=torch.float64)
        full, _ = torch.linalg.qr(ones, mode="complete")
        return full[:, 1:]

    @cached_property
    def _directions(self) -> Float[Tensor, "p e"]:
        """Signs along those directions, the regression's :math:`x`."""
        return self.signs @ self._basis

    @cached_property
    def _influence(self) -> Float[Tensor, "e p"]:
        """What each difference adds to the coefficients."""
        weighted = (self._directions * self._weights[:, None]).T
        return torch.linalg.solve(weighted @ self._directions, weighted)

    @cached_property
    def _freedom(self) -> Float[Tensor, " p"]:
        """One less the leverage of sampled pairs; enumerated ones are not left out."""
        leverage = (self._influence * self._directions.T).sum(0)
        sampled = self._unseen[self.strata] > 0
        return torch.where(sampled, 1 - leverage, 1.0).clamp(min=LEAST_FREEDOM)

    def least_squares(
        self, differences: Float[Tensor, "p c"], gap: Float[Tensor, " c"]
    ) -> Float[Tensor, "d c"]:
        """Return the regression's own solution, which has a small bias.

        References
        ----------
        Lundberg and Lee (2017), Theorem 2; Covert and Lee (2021), Sec. 3.
        """
        return self._basis @ (self._influence @ self._rest(differences, gap)) + gap / len(
            self._basis
        )

    def _rest(self, differences: Tensor, gap: Tensor) -> Float[Tensor, "p c"]:
        """Return what is left of the differences when the sum of the values is accounted for."""
        return differences - self.signs.sum(1)[:, None] * gap / self.signs.shape[1]

    def residuals(
        self, differences: Float[Tensor, "p c"], gap: Float[Tensor, " c"]
    ) -> Float[Tensor, "p c"]:
        """Differences less their fit; of a sampled pair, less the fit of all other pairs."""
        return (differences - self.signs @ self.least_squares(differences, gap)) / self._freedom[
            :, None
        ]

    def values(
        self, differences: Float[Tensor, "p c"], gap: Float[Tensor, " c"]
    ) -> Float[Tensor, "d c"]:
        r"""Return values without the bias of a regression on a sample.

        Weighted by the whole population of pairs, :math:`Q^T Q`-coefficients of any game are
        :math:`\theta + \frac{1}{a} \sum_s W_s \overline{x (D - x^T \theta)}^{(s)}` for any fixed
        :math:`\theta`, where the population's normal matrix is :math:`a I`. A pair that was left
        out of the fit is a random one of those that the fit has not seen, so it estimates the
        part of the mean that is unknown. With :math:`e_j` the residual of pair :math:`j` under
        the fit :math:`\theta - g_j e_j` without it, and the mean over :math:`j` in every stratum,

        .. math:: \hat\theta = \theta + \frac{1}{a} \sum_s (1 - f_s) w_s \sum_{j \in s} x_j h_j e_j
                  - \frac{1}{a} \sum_s \frac{1}{n_s}
                    \Big(A_s - \frac{W_s}{N_s} \sum_{i \in s} x_i x_i^T\Big)
                    \sum_{j \in s} g_j e_j,

        with :math:`f_s = n_s / N_s`, leverages :math:`h_j` and the population's
        :math:`A_s = W_s \overline{x x^T}^{(s)}`. Additive games leave no residuals and nothing
        changes; enumerated strata add nothing.

        References
        ----------
        Särndal, Swensson and Wretman (1992), Sec. 6.3, for the difference estimator; Raj (1956)
        for sampling without replacement; leaving one pair out of the fit instead of a fold is
        ours.
        """
        if differences.shape[1] <= len(self.signs):
            return self._values(differences, gap)
        of_pairs, of_gap = self._weights_of_values
        return of_pairs @ differences + of_gap * gap

    @cached_property
    def _weights_of_values(self) -> tuple[Float[Tensor, "d p"], Float[Tensor, "d 1"]]:
        """What each difference and the gap add to the values, which are linear in both."""
        p = len(self.signs)
        every = torch.eye(p, p + 1, dtype=torch.float64)  # one pair each, and the gap alone
        found = self._values(every, torch.eye(p + 1, dtype=torch.float64)[p])
        return found[:, :p], found[:, p:]

    def _values(
        self, differences: Float[Tensor, "p c"], gap: Float[Tensor, " c"]
    ) -> Float[Tensor, "d c"]:
        e = self.residuals(differences, gap)  # (p, c)
        missing = (1 - self._freedom) * self._unseen[self.strata] * self._weights
        theta = self._directions.T @ (missing[:, None] * e)  # (e, c)
        spreads = self.design.spreads
        for stratum in torch.nonzero(self._unseen > 0)[:, 0].tolist():
            own = self._of(stratum)
            moved = self._influence[:, own] @ e[own] / self._counts[stratum]  # (e, c)
            seen = (
                self._directions[own].T
                @ (self._directions[own] @ moved)
                / self._populations[stratum]
            )
            theta -= self.design.masses[stratum] * (spreads[stratum] * moved - seen)
        scale = float(self.design.masses @ spreads)
        correction = self._basis @ theta / scale if len(self.signs) else 0.0
        return self.least_squares(differences, gap) + correction

    def std_errors(
        self, differences: Float[Tensor, "p c"], gap: Float[Tensor, " c"]
    ) -> Float[Tensor, "d c"]:
        r"""Return standard errors of a stratified sample without replacement, linearised.

        With :math:`u_j` the influence of pair :math:`j` times its residual,
        :math:`\sum_s (1 - f_s) \frac{n_s}{n_s - 1} \sum_j (u_j - \bar u_s)^2`. Residuals are those
        of fits without the pair, since a regression fits its own sample too well (the jackknife
        form, HC3, of MacKinnon and White 1985). An enumerated stratum adds nothing.

        References
        ----------
        Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, Sec. 5.5.
        """
        residuals = self.residuals(differences, gap)
        influence = self._basis @ self._influence  # (d, p)
        variance = torch.zeros(len(influence), differences.shape[1], dtype=torch.float64)
        for stratum in torch.nonzero(self._unseen > 0)[:, 0].tolist():
            own, n = self._of(stratum), float(self._counts[stratum])
            squares = influence[:, own] ** 2 @ residuals[own] ** 2
            mean = influence[:, own] @ residuals[own] / n
            share = float(self._unseen[stratum])
            variance += share * n / (n - 1) * (squares - n * mean**2).clamp(min=0)
        return variance.sqrt()

    def _of(self, stratum: int) -> slice:
        stop = int(self._counts[: stratum + 1].sum())
        return slice(stop - int(self._counts[stratum]), stop)


def estimator(
    n_players: int, params: RegressionParams, context: Context, *, allocation: Allocation
) -> Estimator:
    """Return the estimator of a block of rows, for any game of that many players.

    Raises
    ------
    InvalidInputError
        If the budget is too small.
    """
    design, n_pairs = design_within(n_players, params, allocation, determined=True)
    goals = design.rounds(n_pairs, grow=params.tolerance is not None)

    def estimate(game: SetFunction, part: Table) -> Iterator[Estimate]:
        n, k = len(part), game.n_outputs
        gap = game.full(part.X) - game.empty  # (n, gk)
        first = torch.empty(0, n_players, dtype=torch.bool)
        differences = torch.empty(0, n, gap.shape[1], dtype=torch.float64)
        strata = torch.empty(0, dtype=torch.int64)
        counts = np.zeros_like(goals[0])
        for goal in goals:
            new, its_strata, _ = design.draw_between(counts, goal, context, int(part.ids[0]))
            if len(new):
                both = game.values(part.X, torch.cat([new, ~new]))  # (n, 2p, gk)
                value, complement = both.transpose(0, 1).chunk(2)
                order = torch.cat([strata, its_strata]).argsort(stable=True)
                first = torch.cat([first, new])[order]
                differences = torch.cat([differences, value - complement])[order]
                strata = torch.cat([strata, its_strata])[order]
            regression = PairedRegression(2 * first.double() - 1, strata, design)
            found = regression.values(differences.flatten(1), gap.flatten())
            values = found.unflatten(1, (n, -1)).transpose(0, 1)  # (n, d, gk)
            outputs = differences[..., :k].flatten(1), gap[:, :k].flatten()
            spread = regression.std_errors(*outputs)
            errors = spread.unflatten(1, (n, k)).transpose(0, 1)  # (n, d, k)
            yield Estimate(values, errors)
            rows = zip(values[..., :k], errors, strict=True)
            if all(settled(*row, params.tolerance) for row in rows):
                return
            counts = goal

    return estimate


def explain_by_regression(
    name: str,
    allocation: Allocation,
    model: Model,
    rows: Table,
    background: Table,
    params: RegressionParams,
    context: Context,
) -> Attribution:
    """Explain rows by a regression estimator; its first values come from an eighth of the budget.

    Raises
    ------
    InvalidInputError
        If the budget is too small, or the data do not fit.
    """
    d = len(model.schema.features)
    hasty = _early(d, params, allocation)
    early = None if hasty is None else estimator(d, hasty, context, allocation=allocation)
    return run(
        name, model, rows, background, params, context,
        estimate=estimator(d, params, context, allocation=allocation), early=early,
        block=_block(model, params, allocation),
    )  # fmt: skip


def regression_cost(
    allocation: Allocation,
    model: Model,
    n_rows: int,
    n_background: int,
    params: RegressionParams,
) -> Cost:
    """Rows through the network, those for a first look at the first block included."""
    d = len(model.schema.features)
    n_coalitions = 2 * design_within(d, params, allocation, determined=True)[1]
    cost = sampling_cost(model, n_rows, n_background, params, n_coalitions)
    hasty, block = _early(d, params, allocation), min(n_rows, _block(model, params, allocation))
    answers = answers_of(params, n_background)
    looks = 0 if hasty is None else block * (hasty.coalitions(d) * answers + 1)
    return Cost(cost.evaluations + looks, n_bytes=block * cost.n_bytes)


def _block(model: Model, params: RegressionParams, allocation: Allocation) -> int:
    d = len(model.schema.features)
    n_coalitions = 2 * design_within(d, params, allocation, determined=True)[1]
    return params.block(n_coalitions, len(model.output_names) * (1 + GROUPS))


def _early(
    n_players: int, params: RegressionParams, allocation: Allocation
) -> RegressionParams | None:
    design, n_pairs = design_within(n_players, params, allocation, determined=True)
    changes = first_look(design, n_pairs, params)
    return None if changes is None else params.model_copy(update=changes)
