"""Fairness across equally good models, drawn and in words."""

from dataclasses import replace

import numpy as np
import pytest

from tests.attributions import HOSTILE_BOLD
from tests.fairness_fronts import none_found, some_front, tiny_front
from workbench.checks.fairness_front import reads_the_groups
from workbench.core.errors import InvalidInputError
from workbench.core.fairness_front import NONE, REPORTED, VALIDATION
from workbench.core.fairness_metrics import GAPS
from workbench.plots import options_of, render, views_of
from workbench.plots.fairness_front import GAPS_SHOWN, ellipse
from workbench.plots.fairness_front_words import (
    causes_sentence,
    change_text,
    front_sentence,
    luck_sentence,
    range_sentence,
    reading_sentence,
    value_text,
)

RESULT = some_front()


def test_says_how_much_comes_through_the_column_of_the_groups():
    held = np.full((2, len(GAPS)), 0.14)
    held[1] = 0.11
    own = some_front(change=-0.08, read=("c1",), held=held, swayed=np.array([0.065, 0.02]))
    told = reading_sentence(own)
    assert "The alternative reads c1 itself, as the given model does: 2 % of these" in told
    assert "would be 14 points under the given model instead of" in told
    assert "So -5.0 of the change of -8.0 points come through c1" in told.replace(
        "\N{MINUS SIGN}", "-"
    )
    alone = replace(none_found(), read=("c1",), held=held[:1], swayed=np.array([0.065]))
    assert reading_sentence(alone).startswith("The given model reads c1 itself: 6.5 % of these")
    assert "come through" not in reading_sentence(alone)
    undefined = replace(own, held=np.full_like(held, np.nan))
    assert reading_sentence(undefined).endswith("under the given model 6.5 %.")
    assert reading_sentence(replace(own, read=())) == ""


def test_an_older_result_does_not_say_whether_its_models_read_the_column():
    older = replace(RESULT, held=np.zeros((0, len(GAPS))), swayed=np.zeros(0))
    assert reads_the_groups(older).status == "not_applicable"
    told = reads_the_groups(some_front(read=("c1",), swayed=np.zeros(2)))
    assert (told.status, "nobody's decision" in told.sentence) == ("ok", True)


def named(figure):
    return {trace.name: trace for trace in figure.data if trace.name}


@pytest.mark.parametrize(("rows", "s"), [("reported", REPORTED), ("validation", VALIDATION)])
def test_every_model_stands_at_its_accuracy_and_gap(rows, s):
    wide = replace(RESULT, eps=0.3)
    drawn = named(render(wide, "plane", rows=rows))
    q = wide.at
    places = {}
    for name in ("near-copies at random", "trained on towards a smaller gap", "the given model"):
        for m, x, y in zip(drawn[name].customdata, drawn[name].x, drawn[name].y, strict=True):
            places[int(m)] = (x, y)
    least = 100 * (wide.accuracy[0, s, 0] - 3 * 0.3)
    shown = [m for m in range(len(wide)) if 100 * wide.accuracy[m, s, 0] >= least]
    assert sorted(places) == shown
    for m, (x, y) in places.items():
        assert (x, y) == (100 * wide.accuracy[m, s, 0], 100 * wide.gaps[m, s, q, 0])
    best = np.flatnonzero(wide.front[:, s, q])
    front = drawn["no other beats these"]
    assert sorted(front.y) == sorted(100 * wide.gaps[best, s, q, 0])
    assert list(front.x) == sorted(front.x)
    assert list(drawn["chosen on the validation rows"].customdata) == [1]


def test_models_far_below_the_allowed_accuracy_are_counted_instead_of_drawn():
    accuracy = RESULT.accuracy.copy()
    accuracy[1:, REPORTED, 0] = accuracy[0, REPORTED, 0] - 0.5
    figure = render(replace(RESULT, accuracy=accuracy, eps=0.01), "plane")
    assert f"{len(RESULT) - 1} further left" in figure.layout.xaxis.title.text.replace("<br>", " ")
    assert "chosen on the validation rows" not in named(figure)


def test_an_ellipse_holds_what_it_says():
    rng = np.random.default_rng(0)
    matrix = np.array([[0.04, 0.02], [0.02, 0.03]])
    x, y = ellipse(1.0, 2.0, np.array([0.04, 0.02, 0.03]))
    away = np.stack([x - 1, y - 2])
    np.testing.assert_allclose(np.einsum("ic,ij,jc->c", away, np.linalg.inv(matrix), away), 5.991)
    points = rng.multivariate_normal([0, 0], matrix, 20_000).T
    inside = np.einsum("ic,ij,jc->c", points, np.linalg.inv(matrix), points) <= 5.991
    assert inside.mean() == pytest.approx(0.95, abs=0.006)


def test_ranges_show_both_ends_and_the_given_model_of_each_gap():
    result = tiny_front()
    figure = render(result, "ranges")
    shown = [name for name in GAPS_SHOWN if result.ends[result.gap_index(name), 0] != NONE]
    assert len(figure.layout.yaxis.ticktext) == len(shown)
    stars = [trace for trace in figure.data if trace.name == "the given model"]
    for name, star in zip(shown, stars, strict=True):
        value = result.gaps[0, REPORTED, result.gap_index(name), 0]
        expected = 1 - value if GAPS[name].way == "ratio" else value
        assert star.x[0] == pytest.approx(100 * expected)
        assert min(star.error_x.array[0], star.error_x.arrayminus[0]) >= 0


def test_the_change_is_marked_only_where_rows_without_a_say_confirm_it():
    sure, unsure = (
        render(some_front(change=change), "change", dark=False) for change in (-0.08, -0.01)
    )
    colours = [[trace.marker.color for trace in figure.data] for figure in (sure, unsure)]
    assert colours[0][1] != colours[0][0]
    assert colours[1][1] == colours[0][0]
    assert sure.data[1].x[0] == pytest.approx(-8)


@pytest.mark.parametrize("dark", [False, True])
def test_draws_in_both_themes_and_says_what_is_missing(dark):
    undefined = replace(
        RESULT, gaps=np.full_like(RESULT.gaps, np.nan), ends=np.full_like(RESULT.ends, NONE),
        chosen=np.full_like(RESULT.chosen, NONE), causes=np.full_like(RESULT.causes, np.nan),
    )  # fmt: skip
    for result in (RESULT, none_found(), undefined):
        for view in views_of(result):
            assert render(result, view, dark=dark).to_json()
    assert "not defined" in front_sentence(undefined)
    assert range_sentence(undefined) == causes_sentence(undefined) == ""
    with pytest.raises(InvalidInputError, match="no gap 'size'"):
        render(RESULT, "plane", gap="size")
    with pytest.raises(InvalidInputError, match="at least 1"):
        render(RESULT, "causes", max_features=0)
    assert options_of(RESULT, "plane")["gap"][0] == RESULT.gap


def test_names_are_shown_as_they_are():
    hostile = replace(
        RESULT, features=(HOSTILE_BOLD, *RESULT.features[1:]), compared=(HOSTILE_BOLD, "b")
    )
    assert HOSTILE_BOLD not in render(hostile, "causes").to_json()


def test_sentences_claim_what_is_confirmed_and_nothing_else():
    said = front_sentence(RESULT)
    assert (
        "Rows that had no say in the choice confirm it: the gap changes by \N{MINUS SIGN}8.0 points"
        in said
    )
    assert said.endswith("The accuracy changes by " + change_text(
        RESULT.accuracy_change[1, REPORTED]) + ".")  # fmt: skip
    unsure = front_sentence(some_front(change=-0.01))
    assert "No improvement is claimed" in unsure
    assert unsure.startswith("No less discriminatory model was found that other rows confirm.")
    assert unsure.count("confirm") == 1
    assert said.startswith("A less discriminatory model was found.")
    assert "3 rows of these were seen by the search" in front_sentence(some_front(overlap=3))
    assert "That does not show that there is none." in front_sentence(none_found())
    assert luck_sentence(none_found()) == ""
    assert "nothing but chance" in range_sentence(some_front(width=0.01))
    assert "nothing but chance" not in range_sentence(RESULT)
    assert value_text("selection_rate_ratio", np.array([0.8, 0.7, 0.9])) == "0.80 (0.70 to 0.90)"
    assert value_text("selection_rate_difference", np.array([0.08, 0.0, 0.1])) == (
        "8 points (0.0 to 10.0)"
    )
    assert value_text("accuracy_difference", np.full(3, np.nan)) == "not defined"
