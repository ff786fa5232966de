"""Which explanation to believe: what is asked, and the two runs that answer it.

One run holds explanations of the chosen row against neighbourhoods, the other those of rows that
are drawn: what a method misses of one row may be luck, what it misses of many says whether the
method is to be relied on. Another question, class or budget computes nothing again.
"""

from dataclasses import dataclass, replace

import streamlit as st

from workbench import api
from workbench.core.method import Method
from workbench.core.params import Params
from workbench.core.results import Faithfulness
from workbench.core.wording import counted
from workbench.engines.lfa.advisor import QUESTIONS, questions_for
from workbench.engines.lfa.matrix import NAME
from workbench.ui import cache
from workbench.ui.faithful_where import show_matrix
from workbench.ui.frame import errors_shown, note, side_by_side
from workbench.ui.jobs import Answer, Ask, answer_to, is_under_way, was_stopped
from workbench.ui.methods import choose_effort
from workbench.ui.place import Place
from workbench.ui.recommendation import show_recommendation
from workbench.ui.shapley import ask_for, choose_output, choose_rows, describe_row
from workbench.ui.state import choose
from workbench.ui.text import plain
from workbench.ui.verdict import verdict

FAMILY = "lfa"
DRAWN = 100
MOST_BACKGROUND = 2000
FIRST_QUESTION = "removed"
SEEDS = 2**31


@dataclass(frozen=True)
class Runs:
    """What is computed: the chosen row, and rows that are drawn; None where there is none."""

    row: Ask | None
    rows: Ask | None


@dataclass(frozen=True)
class Found:
    """What is known so far of both."""

    row: Answer[Faithfulness] | None
    rows: Answer[Faithfulness] | None

    @property
    def best(self) -> Answer[Faithfulness] | None:
        """Of both, what says more."""
        return self.rows or self.row
