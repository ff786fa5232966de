"""Results on disk, each under the key of its request; the longest unused ones make room."""

import errno
import logging
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workbench.core.errors import InvalidInputError, LimitError, ResultFileError
from workbench.core.results import Result, load
from workbench.core.settings import settings

_KEY = re.compile(r"[0-9a-f]{64}")
PARTIAL = ".part"
PREVIEW = ".preview"
OLD_PARTIAL_SECONDS = 3600.0
# Room is made for more than the one result, so that not every result has to look for some.
FILL = 0.95
LOOK_AGAIN = 0.02
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_log = logging.getLogger("workbench.jobs")


@dataclass(frozen=True)
class _File:
    path: Path
    n_bytes: int
    used: int


class ResultStore:
    """``<aa>/<key>.<kind>`` for a key that begins with ``aa``.

    The time of last use is the file's time of change, set by ``get``: times of access are not
    kept on many systems, and a list of uses could be lost.

    Parameters
    ----------
    max_bytes
        Space for all results; by default the setting ``results_bytes``.
    """

    def __init__(self, root: Path, *, max_bytes: int | None = None) -> None:
        self.root = root
        self._max_bytes = max_bytes
        self._seen: int | None = None
        self._added = 0

    @property
    def max_bytes(self) -> int:
        """Space for all results."""
        return settings().results_bytes if self._max_bytes is None else self._max_bytes

    def has(self, key: str) -> bool:
        """Tell whether there is a file for a key; whether it is sound, ``get`` finds out."""
        return self._find(key) is not None

    def get(self, key: str) -> Result | None:
        """Load a result; None where there is none, or where it was damaged and is removed now."""
        path = self._find(key)
        if path is None:
            return None
        try:
            result = load(path)
        except ResultFileError as error:
            _log.warning("A stored result was removed: %s", error)
            path.unlink(missing_ok=True)
            return None
        with suppress(OSError):  # it may have been removed in this moment
            os.utime(path)
        return result

    def put(self, key: str, result: Result) -> Path:
        """Store a result, and remove others that were not used for longest if it needs room.

        Raises
        ------
        LimitError
            If there is no room for it.
        """
        path = self._folder(key) / f"{key}.{result.kind}"
        try:
            self._private(path.parent)
            result.save(path)
            size = path.stat().st_size
        except OSError as error:
            raise self._no_room(error) from error
        if size > self.max_bytes:
            path.unlink(missing_ok=True)
            raise LimitError(
                f"The result takes {size:,} bytes, more than all results together may "
                f"({self.max_bytes:,}, setting results_bytes); explain fewer rows."
            )
        self._added += size
        self._make_room(path)
        return path

    def remove(self, key: str) -> None:
        """Remove a result and its preview, if there are any."""
        if (path := self._find(key)) is not None:
            path.unlink(missing_ok=True)
        self.drop_preview(key)

    def put_preview(self, key: str, result: Result) -> None:
        """Keep what a run knows so far, in place of what it knew before; without room, nothing."""
        path = self._preview(key)
        try:
            self._private(path.parent)
            result.save(path)
        except OSError as error:
            _log.warning("A preview could not be written: %s", error.strerror)

    def preview(self, key: str) -> Result | None:
        """Load what a run knew when it last told; None where it told nothing."""
        try:
            return load(self._preview(key))
        except ResultFileError:
            return None

    def drop_preview(self, key: str) -> None:
        """Remove a preview, if there is one."""
        self._preview(key).unlink(missing_ok=True)

    def clean_up(self) -> None:
        """Remove what writers that were killed left behind, and previews that nobody looks at."""
        limit = time.time() - OLD_PARTIAL_SECONDS
        for ending in (PARTIAL, PREVIEW):
            for path in self.root.glob(f"??/.*{ending}"):
                with suppress(OSError):
                    if path.stat().st_mtime < limit:
                        path.unlink()

    def _private(self, folder: Path) -> None:
        for place in (self.root, folder):  # results hold rows of people's tables
            place.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _folder(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise InvalidInputError("A key of a result is 64 hexadecimal digits.")
        return self.root / key[:2]

    def _preview(self, key: str) -> Path:
        return self._folder(key) / f".{key}{PREVIEW}"  # no result: the name begins with a dot

    def _find(self, key: str) -> Path | None:
        return next(self._folder(key).glob(f"{key}.*"), None)

    def _make_room(self, newest: Path) -> None:
        """Keep to the limit; the folder is read when it may have been passed, not every time."""
        most = self.max_bytes
        is_known = self._seen is not None and self._added <= LOOK_AGAIN * most
        if is_known and (self._seen or 0) + self._added <= most:
            return
        files = sorted(self._files(), key=lambda file: file.used)
        total = sum(file.n_bytes for file in files)
        if total > most:
            for file in files:
                if total <= FILL * most:
                    break
                if file.path != newest:
                    file.path.unlink(missing_ok=True)
                    total -= file.n_bytes
        self._seen, self._added = total, 0

    def _files(self) -> Iterator[_File]:
        for folder in self.root.glob("??"):
            for path in folder.glob("*"):
                if path.name.startswith("."):  # being written
                    continue
                with suppress(OSError):  # removed by someone else in this moment
                    state = path.stat()
                    yield _File(path, state.st_size, state.st_mtime_ns)

    def _no_room(self, error: OSError) -> LimitError:
        if error.errno in _NO_ROOM:
            return LimitError(
                f"There is no room for the result on the disk of {str(self.root)!r}; make room, or "
                "let WORKBENCH_HOME name a folder on a larger disk."
            )
        return LimitError(
            f"The result cannot be written to {str(self.root)!r} ({error.strerror}); check the "
            "permissions of the folder."
        )


def open_store(home: Path) -> ResultStore:
    """Return the results of a home folder."""
    return ResultStore(home / "results")
