"""A result against an earlier one of the same step, value by value."""

import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from workbench.analysis.numbers import numbers_of
from workbench.core.results import Result
from workbench.jobs.request import registered_methods, versions

# Across machines sums are taken in another order, which single precision answers in its seventh
# digit; what sorts, decides or solves makes more of it.
NEAR = 1e-3
# Where networks are trained, each step starts from what the last one left: small differences grow,
# and a decision may fall to the other side. Measured were 0.004 of explainers, else 2e-6.
TRAINED = 0.05
# Of weights: they tell equal bits from others, and nothing of how far apart those are.
DIGESTS = "digests"


@dataclass(frozen=True)
class Difference:
    """The largest difference of two results.

    Attributes
    ----------
    relative
        Of two numbers, as a share of the largest number in their array; 1 where text, shapes or
        what is missing differ.
    absolute
        The same as it is; 0 where what differs is no number.
    where
        Name of the array or value; empty where nothing differs.
    """

    relative: float = 0.0
    absolute: float = 0.0
    where: str = ""


@dataclass(frozen=True)
class Comparison:
    """How far a step is from an earlier run, and how far it may be; None where that is open."""

    step: str
    difference: Difference
    tolerance: float | None

    @property
    def is_within(self) -> bool:
        """Whether the difference is one that may be."""
        return self.tolerance is None or self.difference.relative <= self.tolerance

    def describe(self) -> str:
        """Say it in one sentence."""
        found = self.difference
        if not found.where:
            return f"{self.step}: the same numbers, bit for bit."
        if self.tolerance is None:
            verdict = "networks trained on another kind of device are others: not judged"
        else:
            verdict = f"the tolerance is {self.tolerance:g}: "
            verdict += "within" if self.is_within else "beyond"
        if found.relative >= 1 and not found.absolute:
            return f"{self.step}: {found.where} is another one; {verdict}."
        return (
            f"{self.step}: the largest difference is {found.absolute:.3g} in {found.where}, "
            f"{found.relative:.2g} of its largest value; {verdict}."
        )


def machine() -> dict[str, str]:
    """Return what decides whether numbers are the same to the bit, besides what is asked."""
    return {
        **versions(),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "processor": _processor(),
        "instructions": str(torch.backends.cpu.get_cpu_capability()),
        "threads": str(torch.get_num_threads()),
    }


def tolerance_for(
    method: str,
    params: Mapping[str, Any] | None = None,
    *,
    same_machine: bool,
    same_kind_of_device: bool = True,
) -> float | None:
    """Return how far two runs of a method may differ, as a share of the largest value.

    None where any difference may be: random numbers are drawn on the device that trains a network,
    and each kind of device has others. By ``params``, the settings, some methods train or do not.
    """
    if same_machine:
        return 0.0
    found = registered_methods().find(method)
    if not found.trains(found.params.model_validate(dict(params or {}))):
        return NEAR
    return TRAINED if same_kind_of_device else None


def differ(new: Result, old: Result, *, digests: bool = True) -> Difference:
    """Return the largest difference of two results; times and provenance do not count.

    Parameters
    ----------
    digests
        Whether digests of trained weights have to be the same, as they are where all bits are.
    """
    if new.kind != old.kind:
        return Difference(1.0, 0.0, f"the kind of result, {new.kind} instead of {old.kind}")
    (arrays, rest), (old_arrays, old_rest) = numbers_of(new), numbers_of(old)
    if not digests:
        rest, old_rest = ({**part, DIGESTS: None} for part in (rest, old_rest))
    found = [Difference()]
    for name in {**arrays, **old_arrays}:
        if name in arrays and name in old_arrays:
            found.append(_of_arrays(name, arrays[name], old_arrays[name]))
        else:
            found.append(Difference(1.0, 0.0, name))
    values, old_values = dict(_leaves(rest)), dict(_leaves(old_rest))
    for name in {**values, **old_values}:
        if name not in values or name not in old_values:
            found.append(Difference(1.0, 0.0, name))
        else:
            found.append(_of_values(name, values[name], old_values[name]))
    return max(found, key=lambda difference: (difference.relative, bool(difference.where)))


def _of_arrays(name: str, new: np.ndarray, old: np.ndarray) -> Difference:
    if new.shape != old.shape or new.dtype != old.dtype:
        return Difference(1.0, 0.0, name)
    if new.tobytes() == old.tobytes():
        return Difference()
    if new.dtype.kind != "f":
        return Difference(float((new != old).mean()), 0.0, name)
    finite = np.isfinite(new)
    if (finite != np.isfinite(old)).any() or (new[~finite & ~np.isnan(new)] != old[
        ~finite & ~np.isnan(new)
    ]).any():  # fmt: skip
        return Difference(1.0, 0.0, name)
    if not finite.any():
        return Difference()
    gap = float(np.abs(new[finite] - old[finite]).max())
    return Difference(_share(gap, float(np.abs(old[finite]).max())), gap, name if gap else "")


def _of_values(name: str, new: Any, old: Any) -> Difference:
    if new == old and type(new) is type(old):
        return Difference()
    if isinstance(new, float) and isinstance(old, float):
        if np.isnan(new) and np.isnan(old):
            return Difference()
        if np.isfinite(new) and np.isfinite(old):
            return Difference(_share(abs(new - old), abs(old)), abs(new - old), name)
    return Difference(1.0, 0.0, name)


def _share(gap: float, largest: float) -> float:
    return gap / largest if largest > 0 else float(gap > 0)


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _leaves(part, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        yield f"{name} (how many)", len(value)
        for at, part in enumerate(value):
            yield from _leaves(part, f"{name}.{at}")
    else:
        yield name, value


def _processor() -> str:
    if os.path.exists("/proc/cpuinfo"):  # noqa: PTH110 - a name of the system, not a file of ours
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n"):
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
