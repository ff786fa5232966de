"""Files that appear as a whole or not at all."""

import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.core.errors import InvalidInputError, WorkbenchError

_SPECIAL: dict[str, Callable[[int], bool]] = {
    "a pipe": stat.S_ISFIFO, "a socket": stat.S_ISSOCK,
    "a device": lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode),
}  # fmt: skip


def refuse_special(path: Path, error: type[WorkbenchError] = InvalidInputError) -> None:
    """Refuse what is neither file nor folder, before it is opened: it may be waited for forever.

    What is not there, or may not be looked at, is left to whoever opens it.

    Raises
    ------
    WorkbenchError
        If it is a pipe, a socket or a device; of the kind that is given.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return
    for kind, is_kind in _SPECIAL.items():
        if is_kind(mode):
            raise error(f"{str(path)!r} is {kind}, not a file that can be read twice; name a file.")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside ``path`` to write to; it takes its place when the block succeeds.

    Nothing is left behind when the block fails, and a reader never sees half a file.

    Raises
    ------
    InvalidInputError
        If the path is a pipe, a socket or a device, which a file must not replace.
    OSError
        If it cannot be written; it names ``path``.
    """
    refuse_special(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield part
        os.replace(part, path)  # noqa: PTH105 - atomic on every platform
    except OSError as error:
        if str(error.filename) == str(part):  # nobody knows that name
            error.filename = str(path)
        raise
    finally:
        part.unlink(missing_ok=True)
