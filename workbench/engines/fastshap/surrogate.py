"""A network that learns what the model says on average when only some features are known."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from workbench.core.context import Context
from workbench.core.explainer import Fidelity
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.engines.fastshap.learning import (
    START,
    STORED,
    SURROGATE,
    Pace,
    Parts,
    generator_at,
    improve,
    started_at,
)
from workbench.engines.fastshap.params import FastshapParams
from workbench.numerics.amortised import MaskedNetwork, gives_probabilities
from workbench.numerics.shapley_kernel import draw_uniform_sizes

STORED_COALITIONS = 10
CHUNK = 16_384


@dataclass(eq=False)
class Mixtures:
    """Answers of the model for rows whose unknown features come from random background rows."""

    model: Model
    rows: Table
    background: Table
    params: FastshapParams
    evaluations: int = 0
    _rows: Tensor = field(init=False)
    _background: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self._rows = self.model.encode(self.rows.X)
        self._background = self.model.encode(self.background.X)

    @torch.no_grad()
    def whole(self) -> Float[Tensor, "n k"]:
        """Return what the model says of the rows."""
        return torch.cat([self._ask(part) for part in self._rows.split(CHUNK)])

    @torch.no_grad()
    def means(
        self,
        rows: Int[Tensor, " r"],
        coalitions: Bool[Tensor, "r d"],
        generator: torch.Generator,
    ) -> Float[Tensor, "r k"]:
        """Return the mean over ``draws`` background rows, drawn anew for each coalition."""
        draws, groups = self.params.draws, self.model.groups
        size = (len(rows), draws)
        drawn = torch.randint(
            len(self._background), size, generator=generator, device=generator.device
        )
        parts = []
        for part in torch.arange(len(rows), device=rows.device).split(max(1, CHUNK // draws)):
            known = coalitions[part][:, groups][:, None]
            own = self._rows[rows[part]][:, None]
            mixed = torch.where(known, own, self._background[drawn[part]])
            parts.append(self._ask(mixed.flatten(0, 1)).unflatten(0, (-1, draws)).mean(1))
        return torch.cat(parts)

    def _ask(self, inputs: Tensor) -> Tensor:
        self.evaluations += len(inputs)
        outputs = self.model.outputs(self.model.network(inputs), self.params.output)
        return outputs.to(self.model.device, torch.float32)


def train_surrogate(
    model: Model,
    parts: Parts,
    background: Table,
    params: FastshapParams,
    context: Context,
    tell: Callable[[int, float], None],
    start: MaskedNetwork | None = None,
) -> tuple[MaskedNetwork, Fidelity, int]:
    r"""Fit :math:`g(x, S)` to the model's answers under random coalitions.

    For the marginal game the target of a step is the mean of :math:`f(x_S, b_{\bar S})` over a few
    random background rows: its expectation is the value of the coalition, and both losses,
    cross-entropy with soft targets and squared error, are least at the expectation. For the
    conditional game the target is :math:`f(x)`, and what is learned is
    :math:`E[f(X) \mid X_S = x_S]`.

    Each row keeps its features with a probability of its own, so all sizes are as likely.

    Returns
    -------
    The surrogate, how good it is on validation rows, and how many rows went through the model.

    References
    ----------
    Jethani, Sudarshan, Covert, Lee and Ranganath (2022), FastSHAP, Sec. 3.2; Frye et al. (2021),
    Shapley Explainability on the Data Manifold.
    """
    device = model.device
    own, held = (
        Mixtures(model, rows, background, params) for rows in (parts.train, parts.validation)
    )
    said = own.whole()
    network = start or _new(model, parts.train, params, said, context)
    X = parts.train.X.to(device)
    given = X.dtype if device.type != "mps" else torch.float32

    def targets(
        which: Mixtures, whole: Tensor, rows: Tensor, known: Tensor, g: torch.Generator
    ) -> Tensor:
        return whole[rows] if params.value == "conditional" else which.means(rows, known, g)

    def step(rows: Tensor, generator: torch.Generator) -> Tensor:
        known = draw_uniform_sizes(len(rows), X.shape[1], generator)
        wanted = targets(own, said, rows, known, generator)
        logits = network.encoded(network.encoder(X[rows].to(given)), known)
        return _loss(network, logits, wanted)

    stored = generator_at(context, device, STORED)
    which = torch.arange(len(parts.validation), device=device).repeat(STORED_COALITIONS)
    known = draw_uniform_sizes(len(which), X.shape[1], stored)
    whole = held.whole()
    wanted = targets(held, whole, which, known, stored)
    V = parts.validation.X.to(device)[which].to(given)

    @torch.no_grad()
    def score() -> float:
        return float(_loss(network, network.encoded(network.encoder(V), known), wanted))

    pace = Pace(params.surrogate_epochs, params.batch, params.rate, params.patience)
    history = improve(
        network, len(X), step, score, pace, tell, generator_at(context, device, SURROGATE)
    )
    network.requires_grad_(requires_grad=False)
    everything = torch.ones(
        len(V) // STORED_COALITIONS, X.shape[1], dtype=torch.bool, device=device
    )
    off = (network(V[: len(everything)], everything) - whole).abs().mean()
    fidelity = Fidelity(
        loss=min(history), no_information=_constant_loss(network, wanted), full=float(off)
    )
    return network, fidelity, own.evaluations + held.evaluations


def _new(
    model: Model, rows: Table, params: FastshapParams, said: Tensor, context: Context
) -> MaskedNetwork:
    probabilities = gives_probabilities(model.schema, params.output)
    with started_at(context, START, 0):
        network = MaskedNetwork(model.schema, params.hidden, probabilities=probabilities)
    network.encoder.fit(rows.X)
    if not probabilities:
        network.set_scale(said.cpu())
    return network.to(model.device)


def _loss(network: MaskedNetwork, logits: Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy with soft targets, or the squared error in units of the scale."""
    if network.probabilities:
        return nn.functional.cross_entropy(logits, wanted)
    return nn.functional.mse_loss(logits, (wanted - network.shift) / network.scale)


def _constant_loss(network: MaskedNetwork, wanted: Float[Tensor, "n k"]) -> float:
    """Return the loss of the best answer that knows nothing: the mean of the targets."""
    mean = wanted.mean(0, keepdim=True).expand_as(wanted)
    if network.probabilities:
        return float(nn.functional.cross_entropy(mean.clamp(min=1e-12).log(), wanted))
    return float(nn.functional.mse_loss(mean / network.scale, wanted / network.scale))
