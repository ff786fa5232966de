"""Tests of interactions in a report."""

from functools import partial

from workbench.checks import run_checks
from workbench.core.interaction_test import VERDICTS, InteractionTest
from workbench.core.wording import percent
from workbench.plots import render, views_of
from workbench.plots.interaction_test import interaction_test_sentence, loss_sentence
from workbench.plots.words import number, signed
from workbench.report.section import Grid, Picture, Section, facts_of

TITLES = {"pairs": "What pairs do together, with and without interactions in the data"}
SHOWN = 50


def interaction_test_section(result: InteractionTest, name: str) -> Section:
    """Build the section of a test of interactions."""
    record, answer = result.provenance, interaction_test_sentence(result)
    return Section(
        name=name,
        title=f"{record.title}: {record.model} on {record.table}",
        answers=(answer, loss_sentence(result)),
        pictures=tuple(
            Picture(
                f"{name}-{view}", TITLES[view], f"{TITLES[view]}. {answer}",
                partial(render, result, view),
            )
            for view in views_of(result)
        ),
        outcomes=run_checks(result),
        tables=(_losses(result), _pairs(result)),
        values=None,
        facts=facts_of(record),
        foot=record.describe(),
    )  # fmt: skip


def _losses(result: InteractionTest) -> Grid:
    unit = f" in {result.loss_unit}" if result.loss_unit else ""
    rows = (
        ("Additive model", number(result.additive_loss), "", number(result.additive_loss_noise)),
        (
            "Networks trained on the real labels", number(float(result.network_losses.mean())),
            signed(result.network_excess, 4), number(result.network_noise),
        ),
        (
            "This model", number(result.given_loss), signed(result.given_excess, 4),
            number(result.given_noise),
        ),
    )  # fmt: skip
    columns = ("model", f"loss{unit}", "against the additive model", "standard error")
    return Grid("How well each predicts", columns, rows, frozenset({1, 2, 3}))


def _pairs(result: InteractionTest) -> Grid:
    rows = tuple(
        (
            result.pair_names[i],
            *(percent(float(part[i])) for part in (
                result.given, result.typical, result.typical_without, result.band_high,
            )),
            number(float(result.q[i])), VERDICTS[result.verdicts[i]],
        )
        for i in result.order[:SHOWN]
    )  # fmt: skip
    columns = (
        "pair", "this model", "real labels", "without interactions", "end of the band", "q",
        "verdict",
    )  # fmt: skip
    caption = "Share of the variance of each pair"
    if len(result.pairs) > SHOWN:
        caption = f"{caption}, the first {SHOWN}"
    return Grid(caption, columns, rows, frozenset(range(1, 6)))
