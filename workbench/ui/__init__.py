"""What pages are made of; the only folder that knows Streamlit."""

from workbench.ui.cards import computed_card, trust_card
from workbench.ui.cost import quote
from workbench.ui.frame import Place, answer, empty_state, errors_shown, note, page, side_by_side
from workbench.ui.results import downloads, figure, importance_table, row_table
from workbench.ui.runs import Request, answer_to, is_small, was_cancelled
from workbench.ui.shapley import choose_method, choose_output, choose_rows, describe_row, words
from workbench.ui.state import choose

__all__ = [
    "Place", "Request", "answer", "answer_to", "choose", "choose_method", "choose_output",
    "choose_rows", "computed_card", "describe_row", "downloads", "empty_state", "errors_shown",
    "figure", "importance_table", "is_small", "note", "page", "quote", "row_table",
    "side_by_side", "trust_card", "was_cancelled", "words",
]  # fmt: skip
