"""Readers against the standard library's csv, pyarrow's files, and every fault by its text."""

import contextlib
import csv
import io
import os
import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather
from pyarrow import parquet as pq

from workbench.core.errors import DataError, InvalidInputError
from workbench.data.readers import read_frame, read_with_notes

LETTERS = st.sampled_from("abÄßé ,;|\t\"'\n.x")
TEXTS = st.text(LETTERS, min_size=1, max_size=8)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=64)


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@given(
    rows=st.lists(st.tuples(TEXTS, NUMBERS), min_size=1, max_size=12),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    terminator=st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=80, deadline=None)
def test_what_the_standard_library_writes_is_read_back(
    tmp_path_factory, rows, delimiter, encoding, terminator
):
    # The marker keeps a column of texts from reading as numbers or as missing.
    rows = [(f"t{text}t", number) for text, number in rows]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=terminator)
    writer.writerows([("a text", "number"), *rows])
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    path.write_bytes(buffer.getvalue().encode(encoding))
    frame = read_frame(path)
    assert list(frame.columns) == ["a text", "number"]
    assert list(frame["a text"]) == [text for text, _ in rows]
    assert [float(number) for number in frame["number"]] == [number for _, number in rows]


@given(st.lists(st.tuples(NUMBERS, st.integers(-(10**9), 10**9)), min_size=1, max_size=10))
@settings(max_examples=50, deadline=None)
def test_decimal_comma_with_semicolons(tmp_path_factory, rows):
    # One value surely has a comma; repr never writes a thousands point.
    rows = [(0.5, 1), *rows]
    lines = ["x;n", *(f"{x!r};{n}".replace(".", ",") for x, n in rows)]
    path = write(tmp_path_factory.mktemp("csv"), "table.csv", "\n".join(lines))
    frame, notes = read_with_notes(path)
    assert list(frame["x"]) == [x for x, _ in rows]
    assert list(frame["n"]) == [n for _, n in rows]
    assert notes == ("A decimal comma was read in 'x'.",)


def test_points_mark_thousands_where_a_comma_marks_decimals(tmp_path):
    path = write(tmp_path, "t.csv", "x;y\n1.234,5;1.234\n-2,25;2.345\n")
    frame, notes = read_with_notes(path)
    assert list(frame["x"]) == [1234.5, -2.25]
    assert list(frame["y"]) == [1.234, 2.345]
    assert "Column 'y' was read with a decimal point" in notes[1]


def test_types_of_columns(tmp_path):
    text = "whole,real,gaps,code,word,mark,hex\n1,1.5,?,007,a,?,0x1\n2,2e3,3,010,NA,b,0x2\n"
    frame = read_frame(write(tmp_path, "t.txt", text))
    assert frame.dtypes.map(lambda t: t.kind if hasattr(t, "kind") else "O").to_dict() == {
        "whole": "i", "real": "f", "gaps": "f", "code": "O", "word": "O", "mark": "O", "hex": "O",
    }  # fmt: skip
    assert list(frame["code"]) == ["007", "010"]
    assert np.isnan(frame["gaps"][0])
    assert list(frame["word"]) == ["a", "NA"]


@pytest.mark.parametrize(
    ("encoding", "name", "text"),
    [
        ("cp1252", "cp1252", "Straße;Größe\nWeinstraße;fünf\nÄcker;zwölf\n"),
        ("cp1251", "cp1251", "имя;город\nпривет как дела;Москва\nочень хорошо;Тверь\n"),  # noqa: RUF001
    ],
)
def test_other_encodings_are_guessed_and_said(tmp_path, encoding, name, text):
    frame, notes = read_with_notes(write(tmp_path, "t.csv", text.encode(encoding)))
    expected = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert [list(frame.columns), *frame.to_numpy().tolist()] == expected
    assert notes == (f"The file is not UTF-8 (line 1); it was read as {name}.",)


def test_blank_lines_and_lone_columns(tmp_path):
    frame = read_frame(write(tmp_path, "t.csv", "\n\n a ,b\n1,2\n\n3,4\n"))
    assert frame.to_dict("list") == {"a": [1, 3], "b": [2, 4]}
    assert read_frame(write(tmp_path, "o.csv", "a\n1\n2\n")).to_dict("list") == {"a": [1, 2]}


def example():
    return pd.DataFrame({
        "n": [1, 2, 3],
        "x": [0.5, np.nan, 2.0],
        "c": pd.Categorical(["u", "v", "u"]),
        "t": ["é", None, "b"],
        "d": pd.to_datetime(["2020-01-01", "2021-01-01", "2022-01-01"]),
    })


@pytest.mark.parametrize("suffix", [".parquet", ".pq", ".feather", ".arrow"])
def test_parquet_and_arrow(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    frame = example().set_index(pd.Index([5, 6, 7]))
    if suffix in {".parquet", ".pq"}:
        frame.to_parquet(path)
    else:
        feather.write_feather(example(), path)
    got = read_frame(path)
    pd.testing.assert_frame_equal(got, example(), check_dtype=False, check_categorical=False)


def test_arrow_stream(tmp_path):
    table = pa.table({"a": [1, 2]})
    with pa.OSFile(str(tmp_path / "t.arrow"), "wb") as sink, pa.ipc.new_stream(
        sink, table.schema
    ) as writer:  # fmt: skip
        writer.write_table(table)
    assert list(read_frame(tmp_path / "t.arrow")["a"]) == [1, 2]


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".feather"])
def test_a_pickle_by_another_name_is_refused_and_not_executed(tmp_path, monkeypatch, suffix):
    monkeypatch.chdir(tmp_path)
    for protocol in range(2, 6):
        path = write(tmp_path, f"t{suffix}", pickle.dumps(Bomb(), protocol=protocol))
        with pytest.raises(DataError, match=r"looks like a pickle|whatever its name says"):
            read_frame(path)
    with contextlib.suppress(DataError):  # protocol 0 is plain text, and is read as text
        read_frame(write(tmp_path, f"t{suffix}", pickle.dumps(Bomb(), protocol=0)))
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.xslx", "a", "File 't.xslx' is of a kind that is not read; save the table as one of "
         ".csv, .tsv, .txt, .parquet, .pq, .feather, .arrow, .xlsx."),
        ("t.csv", "", "File 't.csv' is empty; give a header and rows."),
        ("t.csv", "\ufeff \n\n", "File 't.csv' is empty; give a header and rows."),
        ("t.csv", "a,b\n", "File 't.csv' has a header but no rows; add at least one."),
        ("t.csv", "a,b,a \n1,2,3\n", "Columns 1 and 3 of file 't.csv' are both named 'a'; rename "
         "or remove one of them."),
        ("t.csv", "a,,c\n1,2,3\n", "Column 2 of file 't.csv' has no name in the header; name it or "
         "remove it (pandas: to_csv(index=False))."),
        ("t.csv", 'a,b\n"x\ny",2\n\n1\n', "Line 5 of file 't.csv' has 1 value, the header has 2; "
         "add or remove values, or quote those that contain ','."),
        ("t.csv", "a;b\n1;2\n1;2;3\n", "Line 3 of file 't.csv' has 3 values, the header has 2; add "
         "or remove values, or quote those that contain ';'."),
        ("t.csv", "a,b\n1,2\n\0,2\n", "File 't.csv' holds a NUL character in line 3, so it is not "
         "text; save it as CSV."),
        ("t.csv", b"a,b\n1,\xff\xfe\x81\x9d\n", "File 't.csv' cannot be decoded at line 2; save it "
         "again as UTF-8."),
        ("t.csv", "a,b\n1,2\n".encode("utf-16")[:-1], "File 't.csv' cannot be decoded at line 2; "
         "save it again as UTF-8."),
        ("t.csv", "x" * 200_000 + ",b\n1,2\n", "File 't.csv' is not a table: its first lines "
         "hold a value of more than 131,072 characters; check its quotes."),
        ("t.csv", b"PK\x03\x04rest", "File 't.csv' looks like a zip archive or a spreadsheet, not "
         "like text; save the table as CSV."),
        ("t.csv", b"\x80\x04rest", "File 't.csv' looks like a pickle, not like text; save the "
         "table as CSV."),
        ("t.parquet", "a,b\n1,2\n", "File 't.parquet' is not a Parquet file, whatever its name "
         "says; save the table again as Parquet."),
        ("t.pq", b"PAR1 and nothing more", "File 't.pq' is damaged or cut short and cannot be read "
         "as Parquet; save or upload it again."),
        ("t.feather", "a,b\n1,2\n", "File 't.feather' is not an Arrow file, whatever its name "
         "says; save the table again as Feather."),
        ("t.arrow", b"ARROW1 and nothing", "File 't.arrow' is damaged or cut short and cannot be "
         "read as Arrow; save or upload it again."),
        ("t.feather", b"FEA1....", "File 't.feather' is of the old Feather format; save it again "
         "as Feather 2."),
    ],
)  # fmt: skip
def test_says_what_is_wrong_with_a_file(tmp_path, name, content, message):
    with pytest.raises(DataError) as caught:
        read_frame(write(tmp_path, name, content))
    assert str(caught.value) == message


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(DataError, match=r"^There is no file '.*no.csv'; check the path.$"):
        read_frame(tmp_path / "no.csv")
    with pytest.raises(DataError, match=r"is a folder; give the path of a file in it."):
        read_frame(tmp_path)


def test_a_path_that_no_system_knows():
    with pytest.raises(DataError, match=r"^File 'a.x00.csv' cannot be opened: .*null.*"):
        read_frame("a\0.csv")


def test_lines_that_cannot_be_cut(tmp_path):
    good, huge = "1,2\n" * 80_000, '"' + "x" * 200_000 + '",1\n'
    path = write(tmp_path, "t.csv", f"a,b\n{good}{huge}1\n")
    with pytest.raises(DataError) as caught:
        read_frame(path)
    assert str(caught.value) == (
        "File 't.csv' cannot be cut into columns near line 80002; check its quotes and save it as "
        "CSV again."
    )


def test_a_late_ragged_line_is_counted_as_an_editor_counts(tmp_path):
    path = write(tmp_path, "t.csv", "a,b\n" + "1,2\n" * 3_000_000 + "1\n1,2\n")
    with pytest.raises(DataError, match=r"^Line 3000002 of file 't.csv' has 1 value, the header"):
        read_frame(path)


def test_damaged_parquet_and_feather(tmp_path):
    example().to_parquet(tmp_path / "t.parquet")
    feather.write_feather(example(), tmp_path / "t.feather")
    for name in ("t.parquet", "t.feather"):
        whole = (tmp_path / name).read_bytes()
        with pytest.raises(DataError, match=r"is damaged or cut short"):
            read_frame(write(tmp_path, name, whole[: len(whole) // 2]))


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_types_that_are_refused(tmp_path, suffix):
    save = pq.write_table if suffix == ".parquet" else feather.write_feather
    path = tmp_path / f"t{suffix}"
    extension = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0" * 16], pa.binary(16)))
    marked = pa.field("u", pa.int64(), metadata={b"ARROW:extension:name": b"evil"})
    for table in (
        pa.table({"u": extension}),
        pa.table({"u": [[1, 2]]}),
        pa.table([pa.array([1])], schema=pa.schema([marked])),
    ):
        save(table, path)
        with pytest.raises(DataError, match=r"^Column 'u' of file 't\..*' is of type .*, which is "
                           "not read; store plain numbers, texts or dates.$"):  # fmt: skip
            read_frame(path)


def test_arrow_headers_are_checked(tmp_path):
    for names, message in (
        (["a", " a"], "Column 'a' appears twice; rename or remove one of them."),
        (["a", " "], "Column 2 of file 't.parquet' has no name; name or remove it."),
    ):
        pq.write_table(pa.table([[1], [2]], names=names), tmp_path / "t.parquet")
        with pytest.raises(DataError) as caught:
            read_frame(tmp_path / "t.parquet")
        assert str(caught.value) == message
    pq.write_table(pa.table({"__index_level_0__": [1]}), tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"^File 't.parquet' has no columns; give a table.$"):
        read_frame(tmp_path / "t.parquet")
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"has columns but no rows; add at least one."):
        read_frame(tmp_path / "t.parquet")


def test_size_limits(tmp_path, monkeypatch):
    path = write(tmp_path, "t.csv", "a,b,c\n1,2,3\n")
    with pytest.raises(DataError, match=r"'t.csv' has 12 bytes, the limit is 11; give fewer rows"):
        read_frame(path, max_bytes=11)
    assert read_frame(path, max_bytes=12).shape == (1, 3)
    monkeypatch.setenv("WORKBENCH_MAX_FILE_BYTES", "11")
    with pytest.raises(DataError, match=r"the limit is 11; .* raise WORKBENCH_MAX_FILE_BYTES."):
        read_frame(path)
    monkeypatch.setenv("WORKBENCH_MAX_FILE_BYTES", "many")
    with pytest.raises(InvalidInputError, match=r"max_file_bytes: .* valid integer.*, got 'many'."):
        read_frame(path)


def test_column_limit(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_MAX_COLUMNS", "2")
    frame = pd.DataFrame({"a": [1], "b": [2], "c": [3]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    feather.write_feather(frame, tmp_path / "t.feather")
    for suffix in ("csv", "parquet", "feather"):
        with pytest.raises(DataError, match=r"has 3 columns, the limit is 2; keep fewer or raise "
                           "WORKBENCH_MAX_COLUMNS."):  # fmt: skip
            read_frame(tmp_path / f"t.{suffix}")


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_files_that_unpack_to_much_more_are_refused(tmp_path, suffix):
    save = pq.write_table if suffix == ".parquet" else feather.write_feather
    path = tmp_path / f"t{suffix}"
    save(pa.table({"a": np.zeros(500_000)}), path)
    assert path.stat().st_size < 100_000
    with pytest.raises(DataError, match=r"unpacks to .*, the limit is 100,000; give fewer rows"):
        read_frame(path, max_bytes=100_000)
