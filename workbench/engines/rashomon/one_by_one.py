"""Put a question to every one of a set of near-copies, one by one or several side by side."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from workbench.core.context import Context, Progress
from workbench.core.model import Model
from workbench.core.result import Result
from workbench.engines.rashomon.side_by_side import SideBySide
from workbench.numerics.chunks import slices
from workbench.numerics.stream.family import Family, Members, materialise

SomeResult = TypeVar("SomeResult", bound=Result)
Ask = Callable[[Model, Context], SomeResult]
# Outputs of models that are asked at once, and bytes that they take on a CPU: more share hardly
# more work, and do not stay in the cache.
COLUMNS, CPU_BYTES, LEAST_ROWS, MOST_ROWS = 32, 2**23, 256, 16384


def ask_each(
    family: Family, members: Members, ask: Ask[SomeResult], context: Context, *, at_once: int,
    before: int = 0,
) -> Iterator[tuple[SomeResult, int]]:  # fmt: skip
    """Ask near-copies, each with the same random numbers.

    Parameters
    ----------
    at_once
        How many answer side by side, as one model with the outputs of all of them.
    before
        Parts of the run that are done.

    Yields
    ------
    What the next few models say, and how many they are.
    """
    parts = slices(len(members.numbers), at_once)
    for place, part in enumerate(parts, before):
        some = members.take(part)
        own = part_of(context, place, before + len(parts))
        if at_once == 1:
            yield ask(materialise(family, some), own), 1
            continue
        own = replace(own, chunk_rows=_chunk_rows(family, len(some.numbers), context))
        yield ask(SideBySide.of(family, some), own), len(some.numbers)


def columns_at_once(model: Model) -> int:
    """Return how many near-copies are asked at once where only their outputs take room."""
    return max(1, COLUMNS // len(model.output_names))


def part_of(context: Context, place: int, parts: int) -> Context:
    """Return the surroundings of one part of a run, whose progress is told as part of the whole."""
    if context.progress is None:
        return replace(context, preview=None)
    whole: Progress = context.progress

    def progress(done: int, total: int, message: str) -> None:
        whole(place * total + done, parts * total, f"{message}, part {place + 1} of {parts}")

    return replace(context, preview=None, progress=progress)


def _chunk_rows(family: Family, count: int, context: Context) -> int:
    """Rows for a network pass of several near-copies."""
    on_cpu = family.model.device.type == "cpu"
    room = min(CPU_BYTES, context.budget) if on_cpu else context.budget // 4
    return max(LEAST_ROWS, min(MOST_ROWS, room // max(1, count * family.row_bytes())))
