"""The graph of a network's features, its curves and its cards, drawn and in words."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest

from tests.attributions import HOSTILE_BOLD
from tests.local_bases import some_basis
from workbench.core.errors import InvalidInputError
from workbench.core.local_basis import BASES
from workbench.plots import render
from workbench.plots.basis_both import fewest_of_both, worth_of_both
from workbench.plots.basis_features import find_feature
from workbench.plots.local_basis import (
    accuracy_bounds,
    feature_name,
    features_by_name,
    lib_sentence,
    loss_bounds,
    together_sentence,
    worth_kept,
)
from workbench.report.graphml import graph_of, to_graphml

RESULT = some_basis()


def lines_of(figure):
    return sum(
        sum(x is None for x in trace.x) for trace in figure.data if trace.mode == "lines"
    )  # fmt: skip


@pytest.mark.parametrize("basis", BASES)
def test_as_many_edges_are_drawn_as_are_asked_for_and_the_thickest_is_the_strongest(basis):
    figure = render(RESULT, "graph", basis=basis, edges=3)
    assert lines_of(figure) == 3 * RESULT.n_sections
    lines = [trace for trace in figure.data if trace.mode == "lines" and trace.x]
    assert max(trace.line.width for trace in lines) > min(trace.line.width for trace in lines)
    dots = [trace for trace in figure.data if trace.mode != "lines"]
    assert len(dots) == RESULT.n_sections + 1
    assert list(dots[-1].customdata) == list(RESULT.output_names), "every output has its place"


def test_a_graph_that_cannot_be_drawn_is_refused():
    with pytest.raises(InvalidInputError, match="at least 1 edge"):
        render(RESULT, "graph", edges=0)
    with pytest.raises(InvalidInputError, match="lib, pca, neurons"):
        render(RESULT, "graph", basis="svd")


def test_a_curve_ends_at_the_whole_network():
    for cut in ("features", "edges"):
        for layer in ("all layers at once", "hidden 1"):
            lines = [each for each in render(RESULT, "curves", cut=cut, layer=layer).data
                     if each.mode == "lines"]  # fmt: skip
            assert len(lines) == len(BASES)
            for trace in lines:
                assert trace.y[-1] == pytest.approx(100 * RESULT.base)
    with pytest.raises(InvalidInputError, match="no layer 'hidden 9'"):
        render(RESULT, "curves", layer="hidden 9")
    with pytest.raises(InvalidInputError, match="no cut 'units'"):
        render(RESULT, "curves", cut="units")


def test_bands_are_wilsons_interval():
    low, high = accuracy_bounds(0.9, 100)
    # Roots of (p - 0.9)² = z² p (1 - p) / 100.
    roots = np.sort(np.roots([1 + 1.96**2 / 100, -1.8 - 1.96**2 / 100, 0.81]))
    np.testing.assert_allclose([low, high], roots)
    band, *_ = render(RESULT, "curves").data
    assert band.fill == "toself"
    assert min(band.y) < 100 * RESULT.all_edges_curve().worth.min()


@pytest.mark.parametrize("cut", ["edges", "features"])
def test_the_worth_beside_the_slider_is_that_of_the_count(cut):
    curves = {
        basis: RESULT.all_edges_curve(basis) if cut == "edges" else RESULT.all_nodes_curve(basis)
        for basis in BASES
    }
    curve = curves["pca"]
    for kept, worth, error in zip(*curve, strict=True):
        assert worth_kept(RESULT, cut, "pca", int(kept)) == (kept, worth, error)
    for other in curves.values():
        assert (other.kept == curve.kept).all(), "one slider for all bases"


def test_of_both_the_nearest_counts_that_were_tried_are_told():
    for i, features in enumerate(RESULT.both_features):
        for j, edges in enumerate(RESULT.both_edges):
            found = worth_of_both(RESULT, "pca", features=int(features), edges=int(edges))
            worth, error = RESULT.both_worth[1, i, j], RESULT.both_error[1, i, j]
            assert found == (features, edges, worth, error)
    last = int(RESULT.both_features[-1]), int(RESULT.both_edges[-1])
    assert worth_of_both(RESULT, "lib", features=10**9, edges=10**9)[:2] == last
    earlier = replace(
        RESULT, both_features=np.zeros(0, dtype=int), both_edges=np.zeros(0, dtype=int),
        both_worth=np.zeros((3, 0, 0)), both_error=np.zeros((3, 0, 0)),
    )  # fmt: skip
    with pytest.raises(InvalidInputError, match="not left out together in this run"):
        worth_of_both(earlier, "lib", features=1, edges=1)


def test_the_fewest_of_both_keep_the_worth_and_no_smaller_product_does():
    features, edges = fewest_of_both(RESULT)
    *_, worth, _ = worth_of_both(RESULT, "lib", features=features, edges=edges)
    assert worth >= RESULT.least
    for i, m in enumerate(RESULT.both_features):
        for j, e in enumerate(RESULT.both_edges):
            assert m * e >= features * edges or RESULT.both_worth[0, i, j] < RESULT.least
    lost = replace(RESULT, both_worth=np.zeros_like(RESULT.both_worth))
    assert fewest_of_both(lost) == (RESULT.both_features[-1], RESULT.both_edges[-1])


def test_between_a_few_features_all_edges_are_drawn():
    figure = render(RESULT, "graph", features=2)
    dots = [trace for trace in figure.data if trace.mode != "lines"]
    outputs = len(RESULT.output_names)
    assert [len(trace.y) for trace in dots] == [2, 2, 2, outputs]
    edges = [RESULT.edges(at)[: 2 if at < 2 else None, :2] for at in range(3)]
    assert lines_of(figure) == sum((each > 0).sum() for each in edges)
    with pytest.raises(InvalidInputError, match="at least 1 feature"):
        render(RESULT, "graph", features=0)


def test_a_count_can_be_marked_on_the_curves():
    figure = render(RESULT, "curves", kept=3)
    assert [shape.x0 for shape in figure.layout.shapes if shape.x0 == shape.x1] == [4]


def test_bands_of_an_error_are_those_of_its_change_on_the_same_rows():
    result = some_basis("regression")
    curve = result.all_nodes_curve("lib")
    band, *_ = render(result, "curves", cut="features").data
    half = 1.96 * curve.error
    np.testing.assert_allclose(band.y, [*(-curve.worth - half), *(-curve.worth + half)[::-1]])
    low, high = loss_bounds(curve.worth[1], curve.error[1], result.base)
    assert (low + high) / 2 == pytest.approx(result.base - curve.worth[1])


def test_a_card_shows_means_by_class_with_intervals_of_the_same_rows():
    figure = render(RESULT, "feature", feature="inputs, feature 1")
    (bars,) = figure.data
    at = RESULT.feature_range(0).start
    np.testing.assert_allclose(bars.x, RESULT.class_means[at])
    np.testing.assert_allclose(bars.error_x.array, 1.96 * np.nan_to_num(RESULT.class_errors[at]))
    with pytest.raises(InvalidInputError, match="no feature 'inputs, feature 99'"):
        find_feature(RESULT, "inputs, feature 99")


def test_a_regression_shows_its_rows():
    result = some_basis("regression")
    (dots,) = render(result, "feature").data
    np.testing.assert_allclose(dots.y, result.predictions[:, 0])
    assert "mean squared error" in lib_sentence(result).lower()


def test_features_further_on_are_told_by_what_goes_along_with_them():
    name = feature_name(RESULT, 1, 0)
    (bars,) = render(RESULT, "loadings", feature=name).data
    numeric = [i for i, each in enumerate(RESULT.schema.features) if not each.categories]
    values = RESULT.features[:, RESULT.feature_range(1).start]
    wanted = [np.corrcoef(RESULT.data[:, i], values)[0, 1] for i in numeric]
    np.testing.assert_allclose(sorted(bars.x), sorted(wanted))
    assert (np.array(bars.error_x.array) > 0).all()


def test_pixels_stand_in_their_places():
    names = tuple(f"pixel_{i // 3}_{i % 3}" for i in range(len(RESULT.input_names)))
    drawn = replace(RESULT, input_names=names)
    (image,) = render(drawn, "loadings", feature="inputs, feature 1").data
    assert image.type == "heatmap"
    known = [v for v in np.array(image.z, dtype=float).ravel() if np.isfinite(v)]
    np.testing.assert_allclose(known, RESULT.layer(0).back[0])
    assert image.zmin == -image.zmax
    gap = (*names[:-1], "age")
    assert render(replace(RESULT, input_names=gap), "loadings").data[0].type == "bar"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("view", ["graph", "curves", "feature", "loadings", "used", "alike"])
def test_draws_in_both_themes(view, dark):
    for result in (RESULT, some_basis("regression")):
        assert render(result, view, dark=dark).to_json()


def test_names_are_shown_as_they_are():
    names = (HOSTILE_BOLD, *RESULT.output_names[1:])
    hostile = replace(RESULT, output_names=names, input_names=(HOSTILE_BOLD,) * len(
        RESULT.input_names
    ))  # fmt: skip
    for view in ("graph", "feature", "loadings"):
        figure = render(hostile, view)
        texts = [text for trace in figure.data for text in (
            *(trace.hovertext if trace.hovertext is not None else ()),
            *(trace.text if trace.text is not None else ()),
        )]  # fmt: skip
        texts += list(figure.layout.yaxis.ticktext or ())
        assert not any(HOSTILE_BOLD in text for text in texts)


def test_sentences_count_what_is_needed():
    said = lib_sentence(RESULT)
    assert f"{int(RESULT.edges_required[0].sum()):,} of " in said
    assert str(int(RESULT.nodes_required[0].max())) in together_sentence(RESULT)
    assert set(features_by_name(RESULT).values()) >= {(0, 0), (1, 0)}


def test_a_graph_file_holds_every_edge_with_its_strength():
    read = nx.parse_graphml(to_graphml(RESULT))
    assert read.number_of_nodes() == int(RESULT.sizes[0].sum())
    total = sum(RESULT.edges(at).sum() for at in range(RESULT.n_sections))
    weights = [weight for _, _, weight in read.edges(data="weight")]
    assert sum(weights) == pytest.approx(total, rel=1e-12)
    strongest = np.unravel_index(RESULT.edges(1).argmax(), RESULT.edges(1).shape)
    assert read.edges[f"1.{strongest[1]}", f"2.{strongest[0]}"]["weight"] == pytest.approx(
        RESULT.edges(1).max(), rel=1e-15
    )
    assert "community" not in graph_of(RESULT, "pca").nodes["0.0"]
