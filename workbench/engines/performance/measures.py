"""Metrics gathered one by one, each with its interval or the reason why it has none."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workbench.numerics.intervals import UNKNOWN, Interval

ONE_ROW = "an interval needs at least 2 rows"


@dataclass
class Measures:
    """A list that grows; ``fields`` turns it into the arrays of a ``Performance``."""

    n: int
    names: list[str] = field(default_factory=list)
    numbers: list[tuple[float, float, float]] = field(default_factory=list)
    intervals: list[str] = field(default_factory=list)
    undefined: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, value: float, bounds: Interval, interval: str) -> None:
        """Add a metric; NaN bounds mean that a single row gave no interval."""
        if math.isnan(bounds[0]):
            self.undefined[name] = ONE_ROW
            interval = "none"
        self.names.append(name)
        self.numbers.append((value, *bounds))
        self.intervals.append(interval)

    def skip(self, name: str, reason: str) -> None:
        """Add a metric that is not defined on these rows."""
        self.names.append(name)
        self.numbers.append((math.nan, *UNKNOWN))
        self.intervals.append("none")
        self.undefined[name] = reason

    def fields(self) -> dict[str, Any]:
        """Return the fields of a ``Performance`` that say all this."""
        return {
            "metric_names": tuple(self.names),
            "metrics": np.array(self.numbers, dtype=np.float64).reshape(-1, 3),
            "metric_n": np.full(len(self.names), self.n, dtype=np.int64),
            "metric_intervals": tuple(self.intervals),
            "undefined": self.undefined,
        }
