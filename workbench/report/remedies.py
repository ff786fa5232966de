"""Remedies in a report."""

from functools import partial

from workbench.checks import run_checks
from workbench.core.fairness_metrics import ACCURACY, GAPS, SELECTION, TPR
from workbench.core.remedies import Remedies
from workbench.core.remedy_catalogue import REMEDIES, STAGES
from workbench.core.remedy_reading import GAP_NAMES, MOVED, RATE_NAMES, focus, moved, tried
from workbench.core.wording import percent
from workbench.plots import render, views_of
from workbench.plots.remedies_words import (
    cautions,
    change_told,
    gap_change_told,
    gaps_sentence,
    guarantee_sentence,
    hundred,
    interval_told,
    multiplicity_sentence,
    remedies_sentence,
    remedy_sentence,
    verdict,
    who_sentence,
)
from workbench.plots.words import counting_sentence
from workbench.report.section import Grid, Picture, Section, facts_of

TITLES = {
    "board": "Accuracy against the gap, from the model as it is",
    "conflicts": "Every gap under every remedy",
    "gaps": "Every gap before and after",
    "groups": "The groups before and after",
    "who": "Who gains and who loses the favourable decision",
    "multiplicity": "How many decisions hang on the start of training",
    "trials": "The networks of the search",
}
RATES_SHOWN = (SELECTION, TPR, ACCURACY)


def remedies_section(result: Remedies, name: str) -> Section:
    """Build the section of a comparison of remedies."""
    record, answer, best = result.provenance, remedies_sentence(result), focus(result)
    about = {"gaps": gaps_sentence, "who": who_sentence, "groups": remedy_sentence}
    return Section(
        name=name,
        title=f"{record.title}: {record.model} on {record.table}",
        answers=(
            answer, *filter(None, [counting_sentence(result)]), multiplicity_sentence(result),
        ),
        pictures=tuple(
            Picture(
                f"{name}-{view}", _titled(result, view, best),
                f"{TITLES[view]}. {about[view](result, best) if view in about else answer}",
                partial(render, result, view),
            )
            for view in views_of(result)
        ),
        outcomes=run_checks(result),
        tables=(_overview(result), _cautions(result), _groups(result), _cost(result)),
        values=_gaps(result),
        facts=facts_of(record),
        foot=record.describe(),
    )  # fmt: skip


def _titled(result: Remedies, view: str, best: int) -> str:
    of_one = view in {"gaps", "groups", "who"}
    return f"{TITLES[view]}: {result.titles[best]}" if of_one else TITLES[view]


def _overview(result: Remedies) -> Grid:
    q = result.gap_index
    rows = tuple(
        (
            result.titles[r], interval_told(result.gaps[r, q], result.gap),
            "" if r == 0 else gap_change_told(result, r, result.gap),
            interval_told(result.accuracy[r]),
            "" if r == 0 else change_told(result.accuracy_changes[r]),
            hundred(result.flips(r).changed, 1), "" if r == 0 else verdict(result, r),
        )
        for r in range(len(result.names))
    )  # fmt: skip
    columns = (
        "remedy", GAPS[result.gap].title.lower(), "change, points", "decided rightly",
        "change, points", "decisions changed of 100", "what it does",
    )  # fmt: skip
    caption = "Before and after; changes with 95 % intervals over the same rows"
    return Grid(caption, columns, rows, frozenset({5}))


def _cautions(result: Remedies) -> Grid:
    rows = tuple(
        (result.titles[r], STAGES[REMEDIES[result.names[r]].stage], REMEDIES[result.names[r]].does,
         " ".join((*cautions(result, r), REMEDIES[result.names[r]].watch)))
        for r in range(1, len(result.names))
    )  # fmt: skip
    return Grid(
        "What each does, and what to watch out for", ("remedy", "stage", "does", "watch out"),
        rows, frozenset(),
    )  # fmt: skip


def _groups(result: Remedies) -> Grid:
    rows = tuple(
        (
            result.titles[r], group, *(
                percent(float(result.rates[r, RATE_NAMES.index(rate), g, 0]))
                + ("" if r == 0 else f" ({change_told(result.rate_changes[r, v, g])})")
                for rate in RATES_SHOWN for v in (RATE_NAMES.index(rate),)
            ),
        )
        for r in (0, *tried(result)) for g, group in enumerate(result.group_names)
    )  # fmt: skip
    columns = ("remedy", result.attribute, *(rate.replace("_", " ") for rate in RATES_SHOWN))
    return Grid("Groups; changes in points with 95 % intervals", columns, rows, frozenset())


def _cost(result: Remedies) -> Grid:
    rows = tuple(
        (
            result.titles[r], f"{int(result.trainings[r]):,}", f"{result.seconds[r]:.1f} s",
            "yes" if result.needs_attribute[r] else "no",
            hundred(result.lots(r), 1), result.settings[r],
            guarantee_sentence(result, r),
        )
        for r in range(1, len(result.names))
    )  # fmt: skip
    columns = (
        "remedy", "networks trained", "time", f"needs {result.attribute} to decide",
        "drawn by lot of 100", "settings", "what is guaranteed",
    )  # fmt: skip
    return Grid("What each takes", columns, rows, frozenset({1, 4}))


def _gaps(result: Remedies) -> Grid:
    rows = tuple(
        (
            result.titles[r], GAPS[gap].title, interval_told(result.gaps[r, q], gap),
            "" if r == 0 else gap_change_told(result, r, gap),
            "" if r == 0 else MOVED[moved(result, r, gap)],
        )
        for r in range(len(result.names)) for q, gap in enumerate(GAP_NAMES)
    )  # fmt: skip
    return Grid(
        "Every gap", ("remedy", "gap", "value", "change", "verdict"), rows, frozenset(),
    )  # fmt: skip
