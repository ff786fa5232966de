"""Figures and words of scores of pairs: what is drawn are the numbers of the result."""

import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from tests.attributions import FEATURES, HOSTILE, HOSTILE_SCRIPT
from tests.interaction_scores import some_scores, wide_scores
from workbench.core.errors import InvalidInputError
from workbench.plots import options_of, render, views_of
from workbench.plots.interaction_scores_heatmap import SHOWN
from workbench.plots.interaction_scores_swarm import DOT, ROOM, spread
from workbench.plots.interaction_scores_words import pair_sentence, scores_sentence
from workbench.plots.scored_sets import HALF, LETTERS, scored_sets
from workbench.plots.theme import DARK, LIGHT
from workbench.plots.words import MINUS
from workbench.report import write_report

ONE = some_scores(loss=True, triples=True)
CLOUD = some_scores(models=21, loss=True)


def bars(figure):
    return next(trace for trace in figure.data if trace.type == "bar")


@pytest.mark.parametrize(("dark", "colours"), [(False, LIGHT), (True, DARK)])
def test_bars_are_shares_with_intervals_floor_and_direction(dark, colours):
    figure = render(ONE, "ranked", dark=dark)
    (bar,) = (trace for trace in figure.data if trace.type == "bar")
    np.testing.assert_allclose(bar.x[:4], [9.8, 3.0, 1.2, 0.4])
    np.testing.assert_allclose(np.array(bar.error_x.array), HALF * 0.4)
    np.testing.assert_allclose(bar.error_x.arrayminus[:4], [HALF * 0.4] * 3 + [0.4])
    floor = next(shape for shape in figure.layout.shapes if shape.line.dash == "dot")
    assert floor.x0 == pytest.approx(0.1)
    # age with a category; then two that have an order, up and down.
    sets = [ONE.set_names[place] for place in bar.customdata]
    way = dict(zip(sets, bar.marker.color, strict=True))
    assert way["age", "marital_status"] == colours.size
    assert way["age", "education_num"] == colours.negative
    assert way["age", "hours_per_week"] == colours.positive
    assert figure.layout.yaxis.ticktext[1] == "age<br>and education_num"


def test_unsure_directions_are_grey():
    unsure = replace(ONE, signed_std_errors=np.full_like(ONE.signed_std_errors, 1.0))
    assert set(bars(render(unsure, "ranked")).marker.color) == {LIGHT.size}


def test_bars_by_the_loss_keep_their_sign():
    bar = bars(render(ONE, "ranked", by="loss"))
    np.testing.assert_allclose(bar.x[:2], [-0.0098, 0.007])
    assert list(bar.marker.color[:2]) == [LIGHT.negative, LIGHT.positive]


def test_several_models_are_a_line_below_each_bar():
    figure = render(CLOUD, "ranked")
    _, line, _ = figure.data
    values = 100 * CLOUD.shares[:, :, 1]
    order = CLOUD.order_of(1)
    middle = np.array(line.x)
    np.testing.assert_allclose(middle, np.median(values[:, order], 0)[: len(middle)])
    np.testing.assert_allclose(middle + line.error_x.array, values[:, order].max(0)[: len(middle)])
    np.testing.assert_allclose(
        middle - line.error_x.arrayminus, values[:, order].min(0)[: len(middle)], atol=1e-12
    )


@pytest.mark.parametrize("show", SHOWN)
def test_the_map_is_symmetric_and_holds_what_is_shown(show):
    figure = render(CLOUD, "heatmap", show=show)
    cells = np.array(figure.data[0].z, dtype=float)
    np.testing.assert_array_equal(cells, cells.T)
    assert np.isnan(np.diag(cells)).all()
    assert np.isfinite(cells[~np.eye(5, dtype=bool)]).all()
    values = CLOUD.shares[:, :, 1]
    ranks = np.argsort(np.argsort(-values, 1, kind="stable"), 1, kind="stable")
    known = {"reference": values[0], "min": values.min(0), "max": values.max(0),
             "top": ((ranks < 5) & (values > 0)).mean(0)}[show]  # fmt: skip
    names = list(figure.layout.yaxis.ticktext)
    for place, pair in enumerate(CLOUD.set_names):
        i, j = (names.index(name) for name in pair)
        assert cells[i, j] == pytest.approx(100 * known[place])


def test_pairs_that_were_screened_away_are_blank():
    wide = wide_scores()
    figure = render(wide, "heatmap")
    cells = np.array(figure.data[0].z, dtype=float)
    assert len(cells) == 24
    assert np.isnan(cells[~np.eye(24, dtype=bool)]).any()
    assert "40 more features" in figure.layout.annotations[-1].text
    places = [place for trace in figure.data[1:] for place in trace.customdata]
    assert len(places) == np.isfinite(cells).sum()
    assert "of 2,016" in scores_sentence(wide)


def test_the_swarm_has_a_dot_for_each_other_model_and_a_star_for_this_one():
    figure = render(CLOUD, "swarm")
    dots, stars, column = figure.data
    values = 100 * CLOUD.shares[:, CLOUD.order_of(1), 1]
    np.testing.assert_allclose(np.reshape(dots.x, (20, -1)), values[1:])
    np.testing.assert_allclose(stars.x, values[0])
    np.testing.assert_allclose(dots.marker.color, np.repeat(CLOUD.excess[1:], 10))
    assert np.abs(np.array(dots.y) - np.tile(np.arange(10), 20)).max() < 0.5
    assert list(column.text[:2]) == ["in top 5", "100 %"]
    assert options_of(CLOUD, "swarm") == {"by": ["mixed-difference", "loss"]}


@pytest.mark.parametrize("n", [1, 8, 40])
def test_dots_do_not_touch_where_there_is_room(n):
    along = np.sort(np.random.default_rng(0).normal(300, 90, n))
    offsets = spread(along)
    gaps = np.hypot(along[:, None] - along, offsets[:, None] - offsets) + 1e9 * np.eye(n)
    assert gaps.min() >= DOT
    assert np.abs(offsets).max() <= ROOM
    assert spread(np.array([0.0, 100.0])).tolist() == [0, 0], "who is alone stays on the line"


def test_crowds_stay_within_their_lane():
    assert np.abs(spread(np.zeros(300))).max() <= ROOM


def test_the_network_draws_what_is_above_the_floor():
    figure = render(ONE, "network")
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert len(lines) == 4
    cloud = render(CLOUD, "network")
    halos = [trace for trace in cloud.data if trace.mode == "lines" and trace.opacity < 0.5]
    assert len(halos) == 4
    cores = [trace for trace in cloud.data if trace.mode == "lines" and trace.opacity > 0.5]
    assert all(h.line.width > c.line.width for h, c in zip(halos, cores, strict=True))
    assert "weaker pair" in render(CLOUD, "network", max_pairs=2).layout.annotations[-1].text


def test_words_name_the_pair_its_interval_and_how_many_matter():
    assert scores_sentence(ONE) == (
        "Of all pairs, age and marital_status do most together: 9.8 % (9.0 to 10.6) of the "
        "variance of the log-odds of >50K; 3 of 10 pairs matter."
    )
    said = scores_sentence(CLOUD)
    assert "Over 21 equally good models, age and marital_status are at 6.9 to 12.7 %" in said
    assert "strongest pair in 100 % of them" in said
    loss = scores_sentence(ONE, by="loss")
    assert loss.startswith(
        f"In the loss, age and marital_status score furthest from 0: {MINUS}0.00980"
    )
    none = scores_sentence(some_scores([0.0002], errors=0.0001))
    assert none.startswith("No pair of features surely matters: none of 10 pairs is surely above")
    assert "all together come to" in none
    unsure = scores_sentence(some_scores([0.008], errors=0.004))
    assert unsure.startswith("No pair of features surely matters")
    assert "yet one may reach 1.6 %" in unsure, "0.8 % and 1.96 times 0.4 %"
    assert "category has no order" in pair_sentence(ONE, 0)
    assert "they weaken each other" in pair_sentence(ONE, 1)
    assert "equally good models it is" in pair_sentence(CLOUD, 1)
    assert "practical importance" in pair_sentence(ONE, 8)
    assert "age and marital_status and" in pair_sentence(ONE, 10)


def test_one_pair_and_an_output_that_never_changes():
    single = some_scores([0.2], features=FEATURES[2:4])
    for view in views_of(single):
        assert render(single, view).layout.height
    assert "1 of 1 pair matters" in scores_sentence(single)
    still = replace(
        ONE, variances=np.zeros_like(ONE.variances), mixed=np.zeros_like(ONE.mixed),
        totals=np.zeros_like(ONE.totals),
    )  # fmt: skip
    assert "is the same for all rows" in scores_sentence(still)
    for view in views_of(still):
        render(still, view)
    assert "nothing interacts" in render(still, "ranked").layout.annotations[0].text.replace(
        "<br>", " "
    )


def test_hostile_names_mean_themselves_and_long_ones_are_cut(tmp_path):
    hostile = some_scores([0.1, 0.05, 0.02], features=HOSTILE, models=9, triples=True)
    for view in views_of(hostile):
        assert HOSTILE_SCRIPT not in render(hostile, view).to_json()
    labels = render(hostile, "ranked").layout.yaxis.ticktext
    lines = [unescape(line) for label in labels for line in label.split("<br>")]
    assert max(len(line) for line in lines) <= len("and ") + LETTERS
    path = write_report([hostile, ONE], tmp_path / "r.html", title="x")
    text = path.read_text()
    assert HOSTILE_SCRIPT not in text.partition("</head>")[2]
    assert "the sign of a score in the loss mixes two things" in text
    assert "Triples by what they do together" in text


def test_views_and_options_follow_what_there_is():
    assert views_of(some_scores()) == ("ranked", "heatmap", "network")
    assert views_of(ONE) == ("ranked", "heatmap", "network", "triples")
    assert options_of(CLOUD, "heatmap")["show"] == list(SHOWN)
    assert options_of(ONE, "heatmap")["show"] == ["reference"]
    assert options_of(some_scores(), "ranked") == {"by": ["mixed-difference"]}


@pytest.mark.parametrize(
    ("view", "options", "message"),
    [
        ("ranked", {"by": "loss"}, "There are no scores by 'loss'"),
        ("ranked", {"by": "weights"}, "Figures show no scores by 'weights'; choose one of mixed"),
        ("ranked", {"output": "x"}, "There is no output 'x'"),
        ("ranked", {"max_features": 0}, "A figure needs at least 1 feature, got 0."),
        ("heatmap", {"show": "mean"}, "A map cannot show 'mean'; choose one of reference, min"),
        ("network", {"max_pairs": 0}, "A network needs at least 1 pair, got 0."),
    ],
)
def test_says_what_is_wrong(view, options, message):
    with pytest.raises(InvalidInputError, match=re.escape(message)):
        render(some_scores(), view, **options)


def test_scores_of_triples_are_apart_from_those_of_pairs():
    assert len(scored_sets(ONE, size=3)) == 4
    assert len(scored_sets(ONE)) == 10
    assert len(bars(render(ONE, "triples")).x) == 4
