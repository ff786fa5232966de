"""Who is worse off under a model, how sure that is, why, and what helps."""

from workbench.core.method import METHODS
from workbench.engines.fairness.causes import gap_causes

__all__ = ["METHODS", "gap_causes"]
