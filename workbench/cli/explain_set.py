"""``workbench explain-set``: would equally good models explain rows in the same way?"""

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import SHOWN, MethodCommand, labelled_options
from workbench.cli.results import trust_lines
from workbench.cli.running import finish, labelled_rows
from workbench.core.wording import counted, percent

if TYPE_CHECKING:
    from workbench.core.results import AttributionRange

EXAMPLES = """\b
Examples:
  workbench explain-set german-mlp german --rows 5
  workbench explain-set adult-mlp adult --tolerance 0.005 --explained 32 --out out/
  workbench explain-set wine-mlp wine --rows 0:20 --explorer gaussian-weights --push
"""
TOP = 12


@click.command(
    "explain-set", cls=MethodCommand, no_args_is_help=True, epilog=EXAMPLES,
    yields="attribution_range",
)  # fmt: skip
@partial(labelled_options, rows="0:100")
@SHOWN
def explain_set(shown: str | None, **flags: Any) -> None:
    """Explain rows of TABLE by MODEL and by other models that are as good.

    Models are admitted on validation rows of TABLE by their loss, and explained with the same
    background rows and random numbers. Prints for each feature how far its attribution differs
    among them, and whose sign depends on which one is asked.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file with the column that the model predicts.
    """
    finish(
        "explain_set",
        "Explaining",
        partial(_summary, shown=shown),
        read=labelled_rows,
        shown=shown,
        **flags,
    )


def _summary(result: "AttributionRange", shown: str | None) -> str:
    from workbench.plots.attribution_range_words import range_sentence, stability_sentence

    which = result.output_index(shown)
    lines = [range_sentence(result, output=which)]
    if result.n_models:
        table = _row_lines if len(result) == 1 else _importance_lines
        lines += [stability_sentence(result, output=which), "", *table(result, which)]
    return "\n".join([*lines, "", *trust_lines(result)])


def _row_lines(result: "AttributionRange", which: int) -> list[str]:
    """List the attributions of one row: the given model's, and the range over all models."""
    from workbench.plots.words import (  # loads plotly
        WORTH_A_WORD,
        decimals_for,
        feature_is,
        quantity,
        signed,
    )

    low, high = (end[0] for end in result.span(which))
    values = result.given_values[0, :, which]
    flips = result.flips(which, least=WORTH_A_WORD)[0]
    agreement = result.sign_agreement(which)[0]
    size = abs(low).clip(abs(high))
    digits = decimals_for(float(size.max())) + 1
    order = (-size).argsort(kind="stable")
    cells = [
        (signed(float(values[j]), digits), signed(float(low[j]), digits),
         signed(float(high[j]), digits), _share(float(agreement[j])),
         feature_is(result, 0, j) + ("  (sign flips)" if flips[j] else ""))
        for j in order[:TOP]
    ]  # fmt: skip
    head = f"  attribution to {quantity(result, which)} by this model, and from least to greatest"
    return [
        f"{head} over all;", "  share of the models with the same sign",
        *(f"  {own:>10} {least:>10} {most:>10} {share:>9}  {name}"
          for own, least, most, share, name in cells),
        *_further(len(order) - TOP),
    ]  # fmt: skip


def _importance_lines(result: "AttributionRange", which: int) -> list[str]:
    """List the importances of features over the rows, and for how many rows their sign flips."""
    from workbench.plots.words import WORTH_A_WORD, decimals_for, quantity  # loads plotly

    frame = result.importance(which)
    flips = result.flips(which, least=WORTH_A_WORD).mean(0)
    digits = decimals_for(float(frame["high"].max())) + 1
    lines = [
        f"  {line.importance:>10,.{digits}f} {line.low:>10,.{digits}f} {line.high:>10,.{digits}f} "
        f"{percent(float(flips[result.names.index(line.feature)])):>9}  {line.feature}"
        for line in frame.head(TOP).itertuples()
    ]
    return [
        f"  mean |attribution| to {quantity(result, which)} by this model, and from least to "
        "greatest", f"  over {counted(result.n_models + 1, 'model')}; share of the rows for which "
        "the sign flips", *lines, *_further(len(frame) - TOP),
    ]  # fmt: skip


def _share(share: float) -> str:
    return "-" if share != share else percent(share)  # noqa: PLR0124 - NaN


def _further(n: int) -> list[str]:
    return [f"  and {counted(n, 'more feature')}"] if n > 0 else []
