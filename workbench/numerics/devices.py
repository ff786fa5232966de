"""Where to compute, and what to do when memory runs out."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

from workbench.core.errors import InvalidInputError
from workbench.core.settings import settings

LEAST_BUDGET = 512 * 2**20
_limit: ContextVar[int | None] = ContextVar("memory_limit", default=None)


def choose_device(request: str | None = None) -> torch.device:
    """Turn ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps`` into a device.

    ``cuda`` is the first of them, by the name that its tensors give: ``cuda:0``.

    Without a request the setting ``device`` decides, which is ``auto`` at first: CUDA where there
    is one, then Apple's MPS, else the CPU.

    Raises
    ------
    InvalidInputError
        If the device is unknown or this machine has none.
    """
    name = (request or settings().device).lower()
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
        if name == "cpu" and torch.backends.mps.is_available():
            name = "mps"
    kind, colon, number = name.partition(":")
    if kind not in {"cpu", "cuda", "mps"} or (colon and not number.isdecimal()):
        raise InvalidInputError(f"There is no device {name!r}; choose auto, cpu, cuda or mps.")
    count = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": torch.backends.mps.is_available()}
    if int(number or 0) >= count[kind]:
        raise InvalidInputError(f"This machine has no device {name!r}; choose auto or cpu.")
    return torch.device("cuda:0" if name == "cuda" else name)


def list_devices() -> list[str]:
    """Return the names of all devices of this machine, the CPU last."""
    found = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    found += ["mps"] if torch.backends.mps.is_available() else []
    return [*found, "cpu"]


def describe_device(device: torch.device) -> str:
    """Return the device's name for people, such as ``cpu, 2 threads``."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, {torch.get_num_threads()} threads" if device.type == "cpu" else "mps"


def memory_budget(device: torch.device) -> int:
    """Return the bytes that the temporary tensors of a run may take there.

    Half a gibibyte; on a GPU a sixteenth of its memory, where that is more, since few large steps
    keep it busy. It depends on the device alone, so that the same run takes the same steps, unless
    ``memory_limited`` says what it is.
    """
    if (limit := _limit.get()) is not None:
        return limit
    if device.type != "cuda":
        return LEAST_BUDGET
    return max(LEAST_BUDGET, torch.cuda.get_device_properties(device).total_memory // 16)


@contextmanager
def memory_limited(n_bytes: int | None) -> Iterator[None]:
    """Let runs that start within take so many bytes for temporary tensors; None for the usual."""
    token = _limit.set(n_bytes)
    try:
        yield
    finally:
        _limit.reset(token)


def to_host(table: Tensor) -> Tensor:
    """Move to the CPU; from a GPU through pinned memory, which is several times as fast."""
    if table.device.type != "cuda":
        return table.cpu()
    return torch.empty(table.shape, dtype=table.dtype, pin_memory=True).copy_(table)


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether a computation failed for lack of memory, on any device."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    said = ("not enough memory", "can't allocate memory", "out of memory")
    return isinstance(error, RuntimeError) and any(words in str(error) for words in said)


def free_cache(device: torch.device) -> None:
    """Return cached blocks to the device, so that a smaller chunk finds room."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
