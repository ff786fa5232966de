"""Integrated gradients: slopes collected on the way from the background to the row."""

from collections.abc import Iterator
from functools import partial
from typing import Literal

from pydantic import Field
from torch import Tensor

from workbench.core.context import Context
from workbench.core.method import METHODS, Cost, Effort, Method
from workbench.core.model import Model
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.engines.shapley.gradients import (
    GradientEstimate,
    GradientParams,
    gradient_cost,
    mean_over_background,
    path_contributions,
    run_gradients,
)
from workbench.numerics.differentiated import Differentiated
from workbench.numerics.path_quadrature import errors_of, gauss_legendre

NAME = "shapley.integrated-gradients"


class IntegratedGradientsParams(GradientParams):
    """Where the paths start, and how finely they are followed."""

    baseline: Literal["rows", "mean"] = Field(
        "rows",
        description="Start at each background row and take the mean, or start once at the mean "
        "of the encoded background, which is no row that could occur.",
    )
    n_steps: int = Field(
        24, ge=2, le=1000, description="Points on each path; more close the additivity gap."
    )


def _explain(
    model: Model,
    rows: Table,
    background: Table,
    params: IntegratedGradientsParams,
    context: Context,
) -> Attribution:
    return run_gradients(
        NAME, model, rows, background, params, context,
        estimate=partial(_estimate, n_steps=params.n_steps),
        points=_points(len(background), params),
        one_baseline=params.baseline == "mean",
    )  # fmt: skip


def _estimate(
    network: Differentiated, part: Table, ends: Tensor, starts: Tensor, *, n_steps: int
) -> Iterator[GradientEstimate]:
    r"""Integrate along straight lines in the space of the encoded columns.

    .. math:: \phi_j = \frac1B \sum_b (z_j - b_j)
        \int_0^1 \partial_j f\big(b + \alpha (z - b)\big)\, d\alpha

    by Gauss-Legendre quadrature; the columns of a raw feature are added up. The sum over
    features is :math:`f(z) - \frac1B \sum_b f(b)` but for the error of the quadrature, which
    comes from the kinks of the network. What null rules make of the same slopes, averaged over
    the background as the values are, gives that error for each feature.

    References
    ----------
    Sundararajan, Taly and Yan (2017), Axiomatic Attribution for Deep Networks, Sec. 3.
    """
    quadrature = gauss_legendre(n_steps)
    n, b = len(part), len(starts)
    by_pair = path_contributions(
        network,
        ends.repeat_interleave(b, 0),
        starts.repeat(n, 1)[:, None],
        quadrature.places[None],
        quadrature.rules,
    ).unflatten(0, (n, b))  # (n, b, 1 + r, d, k)
    values, drawn = mean_over_background(by_pair[:, :, 0])
    errors = errors_of(by_pair[:, :, 1:].mean(1))
    yield GradientEstimate(
        values, std_errors=errors, background_std_errors=drawn, dof=quadrature.dof
    )


def _points(n_background: int, params: IntegratedGradientsParams) -> int:
    return params.n_steps * (n_background if params.baseline == "rows" else 1)


def _cost(model: Model, n_rows: int, n_background: int, params: IntegratedGradientsParams) -> Cost:
    points = _points(n_background, params)
    rules = len(gauss_legendre(params.n_steps).rules)
    return gradient_cost(model, n_rows, n_background, params, points=points, rules=rules)


def _efforts(n_features: int) -> dict[str, Effort]:  # noqa: ARG001 - as all efforts
    """Differ in the background and in the points on each path."""
    return {
        "quick": Effort(25, {"n_steps": 12}),
        "standard": Effort(100, {}),
        "thorough": Effort(400, {"n_steps": 64}),
    }


METHODS.register(
    NAME,
    Method(
        title="Integrated gradients",
        question="Which features made this prediction?",
        explain=_explain,
        params=IntegratedGradientsParams,
        yields=Attribution,
        needs=frozenset({"differentiable"}),
        efforts=_efforts,
        cost=_cost,
        reference="Sundararajan, Taly and Yan (2017)",
        weakness="Shapley values of another game (Aumann-Shapley): they differ where features "
        "interact; between two categories the path runs through rows that cannot occur.",
        gap=0.02,
    ),
)
