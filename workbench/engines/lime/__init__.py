"""LIME: a sparse linear model of the model around each row."""

from workbench.engines.lime import reference, tabular  # noqa: F401 - importing registers
