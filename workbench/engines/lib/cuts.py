"""Where a network can be cut: at layers that carry everything that follows."""

from collections.abc import Iterator, Mapping, Sequence

from torch import Tensor, nn

from workbench.core.errors import InvalidInputError
from workbench.core.schema import listing
from workbench.registry.architectures import MLP, Linear, TabularResNet
from workbench.registry.graph import GraphNetwork, Node, references

OPENING = frozenset({"Linear", "Conv1d", "Conv2d"})


def layer_names(network: nn.Module) -> tuple[str, ...]:
    """Return the layers between inputs and outputs that a network is cut at unless told otherwise.

    None of a black box, and none where connections reach over all layers.
    """
    if isinstance(network, Linear | MLP):
        return tuple(name for name, _ in row_parts(network)[1:])
    if isinstance(network, TabularResNet):
        return tuple(name for name, _ in block_parts(network)[1:])
    return tuple(_graph_cuts(network)) if isinstance(network, GraphNetwork) else ()


def row_parts(network: MLP | Linear) -> list[tuple[str, list[nn.Module]]]:
    """Return modules one after another, in parts by the layer that each part starts at."""
    modules = [network.first, *(network.layers if isinstance(network, MLP) else ())]
    parts: list[tuple[str, list[nn.Module]]] = []
    for module in modules:
        if isinstance(module, nn.Linear) or not parts:
            parts.append((f"hidden {len(parts)}" if parts else "inputs", []))
        parts[-1][1].append(module)
    return parts


def block_parts(network: TabularResNet) -> list[tuple[str, list[nn.Module]]]:
    """Return first layer, blocks and head; blocks carry their skip connections inside."""
    modules: list[nn.Module] = [network.first, *network.blocks, network.head]
    names = ["inputs", *(f"stream {i}" for i in range(len(modules) - 1))]
    return [(name, [module]) for name, module in zip(names, modules, strict=True)]


def over_blocks(network: TabularResNet) -> dict[str, tuple[str, str]]:
    """Return the layers inside blocks, each with the streams that the block's skip connects."""
    return {
        f"inside block {i + 1}": (f"stream {i}", f"stream {i + 1}")
        for i in range(len(network.blocks))
    }


def over_steps(network: GraphNetwork) -> dict[str, tuple[str, str]]:
    """Return the steps of a graph that a connection reaches over: from which step, and to which."""
    steps, fixed = network._steps, _fixed(network)
    last = {name: at for at, node in enumerate(steps) for name in read_by(node)}
    crossed: dict[str, tuple[str, str]] = {}
    start, stop = "", 0  # of what reaches furthest of all steps so far
    for at, node in enumerate(steps):
        if node.name in fixed:
            continue
        if stop > at:
            crossed[node.name] = start, steps[stop].name
        if last.get(node.name, 0) > stop:
            start, stop = node.name, last[node.name]
    return crossed


def step_names(network: GraphNetwork, wished: Sequence[str]) -> list[str]:
    """Return the steps between which a graph is cut, its inputs first.

    Raises
    ------
    InvalidInputError
        If a wished one does not exist, or a connection reaches over it.
    """
    fixed, crossed = _fixed(network), over_steps(network)
    start, *between = [node.name for node in network._steps[:-1] if node.name not in fixed]
    if not wished:
        return [start, *_graph_cuts(network)]
    check_layers(wished, [name for name in between if name not in crossed], crossed)
    return [start, *(name for name in between if name in wished)]


def check_layers(
    wished: Sequence[str], possible: Sequence[str], crossed: Mapping[str, tuple[str, str]]
) -> None:
    """Refuse layers that a network does not have, and those that a connection reaches over.

    Raises
    ------
    InvalidInputError
        Naming the first such layer, why, and those that can be chosen.
    """
    choice = f"choose among {listing(possible)}" if possible else "there is none that can be chosen"
    for name in wished:
        if name in crossed:
            start, stop = crossed[name]
            raise InvalidInputError(
                f"The network cannot be cut at layer {name!r}: a skip connection reaches over it, "
                f"from {start!r} to {stop!r}, so that it does not carry everything that follows; "
                f"{choice}."
            )
        if name not in possible:
            raise InvalidInputError(
                f"The network has no layer {name!r} between its inputs and outputs; {choice}."
            )


def check_numbers(name: str, found: object) -> Tensor:
    """Return what a layer gives for a row, refused unless it is numbers for each row.

    Raises
    ------
    InvalidInputError
        If it is something else.
    """
    if not isinstance(found, Tensor) or not found.is_floating_point() or found.ndim < 2:
        raise InvalidInputError(
            f"The network cannot be cut at layer {name!r}: it does not give real numbers for each "
            "row; choose another."
        )
    return found


def _graph_cuts(network: GraphNetwork) -> list[str]:
    """Find the steps that alone are read later on, right before a layer of weights."""
    crossed, fixed = over_steps(network), _fixed(network)
    start, *between = [node.name for node in network._steps[:-1] if node.name not in fixed]
    found = [name for name in between if name not in crossed and _opens(network, name)]
    if found and not any(node.op == "layer" for node in _between(network, start, found[0])):
        del found[0]  # inputs that are only put into another shape are still the inputs
    return found


def _opens(network: GraphNetwork, name: str) -> bool:
    """Whether a layer of weights reads a step."""
    return any(node.op == "layer" and node.target in OPENING and name in read_by(node)
               for node in network._steps)  # fmt: skip


def _between(network: GraphNetwork, start: str, stop: str) -> Iterator[Node]:
    names = [node.name for node in network._steps]
    yield from network._steps[names.index(start) + 1 : names.index(stop) + 1]


def _fixed(network: GraphNetwork) -> set[str]:
    """Name the steps that are tensors of the network's own, the same for every row."""
    return {node.name for node in network._steps if node.op == "tensor"}


def read_by(node: Node) -> set[str]:
    """Return the steps that a step of a graph reads."""
    return {name for part in (*node.args, *node.kwargs.values()) for name in references(part)}
