"""A user's own PyTorch module becomes a model of the registry, which is data and no code."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from workbench.core.card import Architecture
from workbench.core.encoder import TabularEncoder
from workbench.core.errors import RegistryError
from workbench.core.model import splits_first_layer
from workbench.core.schema import Schema
from workbench.registry.architectures import build_encoder, build_network
from workbench.registry.columns_encoder import ColumnsEncoder
from workbench.registry.convert_output import Meaning, OutputKind, adapt_output
from workbench.registry.convert_trace import Tracing
from workbench.registry.graph import one_line
from workbench.registry.trial import trial_rows

RAW = Architecture(name="raw")
TOLERANCES = {torch.float64: (1e-9, 1e-9), torch.float32: (1e-5, 1e-6)}  # relative, absolute
NOT_SPLIT = (
    "Explanations are faster where a linear layer alone reads the input, which is not so here."
)


@dataclass(frozen=True)
class Converted:
    """What ``publish`` takes, and what was assumed on the way, one sentence each."""

    encoder: TabularEncoder | ColumnsEncoder
    network: nn.Module
    card: dict[str, Any]
    notes: tuple[str, ...]


def convert_module(
    module: nn.Module,
    schema: Schema,
    *,
    name: str,
    title: str = "",
    encoder: Architecture = RAW,
    output: OutputKind = "auto",
    rows: Tensor | None = None,
    created_by: str = "workbench convert",
) -> Converted:
    """Follow a module step by step and state it as a graph that needs no code of its author.

    The module takes encoded rows ``[n, p]`` and gives ``[n, k]`` or ``[n]``; it is left as it is.
    The graph is used only if it gives the module's own outputs again, in batches of several sizes.

    Parameters
    ----------
    encoder
        How raw features become the module's input columns.
    output
        What the module gives; ``auto`` reads it off its last step.
    rows
        Raw rows ``[n, d]``: the tabular encoder learns mean and scale from them, and the outputs
        are compared on them.

    Raises
    ------
    RegistryError
        If the module cannot be followed, does not fit the schema, or the graph differs from it.
    """
    built = build_encoder(encoder, schema)
    if isinstance(built, TabularEncoder):
        _fit(built, rows)
    built.eval().requires_grad_(requires_grad=False)
    X = trial_rows(schema) if rows is None else torch.cat([trial_rows(schema), rows[:100]])
    plain = _plain_copy(module)
    inputs = built(X)
    n_outputs = _n_outputs(plain, inputs.float())
    tracing = Tracing(plain, inputs.shape[1])
    _check_tensors(tracing.state)
    meaning, notes = adapt_output(tracing, schema, n_outputs, output)
    architecture = Architecture(name="graph", arguments={"nodes": tracing.steps})
    network = build_network(architecture, inputs.shape[1], len(schema.output_names))
    _load(network, tracing.state)
    network.eval().requires_grad_(requires_grad=False)
    _compare(plain, network, inputs, meaning)
    if not splits_first_layer(network):
        notes += (NOT_SPLIT,)
    card = {
        "name": name, "title": title or name, "schema": schema, "encoder": encoder,
        "network": architecture, "created_by": " ".join([f"{created_by}.", *notes]),
    }  # fmt: skip
    return Converted(built, network, card, notes)


def _fit(encoder: TabularEncoder, rows: Tensor | None) -> None:
    if encoder.embeddings:
        raise RegistryError(
            "The encoder's embeddings would have to be learned; use category codes and an "
            "nn.Embedding inside the network."
        )
    if rows is None and encoder.numeric:
        raise RegistryError(
            "The tabular encoder learns mean and scale from the training table; give it with "
            "--table, or state the columns in an encoder file."
        )
    if rows is not None:
        encoder.fit(rows)


def _plain_copy(module: nn.Module) -> nn.Module:
    """Copy a module in evaluation mode, in single precision, without hooks that renew weights."""
    if isinstance(module, torch.jit.ScriptModule):
        raise RegistryError(
            "The network is TorchScript; give the module it was made of, or export to ONNX."
        )
    module = getattr(module, "_orig_mod", module)  # what torch.compile wraps
    try:
        plain = _without_parametrizations(copy.deepcopy(module).cpu().eval())
        return plain.float().requires_grad_(requires_grad=False)
    except Exception as error:  # lazy layers, copies that a module forbids
        raise RegistryError(
            f"The network cannot be copied ({one_line(error)}); build it completely, with all "
            "sizes known, before it is converted."
        ) from None


def _without_parametrizations(module: nn.Module) -> nn.Module:
    """Put in the weights that weight norm and its like would compute.

    ``torch.nn.utils.parametrize`` would do so by changing a class that the original shares.
    """
    for name, part in list(module._modules.items()):
        if part is not None and name != "parametrizations":
            module._modules[name] = _without_parametrizations(part)
    if not parametrize.is_parametrized(module):
        return module
    plain: nn.Module = object.__new__(type(module).__mro__[1])
    plain.__dict__.update(module.__dict__)
    plain._modules = {k: v for k, v in module._modules.items() if k != "parametrizations"}
    computed = {k: getattr(module, k).detach() for k in module.parametrizations}  # type: ignore[union-attr]
    plain._parameters = dict(module._parameters) | {k: nn.Parameter(v) for k, v in computed.items()}
    return plain


@torch.no_grad()
def _n_outputs(module: nn.Module, inputs: Tensor) -> int:
    try:
        output = module(inputs)
    except Exception as error:  # whatever the user's own forward raises
        raise RegistryError(
            f"The network does not take the encoder's rows of {inputs.shape[1]} columns "
            f"({one_line(error)}); give the --encoder that makes the columns it was trained on."
        ) from None
    if not isinstance(output, Tensor) or output.ndim not in {1, 2} or len(output) != len(inputs):
        shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise RegistryError(
            f"The network gives {shape} for {len(inputs)} rows; its forward must return one tensor "
            "[rows, outputs]."
        )
    return 1 if output.ndim == 1 else output.shape[1]


def _check_tensors(state: dict[str, Tensor]) -> None:
    for name, tensor in state.items():
        if not torch.isfinite(tensor).all():
            raise RegistryError(
                f"Tensor {name!r} of the network holds NaN or infinity; train it again, or use a "
                "large number in the place of infinity."
            )


def _load(network: nn.Module, state: dict[str, Tensor]) -> None:
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        fault = " ".join(str(error).split())[:300].rstrip(".")
        raise RegistryError(
            f"A layer of the network holds other tensors than its kind does ({fault}); replace it, "
            "or export the network to ONNX."
        ) from None


def _compare(module: nn.Module, network: nn.Module, inputs: Tensor, meaning: Meaning) -> None:
    """Refuse a graph that says anything else than its module, in either precision.

    Sums of another batch size round otherwise, and a norm of few features makes much of that: so
    batches of several sizes are compared in double precision, unless the module has none.
    """
    rounded = _explained(copy.deepcopy(module).float(), inputs.float(), meaning)
    sizes = (len(inputs), 7, 1)
    try:
        exact = _explained(copy.deepcopy(module).double(), inputs.double(), meaning)
    except RuntimeError:  # a forward with casts of its own runs in single precision only
        _compare_in(network, inputs.float(), rounded, sizes, meaning)
        return
    _compare_in(network, inputs.float(), rounded, sizes[:1], meaning)
    _compare_in(network, inputs.double(), exact, sizes, meaning)


def _compare_in(
    network: nn.Module, rows: Tensor, expected: Tensor, sizes: tuple[int, ...], meaning: Meaning
) -> None:
    """Compare in the precision of the rows, in batches of these sizes."""
    graph = copy.deepcopy(network).to(rows.dtype)
    relative, absolute = TOLERANCES[rows.dtype]
    for size in sizes:
        parts = [graph(part) for part in torch.split(rows, size)]
        found = _as_explained(torch.cat(parts), meaning)
        if not torch.allclose(found, expected, rtol=relative, atol=absolute, equal_nan=True):
            worst = float((found - expected).abs().max())
            raise RegistryError(
                f"The converted network differs from the module by up to {worst:.2g} in "
                f"batches of {size}; a row's output must depend on that row alone, and steps "
                "must not change tensors in place."
            )


@torch.no_grad()
def _explained(module: Callable[[Tensor], Tensor], rows: Tensor, meaning: Meaning) -> Tensor:
    output = module(rows)
    if output.ndim == 1:
        output = output[:, None]
    if meaning == "probabilities" and not torch.allclose(
        output.sum(1), output.new_ones(()), rtol=0, atol=1e-4
    ):
        raise RegistryError(
            "The network's outputs do not add up to 1, so they are no probabilities; choose logits."
        )
    return output


def _as_explained(logits: Tensor, meaning: Meaning) -> Tensor:
    """Turn the graph's logits back into what the module itself gives."""
    if meaning == "one-logit":
        return logits[:, 1:] - logits[:, :1]
    if meaning == "probability":
        return logits.softmax(1)[:, 1:]
    return logits.softmax(1) if meaning == "probabilities" else logits
