"""What a network loses when only some features of its layers, or some edges between them, stay."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from workbench.numerics.interaction_basis import Basis

# A network's outputs [n t e] to a number, the greater the better.
Judge = Callable[[Tensor], float]
# And the same for each row, of which that number is the mean.
JudgeRows = Callable[[Tensor], Float[Tensor, " n"]]
Step = Callable[[int, int], None]
EACH, GROWTH = 64, 1.1
# Of a scan down from all edges, where each try costs a pass for each view.
SCAN = 1.25


@dataclass(frozen=True, eq=False)
class Cut:
    """A network as sections one after another, and rows at each layer between them.

    Attributes
    ----------
    sections
        Each maps activations ``[n s d]`` of a layer to those of the next.
    layers
        Activations of the rows at every layer, the outputs last.
    bases
        One for each layer.
    judge, judge_rows
        What outputs are worth; by rows, so that a difference can be told from chance.
    """

    sections: Sequence[nn.Module]
    layers: Sequence[Float[Tensor, "n _ _"]]
    bases: Sequence[Basis]
    judge: Judge
    judge_rows: JudgeRows | None = None

    def rest(self, activations: Float[Tensor, "n s d"], layer: int) -> Float[Tensor, "n t e"]:
        """Run what follows a layer."""
        for section in self.sections[layer:]:
            activations = section(activations)
        return activations

    def base(self) -> float:
        """Return the worth of the whole network on these rows."""
        return self.judge(self.layers[-1])

    def error(self, outputs: Float[Tensor, "n t e"]) -> float:
        r"""Return the standard error of the difference to the whole network, row by row.

        .. math:: s / \sqrt n, \qquad s^2 = \frac{1}{n - 1} \sum_x (d_x - \bar d)^2

        with :math:`d_x` the worth of these outputs less that of the network's own. NaN where worth
        is not known by rows, or there is one row alone.
        """
        if self.judge_rows is None or len(outputs) < 2:
            return math.nan
        lost = self.judge_rows(outputs) - self.judge_rows(self.layers[-1])
        return float(lost.double().std() / len(lost) ** 0.5)


def schedule(most: int) -> list[int]:
    """Return numbers of features or edges to try: every one up to 64, then geometric, to all.

    Examples
    --------
    >>> schedule(3)
    [0, 1, 2, 3]
    >>> len(schedule(1000)) < 110, schedule(1000)[-1]
    (True, 1000)
    """
    counts = list(range(min(EACH, most) + 1))
    while counts[-1] < most:
        counts.append(min(most, max(counts[-1] + 1, round(GROWTH * counts[-1]))))
    return counts


def few_features(cut: Cut, layer: int, kept: int) -> Float[Tensor, "n t e"]:
    r"""Return what the network says when a layer keeps its first features, others their mean.

    .. math:: f' = \mu + \sum_{j < m} \hat f_j\, C^+_j
    """
    basis = cut.bases[layer]
    features = basis.features(cut.layers[layer])[..., :kept]
    return cut.rest(basis.activations(features), layer)


def few_features_everywhere(cut: Cut, kept: int) -> Float[Tensor, "n t e"]:
    """Return the same when every layer but the last keeps its first features, one after another."""
    activations = cut.layers[0]
    for section, basis in zip(cut.sections, cut.bases, strict=False):
        few = basis.features(activations)[..., :kept]
        activations = section(basis.activations(few))
    return activations


def with_features(cut: Cut, layer: int, kept: int) -> float:
    """Worth of the network when a layer keeps its first features."""
    return cut.judge(few_features(cut, layer, kept))


def with_features_everywhere(cut: Cut, kept: int) -> float:
    """Worth when every layer but the last keeps its first ``kept`` features."""
    return cut.judge(few_features_everywhere(cut, kept))


def strongest(edges: Float[Tensor, "k m"], kept: int) -> Bool[Tensor, "k m"]:
    """Return where the ``kept`` strongest edges are; of equal ones those that come first."""
    chosen = torch.zeros(edges.numel(), dtype=torch.bool)
    order = np.argsort(-edges.cpu().numpy().ravel(), kind="stable")
    chosen[torch.from_numpy(order[:kept].copy())] = True
    return chosen.reshape(edges.shape)


def through_edges(
    cut: Cut, section: int, activations: Float[Tensor, "n s d"], mask: Bool[Tensor, "k m"]
) -> Float[Tensor, "n t e"]:
    """Return the next layer when each of its features sees only the features that a mask leaves it.

    Features of the next layer that see the same ones share a pass.
    """
    here, there = cut.bases[section], cut.bases[section + 1]
    features = here.features(activations)
    if not mask.numel():  # a layer has no features, so that there are no edges to tell apart
        said = cut.sections[section](here.activations(features * 0))
        return there.activations(there.features(said))
    found: Tensor | None = None
    views, member = torch.unique(mask, dim=0, return_inverse=True)
    for at, view in enumerate(views):
        seen = cut.sections[section](here.activations(features * view.to(features)))
        said = there.features(seen)
        if found is None:
            found = torch.zeros_like(said)
        own = member == at
        found[..., own] = said[..., own]
    assert found is not None  # noqa: S101 - a mask of some edges has at least one view
    return there.activations(found)


def few_edges(cut: Cut, section: int, mask: Bool[Tensor, "k m"]) -> Float[Tensor, "n t e"]:
    """Return what the network says when one section keeps only the edges of a mask."""
    return cut.rest(through_edges(cut, section, cut.layers[section], mask), section + 1)


def few_edges_everywhere(cut: Cut, masks: Sequence[Bool[Tensor, "_ _"]]) -> Float[Tensor, "n t e"]:
    """Return the same when every section keeps only the edges of its mask, one after another."""
    activations = cut.layers[0]
    for section, mask in enumerate(masks):
        activations = through_edges(cut, section, activations, mask)
    return activations


def few_of_both(
    cut: Cut, edges: Sequence[Float[Tensor, "_ _"]], features: int, kept: int
) -> Float[Tensor, "n t e"]:
    """Return the same when every layer but the last keeps its first features as well.

    Of each section the ``kept`` strongest edges between the features that are left stay.
    """
    masks = []
    for at, values in enumerate(edges):
        following = None if at + 1 == len(edges) else features
        mask = torch.zeros_like(values, dtype=torch.bool)
        mask[:following, :features] = strongest(values[:following, :features], kept)
        masks.append(mask)
    return few_edges_everywhere(cut, masks)


def with_edges(cut: Cut, section: int, mask: Bool[Tensor, "k m"]) -> float:
    """Worth of the network when one section keeps only the edges of a mask."""
    return cut.judge(few_edges(cut, section, mask))


def with_edges_everywhere(cut: Cut, masks: Sequence[Bool[Tensor, "_ _"]]) -> float:
    """Worth when every section keeps only the edges of its mask."""
    return cut.judge(few_edges_everywhere(cut, masks))


def enough(counts: Int[np.ndarray, " c"], worth: Float[np.ndarray, " c"], least: float) -> int:
    """Return the smallest count from which on every larger one is worth at least ``least``.

    Examples
    --------
    >>> enough(np.array([0, 1, 2, 3]), np.array([0.1, 0.9, 0.5, 0.9]), 0.8)
    3
    """
    short = np.flatnonzero(worth < least)
    after = short[-1] + 1 if len(short) else 0
    return int(counts[min(after, len(counts) - 1)])


def edges_required(
    worth: Callable[[int], float], most: int, least: float
) -> tuple[int, dict[int, float]]:
    """Find how few of the strongest edges are worth ``least``, and what was tried.

    From all edges down a geometric scan looks for the first count that is worth too little: worth
    need not fall with every edge, so that halving from the start could step over one. Within the
    interval before it, halving finds the count.

    Returns
    -------
    The count, and the worth of every count that was tried.
    """
    tried = {most: worth(most)}
    good = most
    while good > 0:
        fewer = min(good - 1, int(good / SCAN)) if good > 1 else 0
        tried[fewer] = worth(fewer)
        if tried[fewer] < least:
            break
        good = fewer
    bad = min(tried)
    while good - bad > 1 and tried[bad] < least:
        middle = (good + bad) // 2
        tried[middle] = worth(middle)
        if tried[middle] < least:
            bad = middle
        else:
            good = middle
    return good, dict(sorted(tried.items()))
