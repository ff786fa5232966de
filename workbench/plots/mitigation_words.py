"""What lessens disagreement, in words."""

import numpy as np

from workbench.core.mitigation import MEASURED, Mitigation
from workbench.core.rashomon import explorer_words
from workbench.core.wording import counted, percent
from workbench.plots.words import number

ABOUT = {
    "ambiguity": "the share of rows that some equally good model decides otherwise",
    "obscurity": "the share of equally good models that decide a row otherwise",
    "width": "the range of the output over equally good models",
}
STABLE = 0.7


def ensemble_sentence(mitigation: Mitigation) -> str:
    """Say how much averaging lessens disagreement, by its own judge and by an independent one."""
    if not mitigation.independent:
        return "Nobody judged the ensembles who had not built them."
    independent = mitigation.independent[-1]
    s = _largest_judged(mitigation, independent)
    if mitigation.sizes[s] == 1:
        return "Too few near-copies were admitted to average any."
    metrics = MEASURED[:2] if mitigation.classifies else MEASURED[2:]
    said = "; ".join(_told(mitigation, independent, s, metric) for metric in metrics)
    size = f"{int(mitigation.sizes[s]):,} near-copies"
    return (
        f"Averaging {size}, judged by {explorer_words(independent)}, which did not build the "
        f"ensembles: {said}."
    )


def by_construction_sentence(mitigation: Mitigation) -> str:
    """Say how much less ensembles differ among themselves, which they do by construction."""
    metric = "obscurity" if mitigation.classifies else "width"
    q = mitigation.metric_index(metric)
    known = np.flatnonzero(~np.isnan(mitigation.reduction[0, :, q, 0]))
    s = int(known[-1]) if len(known) else 0
    less, low, high = mitigation.reduction[0, s, q]
    if s == 0:
        return "Ensembles of more than one near-copy could not be held against each other."
    return (
        f"Among themselves, ensembles of {int(mitigation.sizes[s]):,} differ {percent(less)} less "
        f"than single near-copies ({percent(low)} to {percent(high)}); averages do so by "
        "construction, whatever else may be found."
    )


def abstention_sentence(mitigation: Mitigation) -> str:
    """Say what refusing the rows that models disagree about costs and gives, against confidence."""
    if not mitigation.classifies:
        return "A regression decides nothing, so there is nothing to refuse."
    if not len(mitigation):
        return "There are no rows to decide."
    refused = float(mitigation.refused.mean())
    of = f"{counted(mitigation.admitted, 'equally good model')}"
    if refused == 0:
        return f"No row is decided otherwise by any of {of}, so none is refused."
    if refused == 1:
        return f"Every row is decided otherwise by one of {of}, so none would be left to decide."
    found = mitigation.abstention()
    at = int(np.abs(found.coverage - (1 - refused)).argmin())
    away, low, high = found.difference[at]
    by_confidence = percent(float(found.by_confidence[at]))
    told = f"a difference of {_signed(away)} points ({_signed(low)} to {_signed(high)})"
    if low <= 0 <= high:
        told = f"{told}, which may be chance" if high > low else "no difference"
    return (
        f"Refusing every row that one of {of} decides otherwise leaves {percent(1 - refused)} of "
        f"the rows, {percent(float(found.by_set[at]))} of them right. Refusing as many by the "
        f"model's own confidence leaves {by_confidence} right: {told}."
    )


def selection_sentence(mitigation: Mitigation) -> str:
    """Say which model trained again disagrees least, and whether other rows would say the same."""
    if not mitigation.candidate_names:
        return f"There is nothing to choose among: {mitigation.remark}."
    metric = "obscurity" if mitigation.classifies else "width"
    best = mitigation.best_candidate(metric)
    count = int(mitigation.eligible.sum())
    among = f"Of {counted(len(mitigation.candidate_names), 'model')} trained again, {count:,} are "
    among += "as good as the best"
    if best is None or count < 2:
        return f"{among}, so disagreement leaves nothing to choose."
    q = mitigation.metric_index(metric)
    values = mitigation.candidate_metrics[mitigation.eligible, q]
    tau, low, high = mitigation.stability[q]
    said = (
        f"{among}; {mitigation.candidate_names[best]} disagrees least "
        f"({number(float(values.min()))}; the most is {number(float(values.max()))})"
    )
    if np.isnan(tau):
        return f"{said}; too few to say how stable the order is."
    firm = "the order is stable" if low >= STABLE else "other rows may well order them otherwise"
    return f"{said}; {firm} (Kendall's tau {tau:.2f}, {low:.2f} to {high:.2f})."


def _largest_judged(mitigation: Mitigation, judge: str) -> int:
    known = np.isfinite(mitigation.metrics[mitigation.judge_index(judge), :, -1, 0])
    return int(np.flatnonzero(known)[-1]) if known.any() else 0


def _told(mitigation: Mitigation, judge: str, s: int, metric: str) -> str:
    j, q = mitigation.judge_index(judge), mitigation.metric_index(metric)
    before, after = mitigation.metrics[j, 0, q, 0], mitigation.metrics[j, s, q, 0]
    less, low, high = mitigation.reduction[j, s, q]
    said = f"{ABOUT[metric]} goes from {_value(metric, before)} to {_value(metric, after)}"
    if np.isnan(less):
        return said
    if low <= 0 <= high:
        return f"{said}, which may be chance"
    way = "less" if less > 0 else "more"
    ends = sorted((abs(low), abs(high)))
    return f"{said} ({percent(abs(less))} {way}, {percent(ends[0])} to {percent(ends[1])})"


def _value(metric: str, value: float) -> str:
    return number(float(value)) if metric == "width" else percent(float(value))


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "\N{MINUS SIGN}")
