"""Every check there is, and how a result is asked all of them."""

from collections.abc import Mapping

from workbench.checks.attribution import ATTRIBUTION_CHECKS
from workbench.checks.attribution_range import ATTRIBUTION_RANGE_CHECKS
from workbench.checks.boundary import BOUNDARY_CHECKS
from workbench.checks.detectors import DETECTOR_CHECKS
from workbench.checks.error_audit import ERROR_CHECKS
from workbench.checks.fairness import FAIRNESS_CHECKS
from workbench.checks.fairness_front import FRONT_CHECKS
from workbench.checks.faithfulness import FAITHFULNESS_CHECKS
from workbench.checks.flips import FLIPS_CHECKS
from workbench.checks.gap_causes import GAP_CAUSES_CHECKS
from workbench.checks.halo import HALO_CHECKS
from workbench.checks.interaction_cloud import INTERACTION_CLOUD_CHECKS
from workbench.checks.interaction_scores import SCORE_CHECKS
from workbench.checks.interaction_test import INTERACTION_TEST_CHECKS
from workbench.checks.interactions import INTERACTION_CHECKS
from workbench.checks.local_basis import LOCAL_BASIS_CHECKS
from workbench.checks.local_functions import LOCAL_FUNCTION_CHECKS
from workbench.checks.local_models import LOCAL_MODEL_CHECKS
from workbench.checks.performance import PERFORMANCE_CHECKS
from workbench.checks.profiles import PROFILE_CHECKS
from workbench.checks.rashomon import RASHOMON_CHECKS
from workbench.checks.record import Check, Outcome
from workbench.checks.remedies import REMEDY_CHECKS
from workbench.checks.simpler_models import SIMPLER_CHECKS
from workbench.checks.updates import UPDATE_CHECKS
from workbench.core.result import refuse_other
from workbench.core.results import Result

CHECKS: Mapping[str, Check] = {
    check.code: check
    for check in sorted((
        *ATTRIBUTION_CHECKS, *PERFORMANCE_CHECKS, *INTERACTION_CHECKS, *LOCAL_MODEL_CHECKS,
        *FAITHFULNESS_CHECKS, *LOCAL_FUNCTION_CHECKS, *ATTRIBUTION_RANGE_CHECKS, *RASHOMON_CHECKS,
        *SIMPLER_CHECKS, *UPDATE_CHECKS, *SCORE_CHECKS, *PROFILE_CHECKS, *INTERACTION_CLOUD_CHECKS,
        *HALO_CHECKS, *DETECTOR_CHECKS, *INTERACTION_TEST_CHECKS, *LOCAL_BASIS_CHECKS,
        *FAIRNESS_CHECKS, *FLIPS_CHECKS, *GAP_CAUSES_CHECKS, *BOUNDARY_CHECKS, *FRONT_CHECKS,
        *REMEDY_CHECKS, *ERROR_CHECKS,
    ), key=lambda check: check.code)
}  # fmt: skip


def run_checks(result: Result) -> tuple[Outcome, ...]:
    """Ask a result every check of its kind, in the order of their codes.

    Parameters
    ----------
    result
        Of any kind.

    Raises
    ------
    InvalidInputError
        If it is no result: no outcomes would read as if all were well.
    """
    refuse_other(result)
    return tuple(check(result) for check in CHECKS.values() if isinstance(result, check.applies_to))
