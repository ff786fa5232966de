"""Networks that stand in for a game: its value at a coalition, and its Shapley values."""

import math
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from workbench.core.context import Context
from workbench.core.encoder import TabularArguments, TabularEncoder
from workbench.core.errors import InvalidInputError
from workbench.core.explainer import Explainer
from workbench.core.model import Model, Output
from workbench.core.schema import Schema, listing
from workbench.numerics.links import Link, apply_link
from workbench.numerics.shapley_kernel import efficient, squared_residuals

CHUNK_BYTES = 2**21
CHUNK_ROWS = 4096
SomeNetwork = TypeVar("SomeNetwork", bound=nn.Module)


def gives_shares(schema: Schema, output: Output, link: Link) -> bool:
    """Whether the outputs add up to a constant, so that each feature's values add up to zero.

    So it is for probabilities, and for the log-odds of two classes.
    """
    if schema.task == "regression" or link == "log-softmax":
        return False
    if output == "probability" and link == "identity":
        return True
    return schema.task == "binary"


def _layers(widths: Sequence[int], n_outputs: int) -> nn.Sequential:
    """Everything after the first linear layer."""
    layers: list[nn.Module] = []
    for width, following in zip(widths, [*widths[1:], n_outputs], strict=True):
        layers += [nn.ReLU(), nn.Linear(width, following)]
    return nn.Sequential(*layers)


class MaskedNetwork(nn.Module):
    r"""What the model says on average when only some features are known, :math:`g(x, S)`.

    Known features are encoded, unknown ones are zero, and which are known is told beside them:
    the first layer sees :math:`(z \odot m, m)`. It is linear, so its output is a sum of one share
    per known feature; ``grid`` computes the shares once for all coalitions of a row. Some of its
    units go straight to the output, so that what is linear need not be learned by the others.

    For probabilities the outputs are a softmax, else they are on the scale of what was seen in
    training (``set_scale``). The encoder decides what a player is; the layers after the first do
    not know about features, so another encoder serves other data.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, schema: Schema, hidden: Sequence[int], *, probabilities: bool) -> None:
        super().__init__()
        k = len(schema.output_names)
        self.probabilities = probabilities
        self.encoder = TabularEncoder(schema, TabularArguments())
        n_inputs = len(self.encoder.groups) + len(schema.features)
        self.first = nn.Linear(n_inputs, hidden[0] + k)
        self.layers = _layers(hidden, k)
        self.register_buffer("scale", torch.ones(k))
        self.register_buffer("shift", torch.zeros(k))

    def set_scale(self, outputs: Float[Tensor, "n k"]) -> None:
        """Let the answers start at the outputs' mean, with their spread as the unit."""
        self.shift.copy_(outputs.mean(0))
        spread = outputs.std(0, correction=0)
        self.scale.copy_(torch.where(spread > 0, spread, 1.0))

    def encoded(
        self, Z: Float[Tensor, "n p"], coalitions: Bool[Tensor, "n d"]
    ) -> Float[Tensor, "n k"]:
        """Return logits, or values in units of the scale, of encoded rows."""
        known = coalitions.to(Z.dtype)
        masked = torch.cat([Z * known[:, self.encoder.groups], known], dim=1)
        return self._rest(self.first(masked))

    def _rest(self, mixed: Float[Tensor, "*n h"]) -> Float[Tensor, "*n k"]:
        """Return what follows the first layer; its last units go straight to the output."""
        hidden, straight = mixed.split((self.layers[1].in_features, len(self.scale)), dim=-1)
        logits: Tensor = self.layers(hidden) + straight
        return logits

    def answers(self, logits: Float[Tensor, "*n k"]) -> Float[Tensor, "*n k"]:
        """Turn logits into probabilities, or scaled values into values."""
        if self.probabilities:
            return logits.softmax(-1)
        return logits * self.scale + self.shift

    def forward(
        self, X: Float[Tensor, "n d"], coalitions: Bool[Tensor, "n d"]
    ) -> Float[Tensor, "n k"]:
        """Return the mean output of each raw row, given the features of its coalition."""
        return self.answers(self.encoded(self.encoder(X), coalitions))

    def grid(
        self, X: Float[Tensor, "n d"], coalitions: Bool[Tensor, "m d"] | Bool[Tensor, "n m d"]
    ) -> Float[Tensor, "n m k"]:
        """Return the mean output of each raw row for each coalition."""
        shares = self._shares(self.encoder(X))  # (n, d, h)
        known = coalitions.to(shares.dtype)
        hidden = known @ shares + self.first.bias  # (n, m, h)
        return self.answers(self._rest(hidden))

    def _shares(self, Z: Float[Tensor, "n p"]) -> Float[Tensor, "n d h"]:
        """Return what each known feature adds to the first layer."""
        groups, p = self.encoder.groups, Z.shape[1]
        told = self.first.weight[:, p:].T  # (d, h)
        order = groups.argsort(stable=True)  # the columns of a feature side by side
        widths = torch.bincount(groups, minlength=len(told)).tolist()
        weights = self.first.weight[:, order].split(widths, dim=1)
        parts = zip(Z[:, order].split(widths, dim=1), weights, strict=True)
        return torch.stack([z @ w.T for z, w in parts], dim=1) + told


class ExplainerNetwork(nn.Module):
    """Shapley values of all features and outputs from one pass.

    Besides the features it is told what the model says of the row, which is known anyway: the
    values must add up to it.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, schema: Schema, hidden: Sequence[int]) -> None:
        super().__init__()
        self.shape = len(schema.features), len(schema.output_names)
        self.encoder = TabularEncoder(schema, TabularArguments())
        n_inputs, n_values = len(self.encoder.groups) + self.shape[1], math.prod(self.shape)
        self.first = nn.Linear(n_inputs, hidden[0])
        self.layers = _layers(hidden, n_values)
        self.straight = nn.Linear(n_inputs, n_values, bias=False)
        self.register_buffer("scale", torch.ones(self.shape[1]))
        self.register_buffer("shift", torch.zeros(self.shape[1]))

    def set_scale(self, totals: Float[Tensor, "n k"]) -> None:
        """Make the spread of the outputs the unit of what goes in and of what comes out."""
        self.shift.copy_(totals.mean(0))
        spread = totals.std(0, correction=0)
        self.scale.copy_(torch.where(spread > 0, spread, 1.0))

    def encoded(
        self, Z: Float[Tensor, "n p"], totals: Float[Tensor, "n k"]
    ) -> Float[Tensor, "n d k"]:
        """Return values of encoded rows, not yet adding up to ``totals``."""
        told = (totals - self.shift) / self.scale
        given = torch.cat([Z, told], dim=1)
        raw: Tensor = self.layers(self.first(given)) + self.straight(given)
        return raw.unflatten(1, self.shape) * self.scale

    def forward(
        self, X: Float[Tensor, "n d"], totals: Float[Tensor, "n k"]
    ) -> Float[Tensor, "n d k"]:
        """Return values of raw rows, not yet adding up to ``totals``."""
        return self.encoded(self.encoder(X), totals.to(self.scale.dtype))


def on_the_plane(
    raw: Float[Tensor, "n d k"], totals: Float[Tensor, "n k"], *, shares: bool
) -> Float[Tensor, "n d k"]:
    """Move values to where exact ones lie: sums are ``totals``, and those of shares cancel."""
    if shares:
        raw = raw - raw.mean(2, keepdim=True)
    return efficient(raw, totals)


def pack(network: nn.Module) -> np.ndarray:
    """Return all numbers of a network, buffers included, one tensor after another."""
    tensors = [tensor.detach().float().flatten().cpu() for tensor in network.state_dict().values()]
    return torch.cat(tensors).numpy()


def unpack(network: nn.Module, numbers: np.ndarray) -> None:
    """Fill a network with the numbers of ``pack``."""
    flat, state, start = torch.from_numpy(np.asarray(numbers, dtype=np.float32)), {}, 0
    for name, tensor in network.state_dict().items():
        state[name] = flat[start : start + tensor.numel()].view(tensor.shape).clone()
        start += tensor.numel()
    network.load_state_dict(state)


def surrogate_of(explainer: Explainer, device: torch.device) -> MaskedNetwork:
    """Build the surrogate of an explainer.

    Raises
    ------
    InvalidInputError
        If the weights are not as many as the network has, or not finite.
    """
    probabilities = gives_probabilities(explainer.schema, explainer.output)

    def build() -> MaskedNetwork:
        return MaskedNetwork(
            explainer.schema, explainer.surrogate_hidden, probabilities=probabilities
        )

    return _filled(build, explainer.surrogate_weights, "surrogate").to(device)


def network_of(explainer: Explainer, device: torch.device) -> ExplainerNetwork:
    """Build the network of an explainer that gives the values.

    Raises
    ------
    InvalidInputError
        If the weights are not as many as the network has, or not finite.
    """

    def build() -> ExplainerNetwork:
        return ExplainerNetwork(explainer.schema, explainer.explainer_hidden)

    return _filled(build, explainer.explainer_weights, "explainer").to(device)


def gives_probabilities(schema: Schema, output: Output) -> bool:
    """Whether a surrogate's answers are probabilities: links are applied to its answers."""
    return output == "probability" and schema.task != "regression"


def _filled(build: Callable[[], SomeNetwork], numbers: np.ndarray, what: str) -> SomeNetwork:
    with torch.device("meta"):  # a file may name any widths: hold them against its numbers first
        wanted = sum(tensor.numel() for tensor in build().state_dict().values())
    if len(numbers) != wanted:
        raise InvalidInputError(
            f"The {what} network holds {len(numbers):,} numbers, its layers need {wanted:,}; "
            "train the explainer again."
        )
    if not np.isfinite(numbers).all():
        raise InvalidInputError(
            f"The {what} network holds NaN or infinity; train the explainer again."
        )
    with torch.random.fork_rng(devices=[]):  # layers start from random numbers, which are replaced
        network = build()
    unpack(network, numbers)
    network.eval().requires_grad_(requires_grad=False)
    return network


@runtime_checkable
class Asked(Protocol):
    """Settings of a method that asks an explainer."""

    @property
    def output(self) -> Output: ...  # noqa: D102
    @property
    def link(self) -> Link: ...  # noqa: D102
    @property
    def value(self) -> str: ...  # noqa: D102


def find_explainer(model: Model, params: Asked) -> Explainer:
    """Return the model's explainer for an output, link and value function; the last of several.

    Raises
    ------
    InvalidInputError
        If the model has none for them.
    """
    for explainer in reversed(model.explainers):
        if (explainer.output, explainer.link, explainer.value) == (
            params.output, params.link, params.value,
        ):  # fmt: skip
            return explainer
    known = [f"{e.output} with link {e.link} ({e.value})" for e in model.explainers]
    have, choose = (f", but for {listing(known)}", ", or choose what it has") if known else ("", "")
    raise InvalidInputError(
        f"Model {model.name} has no explainer for {params.output} with link {params.link} "
        f"({params.value}){have}; train one (workbench fastshap train){choose}."
    )


class SurrogateGame:
    """The set function that a surrogate stands for; it asks the model for whole rows alone.

    With no feature known the value is the one that was stored, with all of them it is what the
    model says; in between it is the surrogate's, after the link. ``evaluations`` are the model's,
    one a row; ``notes`` say whose surrogate it is and how good. See ``SetFunction``.
    """

    def __init__(
        self,
        model: Model,
        explainer: Explainer,
        *,
        context: Context | None = None,
        expected: int = 0,
    ) -> None:
        self.model, self.explainer = model, explainer
        self.context, self.expected, self.covered = context or Context(), expected, 0
        self.surrogate = surrogate_of(explainer, model.device)
        self.n_players, self.n_outputs = explainer.errors.shape
        self.n_groups = 0
        self.evaluations = 0
        self.chunk_rows = CHUNK_ROWS
        self.empty: Float[Tensor, " k"] = torch.from_numpy(explainer.empty).double()
        self.empty_std_errors = torch.from_numpy(explainer.base_std_errors).double()
        fidelity = explainer.fidelity
        self.notes = (
            f"{explainer.value} values are those of the surrogate of explainer "
            f"{explainer.digest[:8]}: its validation loss is {fidelity.loss:.4g}, that of knowing "
            f"nothing {fidelity.no_information:.4g}, and on whole rows it is "
            f"{fidelity.full:.2g} off the model; its own error is in no standard error",
        )

    def full(self, X: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """Value of the coalition of all features: what the model says."""
        explained = self.model.scores if self.explainer.output == "score" else self.model.predict
        self.evaluations += len(X)
        return apply_link(explained(X), self.explainer.link)

    @torch.no_grad()
    def values(
        self,
        X: Float[Tensor, "n d"],
        coalitions: Bool[Tensor, "m players"] | Bool[Tensor, "n m players"],
    ) -> Float[Tensor, "n m k"]:
        """Value of every coalition for every row, in double precision on the CPU."""
        self.covered += len(X) * coalitions.shape[-2]
        self.report()
        size = coalitions.sum(-1)
        table = surrogate_values(self.surrogate, X, coalitions, self.explainer.link).double().cpu()
        table = torch.where((size == 0)[..., None], self.empty, table)
        if bool((whole := size == self.n_players).any()):
            table = torch.where(whole[..., None], self.full(X)[:, None], table)
        return table

    def background_std_errors(self, estimates: Float[Tensor, "n d k"]) -> None:  # noqa: ARG002
        """Nothing was drawn."""
        return

    def report(self) -> None:
        """Tell how far it is, and stop if asked to."""
        total = max(self.expected, self.covered)
        self.context.step(self.covered, total, "coalitions of rows")


@torch.no_grad()
def surrogate_values(
    surrogate: MaskedNetwork,
    X: Float[Tensor, "n d"],
    coalitions: Bool[Tensor, "m d"] | Bool[Tensor, "n m d"],
    link: Link,
) -> Float[Tensor, "n m k"]:
    """Return the surrogate's value of each coalition, a chunk of rows at a time."""
    device = surrogate.scale.device
    width = max(surrogate.first.out_features, 1)
    step = max(1, _chunk_numbers(device) // (width * coalitions.shape[-2]))
    parts = []
    for start in range(0, len(X), step):
        rows = slice(start, start + step)
        own = coalitions if coalitions.ndim == 2 else coalitions[rows]
        parts.append(apply_link(surrogate.grid(X[rows].to(device), own.to(device)), link))
    return torch.cat(parts)


def _chunk_numbers(device: torch.device) -> int:
    """Keep activations in the cache on a CPU; elsewhere a quarter of a gibibyte."""
    return (CHUNK_BYTES if device.type == "cpu" else 2**28) // 4


@torch.no_grad()
def check_residuals(
    surrogate: MaskedNetwork,
    X: Float[Tensor, "n d"],
    coalitions: Bool[Tensor, "c d"],
    link: Link,
    empty: Float[Tensor, " k"],
    values: Float[Tensor, "n d k"],
) -> Float[Tensor, " n"]:
    """Return each row's mean squared residual of the values against the surrogate's game.

    It is high where a row is unlike those that the values were learned from; it also has the part
    that no values could explain, so it is compared with that of other rows.
    """
    gains = surrogate_values(surrogate, X, coalitions, link).cpu() - empty.float()
    found = values.float()
    return squared_residuals(found, gains, coalitions).mean(1).sum(1).double()
