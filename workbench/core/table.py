"""A table of rows in raw feature space, with what its columns mean."""

import hashlib
import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Int, Num
from torch import Tensor

from workbench.core.counter_rng import stream
from workbench.core.errors import DataError, InvalidInputError
from workbench.core.schema import Schema, listing

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

SPLITS = ("train", "validation", "test")
SPLIT_SEED = 0


def split_sizes(n_rows: int) -> dict[str, int]:
    """Return how many rows each part of ``Table.split`` has.

    Examples
    --------
    >>> split_sizes(11)
    {'train': 5, 'validation': 3, 'test': 3}
    """
    fifth = math.ceil(n_rows / 5)
    return {"train": n_rows - 2 * fifth, "validation": fifth, "test": fifth}


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of raw features: numbers as they are, categories as codes, missing values as NaN.

    Attributes
    ----------
    X
        Features on the CPU, in double precision so that no number of the file is rounded.
    y
        Class codes or target values, where the target is known.
    ids
        Row numbers in the file or bundled table; they survive slicing and address the random
        numbers of a row.
    weights
        Sampling weights, never a feature.
    aside
        The same rows with columns that the model does not read, such as protected attributes;
        None where there are none.
    """

    schema: Schema
    X: Float[Tensor, "n d"]
    ids: Int[Tensor, " n"]
    y: Num[Tensor, " n"] | None = None
    weights: Float[Tensor, " n"] | None = None
    name: str = "table"
    aside: "Table | None" = None

    def __post_init__(self) -> None:
        if self.X.shape[1] != len(self.schema.features):
            raise DataError(
                f"Table {self.name!r} has {self.X.shape[1]} columns, its schema names "
                f"{len(self.schema.features)}."
            )
        if len(self.ids) and int(self.ids.min()) < 0:
            raise DataError(f"Table {self.name!r} has negative row numbers; number rows from 0.")
        if self.aside is not None and not torch.equal(self.aside.ids, self.ids):
            raise DataError(f"The columns beside table {self.name!r} are not of the same rows.")

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(
        self, rows: slice | int | Int[Tensor, " m"] | np.ndarray | list[int]
    ) -> "Table":
        if not isinstance(rows, slice):
            rows = torch.atleast_1d(torch.as_tensor(rows))  # one row is a table as well
        return replace(
            self,
            X=self.X[rows],
            ids=self.ids[rows],
            y=None if self.y is None else self.y[rows],
            weights=None if self.weights is None else self.weights[rows],
            aside=None if self.aside is None else self.aside[rows],
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 over schema, features, target, weights, row numbers and what lies aside."""
        digest = hashlib.sha256(self.schema.model_dump_json().encode())
        for part in (self.X, self.y, self.weights, self.ids):
            # No copy: a large table may be a mapped file.
            digest.update(b"-" if part is None else part.contiguous().numpy().reshape(-1).data)
        if self.aside is not None:
            digest.update(self.aside.digest.encode())
        return digest.hexdigest()

    def sample(self, n: int, *, seed: int = 0) -> "Table":
        """Draw ``n`` rows without replacement, in table order.

        Raises
        ------
        InvalidInputError
            If there are fewer than ``n`` rows.
        """
        if not 1 <= n <= len(self):
            raise InvalidInputError(
                f"Cannot draw {n} rows from table {self.name!r}, which has {len(self)}; "
                f"ask for 1 to {len(self)}."
            )
        return self[np.sort(stream(seed).permutation(len(self))[:n])]

    def split(self, part: str) -> "Table":
        """Return the training (60 %), validation (20 %) or test (20 %) rows, in table order.

        Which row belongs where depends on the number of rows alone.

        Raises
        ------
        InvalidInputError
            If the part is unknown or the table has fewer than 5 rows.
        """
        if part not in SPLITS:
            raise InvalidInputError(
                f"There is no split {part!r}; choose one of {', '.join(SPLITS)}."
            )
        if len(self) < 5:
            raise InvalidInputError(
                f"Table {self.name!r} has too few rows to split: {len(self)}, needed are 5."
            )
        fifth = math.ceil(len(self) / 5)
        order = stream(SPLIT_SEED).permutation(len(self))
        rows = {"test": order[:fifth], "validation": order[fifth : 2 * fifth]}
        chosen = rows.get(part, order[2 * fifth :])
        return replace(self[np.sort(chosen)], name=f"{self.name}/{part}")

    def with_classes(self, classes: tuple[str, ...]) -> "Table":
        """Return the table with its classes in another order, codes of the target included.

        A table of other classes, or of none, is returned as it is: whoever needs labels refuses
        it by name.
        """
        own = self.schema.classes
        if own == classes or sorted(own) != sorted(classes) or not own:
            return self
        schema = self.schema.model_copy(update={"classes": classes})
        if self.y is None:
            return replace(self, schema=schema)
        places = torch.tensor([classes.index(name) for name in own])
        return replace(self, schema=schema, y=places[self.y.long()].to(self.y.dtype))

    def read_by(self, schema: Schema) -> "Table":
        """Return the table as a model of this schema reads it.

        Columns that the model does not read lie aside, and classes stand in the model's order. A
        table that lacks what the model reads is returned with its columns as they are: whoever
        asks the model refuses it by name.
        """
        table = self.with_classes(schema.classes)
        own, wanted = self.schema.names, schema.names
        if own == wanted or not set(wanted) <= set(own):
            return table
        left = [at for at, name in enumerate(own) if name not in wanted]
        features = tuple(self.schema.features[at] for at in left)
        X = self.X[:, left]
        if self.aside is not None:
            features += self.aside.schema.features
            X = torch.cat([X, self.aside.X], 1)
        places = [own.index(name) for name in wanted]
        kept = table.schema.model_copy(
            update={"features": tuple(self.schema.features[at] for at in places)}
        )
        aside = Table(Schema(features=features), X, self.ids, name=self.name)
        return replace(table, schema=kept, X=self.X[:, places], aside=aside)

    def with_values(self, values: "Mapping[str, object]") -> "Table":
        """Return the rows as if columns held other values; what is true of them is not known.

        Parameters
        ----------
        values
            By name of the column: a number, a category, or ``missing``.

        Raises
        ------
        InvalidInputError
            If there is no such column, or it cannot hold such a value.
        """
        X, told = self.X.clone(), []
        for name, value in values.items():
            if name not in self.schema.names:
                raise InvalidInputError(
                    f"Table {self.name!r} has no column {str(name)[:80]!r} that the model reads; "
                    f"choose one of {listing(self.schema.names, 20)}."
                )
            place = self.schema.names.index(name)
            feature = self.schema.features[place]
            X[:, place] = feature.read(value)
            told.append(f"{name}={feature.show(float(X[0, place])) if len(X) else value}")
        name = f"{self.name}, {', '.join(told)}" if told else self.name
        return replace(self, X=X, y=None, name=name)

    def to_frame(self) -> "pd.DataFrame":
        """Return the rows as a user knows them: categories by name, target included."""
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        columns: dict[str, object] = {}
        for feature, column in zip(self.schema.features, self.X.T.numpy(), strict=True):
            if feature.kind == "categorical":
                codes = np.where(np.isnan(column), -1, column).astype(np.int64)
                columns[feature.name] = pd.Categorical.from_codes(
                    codes, pd.Index(feature.categories, dtype="str")
                )
            elif feature.integer and not np.isnan(column).any():
                columns[feature.name] = column.astype(np.int64)
            else:
                columns[feature.name] = column
        if self.y is not None and self.schema.target:
            y = self.y.numpy()
            classes = np.array(self.schema.classes, dtype=object)
            columns[self.schema.target] = classes[y] if len(classes) else y
        return pd.DataFrame(columns, index=pd.Index(self.ids.numpy(), name="row"))
