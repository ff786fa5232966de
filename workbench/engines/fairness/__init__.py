"""Who is worse off under a model, how sure that is, why, and what helps."""

from workbench.core.method import METHODS
from workbench.engines.fairness.remedies import remedies

__all__ = ["METHODS", "remedies"]
