"""What runs that were killed left beside their folders: whose it is, and how it is put right."""

import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.jobs.lock import FileLock

PART, OLD, LOCK = "part", "old", "lock"


@contextmanager
def held_name(out: Path) -> Iterator[tuple[Path, Path]]:
    """Yield two names beside a folder, what is written and what it replaces, held by a lock.

    The system takes the lock back however the process ends. Where a file system knows no locks
    the names are used without one, and what is left of them is never taken for a leftover.
    """
    while True:
        part, old, lock = (
            out.with_name(f".{out.name}.{name}.{end}")
            for name in [secrets.token_hex(4)]
            for end in (PART, OLD, LOCK)
        )
        held = FileLock(lock)
        try:
            # Whoever tidies up may have removed the file between its making and its locking.
            if held.acquire() and lock.exists():
                break
        except OSError:
            break
        held.release()
    try:
        yield part, old
    finally:
        with suppress(OSError):
            lock.unlink()
        held.release()


def tidy(out: Path, give_back: Callable[[Path, Path], None]) -> None:
    """Put right what killed runs left beside a folder; what a run still holds is not touched.

    A run that was killed while it took its place is finished. Files of others that it had already
    taken over go back.

    Parameters
    ----------
    give_back
        Moves what is of others from what was being written to the folder.
    """
    name = re.compile(rf"\.{re.escape(out.name)}\.[0-9a-f]{{8}}\.{LOCK}")
    if not out.parent.is_dir():
        return
    for lock in [path for path in out.parent.iterdir() if name.fullmatch(path.name)]:
        held = FileLock(lock)
        with suppress(OSError):
            if not held.acquire():
                continue
            _put_right(out, lock.with_suffix(f".{PART}"), lock.with_suffix(f".{OLD}"), give_back)
            lock.unlink()
        held.release()


def _put_right(out: Path, part: Path, old: Path, give_back: Callable[[Path, Path], None]) -> None:
    if old.is_dir() and not out.exists():
        # The last step was left: what was written is whole, and holds the files of others.
        (part if part.is_dir() else old).rename(out)
    elif part.is_dir() and out.is_dir():
        give_back(part, out)
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
