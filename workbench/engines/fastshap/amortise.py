"""A network that learns to give all Shapley values of a row at once."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from workbench.core.context import Context
from workbench.core.table import Table
from workbench.engines.fastshap.learning import (
    SHAPLEY,
    START,
    STORED,
    WARM,
    Pace,
    generator_at,
    improve,
    started_at,
)
from workbench.engines.fastshap.params import FastshapParams
from workbench.numerics.amortised import (
    ExplainerNetwork,
    MaskedNetwork,
    gives_shares,
    on_the_plane,
    surrogate_values,
)
from workbench.numerics.shapley_kernel import (
    draw_coalitions,
    outer_design,
    regress,
    squared_residuals,
)

LABEL_COALITIONS = 16
LABEL_ROWS = 256
EXACT_LABELS = 256


@dataclass(frozen=True, eq=False)
class Lesson:
    """Rows with what their values add up to: the outputs, less the value of knowing nothing."""

    rows: Table
    totals: Float[Tensor, "n k"]


@dataclass(frozen=True, eq=False)
class Teacher:
    """The game that the explainer learns: the surrogate, less the value of knowing nothing."""

    surrogate: MaskedNetwork
    empty: Float[Tensor, " k"]
    params: FastshapParams

    def gains(
        self, X: Float[Tensor, "n d"], coalitions: Bool[Tensor, "m d"] | Bool[Tensor, "n m d"]
    ) -> Float[Tensor, "n m k"]:
        """Return what each coalition of each row adds to the value of knowing nothing."""
        return surrogate_values(self.surrogate, X, coalitions, self.params.link) - self.empty


def label(
    teacher: Teacher, lesson: Lesson, n_coalitions: int, generator: torch.Generator
) -> Float[Tensor, "n d k"]:
    """Return regression estimates of the surrogate's values; each few rows share coalitions."""
    d, parts = lesson.rows.X.shape[1], []
    for start in range(0, len(lesson.rows), LABEL_ROWS):
        part = slice(start, start + LABEL_ROWS)
        known, weights = outer_design(d, n_coalitions, generator)
        known, weights = known.to(generator.device), weights.to(generator.device)
        gains = teacher.gains(lesson.rows.X[part], known)
        parts.append(regress(gains, known, lesson.totals[part], weights.to(gains)))
    return torch.cat(parts)


def label_coalitions(n_players: int) -> int:
    """Coalitions behind a label: all of them where they are few, else 16 a feature."""
    return min(2**n_players - 2, max(EXACT_LABELS, LABEL_COALITIONS * n_players))


def train_explainer(
    teacher: Teacher,
    train: Lesson,
    validation: Lesson,
    context: Context,
    tell: Callable[[int, float], None],
    start: ExplainerNetwork | None = None,
) -> tuple[ExplainerNetwork, list[float]]:
    r"""Fit :math:`\phi_\theta(x)` to the game of the surrogate.

    First on regression values of the surrogate, which many cheap passes go over; then with the
    FastSHAP loss on new coalitions each pass,

    .. math:: E_x\, E_{S \sim \text{kernel}}
              \Big(v(x, S) - v(\emptyset) - \sum_{i \in S} \phi_i(x)\Big)^2,

    where :math:`\phi` is moved onto the plane of :math:`\sum_i \phi_i = v(x, N) - v(\emptyset)`.
    The regression is the same loss with its coalitions held fixed: less the loss of the regression
    values it is, in expectation, the squared distance to them.

    Returns
    -------
    The network with the lowest validation loss, and that loss pass by pass, in units of the
    outputs' variance.

    References
    ----------
    Jethani, Sudarshan, Covert, Lee and Ranganath (2022), FastSHAP, Eq. 5-8; Covert, Kim, Lee,
    Zou and Hashimoto (2024), Stochastic Amortization, for regression on noisy values.
    """
    params, schema = teacher.params, train.rows.schema
    device = teacher.surrogate.scale.device
    shares = gives_shares(schema, params.output, params.link)
    network = start or _new(train, params, context, device)
    d = len(schema.features)
    X, totals = train.rows.X.to(device, _wide(device)), train.totals
    scale = network.scale

    def values(x: Tensor, total: Tensor) -> tuple[Tensor, Tensor]:
        raw = network(x, total)
        found = on_the_plane(raw, total, shares=shares) if params.normalise else raw
        return found, total - raw.sum(1)

    def penalised(loss: Tensor, gap: Tensor) -> Tensor:
        return loss + params.penalty * ((gap / scale) ** 2).mean() if params.penalty else loss

    V = validation.rows.X.to(device, _wide(device))
    stored = generator_at(context, device, STORED, 1)
    n_coalitions = label_coalitions(d)
    goal = label(teacher, validation, n_coalitions, stored)

    @torch.no_grad()
    def score() -> float:
        off = (values(V, validation.totals)[0] - goal) / scale
        return float((off**2).mean())

    history: list[float] = []
    if params.warm_epochs:
        labels = label(teacher, train, n_coalitions, generator_at(context, device, WARM, 0))

        def warm(rows: Tensor, _: torch.Generator) -> Tensor:
            found, gap = values(X[rows], totals[rows])
            return penalised((((found - labels[rows]) / scale) ** 2).mean() * d, gap)

        pace = Pace(params.warm_epochs, params.batch, params.rate, params.patience)
        history += improve(
            network, len(X), warm, score, pace, tell, generator_at(context, device, WARM, 1)
        )

    def shapley(rows: Tensor, generator: torch.Generator) -> Tensor:
        known = draw_coalitions(len(rows), params.coalitions, d, generator)
        gains = teacher.gains(X[rows], known) / scale
        found, gap = values(X[rows], totals[rows])
        return penalised(squared_residuals(found / scale, gains, known).mean() * d, gap)

    if params.epochs:
        rate = params.rate / 4 if params.warm_epochs else params.rate
        pace = Pace(params.epochs, params.batch, rate, params.patience)
        history += improve(
            network, len(X), shapley, score, pace, tell, generator_at(context, device, SHAPLEY)
        )
    network.requires_grad_(requires_grad=False)
    return network, history


def _new(
    train: Lesson, params: FastshapParams, context: Context, device: torch.device
) -> ExplainerNetwork:
    with started_at(context, START, 1):
        network = ExplainerNetwork(train.rows.schema, params.hidden)
    network.encoder.fit(train.rows.X)
    network.set_scale(train.totals.cpu())
    return network.to(device)


def _wide(device: torch.device) -> torch.dtype:
    """Apple's devices know no double precision."""
    return torch.float32 if device.type == "mps" else torch.float64
