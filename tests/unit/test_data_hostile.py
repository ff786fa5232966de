"""Files that were made to do harm: each is a table or one sentence, and nothing of it runs."""

import contextlib
import functools
import io
import pickle
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import feather
from pyarrow import parquet as pq

from workbench.core.errors import DataError
from workbench.data.facts import survey
from workbench.data.readers import open_source, read_frame

FORMULA = "=cmd|' /C calc'!A0"
SCRIPT = "<script>alert(1)</script>"
FRAME = pd.DataFrame({
    "n": np.arange(40), "x": np.arange(40) * 0.37, "c": ["u", "v", "é", "w"] * 10,
    "d": pd.to_datetime(["2020-01-01", "2021-01-01"] * 20),
})  # fmt: skip


def content(suffix, frame=FRAME):
    buffer = io.BytesIO()
    if suffix == ".csv":
        return frame.to_csv(index=False).encode()
    if suffix == ".parquet":
        frame.to_parquet(buffer)
    elif suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in [list(frame.columns), *frame.to_numpy().tolist()]:
            book.active.append(row)
        book.save(buffer)
    else:
        options = pa.ipc.IpcWriteOptions(compression="lz4" if suffix == ".feather" else None)
        table = pa.Table.from_pandas(frame)
        with pa.ipc.new_file(buffer, table.schema, options=options) as writer:
            writer.write_table(table)
    return buffer.getvalue()


@functools.cache
def sound(suffix):
    """Return the same bytes in every run: XLSX files hold the time."""
    return content(suffix)


SUFFIXES = (".csv", ".parquet", ".feather", ".arrow", ".xlsx")


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_with_changed_bytes_is_a_table_or_a_sentence(tmp_path, suffix, data):
    broken = bytearray(sound(suffix))
    places = st.integers(0, len(broken) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=6)):
        broken[place] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del broken[data.draw(places) :]
    path = tmp_path / f"t{suffix}"
    path.write_bytes(broken)
    with contextlib.suppress(DataError):
        survey(open_source(path))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_cut_short_is_a_sentence(tmp_path, suffix):
    whole, path = content(suffix), tmp_path / f"t{suffix}"
    for share in (0.1, 0.5, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        if suffix == ".csv":
            continue  # a shorter table
        with pytest.raises(DataError, match=r"is damaged or|whatever its name says"):
            read_frame(path)


class Marker:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".pkl", ".npy"])
def test_a_pickle_is_never_executed(tmp_path, suffix):
    marker, path = tmp_path / "ran", tmp_path / f"t{suffix}"
    for protocol in range(2, 6):
        path.write_bytes(pickle.dumps(Marker(marker), protocol=protocol))
        with pytest.raises(DataError):
            read_frame(path)
    pickle.loads(path.read_bytes())  # noqa: S301 - this test made it
    assert marker.exists(), "the pickle of this test does what it should not"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_formulas_scripts_and_odd_names_are_text(tmp_path, suffix):
    names = [f"@{FORMULA[1:]}", SCRIPT, "\u202egpj.exe", "n" * 1000]
    frame = pd.DataFrame({name: [SCRIPT, "-2+3", "@SUM(1)"] for name in names})
    path = tmp_path / f"t{suffix}"
    path.write_bytes(content(suffix, frame))
    got = read_frame(path)
    assert list(got.columns) == names
    assert got[SCRIPT].tolist() == [SCRIPT, "-2+3", "@SUM(1)"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx"])
@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["age", "age\u200b"], "Columns 'age' and 'age\\u200b' look the same but are not; rename "
         "or remove one of them."),
        (["\uff41ge", "age"], "Columns '\uff41ge' and 'age' look the same but are not; rename or "
         "remove one of them."),
        (["a", "n" * 1001], f"The name of column '{'n' * 59}…' has 1,001 characters, the limit is "
         "1,000; shorten it."),
    ],
)  # fmt: skip
def test_names_that_mislead(tmp_path, suffix, names, message):
    path = tmp_path / f"t{suffix}"
    path.write_bytes(content(suffix, pd.DataFrame([[1, 2], [3, 4]], columns=names)))
    with pytest.raises(DataError) as caught:
        read_frame(path)
    assert str(caught.value) == message


def test_spaces_of_every_kind_do_not_tell_columns_apart(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,a\xa0\n1,2\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"^Columns 1 and 2 of file 't.csv' are both named 'a';"):
        read_frame(path)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".feather"])
def test_a_hundred_thousand_columns(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    names = [f"c{i}" for i in range(100_000)]
    if suffix == ".csv":
        path.write_text(",".join(names) + "\n" + ",".join(["1"] * 100_000) + "\n")
    else:
        table = pa.Table.from_arrays([pa.array([1, 2])] * 100_000, names=names)
        (pq.write_table if suffix == ".parquet" else feather.write_feather)(table, path)
    with pytest.raises(DataError, match=r"has 100,000 columns, the limit is 5,000; keep fewer"):
        read_frame(path)


def test_a_text_that_is_stored_once_and_shown_often(tmp_path):
    # A million characters a thousand times over: about a gigabyte from some kilobytes.
    text = pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(1000, np.int32)), pa.array(["x" * 1_000_000])
    )
    path = tmp_path / "t.parquet"
    schema = pa.schema([("t", pa.string())])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        writer.write_table(pa.table({"t": text.cast(pa.string())}))
    assert path.stat().st_size < 100_000
    with pytest.raises(DataError, match=r"^File 't.parquet' unpacks to 1,000,000,000 bytes"):
        open_source(path, max_bytes=100_000_000).frame()
    view = np.array([1_000_000, 0x78787878, 0, 0], np.int32)  # length, first letters, buffer, start
    buffers = [None, pa.py_buffer(np.tile(view, 1000)), pa.py_buffer(b"x" * 1_000_000)]
    table = pa.table({"t": pa.Array.from_buffers(pa.string_view(), 1000, buffers)})
    table.validate(full=True)
    path = tmp_path / "t.arrow"
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)
    assert path.stat().st_size < 2_000_000
    with pytest.raises(DataError, match=r"^File 't.arrow' unpacks to 1,000,000,000 bytes"):
        open_source(path, max_bytes=100_000_000).frame()


def test_row_limit(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_MAX_ROWS", "39")
    for suffix in SUFFIXES:
        path = tmp_path / f"t{suffix}"
        path.write_bytes(content(suffix))
        with pytest.raises(DataError) as caught:
            read_frame(path)
        assert str(caught.value) == (
            f"File 't{suffix}' has 40 rows, the limit is 39; give fewer or raise "
            "WORKBENCH_MAX_ROWS."
        )
    monkeypatch.setenv("WORKBENCH_MAX_ROWS", "40")
    for suffix in SUFFIXES:
        assert len(read_frame(tmp_path / f"t{suffix}")) == 40


def test_a_column_whose_name_begins_another(tmp_path):
    frame = pd.DataFrame({"a": [1, 2], "a.b": [3, 4], "a.b.c": ["u", "v"]})
    frame.to_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(read_frame(tmp_path / "t.parquet"), frame)


@pytest.mark.parametrize("suffix", [".parquet", ".feather", ".arrow"])
def test_columns_in_groups_are_those_of_the_whole(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr("workbench.data.source._GROUP_BYTES", 640)
    frame = pd.DataFrame({f"x{i}": np.arange(40) * i for i in range(9)})
    path = tmp_path / f"t{suffix}"
    path.write_bytes(content(suffix, frame))
    pd.testing.assert_frame_equal(read_frame(path), frame)
    source = open_source(path)
    few = list(source.each(["x7", "x0", "x3"]))
    assert [column.name for column in few] == ["x7", "x0", "x3"]
    assert [column.iloc[1] for column in few] == [7, 0, 3]


def test_names_and_texts_that_are_no_utf8(tmp_path):
    for suffix in (".parquet", ".feather", ".arrow"):
        for text in (b"word", b"name"):
            frame = pd.DataFrame({"name": ["word", "word", "other"]})
            path = tmp_path / f"t{suffix}"
            path.write_bytes(content(suffix, frame).replace(text, b"\x80" + text[1:]))
            with pytest.raises(DataError, match=r"is damaged or cut short"):
                survey(open_source(path))
