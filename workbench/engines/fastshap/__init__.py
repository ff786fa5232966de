"""FastSHAP: train networks that explain a model at once."""

from workbench.engines.fastshap import train  # noqa: F401 - importing registers
