"""Figures and sentences of errors by group against the numbers they are made of."""

from dataclasses import replace

import numpy as np
import pytest

from tests.error_audits import some_errors
from workbench.core.error_audit import MEASURES
from workbench.core.errors import InvalidInputError
from workbench.plots.error_audit import errors_sentence, gaps, groups
from workbench.report import to_json, write_report

MAE = list(MEASURES).index("mean_absolute_error")


def dots(figure):
    found = [
        trace
        for trace in figure.data
        if trace.mode == "markers" and trace.error_x.array is not None
    ]
    return [
        (int(y), float(x), float(x - below), float(x + above))
        for trace in found
        for x, y, above, below in zip(
            trace.x, trace.y, trace.error_x.array, trace.error_x.arrayminus, strict=True
        )
    ]  # fmt: skip


@pytest.mark.parametrize("dark", [True, False])
def test_dots_are_values_and_whiskers_intervals(dark):
    result = some_errors()
    for p, name in enumerate(result.partition_names):
        drawn = dots(groups(result, partition=name, dark=dark))
        found = result.groups_of(p)
        assert {place for place, *_ in drawn} == set(range(len(found)))
        for place, value, low, high in drawn:
            np.testing.assert_allclose([value, low, high], result.values[MAE, found[place]])
    for place, value, low, high in dots(gaps(result, partition=0, dark=dark)):
        np.testing.assert_allclose([value, low, high], result.gaps[place, 0])


def test_small_groups_are_open_and_groups_without_rows_say_so():
    result = some_errors()
    sizes = result.sizes.copy()
    values, empty = result.values.copy(), int(result.groups_of(0)[1])
    sizes[result.groups_of(0)[0]], sizes[empty], values[:, empty] = 5, 0, np.nan
    figure = groups(replace(result, sizes=sizes, values=values))
    symbols = {trace.marker.symbol: len(trace.x) for trace in figure.data}
    assert symbols == {"circle": 1, "circle-open": 1}
    assert "no rows" in [annotation.text for annotation in figure.layout.annotations]
    assert any("(5)" in label for label in figure.layout.yaxis.ticktext)


def test_names_that_want_to_be_markup_are_shown():
    result = some_errors()
    wild = tuple(("<b>x</b>",) * len(levels) for levels in result.group_levels)
    text = groups(replace(result, group_levels=wild)).to_json()
    assert "<b>x" not in text.replace("\\u003c", "<").replace("<b>&lt;b&gt;x", "")


def test_the_sentence_names_who_is_off_most_and_whether_that_is_chance():
    result = some_errors()
    found = result.groups_of(0)
    worst = found[result.values[MAE, found, 0].argmax()]
    said = errors_sentence(result, 0)
    assert f"on average for {result.group_names[worst]}, and by" in said
    adjusted = result.adjusted.copy()
    for chance, words in (
        (0.5, "no more than chance may bring"),
        (0.01, "more than chance brings"),
    ):
        adjusted[:] = chance
        assert words in errors_sentence(replace(result, adjusted=adjusted), 0)
    few = replace(result, sizes=np.full(len(result), 3))
    assert errors_sentence(few, 0) == (
        "By c1, fewer than two groups have enough rows to be compared (20)."
    )
    low = result.values.copy()
    low[list(MEASURES).index("mean_error"), found[0]] = [-2.0, -3.0, -1.0]
    assert f"Predicted too low on average: {result.group_names[found[0]]}." in errors_sentence(
        replace(result, values=low), 0
    )


def test_says_what_is_wrong():
    with pytest.raises(
        InvalidInputError, match="There is no partition 'age'; choose one of c1, c3"
    ):
        groups(some_errors(), partition="age")
    with pytest.raises(
        InvalidInputError, match="There is no measure 'mse'; choose one of mean_pred"
    ):
        groups(some_errors(), measure="mse")


def test_a_report_holds_sentences_figures_and_tables(tmp_path):
    result = some_errors()
    page = write_report([result], tmp_path / "report.html", title="Report").read_text()
    assert errors_sentence(result, 0).split(".")[0] in page
    assert page.count('role="img"') == 2
    assert "Measures of the groups, with 95 % intervals" in page
    assert "NaN" not in to_json(result)
