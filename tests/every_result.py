"""One small result of every kind that has a table."""

from tests.attribution_ranges import several_ranges
from tests.attributions import example
from tests.boundary_people import some_people
from tests.churns import some_churn, some_mitigation
from tests.counterfactuals import found_changes
from tests.detectors import some_detectors
from tests.error_audits import some_errors
from tests.fairness_audits import crossed
from tests.fairness_fronts import tiny_front
from tests.faithfulness import (
    one_local_function,
    scale_curves,
    several_explanations,
    several_measures,
)
from tests.flips import some_flips
from tests.gap_causes import some_causes
from tests.halos import some_halo
from tests.interaction_scores import some_scores
from tests.interaction_tests import some_test
from tests.interactions import one_row
from tests.local_bases import some_basis
from tests.local_models import one_local_model
from tests.performances import evaluated
from tests.profiles import some_profiles
from tests.rashomon_sets import several_models
from tests.remedies import some_remedies
from tests.simpler import simpler


def tabular_results():
    """Two of them where the columns could depend on what was asked."""
    return [
        example(n=3), one_row(), one_local_model(), evaluated(), evaluated("regression"),
        found_changes(), one_local_function(), scale_curves(), several_explanations(),
        several_measures(), several_ranges(), several_models(n=10), simpler(depth=1),
        some_churn(updated=True), some_mitigation(), some_profiles(),
        some_scores(models=5, triples=True), some_halo(), some_halo(order=3), some_detectors(),
        some_test(), some_basis(), crossed(), some_errors(), some_flips(), some_causes(),
        some_people(), tiny_front(), some_remedies(),
    ]  # fmt: skip
