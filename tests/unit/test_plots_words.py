"""Sentences about attributions whose numbers are known."""

import numpy as np
import pytest

from tests.attributions import build, example
from workbench.core.errors import InvalidInputError
from workbench.plots.words import (
    amount,
    decimals_for,
    number,
    overall_sentence,
    quantity,
    sentence,
    signed,
)

VALUES = [[0.09, 0.262, 0.178, -0.095, -0.006]]
ROW = [[47, 1, 15, 20, 0]]


def test_names_what_raises_and_what_lowers():
    said = sentence(build(VALUES, data=ROW, base=0.24), 0)
    assert said == (
        "Row 7: >50K is predicted with probability 0.669. marital_status = Married-civ-spouse and "
        "education_num = 15 raise it most; hours_per_week = 20 lowers it."
    )


def test_speaks_of_the_output_that_is_asked_for():
    said = sentence(build(VALUES, data=ROW), 0, "<=50K")
    assert said.startswith("Row 7: <=50K is predicted with probability 0.331. marital_status")
    assert "lower it most; hours_per_week = 20 raises it." in said


def test_leaves_out_what_sampling_cannot_settle():
    errors = np.full((1, 5, 2), 0.01)
    errors[0, [1, 3]] = 0.2  # 95 % intervals of these two include 0
    said = sentence(build(VALUES, data=ROW, std_errors=errors), 0)
    assert "marital_status" not in said
    assert "hours_per_week" not in said
    assert said.endswith("education_num = 15 and age = 47 years raise it most.")


@pytest.mark.parametrize(
    ("errors", "end"),
    [
        (None, "No feature moves it."),
        (np.ones((1, 2, 2)), "No feature moves it by more than its uncertainty."),
    ],
)
def test_says_when_nothing_moves_the_prediction(errors, end):
    assert sentence(build([[0.0, 0.0]], std_errors=errors), 0).endswith(end)


def test_rounding_noise_has_no_direction():
    said = sentence(build([[0.3, 1e-17, -1e-17]]), 0)
    assert said.endswith("age = 0 years raises it most.")


@pytest.mark.parametrize(
    ("task", "unit", "expected"),
    [
        ("regression", "USD", "Row 7: income is predicted as 13,270 USD."),
        ("regression", "", "Row 7: income is predicted as 13,270."),
        ("multiclass", "logit", "Row 7: red is predicted with logit 13,270."),
    ],
)
def test_writes_predictions_in_their_unit(task, unit, expected):
    said = sentence(build([[270.0]], base=13000.0, task=task, unit=unit), 0)
    assert said.startswith(expected)


def test_orders_features_over_all_rows():
    rows = build([[0.3, -0.1, 0.02, 0.001], [-0.1, 0.1, 0.04, 0.001]])
    assert overall_sentence(rows) == (
        "Over 2 rows, age moves probability of >50K most (by 0.2 on average), followed by "
        "marital_status (0.1) and education_num (0.03)."
    )


def test_over_all_rows_noise_is_not_named():
    errors = np.zeros((2, 2, 2))
    errors[:, 0] = 1.0
    rows = build([[0.3, 0.1], [0.3, 0.1]], std_errors=errors)
    assert overall_sentence(rows).startswith("Over 2 rows, marital_status moves")
    quiet = build([[0.3]], std_errors=np.ones((1, 1, 2)))
    assert overall_sentence(quiet) == (
        "Over 1 row, no feature moves probability of >50K by more than its uncertainty."
    )
    assert overall_sentence(example(n=1)[[]]) == "There are no rows to explain."


def test_quantity_has_its_unit():
    assert quantity(build([[0.1]]), "<=50K") == "probability of <=50K"
    assert quantity(build([[0.1]], task="regression")) == "income in USD"
    assert quantity(build([[0.1]], task="regression", unit="")) == "income"


def test_a_probability_is_never_rounded_to_certainty():
    result = build([[0.1]])
    shown = [amount(result, p) for p in (0.0, 1e-9, 0.5, 0.99999, 1.0)]
    assert shown == ["0", "less than 0.001", "0.5", "more than 0.999", "1"]


def test_numbers_carry_a_true_minus():
    assert number(-0.5) == "\N{MINUS SIGN}0.5"
    assert signed(-0.0956, 3) == "\N{MINUS SIGN}0.096"
    assert decimals_for(float("nan")) == 2


def test_an_unknown_output_is_refused():
    with pytest.raises(InvalidInputError, match="no output 'x'; choose one of <=50K, >50K"):
        sentence(build([[0.1]]), 0, "x")
