"""Rows are numbered as people see them: by the line of a file, else from 1."""

import csv
import gzip
import io
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.audience.audience import Audience, prepare_audience

PHONE = "992900000101"
CELLS = st.sampled_from([PHONE, "12", "x", "a\nb", "a\r\nb", 'say "x"', "two, cells", ""])


def find_lines(audience: Audience) -> list[int]:
    """Return the number of every row."""
    return [audience.numbers.find(position) for position in range(audience.rows)]


@pytest.mark.parametrize(
    "make",
    [
        lambda rows: rows,
        lambda rows: [{"phone": row} for row in rows],
        lambda rows: pd.DataFrame({"phone": rows}, index=[7] * len(rows)),
        lambda rows: iter([pd.DataFrame({"phone": some}) for some in (rows[:1], rows[1:])]),
    ],
)
def test_rows_of_data_are_counted_from_one(make) -> None:
    """The first row is row 1, in the log as in the table, whatever index a DataFrame has."""
    audience = prepare_audience(make([PHONE, "12", "13"]))

    assert [row.row for row in audience.rejects.read_rows()] == [2, 3]
    assert "(row 2 •••••, row 3 •••••)" in audience.describe()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("phone\n1\n2\n", [2, 3]),
        ("phone\n1\n2", [2, 3]),
        ("\ufeffphone\r\n1\r\n2\r\n", [2, 3]),
        ("\n\nphone\n\n1\n\n\n2\n\n", [5, 8]),
        ("phone,name\n1,a\n2,b\n", [2, 3]),
        ("phone,name\n1,a\n\n2,b\n", [2, 4]),
        ('phone,name\n1,"two\nlines"\n2,b\n', [2, 4]),
        ('"phone",name\n1,"two\r\n\r\nlines"\n2,b', [2, 5]),
        ('phone,"a\nname"\n1,a\n2,b\n', [3, 4]),
        ("phone\n", []),
        ("sep=;\nphone;name\n1;a\n2;b\n", [3, 4]),
        ("sep=;\nphone;name\n1;a\n\n2;b\n", [3, 5]),
    ],
)
@pytest.mark.parametrize("is_packed", [False, True])
def test_rows_of_a_file_have_the_number_of_their_line(
    text: str, lines: list[int], *, is_packed: bool, tmp_path: Path
) -> None:
    """Empty lines count, and a row of several lines has the number of its first, as in an editor."""
    path = tmp_path / ("a.csv.gz" if is_packed else "a.csv")
    path.write_bytes(gzip.compress(text.encode()) if is_packed else text.encode())

    audience = prepare_audience(path)

    assert find_lines(audience) == lines
    assert [row.row for row in audience.rejects.read_rows()] == lines
    assert not lines or f"line {lines[0]} •••••" in audience.describe()


def test_phones_of_a_text_file_have_the_number_of_their_line(tmp_path: Path) -> None:
    """One phone a line, with or without empty lines between them."""
    path = tmp_path / "a.txt"
    path.write_text(f"{PHONE}\n\n12\n13\n")

    audience = prepare_audience(path)

    assert [row.row for row in audience.rejects.read_rows()] == [3, 4]
    assert "(line 3 •••••, line 4 •••••)" in audience.describe()


def test_rows_of_a_sheet_have_the_number_that_excel_shows(tmp_path: Path) -> None:
    """Empty rows of the sheet count."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row, value in ((2, "phone"), (3, PHONE), (5, "12"), (6, "13")):
        book.active.cell(row=row, column=1, value=value)
    book.save(tmp_path / "a.xlsx")

    audience = prepare_audience(tmp_path / "a.xlsx")

    assert [row.row for row in audience.rejects.read_rows()] == [5, 6]
    assert "(row 5 •••••, row 6 •••••)" in audience.describe()


def test_an_index_of_a_table_is_no_number(tmp_path: Path) -> None:
    """Only files number their rows, not a DataFrame whose index has the same name."""
    table = pd.DataFrame({"phone": [PHONE, "12"]}, index=pd.Index([70, 80], name="line"))

    assert find_lines(prepare_audience(table)) == [1, 2]


def test_several_files_are_counted_through(tmp_path: Path) -> None:
    """There is more than one line 2, so their rows are numbered as those of other data."""
    path = tmp_path / "a.csv"
    path.write_text("phone\n12\n13\n")

    audience = prepare_audience([path, path])

    assert [row.row for row in audience.rejects.read_rows()] == [1, 2, 3, 4]


@given(st.lists(st.tuples(CELLS, CELLS), max_size=8), st.lists(st.booleans(), min_size=9, max_size=9))
def test_every_line_is_the_right_one(tmp_path_factory, rows, gaps) -> None:
    """At the line of a row its phone stands, however the file is quoted and spaced."""
    path = tmp_path_factory.mktemp("lines") / "a.csv"
    text = io.StringIO()
    expected = []
    for row, has_gap in zip([("phone", "name"), *rows], gaps, strict=False):
        text.write("\n" if has_gap else "")
        expected.append(text.getvalue().count("\n") + 1)
        csv.writer(text, lineterminator="\n").writerow(row)
    path.write_bytes(text.getvalue().encode())

    assert find_lines(prepare_audience(path)) == expected[1:]
