"""Files that appear as a whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside ``path`` to write to; it takes its place when the block succeeds.

    Nothing is left behind when the block fails, and a reader never sees half a file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield part
        os.replace(part, path)  # noqa: PTH105 - atomic on every platform
    finally:
        part.unlink(missing_ok=True)
