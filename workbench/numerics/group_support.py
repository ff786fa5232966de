"""Is there anybody like this row in that group: neighbours, and values that hardly go together."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy import special
from torch import Tensor

from workbench.core.context import Context
from workbench.core.schema import Feature
from workbench.numerics.chunks import slices

# Rows that neighbours are looked for among, neighbours at least and for each group, and how many
# of them are expected to be of a group before their absence says anything.
REFERENCE, NEAREST, EACH, EXPECTED = 2000, 50, 10, 5.0
BATCH = 2048


def positions(
    features: tuple[Feature, ...], data: Float[Tensor, "n d"], given: Float[Tensor, "m d"]
) -> Float[Tensor, "m p"]:
    r"""Place rows so that squared distances add up over features: 1 each on average, or if unlike.

    A number becomes its rank among ``data``, stretched so that two rows drawn from it are 1 apart
    on average (squared) if no two are equal; different categories are 1 apart; a missing value is
    a category of its own, and stands in the middle of the numbers.

    References
    ----------
    Gower (1971), A General Coefficient of Similarity, for distances over mixed columns.
    """
    parts = []
    for place, feature in enumerate(features):
        column, known = given[:, place].contiguous(), data[:, place]
        absent = column.isnan()
        if feature.categories:
            codes = torch.where(absent, len(feature.categories), column.nan_to_num()).long()
            levels = torch.arange(len(feature.categories) + 1)
            parts.append((codes[:, None] == levels).float() / 2**0.5)
            continue
        ordered = known[~known.isnan()].sort().values
        if not len(ordered):
            continue
        ends = [torch.searchsorted(ordered, column, right=right) for right in (False, True)]
        rank = (ends[0] + ends[1]).float() / (2 * len(ordered))
        parts.append((torch.where(absent, 0.5, rank) * 6**0.5)[:, None])
        if known.isnan().any():
            parts.append(absent.float()[:, None])
    return torch.cat(parts, 1) if parts else torch.zeros(len(given), 0)


def nearest(
    queries: Float[Tensor, "m p"],
    references: Float[Tensor, "r p"],
    k: int,
    *,
    own: Int[Tensor, " m"] | None = None,
    context: Context,
    what: str,
) -> Int[Tensor, "m k"]:
    """Find the ``k`` references nearest to each query, nearest first.

    Parameters
    ----------
    own
        Position of the query itself among the references, which is left out; -1 where it is not.
    """
    # Elsewhere than on CUDA, NumPy's partition is three times as fast as torch's search.
    device = context.device if context.device.type == "cuda" else torch.device("cpu")
    references = references.to(device)
    squares, found = references.square().sum(1), []
    for part in slices(len(queries), BATCH):
        context.step(part.start, len(queries), what)
        gaps = squares - 2 * queries[part].to(device) @ references.T
        if own is not None:
            itself = own[part].to(device)
            there = itself >= 0
            gaps[there.nonzero()[:, 0], itself[there]] = torch.inf
        found.append(_smallest(gaps, k))
    return torch.cat(found)


def _smallest(gaps: Float[Tensor, "m r"], k: int) -> Int[Tensor, "m k"]:
    """Find the ``k`` smallest of each line, smallest first."""
    if gaps.device.type != "cpu":
        return gaps.topk(k, largest=False).indices.cpu()
    values = gaps.numpy()
    near = np.argpartition(values, k - 1, axis=1)[:, :k]
    order = np.argsort(np.take_along_axis(values, near, 1), axis=1, kind="stable")
    return torch.from_numpy(np.take_along_axis(near, order, 1))


def balanced_rows(
    group: Int[np.ndarray, " n"], n_groups: int, most: int, rng: np.random.Generator
) -> Int[np.ndarray, " r"]:
    """Draw rows without replacement, as many of each group as of the others where it has them.

    Rows of no group (-1) are left out. What a small group has not is left to the larger ones.
    """
    sizes = np.bincount(group[group >= 0], minlength=n_groups)
    left, open_, share = most, n_groups, np.zeros(n_groups, dtype=np.int64)
    for g in np.argsort(sizes, kind="stable"):
        share[g] = min(sizes[g], left // open_)
        left, open_ = left - share[g], open_ - 1
    drawn = [
        rng.permutation(np.flatnonzero(group == g))[: share[g]] for g in range(n_groups)
    ]  # fmt: skip
    return np.sort(np.concatenate(drawn)).astype(np.int64)


def support_of(
    queries: Float[Tensor, "m p"],
    references: Float[Tensor, "r p"],
    group: Int[np.ndarray, " r"],
    n_groups: int,
    *,
    own: Int[Tensor, " m"] | None,
    context: Context,
) -> Float[np.ndarray, "m c"]:
    r"""How frequent each group is where a row lies, by how frequent it is altogether.

    .. math:: s_{ic} = \frac{\frac1k \#\{r \in N_k(i) : c_r = c\}}{\frac1n \#\{r : c_r = c\}},

    an estimate of :math:`p(x_i \mid c) / p(x_i)`: 1 on average over the references, 0 where nobody
    like this is of the group. NaN where fewer than five neighbours would be of the group if it
    were spread evenly, so that none of them being so says nothing.
    """
    n = len(references)
    k = min(max(NEAREST, EACH * n_groups), n // 5)  # more of them are no neighbourhood
    sizes = np.bincount(group, minlength=n_groups)
    expected = k * sizes / max(n, 1)
    if not (expected >= EXPECTED).any() or not queries.shape[1]:
        return np.full((len(queries), n_groups), np.nan)
    found = nearest(queries, references, k, own=own, context=context, what="rows placed")
    codes = group[found.numpy()] + n_groups * np.arange(len(queries))[:, None]  # (m, k)
    counts = np.bincount(codes.ravel(), minlength=n_groups * len(queries)).reshape(-1, n_groups)
    told = expected >= EXPECTED
    return np.where(told, counts / np.where(told, expected, 1.0), np.nan)


@dataclass(frozen=True, eq=False)
class Together:
    """How often levels of one column go with those of another.

    Attributes
    ----------
    seen, expected
        Rows with both, and rows that there would be if the columns were independent.
    seldom
        Where there are surely fewer than a stated share of those.
    """

    seen: Int[np.ndarray, "a b"]
    expected: Float[np.ndarray, "a b"]
    seldom: Bool[np.ndarray, "a b"]


def together(
    one: Int[np.ndarray, " n"], n_one: int, other: Int[np.ndarray, " n"], n_other: int,
    *, share: float,
) -> Together:  # fmt: skip
    r"""Count how often levels of two columns go together; codes below 0 are missing.

    A pair is *seldom* if the upper end of the exact 95 % interval of its expected count, from
    Poisson counts, is below ``share`` of what independence would bring: two rows of a data set
    that were entered wrongly do not make a pair usual, and a pair of two rare levels is not
    called seldom for want of rows.

    References
    ----------
    Garwood (1936), Fiducial Limits for the Poisson Distribution.
    """
    both = (one >= 0) & (other >= 0)
    cells = one[both] * n_other + other[both]
    seen = np.bincount(cells, minlength=n_one * n_other).reshape(n_one, n_other)
    expected = np.outer(seen.sum(1), seen.sum(0)) / max(1, int(both.sum()))
    upper = special.gammaincinv(seen + 1.0, 0.975)
    return Together(seen.astype(np.int64), expected, upper < share * expected)
