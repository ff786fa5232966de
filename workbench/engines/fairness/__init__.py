"""Who is worse off under a model, how sure that is, why, and what helps."""

from workbench.engines.fairness import (  # noqa: F401 - importing registers
    audit,
    causes,
    errors,
    flipping,
    people,
    remedies,
)
