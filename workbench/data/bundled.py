"""Tables by name or path: the bundled ones, and a user's files with or without a schema."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from workbench.core.errors import DataError
from workbench.core.files import refuse_special, replacing
from workbench.core.schema import Feature, Schema, build_schema_part, listing
from workbench.core.settings import settings
from workbench.core.table import Table
from workbench.data.columns import quote
from workbench.data.conversion import to_table
from workbench.data.inference import LeftOutError, guess_feature, infer_schema
from workbench.data.readers import open_source

if TYPE_CHECKING:
    import pandas as pd

_FILES = {
    "adult": "adult.parquet",
    "german": "german.csv",
    "breast-cancer": "breast_cancer.csv",
    "wine": "wine.csv",
    "diabetes": "diabetes.csv",
    "digits": "digits.parquet",
}
TABLES = tuple(_FILES)
MAX_SCHEMA_BYTES = 16 * 2**20


def load_table(
    name_or_path: str | Path, *, schema: Schema | None = None, ignore_extra: bool = False
) -> Table:
    """Load a bundled table by name, or a file by path; see ``open_table``, which adds notes.

    Raises
    ------
    DataError
        If there is no such table or file, or it does not fit its schema.
    """
    return open_table(name_or_path, schema=schema, ignore_extra=ignore_extra)[0]


def open_table(
    name_or_path: str | Path,
    *,
    schema: Schema | None = None,
    ignore_extra: bool = False,
    rows: Callable[[int], Sequence[int]] | None = None,
) -> tuple[Table, tuple[str, ...]]:
    """Load a bundled table by name, or a file by path, and say what had to be guessed.

    Hyphens and underscores in a bundled name are the same. The schema of a file is the one given,
    else the ``<stem>.schema.json`` beside it, else it is guessed, without a target.

    Parameters
    ----------
    ignore_extra
        Leave out columns that the schema does not know, instead of refusing them.
    rows
        Of a number of rows, the positions to read; a fault in another row is then none.

    Returns
    -------
    The table, and one sentence per guess.

    Raises
    ------
    DataError
        If there is no such table or file, or it does not fit its schema.
    """
    name = _bundled_name(name_or_path)
    path = Path(name_or_path) if name is None else data_folder() / _FILES[name]
    source = open_source(path)
    notes = source.notes
    beside = path.with_suffix(".schema.json")
    if schema is None and beside.is_file():
        schema = load_schema(beside)
    if schema is None:
        schema, guesses = infer_schema(source)
        ignore_extra = True  # what the guess left out is named in its notes
        notes += ("The schema was guessed, without a target.", *guesses)
    if rows is not None:
        source = source.take(rows(source.n_rows))
    table = to_table(source, schema, name=name or path.stem, ignore_extra=ignore_extra)
    return table, notes


def with_beside(path: str | Path, schema: Schema, names: Sequence[str]) -> Schema:
    """Return a schema that also knows columns of a file which no model reads.

    What they mean is guessed; all are marked as protected, for groups are compared by them.

    Raises
    ------
    DataError
        If the file lacks a column, or one makes no groups.
    """
    source = open_source(Path(path))
    if absent := [name for name in names if name not in source.names]:
        raise DataError(
            f"File {quote(Path(path).name)} has no column {listing(map(quote, absent))}; choose "
            f"among {listing(map(quote, source.names))}."
        )
    guesses = [_guess(column) for column in source.each(names)]
    beside = tuple(guess.model_copy(update={"protected": True}) for guess in guesses)
    return build_schema_part(Schema, schema.model_dump() | {"beside": beside})


def _guess(column: "pd.Series[Any]") -> Feature:
    try:
        return guess_feature(column)
    except LeftOutError as reason:
        raise DataError(f"Column {quote(column.name)} makes no groups: {reason}.") from None


def _bundled_name(name_or_path: str | Path) -> str | None:
    """Return the bundled name that is meant, None for a path."""
    text = str(name_or_path)
    name = text.replace("_", "-")
    if isinstance(name_or_path, str) and name in _FILES:
        return name
    path = Path(text)
    if isinstance(name_or_path, str) and path.name == text and not path.suffix:
        raise DataError(
            f"There is no bundled table {quote(text)}; choose one of {', '.join(TABLES)}, or give "
            "the path of a file."
        )
    return None


def data_folder() -> Path:
    """Return the folder of the bundled tables.

    It is the one named by the setting ``sample_data``, else ``sample_data`` of the checkout, else
    the copy inside the installed package.

    Raises
    ------
    DataError
        If none of them is there.
    """
    package = Path(__file__).parents[1]
    chosen = settings().sample_data
    places = (
        [chosen]
        if chosen
        else [package.parent / "sample_data", package / "_bundled" / "sample_data"]
    )
    for place in places:
        if (place / "adult.schema.json").is_file():
            return place
    raise DataError(
        f"The bundled tables are not in {listing(map(quote, places))}; point "
        "WORKBENCH_SAMPLE_DATA to the folder sample_data."
    )


def bundled_file(name: str) -> Path:
    """Return the file of a bundled table.

    Raises
    ------
    DataError
        If there is no such table or file.
    """
    known = _bundled_name(name)
    if known is None:
        raise DataError(f"There is no bundled table {quote(name)}; choose {', '.join(TABLES)}.")
    path = data_folder() / _FILES[known]
    if not path.is_file():
        raise DataError(f"There is no file {quote(path)}; check the path.")
    return path


def bundled_schema(name: str) -> Schema:
    """Return the schema of a bundled table, without reading its rows.

    Raises
    ------
    DataError
        If there is no such table.
    """
    return load_schema(bundled_file(name).with_suffix(".schema.json"))


def load_schema(path: str | Path) -> Schema:
    """Read a schema from a JSON file.

    Raises
    ------
    DataError
        If the file is missing, is not JSON, or is not a schema.
    """
    path = Path(path)
    refuse_special(path, DataError)
    try:
        if path.stat().st_size > MAX_SCHEMA_BYTES:
            raise DataError(
                f"Schema file {quote(path.name)} is larger than {MAX_SCHEMA_BYTES:,} bytes; a "
                "schema lists columns, not rows."
            )
        values = from_json(path.read_bytes())
    except FileNotFoundError:
        raise DataError(f"There is no schema file {quote(path)}; check the path.") from None
    except (OSError, ValueError) as error:
        raise DataError(f"Schema file {quote(path.name)} is not JSON: {error}.") from None
    try:
        return build_schema_part(Schema, values)
    except DataError as error:
        raise DataError(f"In file {quote(path.name)}: {error}") from None


def save_schema(schema: Schema, path: str | Path) -> Path:
    """Write a schema as JSON, leaving out what has its default; returns the path."""
    text = json.dumps(schema.model_dump(mode="json", exclude_defaults=True), indent=2)
    path = Path(path)
    with replacing(path) as part:
        part.write_text(f"{text}\n", encoding="utf-8")
    return path
