"""The nearest rows of which the model says what is wished for, found by asking it alone."""

from collections import Counter
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.engines.counterfactuals.space import Space

# Shares of the budget for the descent and the beam; the rest makes what was found smaller.
DESCENDING, FINDING = 0.2, 0.5
DEPTH, WIDEST, NARROWEST = 8, 24, 2
PER_SET = 2
# Candidates per counterfactual that is wanted: some become the same when they are reduced.
SPARE = 3
# A change that gains nothing counts as one that gains this share of what is missing.
LEAST_GAIN = 0.02
ROUNDS, EXCHANGED = 8, 2
EXCHANGES = 400
WORTH = 1e-9
ASKED_AT_ONCE = 256
Gap = Callable[[Float[np.ndarray, "m d"]], Float[np.ndarray, " m"]]


class Asked:
    """The model's answers about changed rows, within a budget.

    Attributes
    ----------
    left
        Rows that may still be asked about.
    """

    def __init__(self, gap: Gap, budget: int) -> None:
        self._gap = gap
        self.left = budget

    def gap(self, X: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """Return what is missing; of rows beyond the budget, which are not asked about, all."""
        part = X[: max(self.left, 0)]
        self.left -= len(part)
        found = np.full(len(X), np.inf)
        if len(part):
            found[: len(part)] = self._gap(part)
        return found

    def met(self, X: Float[np.ndarray, "m d"]) -> Bool[np.ndarray, " m"]:
        """Tell of which rows the model says what is wished for."""
        return self.gap(X) <= 0


def nearest(
    asked: Asked, space: Space, start: float, *, count: int, max_changes: int
) -> Float[np.ndarray, "c d"]:
    """Find rows that meet the wish, each with another set of changed features, nearest first.

    A descent shows that there is one, and a beam search over single changes finds nearer ones.
    Each is then reduced: changes that are not needed are taken back, and numbers moved back as far
    as the wish allows. Of the nearest, changes are exchanged for cheaper ones as well.

    Parameters
    ----------
    start
        What is missing for the row itself.
    """
    first = _descent(asked, space, start, max_changes)
    found = _beam(asked, space, start, first, count=count, max_changes=max_changes)
    if not len(found):
        return found
    rows = np.stack([_shrunk(asked, space, _sparse(asked, space, row)) for row in found])
    rows = rows[np.argsort(space.prices(rows).sum(1), kind="stable")]
    best = [_exchanged_often(asked, space, row, max_changes) for row in rows[:EXCHANGED]]
    return _diverse(np.concatenate([best, rows]), space, count)


def _descent(
    asked: Asked, space: Space, start: float, max_changes: int
) -> Float[np.ndarray, "c d"]:
    """Make the single change that gains most, again and again; no row if that leads nowhere."""
    row, gap = space.origin, start
    reserve = asked.left * (1 - DESCENDING)
    while gap > 0 and asked.left - len(space.features) > reserve:
        tries = np.repeat(row[None], len(space.features), axis=0)
        tries[np.arange(len(tries)), space.features] = space.values
        tries = tries[space.differs(tries).sum(1) <= max_changes]
        if not len(tries):
            break
        gaps = asked.gap(tries)
        best = int(gaps.argmin())
        if gaps[best] >= gap:
            break
        row, gap = tries[best], float(gaps[best])
    if gap > 0:
        return np.empty((0, len(row)))
    return _shrunk(asked, space, _sparse(asked, space, row))[None]


def _beam(
    asked: Asked,
    space: Space,
    start: float,
    first: Float[np.ndarray, "f d"],
    *,
    count: int,
    max_changes: int,
) -> Float[np.ndarray, "c d"]:
    r"""Add one change at a time to the most promising rows.

    A row at cost :math:`c` that lowered what is missing from :math:`g_0` to :math:`g` is expected
    to meet the wish at cost :math:`c\, g_0 / (g_0 - g)`; for a linear model this picks the changes
    that gain most for their price.

    Parameters
    ----------
    first
        Rows that are known to meet the wish.
    """
    reserve = asked.left * (1 - FINDING)
    options = len(space.features)
    width = int(np.clip(asked.left * FINDING / (DEPTH * max(options, 1)), NARROWEST, WIDEST))
    states, costs = space.origin[None], np.zeros(1)
    found = {
        key: (float(cost), row)
        for key, cost, row in zip(
            _sets(space, first), space.prices(first).sum(1), first, strict=True
        )
    }
    while True:
        rows, prices = _expanded(space, states, costs, _bound(found, count), max_changes)
        rows = rows[: int(max(0, asked.left - reserve))]
        if not len(rows):
            break
        gaps, prices = asked.gap(rows), prices[: len(rows)]
        sets = _sets(space, rows)
        for i in np.flatnonzero(gaps <= 0):
            if sets[i] not in found or prices[i] < found[sets[i]][0]:
                found[sets[i]] = float(prices[i]), rows[i]
        kept = _promising(gaps, prices, sets, start, width)
        states, costs = rows[kept], prices[kept]
    nearest_first = sorted(found.values(), key=lambda pair: pair[0])[: SPARE * count]
    return np.array([row for _, row in nearest_first]).reshape(-1, len(space.origin))


def _sets(space: Space, rows: Float[np.ndarray, "m d"]) -> list[bytes]:
    """Return which features differ from the row's, in a form that can be compared."""
    return [bits.tobytes() for bits in np.packbits(space.differs(rows), axis=1)]


def _bound(found: dict[bytes, tuple[float, np.ndarray]], count: int) -> float:
    """Return the cost from which on nothing more is wanted."""
    if len(found) < count:
        return np.inf
    return sorted(cost for cost, _ in found.values())[count - 1]


def _expanded(
    space: Space,
    states: Float[np.ndarray, "b d"],
    costs: Float[np.ndarray, " b"],
    bound: float,
    max_changes: int,
) -> tuple[Float[np.ndarray, "m d"], Float[np.ndarray, " m"]]:
    """Make every single change to every row, no result twice, those of the first rows first.

    A number that was changed may be moved further away, so costs only grow.
    """
    differs = space.differs(states)
    before = space.prices(states)[:, space.features]
    total = costs[:, None] - before + space.option_prices
    further = space.sliding[space.features] & (space.option_prices > before + WORTH)
    same_side = (space.values > space.origin[space.features]) == (
        states[:, space.features] > space.origin[space.features]
    )
    changed = differs[:, space.features]
    room = (differs.sum(1) < max_changes)[:, None]
    # A number may be moved back later, so its change counts as the least one here.
    least = costs[:, None] + np.where(space.sliding[space.features], ~changed, space.option_prices)
    wanted = np.where(changed, further & same_side, room) & (least < bound)
    which, option = np.nonzero(wanted)
    rows = states[which]
    rows[np.arange(len(rows)), space.features[option]] = space.values[option]
    _, first = np.unique(rows, axis=0, return_index=True)
    first.sort()
    return rows[first], total[which, option][first]


def _promising(
    gaps: Float[np.ndarray, " m"],
    prices: Float[np.ndarray, " m"],
    sets: list[bytes],
    start: float,
    width: int,
) -> Int[np.ndarray, " w"]:
    """Choose rows to go on from: lowest expected cost, few with the same features changed."""
    gained = np.maximum(start - gaps, LEAST_GAIN * start)
    expected = np.where(gaps > 0, prices * start / gained, np.inf)
    kept: list[int] = []
    times: Counter[bytes] = Counter()
    for i in np.argsort(expected, kind="stable"):
        if len(kept) == width or not np.isfinite(expected[i]):
            break
        if times[sets[i]] < PER_SET:
            times[sets[i]] += 1
            kept.append(int(i))
    return np.array(kept, dtype=np.int64)


def _exchanged_often(
    asked: Asked, space: Space, row: Float[np.ndarray, " d"], max_changes: int
) -> Float[np.ndarray, " d"]:
    """Exchange changes for cheaper ones until nothing is gained."""
    for _ in range(ROUNDS):
        other = _exchanged(asked, space, row, max_changes)
        if other is None:
            break
        row = _shrunk(asked, space, _sparse(asked, space, other))
    return row


def _sparse(asked: Asked, space: Space, row: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
    """Take back changes that are not needed, the most expensive first."""
    while True:
        changed = np.flatnonzero(space.differs(row[None])[0])
        tries = np.repeat(row[None], len(changed), axis=0)
        tries[np.arange(len(changed)), changed] = space.origin[changed]
        met = asked.met(tries)
        if not met.any():
            return row
        costs = np.where(met, space.prices(tries).sum(1), np.inf)
        row = tries[int(costs.argmin())]


def _shrunk(asked: Asked, space: Space, row: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
    """Move numbers back towards the row's, where it saves most first."""
    while True:
        changed = np.flatnonzero(space.differs(row[None])[0] & space.sliding)
        tries = np.repeat(row[None], len(changed), axis=0)
        tries = _bisected(asked, space, tries, changed)
        costs = space.prices(tries).sum(1)
        before = float(space.prices(row[None]).sum())
        if not len(changed) or costs.min() > before - WORTH:
            return row
        row = tries[int(costs.argmin())]


def _bisected(
    asked: Asked,
    space: Space,
    rows: Float[np.ndarray, "m d"],
    features: Int[np.ndarray, " m"],
) -> Float[np.ndarray, "m d"]:
    """Move one feature of each row as far back as the wish allows, by halving the way."""
    rows = rows.copy()
    index = np.arange(len(rows))
    high = space.n_steps(rows, features)
    low = np.zeros_like(high)
    # Most numbers cannot move at all: a single step tells.
    tries = rows.copy()
    tries[index, features] = space.between(rows, features, high - 1)
    moves = (high > 1) & asked.met(tries)
    high, low = np.where(moves, high - 1, high), np.where(moves, low, high)
    while (open_ := np.flatnonzero(high - low > 1)).size and asked.left > 0:
        low[open_], high[open_] = _narrowed(
            asked, space, rows[open_], features[open_], low[open_], high[open_]
        )
    rows[index, features] = space.between(rows, features, high)
    return rows


def _narrowed(
    asked: Asked,
    space: Space,
    rows: Float[np.ndarray, "m d"],
    features: Int[np.ndarray, " m"],
    low: Int[np.ndarray, " m"],
    high: Int[np.ndarray, " m"],
) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    """Ask about places between two others, more of them at once where there are few rows."""
    parts = int(np.clip(ASKED_AT_ONCE // len(rows), 2, 16))
    inner = np.arange(1, parts)
    places = low[:, None] + (high - low)[:, None] * inner // parts  # (m, parts - 1)
    tries = np.repeat(rows, parts - 1, axis=0)
    which = np.repeat(features, parts - 1)
    tries[np.arange(len(tries)), which] = space.between(tries, which, places.ravel())
    met = asked.met(tries).reshape(places.shape) & (places > low[:, None])
    first = np.where(met.any(1), met.argmax(1), parts - 1)
    edges = np.concatenate([low[:, None], places, high[:, None]], axis=1)
    index = np.arange(len(rows))
    return edges[index, first], edges[index, first + 1]


def _exchanged(
    asked: Asked, space: Space, row: Float[np.ndarray, " d"], max_changes: int
) -> Float[np.ndarray, " d"] | None:
    """Make another change and another one smaller, or take it back; None if nothing is gained."""
    cost = float(space.prices(row[None]).sum())
    rows, partners = _pairs(space, row, cost, max_changes)
    if not len(rows) or asked.left < 2 * len(rows):
        return None
    index = np.arange(len(rows))
    back = rows.copy()
    back[index, partners] = space.origin[partners]
    gone = asked.met(back)
    slides = ~gone & space.sliding[partners]
    slides[slides] = asked.met(rows[slides])
    if len(space.origin) > 1 and slides.any():
        # Those that would still be too expensive one step away from the row's value are no use.
        slides &= space.prices(back).sum(1) + 1 < cost
        chosen = np.flatnonzero(slides)
        rows[chosen] = _bisected(asked, space, rows[chosen], partners[chosen])
    rows[gone] = back[gone]
    costs = np.where(gone | slides, space.prices(rows).sum(1), np.inf)
    costs[space.differs(rows).sum(1) > max_changes] = np.inf
    best = int(costs.argmin())
    return rows[best] if costs[best] < cost - WORTH else None


def _pairs(
    space: Space, row: Float[np.ndarray, " d"], cost: float, max_changes: int
) -> tuple[Float[np.ndarray, "m d"], Int[np.ndarray, " m"]]:
    """Combine every other change with every feature changed so far, the cheapest first."""
    changed = np.flatnonzero(space.differs(row[None])[0])
    option = np.repeat(np.arange(len(space.features)), len(changed))
    partner = np.tile(changed, len(space.features))
    kept = (space.features[option] != partner) & (
        row[space.features[option]] != space.values[option]
    )
    option, partner = option[kept], partner[kept]
    rows = np.repeat(row[None], len(option), axis=0)
    rows[np.arange(len(rows)), space.features[option]] = space.values[option]
    prices = space.prices(rows)
    least = prices.sum(1) - prices[np.arange(len(rows)), partner]
    least[space.differs(rows).sum(1) > max_changes + 1] = np.inf
    order = np.argsort(least, kind="stable")[:EXCHANGES]
    order = order[least[order] < cost - WORTH]
    return rows[order], partner[order]


def _diverse(rows: Float[np.ndarray, "m d"], space: Space, count: int) -> Float[np.ndarray, "c d"]:
    """Choose the nearest row, then rows that are near and change other features.

    A row that shares features with a chosen one counts as further away, up to twice as far; with
    the very same features it is left out.
    """
    costs = space.prices(rows).sum(1)
    differs = space.differs(rows)
    chosen: list[int] = []
    shared = np.zeros(len(rows))
    while len(chosen) < count and (shared < 1).any():
        best = int(np.where(shared < 1, costs * (1 + shared), np.inf).argmin())
        chosen.append(best)
        both = (differs & differs[best]).sum(1)
        either = (differs | differs[best]).sum(1)
        shared = np.maximum(shared, both / either)
    return rows[sorted(chosen, key=lambda i: costs[i])]
