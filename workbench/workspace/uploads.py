"""One person's folder: the uploads that wait in it, and the room that is left."""

import hashlib
import secrets
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from workbench.core.errors import AccessError, DataError, LimitError, WorkbenchError
from workbench.core.settings import settings
from workbench.data.columns import quote
from workbench.workspace import folders
from workbench.workspace.rate import count_upload
from workbench.workspace.records import ABOUT, Draft, Usage, read_record

_CHUNK = 2**20


class Uploads:
    """What a person uploaded and has not made anything of yet.

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

    @property
    def _quarantine(self) -> Path:
        return self.root / "quarantine"

    @property
    def _tables(self) -> Path:
        return self.root / "tables"

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
                found.append(read_record(Draft, folder / ABOUT))
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
