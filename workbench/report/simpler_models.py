"""Simpler models in a report."""

from functools import partial

from workbench.checks import run_checks
from workbench.core.simpler_models import LEARNERS, SimplerModels
from workbench.plots import render, views_of
from workbench.plots.simpler_models import share_in_words, simpler_sentence
from workbench.plots.words import number, signed
from workbench.report.section import Grid, Picture, Section, facts_of

TITLES = {
    "learners": "How close simple learners come to complex ones",
    "trees": "How common good trees are, depth by depth",
}


def simpler_models_section(result: SimplerModels, name: str) -> Section:
    """Build the section of simpler models."""
    record, answer = result.provenance, simpler_sentence(result)
    tables = (_rules(result), _learners(result))
    return Section(
        name=name,
        title=f"{record.title}: {record.model} on {record.table}",
        answers=(answer,),
        pictures=tuple(
            Picture(
                f"{name}-{view}", TITLES[view], f"{TITLES[view]}. {answer}",
                partial(render, result, view),
            )
            for view in views_of(result)
        ),
        outcomes=run_checks(result),
        tables=(*tables, _depths(result)) if len(result.depths) else tables,
        values=None,
        facts=facts_of(record),
        foot=record.describe(),
    )  # fmt: skip


def _rules(result: SimplerModels) -> Grid:
    rows = tuple(
        (rule, label, f"{count:,}", number(float(loss)))
        for rule, label, count, loss in zip(
            result.rules, result.labels, result.rule_rows, result.rule_loss, strict=True
        )
    )
    columns = ("where", "the tree says", "training rows", result.loss_name)
    return Grid("The small tree", columns, rows, frozenset({2, 3}))


def _learners(result: SimplerModels) -> Grid:
    rows = tuple(
        (
            LEARNERS[key], "yes" if result.is_simple[i] else "no",
            *(number(float(part[i])) for part in (
                result.cv_loss, result.cv_gap, result.cv_noise, result.test_loss,
            )),
            signed(float(result.test_excess[i]), 4), number(float(result.test_noise[i])),
        )
        for i, key in enumerate(result.learners)
    )  # fmt: skip
    columns = (
        "learner", "simple", "cross-validated", "behind the best", "standard error",
        "rows reported on", "against the model", "its standard error",
    )  # fmt: skip
    return Grid(f"Learners: {result.loss_name}", columns, rows, frozenset(range(2, len(columns))))


def _depths(result: SimplerModels) -> Grid:
    rows = tuple(
        (
            str(result.depths[i]), number(float(result.best_loss[i])),
            number(float(result.best_test[i])), share_in_words(result, i),
            f"{result.drawn[i]:,}", f"{result.good[i]:,}", f"{result.patterns[i]:,}",
        )
        for i in range(len(result.depths))
    )  # fmt: skip
    columns = (
        "depth", "best loss", "rows reported on", "share of good trees", "looked at", "good",
        "patterns",
    )  # fmt: skip
    return Grid("Trees of growing depth", columns, rows, frozenset(range(len(columns))))
