"""One person's folder: uploads that wait, tables, and a registry of models.

``<home>/people/<owner>/`` holds ``quarantine/<id>/`` with a file as it came, ``tables/<name>/``
with its arrays, schema and original, and ``models/``. Everything in it is data; what comes from a
file is parsed in a confined process alone.
"""

import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.core.errors import AccessError, DataError, WorkbenchError
from workbench.core.schema import Schema, listing
from workbench.core.settings import settings
from workbench.core.table import Table
from workbench.data.bundled import load_schema, save_schema
from workbench.data.columns import quote
from workbench.data.facts import Survey
from workbench.isolation.process import Limits, call
from workbench.workspace import folders
from workbench.workspace.arrays import build_table, check_codes
from workbench.workspace.records import (
    ABOUT,
    PREVIEW,
    SCHEMA,
    TENSORS,
    Draft,
    TableEntry,
    changed_sentence,
    read_record,
    record_table,
    sha256_of,
    sha256_of_state,
)
from workbench.workspace.tensor_file import map_tensors
from workbench.workspace.uploads import Uploads

Preview = Survey
MAX_PREVIEW_BYTES = 2**28
_HOUR = 3600.0


class Workspace(Uploads):
    """The folder of one person.

    Raises
    ------
    AccessError
        If the owner is not a key such as the sign-in gives.
    """

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
            return read_record(Survey, into / PREVIEW, MAX_PREVIEW_BYTES)

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

    def tables(self) -> tuple[TableEntry, ...]:
        """Return the tables by name; one that is damaged is left out."""
        found = []
        for folder in folders.subfolders(self._tables):
            with suppress(WorkbenchError):
                found.append(read_record(TableEntry, folder / ABOUT))
        return tuple(found)

    def entry(self, name: str) -> TableEntry:
        """Return what is recorded beside a table.

        Raises
        ------
        AccessError
            If there is no such table.
        """
        return read_record(TableEntry, self._folder(name) / ABOUT)

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
        if sha256_of(folders.own_file(folder / SCHEMA)) != entry.schema_sha256:
            raise DataError(changed_sentence(name))
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
        if sha256_of_state(path, seen) != entry.tensors_sha256:
            raise DataError(changed_sentence(name))
        table = build_table(schema, map_tensors(path), name)
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
            edited = record_table(part, values, name)
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
        table = build_table(schema, map_tensors(part / TENSORS), name)
        check_codes(table)
        save_schema(schema, part / SCHEMA)
        notes = said.get("notes")
        return about | {
            "created": datetime.now(UTC),
            "n_rows": len(table),
            "n_features": len(schema.features),
            "n_bytes": (part / TENSORS).stat().st_size,
            "digest": table.digest,
            "tensors_sha256": sha256_of(part / TENSORS),
            "schema_sha256": sha256_of(part / SCHEMA),
            "notes": [str(note) for note in notes] if isinstance(notes, list) else [],
        }

    def _publish(self, part: Path, values: dict[str, Any], name: str, *, given: bool) -> TableEntry:
        """Let a table appear under its name, or under the next free one where it was derived."""
        for number in range(1, 10_000):
            free = name if number == 1 else f"{name}-{number}"
            entry = record_table(part, values, free)
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
            recorded = read_record(TableEntry, rest / ABOUT).name
        except WorkbenchError:
            return False
        return recorded == name and folders.publish(rest, self._tables / name)

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
        if sha256_of(folders.own_file(path)) != entry.original_sha256:
            raise DataError(changed_sentence(entry.name))
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
