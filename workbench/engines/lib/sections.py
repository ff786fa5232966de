"""A network as sections one after another, each a function of what came before it alone."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from workbench.core.errors import InvalidInputError
from workbench.core.model import Model
from workbench.core.schema import listing
from workbench.engines.lib.cuts import (
    block_parts,
    check_layers,
    check_numbers,
    over_blocks,
    read_by,
    row_parts,
    step_names,
)
from workbench.numerics.section_jacobians import Dense
from workbench.registry.architectures import MLP, Linear, TabularResNet
from workbench.registry.graph import GraphNetwork, Node

# Functions of each unit that are linear but for a bend, with their derivative.
BENDS: dict[type[nn.Module], Callable[[Tensor], Tensor]] = {nn.ReLU: lambda z: (z > 0).to(z)}
# What changes nothing in evaluation mode, and what treats each unit of a layer alone.
SILENT = (nn.Dropout, nn.Identity)
BENT = (nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ReLU6, nn.Hardtanh)
SMOOTH = (nn.GELU, nn.Tanh, nn.SiLU, nn.Sigmoid, nn.ELU, nn.Softplus)
AFFINE = (nn.Linear, nn.BatchNorm1d, nn.BatchNorm2d, nn.Conv1d, nn.Conv2d, nn.AvgPool2d,
          nn.Flatten)  # fmt: skip
BENT_FUNCTIONS = frozenset({
    "flatten", "reshape", "view", "relu", "add", "cat", "mean", "permute", "unsqueeze",
})  # fmt: skip
TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class Sections:
    """A network cut at some layers; activations are ``[n s d]`` with ``s`` positions.

    Attributes
    ----------
    names
        Of the layers between sections, the network's inputs first and its outputs last.
    parts
        One section for each layer but the last.
    dense
        What a section is made of where it is a linear layer with a function of each unit.
    bends
        Whether a section is linear but for bends, so that its gradient along the way from zero is
        that at its end.
    before
        What makes the first layer of rows, where they are not that layer themselves; it is run
        and no section.
    """

    names: tuple[str, ...]
    parts: tuple[nn.Module, ...]
    dense: tuple[Dense | None, ...]
    bends: tuple[bool, ...]
    before: nn.Module | None = None

    def layers(
        self, inputs: Float[Tensor, "n p"] | Int[Tensor, "n p"], rows: int = 4096
    ) -> list[Tensor]:
        """Return the activations of rows at every layer."""
        found: list[list[Tensor]] = [[] for _ in self.names]
        for part in torch.split(inputs, rows):
            activations = part[:, None] if self.before is None else self.before(part)
            found[0].append(activations)
            for kept, section in zip(found[1:], self.parts, strict=True):
                activations = section(activations)
                kept.append(activations)
        return [torch.cat(layer) for layer in found]


class Rows(nn.Module):
    """Modules one after another on activations of a single position."""

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        super().__init__()
        self.inner = nn.Sequential(*modules)

    def forward(self, activations: Float[Tensor, "n 1 d"]) -> Float[Tensor, "n 1 e"]:
        """Run them."""
        outputs: Tensor = self.inner(activations[:, 0])
        return outputs[:, None]


class Steps(nn.Module):
    """Some steps of a graph, from one tensor to another."""

    def __init__(self, graph: GraphNetwork, start: str, stop: str, shape: torch.Size) -> None:
        super().__init__()
        self.graph = graph
        names = [node.name for node in graph._steps]
        self.start, self.stop = start, stop
        self.steps = graph._steps[names.index(start) + 1 : names.index(stop) + 1]
        self.shape = shape  # of one row where it starts

    def forward(self, activations: Float[Tensor, "n s d"]) -> Float[Tensor, "n t e"]:
        """Take the steps."""
        known = {self.start: _as_tensor(activations, self.shape)}
        for node in self.graph._steps:  # tensors of its own stand anywhere before their use
            if node.op == "tensor":
                known[node.name] = self.graph._outcome(node, known)
        for node in self.steps:
            if node.op != "tensor":
                known[node.name] = self.graph._outcome(node, known)
        return as_positions(known[self.stop])


def as_positions(found: Tensor) -> Float[Tensor, "n s d"]:
    """Return activations with an axis of positions: pixels of a map, a single one of a vector."""
    if found.ndim == 1:
        found = found[:, None]
    return found[:, None] if found.ndim == 2 else found.flatten(2).transpose(1, 2)


def _as_tensor(activations: Tensor, shape: torch.Size) -> Tensor:
    if len(shape) == 1:
        return activations[:, 0]
    return activations.transpose(1, 2).reshape(-1, *shape)


def where_double(model: Model) -> Model:
    """Return the model, on the CPU if its device knows no double precision."""
    return model.to("cpu") if model.device.type == "mps" else model


def cut(network: nn.Module, inputs: Float[Tensor, "n p"], layers: Sequence[str] = ()) -> Sections:
    """Cut a network before every linear layer or convolution, as far as its branches allow.

    Works on a copy in double precision and evaluation mode.

    Parameters
    ----------
    inputs
        A few encoded rows, on which sections are held against the network as a whole.
    layers
        Names of layers to cut at instead.

    Raises
    ------
    InvalidInputError
        If the network shows no layers, has none of a name, a connection reaches over one, or the
        sections do not give what the network gives.
    """
    network = copy.deepcopy(network).double().eval().requires_grad_(requires_grad=False)
    for module in network.modules():
        if hasattr(module, "inplace"):  # would change what is still to be looked at
            module.inplace = False  # type: ignore[assignment]
    inputs = inputs.double()
    if isinstance(network, MLP | Linear):
        sections = _of_parts(row_parts(network), layers, {})
    elif isinstance(network, TabularResNet):
        sections = _of_parts(block_parts(network), layers, over_blocks(network))
    elif isinstance(network, GraphNetwork):
        sections = _of_graph(network, inputs, layers)
    else:
        raise InvalidInputError(
            "The network is a black box: it shows no layers to look into. Choose a network of the "
            "catalogue."
        )
    check_sections(sections, network, inputs)
    return sections


def check_sections(sections: Sections, network: nn.Module, inputs: Tensor) -> None:
    """Refuse sections that do not give what the network gives.

    Raises
    ------
    InvalidInputError
        If an output differs, rounding aside.
    """
    want = network(inputs)
    got = sections.layers(inputs)[-1][:, 0]
    if got.shape != want.shape or (got - want).abs().max() > TOLERANCE * (1 + want.abs().max()):
        raise InvalidInputError(
            "The sections of the network do not add up to the network: something reaches over a "
            f"cut among {listing(sections.names)}. Name other layers to cut at."
        )


def _of_parts(
    parts: Sequence[tuple[str, list[nn.Module]]], layers: Sequence[str],
    crossed: Mapping[str, tuple[str, str]],
) -> Sections:  # fmt: skip
    """Cut at the layers that are wished, at every one where none is."""
    check_layers(layers, [name for name, _ in parts[1:]], crossed)
    joined: list[tuple[str, list[nn.Module]]] = []
    for name, modules in parts:
        if not joined or not layers or name in layers:
            joined.append((name, []))
        joined[-1][1].extend(modules)
    return Sections(
        (*(name for name, _ in joined), "outputs"),
        tuple(Rows(part) for _, part in joined),
        tuple(_dense(part) for _, part in joined),
        tuple(_bends(part) for _, part in joined),
    )


def _dense(part: Sequence[nn.Module]) -> Dense | None:
    """Tell what a section is made of, if it is a linear layer with at most one bend a unit."""
    first, *others = [module for module in part if not isinstance(module, SILENT)]
    if not isinstance(first, nn.Linear) or len(others) > 1:
        return None
    if not others:
        return Dense(first.weight, None)
    bend = BENDS.get(type(others[0]))
    if bend is None:
        return None
    return Dense(first.weight, lambda activations: bend(first(activations)))


def _bends(part: Sequence[nn.Module]) -> bool:
    kinds = [module for whole in part for module in whole.modules() if not list(module.children())]
    return all(isinstance(module, (*BENT, *AFFINE, *SILENT)) for module in kinds)


def _of_graph(network: GraphNetwork, inputs: Tensor, layers: Sequence[str]) -> Sections:
    """Cut a graph at some steps, unless told otherwise wherever a layer of weights starts."""
    starts = step_names(network, layers)
    shapes = _shapes(network, inputs[:1], starts)
    ends = [*starts[1:], network._steps[-1].name]
    parts = [
        Steps(network, start, stop, shapes[start]) for start, stop in zip(starts, ends, strict=True)
    ]
    return Sections(
        ("inputs", *starts[1:], "outputs"), tuple(parts),
        tuple(_dense_steps(part) for part in parts), tuple(_bent_steps(part) for part in parts),
    )  # fmt: skip


def _shapes(network: GraphNetwork, row: Tensor, names: Sequence[str]) -> dict[str, torch.Size]:
    known = {network._steps[0].name: row}
    for node in network._steps[1:]:
        known[node.name] = network._outcome(node, known)
    return {name: check_numbers(name, known[name]).shape[1:] for name in names}


def _dense_steps(part: Steps) -> Dense | None:
    """Tell what some steps are made of, as of modules one after another."""
    modules, before = [], part.start
    for node in part.steps:
        if read_by(node) != {before}:
            return None
        before = node.name
        if node.op == "layer":
            modules.append(part.graph._find(node.path))
        elif node.target == "relu":
            modules.append(nn.ReLU())
        else:
            return None
    return _dense(modules) if len(part.shape) == 1 else None


def _bent_steps(part: Steps) -> bool:
    fine = (*BENT, *AFFINE, *SILENT, nn.MaxPool2d)
    return all(
        isinstance(part.graph._find(node.path), fine) if node.op == "layer" else _is_bent(node)
        for node in part.steps
    )  # fmt: skip


def _is_bent(node: Node) -> bool:
    """Whether a function is linear but for bends."""
    if node.op == "tensor" or node.target in BENT_FUNCTIONS:
        return True
    # By a number; of two tensors of which both depend on the rows neither is linear.
    return node.target in {"div", "mul"} and isinstance(node.args[-1], int | float)
