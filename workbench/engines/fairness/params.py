"""Settings of groups, which other families of engines need as well."""

from workbench.engines.group_params import GroupingParams, GroupParams

__all__ = ["GroupParams", "GroupingParams"]
