"""A network with its preprocessing and its card, spoken to in raw features."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal, Protocol, TypeGuard, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.core.card import Card
from workbench.core.errors import InvalidInputError
from workbench.core.explainer import Explainer
from workbench.core.schema import Schema

Output = Literal["probability", "score"]
CHUNK_ROWS = 8192


class Encoder(Protocol):
    """Raw features ``[n, d]`` to network input ``[n, p]``.

    Column ``j`` of the input depends on feature ``groups[j]`` alone, so hiding a feature and
    encoding may change places: rows are encoded once, and features are hidden among the encoded
    columns.
    """

    groups: Tensor

    def __call__(self, X: Tensor, /) -> Tensor: ...  # noqa: D102


class SplitsFirstLayer(Protocol):
    """A network whose first operation is linear: ``forward(z) == rest(first(z))``."""

    first: nn.Linear

    def rest(self, hidden: Tensor, /) -> Tensor: ...  # noqa: D102


def splits_first_layer(network: object) -> TypeGuard[SplitsFirstLayer]:
    """Tell whether a network shows its first, linear operation and what follows it.

    ``isinstance`` would not tell: since Python 3.12 it looks where modules do not keep layers.
    """
    return isinstance(getattr(network, "first", None), nn.Linear) and hasattr(network, "rest")


@runtime_checkable
class BlackBox(Protocol):
    """A network that answers and shows nothing else; a call crosses to another process.

    It reads raw features on the CPU in double precision, wherever it is moved to.
    """

    black_box: bool


@dataclass(frozen=True, eq=False)
class Model:
    """A model as every engine sees it; in evaluation mode, without parameter gradients.

    Attributes
    ----------
    network
        Maps encoded inputs to ``k`` logits (classification) or one value (regression).
    digest
        SHA-256 of the card, which in turn holds the SHA-256 of the weights.
    explainers
        Networks that were trained to explain it at once; see ``with_explainer``.
    """

    encoder: nn.Module
    network: nn.Module
    card: Card
    digest: str
    explainers: tuple[Explainer, ...] = ()

    def __post_init__(self) -> None:
        for module in (self.encoder, self.network):
            module.eval().requires_grad_(requires_grad=False)

    @property
    def name(self) -> str:
        """Name and version, as in ``adult-mlp@1``."""
        return f"{self.card.name}@{self.card.version}"

    @property
    def schema(self) -> Schema:
        """The raw features that the model reads."""
        return self.card.schema

    @property
    def groups(self) -> Tensor:
        """For each column of the network input, the index of its raw feature ``[p]``."""
        groups = self.encoder.groups
        assert isinstance(groups, Tensor)  # noqa: S101 - a buffer, by the Encoder protocol
        return groups

    @property
    def output_names(self) -> tuple[str, ...]:
        """One name per output: the classes, or the target."""
        return self.schema.output_names

    @property
    def n_models(self) -> int:
        """How many models this is: more than one where several answer side by side."""
        return len(self.output_names) // len(self.schema.output_names)

    @property
    def device(self) -> torch.device:
        """Where the weights are; the CPU for a black box."""
        return self._any_tensor.device

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the weights; double for a black box."""
        return self._any_tensor.dtype

    @property
    def _any_tensor(self) -> Tensor:
        return next(chain(self.network.parameters(), self.network.buffers()))

    @property
    def capabilities(self) -> frozenset[str]:
        """What engines may ask of it: ``differentiable``, ``first_layer``, ``dropout``.

        ``perturbable`` says that it has linear layers, whose weights can be moved. A
        ``black_box`` has nothing but answers, and they come in large batches. ``explainer`` says
        that a network was trained to explain it.
        """
        found = {"explainer"} if self.explainers else set()
        if isinstance(self.network, BlackBox):
            return frozenset(found | {"black_box"})
        found.add("differentiable")
        modules = tuple(self.network.modules())
        if splits_first_layer(self.network):
            found.add("first_layer")
        if any(isinstance(module, nn.Dropout) for module in modules):
            found.add("dropout")
        if any(isinstance(module, nn.Linear) for module in modules):
            found.add("perturbable")
        return frozenset(found)

    @property
    def whole_numbers(self) -> frozenset[int]:
        """Features of which a black box takes whole numbers alone; none of other models."""
        found: frozenset[int] = getattr(self.network, "whole_numbers", frozenset())
        return found

    def without_fractions(self, X: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """Return rows with rounded values where a black box takes whole numbers alone."""
        places = sorted(self.whole_numbers)
        if not places:
            return X
        X = X.clone()
        X[:, places] = X[:, places].round()
        return X

    def to(
        self, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> "Model":
        """Return a copy elsewhere or in another precision; this model stays as it is.

        A black box stays on the CPU in double precision.
        """
        encoder, network = copy.deepcopy(self.encoder), copy.deepcopy(self.network)
        return replace(
            self,
            encoder=encoder.to(device=device, dtype=dtype),
            network=network.to(device=device, dtype=dtype),
        )

    def with_explainer(self, explainer: Explainer) -> "Model":
        """Return the model with one more explainer; of several that fit, the last is asked.

        Raises
        ------
        InvalidInputError
            If it was trained for another model.
        """
        record = explainer.provenance
        if record.model_digest != self.digest or explainer.schema != self.schema:
            raise InvalidInputError(
                f"The explainer was trained for {record.model} (sha256 "
                f"{record.model_digest[:8]}), not for {self.name} (sha256 {self.digest[:8]}); "
                "train one for this model."
            )
        kept = [own for own in self.explainers if own.digest != explainer.digest]
        return replace(self, explainers=(*kept, explainer))

    def encode(self, X: Float[Tensor, "n d"]) -> Float[Tensor, "n p"]:
        """Turn raw features into network input, on the model's device."""
        # Apple's devices know no double precision.
        dtype = torch.float32 if self.device.type == "mps" else X.dtype
        encoded: Tensor = self.encoder(X.to(self.device, dtype))
        return encoded.to(self.dtype)

    def outputs(self, logits: Float[Tensor, "*n k"], output: Output) -> Float[Tensor, "*n k"]:
        """Turn what the network says into what is explained.

        A probability is the softmax. A score is the log-odds of each class for two classes (the
        difference of the logits, so it does not depend on a constant added to both), the logits
        for more, and the value itself for regression, where both words mean the same.

        Raises
        ------
        InvalidInputError
            If a score is asked for and a black box is so sure that it is infinite.
        """
        if self.schema.task == "regression":
            return logits
        if output == "probability":
            return logits.softmax(-1)
        if isinstance(self.network, BlackBox) and bool(logits.isinf().any()):
            raise InvalidInputError(
                f"Model {self.name} gives a probability of exactly 0 or 1 for some rows, whose "
                "log-odds are infinite; explain the probability instead of the score."
            )
        if self.schema.task == "binary":
            return logits - logits.flip(-1)
        return logits

    @torch.no_grad()
    def scores(self, X: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """Log-odds, logits or values of raw rows, in double precision on the CPU."""
        return self._run(X, "score")

    @torch.no_grad()
    def predict(self, X: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """Probabilities or values of raw rows, in double precision on the CPU."""
        return self._run(X, "probability")

    def _run(self, X: Tensor, output: Output) -> Tensor:
        forward: Callable[[Tensor], Tensor] = self.network
        parts = [
            self.outputs(forward(self.encode(rows)), output).double().cpu()
            for rows in torch.split(X, CHUNK_ROWS)
        ]
        return torch.cat(parts)
