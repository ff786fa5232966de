"""What a network keeps of its worth with fewer features and edges, layer by layer and at once."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from torch import Tensor

from workbench.core.local_basis import BASES
from workbench.numerics.basis_ablation import (
    Cut,
    edges_required,
    enough,
    schedule,
    strongest,
    with_edges,
    with_edges_everywhere,
    with_features,
    with_features_everywhere,
)

Done = Callable[[str], None]
Drawn = tuple[list[int], list[float]]


@dataclass
class Curves:
    """Curves of one basis."""

    nodes: list[Drawn] = field(default_factory=list)
    edges: list[Drawn] = field(default_factory=list)
    all_nodes: Drawn = field(default_factory=lambda: ([], []))
    all_edges: Drawn = field(default_factory=lambda: ([], []))
    nodes_required: list[int] = field(default_factory=list)
    edges_required: list[int] = field(default_factory=list)


def curves_of(
    cut: Cut, edges: list[np.ndarray], least: float, done: Done, *, all_edges: bool = True
) -> Curves:
    """Leave out features and edges of one basis, the weakest first.

    Parameters
    ----------
    all_edges
        Whether edges are left out of all sections at once as well.
    """
    tensors = [torch.from_numpy(each) for each in edges]
    found = Curves()
    for at in range(len(cut.sections)):
        counts = schedule(len(cut.bases[at]))
        worth = [with_features(cut, at, kept) for kept in counts]
        found.nodes.append((counts, worth))
        found.nodes_required.append(enough(np.array(counts), np.array(worth), least))
        done("features left out")
        few, tried = edges_required(
            partial(_worth_of, cut, at, tensors[at]), tensors[at].numel(), least
        )
        found.edges.append((list(tried), list(tried.values())))
        found.edges_required.append(few)
        done("edges left out")
    counts = schedule(max(len(basis) for basis in cut.bases[:-1]))
    found.all_nodes = counts, [with_features_everywhere(cut, kept) for kept in counts]
    if all_edges:
        found.all_edges = _all_edges(cut, tensors)
    done("all layers at once")
    return found


def _all_edges(cut: Cut, edges: list[Tensor]) -> Drawn:
    # The same counts for every basis: how many edges it has depends on what it drops.
    widths = [layer.shape[2] for layer in cut.layers]
    counts = _edge_counts(max(a * b for a, b in itertools.pairwise(widths)))
    worth = [
        with_edges_everywhere(cut, [strongest(each, kept) for each in edges]) for kept in counts
    ]
    return counts, worth


def _worth_of(cut: Cut, at: int, edges: Tensor, kept: int) -> float:
    return with_edges(cut, at, strongest(edges, kept))


def _edge_counts(most: int) -> list[int]:
    """Return numbers of edges to keep of every section at once, closer together where few."""
    if not most:
        return [0]
    grown: np.ndarray = np.unique(np.round(np.geomspace(1, most, 24)).astype(int))
    return [0, *(int(count) for count in grown)]


def together(found: dict[str, Curves]) -> dict[str, np.ndarray]:
    """Put the curves of all bases one after another, as the result keeps them."""
    ordered = [found[basis] for basis in BASES]
    kept: dict[str, np.ndarray] = {}
    for name in ("nodes", "edges"):
        drawn = [curve for curves in ordered for curve in getattr(curves, name)]
        shape = (len(ordered), len(ordered[0].nodes))
        key = name[:-1]
        kept[f"{key}_lengths"] = np.array([len(c) for c, _ in drawn]).reshape(shape)
        kept[f"{key}_kept"] = np.array([n for counts, _ in drawn for n in counts])
        kept[f"{key}_worth"] = np.array([w for _, worth in drawn for w in worth])
        whole = [getattr(curves, f"all_{name}") for curves in ordered]
        kept[f"all_{key}_lengths"] = np.array([len(c) for c, _ in whole])
        kept[f"all_{key}_kept"] = np.array([n for counts, _ in whole for n in counts])
        kept[f"all_{key}_worth"] = np.array([w for _, worth in whole for w in worth])
        kept[f"{name}_required"] = np.array([
            getattr(curves, f"{name}_required") for curves in ordered
        ])
    return kept
