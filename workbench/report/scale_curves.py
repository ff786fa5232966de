"""Faithfulness against scale, in a report."""

from functools import partial

from workbench.checks import run_checks
from workbench.core.results import ScaleCurves
from workbench.plots import render
from workbench.plots.scale_curves import scale_sentence
from workbench.plots.words import number, quantity
from workbench.report.section import Grid, Picture, Section, facts_of


def scale_curves_section(curves: ScaleCurves, name: str) -> Section:
    """Build the section of what the best linear function misses at several scales."""
    which, record = curves.output_index(None), curves.provenance
    answer = scale_sentence(curves)
    drawn = Picture(
        f"{name}-curve", "What the best linear explanation misses at each scale", answer,
        partial(render, curves, "curve"),
    )  # fmt: skip
    return Section(
        name=name,
        title=f"{record.title}: {quantity(curves, which)}, {record.model}",
        answers=(answer,),
        pictures=(drawn,) if len(curves) else (),
        outcomes=run_checks(curves),
        tables=(_points(curves, which),) if len(curves) else (),
        values=None,
        facts=facts_of(record),
        foot=record.describe(),
    )


def _points(curves: ScaleCurves, which: int) -> Grid:
    rows = tuple(
        (number(float(scale)), *(f"{share:.3f}" for share in (middle, low, high)))
        for scale, low, middle, high in zip(curves.scales, *curves.curve(which), strict=True)
    )
    heads = ("share missed", "95 % from", "95 % to") if len(curves) == 1 else (
        "median", "lower quartile", "upper quartile"
    )  # fmt: skip
    return Grid(
        f"Share missed of {quantity(curves, which)}; neighbourhood: {curves.operator}, "
        f"{curves.law}; scale: {curves.scale_words}",
        ("scale", *heads), rows, frozenset(range(4)),
    )  # fmt: skip
