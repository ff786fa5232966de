"""Unknown features drawn from a normal distribution, given the known ones."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.model import Model, Output
from workbench.core.schema import Schema
from workbench.core.table import Table
from workbench.core.wording import counted, percent
from workbench.numerics.chunks import slices
from workbench.numerics.game import BLOCK_ELEMENTS, GROUPS, Game
from workbench.numerics.links import Link, apply_link
from workbench.numerics.maskers import Masker, marginal

# Where the draws are among the random numbers of a run: four parts, unlike those of the rows.
ADDRESS = (0, 0, 0, 1)
SMALLEST_SHRINKAGE = 1e-6
INSTEAD = "use value 'neighbours' or 'marginal'"
# Fewer rows say hardly more of the correlations than that they are not known.
ROWS_PER_FEATURE = 2


@dataclass(frozen=True, eq=False)
class Normal:
    """A normal distribution of rows, held as correlations so that units do not matter.

    Attributes
    ----------
    scale
        Standard deviations; 1 for a column that never varies, whose correlations are 0.
    spread
        The same, and 0 for a column that never varies.
    shrinkage
        How far the correlations were moved towards 0.
    """

    mean: Float[Tensor, " d"]
    scale: Float[Tensor, " d"]
    spread: Float[Tensor, " d"]
    correlation: Float[Tensor, "d d"]
    shrinkage: float

    def draw(self, n: int, rng: np.random.Generator) -> Float[Tensor, "n d"]:
        """Draw half of the rows, and their mirror images at the mean as the other half.

        The mean of the draws is then that of the distribution. Of a multiple of ``2 GROUPS`` rows,
        a row and its image are in the same of ``GROUPS`` parts.
        """
        half = torch.from_numpy(rng.standard_normal((-(-n // 2), len(self.mean))))
        standard = torch.cat([half, -half])[:n] @ torch.linalg.cholesky(self.correlation).T
        return self.mean + standard * self.spread

    def regression(self, known: Bool[Tensor, "m d"]) -> Float[Tensor, "m d d"]:
        r"""Coefficients of the unknown features on the known ones, in standard deviations.

        :math:`R_{SS}^{-1} R_{S\bar S}` in the rows of :math:`S` and the columns of
        :math:`\bar S`, zeros elsewhere.
        """
        inside = known.double()
        both = inside[:, :, None] * inside[:, None, :]
        system = self.correlation * both + torch.diag_embed(1 - inside)
        cross = self.correlation * inside[:, :, None] * (1 - inside)[:, None, :]
        return torch.cholesky_solve(cross, torch.linalg.cholesky(system))


def fit_normal(rows: Float[Tensor, "n d"]) -> Normal:
    r"""Fit mean and covariance, with the correlations shrunk as far as their noise demands.

    .. math:: R^* = (1 - \rho) R + \rho I, \quad
              \rho = \min\Big(1, \frac{\sum_i \|z_i z_i^T - R\|_F^2 / n^2}{\|R - I\|_F^2}\Big)

    with standardised rows :math:`z_i`. At least ``SMALLEST_SHRINKAGE``, so that a column that
    repeats another leaves the correlations invertible.

    References
    ----------
    Ledoit and Wolf (2004), A Well-Conditioned Estimator for Large-Dimensional Covariance
    Matrices.
    """
    n, d = rows.shape
    mean = rows.mean(0)
    varies = rows.amax(0) > rows.amin(0)
    spread = torch.where(varies, rows.std(0, correction=0), 0.0)
    scale = torch.where(varies, spread, 1.0)
    Z = torch.where(varies, (rows - mean) / scale, 0.0)
    eye = torch.eye(d, dtype=rows.dtype)
    sample = torch.where(eye.bool(), 1.0, Z.T @ Z / n)
    away = float((sample - eye).square().sum())
    # |z z'|^2 = |z|^4, and the mean of z z' is R but for the ones of constant columns.
    noise = float(Z.square().sum(1).square().sum() / n - (Z.T @ Z / n).square().sum()) / n
    shrinkage = min(1.0, max(SMALLEST_SHRINKAGE, noise / away if away > 0 else 1.0))
    return Normal(mean, scale, spread, (1 - shrinkage) * sample + shrinkage * eye, shrinkage)


class GaussianGame(Game):
    r"""Value of coalitions, given the known features, as if rows were normally distributed.

    .. math:: v(x, S) = g\Big(\frac1M \sum_b f(x_S,\, b_{\bar S} +
              \Sigma_{\bar S S} \Sigma_{SS}^{-1} (x_S - b_S))\Big)

    with draws :math:`b` from the distribution fitted to the background. What stands in for the
    unknown features is then a draw from their conditional distribution given :math:`x_S`
    (conditioning by kriging). All coalitions share the draws, so that differences between
    coalitions are not noise, and with no feature known the draws themselves stand in.

    There are as many draws as background rows, in whole blocks of 20. Their parts are the groups:
    the standard error is that of drawing, not of the fit.

    Attributes
    ----------
    notes
        That there are too few background rows to fit a distribution to, where there are.

    References
    ----------
    Aas, Jullum and Løland (2021), Explaining Individual Predictions When Features Are Dependent,
    Sec. 3.1; Chilès and Delfiner (2012), Geostatistics, Chap. 7, for conditioning by kriging.
    """

    def __init__(
        self,
        model: Model,
        background: Table,
        *,
        output: Output = "probability",
        link: Link = "identity",
        context: Context,
        expected: int = 0,
    ) -> None:
        rows = marginal(background).rows.double()  # in an order of their own
        _check(model.schema, rows, background.name)
        self._normal = fit_normal(rows)
        self.notes = _notes(self._normal, len(rows))
        n = len(rows) if len(rows) < 2 * GROUPS else len(rows) - len(rows) % (2 * GROUPS)
        self._draws = self._normal.draw(n, context.stream(*ADDRESS))
        weights = torch.full((n,), 1 / n, dtype=torch.float64)
        masker = Masker(self._draws, weights, background.digest, background.name)
        super().__init__(
            model, masker, output=output, link=link, context=context, expected=expected
        )
        if self.n_groups:  # mirrored draws are no independent sample, groups of them are
            groups = self.empty.unflatten(0, (1 + self.n_groups, self.n_outputs))[1:]
            self.empty_std_errors = groups.std(0) / self.n_groups**0.5

    def _inner_values(self, X: Tensor, coalitions: Tensor) -> Tensor:
        _refuse_gaps(self.model.schema, X, "a row to explain")
        step = max(1, min(len(coalitions), BLOCK_ELEMENTS // self.n_players**2))
        parts = []
        for part in slices(len(coalitions), step):
            coefficients = self._normal.regression(coalitions[part])
            evaluate = partial(self._means, X, coalitions[part], coefficients)
            parts.append(self._with_less_memory(evaluate))
        return apply_link(torch.cat(parts, dim=1), self.link)

    def _means(self, X: Tensor, coalitions: Tensor, coefficients: Tensor) -> Tensor:
        """Mean outputs ``[n, m, gk]`` over the draws, completed for each row and coalition."""
        total = torch.zeros(len(X), len(coalitions), len(self.empty), dtype=torch.float64)
        for part in slices(len(self._draws), self.chunk_rows):
            draws = self._draws[part]
            away = (X[:, None] - draws) / self._normal.scale  # (n, b, d)
            pairs = max(1, self.chunk_rows // len(draws))
            for chosen in slices(len(coalitions), pairs):
                known, slopes = coalitions[chosen], coefficients[chosen]
                for rows in slices(len(X), max(1, pairs // len(known))):
                    moved = torch.einsum("rbi,cij->rcbj", away[rows], slopes)
                    drawn = draws + moved * self._normal.spread
                    mixed = torch.where(known[:, None], X[rows, None, None], drawn)
                    outputs = self._mixer.whole(self.model.encode(mixed.flatten(0, 2)))
                    outputs = outputs.double().cpu().unflatten(0, mixed.shape[:3])
                    means = torch.einsum("rcbk,bg->rcgk", outputs, self._weights[part])
                    total[rows, chosen] += means.flatten(2)
                    self._count(n := mixed[..., 0].numel(), n)
        return total


def _notes(normal: Normal, n_rows: int) -> tuple[str, ...]:
    d = len(normal.mean)
    if n_rows >= ROWS_PER_FEATURE * d:
        return ()
    return (
        f"{counted(n_rows, 'background row')} say little of how {counted(d, 'feature')} go "
        f"together: of their correlations {percent(1 - normal.shrinkage)} was kept; give at least "
        f"{ROWS_PER_FEATURE * d:,} rows, or use value 'marginal'",
    )


def _check(schema: Schema, rows: Float[Tensor, "n d"], table: str) -> None:
    for feature in schema.features:
        if feature.kind == "categorical":
            raise InvalidInputError(
                f"Value 'gaussian' is for numbers alone, and {feature.name!r} has categories; "
                f"{INSTEAD}."
            )
    if len(rows) < 2:
        raise InvalidInputError(
            f"Value 'gaussian' fits a distribution to the background, and {table!r} has one row; "
            "give more, best a hundred."
        )
    _refuse_gaps(schema, rows, "the background")


def _refuse_gaps(schema: Schema, X: Float[Tensor, "n d"], where: str) -> None:
    gaps = X.isnan().any(0)
    if gaps.any():
        name = schema.names[int(gaps.nonzero()[0])]
        raise InvalidInputError(
            f"Value 'gaussian' cannot condition on missing values, and {name!r} has one in "
            f"{where}; {INSTEAD}."
        )
