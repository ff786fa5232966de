"""One renderer per kind of result, and its answer in words."""

from workbench.plots.renderers import RENDERERS, render
from workbench.plots.words import overall_sentence, sentence

__all__ = ["RENDERERS", "overall_sentence", "render", "sentence"]
