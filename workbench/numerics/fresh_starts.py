"""Networks of a given architecture before training: weights as their layers draw them."""

import copy

import torch
from jaxtyping import Float, Int, Num
from torch import Tensor, nn

from workbench.core.context import Context
from workbench.core.model import Model
from workbench.core.wording import counted
from workbench.numerics.many_fits import Addresses, Loss


def fresh_starts(
    model: Model, truth: Float[Tensor, " n"] | Int[Tensor, " n"], addresses: Addresses,
    context: Context,
) -> dict[str, Float[Tensor, "b ..."]]:  # fmt: skip
    """Draw first weights as the layers themselves draw them, stacked by name.

    Parameters
    ----------
    truth
        Labels to train on; of a regression, the last layer starts at their mean and scale.
    """
    found: list[dict[str, Tensor]] = []
    with torch.random.fork_rng(devices=[]):
        for number in addresses.numbers:
            torch.manual_seed(addresses.seed(context, number))
            network = copy.deepcopy(model.network).cpu()
            for module in network.modules():
                draw = getattr(module, "reset_parameters", None)
                if draw is not None:
                    draw()
            if model.schema.task == "regression":
                _start_at_the_mean(network, truth.cpu())
            found.append(dict(network.named_parameters()))
    device = next(model.network.parameters()).device
    return {
        name: torch.stack([own[name].detach() for own in found]).to(device) for name in found[0]
    }


def _start_at_the_mean(network: nn.Module, truth: Float[Tensor, " n"]) -> None:
    """Set the last layer to the target's mean and scale, as bundled models begin."""
    last = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    with torch.no_grad():
        last.weight.mul_(float(truth.std()))
        if last.bias is not None:
            last.bias.fill_(float(truth.mean()))


def training_loss(truth: Num[Tensor, " n"], classes: int) -> Loss:
    """Return what training makes small; a squared error in units of the target's variance."""
    if classes:
        return nn.functional.cross_entropy
    variance = float(truth.var())
    return lambda values, y: nn.functional.mse_loss(values[:, 0], y) / variance


def kept_parameters(network: nn.Module) -> str:
    """Say which parameters have no start of their own to draw, and keep the given values."""
    drawn = {
        id(own)
        for module in network.modules()
        if hasattr(module, "reset_parameters")
        for own in module.parameters(recurse=False)
    }
    kept = [own for own in network.parameters() if id(own) not in drawn]
    if not kept:
        return ""
    return f"{counted(len(kept), 'parameter tensor')} of the network start from the given values."
