"""Remedies drawn and in words, against the numbers that they are made of."""

import re
from dataclasses import replace

import numpy as np
import pytest

from tests.attributions import HOSTILE_BOLD, HOSTILE_SCRIPT
from tests.remedies import LEVELS, harmless, nothing_helps, remedies_of, some_remedies
from workbench.core.errors import InvalidInputError
from workbench.core.fairness_metrics import GAPS, RATES, SELECTION, TPR
from workbench.core.remedy_reading import (
    by_truth,
    decides_by_group,
    focus,
    gaps_that,
    most_helpful,
    moved,
    tried,
)
from workbench.plots import RENDERERS, options_of, render, views_of
from workbench.plots.remedies_iterations import Iteration, iterations, iterations_sentence
from workbench.plots.remedies_words import (
    cautions,
    gap_told,
    gaps_sentence,
    guarantee_sentence,
    multiplicity_sentence,
    remedies_sentence,
    remedy_sentence,
    verdict,
    who_sentence,
)
from workbench.plots.theme import LIGHT

RESULT = some_remedies()
MINUS = "\N{MINUS SIGN}"
PARITY = list(GAPS).index("selection_rate_difference")
LONE = remedies_of(
    RESULT.decisions[:1], RESULT.scores[:1], RESULT.truth, RESULT.group, ("as_is",)
)  # fmt: skip


def texts(figure):
    """Every string of a figure that plotly renders as markup."""
    found = [a.text for a in figure.layout.annotations]
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        found += [axis.title.text or "", *(axis.ticktext or ())]
    for trace in figure.data:
        found.append(trace.name or "")
        for part in (trace.text, trace.hovertext):
            if part is not None:
                found += [str(cell) for cell in np.ravel(np.array(part, dtype=object))]
    return [str(text) for text in found]


def test_an_arrow_leads_from_the_model_as_it_is_to_each_remedy():
    figure = render(RESULT, "board")
    *remedies, star = figure.data
    assert (star.x[0], star.y[0]) == (RESULT.gaps[0, PARITY, 0], RESULT.accuracy[0, 0])
    arrows = [a for a in figure.layout.annotations if a.showarrow]
    for r, (point, arrow) in enumerate(zip(remedies, arrows, strict=True), 1):
        assert (point.x[0], point.y[0]) == (RESULT.gaps[r, PARITY, 0], RESULT.accuracy[r, 0])
        assert (arrow.ax, arrow.ay) == (star.x[0], star.y[0])
        assert (arrow.x, arrow.y) == (point.x[0], point.y[0])
        low, high = star.y[0] + RESULT.accuracy_changes[r, 1:]
        np.testing.assert_allclose(point.error_y.array, high - point.y[0])
        np.testing.assert_allclose(point.error_y.arrayminus, point.y[0] - low)
        far = star.x[0] + RESULT.gap_changes[r, PARITY, 2]
        np.testing.assert_allclose(point.error_x.array, far - point.x[0])
        assert point.x[0] - point.error_x.arrayminus[0] >= -1e-12, "no gap is less than none"
    assert len({point.marker.symbol for point in remedies}) == 2, "a mark for each stage"


def test_the_board_shows_any_gap_and_names_the_better_side():
    ratio = render(RESULT, "board", gap="selection_rate_ratio")
    assert "better: right" in ratio.layout.xaxis.title.text.replace("<br>", " ")
    assert "better: left" in render(RESULT, "board").layout.xaxis.title.text
    with pytest.raises(InvalidInputError, match="There is no gap 'x'; choose one of"):
        render(RESULT, "board", gap="x")


def test_cells_are_blue_where_less_and_vermilion_where_more_beyond_chance():
    figure = render(RESULT, "conflicts")
    (cells,) = figure.data
    gaps = [gap for gap in GAPS if gap != "base_rate_difference"]
    inks = {"lessened": 2, "open": 1, "worsened": 0, "undefined": 1}
    for y, gap in enumerate(gaps):
        for x in range(3):
            assert cells.z[y][x] == inks[moved(RESULT, x + 1, gap)]
    first = next(a.text for a in figure.layout.annotations)
    value, low, high = RESULT.gap_changes[1, PARITY]
    told = [f"{100 * one:+.1f}".replace("-", MINUS) for one in (value, low, high)]
    assert first == f"<b>{told[0]}</b><br>{told[1]} to<br>{told[2]}"


def test_a_gap_that_a_remedy_widens_is_told_from_one_that_it_lessens():
    backwards = remedies_of(
        RESULT.decisions[[1, 0]], RESULT.scores[[1, 0]], RESULT.truth, RESULT.group,
        ("as_is", "reweighing"),
    )  # fmt: skip
    assert moved(RESULT, 1, "selection_rate_difference") == "lessened"
    assert moved(RESULT, 1, "selection_rate_ratio") == "lessened", "of a ratio, where it rises"
    assert moved(backwards, 1, "selection_rate_difference") == "worsened"
    assert moved(backwards, 1, "selection_rate_ratio") == "worsened"
    assert most_helpful(backwards) is None
    assert "Other gaps grow beyond chance" in " ".join(cautions(backwards, 1))
    assert verdict(backwards, 1).startswith("makes the gap larger")
    colours = [t.marker.color for t in render(backwards, "gaps").data if t.mode == "markers"]
    assert LIGHT.negative in colours
    assert LIGHT.positive not in colours


def test_groups_are_drawn_before_and_after():
    figure = render(RESULT, "groups", remedy="group_thresholds", rate=TPR)
    v = list(RATES).index(TPR)
    rings = [t.x[0] for t in figure.data if t.marker.symbol == "circle-open"]
    dots = [t for t in figure.data if t.mode == "markers" and t.marker.symbol is None]
    np.testing.assert_allclose(rings, RESULT.rates[0, v, :, 0])
    np.testing.assert_allclose([d.x[0] for d in dots], RESULT.rates[3, v, :, 0])
    high = RESULT.rates[0, v, 0, 0] + RESULT.rate_changes[3, v, 0, 2]
    np.testing.assert_allclose(dots[0].error_x.array, high - dots[0].x[0])
    assert dots[0].marker.color == LIGHT.positive
    assert dots[1].marker.color == LIGHT.negative
    assert figure.layout.yaxis.ticktext[0] == "Female (200)"


def test_a_group_without_anybody_to_count_says_so():
    truth = RESULT.truth * (RESULT.group == 1)
    lacking = remedies_of(
        RESULT.decisions, RESULT.scores, truth, RESULT.group, RESULT.names,
        gap="true_positive_rate_difference",
    )  # fmt: skip
    said = " ".join(texts(render(lacking, "groups", rate=TPR))).replace("<br>", " ")
    assert "not defined: no rows with the favourable outcome" in said
    assert moved(lacking, 1, "true_positive_rate_difference") == "undefined"
    assert "not defined" in " ".join(texts(render(lacking, "board"))).replace("<br>", " ")
    assert "not defined" in " ".join(texts(render(lacking, "gaps"))).replace("<br>", " ")
    assert verdict(lacking, 1).startswith("not defined")


def test_who_gains_and_who_loses_is_counted_by_group_and_truth():
    found = by_truth(RESULT, 1)
    before, after = RESULT.decisions[[0, 1]]
    for g in (0, 1):
        for truth in (0, 1):
            cell = (RESULT.group == g) & (RESULT.truth == truth)
            assert found.people[g, truth] == cell.sum()
            gained = ((before == 0) & (after == 1) & cell).sum()
            lost = ((before == 1) & (after == 0) & cell).sum()
            assert found.gained[g, truth] * cell.sum() == pytest.approx(gained)
            assert found.lost[g, truth] * cell.sum() == pytest.approx(lost)
            assert found.net[g, truth, 0] == pytest.approx((gained - lost) / cell.sum())
    figure = render(RESULT, "who", remedy="reweighing")
    right, left, *dots = figure.data
    order = [(0, 1), (0, 0), (1, 1), (1, 0)]
    np.testing.assert_allclose(right.x, [found.gained[c] for c in order])
    np.testing.assert_allclose(left.x, [-found.lost[c] for c in order])
    np.testing.assert_allclose([d.x[0] for d in dots], [found.net[c][0] for c in order])


def test_lots_are_counted_as_what_is_expected():
    found = by_truth(RESULT, "threshold_optimizer")
    p = RESULT.decisions[2]
    cell = (RESULT.group == 0) & (RESULT.truth == 1)
    assert found.gained[0, 1] == pytest.approx((p * (RESULT.decisions[0] == 0))[cell].mean())
    assert "expected numbers, as a lot is drawn" in who_sentence(RESULT, "threshold_optimizer")
    assert "drawn by lot" in " ".join(cautions(RESULT, "threshold_optimizer"))
    assert not any("by lot" in text for text in cautions(RESULT, "reweighing"))


def test_multiplicity_has_a_dot_for_each_and_a_reason_where_it_was_not_measured():
    values = RESULT.multiplicity.copy()
    values[3] = np.nan
    remarks = ("", "", "", "nobody trained <b>it</b>")
    result = replace(RESULT, multiplicity=values, multiplicity_remarks=remarks)
    figure = render(result, "multiplicity")
    np.testing.assert_allclose(figure.data[0].x, values[:3, 0])
    assert list(figure.data[0].marker.color) == [LIGHT.others, LIGHT.negative, LIGHT.others]
    assert any("nobody trained &lt;b&gt;it&lt;/b&gt;" in text for text in texts(figure))
    assert "multiplicity" not in views_of(replace(RESULT, multiplicity=np.full((4, 3), np.nan)))


def test_the_search_marks_what_was_chosen_on_validation_rows():
    result = some_remedies(searched=True)
    others, front, chosen, _ = render(result, "trials").data
    assert len(others.x) + len(front.x) + len(chosen.x) == 6
    np.testing.assert_allclose(chosen.x, result.trial_test[2, 1, 0])
    np.testing.assert_allclose(chosen.y, result.trial_test[2, 0, 0])
    assert "trials" not in views_of(RESULT)


def test_steps_are_compared_with_their_intervals():
    other = some_remedies(seed=1)
    steps = [Iteration(RESULT, "reweighing"), Iteration(other, "group_thresholds")]
    gap, right = iterations(steps, gap=RESULT.gap).data
    np.testing.assert_allclose(
        gap.y, [RESULT.gaps[0, PARITY, 0], RESULT.gaps[1, PARITY, 0], other.gaps[3, PARITY, 0]]
    )
    np.testing.assert_allclose(
        right.y, [RESULT.accuracy[0, 0], RESULT.accuracy[1, 0], other.accuracy[3, 0]]
    )
    np.testing.assert_allclose(
        right.error_y.array[2],
        other.accuracy[0, 0] + other.accuracy_changes[3, 2] - other.accuracy[3, 0],
    )
    assert gap.error_y.array[0] == right.error_y.array[0] == 0
    best = 1 + int(np.argmin(np.array(gap.y)[1:]))
    assert f"Of 2 steps, step {best} (" in iterations_sentence(steps, gap=RESULT.gap)
    assert "Nothing was tried yet." in texts(iterations([], gap=RESULT.gap))


def test_the_answer_says_what_helps_most_and_its_price():
    r = most_helpful(RESULT)
    assert r == int(np.argmin(RESULT.gaps[1:, PARITY, 0])) + 1
    said = remedies_sentence(RESULT)
    before, after = 100 * RESULT.gaps[[0, r], PARITY, 0]
    assert said.startswith(f"{RESULT.titles[r]} lessens the statistical parity difference by sex")
    assert f"from {before:.1f} to {after:.1f} points" in said
    assert "Male is worse off in some way" in said
    assert "None" not in said
    none = remedies_sentence(nothing_helps())
    assert none.startswith("The remedy tried does not lessen the statistical parity difference")
    assert "beyond what chance brings with 600 test rows" in none
    assert "worse off" not in remedies_sentence(harmless())
    assert remedies_sentence(LONE).startswith("No remedy was tried yet")


def test_a_remedy_is_told_by_people_decisions_and_accuracy():
    said = remedy_sentence(RESULT, "reweighing")
    v = list(RATES).index(SELECTION)
    was, now = (f"{100 * RESULT.rates[r, v, 0, 0]:.0f}" for r in (0, 1))
    assert f"of 100 people of sex Female, {now} get the decision good instead of {was}" in said
    changed = (RESULT.decisions[0] != RESULT.decisions[1]).mean()
    assert f"{100 * changed:.0f} in 100 decisions change" in said
    value, low, high = (
        f"{100 * one:+.1f}".replace("-", MINUS) for one in RESULT.accuracy_changes[1]
    )
    assert f"accuracy rises by {value[1:]} points ({low} to {high})" in said
    kept = replace(RESULT, gap="true_positive_rate_difference")
    assert "of 100 people whose outcome is good of sex Female" in remedy_sentence(kept, 1)
    unsure = RESULT.accuracy_changes.copy()
    unsure[1] = -0.004, -0.009, 0.001
    assert remedy_sentence(replace(RESULT, accuracy_changes=unsure), 1).endswith(
        f"accuracy falls by 0.4 points ({MINUS}0.9 to +0.1, which may be chance)."
    )


def test_groups_and_gaps_that_pay_are_named():
    against = " ".join(cautions(RESULT, "reweighing"))
    assert "People of sex Male get the decision good more rarely" in against
    assert "disagree about 5.0 in 100 people more than before" in against
    assert cautions(RESULT, "as_is") == ()
    assert cautions(harmless(), 1) == ()
    told = gaps_sentence(harmless(), 1)
    lessened = gaps_that(harmless(), 1, "lessened")
    assert "true_positive_rate_difference" in lessened
    assert "makes none larger beyond chance" in told


def test_who_has_to_know_the_group_is_told_from_a_network_that_reads_it_anyway():
    assert decides_by_group(RESULT, "group_thresholds")
    assert not decides_by_group(RESULT, "reweighing")
    reads = replace(RESULT, needs_attribute=np.ones(4, dtype=bool))
    assert not decides_by_group(reads, "reweighing")
    assert decides_by_group(reads, "group_thresholds")
    assert "as the model as it is does" in " ".join(cautions(reads, "reweighing"))
    assert "may be unlawful" in " ".join(cautions(reads, "group_thresholds"))


def test_promises_are_told_with_what_was_found():
    promised = replace(
        RESULT, guarantees=("", "Groups are granted alike.", "", ""),
        violations=np.array([[np.nan, np.nan], [0.004, 0.02], [np.nan] * 2, [np.nan] * 2]),
    )  # fmt: skip
    said = guarantee_sentence(promised, 1)
    assert said.startswith("Groups are granted alike. Distance found there: 0.004, promised at")
    assert "at most 0.020" in said
    assert guarantee_sentence(promised, 2) == ""


def test_how_far_the_group_can_be_told_is_said_where_it_changes():
    proxy = np.array([[0.99, 0.98, 1.0], [0.83, 0.8, 0.86], [0.99, 0.98, 1.0], [0.99, 0.98, 1.0]])
    changed = replace(RESULT, proxy=proxy, proxy_changes=proxy - proxy[:1])
    assert "area 0.83 (0.80 to 0.86), before 0.99" in " ".join(cautions(changed, 1))
    assert "area" not in " ".join(cautions(changed, 2))


def test_a_control_is_no_remedy():
    result = replace(RESULT, names=("as_is", "retrained", "masking", "group_thresholds"))
    assert tried(result) == [2, 3]
    assert focus(result) in {2, 3}
    assert "of 2" in remedies_sentence(result)


def test_multiplicity_names_what_raises_it():
    assert "raised by reweighing to 15 % (change +5.0, +3.0 to +7.0)" in multiplicity_sentence(
        RESULT
    )
    assert "no remedy raises that beyond chance" in multiplicity_sentence(nothing_helps())
    unknown = np.full((4, 3), np.nan)
    none = replace(RESULT, multiplicity=unknown, multiplicity_changes=unknown,
                   multiplicity_remarks=("refits is 0",) * 4)  # fmt: skip
    assert multiplicity_sentence(none).endswith("was not measured: refits is 0.")


@pytest.mark.parametrize("dark", [False, True])
def test_every_view_draws_with_two_groups_three_groups_and_nothing_tried(dark):
    three = remedies_of(
        RESULT.decisions, RESULT.scores, RESULT.truth, np.arange(600) % 3, RESULT.names
    )
    for result in (RESULT, three, nothing_helps(), LONE, some_remedies(searched=True)):
        for view in RENDERERS[type(result)]:
            assert render(result, view, dark=dark).to_json()
    assert views_of(LONE) == ("board",)


def test_views_offer_what_may_be_chosen_the_most_helpful_first():
    first = RESULT.names[most_helpful(RESULT)]
    assert options_of(RESULT, "gaps")["remedy"][0] == first
    assert options_of(RESULT, "board")["gap"][0] == RESULT.gap
    assert options_of(RESULT, "groups")["rate"][0] == SELECTION
    for view in views_of(RESULT):
        for name, choices in options_of(RESULT, view).items():
            for choice in choices:
                assert render(RESULT, view, **{name: choice})
    with pytest.raises(InvalidInputError, match="Remedy 'masking' was not tried; choose one of"):
        render(RESULT, "gaps", remedy="masking")
    with pytest.raises(InvalidInputError, match="There is no rate 'x'"):
        render(RESULT, "groups", rate="x")


def test_names_are_shown_as_they_are():
    hostile = remedies_of(
        RESULT.decisions, RESULT.scores, RESULT.truth, RESULT.group, RESULT.names,
        levels=(HOSTILE_BOLD, HOSTILE_SCRIPT, LEVELS[2]), favourable=HOSTILE_BOLD,
        unfavourable="$x$", attribute="<i>sex</i>",
        settings=("", HOSTILE_BOLD, HOSTILE_BOLD, HOSTILE_BOLD),
    )  # fmt: skip
    for view in RENDERERS[type(hostile)]:
        shown = texts(render(hostile, view))
        tags = {tag for text in shown for tag in re.findall(r"<[^>]*>", text)}
        assert tags <= {"<b>", "</b>", "<br>"}
        assert not any("$" in text for text in shown)
        assert not any(HOSTILE_BOLD in text for text in shown)


def test_a_gap_is_told_before_and_after():
    told = gap_told(RESULT, 1, "selection_rate_ratio")
    before, after = RESULT.gaps[[0, 1], list(GAPS).index("selection_rate_ratio"), 0]
    assert told.startswith(f"from {before:.2f} to {after:.2f} (change +")
