"""What a person sees of a job."""

import time
from dataclasses import dataclass
from typing import Literal

State = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
ACTIVE: tuple[State, ...] = ("queued", "running")


@dataclass(frozen=True)
class Job:
    """A job at one moment.

    Attributes
    ----------
    key
        Of the request; jobs with equal keys share one run.
    link
        Address of the page that shows the result.
    done, total, message
        How far the run is, in what unit.
    created, started, finished
        Seconds since 1970.
    error
        One sentence where the job came to nothing, or its result is no longer kept.
    evaluations, n_bytes
        What it takes at most.
    position
        How many runs go before this one; 0 unless it waits.
    seconds
        How long the run took, without what ran in between.
    """

    id: str
    owner: str
    key: str
    method: str
    title: str
    link: str
    state: State
    done: int
    total: int
    message: str
    created: float
    started: float | None
    finished: float | None
    error: str
    evaluations: int
    n_bytes: int
    device: str
    position: int = 0
    seconds: float | None = None

    @property
    def is_active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ACTIVE

    @property
    def fraction(self) -> float:
        """How much is done, from 0 to 1."""
        if self.state == "done":
            return 1.0
        return min(1.0, self.done / self.total) if self.total else 0.0

    @property
    def eta(self) -> float | None:
        """Seconds until it is done, at the rate so far; None where there is no rate yet."""
        if self.state != "running" or self.started is None or not 0 < self.done <= self.total:
            return None
        return max(0.0, time.time() - self.started) * (self.total - self.done) / self.done

    def describe(self) -> str:
        """Return one line about it.

        Examples
        --------
        >>> Job("j1", "local", "k", "shapley.exact", "Row 5", "", "running", 50, 200, "rows", 0.0,
        ...     None, None, "", 200, 0, "cpu").describe()
        'Row 5: running, 50 of 200 rows'
        """
        return f"{self.title}: {self._state_in_words()}"

    def _state_in_words(self) -> str:
        if self.state == "queued":
            ahead = self.position
            return (
                "waiting, next" if not ahead else f"waiting behind {ahead} other{'s' * (ahead > 1)}"
            )
        if self.state == "running":
            left = "" if self.eta is None else f", about {self.eta:,.0f} s left"
            how_far = f", {self.done:,} of {self.total:,} {self.message}" if self.total else ""
            return f"running{how_far}{left}"
        if self.error:
            return f"{self.state}: {self.error}"
        return self.state if self.seconds is None else f"{self.state} in {self.seconds:,.1f} s"
