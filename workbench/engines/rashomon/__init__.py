"""Sets of equally good models: how much they disagree, and about whom."""

from workbench.engines.rashomon import (  # noqa: F401 - importing registers
    attributions,
    churn,
    fairness_front,
    interactions,
    mitigation,
    profiles,
    retrain,  # which imports set, so that no name hides a built-in one here
    simpler,
)
