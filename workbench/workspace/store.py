"""One person's folder: uploads that wait, tables, and a registry of models.

``<home>/people/<owner>/`` holds ``quarantine/<id>/`` with a file as it came, ``tables/<name>/``
with its arrays, schema and original, and ``models/``. Everything in it is data; what comes from a
file is parsed in a confined process alone.
"""

import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from workbench.core.errors import AccessError, DataError, LimitError, WorkbenchError
from workbench.core.schema import Schema, listing
from workbench.core.settings import settings
from workbench.core.table import Table
from workbench.data.bundled import load_schema, save_schema
from workbench.data.columns import quote
from workbench.data.facts import Survey
from workbench.isolation.process import Limits, call
from workbench.workspace import folders
from workbench.workspace.rate import count_upload
from workbench.workspace.tensor_file import map_tensors

Preview = Survey
ABOUT, SCHEMA, TENSORS, PREVIEW = "about.json", "schema.json", "table.safetensors", "preview.json"
MAX_ABOUT_BYTES = 2**24
MAX_PREVIEW_BYTES = 2**28
_CHUNK = 2**20
_TENSORS = ("X", "ids", "y", "weights", "beside")
_HOUR = 3600.0
Part = TypeVar("Part", bound=BaseModel)


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


class Workspace:
    """The folder of one person.

    Raises
    ------
    AccessError
        If the owner is not a key such as the sign-in gives.
    """

    def __init__(self, owner: str, home: Path | None = None) -> None:
        self.owner = folders.check_name(owner, "folder")
        self.root = (home or settings().home) / "people" / owner

    @property
    def models_root(self) -> Path:
        """Return the registry of the person's models."""
        return self.root / "models"

    @property
    def given_root(self) -> Path:
        """Return the folder of explanations that the person brought from elsewhere."""
        return self.root / "given"

    # Uploads that wait

    def receive(self, content: BinaryIO, original_name: str) -> Draft:
        """Copy an upload, under a name of ours, while it is measured and hashed.

        Raises
        ------
        LimitError
            If it is too large, too much, one too many, or the disk is full; nothing is kept then.
        DataError
            If it is empty.
        """
        self.check_room(1)
        with folders.disk_explained():
            folders.own_folder(self.root)
        count_upload(self.root / "uploads.sqlite", settings().uploads_per_hour)
        key = secrets.token_hex(16)
        name = folders.base_name(original_name)
        suffix = Path(f"x{Path(name).suffix.lower()}").suffix
        if not suffix.isascii() or not suffix[1:].isalnum() or len(suffix) > 16:
            suffix = ".data"
        with folders.staging(self._quarantine) as part:
            n_bytes, sha256 = self._copy(content, part / f"{key}{suffix}", name)
            draft = Draft(
                id=key, original_name=name, suffix=suffix, n_bytes=n_bytes, sha256=sha256,
                created=datetime.now(UTC),
            )  # fmt: skip
            (part / ABOUT).write_text(draft.model_dump_json(), encoding="utf-8")
            self.check_room(0)  # another upload may have come in the meantime
            folders.publish(part, self._quarantine / key)
        return draft

    def _copy(self, content: BinaryIO, path: Path, name: str) -> tuple[int, str]:
        limit, room = settings().max_file_bytes, self._room()
        digest, n_bytes = hashlib.sha256(), 0
        with path.open("xb") as file:
            while chunk := content.read(_CHUNK):
                n_bytes += len(chunk)
                if n_bytes > limit:
                    raise LimitError(
                        f"File {quote(name)} has more than {limit:,} bytes; give fewer rows or "
                        "raise the setting max_file_bytes."
                    )
                if n_bytes > room:
                    raise self._no_room()
                digest.update(chunk)
                file.write(chunk)
        if not n_bytes:
            raise DataError(f"File {quote(name)} is empty; give a header and rows.")
        return n_bytes, digest.hexdigest()

    def drafts(self) -> tuple[Draft, ...]:
        """Return the uploads that wait, oldest first."""
        found = []
        for folder in folders.subfolders(self._quarantine):
            with suppress(WorkbenchError):  # one that is damaged goes with the next clean-up
                found.append(_read(Draft, folder / ABOUT))
        return tuple(sorted(found, key=lambda draft: draft.created))

    def draft(self, key: str) -> Draft:
        """Return an upload that waits.

        Raises
        ------
        AccessError
            If there is none of that key among the person's own.
        """
        found = next((draft for draft in self.drafts() if draft.id == key), None)
        if found is None:
            raise AccessError("That upload is no longer there; upload the file again.")
        return found

    def path_of(self, draft: Draft) -> Path:
        """Return the file of an upload that waits.

        Raises
        ------
        AccessError
            If it is gone.
        """
        return folders.own_file(self._quarantine / draft.id / draft.file_name)

    def discard(self, draft: Draft) -> None:
        """Remove an upload; one that is gone already is no fault."""
        with suppress(FileNotFoundError):
            folders.remove(self._quarantine / draft.id)

    # Looking at an upload

    def preview(
        self, draft: Draft, *, target: str | None = None, sheet: str | None = None
    ) -> Preview:
        """Find out, in a confined process, what is in an upload.

        Raises
        ------
        DataError
            If it is no table.
        LimitError
            If it takes too much time or memory.
        """
        return self._preview(self.path_of(draft), draft.original_name, target, sheet)

    def preview_table(self, name: str, *, target: str | None = None) -> Preview:
        """Look again at the file that a table was made from, to edit its schema.

        Raises
        ------
        AccessError
            If there is no such table.
        """
        entry = self.entry(name)
        target = self.table_schema(name).target if target is None else target
        return self._preview(self._original(entry), entry.original_name, target, entry.sheet)

    def _preview(self, path: Path, shown: str, target: str | None, sheet: str | None) -> Preview:
        with folders.staging(self._quarantine) as into:
            arguments = {
                "path": str(path), "shown": shown, "into": str(into), "target": target,
                "sheet": sheet,
            }  # fmt: skip
            self._confined("preview", arguments, path, into)
            return _read(Survey, into / PREVIEW, MAX_PREVIEW_BYTES)

    def _confined(
        self, function: str, arguments: dict[str, Any], path: Path, into: Path
    ) -> dict[str, Any]:
        given = settings()
        limits = Limits(
            memory_bytes=given.reader_bytes,
            seconds=given.reader_seconds,
            writes=into,
            reads=(path,),
            what=f"Reading {quote(arguments['shown'])}",
        )
        return call(f"workbench.workspace.reading:{function}", arguments, limits)

    # Tables

    def tables(self) -> tuple[TableEntry, ...]:
        """Return the tables by name; one that is damaged is left out."""
        found = []
        for folder in folders.subfolders(self._tables):
            with suppress(WorkbenchError):
                found.append(_read(TableEntry, folder / ABOUT))
        return tuple(found)

    def entry(self, name: str) -> TableEntry:
        """Return what is recorded beside a table.

        Raises
        ------
        AccessError
            If there is no such table.
        """
        return _read(TableEntry, self._folder(name) / ABOUT)

    def table_schema(self, name: str) -> Schema:
        """Return the schema of a table.

        Raises
        ------
        AccessError
            If there is no such table.
        DataError
            If its schema was changed.
        """
        folder, entry = self._folder(name), self.entry(name)
        if _sha256(folders.own_file(folder / SCHEMA)) != entry.schema_sha256:
            raise DataError(_changed_sentence(name))
        return load_schema(folder / SCHEMA)

    def load_table(self, name: str) -> Table:
        """Map a table into memory; two that are loaded share their pages.

        The file is hashed once per process and state, so that one that was changed is refused.

        Raises
        ------
        AccessError
            If there is no such table.
        DataError
            If its files are not those that were saved.
        """
        folder, entry = self._folder(name), self.entry(name)
        schema = self.table_schema(name)
        path = folders.own_file(folder / TENSORS)
        state = path.stat()
        seen = (state.st_size, state.st_mtime_ns, state.st_ino)
        if _sha256_of_state(path, seen) != entry.tensors_sha256:
            raise DataError(_changed_sentence(name))
        table = _build(schema, map_tensors(path), name)
        table.__dict__["digest"] = entry.digest  # of the very bytes that were just checked
        return table

    def save_table(
        self,
        draft: Draft,
        schema: Schema,
        *,
        name: str | None = None,
        mapping: Mapping[str, str | None] | None = None,
        ignore_extra: bool = False,
        sheet: str | None = None,
    ) -> TableEntry:
        """Convert an upload, in a confined process, into a table; the upload stops waiting.

        Parameters
        ----------
        name
            By default made of the file's name, with a number behind it if that is taken.
        mapping
            Which column is read as which name of the schema; by default those of equal name.

        Raises
        ------
        DataError
            If the file does not fit the schema, or the name given is taken.
        LimitError
            If it takes too much time, memory or space.
        """
        if name is not None:
            check_table_name(name)
            self._refuse_taken(name)
        path = self.path_of(draft)
        with folders.staging(self._tables) as part:
            _link(path, part / f"original{draft.suffix}")
            about = {
                "original_name": draft.original_name,
                "original_file": f"original{draft.suffix}",
                "original_sha256": draft.sha256,
                "mapping": None if mapping is None else dict(mapping),
                "sheet": sheet,
            }
            wanted = name or folders.plain_name(draft.original_name, "table")
            values = self._convert(part, about, schema, wanted, ignore_extra=ignore_extra)
            entry = self._publish(part, values, wanted, given=name is not None)
        self.discard(draft)
        return entry

    def edit_table(self, name: str, schema: Schema) -> TableEntry:
        """Convert the original file again with another schema.

        Tables that are loaded already stay as they were.

        Raises
        ------
        AccessError
            If there is no such table.
        DataError
            If the file does not fit the schema; the table then stays as it is.
        """
        folder, entry = self._folder(name), self.entry(name)
        keep = {"original_name", "original_file", "original_sha256", "mapping", "sheet"}
        with folders.staging(self._tables) as part:
            _link(self._original(entry), part / entry.original_file)
            about = entry.model_dump(include=keep)
            values = self._convert(part, about, schema, name, ignore_extra=True)
            edited = _record(part, values, name)
            old = folder.with_name(f".{name}{folders.PART}")
            folder.rename(old)
            if not folders.publish(part, folder):
                raise DataError(f"Table {quote(name)} is being edited elsewhere; try again.")
            shutil.rmtree(old, ignore_errors=True)
        return edited

    def _convert(
        self,
        part: Path,
        about: dict[str, Any],
        schema: Schema,
        name: str,
        *,
        ignore_extra: bool,
    ) -> dict[str, Any]:
        """Fill a folder with arrays and schema; return what is to be recorded."""
        into = part / "work"
        into.mkdir(mode=0o700)
        path = part / about["original_file"]
        arguments = {
            "path": str(path), "shown": about["original_name"], "into": str(into),
            "schema": schema.model_dump(mode="json"), "name": name, "mapping": about["mapping"],
            "ignore_extra": ignore_extra, "sheet": about["sheet"], "room": self._room(),
        }  # fmt: skip
        said = self._confined("convert", arguments, path, into)
        folders.own_file(into / TENSORS).rename(part / TENSORS)
        shutil.rmtree(into)
        table = _build(schema, map_tensors(part / TENSORS), name)
        _check_codes(table)
        save_schema(schema, part / SCHEMA)
        notes = said.get("notes")
        return about | {
            "created": datetime.now(UTC),
            "n_rows": len(table),
            "n_features": len(schema.features),
            "n_bytes": (part / TENSORS).stat().st_size,
            "digest": table.digest,
            "tensors_sha256": _sha256(part / TENSORS),
            "schema_sha256": _sha256(part / SCHEMA),
            "notes": [str(note) for note in notes] if isinstance(notes, list) else [],
        }

    def _publish(self, part: Path, values: dict[str, Any], name: str, *, given: bool) -> TableEntry:
        """Let a table appear under its name, or under the next free one where it was derived."""
        for number in range(1, 10_000):
            free = name if number == 1 else f"{name}-{number}"
            entry = _record(part, values, free)
            if folders.publish(part, self._tables / free):
                return entry
            if given:
                break
        raise _taken(name)

    def _refuse_taken(self, name: str) -> None:
        if (self._tables / name).exists():
            raise _taken(name)

    def remove_table(self, name: str) -> None:
        """Remove a table and its original file.

        Raises
        ------
        AccessError
            If there is no such table.
        """
        with folders.disk_explained():
            folders.remove(self._folder(name))

    # Space

    def usage(self) -> Usage:
        """Return the bytes that are taken."""
        return Usage(
            tables=folders.size_of(self._tables) + folders.size_of(self.given_root),
            models=folders.size_of(self.models_root),
            drafts=folders.size_of(self._quarantine),
            limit=settings().user_bytes,
        )

    def check_room(self, n_bytes: int) -> None:
        """Refuse what would take more than is left.

        Raises
        ------
        LimitError
            If it would.
        """
        if n_bytes > self._room():
            raise self._no_room()

    def _room(self) -> int:
        usage = self.usage()
        return usage.limit - usage.total

    def _no_room(self) -> LimitError:
        usage = self.usage()
        return LimitError(
            f"Your uploads take {usage.total:,} of {usage.limit:,} bytes and there is no room for "
            "this one; remove tables, models or unfinished uploads that you no longer need, or "
            "raise the setting user_bytes."
        )

    def clean_up(self) -> int:
        """Remove uploads that nobody finished and what a crash left; return how many."""
        oldest = time.time() - settings().draft_hours * _HOUR
        count = 0
        for folder in (self._quarantine, self._tables):
            for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
                is_rest = entry.name.startswith(".") and entry.name.endswith(folders.PART)
                if not is_rest and folder == self._tables:
                    continue
                if self._restored(entry):
                    continue
                if entry.lstat().st_mtime < oldest:
                    _delete(entry)
                    count += 1
        return count

    def _restored(self, rest: Path) -> bool:
        """Bring back a table whose editing was cut short after the old one had been moved."""
        name = rest.name[1 : -len(folders.PART)]
        if not (rest / ABOUT).is_file() or rest.parent != self._tables:
            return False
        try:
            recorded = _read(TableEntry, rest / ABOUT).name
        except WorkbenchError:
            return False
        return recorded == name and folders.publish(rest, self._tables / name)

    @property
    def _quarantine(self) -> Path:
        return self.root / "quarantine"

    @property
    def _tables(self) -> Path:
        return self.root / "tables"

    def _folder(self, name: str) -> Path:
        folder = self._tables / folders.check_name(name, "table")
        if folder.is_symlink() or not folder.is_dir():
            raise AccessError(
                f"There is no table {quote(f'my:{name}')}; yours are "
                f"{listing((entry.reference for entry in self.tables()), 20) or 'none so far'}."
            )
        return folder

    def _original(self, entry: TableEntry) -> Path:
        path = self._tables / entry.name / Path(entry.original_file).name
        if _sha256(folders.own_file(path)) != entry.original_sha256:
            raise DataError(_changed_sentence(entry.name))
        return path


def check_table_name(name: str) -> None:
    """Refuse a name that a table cannot have.

    Raises
    ------
    DataError
        If it is not a plain word.
    """
    try:
        folders.check_name(name, "table")
    except AccessError:
        raise DataError(
            f"Table name {quote(name)} does not fit; use up to 64 lower-case letters, digits, - "
            "and _, a letter or digit first."
        ) from None


def _taken(name: str) -> DataError:
    return DataError(
        f"You have a table {quote(name)} already; choose another name or remove that one."
    )


def _changed_sentence(name: str) -> str:
    return (
        f"The files of table {quote(name)} are not those that were saved; remove the table and "
        "upload the file again."
    )


def _record(part: Path, values: dict[str, Any], name: str) -> TableEntry:
    entry = TableEntry.model_validate(values | {"name": name})
    (part / ABOUT).write_text(entry.model_dump_json(indent=1), encoding="utf-8")
    return entry


def _link(path: Path, target: Path) -> None:
    """Have a file in two folders; it is never written to again."""
    try:
        os.link(path, target, follow_symlinks=False)
    except OSError:  # a file system without hard links
        shutil.copyfile(path, target, follow_symlinks=False)


def _delete(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry, ignore_errors=True)
    else:
        entry.unlink(missing_ok=True)


def _build(schema: Schema, tensors: Mapping[str, Tensor], name: str) -> Table:
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
        raise DataError(_changed_sentence(name))
    aside = None
    if beside is not None:
        aside = Table(Schema(features=schema.beside), beside, ids, name=name)
    return Table(schema=schema, X=X, ids=ids, y=y, weights=weights, name=name, aside=aside)


def _check_codes(table: Table) -> None:
    """Hold codes against their categories: what a process that read an upload says is checked."""
    columns = [
        (table.X[:, i], len(feature.categories))
        for i, feature in enumerate(table.schema.features)
        if feature.categories
    ]
    if table.aside is not None:
        _check_codes(table.aside)
    if table.y is not None and table.schema.classes:
        columns.append((table.y, table.schema.n_classes))
    for column, n_categories in columns:
        known = column[~torch.isnan(column)] if column.is_floating_point() else column
        if len(known) and not (
            known.min() >= 0 and known.max() < n_categories and bool((known == known.floor()).all())
        ):
            raise DataError(_changed_sentence(table.name))


def _read(part: type[Part], path: Path, limit: int = MAX_ABOUT_BYTES) -> Part:
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


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=1024)
def _sha256_of_state(path: Path, seen: tuple[int, int, int]) -> str:  # noqa: ARG001
    return _sha256(path)
