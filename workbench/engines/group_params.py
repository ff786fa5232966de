"""Settings that every view of fairness has: whose groups, and what people hope for."""

from pydantic import Field

from workbench.core.params import Params


class GroupingParams(Params):
    """Which attributes make groups."""

    by: str = Field(
        "",
        description="Protected columns, separated by commas; empty takes every protected "
        "category, and every protected number that has bins.",
    )
    bins: str = Field(
        "",
        description="Where to cut protected numbers into groups, as age=25,60; several columns "
        "are separated by semicolons.",
    )


class GroupParams(GroupingParams):
    """Which attributes make groups, and which outcome is the favourable one."""

    favourable: str = Field(
        "",
        description="The class that people hope for; empty takes the one that the table's or "
        "the model's schema names.",
    )
