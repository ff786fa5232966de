"""Which features a model uses together."""

from workbench.engines.interactions import (  # noqa: F401 - importing registers
    bootstrap,
    detectors,
    halos,
    scores,
)
