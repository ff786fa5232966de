"""One renderer per kind of result, and its answer in words."""

from workbench.plots.renderers import RENDERERS, render, views_of
from workbench.plots.words import overall_sentence, performance_sentence, sentence

__all__ = [
    "RENDERERS", "overall_sentence", "performance_sentence", "render", "sentence", "views_of",
]  # fmt: skip
