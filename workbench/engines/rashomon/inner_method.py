"""How each of a set of near-copies is explained: the method, and one run over all of them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import torch

from workbench.core.context import Context, Progress
from workbench.core.method import METHODS, Method
from workbench.core.model import Model
from workbench.core.params import parse_params
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.engines.rashomon.attributions_params import AttributionsParams
from workbench.engines.rashomon.side_by_side import SideBySide
from workbench.numerics.chunks import slices
from workbench.numerics.stream.family import Family, Members, materialise

FAMILY = "shapley"
# Up to so many features and evaluations of each model, all coalitions are asked for.
EXACT_PLAYERS, EXACT_EVALUATIONS = 12, 20_000_000
PROXY_PLAYERS = 32
FEWEST_COALITIONS, COALITIONS_PER_FEATURE = 256, 16
SHARING_ROWS = 32
# Outputs of models that are explained at once, and bytes that they take on a CPU: more share
# hardly more work, and do not stay in the cache.
COLUMNS, CPU_BYTES, LEAST_ROWS, MOST_ROWS = 32, 2**23, 256, 16384


class Inner(NamedTuple):
    """A registered method with its settings, and why it was chosen where nobody named it."""

    name: str
    params: Any
    why: str

    @property
    def method(self) -> Method:
        """The record of the method."""
        return METHODS.find(self.name)


def choose_inner(model: Model, n_rows: int, n_background: int, params: AttributionsParams) -> Inner:
    """Return how each model is explained.

    Unless a method is named: exactly up to 12 features while all coalitions of all rows take at
    most 20 million evaluations of a model, then by the proxy up to 32 features, then by
    permutations. Rows share coalitions from 32 on.

    Raises
    ------
    InvalidInputError
        If there is no such method, or a setting does not fit it.
    """
    d = len(model.schema.features)
    budget = params.budget or max(FEWEST_COALITIONS, COALITIONS_PER_FEATURE * d)
    name, why = str(params.explanation), ""
    if name == "auto":
        name, why = _cheapest(d, n_rows * 2**d * n_background, budget)
    record = METHODS.find(f"{FAMILY}.{name}")
    fields = record.params.model_fields
    wanted: dict[str, Any] = {"output": params.output, "budget": budget}
    if n_rows >= SHARING_ROWS:
        wanted["draw"] = "shared"
    settings = {key: value for key, value in wanted.items() if key in fields}
    return Inner(f"{FAMILY}.{name}", parse_params(record.params, settings), why)


def _cheapest(d: int, evaluations: int, budget: int) -> tuple[str, str]:
    few = d <= EXACT_PLAYERS and evaluations <= EXACT_EVALUATIONS
    if few or 2**d - 2 <= budget:
        return "exact", f"auto chose exact: all {2**d:,} coalitions of {d} features are feasible"
    if d <= PROXY_PLAYERS:
        return "proxy", f"auto chose proxy: it needs the fewest coalitions, {budget:,} a row"
    return "permutation", f"auto chose permutation: {d} features, {budget:,} coalitions a row"


def explain_all(
    family: Family, members: Members, inner: Inner, rows: Table, background: Table, context: Context
) -> Iterator[tuple[list[Attribution], int]]:
    """Explain the given model and then its near-copies, a few at a time.

    Each sees the same rows, background and random numbers. Methods that ask a model for nothing
    but answers ask several at once.

    Yields
    ------
    Attributions of the next few models, the given one first of all, and how many rows went
    through how many networks for them.
    """
    model, explain = family.model, inner.method.explain
    if not len(members.numbers):
        only = explain(model, rows, background, inner.params, replace(context, preview=None))
        assert isinstance(only, Attribution)  # noqa: S101 - by choice of the methods
        yield [only], only.provenance.evaluations
        return
    given = members.take(slice(0, 1))
    given = given.stretched(torch.zeros_like(given.stretches))
    every = Members(*(torch.cat(pair) for pair in zip(given, members, strict=True)))
    alone = "differentiable" in inner.method.needs
    each = 1 if alone else max(1, COLUMNS // len(model.output_names))
    parts = slices(len(every.numbers), each)
    for place, part in enumerate(parts):
        some = every.take(part)
        own = _context_of(context, place, len(parts))
        if alone:
            found = explain(materialise(family, some), rows, background, inner.params, own)
            assert isinstance(found, Attribution)  # noqa: S101 - by choice of the methods
            yield [found], found.provenance.evaluations
            continue
        side_by_side = SideBySide.of(family, some)
        own = replace(own, chunk_rows=_chunk_rows(family, len(some.numbers), context))
        found = explain(side_by_side, rows, background, inner.params, own)
        assert isinstance(found, Attribution)  # noqa: S101 - by choice of the methods
        yield _apart(found, model), found.provenance.evaluations * len(some.numbers)


def _apart(together: Attribution, model: Model) -> list[Attribution]:
    """Take the attribution of models side by side apart."""
    k = len(model.output_names)
    arrays = (
        "values", "std_errors", "base_values", "predictions", "base_std_errors",
        "background_std_errors",
    )  # fmt: skip
    known = {name: getattr(together, name) for name in arrays}
    return [
        replace(
            together, output_names=model.output_names,
            **{name: array[..., part] for name, array in known.items() if array is not None},
        )
        for part in slices(together.values.shape[2], k)
    ]  # fmt: skip


def _context_of(context: Context, place: int, parts: int) -> Context:
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
