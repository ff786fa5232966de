"""The training loop: Adam with decay, early stop on validation loss, best weights kept."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Num
from torch import Tensor, nn

from workbench.core.context import Context


@dataclass(frozen=True)
class FitSettings:
    """How to train; the early stop looks at the loss on validation rows."""

    epochs: int = 100
    batch: int = 256
    rate: float = 1e-3
    decay: float = 1e-4
    patience: int = 10


Loss = Callable[[Tensor, Tensor], Tensor]


def fit(
    module: nn.Module,
    data: tuple[Float[Tensor, "n d"], Num[Tensor, " n"]],
    validation: tuple[Float[Tensor, "v d"], Num[Tensor, " v"]],
    loss: Loss,
    settings: FitSettings,
    context: Context,
) -> tuple[float, ...]:
    """Train a module in place and leave it in evaluation mode with its best weights.

    Rows are shuffled by the context's random numbers; dropout draws from a generator that is
    seeded and put back, so the same seed gives the same weights on one machine.

    Returns
    -------
    Validation loss after each epoch.
    """
    X, y = data
    optimiser = torch.optim.AdamW(
        module.parameters(), lr=settings.rate, weight_decay=settings.decay
    )
    history: list[float] = []
    best = copy.deepcopy(module.state_dict())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(context.seed)
        for epoch in range(settings.epochs):
            module.train()
            order = torch.from_numpy(context.stream(epoch).permutation(len(X)))
            for rows in order.split(settings.batch):
                if len(rows) < 2:
                    continue
                optimiser.zero_grad()
                loss(module(X[rows]), y[rows]).backward()
                optimiser.step()
            module.eval()
            with torch.no_grad():
                history.append(loss(module(validation[0]), validation[1]).item())
            if history[-1] <= min(history):
                best = copy.deepcopy(module.state_dict())
            context.step(epoch + 1, settings.epochs, f"epochs, validation loss {history[-1]:.4f}")
            if len(history) - history.index(min(history)) > settings.patience:
                break
    module.load_state_dict(best)
    return tuple(history)
