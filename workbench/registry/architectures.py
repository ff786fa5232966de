"""The catalogue: the only networks a card may name. Nothing from a file is ever executed."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from workbench.core.card import Architecture
from workbench.core.encoder import TabularArguments, TabularEncoder
from workbench.core.errors import RegistryError
from workbench.core.schema import Schema, listing
from workbench.core.wording import dotted
from workbench.registry.columns_encoder import (
    ColumnsArguments,
    ColumnsEncoder,
    RawArguments,
    columns_of_raw,
)
from workbench.registry.graph import GraphArguments, GraphNetwork

ACTIVATIONS: Mapping[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "silu": nn.SiLU,
}
Activation = Literal["relu", "gelu", "tanh", "silu"]
SomeArguments = TypeVar("SomeArguments", bound=BaseModel)
MAX_WIDTH = 8192
MAX_DEPTH = 64
MAX_FAULTS = 5
Width = Annotated[int, Field(ge=1, le=MAX_WIDTH)]


class _Arguments(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LinearArguments(_Arguments):
    """A linear or logistic model has nothing to choose."""


class MLPArguments(_Arguments):
    """Widths of the hidden layers, the activation, and dropout after each activation."""

    hidden: tuple[Width, ...] = Field((128, 128), min_length=1, max_length=MAX_DEPTH)
    activation: Activation = "relu"
    dropout: float = Field(0.0, ge=0, lt=1)


class ResNetArguments(_Arguments):
    """Width of the residual stream, number of blocks, width inside a block, and dropout."""

    width: Width = 128
    n_blocks: int = Field(2, ge=1, le=MAX_DEPTH)
    hidden: Width = 256
    dropout: float = Field(0.0, ge=0, lt=1)


class Linear(nn.Module):
    """Linear regression, or multinomial logistic regression through the logits."""

    def __init__(self, n_inputs: int, n_outputs: int, _: LinearArguments) -> None:
        super().__init__()
        self.first = nn.Linear(n_inputs, n_outputs)

    def rest(self, hidden: Tensor) -> Tensor:
        """Nothing follows the first layer."""
        return hidden

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits or values ``[n, k]``."""
        return self.rest(self.first(inputs))


class MLP(nn.Module):
    """Linear, activation, dropout, ... , linear."""

    def __init__(self, n_inputs: int, n_outputs: int, arguments: MLPArguments) -> None:
        super().__init__()
        hidden = arguments.hidden
        self.first = nn.Linear(n_inputs, hidden[0])
        layers: list[nn.Module] = []
        for width, following in zip(hidden, [*hidden[1:], n_outputs], strict=True):
            layers += [ACTIVATIONS[arguments.activation](), nn.Dropout(arguments.dropout)]
            layers.append(nn.Linear(width, following))
        self.layers = nn.Sequential(*layers)

    def rest(self, hidden: Tensor) -> Tensor:
        """Everything after the first linear layer."""
        logits: Tensor = self.layers(hidden)
        return logits

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits or values ``[n, k]``."""
        return self.rest(self.first(inputs))


class _ResidualBlock(nn.Module):
    def __init__(self, arguments: ResNetArguments) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm1d(arguments.width),
            nn.Linear(arguments.width, arguments.hidden),
            nn.ReLU(),
            nn.Dropout(arguments.dropout),
            nn.Linear(arguments.hidden, arguments.width),
        )

    def forward(self, hidden: Tensor) -> Tensor:
        change: Tensor = self.body(hidden)
        return hidden + change


class TabularResNet(nn.Module):
    """The residual network for tables of Gorishniy et al. (2021), Sec. 3.3."""

    def __init__(self, n_inputs: int, n_outputs: int, arguments: ResNetArguments) -> None:
        super().__init__()
        self.first = nn.Linear(n_inputs, arguments.width)
        self.blocks = nn.Sequential(*(_ResidualBlock(arguments) for _ in range(arguments.n_blocks)))
        self.head = nn.Sequential(
            nn.BatchNorm1d(arguments.width), nn.ReLU(), nn.Linear(arguments.width, n_outputs)
        )

    def rest(self, hidden: Tensor) -> Tensor:
        """Everything after the first linear layer."""
        logits: Tensor = self.head(self.blocks(hidden))
        return logits

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits or values ``[n, k]``."""
        return self.rest(self.first(inputs))


ENCODERS = ("tabular", "columns", "raw")
CATALOGUE: Mapping[str, tuple[type[nn.Module], type[BaseModel]]] = {
    "graph": (GraphNetwork, GraphArguments),
    "linear": (Linear, LinearArguments),
    "mlp": (MLP, MLPArguments),
    "tabular-resnet": (TabularResNet, ResNetArguments),
}


def build_encoder(architecture: Architecture, schema: Schema) -> TabularEncoder | ColumnsEncoder:
    """Build the encoder that a card names.

    Raises
    ------
    RegistryError
        If the name is not in the catalogue or an argument does not fit.
    """
    if architecture.name == "tabular":
        return TabularEncoder(schema, _parse(TabularArguments, architecture))
    if architecture.name == "columns":
        return ColumnsEncoder(schema, _parse(ColumnsArguments, architecture))
    if architecture.name == "raw":
        stated = columns_of_raw(schema, _parse(RawArguments, architecture))
        return ColumnsEncoder(schema, stated)
    raise RegistryError(
        f"There is no encoder {_short(architecture.name)}; choose one of {listing(ENCODERS)}."
    )


def build_network(architecture: Architecture, n_inputs: int, n_outputs: int) -> nn.Module:
    """Build the network that a card names, with weights yet to be loaded or trained.

    Raises
    ------
    RegistryError
        If the name is not in the catalogue or an argument does not fit.
    """
    if architecture.name not in CATALOGUE:
        raise RegistryError(
            f"There is no architecture {_short(architecture.name)}; choose one of "
            f"{listing(CATALOGUE)}."
        )
    network, arguments = CATALOGUE[architecture.name]
    parsed = _parse(arguments, architecture)
    with torch.random.fork_rng(devices=[]):
        return network(n_inputs, n_outputs, parsed)


def _parse(kind: type[SomeArguments], architecture: Architecture) -> SomeArguments:
    try:
        return kind.model_validate(architecture.arguments)
    except ValidationError as error:
        faults = "; ".join(
            f"{dotted(fault['loc'])[:80]}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors()[:MAX_FAULTS]
        )
        raise RegistryError(
            f"Arguments of architecture {architecture.name!r} do not fit: {faults}."
        ) from None


def _short(name: str) -> str:
    return repr(name if len(name) <= 80 else f"{name[:79]}…")
