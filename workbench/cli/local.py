"""A simple function around rows, and how far one holds."""

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MethodCommand, rows_options
from workbench.cli.results import trust_lines
from workbench.cli.running import finish, rows_and_background
from workbench.core.wording import counted

if TYPE_CHECKING:
    from workbench.core.results import LocalFunctions, ScaleCurves

EXAMPLES = """\b
Examples:
  workbench local adult-mlp adult --rows 5
  workbench local wine-mlp wine --rows 5 --operator mask --law shapley --function pairwise
  workbench local adult-mlp adult --rows 0:50 --operator resample --out out/
"""
SCALES_EXAMPLES = """\b
Examples:
  workbench scales adult-mlp adult --rows 5
  workbench scales wine-mlp wine --rows 0:36 --operator mask
"""
TOP = 12


@click.command(cls=MethodCommand, no_args_is_help=True, epilog=EXAMPLES, yields="local_functions")
@rows_options("0")
def local(**flags: Any) -> None:
    """Fit a simple function to MODEL around rows of TABLE, in a neighbourhood of your choice.

    Prints its coefficients and what it misses of the model over samples that it was not fitted to.
    """
    tell = partial(_local_summary, shown=flags["shown"])
    finish("local_functions", "Fitting", tell, read=rows_and_background, **flags)


def _local_summary(result: "LocalFunctions", shown: str | None) -> str:
    from workbench.plots.local_functions import local_function_sentence  # loads plotly

    which = result.output_index(shown)
    row = 0 if len(result) == 1 else None
    lines = [local_function_sentence(result, row, which), "", *_coefficients(result, which)]
    return "\n".join([*lines, "", *trust_lines(result)])


def _coefficients(result: "LocalFunctions", which: int) -> list[str]:
    """List the coefficients of the first row, the largest first, with 95 % intervals."""
    from workbench.plots.local_functions import coefficients_of
    from workbench.plots.words import decimals_for

    found = coefficients_of(result, 0, which)
    if not len(found.values):
        return []
    digits = decimals_for(float(abs(found.values).max())) + 1
    lines = [
        f"  {value:+,.{digits}f} ± {half:,.{digits}f}   {meaning}"
        for value, half, meaning in zip(found.values, found.half, found.meanings, strict=True)
    ]
    rest = len(lines) - TOP
    more = [f"  and {counted(rest, 'more coefficient')}"] if rest > 0 else []
    return [f"  row {result.ids[0]}, ± 95 % from samples", *lines[:TOP], *more]


@click.command(
    cls=MethodCommand, no_args_is_help=True, epilog=SCALES_EXAMPLES, yields="scale_curves"
)
@rows_options("0")
def scales(**flags: Any) -> None:
    """Say how far around rows of TABLE a linear function stays true to MODEL.

    Prints the share that the best linear function misses, scale by scale.
    """
    tell = partial(_scales_summary, shown=flags["shown"])
    finish("scale_curves", "Looking", tell, read=rows_and_background, **flags)


def _scales_summary(result: "ScaleCurves", shown: str | None) -> str:
    from workbench.plots.scale_curves import scale_sentence  # loads plotly

    which = result.output_index(shown)
    lines = [scale_sentence(result, output=which), "", *_curve(result, which)]
    return "\n".join([*lines, "", *trust_lines(result)])


def _curve(result: "ScaleCurves", which: int) -> list[str]:
    """List scales with what is missed there: with an interval, or over rows with quartiles."""
    low, middle, high = result.curve(which)
    over = "95 %" if len(result) == 1 else f"quartiles over {len(result):,} rows"
    lines = [
        f"  {scale:>9.3g}  {missed:6.3f}  ({least:.3f} to {most:.3f})"
        for scale, least, missed, most in zip(result.scales, low, middle, high, strict=True)
    ]
    return [f"  {result.scale_words}: share missed ({over})", *lines]
