"""Sets of equally good models: how much they disagree, and about whom."""

from workbench.core.method import METHODS
from workbench.engines.rashomon import churn, mitigation
from workbench.engines.rashomon.realised import realised

__all__ = ["METHODS", "churn", "mitigation", "realised"]
