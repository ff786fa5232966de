"""Lines that tell, on paper, which cells of a map are below 0."""

import re

import numpy as np
import plotly.graph_objects as go
import pytest

from tests.attributions import example
from tests.interaction_scores import some_scores
from tests.profiles import some_profiles
from workbench.plots import render
from workbench.plots.on_paper import DEEP, ON_PAPER, PALE, line_negative
from workbench.plots.theme import LIGHT
from workbench.report.section import Picture


def lined(figure):
    """The cells that lines go through, as places up and across; and in how many inks."""
    shapes = [shape for shape in figure.layout.shapes if shape.name == ON_PAPER]
    assert all(shape.visible is False for shape in shapes)
    found = set()
    for shape in shapes:
        for part in shape.path.split("M")[1:]:
            start, y, end = map(float, re.fullmatch(r"(.+),(.+)H(.+)", part).groups())
            found |= {(int(y), x) for x in range(round(start + 0.3), round(end - 0.3) + 1)}
    return found, {shape.line.color for shape in shapes}


def negative(trace):
    z = np.nan_to_num(np.array(trace.z, dtype=float))
    return {(int(y), int(x)) for y, x in np.argwhere(-z / trace.zmax > PALE)}


@pytest.mark.parametrize(
    "figure",
    [
        lambda: render(example(n=40), "heatmap"),
        lambda: render(some_profiles(), "pair", surface="effects"),
    ],
)  # fmt: skip
def test_every_cell_that_is_seen_to_be_negative_has_a_line_and_no_other(figure):
    figure = figure()
    (cells, *_) = (trace for trace in figure.data if trace.type == "heatmap")
    found, inks = lined(figure)
    assert found == negative(cells)
    assert found
    assert inks <= {LIGHT.text, LIGHT.surface}


def test_a_line_stands_out_from_its_cell_and_ends_with_it():
    figure = go.Figure()
    line_negative(figure, np.array([[-1.0, -0.4, -0.3, 1, np.nan], [-0.04, 0, 2, 0, 0]]), 1, LIGHT)
    told = {shape.line.color: shape.path for shape in figure.layout.shapes}
    assert told == {LIGHT.surface: "M-0.35,0H0.35", LIGHT.text: "M0.65,0H2.35"}
    assert PALE < DEEP


def test_a_map_with_numbers_in_its_cells_needs_none():
    assert not lined(render(some_scores(loss=True), "heatmap", by="loss"))[0]


def test_a_report_says_what_the_lines_mean():
    picture = Picture("a", "", "", lambda **look: render(example(n=40), "heatmap", **look))
    assert picture.is_lined
    assert not Picture("a", "", "", lambda **look: render(example(n=3), "bar", **look)).is_lined
