"""What a run has besides data and parameters: seed, device, memory, progress, cancel."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from workbench.core.counter_rng import stream
from workbench.core.errors import CancelledError

Progress = Callable[[int, int, str], None]
# Takes a function that makes the result as far as it is known, and calls it if it has a use for it.
Preview = Callable[[Callable[[], Any]], None]


@dataclass(frozen=True)
class Context:
    """The surroundings of one run.

    Attributes
    ----------
    seed
        With an address, the only source of randomness in an engine.
    budget
        Bytes that the temporary tensors of a run may take.
    chunk_rows
        Rows per network pass; chosen by the device where None.
    progress
        Called as ``progress(done, total, message)`` between batches; it may raise
        ``CancelledError`` to stop the run.
    cancel
        Set by another thread to stop the run at the next batch.
    preview
        Offered the result as far as it is known, whenever there is a better one; it decides
        whether to have it made.
    """

    seed: int = 0
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    budget: int = 512 * 2**20
    chunk_rows: int | None = None
    progress: Progress | None = None
    cancel: threading.Event | None = None
    preview: Preview | None = None

    def stream(self, *address: int) -> np.random.Generator:
        """Return the random numbers that belong to this address."""
        return stream(self.seed, *address)

    def step(self, done: int, total: int, message: str) -> None:
        """Report progress, and stop if asked to.

        Raises
        ------
        CancelledError
            If the run was cancelled.
        """
        if self.cancel is not None and self.cancel.is_set():
            raise CancelledError(f"Cancelled after {done} of {total} {message}.")
        if self.progress is not None:
            self.progress(done, total, message)
