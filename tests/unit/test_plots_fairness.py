"""Audits drawn and in words."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.attributions import HOSTILE_BOLD
from tests.fairness_audits import (
    alike,
    audit_of,
    crossed,
    many_cells,
    unequal,
    with_gaps,
)
from workbench.core.errors import InvalidInputError
from workbench.core.fairness_metrics import ACCURACY, BASE, FNR, GAPS, PPV, RATES, SELECTION, TPR
from workbench.numerics.audit_reading import (
    apart,
    beyond_chance,
    clearest,
    clearest_look,
    clearest_rate,
    difference,
    extremes,
    gap_of,
    rate_index,
    worse_off,
)
from workbench.plots import options_of, render, views_of
from workbench.plots.fairness_thresholds import costs_of, counts_at, nearest, threshold_sentence
from workbench.plots.fairness_words import (
    audit_sentence,
    chance_sentence,
    conflicts_sentence,
    each_sentence,
    in_words,
    lacking_sentence,
    overview_sentence,
    verdict,
)
from workbench.plots.theme import LIGHT

ALL = ("groups", "gaps", "intersections", "roc", "calibration", "thresholds", "xauc")


def test_the_sentence_says_who_how_many_and_how_sure():
    audit = unequal()
    # 80 of 170 women and 300 of 400 men whose outcome is good.
    assert audit_sentence(audit) == (
        "People with sex Female are worse off. Of 100 people with sex Female whose outcome is "
        "good, 47 get the decision good; of 100 with sex Male, 75. With this many rows the "
        "difference could be 19 to 36."
    )
    low, high = (int(extremes(audit, TPR, 0)[i]) for i in (0, 1))
    d = difference(audit, TPR, high, low)
    assert d[0] == pytest.approx(300 / 400 - 80 / 170)
    assert [f"{100 * x:.0f}" for x in d[1:]] == ["19", "36"]


def test_a_gap_within_chance_makes_nobody_worse_off():
    said = audit_sentence(alike())
    assert "worse off. Of" not in said
    assert said.endswith(
        "is not beyond what chance brings: by this measure no group is shown to be worse off."
    )
    assert "79.8 get" in said  # close rates are told apart by a further digit
    assert conflicts_sentence(alike()).startswith("None of 10 gaps by sex is beyond what chance")
    assert overview_sentence(alike()) == ("Gaps beyond chance, over all measures: by sex 0 of 10.")


def test_random_groups_are_what_a_gap_is_held_against():
    assert chance_sentence(unequal()) == (
        "Were the people dealt out to groups of these sizes at random, the equal opportunity "
        "difference would be 2.0 points on average and above 4.5 points in one of 20 draws; here "
        "it is 28 points (p below 0.001)."
    )
    lone = audit_of({"a": ((5, 5), (0, 0)), "b": ((9, 9), (300, 300))})
    assert chance_sentence(lone) == ""


def test_groups_that_are_not_compared_are_named_with_the_reason():
    assert lacking_sentence(with_gaps()) == (
        "Not compared, as fewer than 20 rows tell little of a group: Other (no rows with the "
        "favourable outcome); Few (7 rows with the favourable outcome); Nobody (no rows). That is "
        "no sign that they are treated alike."
    )
    assert not lacking_sentence(unequal())
    assert "and 1 more group." in lacking_sentence(
        audit_of({str(i): ((1, 1), (1, 1)) for i in range(7)})
    )


def test_one_group_alone_and_none_are_told_as_that():
    alone = audit_of({"a": ((50, 50), (50, 50)), "b": ((50, 50), (3, 3))})
    assert audit_sentence(alone).startswith("Only the group with sex a has 20 people whose")
    none = audit_of({"a": ((50, 50), (5, 5)), "b": ((50, 50), (3, 3))})
    assert audit_sentence(none) == (
        "No group by sex has 20 people whose outcome is good, so that none can be compared."
    )
    assert conflicts_sentence(audit_of({"a": ((1, 1), (1, 1)), "b": ((1, 1), (1, 1))})).startswith(
        "No gap is defined"
    )


def test_metrics_that_disagree_on_who_is_worse_off_say_so():
    mixed = audit_of({"a": ((290, 10), (20, 180)), "b": ((100, 100), (20, 280))})
    assert conflicts_sentence(mixed).endswith(
        "They do not agree on who is worse off: sex a by selection rate, false positive rate; "
        "sex b by accuracy."
    )
    assert "agree" not in conflicts_sentence(unequal())


def test_who_is_worse_off_depends_on_the_rate():
    audit = unequal()
    assert audit.group_names[worse_off(audit, SELECTION, 0)] == "Female"
    assert audit.group_names[worse_off(audit, FNR, 0)] == "Female"
    assert worse_off(audit, BASE, 0) is None
    assert worse_off(audit, PPV, 0) is None
    assert gap_of(FNR) == gap_of(TPR)
    assert list(GAPS)[gap_of(SELECTION)] == "selection_rate_difference"


@pytest.mark.parametrize("rate", RATES)
def test_every_rate_has_a_sentence_with_the_class(rate):
    of_whom, do = in_words(unequal(favourable="granted"), rate)
    assert of_whom.startswith("people")
    assert "granted" in of_whom + do or rate == "accuracy"
    assert "favourable" not in of_whom + do
    assert audit_sentence(unequal(), 0, rate).endswith((".", "worse off."))


def test_the_page_begins_with_the_clearest_gap():
    audit = crossed()
    assert beyond_chance(audit, gap_of(TPR), 0)
    assert not beyond_chance(audit, gap_of(TPR), 1)
    assert audit.partition_names[clearest(audit, TPR)] == "sex"


def only(*sure):
    """An audit of women and men in which these gaps alone are beyond chance."""
    chances = np.full((len(GAPS), 1), 0.5)
    for name in sure:
        chances[list(GAPS).index(name)] = 0.0005
    return unequal(chances=chances)


def test_a_gap_beyond_chance_by_another_rate_is_named_in_the_headline():
    # 110 of 500 women and 400 of 1,000 men get the decision.
    said = audit_sentence(only("selection_rate_difference", "base_rate_difference"))
    assert said.endswith(
        "by this measure no group is shown to be worse off. But people with sex Female are "
        "granted less often (selection rate), beyond chance: of 100 people with sex Female, 22 "
        "get the decision good; of 100 with sex Male, 40."
    )
    predictive = audit_sentence(only("positive_predictive_value_difference"))
    assert "But the positive predictive value differs beyond chance: of 100 people" in predictive
    ratio = audit_sentence(only("selection_rate_ratio", "base_rate_difference"))
    assert ratio.endswith(
        "But by sex this is beyond chance: statistical parity ratio, base rate difference."
    )
    assert "But" not in audit_sentence(only())
    assert "But" not in audit_sentence(only("true_positive_rate_difference"))


def test_the_page_begins_with_the_rate_and_the_groups_of_the_clearest_gap():
    assert clearest_look(only()) is None
    assert clearest_look(only("base_rate_difference")) is None
    assert clearest_look(only("accuracy_difference", "false_omission_rate_difference")) == (
        0, ACCURACY,
    )  # fmt: skip
    assert clearest_look(only("positive_predictive_value_difference")) == (0, PPV)
    audit = crossed()
    chances = audit.chances.copy()
    chances[gap_of(TPR)], chances[gap_of(SELECTION)] = [0.5, 0.5, 0.0005], [0.5, 0.0005, 0.0005]
    audit = replace(audit, adjusted=chances)
    # Crossed groups differ by more, and come after single ones all the same.
    assert clearest_look(audit)[0] != 2
    assert clearest_rate(audit, 2) is not None
    # Where both are beyond chance, the one that lies higher above its floor.
    both = only("selection_rate_difference", "true_positive_rate_difference")
    floors = both.floors.copy()
    floors[gap_of(TPR), 0] = [0.1, 0.25]
    assert clearest_look(both) == (0, TPR)
    assert clearest_look(replace(both, floors=floors)) == (0, SELECTION)


def test_a_chance_that_fails_by_correction_alone_is_told_with_both():
    chances = np.full((len(GAPS), 1), 0.5)
    chances[gap_of(TPR)] = 0.03
    said = chance_sentence(unequal(chances=chances))
    assert said.endswith("(p 0.03; after correction for 10 comparisons p 0.3).")
    assert verdict(unequal(chances=chances), gap_of(TPR), 0) == (
        "not beyond chance (corrected p 0.3, limit 0.05)"
    )
    assert "correction" not in chance_sentence(unequal())
    assert "correction" not in chance_sentence(only())


def test_groups_stand_in_their_places_and_few_rows_are_grey():
    figure = render(with_gaps(), "groups")
    sure, few, reasons = figure.data
    np.testing.assert_allclose(sure.x, [80 / 170, 300 / 400])
    assert list(sure.y) == [0, 1]
    assert sure.marker.color == LIGHT.positive
    np.testing.assert_allclose(few.x, [4 / 7])
    assert (list(few.y), few.marker.color, few.marker.symbol) == ([3], LIGHT.others, "circle-open")
    assert list(reasons.y) == [2, 4]
    texts = [text.strip("\N{NO-BREAK SPACE}") for text in reasons.text]
    assert texts == ["not defined: no rows with the favourable outcome", "nobody"]
    assert list(figure.layout.yaxis.ticktext)[:2] == ["Female (500)", "Male (1,000)"]
    audit = with_gaps()
    (line,) = figure.layout.shapes
    assert line.x0 == audit.overall[rate_index(TPR), 0]
    r = rate_index(TPR)
    np.testing.assert_allclose(np.array(sure.x) - sure.error_x.arrayminus, audit.rates[r, :2, 1])


def test_rates_drawn_together_are_another_view_of_the_same_groups():
    audit = with_gaps()
    together = render(audit, "groups", count="drawn together")
    r = rate_index(TPR)
    np.testing.assert_allclose(together.data[0].x, audit.pooled[r, :2, 0])
    assert together.data[1].marker.symbol == "circle-open"


def test_gaps_lie_over_what_chance_brings():
    audit = unequal()
    figure = render(audit, "gaps")
    bands = [trace for trace in figure.data if trace.mode == "lines"]
    assert len(bands) == len(GAPS)
    np.testing.assert_allclose(bands[0].x, [0, audit.floors[0, 0, 1]])
    at = list(GAPS).index("selection_rate_ratio")
    np.testing.assert_allclose(bands[at].x, [0, 1 - audit.floors[at, 0, 1]])
    sure, rest = figure.data[-3:-1]
    assert sure.marker.color == LIGHT.negative
    assert len(sure.x) + len(rest.x) == len(GAPS)
    shown = dict(zip(sure.y, sure.x, strict=True))
    assert shown[at] == pytest.approx(1 - audit.gaps[at, 0, 0])
    assert rest.marker.color == LIGHT.muted  # apart from the grey band that they lie on
    assert sorted(rest.y) == [q for q in range(len(GAPS)) if not beyond_chance(audit, q, 0)]


def test_cells_show_everybody_and_nobody():
    audit = crossed()
    figure = render(audit, "intersections")
    heat, texts = figure.data
    assert np.shape(heat.z) == (3, 2)
    said = dict(zip(zip(texts.y, texts.x, strict=True), texts.text, strict=True))
    assert said[2, 0] == "nobody"
    assert said[2, 1].startswith("few: 62")
    assert np.isnan(heat.z[2]).all()
    assert heat.z[0][0] == pytest.approx(30 / 70)
    assert "intersections" not in views_of(unequal())
    assert "choose a second" in json.dumps(
        render(unequal(), "intersections").to_dict(), default=str
    )


def test_xauc_has_errors_by_hanley_and_mcneil():
    audit = unequal()
    figure = render(audit, "xauc")
    a, ones, others = 0.8, 170, 330  # women on both sides
    spread = (a * (1 - a) + (ones - 1) * (a / (2 - a) - a**2)
              + (others - 1) * (2 * a**2 / (1 + a) - a**2))  # fmt: skip
    half = 1.96 * np.sqrt(spread / (ones * others))
    assert figure.data[1].text[0] == f"0.80<br>± {half:.2f}"
    assert "No group has 20 rows" in str(render(
        audit_of({"a": ((9, 9), (3, 3)), "b": ((9, 9), (3, 3))}), "xauc"
    ).layout.annotations[0].text.replace("<br>", " "))  # fmt: skip


def test_curves_pass_through_the_decisions():
    audit = unequal()
    figure = render(audit, "roc")
    curve, point = figure.data[:2]
    at = nearest(audit, 0.5)
    np.testing.assert_allclose([curve.x[at], curve.y[at]], [point.x[0], point.y[0]])
    np.testing.assert_allclose(point.y[0], 80 / 170)
    assert curve.name.startswith("Female: 0.50 (0.45 to 0.55)")
    reliable = render(audit, "calibration").data[0]
    low = reliable.y - np.array(reliable.error_y.arrayminus)
    assert (low >= 0).all()
    assert (low < reliable.y).all()


def test_thresholds_are_told_from_counts_alone():
    audit = unequal()
    np.testing.assert_allclose(counts_at(audit)[nearest(audit, 0.5)], audit.counts)
    costs = costs_of(audit, 0, 1.0, 5.0)
    by_hand = []
    for t in range(len(audit.thresholds)):
        passed = audit.passed[t]
        missed = (audit.passed[0] - passed)[:, 1]
        by_hand.append(100 * (passed[:, 0] + 5 * missed).sum() / 1500)
    np.testing.assert_allclose(costs.of_all[:, 0], by_hand)
    assert costs.common == int(np.argmin(by_hand))
    assert costs.apart <= by_hand[costs.common] + 1e-9
    assert costs.common < nearest(audit, 0.5)  # a dear refusal asks for a lower threshold
    # 30 and 100 wrong yes, 90 and 100 wrong no.
    said = threshold_sentence(audit, 0, 0.5, 1.0, 5.0)
    assert said.startswith(f"At threshold 0.5 mistakes cost {100 * (130 + 5 * 190) / 1500:.3g} ±")
    figure = render(audit, "thresholds", threshold=0.3, cost_false_negative=5.0)
    assert {shape.x0 for shape in figure.layout.shapes} == {0.3, audit.thresholds[costs.common]}


@pytest.mark.parametrize(("yes", "no"), [(-1.0, 1.0), (0.0, 0.0)])
def test_costs_that_make_no_sense_are_refused(yes, no):
    with pytest.raises(InvalidInputError, match="costs of 0 or more, one of them above 0"):
        render(unequal(), "thresholds", cost_false_positive=yes, cost_false_negative=no)


def test_what_is_not_there_is_refused_by_name():
    with pytest.raises(InvalidInputError, match="no partition 'age'; choose one of sex"):
        render(unequal(), "groups", partition="age")
    with pytest.raises(InvalidInputError, match="no rate 'luck'; choose one of base_rate"):
        render(unequal(), "groups", rate="luck")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("make", [unequal, alike, with_gaps, crossed])
def test_draws_in_both_themes(make, dark):
    audit = make()
    for view in views_of(audit):
        assert render(audit, view, dark=dark).to_json()


def test_every_choice_that_is_offered_can_be_drawn():
    audit = crossed()
    for view in ALL:
        for name, choices in options_of(audit, view).items():
            for choice in choices:
                assert render(audit, view, **{name: choice}).layout.height


def test_sixty_cells_are_drawn_and_empty_ones_too():
    audit = many_cells()
    finest = len(audit.partitions) - 1
    assert len(audit.groups_of(finest)) == 60
    figures = [render(audit, view, partition=finest) for view in ("intersections", "groups")]
    empty = int((audit.sizes[audit.groups_of(finest)] == 0).sum())
    assert empty > 3
    assert sum(text == "nobody" for text in figures[0].data[1].text) == empty
    assert sum("nobody" in text for text in figures[1].data[2].text) == empty


def test_an_audit_without_scores_has_no_curves():
    audit = unequal()
    bare = replace(audit, thresholds=audit.thresholds[:0], passed=audit.passed[:0])
    assert views_of(bare) == ("groups", "gaps")


def test_names_are_shown_as_they_are():
    audit = audit_of(
        {(HOSTILE_BOLD, "x"): ((300, 30), (90, 80)), ("b", "x"): ((500, 100), (100, 300)),
         ("b", "y"): ((500, 100), (100, 300))},
        (HOSTILE_BOLD, "other"), favourable=HOSTILE_BOLD,
    )  # fmt: skip
    for view in views_of(audit):
        assert HOSTILE_BOLD not in render(audit, view).to_json().replace("\\u003c", "<"), view


def test_a_large_group_that_is_surely_worse_off_is_found_beside_tiny_ones():
    cells = {
        "White": ((4000, 200), (200, 1100)), "Black": ((540, 20), (20, 46)),
        "Islander": ((30, 1), (1, 30)), "Other": ((45, 3), (2, 10)),
    }  # fmt: skip
    audit = audit_of(cells)
    found = apart(audit, "selection_rate", 0)
    assert audit.group_names[found[0][0]] == "Black"
    black, white = (np.array(cells[name]) for name in ("Black", "White"))
    ours, theirs = (c[:, 1].sum() / c.sum() for c in (black, white))
    pooled = (black[:, 1].sum() + white[:, 1].sum()) / (black.sum() + white.sum())
    error = np.sqrt(pooled * (1 - pooled) * (1 / black.sum() + 1 / white.sum()))
    score = 2 * stats.norm.sf(abs(ours - theirs) / error)
    assert found[0][1] < 0.01
    assert score < 0.01
    alike = audit_of({"White": ((400, 100), (100, 400)), "Black": ((80, 20), (20, 80))})
    assert apart(alike, "selection_rate", 0) == []


def test_groups_that_differ_from_the_largest_are_named_with_their_rates():
    cells = {
        "White": ((4000, 200), (200, 1100)), "Black": ((540, 20), (20, 46)),
        "Islander": ((30, 5), (1, 30)),
    }  # fmt: skip
    said = each_sentence(audit_of(cells, attributes=("race",)), 0, SELECTION)
    assert said.startswith("Each group against the largest, people with race White (24 of 100): ")
    assert "11 with race Black" in said
    assert each_sentence(audit_of({"f": ((9, 1), (1, 9)), "m": ((9, 1), (1, 9))}), 0, TPR) == ""
