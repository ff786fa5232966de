"""Folders of a person's own: names that cannot lead elsewhere, no links, whole or not at all."""

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.core.errors import AccessError, DataError, LimitError

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
PART = ".part"
_FULL = {errno.ENOSPC, errno.EDQUOT}
# Names that some systems take for devices.
_DEVICES = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")


def check_name(name: str, word: str) -> str:
    """Return a name that is a plain word.

    Raises
    ------
    AccessError
        If it is not, and so names nothing of the person's.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name) or _DEVICES.fullmatch(name):
        raise AccessError(f"There is no {word} of yours with that name; choose one from the list.")
    return name


def plain_name(text: str, default: str) -> str:
    """Make a plain word of a file name.

    Examples
    --------
    >>> plain_name("../My Loans (2024).csv", "table"), plain_name("con.csv", "table")
    ('my-loans-2024', 'con-table')
    """
    stem = base_name(text).rsplit(".", 1)[0].lower()
    word = re.sub(r"[^a-z0-9_]+", "-", stem).strip("-_")[:56] or default
    return f"{word}-{default}" if _DEVICES.fullmatch(word) else word


def base_name(text: str) -> str:
    r"""Return what follows the last slash or backslash, bounded, as text that can be stored.

    Examples
    --------
    >>> base_name("../../etc/passwd"), base_name("C:\\x.csv")
    ('passwd', 'x.csv')
    """
    last = re.split(r"[/\\]", text)[-1]
    return last.encode("utf-8", "replace").decode()[:255] or "upload"


def own_folder(folder: Path) -> Path:
    """Make a folder that its owner alone may enter.

    Raises
    ------
    AccessError
        If a link is in its place.
    """
    if folder.is_symlink():
        raise AccessError(f"{folder.name!r} is a link and is not followed; remove it.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def own_file(path: Path) -> Path:
    """Return a path after making sure that it is a plain file.

    Raises
    ------
    AccessError
        If it is a link, or there is no such file.
    """
    if path.is_symlink() or path.parent.is_symlink() or not path.is_file():
        raise AccessError(f"There is no file {path.name!r} of yours; upload it again.")
    return path


def subfolders(folder: Path) -> Iterator[Path]:
    """Yield the folders in a folder by name, without links and hidden ones."""
    if folder.is_symlink() or not folder.is_dir():
        return
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith("."):
            yield entry


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder; files that vanish meanwhile do not count."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):
                total += (Path(place) / name).lstat().st_size
    return total


@contextmanager
def staging(beside: Path) -> Iterator[Path]:
    """Yield a hidden folder beside others; what is still in it at the end is removed."""
    with disk_explained():
        own_folder(beside)
        folder = beside / f".{secrets.token_hex(8)}{PART}"
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def publish(folder: Path, target: Path) -> bool:
    """Let a folder appear under its name; False if the name is taken, whoever was first."""
    try:
        if target.exists():  # an empty folder would be replaced
            return False
        folder.rename(target)
    except OSError as error:
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}:
            return False
        raise
    return True


def remove(folder: Path) -> None:
    """Let a folder vanish at once, then delete what is in it."""
    hidden = folder.with_name(f".{secrets.token_hex(8)}{PART}")
    folder.rename(hidden)
    shutil.rmtree(hidden, ignore_errors=True)


@contextmanager
def disk_explained() -> Iterator[None]:
    """Turn a full disk and other faults of writing into one sentence.

    Raises
    ------
    LimitError
        If the disk is full.
    DataError
        If the folder cannot be written for another reason.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise LimitError(
                "The disk is full, and nothing was saved; free space or remove tables and models "
                "that are no longer needed."
            ) from None
        raise DataError(
            f"The folder of your uploads cannot be used: {error.strerror or error}; whoever runs "
            "the workbench can correct its home folder."
        ) from None
