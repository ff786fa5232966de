"""Many networks of one architecture trained at once, each from its own start on its own rows."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, Num
from torch import Tensor, nn
from torch.func import functional_call, vmap

from workbench.core.context import Context
from workbench.numerics.chunks import slices
from workbench.numerics.fitting import FitSettings

VALIDATION_ROWS = 2048
USUAL = FitSettings(epochs=100, rate=1e-3, decay=1e-3, patience=10)
# Rows in a training step where nobody says how many: a tenth of the rows, within these.
BATCHES = (32, 256)
# Always trained together, so that a network comes out the same whichever is asked for.
GROUP = 25
Stacked = Mapping[str, Float[Tensor, "b ..."]]
Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Addresses:
    """Where the random numbers of each network are."""

    purpose: int
    numbers: tuple[int, ...]

    def orders(self, context: Context, epoch: int, n: int) -> Int[Tensor, "b n"]:
        """Return the order in which each network sees its rows."""
        return torch.stack([
            torch.from_numpy(context.stream(self.purpose, number, 1 + epoch).permutation(n))
            for number in self.numbers
        ])

    def seed(self, context: Context, number: int) -> int:
        """Return a seed for torch's own generators."""
        return int(context.stream(self.purpose, number).integers(2**31))


def usual_batch(n_rows: int) -> int:
    """Return how many rows a training step has where nobody says.

    Examples
    --------
    >>> usual_batch(100), usual_batch(1000), usual_batch(30_000)
    (32, 100, 256)
    """
    return min(BATCHES[1], max(BATCHES[0], n_rows // 10))


def fit_many(
    network: nn.Module,
    start: Stacked,
    data: tuple[Float[Tensor, "n p"], Num[Tensor, "*each n"]],
    picks: Int[Tensor, "b m"],
    validation: tuple[Float[Tensor, "v p"], Num[Tensor, "*each v"]],
    loss: Loss,
    settings: FitSettings,
    addresses: Addresses,
    context: Context,
) -> dict[str, Float[Tensor, "b ..."]]:
    """Train networks that differ in their weights, as ``fitting.fit`` trains one.

    Each has its own order of rows, its own early stop, and keeps its best weights. Dropout is on
    while they train; normalisation keeps the statistics that the network has. Which networks are
    trained together decides the last bits of each, so the same numbers should always be together.

    Parameters
    ----------
    start
        Weights to begin with, by name, stacked.
    data, validation
        Encoded rows, the same for all networks, and labels: the same for all, or own ones of each.
    picks
        For each network, the places of its rows in the data.

    Returns
    -------
    The weights of least validation loss of each.
    """
    training = _in_training(network)
    truth, held = (labels.expand(len(picks), -1) for labels in (data[1], validation[1]))
    weights = {name: values.detach().clone().requires_grad_() for name, values in start.items()}
    optimiser = torch.optim.AdamW(weights.values(), lr=settings.rate, weight_decay=settings.decay)
    best = {name: values.detach().clone() for name, values in weights.items()}
    least = torch.full((len(picks),), torch.inf, dtype=torch.float64, device=picks.device)
    since = torch.zeros_like(least)
    device = data[0].device
    forked = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=forked), torch.enable_grad():
        torch.manual_seed(addresses.seed(context, addresses.numbers[0]))
        for epoch in range(settings.epochs):
            orders = addresses.orders(context, epoch, picks.shape[1]).to(device)
            for rows in picks.gather(1, orders).split(settings.batch, dim=1):
                if rows.shape[1] < 2:
                    continue
                optimiser.zero_grad()
                own = truth.gather(1, rows)
                _losses(training, weights, data[0][rows], own, loss).sum().backward()
                optimiser.step()
            now = _validation_loss(network, weights, (validation[0], held), loss)
            better = (now < least) & (since <= settings.patience)
            least, since = torch.where(better, now, least), torch.where(better, 0, since + 1)
            for name, values in weights.items():
                chosen = better.view(-1, *[1] * (values.ndim - 1))
                best[name] = torch.where(chosen, values.detach(), best[name])
            context.step(epoch + 1, settings.epochs, "epochs of networks that train together")
            if bool((since > settings.patience).all()):
                break
    return best


def _in_training(network: nn.Module) -> nn.Module:
    """Return a copy that drops out as in training and is otherwise as in use."""
    training = copy.deepcopy(network)
    for module in training.modules():
        if isinstance(module, nn.Dropout):
            module.train()
    return training


def _losses(
    network: nn.Module, weights: Stacked, X: Float[Tensor, "b m p"], y: Num[Tensor, "b m"],
    loss: Loss,
) -> Float[Tensor, " b"]:  # fmt: skip
    def one(own: dict[str, Tensor], rows: Tensor, truth: Tensor) -> Tensor:
        return loss(functional_call(network, own, (rows,)), truth)

    found: Tensor = vmap(one, randomness="different")(dict(weights), X, y)
    return found


@torch.no_grad()
def _validation_loss(
    network: nn.Module, weights: Stacked, rows: tuple[Float[Tensor, "v p"], Num[Tensor, "b v"]],
    loss: Loss,
) -> Float[Tensor, " b"]:  # fmt: skip
    def one(own: dict[str, Tensor], X: Tensor, y: Tensor) -> Tensor:
        return loss(functional_call(network, own, (X,)), y) * len(X)

    each = vmap(one, in_dims=(0, None, 0), randomness="error")
    parts = [
        each(dict(weights), rows[0][part], rows[1][:, part]).double()
        for part in slices(len(rows[0]), VALIDATION_ROWS)
    ]
    return torch.stack(parts).sum(0) / len(rows[0])
