"""Attributions in the manner of Captum: a tensor in, a tensor of the same shape out."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.core.attribution import Attribution
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.schema import Schema, listing
from workbench.core.table import Table
from workbench.engines import shapley

# Captum's classes, and what comes nearest here.
CLASSES: Mapping[str, str] = {
    "IntegratedGradients": "shapley.integrated-gradients",
    "GradientShap": "shapley.expected-gradients",
    "DeepLift": "shapley.deeplift",
    "DeepLiftShap": "shapley.deeplift",
    "KernelShap": "shapley.kernel",
    "ShapleyValueSampling": "shapley.permutation",
    "ShapleyValues": "shapley.exact",
}
Target = int | Sequence[int] | Tensor | None


def attribute(
    model: Model,
    inputs: Float[Tensor, "n d"],
    background: Table,
    *,
    target: Target,
    method: str,
    seed: int = 0,
    **params: Any,
) -> tuple[Float[Tensor, "n d"], Float[Tensor, " n"]]:
    """Return attributions of raw rows, and what their sums miss.

    Parameters
    ----------
    inputs
        Raw features in the model's order; categories as codes, missing values as NaN.
    target
        Position of the output: one for all rows, or one for each.
    method
        A name of ours, or of a class of Captum in ``CLASSES``.

    Raises
    ------
    InvalidInputError
        If inputs, target or method do not fit the model.
    """
    rows = table_of(inputs, model.schema, "inputs")
    chosen = _targets(target, model, len(rows))
    found = shapley.explain(
        model, rows, background, method=_method(method), seed=seed, **params
    )  # fmt: skip
    each = torch.arange(len(rows))
    values = torch.from_numpy(found.values)[each, :, chosen]
    delta = -torch.from_numpy(found.gap)[each, chosen]
    return values.to(inputs.device, inputs.dtype), delta.to(inputs.device, inputs.dtype)


def table_of(inputs: Float[Tensor, "n d"], schema: Schema, name: str) -> Table:
    """Return raw rows as a table.

    Raises
    ------
    InvalidInputError
        If there is another number of columns, or a category has no such code.
    """
    d = len(schema.features)
    if not isinstance(inputs, Tensor) or inputs.ndim != 2 or inputs.shape[1] != d:
        what = tuple(inputs.shape) if isinstance(inputs, Tensor) else type(inputs).__name__
        raise InvalidInputError(
            f"The {name} must be a tensor of rows by the model's {d} raw features, got {what}."
        )
    X = inputs.detach().cpu().double()
    for feature, column in zip(schema.features, X.T, strict=True):
        known = column[~column.isnan()]
        if len(known) < len(column) and not feature.has_missing:
            raise InvalidInputError(
                f"The {name} have a missing value of {feature.name!r}, which the model never saw "
                "missing; fill it in."
            )
        if feature.kind != "categorical":
            continue
        wrong = known[(known != known.floor()) | (known < 0) | (known >= len(feature.categories))]
        if len(wrong):
            raise InvalidInputError(
                f"The {name} have {float(wrong[0]):g} for {feature.name!r}, whose categories have "
                f"codes 0 to {len(feature.categories) - 1}."
            )
    return Table(schema, X, torch.arange(len(X)), name=name)


def baseline_rows(baselines: float | Tensor, schema: Schema) -> Table:
    """Return the rows that stand in for unknown features: one number for all, or rows.

    Raises
    ------
    InvalidInputError
        If they do not fit the model.
    """
    if isinstance(baselines, Tensor) and baselines.ndim:
        rows = baselines[None] if baselines.ndim == 1 else baselines
    else:
        rows = torch.full((1, len(schema.features)), float(baselines)).double()
    return table_of(rows, schema, "baselines")


def _method(name: str) -> str:
    if name == "auto":
        return name
    if name in CLASSES:
        return CLASSES[name]
    known = [key for key, record in METHODS.items() if record.yields is Attribution]
    full = [key for key in known if name in {key, key.partition(".")[2]}]
    if len(full) != 1:
        raise InvalidInputError(
            f"There is no method {name!r}; choose one of {listing(sorted(known), 20)}, or a class "
            f"of Captum: {listing(CLASSES)}."
        )
    return full[0]


def _targets(target: Target, model: Model, n: int) -> Tensor:
    """Return the output that each row is explained for."""
    k = len(model.output_names)
    if target is None and k > 1:
        raise InvalidInputError(
            f"Model {model.name} has {k} outputs; say with target which one, by position: "
            f"{listing(f'{i} is {name}' for i, name in enumerate(model.output_names))}."
        )
    chosen = torch.as_tensor(0 if target is None else target).cpu().reshape(-1)
    if chosen.is_floating_point() or len(chosen) not in {1, n}:
        raise InvalidInputError(f"target is one position, or one for each of {n} rows.")
    if bool((chosen < 0).any()) or bool((chosen >= k).any()):
        raise InvalidInputError(f"target must be from 0 to {k - 1}, got {chosen.tolist()[:8]}.")
    return chosen.long().expand(n) if len(chosen) == 1 else chosen.long()
