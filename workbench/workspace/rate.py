"""How often a person started something in the last hour, counted across processes."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from workbench.core.errors import DataError, LimitError

HOUR = 3600.0


def count_upload(file: Path, limit: int, now: float | None = None) -> None:
    """Count one more upload.

    Raises
    ------
    LimitError
        If there were as many as allowed in the last hour; this one is not counted.
    DataError
        If the file that counts is damaged.
    """
    now = time.time() if now is None else now
    try:
        # Nothing is kept open: the next upload may come in another process.
        with closing(sqlite3.connect(file, timeout=10, isolation_level=None)) as base:
            base.execute("CREATE TABLE IF NOT EXISTS uploads (time REAL NOT NULL)")
            base.execute("BEGIN IMMEDIATE")
            # A clock that was set back must not lock anybody out.
            base.execute("DELETE FROM uploads WHERE time <= ? OR time > ?", (now - HOUR, now))
            times = [row[0] for row in base.execute("SELECT time FROM uploads ORDER BY time")]
            if len(times) < limit:
                base.execute("INSERT INTO uploads VALUES (?)", (now,))
            base.execute("COMMIT")
    except sqlite3.Error as error:
        raise DataError(
            f"Uploads cannot be counted ({error}); remove {file.name!r} from the folder of your "
            "uploads."
        ) from None
    if len(times) >= limit:
        minutes = int((times[-limit] + HOUR - now) // 60) + 1
        raise LimitError(
            f"You started {limit} uploads within the last hour, which is the limit; try again in "
            f"{minutes} minute{'s' * (minutes > 1)}, or raise the setting uploads_per_hour."
        )
