"""A table put together from mapped arrays that a confined process wrote."""

from collections.abc import Mapping

import torch
from torch import Tensor

from workbench.core.errors import DataError
from workbench.core.schema import Schema
from workbench.core.table import Table
from workbench.workspace.records import changed_sentence

_TENSORS = ("X", "ids", "y", "weights", "beside")


def build_table(schema: Schema, tensors: Mapping[str, Tensor], name: str) -> Table:
    """Put mapped arrays together.

    Raises
    ------
    DataError
        If they do not fit each other or the schema.
    """
    X, ids, y, weights, beside = (tensors.get(key) for key in _TENSORS)
    kind = torch.int64 if schema.classes else torch.float64
    sound = X is not None and ids is not None and X.ndim == 2
    sound = sound and set(tensors) <= set(_TENSORS)
    for part, dtype in (
        (X, torch.float64),
        (ids, torch.int64),
        (y, kind),
        (weights, torch.float64),
        (beside, torch.float64),
    ):
        if part is not None and X is not None:
            sound = sound and part.dtype == dtype and len(part) == len(X)
            sound = sound and part.ndim == (2 if part is X or part is beside else 1)
    n_beside = 0 if beside is None else beside.shape[-1]
    sound = sound and n_beside == len(schema.beside)
    if not sound or X is None or ids is None:
        raise DataError(changed_sentence(name))
    aside = None
    if beside is not None:
        aside = Table(Schema(features=schema.beside), beside, ids, name=name)
    return Table(schema=schema, X=X, ids=ids, y=y, weights=weights, name=name, aside=aside)


def check_codes(table: Table) -> None:
    """Hold codes against their categories: what a process that read an upload says is checked."""
    columns = [
        (table.X[:, i], len(feature.categories))
        for i, feature in enumerate(table.schema.features)
        if feature.categories
    ]
    if table.aside is not None:
        check_codes(table.aside)
    if table.y is not None and table.schema.classes:
        columns.append((table.y, table.schema.n_classes))
    for column, n_categories in columns:
        known = column[~torch.isnan(column)] if column.is_floating_point() else column
        if len(known) and not (
            known.min() >= 0 and known.max() < n_categories and bool((known == known.floor()).all())
        ):
            raise DataError(changed_sentence(table.name))
