"""Parameter models: all faults at once, each with its name and what came."""

import pytest
from pydantic import Field, ValidationError, field_validator, model_validator

from workbench.core.errors import InvalidInputError
from workbench.core.params import Params, parse_params


class Example(Params):
    """Settings of no method."""

    budget: int = Field(1024, ge=1, description="Coalitions per row.")
    link: str = Field("identity", pattern="^(identity|logit)$", description="Scale.")

    low: int = Field(0, description="Smallest.")

    @model_validator(mode="after")
    def _is_in_order(self):
        if self.low > self.budget:
            raise ValueError("low must not be above budget")
        return self

    @field_validator("budget")
    @classmethod
    def _is_even(cls, budget):
        if budget % 2:
            raise ValueError("Budget must be even")
        return budget


def test_defaults_and_values_pass():
    assert parse_params(Example, {}) == Example()
    assert parse_params(Example, {"budget": 2, "link": "logit"}) == Example(budget=2, link="logit")


def test_settings_do_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        Example().budget = 3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"budget": 0},
            "budget: input should be greater than or equal to 1, got 0",
        ),
        ({"budget": 3}, "budget: budget must be even, got 3"),
        ({"colour": 1}, "colour is not a setting, choose among budget, link, low"),
        ({"budget": 2, "low": 3}, "low must not be above budget"),
        ({"link": "<b>"}, "link: string should match pattern '^(identity|logit)$', got '<b>'"),
    ],
)
def test_says_what_is_wrong(values, message):
    with pytest.raises(InvalidInputError) as fault:
        parse_params(Example, values)
    assert str(fault.value) == f"Settings do not fit: {message}."


def test_says_everything_that_is_wrong():
    with pytest.raises(InvalidInputError) as fault:
        parse_params(Example, {"budget": "many", "link": 3, "colour": 1})
    assert str(fault.value) == (
        "Settings do not fit: "
        "budget: input should be a valid integer, unable to parse string as an integer, "
        "got 'many'; link: input should be a valid string, got 3; "
        "colour is not a setting, choose among budget, link, low."
    )
