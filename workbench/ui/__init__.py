"""What pages are made of; the only folder that knows Streamlit."""

from workbench.core.results import Attribution
from workbench.operations.logs import configure_logs
from workbench.ui.about import ABOUT, data_view, describe_place, first_steps, model_view
from workbench.ui.boundary_people import boundary_people
from workbench.ui.cards import computed_card, trust_card
from workbench.ui.comparison import choose_comparison, show_comparison
from workbench.ui.cost import quote
from workbench.ui.equally_good_models import equally_good_models
from workbench.ui.explained import (
    choose_together,
    choose_view,
    figure_with_options,
    show_interactions,
    unfinished,
)
from workbench.ui.fairness import fairness
from workbench.ui.fastshap import explainer_list, train_explainer
from workbench.ui.frame import (
    answer,
    empty_state,
    errors_shown,
    note,
    page,
    plain_page,
    side_by_side,
)
from workbench.ui.health import health
from workbench.ui.inside import inside
from workbench.ui.interactions import interactions
from workbench.ui.job_list import job_list
from workbench.ui.jobs import answer_to, is_under_way, was_stopped
from workbench.ui.local_models import local_models
from workbench.ui.nearest import find_nearest
from workbench.ui.own_models import own_models, upload_model
from workbench.ui.own_tables import edited_table, own_tables, upload_table
from workbench.ui.people import navigation_position
from workbench.ui.pinned import pins
from workbench.ui.place import Place
from workbench.ui.profiles import profiles
from workbench.ui.quality import quality
from workbench.ui.registry import compare_models, model_list
from workbench.ui.remedies import remedies
from workbench.ui.report_builder import report_builder
from workbench.ui.results import downloads, figure, importance_table, row_table
from workbench.ui.shapley import choose_method, choose_output, choose_rows, describe_row, words
from workbench.ui.state import choose
from workbench.ui.table_form import edit_form, table_form
from workbench.ui.what_if import (
    choose_one_row,
    choose_order,
    choose_unlocked,
    play_with,
    setting_for,
)
from workbench.ui.which_explanation import which_explanation

__all__ = [
    "ABOUT", "Attribution", "Place", "answer", "answer_to", "boundary_people", "choose",
    "choose_comparison", "choose_method", "choose_one_row", "choose_order", "choose_output",
    "choose_rows", "choose_together", "choose_unlocked", "choose_view", "compare_models",
    "computed_card", "configure_logs", "data_view", "describe_place", "describe_row", "downloads",
    "edit_form", "edited_table", "empty_state", "equally_good_models", "errors_shown",
    "explainer_list", "fairness", "figure", "figure_with_options", "find_nearest", "first_steps",
    "health", "importance_table", "inside", "interactions", "is_under_way", "job_list",
    "local_models", "model_list", "model_view", "navigation_position", "note", "own_models",
    "own_tables", "page", "pins", "plain_page", "play_with", "profiles", "quality", "quote",
    "remedies", "report_builder", "row_table", "setting_for", "show_comparison",
    "show_interactions", "side_by_side", "table_form", "train_explainer", "trust_card",
    "unfinished", "upload_model", "upload_table", "was_stopped", "which_explanation", "words",
]  # fmt: skip
