"""A network as sections one after another, each a function of what came before it alone."""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from workbench.core.errors import InvalidInputError
from workbench.core.model import Model
from workbench.core.schema import listing
from workbench.numerics.section_jacobians import Dense
from workbench.registry.architectures import MLP, Linear, TabularResNet
from workbench.registry.graph import GraphNetwork, references

# Functions of each unit that are linear but for a bend, with their derivative.
BENDS: dict[type[nn.Module], Callable[[Tensor], Tensor]] = {nn.ReLU: lambda z: (z > 0).to(z)}
# What changes nothing in evaluation mode, and what treats each unit of a layer alone.
SILENT = (nn.Dropout, nn.Identity)
BENT = (nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ReLU6, nn.Hardtanh)
SMOOTH = (nn.GELU, nn.Tanh, nn.SiLU, nn.Sigmoid, nn.ELU, nn.Softplus)
AFFINE = (nn.Linear, nn.BatchNorm1d, nn.BatchNorm2d, nn.Conv1d, nn.Conv2d, nn.AvgPool2d,
          nn.Flatten)  # fmt: skip
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


def cut(network: nn.Module, inputs: Float[Tensor, "n p"]) -> Sections:
    """Cut a network before every linear layer or convolution, as far as its branches allow.

    Works on a copy in double precision and evaluation mode.

    Parameters
    ----------
    inputs
        A few encoded rows, on which sections are held against the network as a whole.

    Raises
    ------
    InvalidInputError
        If no cut is possible, or the sections do not give what the network gives.
    """
    network = copy.deepcopy(network).double().eval().requires_grad_(requires_grad=False)
    for module in network.modules():
        if hasattr(module, "inplace"):  # would change what is still to be looked at
            module.inplace = False  # type: ignore[assignment]
    inputs = inputs.double()
    if isinstance(network, MLP | Linear):
        layers = list(network.layers) if isinstance(network, MLP) else []
        sections = _of_row([network.first, *layers])
    elif isinstance(network, TabularResNet):
        sections = _of_blocks(network)
    elif isinstance(network, GraphNetwork):
        sections = _of_graph(network, inputs)
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


def _of_row(modules: Sequence[nn.Module]) -> Sections:
    parts: list[list[nn.Module]] = []
    for module in modules:
        if isinstance(module, nn.Linear) or not parts:
            parts.append([])
        parts[-1].append(module)
    return _sections(["inputs", *(f"hidden {i}" for i in range(1, len(parts))), "outputs"], parts)


def _of_blocks(network: TabularResNet) -> Sections:
    """Cut between blocks: each carries its skip connection inside, and only the stream passes."""
    parts: list[list[nn.Module]] = [[network.first], *([block] for block in network.blocks)]
    parts.append([network.head])
    streams = [f"stream {i}" for i in range(len(parts) - 1)]
    return _sections(["inputs", *streams, "outputs"], parts)


def _sections(names: Sequence[str], parts: Sequence[Sequence[nn.Module]]) -> Sections:
    return Sections(
        tuple(names),
        tuple(Rows(part) for part in parts),
        tuple(_dense(part) for part in parts),
        tuple(_bends(part) for part in parts),
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


def _of_graph(network: GraphNetwork, inputs: Tensor) -> Sections:
    """Cut a graph wherever all that follows reads what one step gave, and starts a layer."""
    starts = list(_cuts(network))
    if len(starts) > 1 and not _has_layer(network, starts[0], starts[1]):
        del starts[1]  # inputs that are only put into another shape are still the inputs
    if not starts:
        raise InvalidInputError(
            "The network cannot be cut: connections reach over all of its layers, so that no layer "
            "carries everything that follows."
        )
    shapes = _shapes(network, inputs[:1], starts)
    last = network._steps[-1].name
    names, ends = ["inputs", *starts[1:], "outputs"], [*starts[1:], last]
    parts = [
        Steps(network, start, stop, shapes[start]) for start, stop in zip(starts, ends, strict=True)
    ]
    return Sections(
        tuple(names), tuple(parts), tuple(None for _ in parts),
        tuple(_bent_steps(part) for part in parts),
    )  # fmt: skip


def _cuts(network: GraphNetwork) -> Iterator[str]:
    """Yield steps that alone are read later on, right before a linear layer or convolution."""
    steps = network._steps
    fixed = {node.name for node in steps if node.op == "tensor"}
    readers = {
        node.name: {
            name for part in (*node.args, *node.kwargs.values()) for name in references(part)
        }
        for node in steps
    }
    for at, node in enumerate(steps[:-1]):
        if node.op == "tensor":
            continue
        earlier = {step.name for step in steps[:at]} - fixed
        later = steps[at + 1 :]
        if any(readers[step.name] & earlier for step in later):
            continue
        first = [step for step in later if node.name in readers[step.name]]
        opens = any(step.op == "layer" and step.target in {"Linear", "Conv1d", "Conv2d"}
                    for step in first)  # fmt: skip
        if at == 0 or opens:
            yield node.name


def _has_layer(network: GraphNetwork, start: str, stop: str) -> bool:
    names = [node.name for node in network._steps]
    between = network._steps[names.index(start) + 1 : names.index(stop) + 1]
    return any(node.op == "layer" for node in between)


def _shapes(network: GraphNetwork, row: Tensor, names: Sequence[str]) -> dict[str, torch.Size]:
    known = {network._steps[0].name: row}
    for node in network._steps[1:]:
        known[node.name] = network._outcome(node, known)
    return {name: known[name].shape[1:] for name in names}


def _bent_steps(part: Steps) -> bool:
    names = {"flatten", "reshape", "view", "relu", "add", "cat", "mean", "permute", "unsqueeze"}
    fine = (*BENT, *AFFINE, *SILENT, nn.MaxPool2d)
    return all(
        isinstance(part.graph._find(node.path), fine) if node.op == "layer"
        else node.op == "tensor" or node.target in names
        for node in part.steps
    )  # fmt: skip
