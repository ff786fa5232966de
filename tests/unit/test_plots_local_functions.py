"""Coefficients of local functions as bars and words."""

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.attributions import build, example, hostile
from tests.faithfulness import (
    local_functions_of,
    one_local_function,
    several_local_functions,
)
from workbench.core.errors import InvalidInputError
from workbench.plots import render, views_of
from workbench.plots.local_functions import local_function_sentence

PAIRS = {"pairs": ((0, 2), (1, 3)), "pair_values": (0.1, -0.05)}


def test_bars_are_coefficients_and_pairs_largest_first():
    result = one_local_function(**PAIRS)
    assert views_of(result) == ("coefficients",)
    figure = render(result, "coefficients")
    bars = figure.data[0]
    np.testing.assert_allclose(bars.x, [0.262, -0.178, 0.1, 0.09, -0.05, 0.012])
    np.testing.assert_allclose(bars.error_x.array, stats.norm.ppf(0.975) * 0.01)
    assert list(figure.layout.yaxis.ticktext) == [
        "marital_status<br>= Married-civ-spouse", "education_num",
        "age \N{MULTIPLICATION SIGN} education_num", "age",
        "marital_status<br>\N{MULTIPLICATION SIGN} hours_per_week", "hours_per_week",
    ]  # fmt: skip
    assert "education_num: one standard deviation more" in bars.hovertext[1]
    assert "both together, beyond each alone" in bars.hovertext[2]
    title = figure.layout.xaxis.title.text.replace("<br>", " ")
    assert title.startswith("probability of &gt;50K coefficients, row 7")
    assert "misses 20 % of the variance" in title


def test_numbers_that_are_not_moved_stand_with_their_value():
    figure = render(one_local_function(operator="mask"), "coefficients")
    assert figure.layout.yaxis.ticktext[1] == "education_num = 9"


def test_features_left_out_are_counted():
    figure = render(one_local_function(**PAIRS), "coefficients", max_features=2)
    assert figure.layout.annotations[0].text == "4 more coefficients, each at most 0.1"
    other = render(several_local_functions(), "coefficients", row=3, output="<=50K")
    found = several_local_functions().coefficients[3, :, 0]
    np.testing.assert_allclose(sorted(other.data[0].x), sorted(found))


def test_a_logistic_function_speaks_in_log_odds():
    result = one_local_function(function="logistic")
    assert render(result, "coefficients").layout.xaxis.title.text.startswith("log-odds of &gt;50K")
    assert "for log-odds of >50K" in local_function_sentence(result)


def test_says_what_is_wrong_and_what_there_is_not():
    result = one_local_function()
    with pytest.raises(InvalidInputError, match="There is no row 1 in this result"):
        render(result, "coefficients", row=1)
    with pytest.raises(InvalidInputError, match="needs at least 1 feature"):
        render(result, "coefficients", max_features=0)
    nothing = replace(result, selected=np.zeros_like(result.selected))
    assert "has no feature" in render(nothing, "coefficients").layout.annotations[0].text
    none = render(result[[]], "coefficients").layout.annotations[0].text
    assert none.startswith("No rows to show")


@pytest.mark.parametrize("dark", [False, True])
def test_hostile_names_are_text_not_markup(dark):
    result = local_functions_of(hostile(), pairs=((0, 2),), pair_values=(0.2,))
    figure = render(result, "coefficients", dark=dark)
    texts = [*figure.layout.yaxis.ticktext, *figure.data[0].hovertext,
             figure.layout.xaxis.title.text]  # fmt: skip
    tags = {tag for text in texts for tag in re.findall(r"<[^>]*>", text)}
    assert tags <= {"<b>", "</b>", "<br>"}
    assert "$" not in " ".join(texts)


def test_sentences():
    assert local_function_sentence(one_local_function(**PAIRS)) == (
        "Near row 7, for probability of >50K, marital_status = Married-civ-spouse and age "
        "\N{MULTIPLICATION SIGN} education_num raise it most; education_num and marital_status "
        "\N{MULTIPLICATION SIGN} hours_per_week lower it. The pairwise function misses "
        "20 % of the variance over samples that it has not seen."
    )
    noisy = local_function_sentence(one_local_function(errors=1.0))
    assert "no feature moves probability of >50K by more than its uncertainty. The" in noisy
    poor = local_function_sentence(one_local_function(missed=0.7))
    assert poor.endswith(
        "misses 70 % of the variance over samples that it has not seen, so it is no adequate "
        "picture of the model there; look at a smaller scale."
    )
    several = local_function_sentence(several_local_functions(missed=0.7))
    assert several.startswith("Near 12 rows, probability of >50K depends most on age (0.0")
    assert several.endswith("For 12 rows it misses more than 50 %.")
    still = local_functions_of(build(np.zeros((2, 3))))
    assert "Near 2 rows, no feature moves" in local_function_sentence(still)
    assert local_function_sentence(still[[]]) == "There are no rows to explain."
    still = local_function_sentence(replace(one_local_function(), total=np.zeros((1, 2))))
    assert still == "Near row 7, probability of >50K does not change: there is nothing to explain."
    number = local_functions_of(example("regression", n=1, sampled=False))
    assert "for income in USD" in local_function_sentence(number)
