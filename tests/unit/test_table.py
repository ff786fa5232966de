"""Tables: splits, samples, slices, digests and frames."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.networks import tiny_table
from workbench.core.errors import DataError, InvalidInputError
from workbench.core.schema import Feature, Schema
from workbench.core.table import SPLITS, Table, split_sizes
from workbench.data.bundled import load_table

SCHEMA = Schema(
    features=(
        Feature(name="age", integer=True),
        Feature(name="ratio"),
        Feature(name="sex", kind="categorical", categories=("Female", "Male")),
    ),
    target="income",
    task="binary",
    classes=("low", "high"),
)


def table(n, *, first_id=100):
    """``n`` rows whose numbers say which row they are."""
    rows = torch.arange(n, dtype=torch.float64)
    return Table(
        schema=SCHEMA,
        X=torch.stack([rows, rows / 7, rows % 2], dim=1),
        ids=torch.arange(first_id, first_id + n),
        y=torch.arange(n) % 2,
        weights=rows + 0.5,
        name="people",
    )


@given(st.integers(5, 400))
def test_splits_are_disjoint_complete_in_order_and_sixty_twenty_twenty(n):
    parts = {name: table(n).split(name).ids.numpy() for name in SPLITS}
    np.testing.assert_array_equal(
        np.sort(np.concatenate(list(parts.values()))), np.arange(100, 100 + n)
    )
    for rows in parts.values():
        assert (np.diff(rows) > 0).all(), "rows left the order of the table"
    fifth = -(-n // 5)
    assert [len(parts[name]) for name in SPLITS] == [n - 2 * fifth, fifth, fifth]


def test_splits_of_the_adult_table_have_the_published_sizes():
    adult = table(32_561)
    assert [len(adult.split(name)) for name in SPLITS] == [19_535, 6_513, 6_513]
    assert adult.split("test").name == "people/test"


def test_a_split_depends_on_the_number_of_rows_alone():
    other = replace(table(50), X=torch.zeros(50, 3, dtype=torch.float64), y=None, name="other")
    assert torch.equal(other.split("test").ids, table(50).split("test").ids)


@given(st.integers(1, 60), st.integers(0, 2**32), st.data())
def test_a_sample_is_drawn_once_each_in_order_and_again_the_same(n, seed, data):
    size = data.draw(st.integers(1, n))
    rows = table(n).sample(size, seed=seed).ids.numpy()
    assert len(rows) == size
    assert (np.diff(rows) > 0).all()
    assert set(rows) <= set(range(100, 100 + n))
    np.testing.assert_array_equal(rows, table(n).sample(size, seed=seed).ids.numpy())


def test_samples_of_other_seeds_differ_and_reach_every_row_alike():
    drawn = np.concatenate([table(10).sample(3, seed=seed).ids.numpy() for seed in range(2000)])
    counts = np.bincount(drawn - 100, minlength=10)
    # Binomial(2000, 0.3): standard deviation 20.5
    assert np.abs(counts - 600).max() < 5 * 20.5


@pytest.mark.parametrize(
    "rows", [slice(3, 6), [3, 4, 5], np.array([3, 4, 5]), torch.tensor([3, 4, 5])]
)
def test_a_slice_takes_every_part_along(rows):
    part = table(10)[rows]
    assert len(part) == 3
    assert part.ids.tolist() == [103, 104, 105]
    assert part.X[:, 0].tolist() == [3, 4, 5]
    assert part.y.tolist() == [1, 0, 1]
    assert part.weights.tolist() == [3.5, 4.5, 5.5]
    assert part.schema is SCHEMA


def test_a_slice_of_a_table_without_target_and_weights_has_none():
    bare = replace(table(4), y=None, weights=None)[1:3]
    assert bare.y is None
    assert bare.weights is None


def test_the_digest_sees_every_part():
    base = table(6)
    assert base.digest == table(6).digest
    changed = [
        replace(base, X=base.X + 1e-12),
        replace(base, y=1 - base.y),
        replace(base, y=None),
        replace(base, weights=base.weights * 2),
        replace(base, weights=None),
        replace(base, ids=base.ids + 1),
        replace(base, schema=SCHEMA.edit("sex", protected=True)),
        base[:5],
        base[[1, 0, 2, 3, 4, 5]],
    ]
    digests = {base.digest, *(other.digest for other in changed)}
    assert len(digests) == len(changed) + 1
    assert replace(base, name="other").digest == base.digest, "a name is not content"


def test_the_frame_speaks_the_user_s_words():
    frame = table(3).to_frame()
    expected = pd.DataFrame(
        {
            "age": np.array([0, 1, 2]),
            "ratio": np.array([0, 1, 2]) / 7,
            "sex": pd.Categorical(["Female", "Male", "Female"], ["Female", "Male"]),
            "income": ["low", "high", "low"],
        },
        index=pd.Index([100, 101, 102], name="row"),
    )
    pd.testing.assert_frame_equal(frame, expected, check_dtype=False, check_categorical=False)
    assert frame["age"].dtype == np.int64
    assert list(frame["sex"].cat.categories) == ["Female", "Male"]


def test_the_frame_shows_missing_values_as_missing():
    X = table(2).X.clone()
    X[0] = torch.nan
    frame = replace(table(2), X=X).to_frame()
    assert frame.iloc[0, :3].isna().all()
    assert frame.iloc[1].tolist() == [1.0, 1 / 7, "Male", "high"]


def test_the_frame_of_a_regression_holds_the_numbers():
    schema = Schema(features=SCHEMA.features, target="price", task="regression")
    prices = torch.tensor([1.5, 2.5], dtype=torch.float64)
    assert replace(table(2), schema=schema, y=prices).to_frame()["price"].tolist() == [1.5, 2.5]
    assert "price" not in replace(table(2), schema=schema, y=None).to_frame()


@pytest.mark.parametrize("n", [0, 11, -1])
def test_a_sample_says_how_many_rows_there_are(n):
    message = rf"^Cannot draw {n} rows from table 'people', which has 10; ask for 1 to 10\.$"
    with pytest.raises(InvalidInputError, match=message):
        table(10).sample(n)


def test_a_split_says_what_is_wrong():
    with pytest.raises(
        InvalidInputError, match=r"no split 'dev'; choose one of train, validation, test\.$"
    ):
        table(10).split("dev")
    with pytest.raises(
        InvalidInputError, match=r"^Table 'people' has too few rows to split: 4, needed are 5\.$"
    ):
        table(4).split("test")


def test_a_table_fits_its_schema():
    with pytest.raises(DataError, match=r"^Table 'people' has 2 columns, its schema names 3\.$"):
        replace(table(4), X=torch.zeros(4, 2, dtype=torch.float64))


@pytest.mark.parametrize("n", [5, 6, 7, 11, 100, 101])
def test_sizes_of_splits_are_those_of_the_splits(n):
    table = tiny_table(n=n)
    assert split_sizes(n) == {part: len(table.split(part)) for part in SPLITS}


def test_classes_in_another_order_keep_the_truth_of_every_row():
    table = tiny_table(task="multiclass")
    turned = table.with_classes(table.schema.classes[::-1])
    assert turned.schema.classes == table.schema.classes[::-1]
    names = [[t.schema.classes[code] for code in t.y.tolist()] for t in (table, turned)]
    assert names[0] == names[1]
    assert turned.y.dtype == table.y.dtype
    assert torch.equal(turned.X, table.X)


@pytest.mark.parametrize("classes", [(), ("a", "b", "c")])
def test_other_classes_leave_a_table_as_it_is(classes):
    table = tiny_table(task="multiclass")
    assert table.with_classes(classes) is table


def test_a_model_that_reads_fewer_columns_leaves_the_others_aside():
    table = load_table("adult").sample(50, seed=0)
    kept = tuple(f for f in reversed(table.schema.features) if f.name not in {"sex", "race"})
    seen = table.read_by(Schema(features=kept, target="income"))
    assert seen.schema.names == tuple(feature.name for feature in kept)
    assert seen.aside is not None
    assert seen.aside.schema.names == ("race", "sex")
    for name in seen.schema.names:
        own, theirs = table.X[:, table.schema.index(name)], seen.X[:, seen.schema.index(name)]
        assert torch.equal(own.nan_to_num(), theirs.nan_to_num())
    assert torch.equal(seen.aside.X[:, 1], table.X[:, table.schema.index("sex")])
    few = seen[[3, 1]]
    assert few.aside is not None
    assert torch.equal(few.aside.ids, few.ids)
    assert few.digest != seen.digest


def test_what_lies_aside_counts_in_the_digest_and_must_be_of_the_same_rows():
    table = load_table("wine").sample(20, seed=0)
    aside = Table(Schema(features=(Feature(name="group"),)), torch.zeros(20, 1), table.ids)
    assert replace(table, aside=aside).digest != table.digest
    with pytest.raises(DataError, match="not of the same rows"):
        replace(table, aside=aside[:10])


def test_a_table_that_a_model_cannot_read_stays_as_it_is():
    table = load_table("wine").sample(20, seed=0)
    assert table.read_by(Schema(features=(Feature(name="other"),))) is table
    assert table.read_by(table.schema) is table


def test_one_row_is_a_table():
    whole = table(5)
    assert whole[3].digest == whole[[3]].digest == whole[-2].digest
    assert [part.digest for part in whole] == [whole[[i]].digest for i in range(5)]
