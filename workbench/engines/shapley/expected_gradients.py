"""Expected gradients: integrated gradients from a background, by sampling points."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int
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
    path_contributions,
    run_gradients,
)
from workbench.numerics.differentiated import Differentiated

NAME = "shapley.expected-gradients"
# Independent repetitions behind a standard error.
REPEATS = 10
ROUNDS = (2, 5, REPEATS)


class ExpectedGradientsParams(GradientParams):
    """How much to sample."""

    samples: int = Field(
        400,
        ge=2 * REPEATS,
        le=2**20,
        description="Points per row at most, each between the row and a background row; rounded "
        f"down to a multiple of {REPEATS}.",
    )


def _explain(
    model: Model, rows: Table, background: Table, params: ExpectedGradientsParams, context: Context
) -> Attribution:
    return run_gradients(
        NAME, model, rows, background, params, context,
        estimate=partial(_estimate, per_repeat=params.samples // REPEATS, context=context),
        points=params.samples,
    )  # fmt: skip


def _estimate(
    network: Differentiated,
    part: Table,
    ends: Tensor,
    starts: Tensor,
    *,
    per_repeat: int,
    context: Context,
) -> Iterator[GradientEstimate]:
    r"""Average slopes at random points between the row and random background rows.

    .. math:: \phi_j = \mathbb{E}_{b,\, \alpha \sim U(0, 1)}\big[
        (z_j - b_j)\, \partial_j f(b + \alpha (z - b))\big]

    Points are drawn in ``REPEATS`` independent repetitions, of which each spreads its places
    evenly over the path and its background rows evenly over the background. The mean over the
    repetitions is unbiased, and their spread gives its standard error.

    References
    ----------
    Erion, Janizek, Sturmfels, Lundberg and Lee (2021), Improving performance of deep learning
    models with axiomatic attribution priors and expected gradients, Eq. 5; McKay, Beckman and
    Conover (1979) for the even spread.
    """
    drawn = [draw(context.stream(int(row)), per_repeat, len(starts)) for row in part.ids]
    chosen = torch.from_numpy(np.stack([rows for rows, _ in drawn])).to(starts.device)  # (n, r, q)
    places = torch.from_numpy(np.stack([own for _, own in drawn]))  # (n, r, q)
    weights = torch.full((1, per_repeat), 1 / per_repeat, dtype=torch.float64)
    known: list[Tensor] = []
    for done, goal in zip((0, *ROUNDS), ROUNDS, strict=False):
        found = path_contributions(
            network,
            ends.repeat_interleave(goal - done, 0),
            starts[chosen[:, done:goal].flatten(0, 1)],
            places[:, done:goal].flatten(0, 1),
            weights,
        )
        known.append(found[:, 0].unflatten(0, (len(ends), goal - done)))  # (n, r, d, k)
        repeats = torch.cat(known, 1)
        errors = repeats.std(1) / goal**0.5
        yield GradientEstimate(repeats.mean(1), std_errors=errors, dof=goal - 1.0)


def draw(
    random: np.random.Generator, per_repeat: int, n_background: int
) -> tuple[Int[np.ndarray, "r q"], Float[np.ndarray, "r q"]]:
    """Draw background rows and places on the path for all repetitions, each a Latin hypercube."""
    passes = -(-per_repeat // n_background)
    order = np.tile(np.arange(n_background), (REPEATS * passes, 1))
    rows = random.permuted(order, axis=1).reshape(REPEATS, -1)[:, :per_repeat]
    strata = random.permuted(np.tile(np.arange(per_repeat), (REPEATS, 1)), axis=1)
    return rows, (strata + random.random((REPEATS, per_repeat))) / per_repeat


def _cost(model: Model, n_rows: int, n_background: int, params: ExpectedGradientsParams) -> Cost:
    return gradient_cost(model, n_rows, n_background, params, points=params.samples)


def _efforts(n_features: int) -> dict[str, Effort]:  # noqa: ARG001 - as all efforts
    """Differ in the background and in the number of points."""
    return {
        "quick": Effort(100, {"samples": 100}),
        "standard": Effort(100, {}),
        "thorough": Effort(400, {"samples": 8000}),
    }


METHODS.register(
    NAME,
    Method(
        title="Expected gradients",
        question="Which features made this prediction?",
        explain=_explain,
        params=ExpectedGradientsParams,
        yields=Attribution,
        needs=frozenset({"differentiable"}),
        efforts=_efforts,
        cost=_cost,
        reference="Erion, Janizek, Sturmfels, Lundberg and Lee (2021)",
        weakness="Sampled, so it adds up only roughly; Shapley values of another game "
        "(Aumann-Shapley), which differ where features interact.",
        gap=0.25,
    ),
)
