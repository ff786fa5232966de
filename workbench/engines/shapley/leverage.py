"""Shapley values by regression on paired coalitions, as many of each size."""

from functools import partial

from workbench.core.method import METHODS, Method
from workbench.core.results import Attribution
from workbench.engines.shapley.params import sampled_efforts
from workbench.engines.shapley.regression import (
    RegressionParams,
    explain_by_regression,
    regression_cost,
)

NAME = "shapley.leverage"

METHODS.register(
    NAME,
    Method(
        title="Shapley values, leverage-score regression",
        question="Which features made this prediction?",
        explain=partial(explain_by_regression, NAME, "even"),
        params=RegressionParams,
        yields=Attribution,
        needs=frozenset(),
        efforts=sampled_efforts,
        cost=partial(regression_cost, "even"),
        reference="Musco and Witter (2025); Lundberg and Lee (2017)",
        weakness="Approximate; with marginal values it asks the model about rows that cannot occur "
        "when features depend on each other.",
    ),
)
