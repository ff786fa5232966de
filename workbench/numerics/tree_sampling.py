"""Decision trees drawn at random by the thousand, and how many of them are good.

A tree of depth :math:`D` asks one of :math:`m` statements at each of its :math:`2^D - 1` places,
all drawn alike, and gives each of its :math:`2^D` leaves one of :math:`k` classes. Its places are
numbered level by level: below place ``p`` lie ``2p + 1`` (true) and ``2p + 2`` (false).

References
----------
Semenova, Rudin and Parr (2022), On the Existence of Simpler Machine Learning Models, Sec. 6.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Integer, UInt64
from scipy import stats

from workbench.numerics.intervals import LEVEL

WORD = 64
# Words of a part of the trees, so that it fits the cache.
PART_WORDS = 2**17
BLOCK = 4096
_ODD = 0x9E3779B97F4A7C15


class Packed(NamedTuple):
    """Rows by class as bits: which statements are true of which rows.

    Attributes
    ----------
    words
        By word and statement. Rows of a class share words with no other class.
    alive
        Bits that are rows.
    ends
        For each class, the word after its last.
    keys
        Random odd numbers, which tell words apart where what a tree says is summed up to one.
    """

    words: UInt64[np.ndarray, "w m"]
    alive: UInt64[np.ndarray, " w"]
    ends: tuple[int, ...]
    keys: UInt64[np.ndarray, " w"]

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(np.bitwise_count(self.alive).sum())


def packed(
    holds: Bool[np.ndarray, "n m"], classes: Int[np.ndarray, " n"], n_classes: int
) -> Packed:
    """Lay rows out as bits, class by class."""
    words, alive = [], []
    for c in range(n_classes):
        own = holds[classes == c]
        room = WORD * max(1, -(-len(own) // WORD))
        bits = np.zeros((room, holds.shape[1] + 1), dtype=bool)
        bits[: len(own), 1:] = own
        bits[: len(own), 0] = True
        both = np.packbits(bits, axis=0).T.copy().view(np.uint64).T  # (w, 1 + m)
        alive.append(both[:, 0])
        words.append(both[:, 1:])
    ends = tuple(int(end) for end in np.cumsum([len(part) for part in words]))
    mixed = np.random.Generator(np.random.Philox(_ODD)).integers(
        0, 2**64, ends[-1], dtype=np.uint64
    )
    return Packed(
        np.ascontiguousarray(np.concatenate(words)), np.concatenate(alive), ends,
        mixed | np.uint64(1),
    )  # fmt: skip


class Leaves(NamedTuple):
    """What is in the leaves of some trees.

    Attributes
    ----------
    counts
        Rows by class, leaf and tree.
    patterns
        A number for what each tree says of all rows, its leaves taking the commonest class (of
        classes alike the first): equal exactly where all that it says is, but for a chance of
        about :math:`2^{-64}` for each pair of trees.
    """

    counts: Int[np.ndarray, "k l t"]
    patterns: UInt64[np.ndarray, " t"]

    @property
    def errors(self) -> Int[np.ndarray, " t"]:
        """Rows that each tree gets wrong with the best labels of its leaves."""
        found: np.ndarray = self.counts.sum(0).sum(0) - self.counts.max(0).sum(0)
        return found


def leaves_of(rows: Packed, splits: Integer[np.ndarray, "t s"]) -> Leaves:
    """Send all rows down some trees, each given by the statement at each of its places."""
    depth = (splits.shape[1] + 1).bit_length() - 1
    step = max(8, PART_WORDS // (len(rows.alive) << depth))
    parts = [_leaves(rows, splits[at : at + step], depth) for at in range(0, len(splits), step)]
    return Leaves(
        np.concatenate([part.counts for part in parts], axis=2),
        np.concatenate([part.patterns for part in parts]),
    )


def _leaves(rows: Packed, splits: Integer[np.ndarray, "t s"], depth: int) -> Leaves:
    w, t = len(rows.alive), len(splits)
    inside = np.broadcast_to(rows.alive[:, None, None], (w, 1, t))
    for level in range(depth):
        asked = rows.words[:, splits[:, 2**level - 1 : 2 ** (level + 1) - 1].T]  # (w, l, t)
        yes = inside & asked
        inside = np.stack([yes, inside ^ yes], axis=2).reshape(w, -1, t)
    ones = np.bitwise_count(inside)
    starts = (0, *rows.ends[:-1])
    counts = np.stack([
        ones[start:end].sum(0, dtype=np.int64) for start, end in zip(starts, rows.ends, strict=True)
    ])  # (k, l, t)
    said = counts.argmax(0)
    patterns = np.zeros(t, dtype=np.uint64)
    for c in range(1, len(counts)):
        told = np.bitwise_or.reduce(np.where(said == c, inside, np.uint64(0)), axis=1)  # (w, t)
        patterns += _mixed(told + (rows.keys * np.uint64(c))[:, None]).sum(0, dtype=np.uint64)
    return Leaves(counts, patterns)


def _mixed(words: UInt64[np.ndarray, "w t"]) -> UInt64[np.ndarray, "w t"]:
    """Stir the bits of each word, one to one (the finaliser of SplitMix64, Steele et al. 2014)."""
    for shift, odd in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        words = (words ^ (words >> np.uint64(shift))) * np.uint64(odd)
    found: np.ndarray = words ^ (words >> np.uint64(31))
    return found


def all_trees(n_statements: int, depth: int) -> int:
    """Count the trees of a depth, labels of leaves apart."""
    return n_statements ** (2**depth - 1)


def every_tree(n_statements: int, depth: int) -> Iterator[Int[np.ndarray, "t s"]]:
    """Yield the statements of every tree of a depth, in blocks."""
    places = (n_statements,) * (2**depth - 1)
    total = all_trees(n_statements, depth)
    for start in range(0, total, BLOCK):
        numbers = np.arange(start, min(total, start + BLOCK))
        yield np.stack(np.unravel_index(numbers, places), axis=1)


def labelings(
    counts: Int[np.ndarray, "k l t"], spare: Int[np.ndarray, " t"]
) -> Float[np.ndarray, " t"]:
    r"""Return the share of the :math:`k^l` labelings of each tree that cost at most ``spare``.

    A leaf that takes class :math:`c` costs :math:`\max_{c'} n_{c'} - n_c` rows more than the best
    label. How many labelings reach which total is counted leaf by leaf, as items of a knapsack,
    and each step is divided by :math:`k`, so that no number grows beyond 1.

    Parameters
    ----------
    spare
        At least 0.
    """
    k, n_leaves, t = counts.shape
    most = int(spare.max(initial=0))
    costs = counts.max(0) - counts  # (k, l, t)
    share = np.zeros((most + 1, t))
    share[0] = 1
    totals = np.arange(most + 1)[:, None]
    for leaf in range(n_leaves):
        grown = np.zeros_like(share)
        for c in range(k):
            before = totals - costs[c, leaf]  # (b, t)
            reached = np.take_along_axis(share, np.maximum(before, 0), axis=0)
            grown += np.where(before >= 0, reached, 0.0)
        share = grown / k
    within = np.where(totals <= spare, share, 0.0)
    found: np.ndarray = within.sum(0)
    return found


class Ratio(NamedTuple):
    """The share of trees that are good, as logarithms to the base of 10, and how sure that is.

    Attributes
    ----------
    log_ratio
        NaN where no tree was good.
    log_low, log_high
        95 %; without a good tree there is no lower bound (NaN), and the upper one is 3/N.
    hits
        Trees with a labeling that is good.
    counted
        Good trees whose labelings were counted.
    """

    log_ratio: float
    log_low: float
    log_high: float
    hits: int
    counted: int


def ratio_of(
    hits: int, drawn: int, shares: Float[np.ndarray, " c"], *, exact: bool, level: float = LEVEL
) -> Ratio:
    r"""Return :math:`\log_{10}` of the share of labelled trees that are good.

    The share is :math:`P(\text{hit}) \cdot E[\text{share of labelings} \mid \text{hit}]`. Bounds
    of the first factor are those of Clopper and Pearson, the second has the standard error of a
    mean; on the logarithmic scale both distances are joined as a root of squares.

    Parameters
    ----------
    shares
        Of the labelings of (the first) hits.
    exact
        Every tree was looked at, so nothing is left to chance.

    References
    ----------
    Clopper and Pearson (1934), The Use of Confidence or Fiducial Limits. Zou and Donner (2008),
    Construction of Confidence Limits about Effect Measures.
    """
    nothing = float("nan")
    if not hits:
        return Ratio(nothing, nothing, np.log10(3 / drawn), 0, 0)
    mean = float(shares.mean())
    value = float(np.log10(hits / drawn) + np.log10(mean))
    if exact:
        return Ratio(value, value, value, hits, len(shares))
    tail = (1 - level) / 2
    low = float(stats.beta.ppf(tail, hits, drawn - hits + 1))
    high = 1.0 if hits == drawn else float(stats.beta.ppf(1 - tail, hits + 1, drawn - hits))
    error = float(shares.std(ddof=1)) / np.sqrt(len(shares)) if len(shares) > 1 else mean
    half = float(stats.norm.ppf(1 - tail)) * error / mean / np.log(10)
    below = np.hypot(np.log10(hits / drawn / low), half)
    above = np.hypot(np.log10(high / (hits / drawn)), half)
    return Ratio(value, float(value - below), float(min(0.0, value + above)), hits, len(shares))
