"""The graph of a network's features as GraphML, for programs that draw and search graphs."""

import networkx as nx

from workbench.core.local_basis import LocalBasis
from workbench.plots.local_basis import feature_name


def graph_of(result: LocalBasis, basis: str = "lib") -> nx.DiGraph:
    """Return features as nodes, and edges with their mean squared attribution.

    Nodes carry ``label``, ``layer``, ``layer_name``, ``rank`` (from 1), ``importance`` and, in the
    Local Interaction Basis, ``community``; edges that are exactly 0 are left out.

    Raises
    ------
    InvalidInputError
        If there is no such basis.
    """
    graph = nx.DiGraph(model=result.provenance.model, basis=basis)
    last = result.n_sections
    for at, layer in enumerate(result.layer_names):
        for j, importance in enumerate(result.layer(at, basis).importance):
            about = {
                "label": str(result.output_names[j]) if at == last else feature_name(result, at, j),
                "layer": at, "layer_name": layer, "rank": j + 1, "importance": float(importance),
            }  # fmt: skip
            if basis == "lib" and at < last:
                about["community"] = int(result.communities[result.feature_range(at).start + j])
            graph.add_node(f"{at}.{j}", **about)
    for at in range(last):
        values = result.edges(at, basis)
        for i, j in zip(*values.nonzero(), strict=True):
            graph.add_edge(f"{at}.{j}", f"{at + 1}.{i}", weight=float(values[i, j]))
    return graph


def to_graphml(result: LocalBasis, basis: str = "lib") -> str:
    """Write the graph as GraphML."""
    return "\n".join(nx.generate_graphml(graph_of(result, basis)))
