"""XLSX against what openpyxl writes, and spreadsheets that were made to do harm."""

import datetime
import io
import zipfile

import numpy as np
import openpyxl
import pytest

from workbench.core.errors import DataError
from workbench.data.facts import survey
from workbench.data.readers import open_source, read_frame, read_with_notes


def save(path, *sheets):
    """Write sheets as (name, rows), the first visible."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def edit(path, part, change):
    """Rewrite one part of an archive; one that is not there is added."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = change(parts.get(part, b""))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


SHEET = "xl/worksheets/sheet1.xml"


def test_values_and_types(tmp_path):
    day = datetime.datetime(2024, 5, 1, 12)
    rows = [
        ["whole", " real ", "gaps", "word", "code", "truth", "when", "mixed"],
        [1, 0.5, None, "a", "007", True, day, 1],
        [2, 2.0, 3, "b", "010", False, day, "x"],
        [None] * 8,
        [3, -1.5, 4, None, "9", True, None, True],
    ]
    frame, notes = read_with_notes(save(tmp_path / "t.xlsx", ("S", rows)))
    assert list(frame.columns) == ["whole", "real", "gaps", "word", "code", "truth", "when",
                                   "mixed"]  # fmt: skip
    assert frame["whole"].tolist() == [1, 2, 3]
    assert frame["whole"].dtype == np.int64
    assert frame["real"].tolist() == [0.5, 2.0, -1.5]
    assert frame["gaps"].isna().tolist() == [True, False, False]
    assert frame["code"].tolist() == ["007", "010", "9"]
    assert frame["truth"].tolist() == [True, False, True]
    assert frame["mixed"].tolist() == ["1", "x", "True"]
    assert frame["word"].isna().tolist() == [False, False, True]
    assert notes == ("1 empty row was left out.",)
    looks = {c.name: c.looks for c in survey(open_source(tmp_path / "t.xlsx")).columns}
    assert looks["when"] == "constant"


def test_a_table_that_does_not_begin_at_the_corner(tmp_path):
    rows = [[None], [None], [None, None, "a", "b"], [None, None, 1, 2], [None, None, 3, 4], [None]]
    frame = read_frame(save(tmp_path / "t.xlsx", ("S", rows)))
    assert frame.to_dict("list") == {"a": [1, 3], "b": [2, 4]}


def test_sheets(tmp_path):
    path = save(tmp_path / "t.xlsx", ("empty", []), ("one", [["a"], [1], [2]]),
                ("two", [["b"], [3], [4]]))  # fmt: skip
    frame, notes = read_with_notes(path)
    assert list(frame.columns) == ["a"]
    assert notes == ("The file has 2 sheets with values ('one', 'two'); sheet 'one' was read.",)
    assert open_source(path, sheet="two").names == ("b",)
    with pytest.raises(DataError) as caught:
        open_source(path, sheet="three")
    assert str(caught.value) == (
        "File 't.xlsx' has no sheet 'three'; choose one of 'empty', 'one', 'two'."
    )
    csv = tmp_path / "t.csv"
    csv.write_text("a\n1\n")
    with pytest.raises(DataError, match=r"^File 't.csv' has no sheets; leave out sheet 'one'.$"):
        open_source(csv, sheet="one")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("t.xlsm", "File 't.xlsm' is a spreadsheet with macros, which is not read; save the sheet "
         "as .xlsx or .csv."),
        ("t.xls", "File 't.xls' is an old spreadsheet, which is not read; save the sheet as .xlsx "
         "or .csv."),
        ("t.xlsb", "File 't.xlsb' is a binary spreadsheet, which is not read; save the sheet as "
         ".xlsx or .csv."),
        ("t.xlsx", "File 't.xlsx' is not an XLSX spreadsheet, whatever its name says; save the "
         "sheet again as .xlsx or .csv."),
    ],
)  # fmt: skip
def test_other_spreadsheets_are_refused(tmp_path, name, message):
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(DataError) as caught:
        read_frame(tmp_path / name)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "File 't.xlsx' is empty; give a header and rows."),
        ([["a", "b"]], "File 't.xlsx' has a header but no rows; add at least one."),
        ([["a", None], [1, 2]], "Column 2 of file 't.xlsx' has no name in the header; name it or "
         "remove it (pandas: to_csv(index=False))."),
        ([["a", "a "], [1, 2]], "Columns 1 and 2 of file 't.xlsx' are both named 'a'; rename or "
         "remove one of them."),
    ],
)  # fmt: skip
def test_says_what_is_wrong(tmp_path, rows, message):
    with pytest.raises(DataError) as caught:
        read_frame(save(tmp_path / "t.xlsx", ("S", rows)))
    assert str(caught.value) == message


def test_formulas_are_not_computed(tmp_path):
    rows = [["a", "b"], ["=1+1", 1], ['=HYPERLINK("file:///etc/passwd")', 2], [5, 3]]
    path = save(tmp_path / "t.xlsx", ("S", rows))
    frame = read_frame(path)
    assert frame["a"].isna().tolist() == [True, True, False], "openpyxl stores no last result"


def test_only_sheets_are_looked_at(tmp_path):
    path = save(tmp_path / "t.xlsx", ("S", [["a"], [1], [2]]))
    edit(path, "xl/vbaProject.bin", lambda _: b"\0macro")
    edit(path, "xl/externalLinks/externalLink1.xml",
         lambda _: b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>')  # fmt: skip
    edit(path, "xl/media/picture.png", lambda _: b"0" * 2**20)
    assert open_source(path, max_bytes=2**18).frame()["a"].tolist() == [1, 2]


@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "xl/sharedStrings.xml"])
def test_entities_are_refused(tmp_path, part):
    path = save(tmp_path / "t.xlsx", ("S", [["a"], [1], [2]]))
    secret = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    edit(path, part, lambda content: secret + content)
    with pytest.raises(DataError) as caught:
        read_frame(path)
    assert str(caught.value) == (
        "File 't.xlsx' declares XML entities, which a spreadsheet has no use for; save the sheet "
        "again as .xlsx or .csv."
    )


def test_a_zip_bomb_is_refused_before_it_is_parsed(tmp_path):
    path = save(tmp_path / "t.xlsx", ("S", [["a"], [1], [2]]))
    edit(path, SHEET, lambda content: content + b" " * 50_000_000)
    assert path.stat().st_size < 100_000
    message = r"^File 't.xlsx' unpacks to 50,.* bytes or more, the limit is 1,000,000; give fewer"
    with pytest.raises(DataError, match=message):
        open_source(path, max_bytes=1_000_000)


def test_a_declared_size_that_is_not_the_real_one_is_no_way_round(tmp_path):
    path = save(tmp_path / "t.xlsx", ("S", [["a"], [1], [2]]))
    edit(path, SHEET, lambda content: content + b" " * 5_000_000)
    content = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = archive.getinfo(SHEET).file_size
    lied = content.replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert lied != content
    path.write_bytes(lied)
    with pytest.raises(DataError, match=r"^File 't.xlsx' is damaged or protected"):
        open_source(path, max_bytes=1_000_000)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (b'<c r="XFD1048576"><v>1</v></c>', r"has 16,384 columns, the limit is 5,000"),
        (b"<c\n r = 'AB99999999'><v>1</v></c>", r"has 99,999,998 rows, the limit is 20,000,000"),
        (b'<c r="GGG1048576"><v>1</v></c>', r"unpacks to .* \(1,048,576 rows of 4,921 columns\)"),
    ],
)
def test_a_cell_far_away_takes_no_memory(tmp_path, cell, message):
    path = save(tmp_path / "t.xlsx", ("S", [["a"], [1], [2]]))
    far = b"<row>" + cell + b"</row></sheetData>"
    edit(path, SHEET, lambda content: content.replace(b"</sheetData>", far))
    with pytest.raises(DataError, match=message):
        read_frame(path)


def test_many_parts_and_parts_of_one_name(tmp_path):
    path = save(tmp_path / "t.xlsx", ("S", [["a"], [1], [2]]))
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(SHEET, b"<worksheet/>")
    with pytest.raises(DataError, match=r"is damaged or protected"):
        read_frame(path)
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(10_001):
            archive.writestr(f"x{i}", b"")
    with pytest.raises(DataError, match=r"holds 10,001 parts, the limit is 10,000; save the sheet"):
        read_frame(path)
