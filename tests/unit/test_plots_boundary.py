"""People at the boundary, drawn and in words."""

from dataclasses import replace

import numpy as np
import pytest

from tests.attributions import HOSTILE_BOLD
from tests.boundary_people import some_people, tiny_people, without_ranges
from workbench.core.boundary import NOBODY, UNKNOWN
from workbench.core.errors import InvalidInputError
from workbench.plots import options_of, render, views_of
from workbench.plots.boundary import side_by_side
from workbench.plots.boundary_words import (
    chosen_sentence,
    flip_sentence,
    neighbour_sentence,
    people_sentence,
    person_sentence,
    tolerance_sentence,
)

RESULT = some_people(tips=0.25)


def marks(figure):
    return [trace for trace in figure.data if trace.mode == "markers"]


def test_people_stand_at_their_score_on_their_range():
    figure = render(RESULT, "strip")
    thin, thick = figure.data[:2]
    shown = RESULT.chosen
    placed = {int(y): x for trace in marks(figure) for x, y in zip(trace.x, trace.y, strict=True)}
    for place, person in enumerate(shown):
        assert placed[place] == pytest.approx(100 * RESULT.scores[person])
        line = thick if RESULT.straddles[person] else thin
        at = list(line.y).index(place)
        assert line.x[at] == pytest.approx(100 * RESULT.low[person])
        assert line.x[at + 1] == pytest.approx(100 * RESULT.high[person])
        assert np.isnan(line.x[at + 2])
    (boundary,) = figure.layout.shapes
    assert boundary.x0 == boundary.x1 == 50
    assert list(figure.layout.yaxis.ticktext) == [f"row {RESULT.ids[i]}" for i in shown]


def test_groups_have_colour_and_shape_and_wrong_decisions_are_hollow():
    for by in RESULT.attributes:
        figure = render(RESULT, "strip", by=by)
        a = RESULT.attributes.index(by)
        seen = set()
        for trace in marks(figure):
            rows = [int(row) for row in trace.customdata]
            people = [RESULT.ids.tolist().index(row) for row in rows]
            assert {RESULT.group_of(person, a) for person in people} == {trace.name}
            for person, symbol in zip(people, trace.marker.symbol, strict=True):
                assert symbol.endswith("-open") == bool(RESULT.wrong[person])
            seen.add((trace.marker.color, trace.marker.symbol[0].removesuffix("-open")))
        assert len(seen) == len(marks(figure))
    assert options_of(RESULT, "strip") == {"by": list(RESULT.attributes)}
    with pytest.raises(InvalidInputError, match="no groups by 'age'; choose one of c1, c3"):
        render(RESULT, "strip", by="age")
    with pytest.raises(InvalidInputError, match="at least 1"):
        render(RESULT, "strip", max_people=0)


def test_everybody_is_counted_once():
    figure = render(RESULT, "scores")
    tips, alike = figure.data
    assert sum(tips.y) == RESULT.straddles.sum()
    assert sum(tips.y) + sum(alike.y) == len(RESULT)
    inside = (RESULT.scores >= 0.45) & (RESULT.scores < 0.5)
    at = [round(x, 6) for x in alike.x].index(47.5)
    assert tips.y[at] + alike.y[at] == inside.sum()
    (everybody,) = render(without_ranges(), "scores").data
    assert sum(everybody.y) == len(without_ranges())


def test_what_differs_is_drawn_by_what_it_adds_to_the_distance():
    base = tiny_people()
    row = int(base.ids[base.chosen[2]])
    bars = render(base, "person", row=row).data[0]
    place = base.place_of(row)
    assert len(bars.x) == base.differs[place].sum()
    assert list(bars.x) == sorted(bars.x, reverse=True)
    assert sum(bars.x) == pytest.approx(base.distances[place])
    with pytest.raises(InvalidInputError, match="Row 4711 was not looked at in full"):
        render(base, "person", row=4711)
    lines = side_by_side(base, row)
    assert len(lines) == 1 + len(base.names)
    marked = {name for name, _, _, differs in lines[1:] if differs}
    assert marked == {base.names[j] for j in np.flatnonzero(base.differs[place])}


@pytest.mark.parametrize("dark", [False, True])
def test_draws_in_both_themes_whatever_there_is(dark):
    twins = replace(tiny_people(), neighbour_data=tiny_people().data.copy())
    nobody = replace(tiny_people(), neighbour_ids=np.full(len(tiny_people().chosen), NOBODY))
    for result in (RESULT, without_ranges(), tiny_people("multiclass"), nobody, twins, _none()):
        for view in views_of(result):
            assert render(result, view, dark=dark).to_json()


def _none():
    base = tiny_people()
    few = {
        name: getattr(base, name)[:0]
        for name in (
            "chosen", "data", "flip_scores", "flip_decided", "neighbour_ids", "neighbour_data",
            "neighbour_scores", "distances", "typical", "closer",
        )
    }  # fmt: skip
    return replace(base, who="wrongly_refused", **few)


def test_names_are_shown_as_they_are():
    result = replace(
        RESULT, levels=((HOSTILE_BOLD, *RESULT.levels[0][1:]), RESULT.levels[1]),
        favourable=HOSTILE_BOLD,
    )  # fmt: skip
    figure = render(result, "strip")
    texts = [text for trace in marks(figure) for text in (trace.name, *trace.hovertext)]
    assert not any(HOSTILE_BOLD in text for text in [*texts, figure.layout.xaxis.title.text])


def one(**changes):
    """The first person, refused with 46 of 100."""
    scores, margins, decided = RESULT.scores.copy(), RESULT.margins.copy(), RESULT.decided.copy()
    person = RESULT.chosen[0]
    scores[person], margins[person], decided[person] = 0.46, -0.04, False
    otherwise, truth = RESULT.otherwise.copy(), RESULT.truth.copy()
    otherwise[person] = 0.475, 0.33, 0.62
    low, high = RESULT.low.copy(), RESULT.high.copy()
    low[person], high[person] = 0.39, 0.53
    truth[person] = 1
    return replace(
        RESULT, scores=scores, margins=margins, decided=decided, otherwise=otherwise, low=low,
        high=high, truth=truth, favourable="good", **changes,
    )  # fmt: skip


def test_a_person_is_told_in_plain_words():
    found = one()
    row = RESULT.ids[RESULT.chosen[0]]
    assert person_sentence(found) == (
        f"Row {row}: refused with 46 of 100 for good, 4 points short; 19 of 40 equally good models "
        "would approve (47.5 %, 95 %: 33 % to 62 %; scores 39 to 53). By the label of the row the "
        "decision is wrong."
    )
    unknown = replace(found, truth=np.full(len(found), UNKNOWN), admitted=0)
    assert person_sentence(unknown) == (
        f"Row {row}: refused with 46 of 100 for good, 4 points short."
    )


def test_another_group_is_told_with_what_it_would_do():
    scores = np.full_like(RESULT.flip_scores, np.nan)
    decided = np.zeros_like(RESULT.flip_decided)
    scores[0, :2] = 0.56, 0.47
    decided[0, 0] = True
    found = one(flip_scores=scores, flip_decided=decided)
    said = flip_sentence(found)
    assert said.startswith("With c1 = a instead of ")
    assert said.endswith(
        "all else equal, the score would be 56 instead of 46: approved. 1 of 2 other levels would "
        "tip it."
    )
    stays = flip_sentence(one(flip_scores=scores, flip_decided=np.zeros_like(decided)))
    assert stays.endswith("56 instead of 46; no other level would tip the decision.")
    none = flip_sentence(one(flip_scores=np.full_like(scores, np.nan)))
    assert none.startswith("The model reads no protected column")


def test_a_neighbour_is_told_with_what_differs():
    base = tiny_people()
    said = neighbour_sentence(base)
    assert f"row {base.neighbour_ids[0]}, with " in said
    for j in np.flatnonzero(base.differs[0]):
        assert base.names[j] in said
    twins = replace(base, neighbour_data=base.data.copy(), distances=np.zeros_like(base.distances))
    assert neighbour_sentence(twins).endswith(" of 100: nothing differs.")
    apart = base.data.copy()
    apart[0, 1] = (apart[0, 1] + 1) % 3  # a protected column alone
    assert neighbour_sentence(replace(twins, neighbour_data=apart)).endswith("only c1 differs.")
    nobody = replace(base, neighbour_ids=np.full(len(base.chosen), NOBODY))
    assert neighbour_sentence(nobody).startswith("Nobody of the 80 in the table is ")


def test_everybody_is_told_of_with_how_many_tip():
    near = int((np.abs(RESULT.margins) <= 0.05).sum())
    said = people_sentence(RESULT)
    assert said.startswith(f"{near} of 16 people (")
    assert "for 4 (25 %) at least one of 40 equally good models decides otherwise." in said
    assert people_sentence(without_ranges()).endswith("equally good models were not asked.")
    assert "40 of 80 tried" in tolerance_sentence(RESULT)
    assert "no other models were asked for" in tolerance_sentence(without_ranges())
    assert chosen_sentence(_none()) == "Nobody of these rows is wrongly refused."
    assert chosen_sentence(RESULT).startswith("Looked at in full: the 16 closest to the boundary")
