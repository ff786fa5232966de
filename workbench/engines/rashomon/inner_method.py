"""How each of a set of near-copies is explained: the method, and one run over all of them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import torch

from workbench.core.context import Context
from workbench.core.method import METHODS, Method
from workbench.core.model import Model
from workbench.core.params import Params, parse_params
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.engines.rashomon.attributions_params import AttributionsParams
from workbench.engines.rashomon.one_by_one import ask_each, columns_at_once
from workbench.numerics.chunks import slices
from workbench.numerics.stream.family import Family, Members

FAMILY = "shapley"
# Up to so many features and evaluations of each model, all coalitions are asked for.
EXACT_PLAYERS, EXACT_EVALUATIONS = 12, 20_000_000
PROXY_PLAYERS = 32
FEWEST_COALITIONS, COALITIONS_PER_FEATURE = 256, 16
SHARING_ROWS = 32


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


def inner_settings(name: str, params: Params, **more: Any) -> Any:
    """Return the settings of an inner method: those of its names, and more."""
    kind = METHODS.find(name).params
    return parse_params(kind, params.model_dump(include=set(kind.model_fields)) | more)


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

    def ask(some: Model, own: Context) -> Attribution:
        found = explain(some, rows, background, inner.params, own)
        assert isinstance(found, Attribution)  # noqa: S101 - by choice of the methods
        return found

    at_once = 1 if alone else columns_at_once(model)
    for found, count in ask_each(family, every, ask, context, at_once=at_once):
        yield _apart(found, model), found.provenance.evaluations * count


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
