"""The explainability workbench: explain PyTorch models, and say how far to trust it.

Names are loaded when first used, so that ``import workbench`` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.api import (
        advise,
        attach,
        background_for,
        churn,
        counterfactuals,
        detectors,
        estimate_cost,
        evaluate,
        explain,
        explain_set,
        faithfulness,
        halo,
        interaction_scores,
        interaction_test,
        interactions,
        interactions_set,
        lime,
        list_methods,
        list_models,
        list_tables,
        load_model,
        load_table,
        local_basis,
        local_functions,
        measures,
        mitigate,
        profiles,
        profiles_set,
        rashomon_set,
        realised_churn,
        run_checks,
        scale_curves,
        select_rows,
        simpler_models,
        train_explainer,
        write_report,
    )
    from workbench.core.errors import WorkbenchError
    from workbench.core.model import Model
    from workbench.core.results import (
        Attribution,
        AttributionRange,
        Churn,
        Counterfactuals,
        Detectors,
        Explainer,
        Faithfulness,
        Halo,
        Interactions,
        InteractionScores,
        InteractionTest,
        LocalBasis,
        LocalFunctions,
        LocalModels,
        Measures,
        Mitigation,
        Performance,
        Profiles,
        RashomonSet,
        ScaleCurves,
        SimplerModels,
    )
    from workbench.core.results import load as load_result
    from workbench.core.schema import Feature, Schema
    from workbench.core.table import Table

_HOMES = {
    "workbench.api": (
        "advise", "attach", "background_for", "churn", "counterfactuals", "detectors",
        "estimate_cost", "evaluate", "explain", "explain_set", "faithfulness", "halo",
        "interaction_scores", "interaction_test", "interactions", "interactions_set", "lime",
        "list_methods", "list_models", "list_tables", "load_model", "load_result", "load_table",
        "local_basis", "local_functions", "measures", "mitigate", "profiles", "profiles_set",
        "rashomon_set", "realised_churn", "run_checks", "scale_curves", "select_rows",
        "simpler_models", "train_explainer", "write_report",
    ),
    "workbench.core.errors": ("WorkbenchError",),
    "workbench.core.model": ("Model",),
    "workbench.core.results": (
        "Attribution", "AttributionRange", "Churn", "Counterfactuals", "Detectors", "Explainer",
        "Faithfulness", "Halo", "InteractionScores", "InteractionTest", "Interactions",
        "LocalBasis", "LocalFunctions", "LocalModels", "Measures", "Mitigation", "Performance",
        "Profiles", "RashomonSet", "ScaleCurves", "SimplerModels",
    ),
    "workbench.core.schema": ("Feature", "Schema"),
    "workbench.core.table": ("Table",),
}  # fmt: skip
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Attribution",
    "AttributionRange",
    "Churn",
    "Counterfactuals",
    "Detectors",
    "Explainer",
    "Faithfulness",
    "Feature",
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
    "ScaleCurves",
    "Schema",
    "SimplerModels",
    "Table",
    "WorkbenchError",
    "advise",
    "attach",
    "background_for",
    "churn",
    "counterfactuals",
    "detectors",
    "estimate_cost",
    "evaluate",
    "explain",
    "explain_set",
    "faithfulness",
    "halo",
    "interaction_scores",
    "interaction_test",
    "interactions",
    "interactions_set",
    "lime",
    "list_methods",
    "list_models",
    "list_tables",
    "load_model",
    "load_result",
    "load_table",
    "local_basis",
    "local_functions",
    "measures",
    "mitigate",
    "profiles",
    "profiles_set",
    "rashomon_set",
    "realised_churn",
    "run_checks",
    "scale_curves",
    "select_rows",
    "simpler_models",
    "train_explainer",
    "write_report",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
