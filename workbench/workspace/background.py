"""Where background rows come from when nobody says."""

from functools import lru_cache
from pathlib import Path

from workbench.core.model import Model
from workbench.core.table import Table
from workbench.data.bundled import TABLES, data_folder, load_table

FEWEST_TO_SPLIT = 5


def training_rows(model: Model) -> Table | None:
    """Return the training rows of a model; None unless its training table is bundled."""
    name = model.card.training_table
    return _training_rows(name, data_folder()) if name in TABLES else None


@lru_cache(maxsize=2)
def _training_rows(name: str, folder: Path) -> Table:  # noqa: ARG001 - a setting can change it
    return load_table(name).split("train")


def background_source(model: Model, table: Table, n: int) -> Table:
    """Return rows to draw ``n`` background rows from.

    They are the training rows of the model where those are bundled; else the training rows of
    ``table``, or all of its rows where the training rows are too few.
    """
    if (rows := training_rows(model)) is not None:
        return rows
    if len(table) >= FEWEST_TO_SPLIT and len(part := table.split("train")) >= n:
        return part
    return table
