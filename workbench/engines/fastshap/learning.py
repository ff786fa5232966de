"""What both networks' training shares: rows told apart, a loop that keeps the best state."""

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor, nn

from workbench.core.context import Context
from workbench.core.table import Table

# Of the address of every random number of the training.
SPLIT, START, SURROGATE, WARM, SHAPLEY, STORED = range(6)
MOST_VALIDATION, MOST_HELD_OUT = 1024, 256
CROSSED, MOST_FOREIGN = 8192, 0.3
REPEATS, FEW_ROWS, MANY_ROWS = 16, 16_384, 32_768


@dataclass(frozen=True)
class Parts:
    """Rows to learn from, to stop early by, and to be measured on."""

    train: Table
    validation: Table
    held_out: Table


def tenth(n_rows: int) -> int:
    """Return a tenth of the rows, at least one."""
    return math.ceil(n_rows / 10)


def told_apart(rows: Table, context: Context) -> Parts:
    """Draw validation and held-out rows, a tenth each; every part has at least one row."""
    n = len(rows)
    validation, held_out = (min(tenth(n), most) for most in (MOST_VALIDATION, MOST_HELD_OUT))
    order = context.stream(SPLIT).permutation(n)
    return Parts(
        train=rows[order[validation + held_out :]],
        validation=rows[order[:validation]],
        held_out=rows[order[validation : validation + held_out]],
    )


def n_crossed(n_rows: int) -> int:
    """Return how many rows are made up for a small table; none for a large one."""
    return 0 if n_rows >= CROSSED else min(CROSSED - n_rows, REPEATS * n_rows)


def with_crossed(rows: Table, context: Context) -> Table:
    """Add rows in which up to 30 % of the features come from another row.

    A few hundred rows say too little about what lies between them. The marginal game has a value
    for any row, so more can be asked about.
    """
    rng, n = context.stream(SPLIT, 1), n_crossed(len(rows))
    own, other = rng.integers(len(rows), size=(2, n))
    kept = rng.random((n, rows.X.shape[1])) < 1 - MOST_FOREIGN * rng.random((n, 1))
    mixed = torch.where(torch.from_numpy(kept), rows.X[own], rows.X[other])
    X = torch.cat([rows.X, mixed])
    return Table(rows.schema, X, torch.arange(len(X)), name=rows.name)


def generator_at(context: Context, device: torch.device, *address: int) -> torch.Generator:
    """Return a generator on the device, seeded by the context's numbers of an address."""
    seed = int(context.stream(*address).integers(2**62))
    return torch.Generator(device).manual_seed(seed)


@contextmanager
def started_at(context: Context, *address: int) -> Iterator[None]:
    """Let networks that are built inside start from the context's numbers."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(context.stream(*address).integers(2**62)))
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep sums in one order: the same weights however many cores there are."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def epoch_rows(n_rows: int) -> int:
    """Rows of one pass: small tables several times, with other coalitions; large ones in part."""
    return min(max(n_rows, min(REPEATS * n_rows, FEW_ROWS)), MANY_ROWS)


def batches(n_rows: int, batch: int, generator: torch.Generator) -> Iterator[Int[Tensor, " r"]]:
    """Yield the rows of the steps of one pass."""
    wanted, orders = epoch_rows(n_rows), list[Tensor]()
    while sum(map(len, orders)) < wanted:
        orders.append(torch.randperm(n_rows, generator=generator, device=generator.device))
    order = torch.cat(orders)[:wanted]
    yield from order.split(batch)


@dataclass(frozen=True)
class Pace:
    """How long and how fast: the rate falls along half a cosine."""

    epochs: int
    batch: int
    rate: float
    patience: int


def improve(
    network: nn.Module,
    n_rows: int,
    step: Callable[[Int[Tensor, " r"], torch.Generator], Tensor],
    score: Callable[[], float],
    pace: Pace,
    tell: Callable[[int, float], None],
    generator: torch.Generator,
) -> list[float]:
    """Train a network in place, and leave it with the state of the lowest validation loss.

    Buffers are part of the state, running statistics included.

    Parameters
    ----------
    step
        Loss of some rows, by their numbers.
    score
        Validation loss.
    tell
        Called after each pass with its number and the validation loss; it may raise to stop.

    Returns
    -------
    Validation loss before the first pass and after each.
    """
    network.requires_grad_(requires_grad=True)
    optimiser = torch.optim.Adam(network.parameters(), lr=pace.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(1, pace.epochs))
    history = [score()]
    best = copy.deepcopy(network.state_dict())
    for epoch in range(pace.epochs):
        network.train()
        for rows in batches(n_rows, pace.batch, generator):
            optimiser.zero_grad()
            step(rows, generator).backward()
            optimiser.step()
        schedule.step()
        network.eval()
        history.append(score())
        if history[-1] <= min(history):
            best = copy.deepcopy(network.state_dict())
        tell(epoch, history[-1])
        if len(history) - 1 - history.index(min(history)) >= pace.patience:
            break
    network.load_state_dict(best)
    return history
