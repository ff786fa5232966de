"""Groups of people, which other families of engines need as well."""

from workbench.engines.groups import MOST_CELLS, MOST_LEVELS, find_groups

__all__ = ["MOST_CELLS", "MOST_LEVELS", "find_groups"]
