"""``workbench explain``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.candidates import method_names
from workbench.cli.options import (
    MODEL,
    RUNNING,
    SHOWN,
    SPLIT,
    TABLE,
    MethodCommand,
    background_options,
    rows_option,
    with_flags,
)
from workbench.cli.results import check_folder, trust_lines
from workbench.cli.running import Asked, finish, rows_and_background
from workbench.core.errors import InvalidInputError
from workbench.core.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.model import Model
    from workbench.core.results import Attribution, Interactions, LocalModels
    from workbench.core.table import Table

PAIRS = "interactions"  # kind of the results that are about pairs of features
LOCAL = "local_models"  # of those that are linear models of a row's neighbourhood
EXPLAINER, ASKS_EXPLAINERS = "explainer", "fastshap"
TOP = 12
EXPLAIN_EXAMPLES = """\b
Examples:
  workbench explain adult-mlp adult --rows 5
  workbench explain adult-mlp adult --rows 0:200 --method kernel --out out/
  workbench explain adult-mlp people.csv --budget 512 --output score
  workbench explain adult-mlp people.csv --explainer adult.explainer
  workbench explain adult-mlp adult --rows 5 --method interactions --index STII
  workbench explain adult-mlp adult --rows 5 --method lime --sampling around
  workbench explain adult-mlp adult --rows 3 --set age=40 --set education_num=13
"""


class ExplainCommand(MethodCommand):
    """A command with the flags of methods for single features, for pairs and of local models."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own flags, then those of the methods, each once."""
        own = super().get_params(ctx)
        if ctx.resilient_parsing:
            return own
        for kind in (PAIRS, LOCAL):
            known = {flag.name for flag in own}
            others = MethodCommand(self.name, yields=kind).get_params(ctx)
            own += [flag for flag in others if flag.name not in known]
        return own


@click.command(cls=ExplainCommand, no_args_is_help=True, epilog=EXPLAIN_EXAMPLES)
@with_flags(
    MODEL,
    TABLE,
    rows_option("0:10"),
    SPLIT,
    click.option(
        "--method", default="auto", show_default=True, shell_complete=method_names,
        help="auto or a name from `list`.",
    ),
    click.option(
        "--set", "changes", multiple=True, metavar="COLUMN=VALUE",
        help="Explain the rows as if this column held this value, such as --set age=40; may be "
        "repeated.",
    ),
    click.option(
        "--explainer", type=click.Path(path_type=Path),
        help="File of `fastshap train --out`, or a folder of them, to ask instead of those kept; "
        "with --method auto it is asked by fastshap.",
    ),
    *background_options(None, "100; of lime 2,000"),
    SHOWN,
    *RUNNING,
)  # fmt: skip
def explain(
    model: str, method: str, changes: tuple[str, ...], explainer: Path | None,
    n_background: int | None, **flags: Any,
) -> None:  # fmt: skip
    """Say which features made the predictions of MODEL for rows of TABLE.

    With --method interactions: which pairs of features worked together. With --method lime: what
    a linear model of each row's neighbourhood says. With --set: what the model says of the rows
    with other values, and why.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a CSV, Excel, Parquet or Feather file.
    """
    from workbench import api  # loads torch

    if flags["out"] is not None:
        check_folder(flags["out"])
    chosen = api.load_model(model)
    if explainer is not None:
        chosen, method, flags = _with_explainer(chosen, explainer, method, flags)
    local, pairs = _yields(method, LOCAL), _yields(method, PAIRS)
    usual = api.REFERENCE_ROWS if local else api.BACKGROUND_ROWS
    tell = _local_summary if local else _pairs_summary if pairs else summary
    finish(
        "lime" if local else "interactions" if pairs else "explain", "Explaining",
        partial(_told, shown=flags["shown"], tell=tell, changes=changes), model=chosen,
        named=model, changes=_values(changes),
        read=partial(_changed, changes=changes), method=None if pairs else method,
        n_background=usual if n_background is None else n_background,
        fewer=local and n_background is None, **flags,
    )  # fmt: skip


def _changed(model: "Model", asked: Asked, changes: tuple[str, ...]) -> "dict[str, Table]":
    """Read rows and background, and give the rows the values of ``--set``."""
    tables = rows_and_background(model, asked)
    if not changes:
        return tables
    return {**tables, "rows": tables["rows"].with_values(_values(changes))}


def _values(changes: tuple[str, ...]) -> dict[str, str]:
    """Read ``age=40``, several times."""
    values: dict[str, str] = {}
    for change in changes:
        name, equals, value = (part.strip() for part in change.partition("="))
        if not (name and equals and value):
            raise InvalidInputError(
                f"--set: {change[:80]!r} names no column and value; write for example --set age=40."
            )
        if name in values:
            raise InvalidInputError(f"--set: column {name[:80]!r} is set twice; give one value.")
        values[name] = value
    return values


def _told(
    result: Any, *, shown: str | None, tell: "Callable[[Any, int], str]", changes: tuple[str, ...]
) -> str:
    head = [f"As if {' and '.join(change.strip() for change in changes)}:"] if changes else []
    return "\n".join([*head, tell(result, result.output_index(shown))])


def _with_explainer(
    model: "Model", path: Path, method: str, flags: dict[str, Any]
) -> "tuple[Model, str, dict[str, Any]]":
    """Attach the explainer of a file or folder that fits what is asked.

    Returns the model, the method that asks it, and the flags, whose settings follow the explainer
    where none were given.
    """
    from workbench import api  # loads torch
    from workbench.core.schema import listing
    from workbench.registry.explainers import explainers_at

    method = ASKS_EXPLAINERS if method == "auto" else method
    found = explainers_at(path)
    games = [{"output": e.output, "link": e.link, "value": e.value} for e in found]
    fitting = [
        (explainer, game)
        for explainer, game in zip(found, games, strict=True)
        if all(flags.get(name) in {None, value} for name, value in game.items())
    ]
    if not fitting:
        kinds = listing([f"{g['output']} with link {g['link']} ({g['value']})" for g in games])
        raise InvalidInputError(
            f"{str(path)!r} explains {kinds}, which is not what --output, --link or --value ask "
            "for; leave them out, or take another explainer."
        )
    explainer, game = fitting[-1]
    fields = api.list_methods()[api.find_method(method)].params.model_fields
    flags = {**flags, **{name: value for name, value in game.items() if name in fields}}
    settings = {name: flags[name] for name in fields if flags.get(name) is not None}
    model = api.attach(model, explainer)
    if not api.explainer_for(model, api.find_method(method), settings):
        raise InvalidInputError(
            f"Method {method!r} asks no explainer of {explainer.value} values; choose --method "
            "fastshap, or leave out --explainer."
        )
    return model, method, flags


def summary(result: "Attribution", output: int) -> str:
    """Say what an attribution says, number by number, and how far to trust it."""
    from workbench.plots.words import overall_sentence, sentence

    if len(result) == 1:
        lines = [sentence(result, 0, output), "", *_row_lines(result, output)]
    else:
        lines = [overall_sentence(result, output), "", *_importance_lines(result, output)]
    return "\n".join([*lines, "", *trust_lines(result)])


def _yields(method: str, kind: str) -> bool:
    """Tell whether a name means a method that yields results of a kind."""
    from workbench.api import find_method, list_methods  # loads torch

    try:
        return method != "auto" and list_methods()[find_method(method)].yields.kind == kind
    except InvalidInputError:  # told by the verb, which knows what else to choose
        return False


def _local_summary(result: "LocalModels", output: int) -> str:
    from workbench.plots.local_models import fit_sentence, local_sentence

    lines = [local_sentence(result, output=output), fit_sentence(result, output=output), ""]
    lines += _coefficient_lines(result, output)
    return "\n".join([*lines, "", *trust_lines(result)])


def _coefficient_lines(result: "LocalModels", output: int) -> list[str]:
    """List the coefficients of one row with intervals, or their mean size over several rows."""
    from workbench.plots.words import decimals_for, quantity  # loads plotly

    what, n = quantity(result, output), len(result)
    values, half = result.coefficients[:, :, output], result.half_widths()[:, :, output]
    size = abs(values).mean(0)
    order = (-size).argsort(kind="stable")
    shown = [j for j in order if result.selected[:, j, output].any()]
    digits = decimals_for(float(size.max())) + 1
    if n > 1:
        head = f"  mean |coefficient| for {what} over {n:,} rows"
        lines = [f"  {size[j]:,.{digits}f}   {result.names[j]}" for j in shown[:TOP]]
    else:
        head = f"  coefficients for {what}, ± 95 % from samples"
        lines = [
            f"  {values[0, j]:+,.{digits}f} ± {half[0, j]:,.{digits}f}   "
            f"{result.condition(0, j)} ({result.meanings[j]})"
            for j in shown[:TOP]
        ]
    return [head, *lines, *_further(len(shown) - TOP, "more feature")]


def _pairs_summary(result: "Interactions", output: int) -> str:
    from workbench.plots.interactions import adds_up_sentence, interactions_sentence

    lines = [interactions_sentence(result, output=output), "", *_pair_lines(result, output)]
    return "\n".join([*lines, "", *trust_lines(result, adds_up_sentence(result))])


def _pair_lines(result: "Interactions", output: int) -> list[str]:
    """List the strongest pairs: of one row with signs, of several rows by their mean size."""
    from workbench.plots.interactions import pair_half_widths  # loads plotly
    from workbench.plots.words import decimals_for

    frame, unit = result.strongest(output), result.unit
    of = f"pairs for {result.output_names[output]}{f' ({unit})' if unit else ''}"
    digits = decimals_for(float(frame["strength"].max())) + 1 if len(frame) else 2
    if len(result) > 1:
        head = f"  mean |{result.index}| of {of}, ± 95 % over rows"
        shown = [f"{value:,.{digits}f}" for value in frame["strength"].head(TOP)]
    else:
        sources = " and ".join(result.sources_of_error)
        head = f"  {result.index} of {of}{f', ± 95 % from {sources}' if sources else ''}"
        shown = [f"{value:+,.{digits}f}" for value in frame["mean"].head(TOP)]
    lines, half = [head], pair_half_widths(result, output)
    for text, spread, pair in zip(shown, half, frame.itertuples(), strict=False):
        error = "" if spread != spread else f" ± {spread:,.{digits}f}"  # noqa: PLR0124 - NaN
        lines.append(f"  {text}{error}   {pair.feature} and {pair.other}")
    return lines + _further(len(frame) - TOP, "more pair")


def _row_lines(result: "Attribution", output: int) -> list[str]:
    """One row from its base value to its prediction, the largest effects between."""
    from workbench.plots.words import decimals_for, quantity  # loads plotly

    values, half = result.values[0, :, output], result.uncertainty()[0, :, output]
    sources = " and ".join(result.sources_of_error)
    base, prediction = result.base_values[0, output], result.predictions[0, output]
    digits = decimals_for(float(abs(values).max())) + 1
    lines = [(base, "", f"base value of {quantity(result, output)}")]
    for i in abs(values).argsort()[::-1][:TOP]:
        feature = result.schema.features[i]
        spread = f"± {half[i]:,.{digits}f}" if sources else ""
        lines.append((values[i], spread, f"{feature.name} = {feature.show(result.data[0, i])}"))
    if (rest := len(values) - TOP) > 0:
        others = abs(values).argsort()[::-1][TOP:]
        lines.append((values[others].sum(), "", counted(rest, "more feature")))
    lines.append((prediction, "", "prediction"))
    texts = [(f"{value:+,.{digits}f}", spread, what) for value, spread, what in lines]
    wide, spreads = (max(len(text[column]) for text in texts) for column in (0, 1))
    head = [f"  ± 95 %, from {sources}"] if sources else []
    return head + [
        f"  {value:>{wide}} {spread:<{spreads}}  {what}" for value, spread, what in texts
    ]


def _importance_lines(result: "Attribution", output: int) -> list[str]:
    from workbench.plots.bar import importance_half_widths  # loads plotly

    frame, half = result.importance(output), importance_half_widths(result, output)
    drawn = " and background rows" if result.background_std_errors is not None else ""
    unit = f" ({result.unit})" if result.unit else ""
    lines = [
        f"  mean |attribution| for {result.output_names[output]}{unit}, ± 95 % over rows{drawn}"
    ]
    lines += [
        f"  {row.importance:.4f} ± {wide:.4f}   {row.feature}"
        for row, wide in zip(frame.head(TOP).itertuples(), half, strict=False)
    ]
    return lines + _further(len(frame) - TOP, "more feature")


def _further(n: int, noun: str) -> list[str]:
    return [f"  and {counted(n, noun)}"] if n > 0 else []
