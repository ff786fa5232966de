"""Figures in a page: what they hold comes out again, and ends no script."""

import base64
import json
from html.parser import HTMLParser

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.report.embedded import UNSEEN, embedded, narrowed
from workbench.report.section import Picture


class Scripts(HTMLParser):
    """The contents of the scripts of a page, and every tag."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.content = [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, _):
        self.tags.append(tag)

    def handle_data(self, data):
        self.content += data


PIECES = ["<", "/", "!", "--", "</script>", "<!--", "<script>", "\\", '"', "\u2028", "é", "b"]
HOSTILE = st.lists(st.sampled_from(PIECES)).map("".join)


@given(st.dictionaries(HOSTILE, st.lists(HOSTILE)))
def test_what_is_embedded_is_read_back_and_ends_nothing(value):
    text = embedded(value)
    assert json.loads(text) == value
    assert "<" not in text
    page = Scripts(f'<script type="application/json">{text}</script><i>')
    assert page.tags == ["script", "i"]
    assert json.loads(page.content) == value


def traces(**trace):
    return json.loads(go.Figure(go.Scatter(**trace)).to_json())["data"]


def values_of(array):
    return np.frombuffer(base64.b64decode(array["bdata"]), array["dtype"])


def test_coordinates_take_half_the_bytes_and_stay_where_they_are():
    x = np.random.default_rng(0).normal(size=100)
    x[3], x[5] = np.nan, np.inf
    before = traces(x=x, error_x={"array": x}, marker={"color": x}, customdata=x, text=x)
    (after,) = narrowed(before)
    for array in (after["x"], after["error_x"]["array"], after["marker"]["color"]):
        assert array["dtype"] == "f4"
        np.testing.assert_allclose(values_of(array), x, atol=UNSEEN)
    assert after["customdata"] == before[0]["customdata"], "a number that is shown"
    assert after["text"] == before[0]["text"]


@pytest.mark.parametrize(
    "x",
    [
        1.7e9 + np.arange(5.0) / 7,  # a moment among others nearby
        np.full(3, 0.1),  # no span to see anything against
        np.array([0.1e300, 0.7e300]),
        np.array([0.1e-60, 0.7e-60]),
        np.full(3, np.nan),
    ],
)
def test_what_single_precision_would_move_is_kept(x):
    before = traces(x=x)
    assert narrowed(before) == before
    np.testing.assert_array_equal(values_of(before[0]["x"]), x)


def test_the_shape_of_a_matrix_and_what_is_no_array_stay():
    z = np.arange(6.0).reshape(2, 3) / 7
    figure = go.Figure(go.Heatmap(z=z, x=["a", "b", "c"], hovertext=[["<b>"] * 3] * 2))
    (before,) = json.loads(figure.to_json())["data"]
    (after,) = narrowed([before])
    assert after["z"]["shape"] == before["z"]["shape"]
    assert after | {"z": 0} == before | {"z": 0}
    np.testing.assert_allclose(values_of(after["z"]).reshape(2, 3), z, rtol=1e-6)


def test_points_that_a_page_would_draw_with_webgl_are_drawn_as_svg():
    def draw(*, dark):
        return go.Figure([go.Scattergl(x=[1], y=[2]), go.Bar(y=[3])], {"height": 100 + dark})

    found = Picture("one", "One", "One point.", draw)
    assert [trace["type"] for trace in found.light["data"]] == ["scatter", "bar"]
    assert found.light["data"][0]["x"] == [1]
    assert found.dark == {"layout": {"height": 101}}
