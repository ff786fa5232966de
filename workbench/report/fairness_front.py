"""Fairness across equally good models in a report."""

from functools import partial

from workbench.checks import run_checks
from workbench.core.fairness_front import NONE, REPORTED, FairnessFront
from workbench.core.fairness_metrics import GAPS
from workbench.core.wording import percent
from workbench.plots import render, views_of
from workbench.plots.fairness_front import GAPS_SHOWN
from workbench.plots.fairness_front_words import (
    causes_sentence,
    change_text,
    front_sentence,
    left_out_sentence,
    luck_sentence,
    range_sentence,
    reading_sentence,
    value_text,
)
from workbench.plots.words import counting_sentence
from workbench.report.section import Grid, Picture, Section, facts_of

TITLES = {
    "plane": "Accuracy and gap of each model",
    "ranges": "How far gaps lie apart among models about as accurate",
    "change": "What the alternative changes",
    "causes": "Which features make scores of groups differ, before and after",
}
SHOWN = 30


def fairness_front_section(result: FairnessFront, name: str) -> Section:
    """Build the section of fairness across equally good models."""
    record, answer = result.provenance, front_sentence(result)
    more = (
        counting_sentence(result),
        left_out_sentence(result),
        luck_sentence(result),
        reading_sentence(result),
        range_sentence(result),
        causes_sentence(result),
    )
    return Section(
        name=name,
        title=f"{record.title}: {record.model} on {record.table}",
        answers=(answer, *(sentence for sentence in more if sentence)),
        pictures=tuple(
            Picture(
                f"{name}-{view}", TITLES[view], f"{TITLES[view]}. {answer}",
                partial(render, result, view),
            )
            for view in views_of(result)
        ),
        outcomes=run_checks(result),
        tables=(_gaps(result), _front(result)),
        values=None,
        facts=facts_of(record),
        foot=record.describe(),
    )  # fmt: skip


def _gaps(result: FairnessFront) -> Grid:
    rows = []
    for name in GAPS_SHOWN:
        q = result.gap_index(name)
        m = int(result.chosen[q])
        given = value_text(name, result.gaps[0, REPORTED, q])
        if m == NONE:
            rows.append((GAPS[name].title, given, "none found", "", ""))
            continue
        rows.append((
            GAPS[name].title, given, value_text(name, result.gaps[m, REPORTED, q]),
            change_text(result.change[m, REPORTED, q]),
            "yes" if result.confirmed(q) else "no",
        ))  # fmt: skip
    columns = ("gap", "given model", "its own alternative", "change", "confirmed")
    return Grid("The least discriminatory alternative for each gap", columns, tuple(rows),
                frozenset({1, 2, 3}))  # fmt: skip


def _front(result: FairnessFront) -> Grid:
    q = result.at
    best = [m for m in range(len(result)) if result.front[m, REPORTED, q] or m == 0]
    best = sorted(best, key=lambda m: -float(result.accuracy[m, REPORTED, 0]))[:SHOWN]
    rows = tuple(
        (
            result.name(m), percent(float(result.accuracy[m, REPORTED, 0])),
            value_text(result.gap, result.gaps[m, REPORTED, q]),
            change_text(result.change[m, REPORTED, q]),
            percent(float(result.chance[m, REPORTED, q])),
        )
        for m in best
    )  # fmt: skip
    columns = ("model", "right", "gap", "change", "chance that none beats it")
    return Grid("Models that no other beats, and the given one", columns, rows,
                frozenset({1, 2, 3, 4}))  # fmt: skip
