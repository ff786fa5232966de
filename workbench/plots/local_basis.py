"""A network as a graph of features, and what it loses with fewer of them."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.local_basis import BASES, Curve, LocalBasis
from workbench.core.schema import listing
from workbench.core.wording import counted, percent
from workbench.plots.layout import empty, note, shortened, stacked, title
from workbench.plots.theme import DASHES, Palette, escaped, palette, template

GRAPH_HEIGHT, CURVE_HEIGHT = 520, 380
MOST_NODES, MOST_EDGES = 40, 200
# Letters of a line below a layer and of an output, and the width of a letter in pixels.
LAYER_LENGTH, NAME_LENGTH, LETTER = 8, 14, 7
Z = 1.96
WIDTHS = (0.6, 7.0)
# Lines of about the same width share a trace.
BUCKETS = 5
ALL_LAYERS = "all layers at once"
CUTS = {"features": "features kept", "edges": "edges kept"}


def kept_edges(
    result: LocalBasis, basis: str, edges: int | None, features: int | None = None
) -> list[int]:
    """Return how many edges of each section are drawn: as asked, else those that are required.

    Between a few features, all of them.

    Raises
    ------
    InvalidInputError
        If ``edges`` or ``features`` is below 1.
    """
    if features is not None and features < 1:
        raise InvalidInputError(f"A graph needs at least 1 feature, got {features}.")
    if edges is None and features is not None:
        return [result.edges(at, basis).size for at in range(result.n_sections)]
    if edges is not None:
        if edges < 1:
            raise InvalidInputError(f"A graph needs at least 1 edge, got {edges}.")
        return [edges] * result.n_sections
    required = result.edges_required[result.basis_index(basis)]
    return [int(min(MOST_EDGES, max(1, n))) for n in required]


def worth_kept(result: LocalBasis, cut: str, basis: str, n: int) -> tuple[int, float, float]:
    """Return what is left with ``n`` features, or edges, kept everywhere at once.

    Returns
    -------
    The nearest count that was tried, the worth, and the standard error of what was lost.
    """
    curve = _curve(result, cut, ALL_LAYERS, basis)
    at = int(np.abs(np.log1p(curve.kept) - np.log1p(n)).argmin())
    return int(curve.kept[at]), float(curve.worth[at]), float(curve.error[at])


def loss_bounds(worth: float, error: float, base: float) -> tuple[float, float]:
    """Return the 95 % interval of what was lost on the same rows, from a normal distribution."""
    return base - worth - Z * error, base - worth + Z * error


def accuracy_bounds(
    accuracy: float | Float[np.ndarray, " c"], rows: int
) -> tuple[Float[np.ndarray, "*c"], Float[np.ndarray, "*c"]]:
    """Return Wilson's 95 % interval of accuracies on so many rows."""
    z2 = Z**2
    p = np.asarray(accuracy)
    centre = (p + z2 / (2 * rows)) / (1 + z2 / rows)
    half = Z * np.sqrt(p * (1 - p) / rows + z2 / (4 * rows**2)) / (1 + z2 / rows)
    return centre - half, centre + half


def show_worth(result: LocalBasis, worth: float) -> str:
    """Write what a network is worth: an accuracy per cent, or a mean squared error."""
    if result.worth_name == "accuracy":
        return f"accuracy {percent(worth)}"
    return f"mean squared error {-worth:,.4g}"


def graph(
    result: LocalBasis, *, basis: str = "lib", edges: int | None = None,
    features: int | None = None, dark: bool = False,
) -> go.Figure:  # fmt: skip
    """Draw layers as columns, features by importance, and the strongest edges between them.

    The width of a line is the root of its share of the strongest edge of its section; features
    have the colour of their community.

    Parameters
    ----------
    edges
        Of every section; by default as many as it takes.
    features
        Leave out all but the first ones of every layer; the outputs stay.

    Raises
    ------
    InvalidInputError
        If there is no such basis, or ``edges`` or ``features`` is below 1.
    """
    kept = kept_edges(result, basis, edges, features)
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark), "height": GRAPH_HEIGHT})
    drawn = [_strongest(result, at, basis, n, features) for at, n in enumerate(kept)]
    if not any(len(pairs) for pairs in drawn):
        return empty("No feature of a layer has an effect on these rows.", dark=dark)
    nodes = _nodes(result, basis, drawn)
    for at, pairs in enumerate(drawn):
        _draw_edges(figure, result.edges(at, basis), pairs, at, nodes, colours)
    most = max(len(members) for members in nodes)
    for at, members in enumerate(nodes):
        _draw_nodes(figure, result, basis, at, members, most, colours)
    names = stacked(result.layer_names, LAYER_LENGTH)
    figure.update_xaxes(
        tickvals=list(range(len(names))), ticktext=names, range=[-0.25, len(names) - 0.9],
        showgrid=False,
    )  # fmt: skip
    longest = max(len(shortened(name, NAME_LENGTH)) for name in result.output_names)
    # Names of outputs stand in the margin: on the axis a narrow window would leave them no room.
    figure.update_layout(margin={"r": 18 + LETTER * longest})
    figure.update_yaxes(visible=False, range=[most - 0.3, -0.7])
    shown = counted(sum(map(len, drawn)), "edge")
    if any(len(pairs) == MOST_EDGES < n for pairs, n in zip(drawn, kept, strict=True)):
        shown += f", at most {MOST_EDGES} of a section"
    note(figure, f"{BASES[basis]}: {shown}", dark=dark)
    return figure


def _strongest(
    result: LocalBasis, at: int, basis: str, n: int, features: int | None
) -> Int[np.ndarray, "e 2"]:
    """Return the strongest edges of a section, as pairs of the next layer's feature and its own."""
    following = None if at + 1 == result.n_sections else features
    values = result.edges(at, basis)[:following, :features]
    order = np.argsort(-values, axis=None, kind="stable")[: min(n, MOST_EDGES)]
    order = order[values.ravel()[order] > 0]
    found: np.ndarray = np.stack(np.unravel_index(order, values.shape), 1).reshape(-1, 2)
    return found


def _nodes(result: LocalBasis, basis: str, drawn: list[np.ndarray]) -> list[Int[np.ndarray, " n"]]:
    """Return the features of each layer that have an edge, in their order; all of the outputs."""
    b = result.basis_index(basis)
    found = []
    for at in range(result.n_sections + 1):
        used: set[int] = set()
        if at < result.n_sections:
            used |= set(drawn[at][:, 1].tolist())
        if at:
            used |= set(drawn[at - 1][:, 0].tolist())
        if at == result.n_sections:
            used |= set(range(int(result.sizes[b, at])))
        found.append(np.array(sorted(used)[:MOST_NODES], dtype=np.int64))
    return found


def _height(members: Int[np.ndarray, " n"], most: int) -> Float[np.ndarray, " n"]:
    """Places of features from the top, spread over the height of the fullest layer."""
    n = len(members)
    if n <= 1:
        return np.full(n, (most - 1) / 2)
    return np.linspace(0, most - 1, n)


def _draw_edges(
    figure: go.Figure, values: Float[np.ndarray, "k m"], pairs: Int[np.ndarray, "e 2"], at: int,
    nodes: list[Int[np.ndarray, " n"]], colours: Palette,
) -> None:  # fmt: skip
    if not len(pairs):
        return
    most = max(len(members) for members in nodes)
    left, right = ({int(j): y for j, y in zip(members, _height(members, most), strict=True)}
                   for members in (nodes[at], nodes[at + 1]))  # fmt: skip
    share = np.sqrt(values[pairs[:, 0], pairs[:, 1]] / values.max())
    bucket = np.minimum((share * BUCKETS).astype(int), BUCKETS - 1)
    for level in range(BUCKETS):
        x: list[float | None] = []
        y: list[float | None] = []
        for i, j in pairs[bucket == level].tolist():
            if i in right and j in left:
                x += [at, at + 1, None]
                y += [left[j], right[i], None]
        thin, thick = WIDTHS
        width = thin + (thick - thin) * (level + 0.5) / BUCKETS
        figure.add_scatter(
            x=x, y=y, mode="lines", hoverinfo="skip", opacity=0.45,
            line={"color": colours.size, "width": width},
        )  # fmt: skip


def _draw_nodes(
    figure: go.Figure, result: LocalBasis, basis: str, at: int, members: Int[np.ndarray, " n"],
    most: int, colours: Palette,
) -> None:  # fmt: skip
    last = at == result.n_sections
    importance = result.layer(at, basis).importance
    names = [result.output_names[j] if last else feature_name(result, at, int(j)) for j in members]
    about = [
        escaped(name) if last else f"<b>{escaped(name)}</b><br>importance {importance[j]:.4g}"
        + "".join(f"<br>{escaped(line)}" for line in reads(result, at, int(j), basis))
        for name, j in zip(names, members, strict=True)
    ]  # fmt: skip
    ink = [_ink(result, basis, at, int(j), colours) for j in members]
    figure.add_scatter(
        x=np.full(len(members), at),
        y=_height(members, most),
        mode="markers+text" if last else "markers",
        text=[f"\N{NO-BREAK SPACE}{escaped(shortened(name, NAME_LENGTH))}" for name in names],
        textposition="middle right",
        marker={"size": 11, "color": ink, "line": {"color": colours.surface, "width": 1}},
        hovertext=about,
        hoverinfo="text",
        customdata=names,  # what a click on it chooses
        cliponaxis=False,
    )


def _ink(result: LocalBasis, basis: str, at: int, j: int, colours: Palette) -> str:
    if basis != "lib" or at == result.n_sections:
        return colours.text
    community = int(result.communities[result.feature_range(at).start + j])
    return colours.others if community < 0 else colours.classes[community % len(colours.classes)]


def feature_name(result: LocalBasis, layer: int, feature: int) -> str:
    """Name a feature by its layer and rank, from 1."""
    return f"{result.layer_names[layer]}, feature {feature + 1}"


def features_by_name(result: LocalBasis) -> dict[str, tuple[int, int]]:
    """Return layer and position of each feature of the Local Interaction Basis that is needed."""
    needed = result.nodes_required[0]
    return {
        feature_name(result, at, j): (at, j)
        for at in range(result.n_sections)
        for j in range(min(int(result.sizes[0, at]), max(1, int(needed[at]))))
    }


def reads(result: LocalBasis, layer: int, feature: int, basis: str = "lib") -> list[str]:
    """Say which columns a feature of the inputs reads most; nothing for layers further on."""
    if layer:
        return []
    loading = result.layer(0, basis).back[feature]
    order = np.argsort(-np.abs(loading))[:3]
    return [f"{result.input_names[i]} {loading[i]:+.2g}" for i in order]


def curves(
    result: LocalBasis, *, cut: str = "edges", layer: str = ALL_LAYERS, kept: int | None = None,
    dark: bool = False,
) -> go.Figure:  # fmt: skip
    """Draw what the network is worth when only some features or edges stay, for each basis.

    Parameters
    ----------
    cut
        ``features`` or ``edges``.
    layer
        A layer by name (of edges: those that start there), or all at once.
    kept
        A count to mark.

    Raises
    ------
    InvalidInputError
        If there is no such cut or layer.
    """
    if cut not in CUTS:
        raise InvalidInputError(f"There is no cut {cut!r}; choose one of {listing(CUTS)}.")
    names = [ALL_LAYERS, *result.layer_names[:-1]]
    if layer not in names:
        raise InvalidInputError(f"There is no layer {layer!r}; choose one of {listing(names)}.")
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark), "height": CURVE_HEIGHT})
    accuracy = result.worth_name == "accuracy"
    scale = 100 if accuracy else -1
    for number, (basis, name) in enumerate(BASES.items()):
        curve = _curve(result, cut, layer, basis)
        low, high = _band(result, curve)
        figure.add_scatter(
            x=np.concatenate([curve.kept, curve.kept[::-1]]) + 1,
            y=scale * np.concatenate([high, low[::-1]]), mode="none", fill="toself",
            fillcolor=colours.classes[number], opacity=0.12, hoverinfo="skip", showlegend=False,
        )  # fmt: skip
        figure.add_scatter(
            x=curve.kept + 1, y=scale * curve.worth, name=name, mode="lines",
            line={"color": colours.classes[number], "dash": DASHES[number], "width": 2.5},
            hovertext=[f"{escaped(name)}: {counted(int(n), cut.removesuffix('s'))}<br>"
                       f"{show_worth(result, float(w))}"
                       for n, w in zip(curve.kept, curve.worth, strict=True)],
            hoverinfo="text",
        )  # fmt: skip
    if kept is not None:
        figure.add_vline(x=kept + 1, line={"color": colours.muted, "width": 1})
    line = {"color": colours.muted, "width": 1, "dash": DASHES[2]}
    figure.add_hline(y=scale * result.least, line=line)
    most = max(int(_curve(result, cut, layer, basis).kept.max()) for basis in BASES)
    ticks = [n for n in (0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000) if n <= most]
    figure.update_xaxes(
        type="log", tickvals=[n + 1 for n in ticks], ticktext=[f"{n:,}" for n in ticks]
    )
    figure.update_yaxes(title_text="accuracy, %" if accuracy else "mean squared error")
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
    )
    said = "bands: 95 %" if accuracy else "bands: 95 % of what is lost"
    title(figure, CUTS[cut], "thin line: what still counts as kept", said)
    return figure


def _band(
    result: LocalBasis, curve: Curve
) -> tuple[Float[np.ndarray, " c"], Float[np.ndarray, " c"]]:
    """Return 95 % intervals: of an accuracy by itself, of an error in its change by cutting."""
    if result.worth_name == "accuracy":
        return accuracy_bounds(curve.worth, result.judged)
    half = Z * np.nan_to_num(curve.error)
    return curve.worth - half, curve.worth + half


def _curve(result: LocalBasis, cut: str, layer: str, basis: str) -> Curve:
    if layer == ALL_LAYERS:
        whole = result.all_nodes_curve if cut == "features" else result.all_edges_curve
        return whole(basis)
    one = result.node_curve if cut == "features" else result.edge_curve
    return one(result.layer_names.index(layer), basis)


def lib_sentence(result: LocalBasis) -> str:
    """Say in a sentence how few features and edges it takes, against principal components."""
    lib, pca = (result.edges_required[result.basis_index(basis)] for basis in ("lib", "pca"))
    possible = sum(result.possible_edges(at) for at in range(result.n_sections))
    needed = [int(n) for n in result.nodes_required[0]]
    nodes = [f"{n:,} of {name}" for n, name in zip(needed, result.layer_names, strict=False)]
    nodes[0] = f"{counted(needed[0], 'feature')} of {result.layer_names[0]}"
    edges = f"{int(lib.sum()):,} of {possible:,} possible edges"
    return (
        f"{show_worth(result, result.base).capitalize()} stays within the tolerance with "
        f"{listing(nodes)}, and with {edges}; principal components take "
        f"{int(pca.sum()):,}. Each layer, and each section between two, was cut alone."
    )


def together_sentence(result: LocalBasis) -> str:
    """Say what is left when all layers are cut to the same number of features at once."""
    most = int(result.nodes_required[0].max())
    said = []
    for basis in ("lib", "pca"):
        curve = result.all_nodes_curve(basis)
        at = int(np.abs(curve.kept - most).argmin())
        said.append(show_worth(result, float(curve.worth[at])))
    return (
        f"Cut to {counted(most, 'feature')} in every layer at once: {said[0]}; with as many "
        f"principal components {said[1]}."
    )
