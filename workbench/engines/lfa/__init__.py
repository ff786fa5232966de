"""Explanations as local functions, and how far each can be believed."""

from workbench.engines.lfa import fit, matrix, measures, scales  # noqa: F401 - importing registers
