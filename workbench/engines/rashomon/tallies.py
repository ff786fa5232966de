"""What is added up over candidates: ends of ranges, growth with their number, a sample."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

SAMPLE = 2000


@dataclass(eq=False)
class Ends:
    """The least and the greatest output so far, and which candidate gave it.

    Axes: 2 for low and high, ``t`` tolerances (or their bins), ``n`` rows, ``k`` outputs. Low
    ends are kept with their sign changed, so that both are maxima.
    """

    values: Float[Tensor, "2 t n k"]
    serials: Int[Tensor, "2 t n k"]

    def add(self, place: int, outputs: Float[Tensor, "c n k"], serials: Int[Tensor, " c"]) -> None:
        """Take candidates into one bin."""
        for side, signed in enumerate((-outputs, outputs)):
            most, which = signed.max(0)
            better = most > self.values[side, place]
            self.values[side, place] = torch.where(better, most, self.values[side, place])
            mine = self.serials[side, place]
            self.serials[side, place] = torch.where(better, serials[which], mine)

    def combined(self) -> "Ends":
        """Return the ends at each tolerance from those in each bin: smaller ones are within."""
        values, serials = self.values.clone(), self.serials.clone()
        for t in range(1, values.shape[1]):
            kept = values[:, t - 1] >= values[:, t]
            values[:, t] = torch.where(kept, values[:, t - 1], values[:, t])
            serials[:, t] = torch.where(kept, serials[:, t - 1], serials[:, t])
        return Ends(values, serials)


@dataclass(eq=False)
class Growing:
    """Extremes of the first so many models that one tolerance admits."""

    models: tuple[int, ...]
    base: Float[Tensor, "n k"]
    is_class: bool

    def __post_init__(self) -> None:
        self.seen = 0
        self.low, self.high = self.base.clone(), self.base.clone()
        self.flipped = torch.zeros(len(self.base), dtype=torch.bool, device=self.base.device)
        self.most = 0.0
        self.found = np.full((len(self.models), 3), np.nan)

    def add(self, outputs: Float[Tensor, "c n k"]) -> None:
        """Take models in their order, and stop at each number that is looked at."""
        start = 0
        for place, number in enumerate(self.models):
            if self.seen < number:
                part = outputs[start : start + number - self.seen]
                self._take(part)
                start += len(part)
                if self.seen == number:
                    self.found[place] = self._metrics()
        self._take(outputs[start:])

    def _take(self, outputs: Tensor) -> None:
        if not len(outputs):
            return
        self.seen += len(outputs)
        self.low = torch.minimum(self.low, outputs.amin(0))
        self.high = torch.maximum(self.high, outputs.amax(0))
        flips = outputs.argmax(2) != self.base.argmax(1)
        self.flipped |= flips.any(0)
        self.most = max(self.most, float(flips.double().mean(1).max()))

    def _metrics(self) -> tuple[float, float, float]:
        width = float((self.high - self.low).amax(1).double().quantile(0.5))
        if not self.is_class:
            return np.nan, np.nan, width
        return float(self.flipped.double().mean()), self.most, width


class Sample:
    """Evenly spaced candidates, at most ``SAMPLE`` of them: every second one goes when it is full.

    Columns: serial number, strength, excess loss, its standard error, loss and accuracy on the
    rows that are reported on.
    """

    def __init__(self) -> None:
        self.step = 1
        self.lines: list[tuple[float, ...]] = []

    def add(self, serials: Int[Tensor, " b"], columns: Float[Tensor, "b c"]) -> None:
        """Take those whose turn it is."""
        for serial, line in zip(serials.tolist(), columns.tolist(), strict=True):
            if serial % self.step == 0:
                self.lines.append((serial, *line))
                if len(self.lines) > SAMPLE:
                    self.step *= 2
                    self.lines = [kept for kept in self.lines if kept[0] % self.step == 0]

    def columns(self) -> Float[np.ndarray, "c 5"]:
        """Strength, excess, noise, loss and accuracy."""
        return np.array(self.lines, dtype=np.float64).reshape(-1, 6)[:, 1:]
