"""Protected columns that a caller gives beside the rows, as fairlearn takes them."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from workbench.core.errors import DataError, InvalidInputError
from workbench.core.schema import Schema
from workbench.core.table import Table
from workbench.core.wording import counted
from workbench.data.columns import quote
from workbench.data.conversion import to_table
from workbench.data.inference import LeftOutError, guess_feature

if TYPE_CHECKING:
    import pandas as pd

NAME = "sensitive_feature"


def with_sensitive(rows: Table, given: Any) -> Table:
    """Return the rows with these columns lying aside, marked as protected.

    Columns that lie aside already stay, unless one of the same name is given.

    Raises
    ------
    InvalidInputError
        If there are not as many values as rows.
    DataError
        If a column makes no groups.
    """
    beside = sensitive_table(given, len(rows), rows.name, f"table {rows.name!r} has")
    beside = replace(beside, ids=rows.ids)
    if rows.aside is not None:
        kept = [
            place for place, name in enumerate(rows.aside.schema.names)
            if name not in beside.schema.names
        ]  # fmt: skip
        features = [rows.aside.schema.features[place] for place in kept]
        beside = replace(
            beside, schema=Schema(features=(*features, *beside.schema.features)),
            X=torch.cat([rows.aside.X[:, kept], beside.X], 1),
        )  # fmt: skip
    return replace(rows, aside=beside)


def sensitive_table(given: Any, n_rows: int, name: str, whose: str) -> Table:
    """Read columns of a frame, a series, a dictionary, an array or a list.

    Parameters
    ----------
    whose
        Begins what a message says of the right number of rows.

    Raises
    ------
    InvalidInputError
        If there is no column, or there are not as many values as rows.
    DataError
        If a column makes no groups.
    """
    frame = frame_of(given)
    if not len(frame.columns):
        raise InvalidInputError("sensitive_features hold no column; give at least one.")
    if len(frame) != n_rows:
        raise InvalidInputError(
            f"sensitive_features have {counted(len(frame), 'row')}, {whose} {n_rows:,}; give one "
            "value for each row."
        )
    features = []
    for column in frame.columns:
        try:
            guess = guess_feature(frame[column])
        except LeftOutError as reason:
            raise DataError(f"Column {quote(column)} makes no groups: {reason}.") from None
        features.append(guess.model_copy(update={"protected": True}))
    return to_table(frame, Schema(features=tuple(features)), name=name)


def frame_of(given: Any) -> "pd.DataFrame":
    """Return columns as a frame; what has no name is called as fairlearn calls it."""
    import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

    if isinstance(given, pd.DataFrame):
        frame = given.reset_index(drop=True)
    elif isinstance(given, pd.Series):
        frame = given.reset_index(drop=True).to_frame(given.name or f"{NAME}_0")
    elif isinstance(given, dict):
        lengths = {len(values) for values in given.values()}
        if len(lengths) > 1:
            raise InvalidInputError(
                "sensitive_features have columns of different lengths; give one value for each row."
            )
        frame = pd.DataFrame({name: np.asarray(values) for name, values in given.items()})
    else:
        values = np.asarray(given)
        columns = values[:, None] if values.ndim == 1 else values
        frame = pd.DataFrame(
            columns, columns=[f"{NAME}_{place}" for place in range(columns.shape[1])]
        )
        frame = frame.infer_objects()
    return frame.rename(columns=str)
