"""What is in a table, against pandas and by hand."""

import numpy as np
import pandas as pd
import pytest
import torch

from tests.networks import tiny_table
from tests.performances import table_of
from workbench import api
from workbench.core.errors import DataError, InvalidInputError
from workbench.core.schema import Feature
from workbench.engines.performance.overview import table_overview


@pytest.fixture(scope="module")
def adult():
    table = api.load_table("adult", split="all")
    return table, table_overview(table), table.to_frame()


def test_numbers_equal_pandas(adult):
    _, overview, frame = adult
    for name in ("age", "hours_per_week", "capital_gain"):
        found, column = overview.of(name), frame[name]
        assert (found.low, found.high) == (column.min(), column.max())
        assert found.quartiles == pytest.approx(tuple(column.quantile([0.25, 0.5, 0.75])))
        assert found.distinct == column.nunique()
        assert found.missing == 0
        for code, label in enumerate(overview.classes):
            expected, _ = np.histogram(column[frame["income"] == label], found.edges)
            np.testing.assert_array_equal(found.counts[code], expected)


def test_categories_equal_pandas(adult):
    _, overview, frame = adult
    found, column = overview.of("occupation"), frame["occupation"]
    counts = column.value_counts()
    assert found.labels[:5] == tuple(counts.index[:5])
    np.testing.assert_array_equal(found.counts.sum(0)[:5], counts.to_numpy()[:5])
    assert found.missing == pytest.approx(column.isna().mean())
    assert found.low is found.quartiles is None
    country = overview.of("native_country")
    assert len(country.labels) == 13
    assert country.labels[-1] == "29 others"
    assert country.counts.sum() == frame["native_country"].notna().sum()
    assert country.distinct == frame["native_country"].nunique()


def test_classes_and_duplicates_equal_pandas(adult):
    table, overview, frame = adult
    assert overview.n_rows == len(table)
    assert dict(zip(overview.class_names, overview.class_counts, strict=True)) == dict(
        frame["income"].value_counts()
    )
    assert overview.duplicates == frame.duplicated().sum()


def test_duplicates_know_missing_values_and_signs_of_zero():
    features = (Feature(name="a"), Feature(name="b"))
    columns = [[0.0, -0.0, 1.0, np.nan, np.nan, 1.0], [1.0, 1.0, 0.0, 2.0, 2.0, 0.0]]
    table = table_of(columns, features, [0, 0, 0, 0, 0, 1], target="y", task="binary",
                     classes=("no", "yes"))  # fmt: skip
    assert table_overview(table).duplicates == 2
    assert np.signbit(table.X[1, 0].numpy()), "the table itself was changed"


def test_columns_that_swap_values_are_not_duplicates():
    features = (Feature(name="a"), Feature(name="b"))
    assert table_overview(table_of([[1.0, 2.0], [2.0, 1.0]], features)).duplicates == 0


@pytest.mark.parametrize(
    ("values", "integer", "edges"),
    [
        ([3.0, 3.0], False, (1.5, 4.5)),
        ([0.0, 0.0], False, (-0.5, 0.5)),
        ([1.0, 2.0, 5.0], True, (0.5, 5.5)),
        (list(range(100)), True, (-0.5, 99.5)),
    ],
)
def test_histograms_have_edges_that_fit(values, integer, edges):
    found = table_overview(table_of([values], (Feature(name="a", integer=integer),))).features[0]
    assert (found.edges[0], found.edges[-1]) == pytest.approx(edges, abs=3)
    assert found.edges[0] <= min(values)
    assert max(values) <= found.edges[-1]
    assert found.counts.sum() == len(values)
    if integer:
        steps = np.diff(found.edges)
        assert (steps == steps[0]).all()
        assert steps[0] == round(steps[0])


def test_outliers_do_not_squeeze_the_histogram():
    values = np.append(np.linspace(0, 1, 999), 1e9)
    found = table_overview(table_of([values], (Feature(name="a"),))).features[0]
    assert found.edges[-1] < 2
    assert found.high == 1e9
    assert found.counts.sum() == 1000, "values outside count at the ends"


def test_a_column_of_missing_values_and_many_classes():
    n = 8
    features = (Feature(name="a"),)
    table = table_of([[np.nan] * n], features, list(range(n)), target="y", task="multiclass",
                     classes=tuple("abcdefgh"))  # fmt: skip
    overview = table_overview(table)
    (found,) = overview.features
    assert (found.missing, found.distinct, found.low) == (1.0, 0, None)
    assert overview.classes == (), "eight distributions in one figure could not be told apart"
    assert len(found.counts) == 1
    assert list(overview.class_counts) == [1] * n


def test_a_regression_has_its_target_described():
    overview = table_overview(tiny_table(task="regression"))
    assert overview.class_names == overview.classes == ()
    target = overview.of("y")
    y = tiny_table(task="regression").y
    assert (target.low, target.high) == (float(y.min()), float(y.max()))
    with pytest.raises(DataError, match="There is no feature 'z'"):
        overview.of("z")


def test_single_precision_and_no_rows():
    table = tiny_table()
    single = table_of([[1.0, 2.0]], (Feature(name="a"),))
    single = type(single)(single.schema, single.X.float(), single.ids)
    assert table_overview(single).features[0].high == 2.0
    with pytest.raises(InvalidInputError, match="Table 'tiny' has no rows to describe"):
        table_overview(table[torch.zeros(0, dtype=torch.int64)])
    assert isinstance(pd.Series(table_overview(table).class_counts).sum(), np.integer)
