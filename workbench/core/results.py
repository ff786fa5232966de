"""Every kind of result in one place: whoever reads a result file imports from here.

A kind is known once its class exists, so ``load`` is offered where all of them do.
"""

from workbench.core.attribution import LEVEL, Attribution
from workbench.core.attribution_range import AttributionRange
from workbench.core.boundary import BoundaryPeople
from workbench.core.churn import Churn
from workbench.core.counterfactuals import Counterfactuals
from workbench.core.detectors import Detectors
from workbench.core.error_audit import ErrorAudit
from workbench.core.explainer import Explainer
from workbench.core.fairness import FairnessAudit
from workbench.core.fairness_front import FairnessFront
from workbench.core.faithfulness import Faithfulness
from workbench.core.flips import AttributeFlips
from workbench.core.gap_causes import GapCauses
from workbench.core.halo import Halo
from workbench.core.interaction_scores import InteractionScores
from workbench.core.interaction_test import InteractionTest
from workbench.core.interactions import Interactions
from workbench.core.local_basis import LocalBasis
from workbench.core.local_functions import LocalFunctions
from workbench.core.local_models import LocalModels
from workbench.core.measures import Measures
from workbench.core.mitigation import Mitigation
from workbench.core.performance import Performance
from workbench.core.profiles import Profiles
from workbench.core.rashomon import RashomonSet
from workbench.core.remedies import Remedies
from workbench.core.result import RESULT_FORMAT, Result, load
from workbench.core.scale_curves import ScaleCurves
from workbench.core.simpler_models import SimplerModels

# Results that are a table of numbers, which is written beside them.
Tabular = (
    AttributeFlips | Attribution | AttributionRange | BoundaryPeople | Churn | Counterfactuals
    | Detectors | ErrorAudit | FairnessAudit | FairnessFront | Faithfulness | GapCauses | Halo
    | InteractionScores | InteractionTest | Interactions | LocalBasis | LocalFunctions
    | LocalModels | Measures | Mitigation | Performance | Profiles | RashomonSet | Remedies
    | ScaleCurves | SimplerModels
)  # fmt: skip

__all__ = [
    "LEVEL", "RESULT_FORMAT", "AttributeFlips", "Attribution", "AttributionRange",
    "BoundaryPeople", "Churn", "Counterfactuals", "Detectors", "ErrorAudit", "Explainer",
    "FairnessAudit", "FairnessFront", "Faithfulness", "GapCauses", "Halo", "InteractionScores",
    "InteractionTest", "Interactions", "LocalBasis", "LocalFunctions", "LocalModels", "Measures",
    "Mitigation", "Performance", "Profiles", "RashomonSet", "Remedies", "Result", "ScaleCurves",
    "SimplerModels", "Tabular", "load",
]  # fmt: skip
