"""Every kind of result in one place: whoever reads a result file imports from here.

A kind is known once its class exists, so ``load`` is offered where all of them do.
"""

from workbench.core.attribution import LEVEL, Attribution
from workbench.core.counterfactuals import Counterfactuals
from workbench.core.explainer import Explainer
from workbench.core.interactions import Interactions
from workbench.core.local_models import LocalModels
from workbench.core.performance import Performance
from workbench.core.result import RESULT_FORMAT, Result, load

__all__ = [
    "LEVEL", "RESULT_FORMAT", "Attribution", "Counterfactuals", "Explainer", "Interactions",
    "LocalModels", "Performance", "Result", "load",
]  # fmt: skip
