"""Checks of detectors side by side: do most name one pair, and are Hessians the network's."""

from collections import Counter

import numpy as np

from workbench.checks.record import Check, Finding
from workbench.core.detectors import NOWHERE, Detectors
from workbench.core.wording import counted, percent

# More than this share of the detectors should name the same pair first.
MAJORITY = 0.5
# Of the spread of the output, and of the difference to be shared out.
MOST_OFF = 0.1


def name_one_pair(result: Detectors) -> Finding:
    """Compare the share of detectors that name the commonest first pair with a half."""
    which = result.output_index(None)
    firsts = result.firsts(which)
    named = firsts[firsts != NOWHERE]
    if len(named) < 2:
        found = "One detector" if len(named) else "No detector"
        return Finding("not_applicable", f"{found} names a pair, so that there is none to compare.")
    first, agreed = Counter(named.tolist()).most_common(1)[0]
    places = result.ranks(which)[firsts != NOWHERE, first]
    worst = float(np.nanmax(places))
    share = agreed / len(named)
    evidence = {"share": share, "detectors": float(len(named)), "worst_rank": worst}
    pair = result.pair_names[first]
    brief = f"{agreed} of {len(named)} name one pair"
    if share > MAJORITY:
        sentence = f"{agreed} of {len(named)} detectors name {pair} as the strongest pair."
        return Finding("ok", sentence, evidence, MAJORITY, brief)
    start = f"No pair is the strongest for most of {counted(len(named), 'detector')}"
    most = (
        f"; {agreed} name {pair}, which another one has in place {worst:.0f}" if agreed > 1 else ""
    )
    sentence = f"{start}{most}. Do not speak of the strongest pair without naming the detector."
    return Finding("warning", sentence, evidence, MAJORITY, brief)


def hessians_are_the_networks(result: Detectors) -> Finding:
    """Compare how far the rounded network, and the sum of its Hessians, are off."""
    if result.smoothing is None and result.missed is None:
        return Finding("not_applicable", "No detector took Hessians of a rounded network.")
    off, missed = result.smoothing or 0.0, result.missed or 0.0
    evidence = {"off": max(off, missed), "smoothing": off, "missed": missed}
    brief = f"off by {percent(off)}"
    if missed > MOST_OFF:
        sentence = (
            f"Integrated Hessians miss what they should add up to by {percent(missed)}; use more "
            "nodes, or a smaller beta."
        )
        return Finding("warning", sentence, evidence, MOST_OFF, brief)
    if off > MOST_OFF:
        sentence = (
            f"The network with rounded rectifiers, whose Hessians are taken, is off by "
            f"{percent(off)} of the spread of the output; use a larger beta."
        )
        return Finding("warning", sentence, evidence, MOST_OFF, brief)
    sentence = (
        f"The network whose Hessians are taken is off by {percent(off)} of the spread of the "
        f"output, and integrated Hessians miss their sum by {percent(missed)}."
    )
    return Finding("ok", sentence, evidence, MOST_OFF, brief)


DETECTOR_CHECKS = (
    Check("WB038", "Detectors name one pair", "warning", 0, Detectors, name_one_pair),
    Check("WB039", "Hessians of the network", "warning", 0, Detectors, hessians_are_the_networks),
)
