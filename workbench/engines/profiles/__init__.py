"""How does the output change with one feature, or with two?"""

from workbench.engines.profiles import curves  # noqa: F401 - importing registers
