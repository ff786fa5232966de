"""Attribute flips, drawn and in words."""

from dataclasses import replace

import numpy as np
import pytest

from tests.attributions import HOSTILE_BOLD
from tests.flips import by_income, by_sex, flips_of, people, some_flips
from workbench.core.errors import InvalidInputError
from workbench.plots import options_of, render, views_of
from workbench.plots.flips_people import FURTHEST, people_in_order
from workbench.plots.flips_words import (
    flips_sentence,
    groups_sentence,
    person_sentence,
    plausible_sentence,
    score_sentence,
    share,
)
from workbench.plots.theme import LIGHT

RESULT = some_flips()
ALIKE = some_flips("conditional")
NONE = flips_of(by_income, people(300))


def whiskers(trace):
    return np.stack([trace.x - trace.error_x.arrayminus, trace.x + trace.error_x.array], 1)


def test_rates_and_their_exact_intervals_stand_in_the_lanes_of_their_groups():
    figure = render(RESULT, "rates")
    drawn = {trace.name: trace for trace in figure.data}
    adverse, favoured = drawn["refused because of it"], drawn["favoured because of it"]
    for trace, k in ((adverse, 1), (favoured, 2)):
        np.testing.assert_allclose(trace.x, RESULT.rates[k, 0, :, 0])
        np.testing.assert_allclose(whiskers(trace), RESULT.rates[k, 0, :, 1:])
        assert np.rint(trace.y).tolist() == [0, 1]
    hollow = drawn["without those hardly ever met"]
    np.testing.assert_allclose(hollow.x, RESULT.rates[2, 1, :, 0])
    assert hollow.marker.symbol == "circle-open"
    assert adverse.marker.color == LIGHT.negative
    assert figure.layout.yaxis.ticktext[0].startswith("Female<br>")
    # A share of none has a whisker too.
    assert (render(NONE, "rates").data[0].error_x.array > 0).all()


def test_of_real_people_the_band_is_what_two_of_one_group_differ_by():
    figure = render(ALIKE, "rates")
    (band,) = figure.layout.shapes
    assert (band.x0, band.x1) == (ALIKE.by_chance[1:, 1].min(), ALIKE.by_chance[1:, 2].max())
    assert not render(RESULT, "rates").layout.shapes


def test_moves_are_those_of_people_and_their_quantiles():
    figure = render(RESULT, "moves")
    drawn = {trace.name: trace for trace in figure.data if trace.name}
    np.testing.assert_allclose(drawn["median"].x, RESULT.moves[0, :, 0])
    np.testing.assert_allclose(whiskers(drawn["median"]), RESULT.moves[0, :, 1:])
    sizes = np.concatenate([
        np.asarray(trace.x) for trace in figure.data if not trace.name and trace.x is not None
    ])  # fmt: skip
    assert np.isin(sizes, np.abs(RESULT.largest_moves)).all()
    assert len(sizes) == 2 * 250


def test_everybody_stands_where_they_are_and_where_they_would_be():
    figure = render(RESULT, "people", to="Male")
    column = RESULT.assignment_names.index("Male")
    rows = np.concatenate([trace.customdata for trace in figure.data])
    at = [RESULT.position(int(row)) for row in rows]
    np.testing.assert_allclose(np.concatenate([t.x for t in figure.data]), RESULT.own_scores[at])
    np.testing.assert_allclose(
        np.concatenate([t.y for t in figure.data]), RESULT.scores[at, column]
    )
    assert set(at) == set(np.flatnonzero(RESULT.group == 0))
    refused = next(t for t in figure.data if t.name == "refused, and would not be")
    assert len(refused.x) == RESULT.flipped("adverse").sum()
    # Decisions change at a half, which is drawn both ways.
    assert len(figure.layout.shapes) == 3


def test_of_many_people_those_whose_decision_changes_are_drawn_first():
    figure = render(RESULT, "people", max_rows=RESULT.flipped().sum() + 5)
    sizes = {trace.name: len(trace.x) for trace in figure.data}
    assert sizes["decided alike"] == 5
    assert sizes["refused, and would not be"] == RESULT.flipped("adverse").sum()
    odd = next(t for t in figure.data if t.name == "granted, and would be refused")
    hollow = np.array(odd.marker.symbol) == "circle-open"
    at = [RESULT.position(int(row)) for row in odd.customdata]
    np.testing.assert_array_equal(hollow, RESULT.implausible[at].any(1))
    assert hollow.any()
    assert not hollow.all()


def test_one_person_is_shown_under_every_assignment():
    first = int(people_in_order(RESULT)[0])
    figure = render(RESULT, "person")
    (trace,) = figure.data
    np.testing.assert_allclose(sorted(trace.x), sorted(RESULT.scores[first]))
    star = np.array(trace.marker.symbol) == "star"
    assert np.asarray(trace.x)[star] == RESULT.own_scores[first]
    assert set(trace.marker.color) == {LIGHT.positive, LIGHT.negative}


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("result", [RESULT, ALIKE, NONE, flips_of(by_sex, people(1))])
def test_draws_in_both_themes(result, dark):
    for view in views_of(result):
        assert render(result, view, dark=dark).to_json()


def test_names_are_shown_as_they_are():
    levels = ((HOSTILE_BOLD, "Male"),)
    groups = ((HOSTILE_BOLD,), ("Male",))
    result = replace(RESULT, levels=levels, group_levels=groups, favourable=HOSTILE_BOLD)
    for view in views_of(result):
        assert HOSTILE_BOLD not in str(render(result, view).to_dict())


def test_what_may_be_chosen():
    assert options_of(RESULT, "people")["to"] == [FURTHEST, "Female", "Male"]
    rows = options_of(RESULT, "person")["row"]
    assert len(rows) == 200
    assert RESULT.flipped("adverse")[RESULT.position(int(rows[0]))]
    with pytest.raises(InvalidInputError, match="There is no assignment 'Dog'; choose one of"):
        render(RESULT, "people", to="Dog")
    with pytest.raises(InvalidInputError, match="named by its number, got 'x'"):
        render(RESULT, "person", row="x")
    with pytest.raises(InvalidInputError, match="Row 99999 is not among"):
        render(RESULT, "person", row="99999")
    with pytest.raises(InvalidInputError, match="at least 1"):
        render(RESULT, "people", max_rows=0)


def test_the_sentence_has_both_directions_with_their_intervals():
    said = flips_sentence(RESULT)
    either, adverse, favoured = RESULT.overall[:, 0]
    assert said == (
        f"Of 600 people, {share(either)} would be decided otherwise if sex alone were another: "
        f"{share(adverse)} are refused and would get yes, {share(favoured)} get it and would be "
        "refused."
    )
    assert groups_sentence(RESULT).startswith("Refused because of it most often: Female, ")
    assert "if everybody were Female" in score_sentence(RESULT)
    assert "sex Female with job chief (0 rows where" in plausible_sentence(RESULT)


def test_none_is_told_as_a_bound():
    assert flips_sentence(NONE) == (
        "No decision of 300 people changes when sex alone is set to anything else. With so many, "
        "up to 1.22 % of all may still do."
    )
    assert groups_sentence(NONE) == ""
    assert score_sentence(NONE).startswith("Whatever everybody were set to, ")


def test_against_real_people_it_is_said_what_chance_does():
    said = flips_sentence(ALIKE)
    assert said.startswith("Held against somebody of another sex who is much like them, ")
    assert said.endswith(f"Against somebody of their own group it is {share(ALIKE.by_chance[0])}.")
    assert "much like them who are" in score_sentence(ALIKE)


def test_a_person_is_told_what_would_be_decided_and_how_odd_that_is():
    first = people_in_order(RESULT)[0]
    said = person_sentence(RESULT, int(RESULT.ids[first]))
    assert "(Female) does not get yes" in said
    assert "As Male the same person would (" in said
    odd = np.flatnonzero(RESULT.flipped("favoured") & ~RESULT.flipped(plausible=True))[0]
    said = person_sentence(RESULT, int(RESULT.ids[odd]))
    assert "As Female the same person would not (" in said
    assert said.endswith("But hardly anybody like this is of that group, so do not read much into "
                         "it.")  # fmt: skip
    same = np.flatnonzero(~RESULT.flipped())[0]
    assert "No other sex would change that." in person_sentence(RESULT, int(RESULT.ids[same]))
