"""Profiles of features, in a report."""

from functools import partial

from workbench.checks import run_checks
from workbench.core.results import Profiles
from workbench.plots import render
from workbench.plots.profiles import profile_sentence, with_order
from workbench.plots.words import number, quantity
from workbench.report.section import Grid, Picture, Section, facts_of

# Features with a figure of their own, and those in the table.
DRAWN, LISTED = 3, 40


def profiles_section(result: Profiles, name: str) -> Section:
    """Build the section of how the output changes with features."""
    which, record = result.output_index(None), result.provenance
    return Section(
        name=name,
        title=f"{record.title}: {quantity(result, which)}, {record.model}",
        answers=(profile_sentence(result, which),),
        pictures=_pictures(result, name),
        outcomes=run_checks(result),
        tables=(_features(result, which),),
        values=None,
        facts=facts_of(record),
        foot=record.describe(),
    )


def _pictures(result: Profiles, name: str) -> tuple[Picture, ...]:
    """Draw the features that matter most, their effects, and the pair."""
    shown = [result.names[at] for at in result.ranking()[:DRAWN]]
    drawn = [
        Picture(
            f"{name}-profile-{i}", f"Mean over rows and single rows: {feature}",
            f"Curve of the mean output over the values of {feature}.",
            partial(render, result, "profile", feature=feature),
        )
        for i, feature in enumerate(shown)
    ]  # fmt: skip
    drawn += [
        Picture(
            f"{name}-effects-{i}", f"Accumulated local effects: {feature}",
            f"Curve of accumulated effects over the values of {feature}.",
            partial(render, result, "effects", feature=feature),
        )
        for i, feature in enumerate(shown) if feature in with_order(result)
    ]  # fmt: skip
    if len(result.pair):
        both = " and ".join(result.names[at] for at in result.pair)
        drawn.append(
            Picture(
                f"{name}-pair", f"Mean over rows: {both}", f"Map of the mean output over {both}.",
                partial(render, result, "pair"),
            )
        )  # fmt: skip
    return tuple(drawn)


def _features(result: Profiles, which: int) -> Grid:
    """List the features with the ends of their mean curves, the widest first."""
    rows = []
    for at in result.ranking(which)[:LISTED]:
        found = result.profile(int(at), which)
        low, high = int(found.mean[0].argmin()), int(found.mean[0].argmax())
        rows.append((
            found.feature.name, number(float(found.mean[0, low])), found.labels[low],
            number(float(found.mean[0, high])), found.labels[high],
        ))  # fmt: skip
    return Grid(
        f"Mean {quantity(result, which)} had all rows this value",
        ("feature", "lowest", "at", "highest", "at value"), tuple(rows), frozenset({1, 3}),
    )  # fmt: skip
