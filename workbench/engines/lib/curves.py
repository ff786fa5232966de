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
    few_edges,
    few_edges_everywhere,
    few_features,
    few_features_everywhere,
    few_of_both,
    schedule,
    strongest,
)

Done = Callable[[str], None]
Drawn = tuple[list[int], list[float]]
# Numbers of features, and of edges, that are tried with each other.
BOTH_FEATURES, BOTH_EDGES = 8, 12


@dataclass
class Curves:
    """Curves of one basis; errors are those of the difference to the whole network."""

    nodes: list[Drawn] = field(default_factory=list)
    edges: list[Drawn] = field(default_factory=list)
    all_nodes: Drawn = field(default_factory=lambda: ([], []))
    all_edges: Drawn = field(default_factory=lambda: ([], []))
    nodes_errors: list[list[float]] = field(default_factory=list)
    edges_errors: list[list[float]] = field(default_factory=list)
    all_nodes_errors: list[float] = field(default_factory=list)
    all_edges_errors: list[float] = field(default_factory=list)
    both_features: list[int] = field(default_factory=list)
    both_edges: list[int] = field(default_factory=list)
    both_worth: list[float] = field(default_factory=list)
    both_errors: list[float] = field(default_factory=list)
    nodes_required: list[int] = field(default_factory=list)
    edges_required: list[int] = field(default_factory=list)


def curves_of(
    cut: Cut, edges: list[np.ndarray], least: float, done: Done, *, all_edges: bool = True
) -> Curves:
    """Leave out features and edges of one basis, the weakest first.

    Parameters
    ----------
    all_edges
        Whether edges are left out of all sections at once as well, alone and with features.
    """
    tensors = [torch.from_numpy(each) for each in edges]
    found = Curves()
    for at in range(len(cut.sections)):
        counts = schedule(len(cut.bases[at]))
        worth, errors = _along(cut, counts, partial(few_features, cut, at))
        found.nodes.append((counts, worth))
        found.nodes_errors.append(errors)
        found.nodes_required.append(enough(np.array(counts), np.array(worth), least))
        done("features left out")
        _edges(found, cut, at, tensors[at], least)
        done("edges left out")
    # The same counts for every basis: how many features and edges it has depends on what it drops.
    widths = [layer.shape[2] for layer in cut.layers]
    counts = schedule(max(widths[:-1]))
    worth, found.all_nodes_errors = _along(cut, counts, partial(few_features_everywhere, cut))
    found.all_nodes = counts, worth
    if all_edges:
        _all_edges(found, cut, tensors)
    done("all layers at once")
    if all_edges:
        _both(found, cut, tensors)
        done("features and edges together")
    return found


def _all_edges(found: Curves, cut: Cut, edges: list[Tensor]) -> None:
    """Add the curve of all sections at once."""
    widths = [layer.shape[2] for layer in cut.layers]
    counts = _edge_counts(max(a * b for a, b in itertools.pairwise(widths)))

    def outputs(kept: int) -> Tensor:
        return few_edges_everywhere(cut, [strongest(each, kept) for each in edges])

    worth, found.all_edges_errors = _along(cut, counts, outputs)
    found.all_edges = counts, worth


def _both(found: Curves, cut: Cut, edges: list[Tensor]) -> None:
    """Add what is left with every number of features and every number of edges, at all layers."""
    widths = [layer.shape[2] for layer in cut.layers]
    most = max(a * b for a, b in itertools.pairwise(widths))
    found.both_features = _grown(max(widths[:-1]), BOTH_FEATURES)
    found.both_edges = _grown(most, BOTH_EDGES)
    for features in found.both_features:
        worth, errors = _along(cut, found.both_edges, partial(few_of_both, cut, edges, features))
        found.both_worth += worth
        found.both_errors += errors


def _along(
    cut: Cut, counts: list[int], outputs: Callable[[int], Tensor]
) -> tuple[list[float], list[float]]:
    """Return worth, and how sure its difference to the whole is, with so much kept."""
    said = [(cut.judge(out), cut.error(out)) for out in map(outputs, counts)]
    return [worth for worth, _ in said], [error for _, error in said]


def _edges(found: Curves, cut: Cut, at: int, edges: Tensor, least: float) -> None:
    """Add the curve of one section, and how few edges it takes."""
    errors: dict[int, float] = {}

    def worth(kept: int) -> float:
        outputs = few_edges(cut, at, strongest(edges, kept))
        errors[kept] = cut.error(outputs)
        return cut.judge(outputs)

    few, tried = edges_required(worth, edges.numel(), least)
    found.edges.append((list(tried), list(tried.values())))
    found.edges_errors.append([errors[kept] for kept in tried])
    found.edges_required.append(few)


def _edge_counts(most: int) -> list[int]:
    """Return numbers of edges to keep of every section at once, closer together where few."""
    return [0, *_grown(most, 24)]


def _grown(most: int, n: int) -> list[int]:
    """Return up to ``n`` counts from 1 to ``most``, each by the same factor above the last."""
    if not most:
        return []
    grown: np.ndarray = np.unique(np.round(np.geomspace(1, most, n)).astype(int))
    return [int(count) for count in grown]


def together(found: dict[str, Curves]) -> dict[str, np.ndarray]:
    """Put the curves of all bases one after another, as the result keeps them."""
    ordered = [found[basis] for basis in BASES]
    first = ordered[0]
    grid = (len(ordered), len(first.both_features), len(first.both_edges))
    kept = {
        "both_features": np.array(first.both_features, dtype=int),
        "both_edges": np.array(first.both_edges, dtype=int),
        "both_worth": np.array([each.both_worth for each in ordered], dtype=float).reshape(grid),
        "both_error": np.array([each.both_errors for each in ordered], dtype=float).reshape(grid),
    }
    for name in ("nodes", "edges"):
        drawn = [curve for curves in ordered for curve in getattr(curves, name)]
        shape = (len(ordered), len(ordered[0].nodes))
        key = name[:-1]
        kept[f"{key}_lengths"] = np.array([len(c) for c, _ in drawn]).reshape(shape)
        kept[f"{key}_kept"] = np.array([n for counts, _ in drawn for n in counts])
        kept[f"{key}_worth"] = np.array([w for _, worth in drawn for w in worth])
        kept[f"{key}_error"] = np.array([
            error for curves in ordered for errors in getattr(curves, f"{name}_errors")
            for error in errors
        ])  # fmt: skip
        whole = [getattr(curves, f"all_{name}") for curves in ordered]
        kept[f"all_{key}_lengths"] = np.array([len(c) for c, _ in whole])
        kept[f"all_{key}_kept"] = np.array([n for counts, _ in whole for n in counts])
        kept[f"all_{key}_worth"] = np.array([w for _, worth in whole for w in worth])
        kept[f"all_{key}_error"] = np.array([
            error for curves in ordered for error in getattr(curves, f"all_{name}_errors")
        ])  # fmt: skip
        kept[f"{name}_required"] = np.array([
            getattr(curves, f"{name}_required") for curves in ordered
        ])
    return kept
