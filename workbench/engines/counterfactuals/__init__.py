"""Counterfactuals: what would have to be different for the model to decide otherwise?"""

from workbench.engines.counterfactuals import search  # noqa: F401 - importing registers
