"""Single curves of a feature in groups of like shape, and what tells the groups apart."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from workbench.core.profiles import Profiles
from workbench.core.wording import counted, percent
from workbench.numerics.group_rule import Rule, group_rule
from workbench.numerics.row_groups import group_rows

MOST_GROUPS, FEWEST_GROUPED = 4, 8
# Groups are hardly apart below this silhouette; a rule that meets a group worse is not told.
APART, TELLING = 0.25, 0.7
# Curves that differ by less than this share of the largest change differ by rounding.
ALIKE = 1e-4
LETTERS = "ABCD"


class CurveGroup(NamedTuple):
    """Rows whose curves have a shape in common.

    Attributes
    ----------
    name
        A letter, A for the largest group.
    members
        Which of the rows with curves.
    curve
        Their mean curve, 0 at the first grid point.
    rule
        What other features have to do with it.
    """

    name: str
    members: Bool[np.ndarray, " i"]
    curve: Float[np.ndarray, " g"]
    rule: Rule

    @property
    def size(self) -> int:
        """Number of rows."""
        return int(self.members.sum())


class CurveGroups(NamedTuple):
    """All groups, the largest first, and how far they are apart (silhouette, -1 to 1)."""

    groups: tuple[CurveGroup, ...]
    silhouette: float


NO_GROUPS = CurveGroups((), 0.0)


def curve_groups(
    profiles: Profiles, feature: str | int | None = None, output: str | int | None = None
) -> CurveGroups:
    """Group the single curves, each less its value at the first grid point, by k-means.

    Two to four groups, as many as are farthest apart; none where there are fewer than eight curves
    or all are alike. The rule of a group looks at all features but the one that is followed.

    Raises
    ------
    InvalidInputError
        If there is no such feature or output.
    """
    at = profiles.feature_index(feature)
    found = profiles.profile(at, output)
    if len(found.curves) < FEWEST_GROUPED or not len(found.grid):
        return NO_GROUPS
    curves = found.curves - found.curves[:, :1]
    if curves.std(0).max() <= ALIKE * np.abs(curves).max():
        return NO_GROUPS
    grouping = group_rows(curves, MOST_GROUPS)
    others = [place for place in range(len(profiles.names)) if place != at]
    groups = []
    for label in range(len(grouping.sizes)):
        members = grouping.labels == label
        rule = group_rule(
            members, profiles.data[:, others], [profiles.schema.features[o] for o in others]
        )
        groups.append(CurveGroup(LETTERS[label], members, curves[members].mean(0), rule))
    return CurveGroups(tuple(groups), grouping.silhouette)


def group_sentences(found: CurveGroups) -> list[str]:
    """Say of each group how many rows it has, and which rows they are.

    A rule is told where it is met by most of the group and by few others.
    """
    if len(found.groups) < 2:
        return ["Single rows do not fall into groups: their curves have one shape."]
    told = []
    for group in found.groups:
        rule = group.rule
        said = "no simple rule tells them from the others"
        if rule.text and min(rule.purity, rule.coverage) >= TELLING:
            said = (
                f"where {rule.text} (true of {percent(rule.coverage)} of them; "
                f"{percent(rule.purity)} of all such rows are here)"
            )
        told.append(f"{group.name}, {counted(group.size, 'row')}: {said}.")
    if found.silhouette < APART:
        told.append(
            f"The groups are hardly apart (silhouette {found.silhouette:.2f}): shapes change "
            "gradually from row to row."
        )
    return told
