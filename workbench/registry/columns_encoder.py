"""Raw features to network input, one stated column at a time: anyone's preprocessing as data."""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from workbench.core.errors import RegistryError
from workbench.core.schema import Feature, Schema

MAX_COLUMNS = 100_000
Finite = Annotated[float, Field(allow_inf_nan=False)]
NUMBER, EQUALS, MISSING = 0, 1, 2


class Column(BaseModel):
    """One input column, made of one raw feature.

    Without ``equals``, ``missing`` or ``code`` it is a number, ``(x - mean) / scale`` with ``fill``
    in the place of a missing ``x``. ``equals`` is 1 where the feature has that category or number,
    else 0; ``missing`` is 1 where it is missing; ``code`` is a category's place in the schema,
    from 0, treated as a number.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    feature: str
    mean: Finite = 0.0
    scale: Finite = 1.0
    fill: Finite | None = None
    equals: str | Finite | None = None
    missing: bool = False
    code: bool = False

    @model_validator(mode="after")
    def _is_one_thing(self) -> "Column":
        if (self.equals is not None) + self.missing + self.code > 1:
            raise ValueError("choose one of equals, missing and code")
        if self.scale == 0:
            raise ValueError("scale must not be 0")
        is_number = self.equals is None and not self.missing
        if not is_number and {"mean", "scale", "fill"} & self.model_fields_set:
            raise ValueError("mean, scale and fill belong to numbers and codes")
        return self


class ColumnsArguments(BaseModel):
    """Arguments of the ``columns`` encoder as they stand on a card."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[Column, ...] = Field(max_length=MAX_COLUMNS)


class RawArguments(BaseModel):
    """Every feature as a number or code, in schema order; ``fill`` stands for missing values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fill: Finite | None = None


def columns_of_raw(schema: Schema, arguments: RawArguments) -> ColumnsArguments:
    """State the ``raw`` encoder column by column."""
    fill: dict[str, Any] = {} if arguments.fill is None else {"fill": arguments.fill}
    return ColumnsArguments(
        columns=tuple(
            Column(feature=feature.name, code=feature.kind == "categorical", **fill)
            for feature in schema.features
        )
    )


class ColumnsEncoder(nn.Module):
    """Input columns as the card states them; it has no tensors of its own.

    The numbers of the card are used in the precision of the rows, so that preprocessing done
    elsewhere in double precision comes out alike.

    Raises
    ------
    RegistryError
        If a column does not fit its feature.
    """

    groups: Tensor
    kinds: Tensor

    def __init__(self, schema: Schema, arguments: ColumnsArguments) -> None:
        super().__init__()
        features = {feature.name: (i, feature) for i, feature in enumerate(schema.features)}
        if not arguments.columns:
            raise RegistryError("The encoder has no columns; state at least one.")
        codes = {  # looked up for each column: a list would be searched as often
            feature.name: {text: code for code, text in enumerate(feature.categories)}
            for feature in schema.features
        }
        groups, kinds, numbers = [], [], []
        for place, column in enumerate(arguments.columns):
            if column.feature not in features:
                raise RegistryError(
                    f"Input column {place} is made of feature {column.feature!r}, which the schema "
                    "does not have; correct the encoder's columns or the schema."
                )
            position, feature = features[column.feature]
            groups.append(position)
            kinds.append(EQUALS if column.equals is not None else MISSING * column.missing)
            numbers.append(_numbers(column, feature, codes[feature.name], place))
        self.register_buffer("groups", torch.tensor(groups), persistent=False)
        self.register_buffer("kinds", torch.tensor(kinds), persistent=False)
        # Not buffers: those would be rounded to the network's precision.
        self._numbers = np.array(numbers, dtype=np.float64).T.copy()  # (4, p)

    def fit(self, X: Float[Tensor, "n d"]) -> None:
        """Learn nothing: every number stands on the card."""

    def forward(self, X: Float[Tensor, "n d"]) -> Float[Tensor, "n p"]:
        """Encode raw rows, in their own precision."""
        mean, scale, fill, level = torch.from_numpy(self._numbers).to(X)
        values = X[:, self.groups]
        missing = values.isnan()
        numbers = (torch.where(missing, fill, values) - mean) / scale
        flags = torch.where(self.kinds.eq(EQUALS), values == level, missing)
        return torch.where(self.kinds.eq(NUMBER), numbers, flags.to(X.dtype))


def _numbers(
    column: Column, feature: Feature, codes: Mapping[str, int], place: int
) -> tuple[float, float, float, float]:
    """Return mean, scale, fill and level of one column after holding it against its feature."""
    about = f"Input column {place} (feature {feature.name!r})"
    if column.equals is not None:
        return 0.0, 1.0, 0.0, _level(column.equals, feature, codes, about)
    if column.missing:
        return 0.0, 1.0, 0.0, 0.0
    if column.code != (feature.kind == "categorical"):
        fix = "state equals or code" if feature.kind == "categorical" else "leave out code"
        raise RegistryError(f"{about} treats a {feature.kind} feature otherwise; {fix}.")
    if column.fill is None and feature.has_missing:
        raise RegistryError(
            f"{about} needs a fill, the value that stands for a missing one, because the schema "
            "says that this feature may be missing."
        )
    return column.mean, column.scale, column.fill or 0.0, 0.0


def _level(equals: str | float, feature: Feature, codes: Mapping[str, int], about: str) -> float:
    if feature.kind != "categorical":
        if isinstance(equals, str):
            raise RegistryError(
                f"{about} equals the word {equals!r}, but the feature is a number; write a number."
            )
        return float(equals)
    if equals not in codes:
        raise RegistryError(
            f"{about} equals {equals!r}, which is not a category of the feature; choose one of "
            f"{', '.join(feature.categories[:8])}."
        )
    return float(codes[str(equals)])
