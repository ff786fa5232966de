"""DeepLIFT against every background row: one forward and few backward passes each."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.core.context import Context
from workbench.core.method import METHODS, Cost, Method
from workbench.core.model import Model
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.engines.shapley.gradients import (
    GradientEstimate,
    GradientParams,
    gradient_cost,
    mean_over_background,
    run_gradients,
)
from workbench.engines.shapley.params import exact_efforts
from workbench.numerics.deeplift import DeepLift
from workbench.numerics.differentiated import Differentiated

NAME = "shapley.deeplift"


class DeepLiftParams(GradientParams):
    """Nothing but the output; the rescale rule has no settings."""


def _explain(
    model: Model, rows: Table, background: Table, params: DeepLiftParams, context: Context
) -> Attribution:
    return run_gradients(
        NAME, model, rows, background, params, context,
        estimate=_estimate, points=len(background),
    )  # fmt: skip


def _estimate(
    network: Differentiated,
    part: Table,  # noqa: ARG001 - as all estimators of this family
    ends: Tensor,
    starts: Tensor,
) -> Iterator[GradientEstimate]:
    """Compare each row with each background row by the rescale rule, and take the mean.

    References
    ----------
    Shrikumar, Greenside and Kundaje (2017), Sec. 3.5.1; Lundberg and Lee (2017), Sec. 4.2, for
    the mean over a background (Deep SHAP).
    """
    pairs = _Pairs(network, ends, starts)
    values, drawn = mean_over_background(network.in_chunks(len(ends), len(starts), pairs))
    yield GradientEstimate(values, background_std_errors=drawn, notes=pairs.notes())


class _Pairs:
    """Contributions of rows against all background rows ``[n, b, d, k]``.

    The background is run through the network once, and again only when chunks change in size.
    """

    def __init__(self, network: Differentiated, ends: Tensor, starts: Tensor) -> None:
        self._network = network
        self._ends = ends
        self._starts = starts
        self._held: tuple[int, slice] | None = None
        self._rule: DeepLift

    def __call__(self, part: slice) -> Float[Tensor, "n b d k"]:
        found = [self._some(part, nodes) for nodes in self._network.divided(len(self._starts))]
        return torch.cat(found, 1)

    def notes(self) -> tuple[str, ...]:
        """Say which functions had no rule of one number."""
        notes = []
        if self._rule.averaged:
            named = ", ".join(self._rule.averaged)
            notes.append(f"slopes averaged between both rows for: {named}")
        if self._rule.passed_over:
            named = ", ".join(self._rule.passed_over)
            notes.append(f"steps without a slope, attributed to nobody: {named}")
        return tuple(notes)

    def _some(self, part: slice, nodes: slice) -> Tensor:
        network, n = self._network, part.stop - part.start
        starts = self._starts[nodes]
        if self._held != (n, nodes):
            self._rule = DeepLift(network.forward, starts.repeat(n, 1))
            self._held = (n, nodes)
            network.count(n * len(starts))
        ends = self._ends[part].repeat_interleave(len(starts), 0)
        found = self._rule.contributions(ends, constant_sum=network.constant_sum)
        network.count(len(ends) * network.passes)
        return network.by_feature(found).unflatten(0, (n, len(starts)))


def _cost(model: Model, n_rows: int, n_background: int, params: DeepLiftParams) -> Cost:
    once = gradient_cost(model, n_rows, n_background, params, points=n_background)
    return Cost(once.evaluations + n_rows * n_background, once.n_bytes)


METHODS.register(
    NAME,
    Method(
        title="DeepLIFT, rescale rule, mean over the background",
        question="Which features made this prediction?",
        explain=_explain,
        params=DeepLiftParams,
        yields=Attribution,
        needs=frozenset({"differentiable"}),
        efforts=exact_efforts,
        cost=_cost,
        reference="Shrikumar, Greenside and Kundaje (2017); Lundberg and Lee (2017)",
        weakness="Fast and additive but a rule, not a definition: two networks that compute the "
        "same function can get different attributions.",
    ),
)
