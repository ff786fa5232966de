"""Figures of a table against its counts."""

import html

import numpy as np
import pytest

from tests.performances import table_of
from workbench import api
from workbench.core.errors import DataError
from workbench.core.schema import Feature
from workbench.core.wording import percent
from workbench.engines.performance.overview import table_overview
from workbench.plots.data import class_balance, distribution, missingness

BOLD = "<b>x</b>"


@pytest.fixture(scope="module")
def overview():
    return table_overview(api.load_table("adult", split="all"))


def notes(figure):
    return [annotation.text.replace("<br>", " ") for annotation in figure.layout.annotations]


def test_class_balance_shows_counts_and_shares(overview):
    bars = class_balance(overview).data[0]
    np.testing.assert_array_equal(bars.x, overview.class_counts)
    assert [text.strip("\N{NO-BREAK SPACE}") for text in bars.text] == [
        "24,720 (75.9 %)", "7,841 (24.1 %)"
    ]  # fmt: skip


def test_missing_values_largest_first(overview):
    figure = missingness(overview)
    gaps = sorted((f.missing for f in overview.features if f.missing), reverse=True)
    np.testing.assert_allclose(figure.data[0].x, np.multiply(gaps, 100))
    assert list(figure.layout.yaxis.ticktext) == ["occupation", "workclass", "native_country"]
    assert notes(figure) == ["9 features are complete"]
    assert notes(missingness(overview, max_features=1)) == [
        "2 more with less; 9 features are complete"
    ]


def test_a_number_is_drawn_for_each_class_on_its_own(overview):
    figure = distribution(overview, "age")
    steps = [trace for trace in figure.data if trace.mode == "lines"]
    points = [trace for trace in figure.data if trace.mode == "markers"]
    assert [trace.name for trace in steps] == ["&lt;=50K", "&gt;50K"]
    assert steps[0].line.dash != steps[1].line.dash
    counts = overview.of("age").counts
    for shown, of_class in zip(points, counts, strict=True):
        np.testing.assert_allclose(shown.y, 100 * of_class / of_class.sum())
        assert sum(shown.y) == pytest.approx(100)
        assert (
            f"{of_class[0]:,} rows, {percent(of_class[0] / of_class.sum())}" in (shown.hovertext[0])
        )


def test_categories_are_bars_with_what_is_missing(overview):
    figure = distribution(overview, "workclass")
    found = overview.of("workclass")
    assert list(figure.layout.yaxis.ticktext) == list(found.labels)
    for trace, of_class in zip(figure.data, found.counts, strict=True):
        np.testing.assert_allclose(trace.x, 100 * of_class / of_class.sum())
    assert figure.layout.xaxis.title.text == "share of the class, %; 5.6 % missing"


def test_tables_without_classes_or_values_say_so():
    features = (Feature(name="a"), Feature(name="b", has_missing=True))
    plain = table_overview(table_of([[1.0, 2.0], [np.nan] * 2], features))
    assert notes(class_balance(plain)) == ["This table has no classes to count."]
    assert notes(distribution(plain, "b")) == ["This feature has no values."]
    assert notes(missingness(table_overview(table_of([[1.0]], features[:1])))) == [
        "No value is missing in this table."
    ]
    assert distribution(plain, "a").layout.yaxis.title.text == "share of the table, %"
    with pytest.raises(DataError, match="There is no feature 'z'; choose one of a, b"):
        distribution(plain, "z")


@pytest.mark.parametrize("dark", [False, True])
def test_names_and_categories_are_text_not_markup(dark):
    features = (
        Feature(name=BOLD, kind="categorical", categories=("<i>a</i>", "$5$"), has_missing=True),
        Feature(name="<u>n</u>"),
    )
    table = table_of([[0.0, 1.0, np.nan], [1.0, 2.0, 3.0]], features, [0, 1, 1], target="y",
                     task="binary", classes=(BOLD, "no"))  # fmt: skip
    found = table_overview(table)
    figures = [class_balance(found, dark=dark), missingness(found, dark=dark)]
    figures += [distribution(found, name, dark=dark) for name in (BOLD, "<u>n</u>")]
    said = " ".join(str(figure.to_dict()) for figure in figures)
    for raw in ("<b>x</b>", "<i>a", "<u>n", "$5$"):
        assert raw not in said.replace(f"<b>{html.escape(BOLD)}</b>", "")
    assert html.escape(BOLD) in said
