"""What is believed of a row and of rows like it: four states, each in words, and ways out."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.faithfulness import METHODS, one_explanation, several_explanations
from workbench.core.wording import percent
from workbench.engines.lfa.advisor import advise
from workbench.ui.several import with_methods
from workbench.ui.verdict import (
    answerable,
    is_silent,
    neighbourhood_words,
    smaller,
    verdict,
    verdict_sentence,
)

QUESTION = "few-removed"


def missing(**shares):
    """What methods miss, with some of them changed where a few features are removed."""
    known = {name: list(each) for name, (_, each) in METHODS.items()}
    for name, share in shares.items():
        known[name.replace("_", "-")][1] = share
    return list(known.values())


def both(rows=None, row=None):
    """Rows, and the one that is asked about, with these shares missed."""
    many, one = several_explanations(shares=rows), one_explanation(shares=row)
    return many, replace(one, output_names=many.output_names)


@pytest.fixture
def output():
    return several_explanations().output_names[0]


def test_what_holds_over_rows_and_of_the_row_is_believed(output):
    many, one = both()
    found = verdict(many, QUESTION, output=output, row=one)
    assert found.state == "believe"
    assert found.believed == "lime" == advise(many, QUESTION, output=output).method
    assert found.missed_here == pytest.approx(0.2)
    assert verdict_sentence(found) == (
        "Believe LIME: where a few features are removed, it misses "
        f"{percent(found.advice.missed)} of what the model does over 12 rows, and 20 % of row "
        f"{one.ids[0]}."
    )


def test_an_interval_beyond_what_is_adequate_asks_for_care(output):
    shares = missing(lime=0.47, kernelshap=0.9, smoothgrad=0.9, occlusion=0.9)
    many, one = both(rows=shares)
    missed = many.missed.copy()
    missed[:4] *= 2.5  # a third of the rows is missed altogether
    missed[4:] *= 0.25
    many = replace(many, missed=missed)
    found = verdict(many, QUESTION, output=output, row=one)
    assert found.advice.missed <= 0.5 < found.advice.high
    assert (found.state, found.believed) == ("with_care", "lime")
    assert verdict_sentence(found).startswith("Believe LIME, with care: ")


def test_what_holds_over_rows_may_not_hold_of_this_one(output):
    many, one = both(row=missing(lime=0.8))
    found = verdict(many, QUESTION, output=output, row=one)
    assert (found.state, found.believed) == ("not_here", "")
    said = verdict_sentence(found)
    assert said.startswith(f"Not for row {one.ids[0]}: where a few features are removed, LIME")
    assert "LIME misses 80 % of it, although it misses only" in said
    assert said.endswith("of this row alone KernelSHAP misses 22 %.")


def test_a_row_around_which_the_model_does_not_move_is_not_explained(output):
    many, one = both()
    one = replace(one, total=np.zeros_like(one.total), missed=np.zeros_like(one.missed))
    found = verdict(many, QUESTION, output=output, row=one)
    assert found.state == "not_here"
    assert math.isnan(found.missed_here)
    said = verdict_sentence(found)
    assert said.endswith("the model does not move there, so there is nothing to explain.")


def test_what_is_good_for_the_row_alone_says_so(output):
    poor = missing(lime=0.9, kernelshap=0.8, occlusion=0.9, smoothgrad=0.95, vanilla_gradients=0.95)
    many, one = both(rows=poor)
    found = verdict(many, QUESTION, output=output, row=one)
    assert (found.state, found.believed) == ("only_here", "lime")
    said = verdict_sentence(found)
    assert said.startswith(f"Believe LIME for row {one.ids[0]} alone: ")
    assert "it misses 20 % of it; even the best choice, KernelSHAP, misses" in said


def test_where_nothing_is_adequate_none_is_believed(output):
    poor = missing(lime=0.9, kernelshap=0.8, occlusion=0.9, smoothgrad=0.95, vanilla_gradients=0.95)
    many, one = both(rows=poor, row=poor)
    found = verdict(many, QUESTION, output=output, row=one)
    assert (found.state, found.believed) == ("none", "")
    assert not is_silent(found.advice)
    assert verdict_sentence(found).startswith("Believe none of them: where a few features")
    assert verdict(many, QUESTION, output=output).state == "none"


def test_a_row_alone_is_judged_by_itself(output):
    _, one = both()
    found = verdict(one, QUESTION, output=output)
    assert (found.state, found.n_rows, found.row) == ("believe", 1, int(one.ids[0]))
    assert verdict_sentence(found).endswith(f"of what the model does of row {one.ids[0]}.")


def test_a_budget_that_nothing_fits_says_what_it_takes(output):
    found = verdict(several_explanations(), QUESTION, output=output, budget=1)
    assert found.state == "nothing"
    assert verdict_sentence(found) == "No explanation takes at most 1 pass for a row."


def test_questions_that_can_be_answered_are_those_with_a_verdict_to_believe(output):
    poor = missing(lime=0.9, kernelshap=0.8, occlusion=0.9, smoothgrad=0.95, vanilla_gradients=0.95)
    many, one = both(rows=poor, row=poor)
    assert answerable(many, QUESTION, output=output) == ("moved", "one-removed", "path")
    bad = [list(each) for each in poor]
    for shares in bad:
        shares[3] = 0.9  # on the way from the reference
    worse = replace(one, missed=both(row=bad)[1].missed)
    assert answerable(many, QUESTION, output=output, row=worse) == ("moved", "one-removed")


@pytest.mark.parametrize(
    ("question", "changes", "expected"),
    [
        ("moved", {"scale": 0.25}, ("scale", 0.125)),
        ("few-removed", {"width": 1.0}, ("width", 0.5)),
        ("moved-further", {"scale": 0.25, "wide_scale": 1.0}, ("wide_scale", 0.5)),
        ("moved-further", {"scale": 0.25, "wide_scale": 0.4}, None),
        ("removed", {}, None),
        ("path", {}, None),
    ],
)
def test_a_smaller_neighbourhood_halves_its_setting(question, changes, expected):
    assert smaller(several_explanations(**changes), question) == expected


def test_neighbourhoods_name_their_size():
    result = several_explanations(width=1.0, scale=0.1, share=0.25)
    assert "0.1 standard deviations" in neighbourhood_words(result, "near")
    assert "with probability 26.9 %" in neighbourhood_words(result, "mask-exponential")
    assert "with probability 25 %" in neighbourhood_words(result, "resample")
    tiny = several_explanations(width=1e-3)
    assert neighbourhood_words(tiny, "mask-exponential").endswith("probability less than 0.1 %")


def test_some_methods_of_a_result_keep_their_numbers():
    result = several_explanations()
    some = with_methods(result, ["occlusion", "lime"])
    assert some.methods == ("lime", "occlusion")
    assert some.types == ("contribution", "contribution")
    np.testing.assert_array_equal(
        some.contributions("occlusion").values, result.contributions("occlusion").values
    )
    np.testing.assert_array_equal(some.ratios(0)[:, 1], result.ratios(0)[:, 4])
