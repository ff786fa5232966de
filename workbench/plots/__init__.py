"""One renderer per kind of result, and its answer in words."""

from plotly.graph_objects import Figure

from workbench.plots.offered import options_of
from workbench.plots.renderers import RENDERERS, render, views_of
from workbench.plots.view_words import view_sentence
from workbench.plots.words import overall_sentence, performance_sentence, sentence

__all__ = [
    "RENDERERS", "Figure", "options_of", "overall_sentence", "performance_sentence", "render",
    "sentence", "view_sentence", "views_of",
]  # fmt: skip
