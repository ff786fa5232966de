"""Audits of errors of a tiny model of a number."""

from dataclasses import replace
from functools import cache

import numpy as np

from tests.networks import tiny_model, tiny_table
from workbench import api


def told_errors():
    """One attribute of groups with enough rows, and gaps of errors far beyond chance."""
    audit = some_errors(n=300)
    groups, (m, _) = audit.groups_of(0), audit.chances.shape
    sure = np.full((m, 1), 0.001)
    by_group = {name: getattr(audit, name)[:, groups] for name in ("values", "differences")}
    return replace(
        audit, attributes=audit.attributes[:1], levels=audit.levels[:1], partitions=((0,),),
        partition_of=audit.partition_of[groups],
        group_levels=tuple(audit.group_levels[g] for g in groups), sizes=audit.sizes[groups],
        references=audit.references[:1], gaps=audit.gaps[:, :1], floors=audit.floors[:, :1],
        chances=sure, adjusted=sure, **by_group,
    )  # fmt: skip


@cache
def some_errors(n=120):
    """Two attributes, alone and crossed; some of the crossed groups have few rows."""
    table = tiny_table(task="regression", n=n)
    settings = {"by": "c1,c3", "resamples": 200, "device": "cpu"}
    return api.error_audit(tiny_model(table), table, **settings)
