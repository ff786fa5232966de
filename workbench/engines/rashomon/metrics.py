"""Multiplicity of a set of models, from what one pass over the candidates has kept."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from workbench.core.rashomon import METRICS, NO_MODEL
from workbench.engines.rashomon.reduction import Reduction
from workbench.numerics.stream.capacity import binary_capacity, capacity

OF_VALUES = ("width", "deviation")


@dataclass(eq=False)
class Seen:
    """Numbers about one explorer's models at each tolerance; NaN where none was admitted.

    Attributes
    ----------
    low_serial, high_serial
        Which candidate reaches an end, by its place in the order; ``NO_MODEL`` for the given one.
    """

    admitted: Int[np.ndarray, " t"]
    noise: Float[np.ndarray, " t"]
    metrics: Float[np.ndarray, "t m"]
    low: Float[np.ndarray, "t n k"]
    high: Float[np.ndarray, "t n k"]
    flips: Float[np.ndarray, "t n"]
    deviation: Float[np.ndarray, "t n k"]
    capacity: Float[np.ndarray, "t n"]
    low_serial: Int[np.ndarray, "t n k"]
    high_serial: Int[np.ndarray, "t n k"]


def metric_names(*, is_class: bool) -> tuple[str, ...]:
    """Return the metrics that are defined: a regression decides nothing."""
    return tuple(METRICS) if is_class else OF_VALUES


def measure(found: Reduction) -> Seen:
    """Put bins together from the smallest tolerance on, and work out every metric.

    Maxima (ambiguity, discrepancy, range, capacity) are over the admitted models and the given
    one; means (obscurity, disagreement, deviation, self-consistency) over the admitted ones.
    """
    counts = found.counts.cumsum(0).numpy()
    low, high, low_serial, high_serial = _ends(found)
    votes = found.votes.long().cumsum(0).cpu().numpy()
    deviation = _deviation(found)
    empty = counts == 0
    for array in (low, high):
        array[empty] = np.nan
    base = found.base.double().cpu().numpy()
    flips = np.full(low.shape[:2], np.nan)
    capacities = np.full(low.shape[:2], np.nan)
    if found.is_class:
        with np.errstate(invalid="ignore"):
            others = counts[:, None] - votes[:, np.arange(len(base)), base.argmax(1)]
            flips = others / np.where(empty, np.nan, counts)[:, None]
        capacities[~empty] = _capacities(found, low[~empty], high[~empty], ~empty)
    values: dict[str, Float[np.ndarray, " t"]] = {
        "width": _middle((high - low).max(2)),
        "deviation": _middle(deviation.max(2)),
    }
    if found.is_class:
        values |= of_votes(votes, counts, flips)
        values |= {
            "discrepancy": np.where(empty, np.nan, np.maximum.accumulate(found.most_flips)),
            "delta_ambiguity": moved_share(low, high, base, found.delta),
            "delta_discrepancy": np.where(empty, np.nan, np.maximum.accumulate(found.most_moved)),
            "capacity": _middle(capacities),
        }
    return Seen(
        admitted=counts,
        noise=_noise(found, counts),
        metrics=np.stack([values[name] for name in metric_names(is_class=found.is_class)], 1),
        low=low,
        high=high,
        flips=flips,
        deviation=deviation,
        capacity=capacities,
        low_serial=low_serial,
        high_serial=high_serial,
    )


def measure_range(
    low: Float[np.ndarray, "t n k"], high: Float[np.ndarray, "t n k"],
    base: Float[np.ndarray, "n k"], *, is_class: bool, delta: float,
) -> Seen:  # fmt: skip
    """Work out what ends of ranges alone tell: nothing that is about one model, or a share of them.

    A row is ambiguous where some other class may get more than the decided one; for two classes
    that is known from the ends, for more it is not.
    """
    t, n, k = low.shape
    nothing = np.full(t, np.nan)
    values = dict.fromkeys(METRICS, nothing) | {"width": _middle((high - low).max(2))}
    capacities = np.full((t, n), np.nan)
    if is_class:
        values["delta_ambiguity"] = moved_share(low, high, base, delta)
    if is_class and k == 2:
        capacities = binary_capacity(
            torch.from_numpy(low[..., 1]), torch.from_numpy(high[..., 1])
        ).numpy()
        decided = base.argmax(1)
        least = low[:, np.arange(n), decided]
        unknown = np.isnan(least).any(1)
        values |= {
            "ambiguity": np.where(unknown, np.nan, (least < 0.5).mean(1)),
            "capacity": _middle(capacities),
        }
    nobody = np.full((t, n, k), NO_MODEL)
    return Seen(
        admitted=np.zeros(t, dtype=np.int64),
        noise=nothing,
        metrics=np.stack([values[name] for name in metric_names(is_class=is_class)], 1),
        low=low,
        high=high,
        flips=np.full((t, n), np.nan),
        deviation=np.full((t, n, k), np.nan),
        capacity=capacities,
        low_serial=nobody,
        high_serial=nobody,
    )


def of_votes(
    votes: Int[np.ndarray, "t n k"], counts: Int[np.ndarray, " t"], flips: Float[np.ndarray, "t n"]
) -> Mapping[str, Float[np.ndarray, " t"]]:
    r"""Return ambiguity, obscurity, disagreement and self-consistency.

    With :math:`v_{ic}` the share of :math:`M` models that give row :math:`i` to class :math:`c`,
    disagreement is

    .. math:: \frac{M}{M - 1} \, \frac{C}{C - 1} \, \Big(1 - \sum_c v_{ic}^2\Big)

    in the mean over rows: for two classes twice the chance that two models differ. A mean above
    the greatest possible value, 1, is set to 1. Self-consistency is the share of pairs of
    models that agree.

    References
    ----------
    Marx, Calmon and Ustun (2020), Predictive Multiplicity in Classification, Definitions 3 and 4
    (ambiguity); Cavus and Biecek (2024) (obscurity); Hsu, Li, Hu and Chen (2024), Sec. 2
    (disagreement, there without the factor for the number of models); Cooper et al. (2024)
    (self-consistency).
    """
    m = np.where(counts > 1, counts, np.nan)[:, None].astype(float)
    k = votes.shape[2]
    squares = (votes.astype(float) ** 2).sum(2)
    agree = (squares - m) / (m * (m - 1))
    differ = (k / (k - 1)) * (1 - agree)
    return {
        "ambiguity": np.where(counts > 0, (flips > 0).mean(1), np.nan),
        "obscurity": flips.mean(1),
        "disagreement": np.minimum(differ.mean(1), 1),
        "self_consistency": agree.mean(1),
    }


def moved_share(
    low: Float[np.ndarray, "t n k"], high: Float[np.ndarray, "t n k"],
    base: Float[np.ndarray, "n k"], delta: float,
) -> Float[np.ndarray, " t"]:  # fmt: skip
    """Return the share of rows of which some probability moves by ``delta`` or more."""
    far = np.maximum(high - base, base - low).max(2)
    return np.where(np.isnan(far).any(1), np.nan, (far >= delta).mean(1))


def _ends(found: Reduction) -> tuple[np.ndarray, ...]:
    """Return ends at each tolerance, the given model among the models."""
    ends = found.ends.combined()
    signed = torch.stack([-found.base, found.base])[:, None]
    given = signed >= ends.values
    values = torch.where(given, signed, ends.values).double().cpu().numpy()
    serials = torch.where(given, NO_MODEL, ends.serials).cpu().numpy()
    return -values[0], values[1], serials[0], serials[1]


def _deviation(found: Reduction) -> Float[np.ndarray, "t n k"]:
    """Return standard deviations at each tolerance, from moments put together bin by bin."""
    total, mean, squares = 0, found.mean[0], torch.zeros_like(found.mean[0])
    kept = []
    for count, own_mean, own_squares in zip(
        found.counts.tolist(), found.mean, found.squares, strict=True
    ):
        if count:
            away = own_mean - mean
            squares = squares + own_squares + away.square() * (total * count / (total + count))
            total += count
            mean = mean + away * (count / total)
        kept.append((squares / (total - 1)).sqrt() if total > 1 else squares + torch.nan)
    deviations: np.ndarray = torch.stack(kept).cpu().numpy()
    return deviations


def _capacities(
    found: Reduction, low: np.ndarray, high: np.ndarray, chosen: np.ndarray
) -> Float[np.ndarray, "t n"]:
    if not found.directions.shape[1]:
        ends = torch.from_numpy(low[..., 1]), torch.from_numpy(high[..., 1])
        two: np.ndarray = binary_capacity(*ends).numpy()
        return two
    kept = []
    furthest, corners = found.furthest.clone(), found.corners.clone()
    for t, is_chosen in enumerate(chosen):
        if t:  # a set holds those within smaller tolerances
            better = furthest[:, t - 1] > furthest[:, t]
            furthest[:, t] = torch.where(better, furthest[:, t - 1], furthest[:, t])
            corners[:, t] = torch.where(better[..., None], corners[:, t - 1], corners[:, t])
        if is_chosen:
            extremes = corners[:, t].transpose(0, 1).flatten(1, 2)  # (n, 2q, k)
            kept.append(capacity(torch.cat([extremes, found.base[:, None]], 1)))
    more: np.ndarray = torch.stack(kept).cpu().numpy() if kept else np.zeros((0, len(found.base)))
    return more


def _noise(found: Reduction, counts: np.ndarray) -> Float[np.ndarray, " t"]:
    """Median standard error of the excess loss of admitted candidates, in the sample of them."""
    columns = found.sample.columns()
    limits = found.tolerances.numpy()
    picked = [columns[columns[:, 1] <= limit, 2] for limit in limits]
    return np.array([
        np.median(own) if count and len(own) else np.nan
        for own, count in zip(picked, counts, strict=True)
    ])  # fmt: skip


def _middle(by_row: Float[np.ndarray, "t n"]) -> Float[np.ndarray, " t"]:
    found: np.ndarray = np.median(by_row, 1)  # NaN where a row has none
    return found
