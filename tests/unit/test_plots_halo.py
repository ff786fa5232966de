"""Figures and words of halos show the numbers of the result; checks and reports of them."""

from dataclasses import replace

import numpy as np
import pytest

from tests.halos import halo_with, some_halo
from workbench.checks import run_checks
from workbench.core.errors import InvalidInputError
from workbench.core.schema import Feature
from workbench.plots import options_of, render, views_of
from workbench.plots.halo import RIM, choices_of, ends_sentence, halo_sentence
from workbench.plots.words import MINUS
from workbench.report import to_json, write_report


def points(figure):
    return [trace for trace in figure.data if trace.mode == "markers"]


@pytest.mark.parametrize("dark", [False, True])
def test_a_halo_shows_every_joint_model_where_it_is(dark):
    result = some_halo()
    figure = render(result, "halo", dark=dark)
    *models, centre = points(figure)
    assert sum(len(trace.x) for trace in models) == result.known[0].sum()
    inside = models[0]
    assert len(inside.x) == result.members[0].sum()
    assert np.hypot(inside.x, inside.y).max() <= 1
    for outside in models[1:]:
        assert (np.hypot(outside.x, outside.y) > 1).all()
    assert (centre.x, centre.y) == ((0,), (0,))
    at = int(np.flatnonzero(result.members[0])[0])
    radius = max(0.0, result.excess[0, at] / result.tolerance)
    np.testing.assert_allclose((inside.x[0], inside.y[0]), radius * result.directions[at])
    assert (
        f"{result.excess[0, at] / result.tolerance:.2f} ±".replace("-", MINUS)
        in inside.hovertext[0]
    )
    assert "as good" in inside.hovertext[0]
    first, second = result.set_names[0]
    assert figure.layout.xaxis.title.text.startswith(f"mask of {first}: down ← → up")
    assert figure.layout.yaxis.title.text == f"mask of {second}: down ← → up"


def test_the_curve_closes_and_runs_round_once():
    result = some_halo()
    (curve,) = [t for t in render(result, "halo").data if t.mode == "lines" and not t.fill
                and len(t.x) == 37]  # fmt: skip
    assert (curve.x[0], curve.y[0]) == (curve.x[-1], curve.y[-1])
    tinted = [trace for trace in render(result, "halo").data if trace.fill]
    np.testing.assert_allclose(np.hypot(tinted[0].x, tinted[0].y), 1)


def test_models_far_outside_stand_at_the_rim():
    beyond = points(render(halo_with(9.0, 0.1), "halo"))[2]
    assert beyond.marker.symbol == "triangle-up-open"
    np.testing.assert_allclose(np.hypot(beyond.x, beyond.y), RIM)


def test_all_pairs_stand_beside_each_other_and_can_be_chosen():
    result = some_halo()
    assert views_of(result) == ("halo", "matrix")
    figure = render(result, "matrix")
    for place in range(3):
        own = [t for t in points(figure) if t.xaxis == ("x" if not place else f"x{place + 1}")]
        shown = [cell for trace in own for cell in trace.customdata]
        assert shown == [place] * (int(result.known[place].sum()) + 1)
    assert options_of(result, "halo") == {"pair": choices_of(result)}
    other = render(result, "halo", pair=choices_of(result)[2])
    assert points(other)[-1].customdata == (2,)
    with pytest.raises(InvalidInputError, match="no halo of 'x9 and c1'"):
        render(result, "halo", pair="x9 and c1")


@pytest.mark.parametrize("dark", [False, True])
def test_three_features_stand_around_a_sphere(dark):
    result = some_halo(order=3)
    assert views_of(result) == ("sphere",)
    ball, models, _ = render(result, "sphere", dark=dark).data
    np.testing.assert_allclose(np.square(ball.x) + np.square(ball.y) + np.square(ball.z), 1)
    assert len(models.x) == result.known[0].sum()
    np.testing.assert_array_equal(models.marker.color, result.scores[0, result.known[0]])
    filled = [symbol == "circle" for symbol in models.marker.symbol]
    np.testing.assert_array_equal(filled, result.members[0, result.known[0]])
    for view in ("halo", "matrix"):
        assert "see the sphere" in render(result, view).layout.annotations[0].text.replace(
            "<br>", " "
        )
    assert "order 3" in render(some_halo(), "sphere").layout.annotations[0].text.replace(
        "<br>", " "
    )


def test_names_mean_themselves():
    result = some_halo()
    features = [
        Feature(**(f.model_dump() | {"name": f"<b>{f.name}</b>$"})) for f in result.schema.features
    ]
    marked = replace(result, schema=result.schema.model_copy(update={"features": tuple(features)}))
    for view in ("halo", "matrix"):
        text = render(marked, view).to_json()
        assert "<b>x0</b>" not in text.replace("\\u003c", "<").replace("\\u003e", ">")
        assert "&lt;b&gt;" in text


def test_the_sentence_counts_and_ranges_over_the_good_ones():
    result = some_halo()
    said = halo_sentence(result)
    assert said.startswith(f"Of {result.known[0].sum()} joint models that scale ")
    assert f"{result.members[0].sum()} are as good as it" in said
    ends = ends_sentence(result)
    assert "Scaling both at once costs most with" in ends
    none = replace(result, excess=result.excess + 100)
    assert halo_sentence(none).endswith("cannot be weighed otherwise at once.")
    unknown = replace(result, masks=np.full_like(result.masks, np.nan))
    assert halo_sentence(unknown).startswith("No copy of tiny@1 scales")
    assert ends_sentence(unknown) == ""
    assert "No joint model is known" in (
        render(unknown, "halo").layout.annotations[0].text.replace("<br>", " ")
    )
    assert "all three" in ends_sentence(some_halo(order=3))


def test_checks_say_when_joint_models_or_rows_do_not_do():
    result = some_halo()
    outcomes = {o.code: o for o in run_checks(result)}
    assert set(outcomes) == {"WB034", "WB035"}
    assert outcomes["WB034"].evidence["share"] == pytest.approx(result.outside)
    assert [o.status for o in run_checks(halo_with(0.5, 0.1))] == ["ok", "ok"]
    bad = run_checks(halo_with(2.0, 0.6))
    assert [o.status for o in bad] == ["warning", "warning"]
    assert bad[1].evidence["noise"] == pytest.approx(1.2)
    none = replace(result, masks=np.full_like(result.masks, np.nan))
    assert [o.status for o in run_checks(replace(
        none, excess_std_errors=np.full_like(result.excess, np.nan)
    ))] == ["not_applicable"] * 2  # fmt: skip


@pytest.mark.parametrize("order", [2, 3])
def test_goes_into_a_report(order, tmp_path):
    result = some_halo("regression", order=order)
    text = write_report([result], tmp_path / "report.html", title="Halos").read_text()
    assert "Halos of features" in text
    assert "WB034" in text
    assert '"kind": "halo"' in to_json(result)
