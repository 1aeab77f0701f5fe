"""CSV files become tables of text, and what is wrong with a file is said with its line."""

import csv
import gzip
import io
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.audience.sources.readers import read_chunks
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

A, B = "992900000001", "992900000002"
CELLS = st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=8)
HARD_CELLS = CELLS | st.text(alphabet=',;\t|"\n x', max_size=6)


class Pieces(io.BytesIO):
    """Bytes that come a few at a time, as over a network."""

    def read(self, size: int | None = -1) -> bytes:
        """Return the next three bytes at most, unless all are asked for."""
        return super().read(min(size, 3) if size and size > 0 else size)


class Elsewhere:
    """What Airflow's ObjectStoragePath offers of a path, and no more."""

    def __init__(self, content: bytes, name: str = "people.csv") -> None:
        self.content = content
        self.name = name
        self.suffixes = Path(name).suffixes
        self.suffix = self.suffixes[-1]

    def __str__(self) -> str:
        return f"s3://login:secret@bucket/{self.name}"

    def open(self, mode: str) -> io.BytesIO:
        """Open the file for reading."""
        assert mode == "rb"
        return Pieces(self.content) if len(self.content) < 1000 else io.BytesIO(self.content)


def read(source: Any, **options: Any) -> list[dict[str, Any]]:
    """Return the rows of all tables that *source* becomes."""
    tables = read_chunks(source, phone_column="phone", **options)
    return [row for table in tables for row in table.to_dict("records")]


def places(tmp_path: Path, content: str | bytes) -> list[Any]:
    """Return *content* as a file on this machine, as its name, compressed, and elsewhere."""
    content = content.encode() if isinstance(content, str) else content
    (tmp_path / "people.csv").write_bytes(content)
    (tmp_path / "people.csv.gz").write_bytes(gzip.compress(content))
    return [
        tmp_path / "people.csv",
        str(tmp_path / "people.csv"),
        tmp_path / "people.csv.gz",
        Elsewhere(content),
        Elsewhere(gzip.compress(content), "PEOPLE.CSV.GZ"),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_every_spelling_of_a_file(tmp_path: Path, delimiter: str, bom: str, end: str, quote: str) -> None:
    """Delimiter, BOM, line ends and quotes are found out, and every cell is text."""
    rows = [["phone", "name", "sum"], [A, "Алӣ", "007"], ["", "nan", "1e3"]]
    lines = [delimiter.join(f"{quote}{cell}{quote}" for cell in row) for row in rows]

    for path in places(tmp_path, bom + end.join(lines)):
        assert read(path) == [
            {"phone": A, "name": "Алӣ", "sum": "007"},
            {"phone": "", "name": "nan", "sum": "1e3"},
        ]


def test_only_what_is_needed_is_read(tmp_path: Path) -> None:
    """Columns that nobody asked for are not in the table."""
    for path in places(tmp_path, f"id,phone,name\n1,{A},Али\n"):
        assert read(path, columns=()) == [{"phone": A}]
        assert read(path, columns=["name", "phone"]) == [{"phone": A, "name": "Али"}]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ('phone,name\n1,"a,b\nc ""d"""\n2,x\n', [["1", 'a,b\nc "d"'], ["2", "x"]]),
        ('phone,name\n1,a 5" pipe\n2,"b"c\n', [["1", 'a 5" pipe'], ["2", "bc"]]),
        ("\n\nphone,name\n\n1,a\n  \n2,b\n\n\n", [["1", "a"], ["2", "b"]]),
        ("phone;name, full\n1;a,b\n2;c\n", [["1", "a,b"], ["2", "c"]]),
        ('"phone";"a;b"\n1;2', [["1", "2"]]),
        ("phone,name\n", []),
        ("phone,name", []),
        ("phone\n1\n\n2", [["1"], ["2"]]),
        ('phone\n""\n1,5\n'.replace("1,5", '"1,5"'), [[""], ["1,5"]]),
        ("name,name,phone\n1,2,3\n", [["1", "2", "3"]]),
    ],
)
def test_forms_that_are_read(tmp_path: Path, content: str, rows: list[list[str]]) -> None:
    """Quoted cells, empty lines, other delimiters in the text and a missing last line end are all fine."""
    for path in places(tmp_path, content):
        tables = list(read_chunks(path, phone_column="phone"))
        assert [row for table in tables for row in table.to_numpy().tolist()] == rows
        assert all("phone" in table.columns for table in tables)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty, without a header"),
        ("\ufeff\n \n", "is empty, without a header"),
        (f"phone,name\n{A},Али\n{B},Али,Вали\n", "has 3 cells in line 3 and 2 in its header"),
        (f'phone,name\n{A},"Али\n\nВали"\n{B}\n', "has 1 cells in line 5 and 2 in its header"),
        (f"phone\n{A},{B}\n", "has 2 cells in line 2 and 1 in its header"),
        (f"phone,name\n{A},a\rb\n", "has 1 cells in line 3 and 2"),
        (f"name,phone\r\r,{A}\r", "has empty lines that end in CR alone, as on old Macintoshes"),
        (f'phone,name\n{A},"Али\n{B},x\n', "has a quote that is never closed"),
        (f'phone,name\n"{A},Али\n{B},x\n', "has 1 cells in line 2 and 2 in its header; .*close every quote"),
        (f'phone,name\n{A},"' + "Али\n" * 50_000, "has a cell in line 2 of over"),
        (
            f"{A},Али\n{B},Вали\n",
            "no column 'phone'; its columns are 992•••••001, ••••• .a first row of data",
        ),
        ("phone,name,phone\n1,2,3\n", "2 columns 'phone'; its columns are 'phone', 'name', 'phone'"),
        ("mobile,name\n1,2\n", "no column 'phone'; its columns are 'mobile', 'name'"),
        (f"phone,name\n{A},x\n".encode("utf-16"), "is not UTF-8 text in line 1; save it as 'CSV UTF-8'"),
        (f"phone,name\n{A},x\n".encode("utf-16-le"), "no column 'phone'|is not UTF-8 text in line 1"),
        (f"phone,ном\n{A},x\n".encode("cp1251"), "is not UTF-8 text in line 1"),
        (f"phone,name\n{A},x\n{B},Али\n".encode("cp1251"), "is not UTF-8 text in line 3"),
        (f"phone,name\n{A},x\n{B},a\0b\n", "is not UTF-8 text in line 3"),
        (f"phone,name\n{A},".encode() + b"\xd0", "is not UTF-8 text in line 2"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, content: str | bytes, said: str) -> None:
    """A broken form is an error with the line and never a cell, before anybody is yielded."""
    for path in places(tmp_path, content):
        tables = read_chunks(path, phone_column="phone", columns=())
        with pytest.raises(InvalidMessageError, match=said) as error:
            next(tables)

        text = str(error.value).replace(str(tmp_path), "")
        assert text.startswith("recipients")
        assert not re.search("[0-9]{7}|Али|Вали|secret", text)


def test_a_file_without_a_header_is_no_list_to_exclude(tmp_path: Path) -> None:
    """The first phone of a list without a header is not lost as the column's name."""
    for path in places(tmp_path, f"{A}\n{B}\n"):
        with pytest.raises(InvalidMessageError, match=r"exclude has no header: .* named 992•••••001"):
            read(path, parameter="exclude", one_column_is_phones=True)
    for path in places(tmp_path, f"nomer\n{B}\n"):
        assert read(path, parameter="exclude", one_column_is_phones=True) == [{"phone": B}]


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing file, a folder, a closed file and a file that is not gzipped are errors with the path."""
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "no.csv.gz").write_bytes(b"phone\n")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"phone\n1\n" * 99)[:-9])
    for name, said in (
        ("absent.csv", "absent.csv cannot be read: No such file"),
        ("folder.csv", "folder.csv cannot be read: Is a directory"),
        ("no.csv.gz", "no.csv.gz is not a whole gzip file"),
        ("cut.csv.gz", "cut.csv.gz is not a whole gzip file"),
    ):
        with pytest.raises(InvalidMessageError, match=said):
            read(tmp_path / name)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Elsewhere, "open", refuse)
    with pytest.raises(
        InvalidMessageError, match=r"recipients: people\.csv cannot be read: Permission denied"
    ):
        read(Elsewhere(b""))


def test_a_network_that_fails_comes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a repeat may mend is not called the user's mistake."""

    def fail(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(Elsewhere, "open", fail)

    with pytest.raises(TimeoutError):
        read(Elsewhere(b""))


@given(
    rows=st.lists(st.lists(HARD_CELLS, min_size=3, max_size=3), max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_pandas_writes_is_read(rows: list[list[str]], delimiter: str, quoting: int, end: str) -> None:
    """Whatever text the cells of a table hold, its CSV file holds the same cells."""
    frame = pd.DataFrame(rows, columns=["name", "phone", "sum"], dtype="object")
    text = frame.to_csv(index=False, sep=delimiter, quoting=quoting, lineterminator=end)  # type: ignore[call-overload]

    assert read(Elsewhere(text.encode())) == frame.to_dict("records")


@given(st.text(alphabet='ab,"\n\r', max_size=30).map(lambda text: "phone,x\n" + text))
def test_any_text_is_read_as_the_standard_library_does(text: str) -> None:
    """A file is read exactly as the csv module reads it, or it is an error."""
    expected = [row for row in csv.reader(io.StringIO(text, newline="")) if row][1:]
    try:
        found = [list(row.values()) for row in read(Elsewhere(text.encode()))]
    except InvalidMessageError:
        return

    assert found == expected


@pytest.mark.parametrize("line", [f'{A},"Али, ""Вали"""', f'{A},"Али\nВали"', f"{A},Али"])
def test_a_long_file_comes_in_pieces(tmp_path: Path, line: str) -> None:
    """Blocks and tables may end anywhere: within a cell, a quote or a letter."""
    text = "phone,name\n" + "".join(f"{line}\n" for _ in range(40_000))
    expected = next(csv.reader(io.StringIO(line, newline="")))

    for path in places(tmp_path, text):
        tables = list(read_chunks(path, phone_column="phone"))
        assert len(tables) > 1
        rows = pd.concat(tables).drop_duplicates()
        assert rows.to_numpy().tolist() == [expected]
        assert sum(map(len, tables)) == 40_000


def test_a_long_file_takes_little_memory(tmp_path: Path) -> None:
    """The peak depends on a table's size and not on the file's."""
    path = tmp_path / "people.csv"
    path.write_text("phone,name\n" + f"{A},{'Али' * 20}\n" * 100_000)
    tracemalloc.start()
    for _ in read_chunks(path, phone_column="phone", columns=()):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < path.stat().st_size / 2
