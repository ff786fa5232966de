"""Figures and sentences of detectors side by side say what the numbers say."""

import numpy as np
import pytest

from tests.detectors import some_detectors
from workbench.checks import run_checks
from workbench.core.errors import InvalidInputError
from workbench.plots import options_of, render
from workbench.plots.detectors import agreement, cost, detectors_sentence, ranks
from workbench.report.detectors import detectors_section

EVEN = np.full((4, 6), 0.1)


def cells(figure):
    return {(int(a.x), int(a.y)): a.text for a in figure.layout.annotations if a.text != ""}


def test_ranks_stand_in_the_order_of_their_mean():
    found = some_detectors()
    figure = ranks(found)
    written = cells(figure)
    order = found.order()
    for y, pair in enumerate(order):
        assert figure.layout.yaxis.ticktext[y] == found.pair_names[pair].replace(" and ", "<br>")
        for x in range(4):
            rank, strength = found.ranks()[x, pair], found.strengths[x, pair, 0]
            expected = "\N{EN DASH}" if np.isnan(rank) else "·" if strength == 0 else str(int(rank))
            if (x, y) != (1, 1):  # where the note stands, in other units
                assert written[x, y] == expected
    np.testing.assert_allclose(figure.data[0].z, np.nan_to_num(found.relative()[:, order].T))
    told = figure.data[0].hovertext[0][0]
    assert "4 ± 0.784 EUR²" in told
    assert "with sign \N{MINUS SIGN}4.0000" in told
    assert "not known" in figure.data[0].hovertext[list(order).index(1)][3]
    assert len(ranks(found, max_pairs=2).layout.yaxis.ticktext) == 2


def test_agreement_shows_either_measure():
    found = some_detectors()
    np.testing.assert_allclose(agreement(found).data[0].z, np.nan_to_num(found.correlations()))
    top = agreement(found, measure="top")
    np.testing.assert_allclose(top.data[0].z, np.nan_to_num(found.overlaps(5)))
    assert options_of(found, "agreement") == {"measure": ["ranks", "top"]}
    assert render(found, "agreement", measure="top").data[0].z is not None


def test_costs_are_written_out():
    found = some_detectors()
    figure = cost(found)
    assert list(figure.data[0].x) == [0.1, 0.5, 2.0, 0.03]
    assert list(figure.data[1].text) == [
        "1,000 rows", "9,000 rows", "50 rows, 12,000 back", "700 back",
    ]  # fmt: skip


def test_the_sentence_says_who_names_what():
    first = "x0 and c1"
    assert detectors_sentence(some_detectors()) == f"All 4 detectors name {first} first."
    silent = some_detectors([[0.0] * 6, [2, 1, 0, 0, 0, 0], [3, 1, 0, 0, 0, 0]])
    assert detectors_sentence(silent) == (
        f"All 2 detectors name {first} first. Nothing is found by mixed difference."
    )
    strengths = EVEN.copy()
    strengths[[0, 1, 2, 3], [0, 0, 1, 1]] = 1
    assert detectors_sentence(some_detectors(strengths)) == (
        f"They disagree: 2 of 4 name {first} first; integrated Hessians and cross-Hessian name "
        "x0 and x2."
    )
    strengths = EVEN + np.eye(4, 6)
    assert detectors_sentence(some_detectors(strengths)) == (
        "They disagree: each of 4 names another pair first."
    )
    alone = some_detectors([[2.0, 1, 0, 0, 0, 0]])
    assert detectors_sentence(alone) == f"mixed difference names {first} first."
    assert detectors_sentence(some_detectors(np.zeros((4, 6)))).startswith("No detector finds")


def test_checks_say_how_many_agree():
    outcomes = {found.code: found for found in run_checks(some_detectors())}
    assert outcomes["WB038"].evidence == {"share": 1.0, "detectors": 4.0, "worst_rank": 1.0}
    nothing = {found.code: found for found in run_checks(some_detectors(np.zeros((4, 6))))}
    assert nothing["WB038"].status == "not_applicable"
    strengths = EVEN.copy()
    strengths[[0, 1, 2, 3], [0, 0, 1, 2]] = 1
    half = {found.code: found for found in run_checks(some_detectors(strengths))}["WB038"]
    assert half.status == "warning"
    assert "2 name x0 and c1, which another one has in place 2" in half.sentence
    missed = {found.code: found for found in run_checks(some_detectors(missed=0.5))}["WB039"]
    assert (missed.status, missed.evidence["off"]) == ("warning", 0.5)
    assert "more nodes" in missed.sentence
    plain = {found.code: found for found in run_checks(some_detectors(smoothing=None, missed=None))}
    assert plain["WB039"].status == "not_applicable"


def test_a_report_lists_firsts_ranks_and_who_is_absent():
    section = detectors_section(some_detectors(), "result-1")
    firsts, absent = section.tables
    assert firsts.rows[0][:5] == ("mixed difference", "global", "x0 and c1", "4", "EUR²")
    assert absent.rows == (("shapley", "it may take too long"),)
    assert section.values.rows[0][0] == "x0 and c1"
    assert len(section.pictures) == 3
    assert len(detectors_section(some_detectors(left_out=()), "result-1").tables) == 1


def test_bad_input_is_refused_in_words():
    with pytest.raises(InvalidInputError, match="at least 1 pair, got 0"):
        ranks(some_detectors(), max_pairs=0)
    with pytest.raises(InvalidInputError, match="no measure 'x' of agreement"):
        agreement(some_detectors(), measure="x")
