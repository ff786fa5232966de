"""What does a network compute on the way, as a graph that can be tested?"""

from workbench.engines.lib import graph  # noqa: F401 - importing registers
