"""Who is worse off under a model, how sure that is, why, and what helps."""

from workbench.core.method import METHODS
from workbench.engines.fairness.audit import audit
from workbench.engines.fairness.errors import error_audit
from workbench.engines.fairness.given import Given, audit_given

__all__ = ["METHODS", "Given", "audit", "audit_given", "error_audit"]
from workbench.engines.fairness.flipping import flips

__all__ = ["METHODS", "flips"]
from workbench.engines.fairness.causes import gap_causes

__all__ = ["METHODS", "gap_causes"]
