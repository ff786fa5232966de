"""Coded sanity checks on results."""

from workbench.checks.record import Check, Finding, Outcome
from workbench.checks.registry import CHECKS, run_checks

__all__ = ["CHECKS", "Check", "Finding", "Outcome", "run_checks"]
