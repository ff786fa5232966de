"""Sets of equally good models in a report."""

from functools import partial

import numpy as np

from workbench.checks import run_checks
from workbench.core.rashomon import EXPLORERS, METRICS, RashomonSet
from workbench.core.wording import percent
from workbench.plots import render
from workbench.plots.rashomon_groups import group_sentence
from workbench.plots.rashomon_models import importance_sentence
from workbench.plots.rashomon_words import (
    At,
    at,
    has_range,
    metric_text,
    models_text,
    noise_sentence,
    rashomon_sentence,
    remark_text,
    row_sentence,
    widths,
)
from workbench.plots.words import number, quantity
from workbench.report.section import Grid, Picture, Section, facts_of

FEW_ROWS, MOST_ROWS, DRAWN_ROWS = 3, 50, 100


def rashomon_section(result: RashomonSet, name: str) -> Section:
    """Build the section of equally good models: how far they disagree, and about which rows."""
    which, record = result.output_index(None), result.provenance
    answers = [rashomon_sentence(result)]
    if len(result):
        answers += [rashomon_sentence(result, explorer=key) for key in result.explorers[1:]]
        answers.append(noise_sentence(result))
        answers += [
            f"{EXPLORERS[key]}: {remark}" for key in result.explorers
            if (remark := remark_text(result, key))
        ]  # fmt: skip
        answers += [row_sentence(result, row) for row in range(len(result) * _few(result))]
    return Section(
        name=name,
        title=f"{record.title}: {quantity(result, which)}, {record.model}",
        answers=tuple(answers),
        pictures=tuple(_pictures(result, name)) if len(result) else (),
        outcomes=run_checks(result),
        tables=(_metrics(result), _explorers(result)) if len(result) else (),
        values=_rows(result, which) if len(result) else None,
        facts=facts_of(record),
        foot=record.describe(),
    )


def _few(result: RashomonSet) -> bool:
    return len(result) <= FEW_ROWS


def _pictures(result: RashomonSet, name: str) -> list[Picture]:
    """Draw what there is: metrics and growth over many rows, and each row's range."""
    told = rashomon_sentence(result)
    shown = [
        ("metrics", "How far equally good models disagree, by tolerance", told, {}),
        ("rows", "Each row's prediction and its range", told, {"count": DRAWN_ROWS}),
    ]
    if not _few(result):
        shown.insert(2, ("groups", "Who bears the disagreement", group_sentence(result), {}))
    if len(result.importance):
        title = "How far equally good models rely on each feature"
        shown.append(("importance", title, importance_sentence(result), {}))
    if np.isfinite(result.growth).any():
        shown.append(("growth", "How the disagreement grows with the number of models", told, {}))
    shown.append(("cost", "What each explorer took and found", told, {}))
    return [
        Picture(f"{name}-{view}", title, alt, partial(render, result, view, **options))
        for view, title, alt, options in shown
    ]


def _metrics(result: RashomonSet) -> Grid:
    """List every metric of every explorer at the tolerance that is reported on."""
    where = at(result)
    rows = tuple(
        (METRICS[metric], *(
            metric_text(result, metric, float(result.metrics[e, where.tolerance, m]))
            for e in range(len(result.explorers))
        ))
        for m, metric in enumerate(result.metric_names)
    )  # fmt: skip
    columns = ("metric", *(EXPLORERS[key] for key in result.explorers))
    return Grid(
        f"Metrics at tolerance {number(float(result.tolerances[where.tolerance]))} of "
        f"{result.loss_name}", columns, rows, frozenset(range(1, len(columns))),
    )  # fmt: skip


def _explorers(result: RashomonSet) -> Grid:
    """List what each explorer tried and admitted at each tolerance."""
    rows = tuple(
        (EXPLORERS[key], number(float(eps)), models_text(result, At(e, t)),
         percent(float(result.admitted[e, t] / result.drawn[e])) if result.drawn[e] else "none",
         number(float(result.noise[e, t])) if np.isfinite(result.noise[e, t]) else "not known",
         "yes" if result.below_noise[e, t] else "no", number(float(result.seconds[e])))
        for e, key in enumerate(result.explorers) for t, eps in enumerate(result.tolerances)
    )  # fmt: skip
    columns = (
        "explorer", "tolerance", "models", "admitted", "noise (paired standard error)",
        "below two of it", "seconds in all",
    )  # fmt: skip
    return Grid("What was tried and admitted", columns, rows, frozenset({1, 3, 4, 6}))


def _rows(result: RashomonSet, which: int) -> Grid:
    """List the rows that equally good models disagree about most."""
    where = at(result)
    frame = result.rows_frame(result.explorers[0], float(result.tolerances[where.tolerance]), which)
    order = np.argsort(-widths(result, where, which), kind="stable")
    order = order[: len(result) if has_range(result, where) else 0][:MOST_ROWS]
    shown = frame.iloc[order][["row", "decision", "prediction", "low", "high", "flips"]]
    lines = tuple(
        (str(row), str(decision), *(number(x) for x in (value, low, high)), percent(flips))
        for row, decision, value, low, high, flips in shown.itertuples(index=False, name=None)
    )
    columns = ("row", "decision", "prediction", "from", "to", "decide otherwise")
    return Grid(
        f"Rows with the widest range of {quantity(result, which)} ({EXPLORERS[result.explorers[0]]}"
        f", {models_text(result, where)})", columns, lines, frozenset({0, 2, 3, 4, 5}),
    )  # fmt: skip
