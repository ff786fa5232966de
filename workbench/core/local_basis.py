"""What a network computes on the way: features of its layers, and the edges between them."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.result import Result
from workbench.core.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

# Bases that are held against each other, with their names.
BASES = {
    "lib": "Local Interaction Basis",
    "pca": "Principal components",
    "neurons": "Neurons",
}
# Neighbouring importances closer than this share of each other: the features are not identified.
TIED = 0.01


class Layer(NamedTuple):
    """One layer in one basis; rows of ``back`` say what a feature writes."""

    mean: Float[np.ndarray, " d"]
    into: Float[np.ndarray, "d k"]
    back: Float[np.ndarray, "k d"]
    importance: Float[np.ndarray, " k"]


class Curve(NamedTuple):
    """Worth of the network by how much is kept of it.

    ``error`` is the standard error of its difference to the whole network on the same rows.
    """

    kept: Int[np.ndarray, " c"]
    worth: Float[np.ndarray, " c"]
    error: Float[np.ndarray, " c"]


@dataclass(frozen=True, eq=False)
class LocalBasis(Result):
    r"""Features of the layers of a network in three bases, and what is lost by leaving some out.

    Axes: ``b`` bases (order of ``BASES``), ``l`` layers (inputs first, outputs last), ``e``
    sections between them, ``x`` rows that are shown, ``f`` features of all layers but the last in
    the Local Interaction Basis, one layer after another, ``c`` classes. Arrays of several layers
    are kept one after another; ``layer``, ``edges`` and the curves take them apart.

    Attributes
    ----------
    layer_names, widths
        Of the layers, and how many activations each has.
    positions
        Places that share a layer's features: pixels of a map; 1 for a plain layer.
    sizes
        Features of each basis and layer.
    unvisited, ignored
        Directions of each layer that the Local Interaction Basis drops: those without variance in
        the data, and those to which what follows does not react.
    means, intos, backs, importances
        See ``layer``.
    spectra
        Eigenvalues of the covariance of every layer.
    edge_values
        Mean squared attributions of each section and basis, see ``edges``.
    rules
        How gradients were integrated in each section: ``gradient`` or ``gauss-legendre 8``.
    worth_name
        What the worth of a network is: ``accuracy``, or ``minus the mean squared error``.
    base, least
        Worth of the whole network on the rows of the curves, and what still counts as kept.
    node_*, edge_*
        Curves of one layer's features, and of one section's edges, see ``node_curve`` and
        ``edge_curve``.
    all_node_*, all_edge_*
        The same with all layers, and all sections, cut at once.
    both_features, both_edges
        Numbers of features of every layer, and of the strongest edges of every section between
        them, that were tried with each other; none in a result of an earlier version.
    both_worth, both_error
        What the network is worth with so many of both, and the standard error of the difference
        to the whole network.
    nodes_required, edges_required
        The fewest features and strongest edges that keep the worth: from that number on every
        larger one does.
    fitted, judged
        Rows that bases and edges are made of, and rows of the curves.
    ids, data, truth, predictions
        Of the rows that are shown: row numbers, raw features, class or value, probabilities or
        value.
    features
        Their features in the Local Interaction Basis; of several positions the mean.
    class_means, class_errors
        Mean of each feature by true class over all rows of the curves, and its standard error;
        a single column for a regression. NaN for classes without rows (errors: without two).
    communities
        Of each feature by Louvain's method; -1 for those without edges.
    modularity
        Of that partition.
    co_firing
        Mean product of the slopes of each two units of every layer between, see ``together``.
    input_names, input_features
        Of each column that the network reads: what it is, and the raw feature that it belongs to.
    """

    kind: ClassVar[str] = "local_basis"

    layer_names: tuple[str, ...]
    widths: Int[np.ndarray, " l"]
    positions: Int[np.ndarray, " l"]
    sizes: Int[np.ndarray, "b l"]
    unvisited: Int[np.ndarray, " l"]
    ignored: Int[np.ndarray, " l"]
    means: Float[np.ndarray, " m"]
    intos: Float[np.ndarray, " i"]
    backs: Float[np.ndarray, " i"]
    importances: Float[np.ndarray, " k"]
    spectra: Float[np.ndarray, " m"]
    edge_values: Float[np.ndarray, " v"]
    rules: tuple[str, ...]
    worth_name: str
    base: float
    least: float
    node_lengths: Int[np.ndarray, "b e"]
    node_kept: Int[np.ndarray, " nc"]
    node_worth: Float[np.ndarray, " nc"]
    node_error: Float[np.ndarray, " nc"]
    edge_lengths: Int[np.ndarray, "b e"]
    edge_kept: Int[np.ndarray, " ec"]
    edge_worth: Float[np.ndarray, " ec"]
    edge_error: Float[np.ndarray, " ec"]
    all_node_lengths: Int[np.ndarray, " b"]
    all_node_kept: Int[np.ndarray, " anc"]
    all_node_worth: Float[np.ndarray, " anc"]
    all_node_error: Float[np.ndarray, " anc"]
    all_edge_lengths: Int[np.ndarray, " b"]
    all_edge_kept: Int[np.ndarray, " aec"]
    all_edge_worth: Float[np.ndarray, " aec"]
    all_edge_error: Float[np.ndarray, " aec"]
    nodes_required: Int[np.ndarray, "b e"]
    edges_required: Int[np.ndarray, "b e"]
    fitted: int
    judged: int
    ids: Int[np.ndarray, " x"]
    data: Float[np.ndarray, "x d"]
    truth: Float[np.ndarray, " x"]
    predictions: Float[np.ndarray, "x o"]
    features: Float[np.ndarray, "x f"]
    class_means: Float[np.ndarray, "f c"]
    class_errors: Float[np.ndarray, "f c"]
    communities: Int[np.ndarray, " f"]
    modularity: float
    co_firing: Float[np.ndarray, " q"]
    input_names: tuple[str, ...]
    input_features: Int[np.ndarray, " p"]
    output_names: tuple[str, ...]
    schema: Schema
    both_features: Int[np.ndarray, " bf"] = field(default_factory=lambda: np.zeros(0, dtype=int))
    both_edges: Int[np.ndarray, " be"] = field(default_factory=lambda: np.zeros(0, dtype=int))
    both_worth: Float[np.ndarray, "b bf be"] = field(
        default_factory=lambda: np.zeros((len(BASES), 0, 0))
    )
    both_error: Float[np.ndarray, "b bf be"] = field(
        default_factory=lambda: np.zeros((len(BASES), 0, 0))
    )

    def __post_init__(self) -> None:
        n, e, x = len(self.layer_names), len(self.layer_names) - 1, len(self.ids)
        b, widths = len(BASES), self.widths
        f = int(self.sizes[0, :-1].sum()) if self.sizes.shape == (b, n) else -1
        shapes = {
            "widths": (n,), "positions": (n,), "sizes": (b, n), "unvisited": (n,), "ignored": (n,),
            "means": (int(widths.sum()),), "spectra": (int(widths.sum()),),
            "importances": (int(self.sizes.sum()),), "intos": (int((self.sizes * widths).sum()),),
            "backs": (int((self.sizes * widths).sum()),),
            "edge_values": (int((self.sizes[:, 1:] * self.sizes[:, :-1]).sum()),),
            "node_lengths": (b, e), "edge_lengths": (b, e), "nodes_required": (b, e),
            "edges_required": (b, e), "node_kept": (int(self.node_lengths.sum()),),
            "node_worth": (int(self.node_lengths.sum()),),
            "node_error": (int(self.node_lengths.sum()),),
            "edge_kept": (int(self.edge_lengths.sum()),),
            "edge_worth": (int(self.edge_lengths.sum()),),
            "edge_error": (int(self.edge_lengths.sum()),),
            "all_node_kept": (int(self.all_node_lengths.sum()),),
            "all_node_worth": (int(self.all_node_lengths.sum()),),
            "all_node_error": (int(self.all_node_lengths.sum()),),
            "all_edge_kept": (int(self.all_edge_lengths.sum()),),
            "all_edge_worth": (int(self.all_edge_lengths.sum()),),
            "all_edge_error": (int(self.all_edge_lengths.sum()),),
            "both_worth": (b, len(self.both_features), len(self.both_edges)),
            "both_error": (b, len(self.both_features), len(self.both_edges)),
            "data": (x, len(self.schema.features)), "truth": (x,), "features": (x, f),
            "predictions": (x, len(self.output_names)), "communities": (f,),
            "co_firing": (int((widths[1:-1] ** 2).sum()),), "input_features": (int(widths[0]),),
        }  # fmt: skip
        self._check_shapes(f"A basis of {n} layers", shapes)
        named = len(self.input_names) == widths[0]
        if not named or len(self.class_means) != f or len(self.class_errors) != f:
            raise InvalidInputError("Names or class means do not fit the layers of the network.")

    @cached_property
    def n_sections(self) -> int:
        """Sections between layers."""
        return len(self.layer_names) - 1

    def basis_index(self, basis: str) -> int:
        """Return the position of a basis.

        Raises
        ------
        InvalidInputError
            If there is none of that name.
        """
        if basis not in BASES:
            raise InvalidInputError(
                f"There is no basis {basis!r}; choose one of {', '.join(BASES)}."
            )
        return list(BASES).index(basis)

    def layer(self, layer: int, basis: str = "lib") -> Layer:
        """Return mean, maps into features and back, and importances of a layer in a basis."""
        b, widths = self.basis_index(basis), self.widths
        d, k = int(widths[layer]), int(self.sizes[b, layer])
        before = self.sizes.ravel()[: b * len(widths) + layer]
        at = int((before * np.tile(widths, len(BASES))[: len(before)]).sum())
        first, start = int(before.sum()), int(widths[:layer].sum())
        return Layer(
            self.means[start : start + d],
            self.intos[at : at + d * k].reshape(d, k),
            self.backs[at : at + d * k].reshape(k, d),
            self.importances[first : first + k],
        )

    def edges(self, section: int, basis: str = "lib") -> Float[np.ndarray, "k m"]:
        """Mean squared attribution of each feature of a layer (columns) to the next one's."""
        b = self.basis_index(basis)
        counts = (self.sizes[:, 1:] * self.sizes[:, :-1]).ravel()
        at = b * self.n_sections + section
        start = int(counts[:at].sum())
        shape = (int(self.sizes[b, section + 1]), int(self.sizes[b, section]))
        return self.edge_values[start : start + int(counts[at])].reshape(shape)

    def node_curve(self, layer: int, basis: str = "lib") -> Curve:
        """Worth by how many features of one layer stay."""
        return self._curve("node", basis, layer)

    def edge_curve(self, section: int, basis: str = "lib") -> Curve:
        """Worth by how many of the strongest edges of one section stay."""
        return self._curve("edge", basis, section)

    def all_nodes_curve(self, basis: str = "lib") -> Curve:
        """Worth by how many features of every layer stay, all layers at once."""
        return self._curve("all_node", basis, 0)

    def all_edges_curve(self, basis: str = "lib") -> Curve:
        """Worth by how many of the strongest edges of every section stay, all at once."""
        return self._curve("all_edge", basis, 0)

    def _curve(self, name: str, basis: str, at: int) -> Curve:
        lengths = getattr(self, f"{name}_lengths").reshape(len(BASES), -1)
        place = self.basis_index(basis) * lengths.shape[1] + at
        start, length = int(lengths.ravel()[:place].sum()), int(lengths.ravel()[place])
        part = slice(start, start + length)
        return Curve(*(getattr(self, f"{name}_{each}")[part] for each in Curve._fields))

    def feature_range(self, layer: int) -> slice:
        """Where the features of a layer lie among those of all layers."""
        start = int(self.sizes[0, :layer].sum())
        return slice(start, start + int(self.sizes[0, layer]))

    def together(self, layer: int) -> Float[np.ndarray, "d d"]:
        """How often each two units of a layer between are on at once, for units that bend."""
        d = int(self.widths[layer])
        start = int((self.widths[1:layer] ** 2).sum())
        return self.co_firing[start : start + d * d].reshape(d, d)

    def alike(self, layer: int) -> Float[np.ndarray, "d d"]:
        """Share of rows on which each two units of a layer between are both on or both off."""
        both = self.together(layer)
        on = both.diagonal()
        return 1 - on[:, None] - on[None, :] + 2 * both

    def is_tied(self, layer: int, basis: str = "lib") -> np.ndarray:
        """Whether a feature's importance is within one per cent of a neighbour's.

        Only the space that such features span means something, not each of them.
        """
        importance = self.layer(layer, basis).importance
        close = np.abs(np.diff(importance)) < TIED * np.maximum(importance[:-1], 1e-300)
        return np.append(close, False) | np.insert(close, 0, False)

    def possible_edges(self, section: int) -> int:
        """Return how many edges a section could have, before any direction is dropped."""
        return int(self.widths[section] * self.widths[section + 1])

    def to_frame(self) -> "pd.DataFrame":
        """Return one line for each basis and layer.

        Columns: basis, layer, width, features, nodes_required, edges_required (of the section that
        starts there), possible_edges.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        return pd.DataFrame([
            {
                "basis": basis, "layer": self.layer_names[at], "width": int(self.widths[at]),
                "features": int(self.sizes[b, at]),
                "nodes_required": int(self.nodes_required[b, at]),
                "edges_required": int(self.edges_required[b, at]),
                "possible_edges": self.possible_edges(at),
            }
            for b, basis in enumerate(BASES)
            for at in range(self.n_sections)
        ])  # fmt: skip
