"""Who is worse off under a model's decisions, by how much, and how sure that is."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.fairness_metrics import FPR, GAPS, RATES, TPR
from workbench.core.grouping import OfGroups
from workbench.core.result import Result

if TYPE_CHECKING:
    import pandas as pd

# Rows that a rate has to be a share of to be ranked; fewer are insufficient evidence.
ENOUGH = 20


@dataclass(frozen=True, eq=False)
class FairnessAudit(OfGroups, Result):
    r"""Rates of groups, gaps between them, and what stands behind both.

    Groups are cells of partitions: a partition crosses some of the attributes, and each of its
    cells is a group, cells without rows included. Axes: ``p`` partitions, ``g`` groups of all
    partitions one after another, ``r`` rates (order of ``RATES``), ``q`` gaps (order of
    ``GAPS``), ``s`` measures of scores (order of ``score_names``), ``t`` thresholds, ``b`` bins
    of scores. A last axis of 3 holds value and 95 % interval. NaN means undefined, never 0.

    Attributes
    ----------
    attributes, levels
        Protected columns and their levels.
    partitions
        Which attributes each partition crosses.
    partition_of
        Of each group.
    group_levels
        Levels of each group, one for each attribute of its partition.
    favourable
        The class that people hope for.
    counts
        Rows by group, truth and decision, favourable being 1; weights of rows where they have
        some, scaled so that they are 1 on average.
    rates
        Shares with their interval: Wilson's, of effective rows (Kish's) where rows have weights.
    pooled
        Rates drawn together within their partition as far as chance explains their spread
        (beta-binomial, empirical Bayes), with the interval of the posterior.
    overall
        Rates of all rows.
    references
        The group of each partition that the others are held against: its largest.
    differences, ratios
        Rate of each group less, or over, that of its partition's reference group.
    gaps
        Greatest gap within each partition among the groups for which it is defined, and which
        have enough rows (the setting ``least_rows``).
    floors
        What the gap would be on average, and its 95 % quantile (of a ratio its 5 % quantile), if
        groups were drawn at random; axis: mean, quantile.
    chances
        Share of such draws with a gap at least as large as the one found, which counts as one.
    adjusted
        The same after Holm's correction for all gaps and partitions.
    score_names, score_values
        Measures of scores by group: mean score of all, of those with and of those without the
        favourable outcome, area under the ROC curve, calibration error.
    cross_areas
        Chance that somebody of the row's group with the favourable outcome scores above somebody
        of the column's group without it (xAUC); NaN across partitions.
    thresholds, passed
        How many people of each group and truth have at least this score.
    bin_scores, bin_counts, bin_positives
        Reliability: mean score, rows, and rows with the favourable outcome, by group and bin.
    individual_names, individual
        Measures over people instead of groups: consistency with neighbours, generalized entropy,
        Theil's index.
    differential
        Differential fairness of each partition: the greatest log ratio of any decision's
        probability between two of its groups.
    between
        Share of Theil's index that lies between the groups of each partition.
    weighted
        Whether rows count by their sampling weights.
    rows
        Rows by group, truth and decision where ``counts`` are weights; else None.
    """

    kind: ClassVar[str] = "fairness_audit"

    attributes: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    partitions: tuple[tuple[int, ...], ...]
    partition_of: Int[np.ndarray, " g"]
    group_levels: tuple[tuple[str, ...], ...]
    favourable: str
    unfavourable: str
    counts: Float[np.ndarray, "g 2 2"]
    rates: Float[np.ndarray, "r g 3"]
    pooled: Float[np.ndarray, "r g 3"]
    overall: Float[np.ndarray, "r 3"]
    references: Int[np.ndarray, " p"]
    differences: Float[np.ndarray, "r g 3"]
    ratios: Float[np.ndarray, "r g 3"]
    gaps: Float[np.ndarray, "q p 3"]
    floors: Float[np.ndarray, "q p 2"]
    chances: Float[np.ndarray, "q p"]
    adjusted: Float[np.ndarray, "q p"]
    score_names: tuple[str, ...]
    score_values: Float[np.ndarray, "s g 3"]
    cross_areas: Float[np.ndarray, "g g"]
    thresholds: Float[np.ndarray, " t"]
    passed: Int[np.ndarray, "t g 2"]
    bin_scores: Float[np.ndarray, "g b"]
    bin_counts: Int[np.ndarray, "g b"]
    bin_positives: Int[np.ndarray, "g b"]
    individual_names: tuple[str, ...]
    individual: Float[np.ndarray, "i 3"]
    differential: Float[np.ndarray, "p 3"]
    between: Float[np.ndarray, " p"]
    weighted: bool = False
    rows: Int[np.ndarray, "g 2 2"] | None = None

    def __post_init__(self) -> None:
        g, p, r, q = len(self.group_levels), len(self.partitions), len(RATES), len(GAPS)
        s, t, i = len(self.score_names), len(self.thresholds), len(self.individual_names)
        b = self.bin_scores.shape[1]
        self._check_shapes(
            f"An audit of {g} groups",
            {
                "partition_of": (g,), "counts": (g, 2, 2), "rates": (r, g, 3),
                "pooled": (r, g, 3), "overall": (r, 3), "references": (p,),
                "differences": (r, g, 3), "ratios": (r, g, 3), "gaps": (q, p, 3),
                "floors": (q, p, 2), "chances": (q, p), "adjusted": (q, p),
                "score_values": (s, g, 3), "cross_areas": (g, g), "passed": (t, g, 2),
                "bin_scores": (g, b), "bin_counts": (g, b), "bin_positives": (g, b),
                "individual": (i, 3), "differential": (p, 3), "between": (p,),
            },
        )  # fmt: skip
        if self.rows is not None:
            self._check_shapes(f"An audit of {g} groups", {"rows": (g, 2, 2)})
        self._check_partitions()

    @cached_property
    def sizes(self) -> Int[np.ndarray, " g"]:
        """Rows of each group."""
        sizes: np.ndarray = self._rows.sum((1, 2))
        return np.rint(sizes).astype(np.int64)

    @property
    def _rows(self) -> Float[np.ndarray, "g 2 2"] | Int[np.ndarray, "g 2 2"]:
        return self.counts if self.rows is None else self.rows

    def partition_index(self, name: str | int) -> int:
        """Return the position of a partition given by name or position.

        Raises
        ------
        InvalidInputError
            If there is none of that name.
        """
        if isinstance(name, int) and 0 <= name < len(self.partitions):
            return name
        if name not in self.partition_names:
            raise InvalidInputError(
                f"There is no partition {name!r}; choose one of {', '.join(self.partition_names)}."
            )
        return self.partition_names.index(str(name))

    @cached_property
    def denominators(self) -> Float[np.ndarray, "r g"]:
        """Of how many rows each rate is a share."""
        return np.stack([
            np.sum([self._rows[:, truth, decided] for truth, decided in rate.of], 0, dtype=float)
            for rate in RATES.values()
        ])  # fmt: skip

    @property
    def sufficient(self) -> Bool[np.ndarray, "r g"]:
        """Whether a rate is a share of enough rows to be ranked."""
        return self.denominators >= ENOUGH

    def reason(self, rate: str, group: int) -> str:
        """Say why a rate of a group is undefined or insufficient; empty where it is neither."""
        r = list(RATES).index(rate)
        lacking, n = RATES[rate].lacking, int(self.denominators[r, group])
        if not self.sizes[group]:
            return "no rows"
        if n == 0:
            return f"no {lacking}"
        few = lacking if n != 1 else lacking.replace("rows", "row", 1)
        return "" if n >= ENOUGH else f"insufficient evidence: only {n} {few}"

    @cached_property
    def signed_average_odds(self) -> Float[np.ndarray, "g 3"]:
        r"""Average odds difference of each group to its reference group, below 0 where it loses.

        .. math:: \tfrac12 (\mathrm{TPR}_g - \mathrm{TPR}_r + \mathrm{FPR}_g - \mathrm{FPR}_r)

        AIF360's ``average_odds_difference``, of the group as the unprivileged one. Signs can
        cancel: 0 does not mean that the rates are equal.
        """
        names = list(RATES)
        parts = self.differences[[names.index(TPR), names.index(FPR)]]
        mean = parts[..., 0].mean(0)
        # The two are of different people, so that their noises add up as squares.
        below = np.hypot(*(parts[..., 0] - parts[..., 1])) / 2
        above = np.hypot(*(parts[..., 2] - parts[..., 0])) / 2
        return np.stack([mean, mean - below, mean + above], -1)

    def subgroup_violation(self, rate: str) -> tuple[float, int]:
        r"""Return how badly the worst group is off for its size, and which one that is.

        .. math:: \max_g \frac{n_g}{n} |r_g - r|

        over the groups of all partitions, with :math:`n_g / n` the share of all rows that are of
        the group and of whom the rate is a share.

        Raises
        ------
        InvalidInputError
            If there is no such rate, or no group has one.

        References
        ----------
        Kearns, Neel, Roth and Wu (2018), Preventing Fairness Gerrymandering, def. 2.2.
        """
        if rate not in RATES:
            raise InvalidInputError(f"There is no rate {rate!r}; choose one of {', '.join(RATES)}.")
        r = list(RATES).index(rate)
        counted = np.stack([self.counts[:, truth, own] for truth, own in RATES[rate].of])
        mass = counted.sum(0) / self.counts[self.groups_of(0)].sum()
        far = mass * np.abs(self.rates[r, :, 0] - self.overall[r, 0])
        if not np.isfinite(far).any():
            raise InvalidInputError(f"No group has a {RATES[rate].title.lower()}.")
        worst = int(np.nanargmax(far))
        return float(far[worst]), worst

    def to_metric_frame_dict(self, partition: str | int = 0) -> "dict[str, dict[str, Any]]":
        """Return the numbers of a partition as fairlearn's ``MetricFrame`` calls them.

        Keys: ``overall``, ``by_group``, ``difference`` and ``ratio`` (between groups), each by the
        name of the rate; groups by level, or by a tuple of levels where attributes are crossed.
        What fairlearn sets to 0 for want of rows is NaN here.

        Raises
        ------
        InvalidInputError
            If there is no such partition.
        """
        groups = self.groups_of(self.partition_index(partition))
        keys = [own[0] if len(own) == 1 else own for own in (self.group_levels[g] for g in groups)]
        frame: dict[str, dict[str, Any]] = {
            "overall": {}, "by_group": {}, "difference": {}, "ratio": {},
        }  # fmt: skip
        for r, rate in enumerate(RATES):
            values = self.rates[r, groups, 0]
            known = values[np.isfinite(values)]
            high, low = (known.max(), known.min()) if len(known) else (np.nan, np.nan)
            frame["overall"][rate] = float(self.overall[r, 0])
            frame["by_group"][rate] = dict(zip(keys, values.tolist(), strict=True))
            frame["difference"][rate] = float(high - low)
            frame["ratio"][rate] = float(low / high) if high > 0 else np.nan
        return frame

    def to_frame(self) -> "pd.DataFrame":
        """Return one line for each group and rate.

        Columns: partition, group, rate, value, low, high, n (of how many), size, difference,
        difference_low, difference_high (against the reference group), reason.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        lines = []
        for g, group in enumerate(self.group_names):
            for r, rate in enumerate(RATES):
                lines.append((
                    self.partition_names[self.partition_of[g]], group, rate, *self.rates[r, g],
                    self.denominators[r, g], self.sizes[g], *self.differences[r, g],
                    self.reason(rate, g),
                ))  # fmt: skip
        return pd.DataFrame(lines, columns=[
            "partition", "group", "rate", "value", "low", "high", "n", "size", "difference",
            "difference_low", "difference_high", "reason",
        ])  # fmt: skip
