"""Shapley values by regression on paired coalitions, drawn in proportion to the Shapley kernel."""

from functools import partial

from workbench.core.method import METHODS, Method
from workbench.core.results import Attribution
from workbench.engines.shapley.params import sampled_efforts
from workbench.engines.shapley.regression import (
    RegressionParams,
    explain_by_regression,
    regression_cost,
)

NAME = "shapley.kernel"

METHODS.register(
    NAME,
    Method(
        title="Shapley values, paired kernel regression",
        question="Which features made this prediction?",
        explain=partial(explain_by_regression, NAME, "kernel"),
        params=RegressionParams,
        yields=Attribution,
        needs=frozenset(),
        efforts=sampled_efforts,
        cost=partial(regression_cost, "kernel"),
        reference="Lundberg and Lee (2017); Covert and Lee (2021)",
        weakness="Approximate; with marginal values it asks the model about rows that cannot occur "
        "when features depend on each other.",
    ),
)
