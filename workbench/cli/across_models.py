"""``workbench interactions-set`` and ``workbench profile-set``: what equally good models do."""

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.interactions import DIGITS, TOP_OPTION, scores_in_words
from workbench.cli.options import SHOWN, MethodCommand, labelled_options
from workbench.cli.results import trust_lines
from workbench.cli.running import finish, labelled_rows
from workbench.core.wording import counted, percent

if TYPE_CHECKING:
    from workbench.core.results import InteractionScores, Profiles

INTERACTIONS = """\b
Examples:
  workbench interactions-set german-mlp german
  workbench interactions-set adult-mlp adult --scored 16 --top 20 --out out/
  workbench interactions-set wine-mlp wine --explorer gaussian-weights --class "cultivar 2"
"""
PROFILES = """\b
Examples:
  workbench profile-set german-mlp german
  workbench profile-set adult-mlp adult --features age,hours_per_week --profiled 64
  workbench profile-set wine-mlp wine --pair alcohol,hue --out out/
"""


@click.command(
    "interactions-set", cls=MethodCommand, yields="interaction_scores",
    only="rashomon.interactions", no_args_is_help=True, epilog=INTERACTIONS,
)  # fmt: skip
@labelled_options
@TOP_OPTION
@SHOWN
def interactions_set(top: int, shown: str | None, **flags: Any) -> None:
    """Say which features MODEL uses together, and whether models that are as good do so.

    Models are admitted on validation rows of TABLE by their loss, and scored on the same rows
    with features of the same other rows.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file with the column that the model predicts.
    """
    finish(
        "interactions_set",
        "Exchanging",
        partial(_scores_in_words, shown=shown, top=top),
        read=labelled_rows,
        shown=shown,
        **flags,
    )


@click.command(
    "profile-set", cls=MethodCommand, yields="profiles", only="rashomon.profiles",
    no_args_is_help=True, epilog=PROFILES,
)  # fmt: skip
@labelled_options
@TOP_OPTION
@SHOWN
def profile_set(top: int, shown: str | None, **flags: Any) -> None:
    """Say how the output of MODEL changes with each feature, and of models that are as good.

    Models are admitted on validation rows of TABLE by their loss. Prints for each feature where
    their mean curves are furthest apart.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file with the column that the model predicts.
    """
    finish(
        "profiles_set",
        "Looking",
        partial(_profiles_in_words, shown=shown, top=top),
        read=labelled_rows,
        shown=shown,
        **flags,
    )


def _scores_in_words(result: "InteractionScores", shown: str | None, top: int) -> str:
    others = f" and {counted(result.n_models - 1, 'equally good model')}"
    return scores_in_words(result, shown, top, of=others, lines=_set_lines)


def _set_lines(result: "InteractionScores", shown: str | None, top: int, order: int) -> list[str]:
    found = result.cloud(result.output_index(shown), order=order)
    names = [" and ".join(result.set_names[place]) for place in found.places[:top]]
    wide, m = max(len(name) for name in names), result.n_models
    lines = []
    for at, name in enumerate(names):
        said = f"{percent(float(found.reference[at]), DIGITS)} of the variance in this model"
        if m > 1:
            low, high = (percent(float(end[at]), DIGITS) for end in (found.low, found.high))
            ends = f"{low} to {high}"
            times = round(float(found.in_top[at]) * m)
            said += f", {ends} over {m} models, among the {found.top} strongest of {times} of them"
        lines.append(f"  {name:<{wide}}  {said}{_loss(result, int(found.places[at]))}")
    return lines


def _loss(result: "InteractionScores", place: int) -> str:
    from workbench.plots.words import signed  # loads plotly

    if result.losses is None:
        return ""
    values = result.losses[:, place]
    own, low, high = (signed(float(value), 4) for value in (values[0], values.min(), values.max()))
    return f"; in the loss {own}" + (f", {low} to {high}" if len(values) > 1 else "")


def _profiles_in_words(result: "Profiles", shown: str | None, top: int) -> str:
    from workbench.plots.profiles import profile_sentence  # loads plotly

    which = result.output_index(shown)
    lines = [profile_sentence(result, which)]
    if result.n_models > 1:
        widest = result.widest(which)
        lines += [
            "",
            f"  where the mean curves of {counted(result.n_models, 'equally good model')} are "
            "furthest apart",
        ]
        lines += [_band_line(result, which, int(at)) for at in widest[:top]]
        if len(widest) > top:
            lines.append(f"  and {counted(len(widest) - top, 'more feature')}")
    return "\n".join([*lines, "", *trust_lines(result)])


def _band_line(result: "Profiles", which: int, at: int) -> str:
    """Write where the band of a feature is widest: from least to greatest, and this model's."""
    from workbench.plots.words import number  # loads plotly

    found = result.profile(at, which)
    low, high = found.mean.min(0), found.mean.max(0)
    place = int((high - low).argmax())
    ends = f"{number(float(low[place]))} to {number(float(high[place]))}"
    own = number(float(found.mean[0, place]))
    return f"  {found.feature.name:<20} {ends} at {found.labels[place]} ({own} in this model)"
