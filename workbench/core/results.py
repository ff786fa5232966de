"""Every kind of result in one place: whoever reads a result file imports from here.

A kind is known once its class exists, so ``load`` is offered where all of them do.
"""

from workbench.core.attribution import LEVEL, Attribution
from workbench.core.attribution_range import AttributionRange
from workbench.core.churn import Churn
from workbench.core.counterfactuals import Counterfactuals
from workbench.core.detectors import Detectors
from workbench.core.explainer import Explainer
from workbench.core.fairness import FairnessAudit
from workbench.core.faithfulness import Faithfulness
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
from workbench.core.result import RESULT_FORMAT, Result, load
from workbench.core.scale_curves import ScaleCurves
from workbench.core.simpler_models import SimplerModels

# Results that are a table of numbers, which is written beside them.
Tabular = (
    Attribution | AttributionRange | Churn | Counterfactuals | Detectors | FairnessAudit
    | Faithfulness | Halo | InteractionScores | InteractionTest | Interactions | LocalBasis
    | LocalFunctions | LocalModels | Measures | Mitigation | Performance | Profiles | RashomonSet
    | ScaleCurves | SimplerModels
)  # fmt: skip

__all__ = [
    "LEVEL", "RESULT_FORMAT", "Attribution", "AttributionRange", "Churn", "Counterfactuals",
    "Detectors", "Explainer", "FairnessAudit", "Faithfulness", "Halo", "InteractionScores",
    "InteractionTest", "Interactions", "LocalBasis", "LocalFunctions", "LocalModels", "Measures",
    "Mitigation", "Performance", "Profiles", "RashomonSet", "Result", "ScaleCurves",
    "SimplerModels", "Tabular", "load",
]  # fmt: skip
