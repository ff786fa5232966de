"""The catalogue of group fairness: rates of one group, and gaps between groups, named in full."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

# Where one of the truths and one of the decisions lies in counts of (truth, decision), favourable
# being 1.
Cells = tuple[tuple[int, int], ...]
TP, FP, FN, TN = (1, 1), (0, 1), (1, 0), (0, 0)


@dataclass(frozen=True)
class Rate:
    """A share of a group.

    Attributes
    ----------
    counts, of
        Cells of (truth, decision) that are counted, and those that they are a share of.
    of_whom, do
        The sentence "Of 100 {of_whom}, 61 {do}."
    lacking
        What a group lacks where the rate is not defined.
    """

    title: str
    counts: Cells
    of: Cells
    of_whom: str
    do: str
    lacking: str


ALL: Cells = (TN, FP, FN, TP)
SELECTION, TPR, FPR, PPV, FOR = (
    "selection_rate", "true_positive_rate", "false_positive_rate",
    "positive_predictive_value", "false_omission_rate",
)  # fmt: skip
ACCURACY, BASE, FNR, TNR = "accuracy", "base_rate", "false_negative_rate", "true_negative_rate"
RATES: Mapping[str, Rate] = {
    BASE: Rate(
        "Base rate", (FN, TP), ALL, "people", "have the favourable outcome", "rows"
    ),
    SELECTION: Rate(
        "Selection rate", (FP, TP), ALL, "people", "get the favourable decision", "rows"
    ),
    ACCURACY: Rate("Accuracy", (TN, TP), ALL, "people", "are decided rightly", "rows"),
    TPR: Rate(
        "True positive rate", (TP,), (FN, TP), "people with the favourable outcome",
        "get the favourable decision", "rows with the favourable outcome",
    ),
    FPR: Rate(
        "False positive rate", (FP,), (TN, FP), "people without the favourable outcome",
        "get the favourable decision", "rows without the favourable outcome",
    ),
    FNR: Rate(
        "False negative rate", (FN,), (FN, TP), "people with the favourable outcome",
        "are refused", "rows with the favourable outcome",
    ),
    TNR: Rate(
        "True negative rate", (TN,), (TN, FP), "people without the favourable outcome",
        "are refused", "rows without the favourable outcome",
    ),
    PPV: Rate(
        "Positive predictive value", (TP,), (FP, TP), "people with the favourable decision",
        "have the favourable outcome", "rows with the favourable decision",
    ),
    FOR: Rate(
        "False omission rate", (FN,), (TN, FN), "people who are refused",
        "have the favourable outcome", "rows that are refused",
    ),
}  # fmt: skip

# How the rates of several groups become one number: the greatest less the least; the least over
# the greatest; the greatest or the mean of the differences of several rates.
Way = Literal["difference", "ratio", "worst", "mean"]


@dataclass(frozen=True)
class Gap:
    """A distance between groups; 0 (of a ratio: 1) where all are treated alike.

    Attributes
    ----------
    of
        Rates that it is made of, keys of ``RATES``.
    says
        What it compares, in a lay reader's words.
    aka
        Names that it goes by elsewhere.
    """

    title: str
    way: Way
    of: tuple[str, ...]
    says: str
    aka: str = ""

    @property
    def none(self) -> float:
        """Its value where no group differs."""
        return 1.0 if self.way == "ratio" else 0.0


GAPS: Mapping[str, Gap] = {
    "selection_rate_difference": Gap(
        "Statistical parity difference", "difference", (SELECTION,),
        "how often groups get the favourable decision", "demographic parity difference",
    ),
    "selection_rate_ratio": Gap(
        "Statistical parity ratio", "ratio", (SELECTION,),
        "the least favoured group's share of the most favoured group's rate",
        "disparate impact; the four-fifths rule asks for 0.8",
    ),
    "true_positive_rate_difference": Gap(
        "Equal opportunity difference", "difference", (TPR,),
        "how often those with the favourable outcome get the favourable decision",
    ),
    "false_positive_rate_difference": Gap(
        "False positive rate difference", "difference", (FPR,),
        "how often those without the favourable outcome get the favourable decision",
        "predictive equality difference",
    ),
    "equalized_odds_worst": Gap(
        "Equalized odds difference (worst case)", "worst", (TPR, FPR),
        "the greater of the two gaps above", "fairlearn's equalized_odds_difference",
    ),
    "equalized_odds_mean": Gap(
        "Average absolute odds difference", "mean", (TPR, FPR),
        "the mean of the two gaps above", "fairlearn's with agg='mean'",
    ),
    "positive_predictive_value_difference": Gap(
        "Predictive parity difference", "difference", (PPV,),
        "how often the favourable decision turns out right",
    ),
    "false_omission_rate_difference": Gap(
        "False omission rate difference", "difference", (FOR,),
        "how often a refusal turns out wrong",
    ),
    "accuracy_difference": Gap(
        "Accuracy difference", "difference", (ACCURACY,), "how often decisions are right",
    ),
    "base_rate_difference": Gap(
        "Base rate difference", "difference", (BASE,),
        "how often groups have the favourable outcome, whatever the model says",
    ),
}  # fmt: skip
