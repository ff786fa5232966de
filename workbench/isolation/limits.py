"""What a confined process may use, and what this system can confine."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

GIB = 2**30


@dataclass(frozen=True)
class Limits:
    """What one process may use.

    Attributes
    ----------
    memory_bytes
        Beyond what the program itself takes once its modules are loaded.
    seconds
        Wall clock for one call; loading the modules does not count.
    cpu_seconds
        Processor time for one call; by default what all cores could spend in ``seconds``.
    writes
        The only folder it may write to; None: no file may be written.
    reads
        Files and folders that it may read besides the program's own; None: whatever the user may.
    file_bytes
        Largest file that it may write.
    reply_bytes
        Most bytes of arrays that one answer may hold.
    what
        Begins the sentence about a limit, such as ``Reading 'people.csv'``.
    time_setting, memory_setting
        The settings that such a sentence names.
    """

    memory_bytes: int
    seconds: float
    cpu_seconds: float | None = None
    writes: Path | None = None
    open_files: int = 64
    reads: tuple[Path, ...] | None = None
    file_bytes: int | None = None
    reply_bytes: int = GIB // 4
    what: str = "Reading the file"
    time_setting: str = "reader_seconds"
    memory_setting: str = "reader_bytes"

    def to_json(self) -> dict[str, Any]:
        """Return what the process itself must know."""
        return {
            "memory_bytes": self.memory_bytes,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "writes": None if self.writes is None else str(self.writes.resolve()),
            "reads": None if self.reads is None else [str(p.resolve()) for p in self.reads],
            "open_files": self.open_files,
            "file_bytes": self.file_bytes,
        }


@dataclass(frozen=True)
class Isolation:
    """What this system can keep a process of ours from.

    Attributes
    ----------
    memory
        Taking more memory than it may.
    network
        Reaching the network or starting programs.
    writes
        Writing anywhere but to the folder it was given.
    sentence
        The same for people.
    """

    memory: bool
    network: bool
    writes: bool
    sentence: str

    @property
    def enough(self) -> bool:
        """Whether uploads may be read where isolation is required."""
        return self.memory and self.network
