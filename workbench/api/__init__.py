"""The headless verbs; pages and command line are thin faces over them."""

from workbench.analysis import (
    Analysis,
    AnalysisRun,
    Replay,
    Step,
    analysis_of,
    load_analysis,
    run_analysis,
    save_analysis,
)
from workbench.api.across import explain_set, interactions_set, profiles_set
from workbench.api.explaining import (
    counterfactuals,
    explain,
    interactions,
    keep_explainer,
    train_explainer,
)
from workbench.api.fairness import audit, audit_decisions, error_audit
from workbench.api.front import fairness_front, less_discriminatory_model, save_front_model
from workbench.api.importing import attribute, import_attribution
from workbench.api.inputs import BACKGROUND_ROWS as BACKGROUND_ROWS
from workbench.api.inputs import REFERENCE_ROWS as REFERENCE_ROWS
from workbench.api.inputs import background_for, list_tables, load_model, load_table, select_rows
from workbench.api.inside import local_basis, local_basis_row
from workbench.api.local import faithfulness, lime, local_functions, measures, scale_curves
from workbench.api.methods import (
    Plan,
    estimate_cost,
    explainer_for,
    find_method,
    list_methods,
    plan,
)
from workbench.api.overall import agreement, evaluate, profiles
from workbench.api.rashomon import rashomon_set, simpler_models
from workbench.api.reasons import boundary_people, flips, gap_causes
from workbench.api.remedying import remedied_model, remedies
from workbench.api.serving import Served, serving_table, write_serving
from workbench.api.showing import answer, plot
from workbench.api.together import detectors, halo, interaction_scores, interaction_test
from workbench.api.updates import churn, mitigate, realised_churn
from workbench.checks import Outcome, run_checks
from workbench.core.explainer import Explainer
from workbench.core.results import load as load_result
from workbench.data.bundled import open_table
from workbench.engines.lfa.advisor import Advice, advise
from workbench.engines.performance.agreement import Agreement
from workbench.engines.performance.overview import Overview, table_overview
from workbench.registry.store import Entry, list_models
from workbench.report.document import Document
from workbench.report.formats import write_document
from workbench.report.html import write_report
from workbench.workspace.explainers import attach

__all__ = [
    "Advice",
    "Agreement",
    "Analysis",
    "AnalysisRun",
    "Document",
    "Entry",
    "Explainer",
    "Outcome",
    "Overview",
    "Plan",
    "Replay",
    "Served",
    "Step",
    "advise",
    "agreement",
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
    "explainer_for",
    "fairness_front",
    "faithfulness",
    "find_method",
    "flips",
    "gap_causes",
    "halo",
    "import_attribution",
    "interaction_scores",
    "interaction_test",
    "interactions",
    "interactions_set",
    "keep_explainer",
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
    "open_table",
    "plan",
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
    "serving_table",
    "simpler_models",
    "table_overview",
    "train_explainer",
    "write_document",
    "write_report",
    "write_serving",
]  # fmt: skip
