"""Who is served next."""

import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LARGE_TURNS_SMALL_SECONDS = 60.0


@dataclass(frozen=True)
class Waiting:
    """A run in the queue and for whom it is."""

    key: str
    device: str
    priority: int
    queued: float
    owners: tuple[str, ...]

    def next_owner(self, turns: Mapping[str, int]) -> str:
        """Return whose turn it counts as: of those who wait for it, who was served longest ago."""
        return min(self.owners, key=lambda owner: turns.get(owner, 0))


def in_order(
    waiting: Iterable[Waiting], turns: Mapping[str, int], *, now: float
) -> tuple[Waiting, ...]:
    """Order runs as they will be taken if nothing else is submitted.

    Small runs come first, and large ones that have waited for a minute with them (small ones need
    not wait for those, see ``worker``). Then people take turns, whoever was served longest ago
    first; then age counts.
    """
    places: dict[Waiting, tuple[int, int, int, float]] = {}
    before: Counter[tuple[int, str]] = Counter()  # of each person, those that are older
    for run in sorted(waiting, key=lambda run: run.queued):
        owner = run.next_owner(turns)
        is_late = now - run.queued > LARGE_TURNS_SMALL_SECONDS
        rank = 0 if is_late else run.priority
        places[run] = (rank, before[rank, owner], turns.get(owner, 0), run.queued)
        before[rank, owner] += 1
    return tuple(sorted(places, key=places.__getitem__))


def read_turns(connection: sqlite3.Connection) -> dict[str, int]:
    """Return for each person a number that is larger the later the person was served."""
    return {row["owner"]: row["turn"] for row in connection.execute("SELECT * FROM turns")}


def waiting_runs(connection: sqlite3.Connection) -> tuple[Waiting, ...]:
    """Read the queue, in the order in which runs will be taken."""
    found = connection.execute(
        "SELECT key, device, priority, queued, group_concat(owner) AS owners FROM runs "
        "JOIN jobs USING (key) WHERE runs.state = 'queued' AND jobs.state = 'open' GROUP BY key"
    )
    runs = [
        Waiting(r["key"], r["device"], r["priority"], r["queued"], tuple(r["owners"].split(",")))
        for r in found
    ]
    return in_order(runs, read_turns(connection), now=time.time()) if runs else ()
