"""Captions and remarks are broken so that a telephone shows them whole, and only then."""

import html

import plotly.graph_objects as go
import pytest

from tests.every_kind import of_every_kind
from workbench.plots import render, views_of
from workbench.plots.layout import note, title
from workbench.plots.narrow import BESIDE, CAPTION, LABEL, NARROW, fit

LONG = "share of the variance of log-odds of >50K"


def figure(caption, labels=()):
    made = go.Figure(layout={"height": 300})
    made.add_bar(x=[1] * len(labels), y=list(range(len(labels))), orientation="h")
    made.update_yaxes(ticktext=list(labels), tickvals=list(range(len(labels))))
    title(made, caption)
    return made


def test_a_caption_that_fits_stays_as_it_is():
    made = figure("seconds", ["age", "sex"])
    before = made.to_json()
    assert fit(made).to_json() == before


def test_a_caption_beside_long_labels_is_broken_and_the_figure_grows():
    made = fit(figure(LONG, ["x" * 20]))
    lines = made.layout.xaxis.title.text.split("<br>")
    assert " ".join(lines) == html.escape(LONG)
    assert len(lines) == 2
    assert made.layout.height > 300
    again = made.to_json()
    assert fit(made).to_json() == again


def test_a_caption_is_parted_after_a_semicolon_first():
    made = fit(figure("distance of the change; row 7", ["x" * 26]))
    assert made.layout.xaxis.title.text == "distance of the change<br>row 7"


def test_markup_of_ours_is_left_alone():
    made = figure("", ["x" * 30])
    made.update_xaxes(title_text="<b>a caption that nobody would break</b> in its middle")
    before = made.layout.xaxis.title.text
    assert fit(made).layout.xaxis.title.text == before


def test_what_a_user_wrote_stays_text():
    made = fit(figure("effect on <b>$x$ and y</b> of the table", ["x" * 20]))
    text = made.layout.xaxis.title.text
    assert "<b>" not in text
    assert "$" not in text
    assert html.unescape(text.replace("<br>", " ")) == "effect on <b>$x$ and y</b> of the table"


def test_a_remark_is_broken_and_gets_room_above():
    made = figure("seconds")
    note(
        made,
        "diagonal: single effects; colour up to the strongest pair of the features",
        dark=False,
    )
    made.update_layout(margin={"t": 34})
    fit(made)
    (remark,) = made.layout.annotations
    assert remark.text.count("<br>") == 1
    assert max(map(len, remark.text.split("<br>"))) * LABEL <= NARROW - BESIDE
    assert made.layout.margin.t == 50


@pytest.mark.parametrize("result", of_every_kind(), ids=lambda result: type(result).__name__)
def test_no_caption_of_any_view_is_wider_than_a_narrow_figure(result):
    for view in views_of(result):
        for axis in fit(render(result, view)).select_xaxes():
            for line in (axis.title.text or "").split("<br>"):
                assert len(html.unescape(line)) * CAPTION <= NARROW + CAPTION, (view, line)
