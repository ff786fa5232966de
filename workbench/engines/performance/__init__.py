"""How good is this model, and what is in this table?"""

from workbench.engines.performance import evaluation  # noqa: F401 - importing registers
