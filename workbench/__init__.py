"""The explainability workbench: explain PyTorch models, and say how far to trust it.

Names are loaded when first used, so that ``import workbench`` costs nothing.
"""

# ruff: noqa: F403, F405 - what type checkers read; names stand once, in __all__

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.api import *
    from workbench.core.errors import WorkbenchError
    from workbench.core.model import Model
    from workbench.core.results import *
    from workbench.core.schema import Feature, Schema
    from workbench.core.table import Table

# Where names are looked for, what loads least first.
_HOMES = (
    "workbench.core.errors", "workbench.core.schema", "workbench.core.table",
    "workbench.core.results", "workbench.core.model", "workbench.api",
)  # fmt: skip

__all__ = [
    "Analysis",
    "AnalysisRun",
    "AttributeFlips",
    "Attribution",
    "AttributionRange",
    "BoundaryPeople",
    "Churn",
    "Counterfactuals",
    "Detectors",
    "ErrorAudit",
    "Explainer",
    "FairnessAudit",
    "FairnessFront",
    "Faithfulness",
    "Feature",
    "GapCauses",
    "Halo",
    "InteractionScores",
    "InteractionTest",
    "Interactions",
    "LocalBasis",
    "LocalFunctions",
    "LocalModels",
    "Measures",
    "Mitigation",
    "Model",
    "Performance",
    "Profiles",
    "RashomonSet",
    "Remedies",
    "Replay",
    "ScaleCurves",
    "Schema",
    "SimplerModels",
    "Step",
    "Table",
    "WorkbenchError",
    "advise",
    "analysis_of",
    "answer",
    "attach",
    "attribute",
    "audit",
    "audit_decisions",
    "background_for",
    "boundary_people",
    "churn",
    "counterfactuals",
    "detectors",
    "error_audit",
    "estimate_cost",
    "evaluate",
    "explain",
    "explain_set",
    "fairness_front",
    "faithfulness",
    "flips",
    "gap_causes",
    "halo",
    "import_attribution",
    "interaction_scores",
    "interaction_test",
    "interactions",
    "interactions_set",
    "less_discriminatory_model",
    "lime",
    "list_methods",
    "list_models",
    "list_tables",
    "load_analysis",
    "load_model",
    "load_result",
    "load_table",
    "local_basis",
    "local_basis_row",
    "local_functions",
    "measures",
    "mitigate",
    "plot",
    "profiles",
    "profiles_set",
    "rashomon_set",
    "realised_churn",
    "remedied_model",
    "remedies",
    "run_analysis",
    "run_checks",
    "save_analysis",
    "save_front_model",
    "scale_curves",
    "select_rows",
    "simpler_models",
    "train_explainer",
    "write_report",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in __all__:
        for home in map(import_module, _HOMES):
            if name in getattr(home, "__all__", vars(home)):
                return getattr(home, name)
    raise AttributeError(f"module 'workbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
