"""What is recorded beside an upload and a table, and how a record is read back."""

import hashlib
import json
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.core.errors import DataError
from workbench.data.columns import quote
from workbench.workspace import folders

ABOUT, SCHEMA, TENSORS, PREVIEW = "about.json", "schema.json", "table.safetensors", "preview.json"
MAX_ABOUT_BYTES = 2**24
Record = TypeVar("Record", bound=BaseModel)


class Draft(BaseModel):
    """An upload as it came, waiting to be looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    original_name: str
    suffix: str = Field(pattern=r"^\.[a-z0-9]{1,15}$")
    n_bytes: int
    sha256: str
    created: datetime

    @property
    def file_name(self) -> str:
        """What the file is called here."""
        return f"{self.id}{self.suffix}"


class TableEntry(BaseModel):
    """What is recorded beside a table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    original_name: str
    original_file: str
    original_sha256: str
    created: datetime
    n_rows: int
    n_features: int
    n_bytes: int
    digest: str = Field(description="Of the table, as results name it.")
    tensors_sha256: str
    schema_sha256: str
    notes: tuple[str, ...] = ()
    mapping: dict[str, str | None] | None = None
    sheet: str | None = None

    @property
    def reference(self) -> str:
        """How requests and links name it."""
        return f"my:{self.name}"


class Usage(BaseModel):
    """Bytes that a person's uploads take; explanations from elsewhere count among the tables."""

    model_config = ConfigDict(frozen=True)

    tables: int
    models: int
    drafts: int
    limit: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.tables + self.models + self.drafts


def read_record(part: type[Record], path: Path, limit: int = MAX_ABOUT_BYTES) -> Record:
    """Read a record; one that is not there is nobody's."""
    folders.own_file(path)
    try:
        if path.stat().st_size > limit:
            raise DataError(f"File {path.name!r} is larger than {limit:,} bytes.")
        return part.model_validate(json.loads(path.read_bytes()), strict=False)
    except (OSError, ValueError, ValidationError, RecursionError):
        raise DataError(
            f"File {path.name!r} of your uploads is damaged; remove what it belongs to and upload "
            "it again."
        ) from None


def record_table(part: Path, values: dict[str, Any], name: str) -> TableEntry:
    """Write beside a table what is known of it."""
    entry = TableEntry.model_validate(values | {"name": name})
    (part / ABOUT).write_text(entry.model_dump_json(indent=1), encoding="utf-8")
    return entry


def changed_sentence(name: str) -> str:
    """Say that a table is not the one that was saved."""
    return (
        f"The files of table {quote(name)} are not those that were saved; remove the table and "
        "upload the file again."
    )


def sha256_of(path: Path) -> str:
    """Return the digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=1024)
def sha256_of_state(path: Path, seen: tuple[int, int, int]) -> str:  # noqa: ARG001
    """Return the digest of a file, found once as long as size, time and place are the same."""
    return sha256_of(path)
