"""Curves of faithfulness against scale, drawn and in words."""

import math
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from tests.attributions import HOSTILE_BOLD, hostile
from tests.faithfulness import MISSED, SCALES, scale_curves
from workbench.core.errors import InvalidInputError
from workbench.core.faithfulness import ADEQUATE
from workbench.plots import render, views_of
from workbench.plots.scale_curves import log_ticks, scale_sentence


def shapes(figure):
    """The tinted ground, the knee, and the limit; None where there is none."""
    found = {"ground": None, "knee": None, "limit": None}
    for shape in figure.layout.shapes:
        kind = "ground" if shape.type == "rect" else "knee" if shape.x0 == shape.x1 else "limit"
        found[kind] = shape
    return found


def notes(figure):
    return [note.text.replace("\N{NO-BREAK SPACE}", " ").strip()
            for note in figure.layout.annotations]  # fmt: skip


def test_the_line_of_one_row_has_an_interval_for_its_samples():
    figure = render(scale_curves(), "curve")
    band, line = figure.data
    np.testing.assert_allclose(line.x, SCALES)
    np.testing.assert_allclose(line.y, MISSED)
    np.testing.assert_allclose(band.y[:6], np.array(MISSED) + 1.96 * 0.01)
    np.testing.assert_allclose(band.y[:5:-1], np.maximum(0, np.array(MISSED) - 1.96 * 0.01))
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.title.text.endswith("row 7; band: 95 %, samples")
    assert "95 %: 0.580 to 0.620" in line.hovertext[4]


def test_the_band_of_several_rows_is_their_middle_half():
    result = scale_curves(9)
    figure = render(result, "curve")
    band, line = figure.data
    low, middle, high = np.percentile(result.shares(), (25, 50, 75), axis=0)
    np.testing.assert_allclose(line.y, middle)
    np.testing.assert_allclose(band.y, [*high, *low[::-1]])
    assert figure.layout.xaxis.title.text.endswith("9 rows; band: middle half of them")
    of_one = render(result, "curve", row=8).data[1]
    np.testing.assert_allclose(of_one.y, result.shares()[8])


def test_ground_knee_and_limit_are_where_the_numbers_are():
    found = shapes(render(scale_curves(), "curve"))
    assert found["ground"].x1 == 0.3
    assert found["ground"].x0 < SCALES[0]
    assert found["knee"].x0 == 0.3
    assert found["limit"].y0 == found["limit"].y1 == ADEQUATE
    figure = render(scale_curves(), "curve")
    assert notes(figure) == ["tinted: at most 10 % missed", "above: not adequate", "knee 0.3"]
    assert figure.layout.annotations[2].x == pytest.approx(math.log10(0.3))
    flat = shapes(render(scale_curves(missed=(0.02,) * 6), "curve"))
    assert flat["knee"] is None
    assert flat["ground"].x1 == 3.0
    poor = shapes(render(scale_curves(missed=(0.6, 0.7, 0.7, 0.8, 1.9, 5.0)), "curve"))
    assert poor["ground"] is None
    assert render(scale_curves(missed=(5.0,) * 6), "curve").layout.yaxis.range[1] < 1.6


def test_a_scale_that_was_chosen_has_a_line_beside_the_knee():
    figure = render(scale_curves(), "curve", scale=1.0)
    plain = render(scale_curves(), "curve")
    (line,) = figure.layout.shapes[len(plain.layout.shapes) :]
    assert line.x0 == line.x1 == 1.0
    assert notes(figure) == [*notes(plain), "chosen 1"]
    assert figure.layout.annotations[-1].x == pytest.approx(0.0)
    assert figure.layout.annotations[-1].xanchor == "right"  # the end is near


def test_ticks_of_a_logarithmic_axis_are_round_and_few():
    for low, high in [(0.01, 3), (1e-4, 1), (0.5, 0.9), (2, 40), (0.02, 50), (1e-6, 1e3)]:
        ticks = log_ticks(low, high)
        assert 1 <= len(ticks) <= 11
        assert low * 0.999 <= ticks[0] <= ticks[-1] <= high * 1.001
        assert all(f"{tick:.0e}"[0] in "1235" for tick in ticks)


def test_says_what_is_wrong_and_draws_what_is_not_there():
    with pytest.raises(InvalidInputError, match="There is no row 1 in this result"):
        render(scale_curves(), "curve", row=1)
    with pytest.raises(InvalidInputError, match="There is no output 'x'"):
        render(scale_curves(), "curve", output="x")
    assert views_of(scale_curves()) == ("curve",)
    none = render(scale_curves(3)[[]], "curve")
    assert notes(none)[0].startswith("No rows to show")


@pytest.mark.parametrize("dark", [False, True])
def test_names_are_text_not_markup(dark):
    result = scale_curves(singles=hostile(), scale_words=f"{HOSTILE_BOLD} $x$")
    figure = render(result, "curve", dark=dark)
    assert isinstance(figure, go.Figure)
    texts = figure.layout.xaxis.title.text, figure.layout.yaxis.title.text
    assert "&lt;b&gt;" in texts[0]
    assert "<b>" not in "".join(texts)
    assert "$" not in "".join(texts)
    assert "<u>" not in figure.layout.yaxis.title.text


def test_sentences():
    by = "(standard deviations that numbers are moved by)"
    assert scale_sentence(scale_curves()) == (
        f"Row 7, probability of >50K: up to a scale of 0.3 a linear explanation misses at most "
        f"10 % {by}. Beyond the knee at 0.3 the share missed rises fastest."
    )
    assert scale_sentence(scale_curves(9)).startswith("In the middle of 9 rows, probability of")
    assert scale_sentence(scale_curves(9), 2).startswith("Row 27, ")
    assert scale_sentence(scale_curves(missed=(0.02,) * 6)) == (
        f"Row 7, probability of >50K: at every scale from 0.01 to 3 a linear explanation misses at "
        f"most 10 % {by}. The curve hardly rises, so it has no knee."
    )
    some = scale_sentence(scale_curves(missed=(0.2, 0.3, 0.4, 0.45, 0.6, 0.9)))
    assert f"misses more than 10 % at every scale, and at most 50 % up to 0.3 {by}." in some
    poor = scale_sentence(scale_curves(missed=(0.6, 0.7, 0.7, 0.8, 0.9, 0.9)))
    assert "no linear explanation is adequate, even at the smallest scale of 0.01" in poor
    curves = scale_curves()
    still = scale_sentence(replace(curves, total=np.zeros_like(curves.total)))
    assert still.endswith("does not change at any scale: there is nothing to explain.")
    assert scale_sentence(scale_curves()[[]]) == "There are no rows to explain."
