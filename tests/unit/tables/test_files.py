"""What is written is read back, and what was changed since is refused."""

import csv
import itertools
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_osonsms.tables import formulas
from airflow_provider_osonsms.tables.files import (
    ROWS_PER_BATCH,
    DamagedTableError,
    TableIdentity,
    read_identity,
    read_table,
    write_table,
)
from airflow_provider_osonsms.tables.rows import RejectRow, ReportRow, ResultRow, UndeliveredRow

KINDS = [ResultRow, RejectRow, ReportRow, UndeliveredRow]
TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('\r\n",; \0\t\ufeff'))
NUMBERS = st.none() | st.integers(0, 2**40)


def draw_rows(kind, **size):
    """Draw rows of *kind* whose cells hold anything."""
    cells = [NUMBERS if column == int | None else TEXTS for column in kind.__annotations__.values()]
    return st.lists(st.tuples(*cells).map(kind._make), max_size=6, **size)


def read_back(row):
    """Return *row* as it is read: an empty text is nothing."""
    return type(row)(*(None if cell == "" else cell for cell in row))


def make_rows(count=4):
    """Make result rows that differ in every cell that can."""
    return [
        ResultRow(
            row, f"key,{row}", f"99290000000{row % 10}", "accepted", None, f"{row:032x}", f"{7000 + row}", 1
        )
        for row in range(count)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_read_back(suffix, folder, kind):
    """Whatever the cells hold, CR, LF, quotes, commas, NUL and blanks too, the table comes back."""
    path = folder / f"any{suffix}"

    @settings(deadline=None, max_examples=60 if suffix == ".csv" else 25)
    @given(draw_rows(kind))
    def check(rows):
        identity = write_table(rows, path, kind=kind, campaign_id="c")

        assert list(read_table(path, kind=kind, expected=identity)) == [read_back(row) for row in rows]
        assert identity.rows == len(rows)

    check()


@pytest.mark.parametrize(
    "cell", ["\r", "\n", "\r\n", '"', '"\r"', ",", "\0", " x ", "'", "=1+1", "\ufeff", "ӯ"]
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_cells_that_break_readers(suffix, tmp_path, *, cell, place):
    """Each character that ends a line or a cell for some reader stays inside its cell, wherever it stands."""
    row = UndeliveredRow(*(cell if at == place else f"{at}" for at in range(3)))
    path = tmp_path / f"t{suffix}"
    identity = write_table([row, row], path, kind=UndeliveredRow)

    assert list(read_table(path, kind=UndeliveredRow, expected=identity)) == [row, row]


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+992 is it", "'+992 is it"),
        ("-1+cmd|x", "'-1+cmd|x"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("＝1", "'＝1"),
        ("'=1", "''=1"),
        ("-5", "-5"),
        ("+992900000001", "+992900000001"),
        ("-1.5", "-1.5"),
        ("a=1", "a=1"),
        ("'tis", "'tis"),
    ],
)
def test_no_cell_is_a_formula(tmp_path, cell, written):
    """A spreadsheet shows a key that begins like a formula, and does not run it; we read it as it was."""
    row = UndeliveredRow(cell, "992900000001", "x")
    path = tmp_path / "t.csv"
    write_table([row, row], path, kind=UndeliveredRow)

    with path.open(newline="") as file:
        assert [line[0] for line in csv.reader(file)][1:] == [written] * 2
    assert list(read_table(path, kind=UndeliveredRow)) == [row, row]


@settings(max_examples=200)
@given(st.text("=+-@'\t\r1.,a＝"))
def test_what_is_escaped_is_read_back(cell):
    """Escaping is undone for any text, and what is written begins no formula unless it is a number."""
    written = formulas.escape(cell)

    assert formulas.unescape(written) == cell
    if written[:1] in tuple("=+-@\t\r＝"):
        assert float(written.replace(",", ".")) is not None


@pytest.mark.parametrize("count", [0, 1, ROWS_PER_BATCH, ROWS_PER_BATCH + 1, 3 * ROWS_PER_BATCH - 1])
def test_any_number_of_rows(suffix, tmp_path, count):
    """A table of no row, of one and of many batches comes back in its order."""
    path = tmp_path / f"t{suffix}"
    identity = write_table(iter(make_rows(count)), path, kind=ResultRow)

    assert list(read_table(path, kind=ResultRow, expected=identity)) == make_rows(count)


@settings(max_examples=50, deadline=None)
@given(rows=draw_rows(ResultRow))
def test_the_same_rows_have_the_same_identity(folder, rows):
    """The identity depends on the rows alone: neither on the place nor on the time."""
    first, second = (write_table(rows, folder / name, kind=ResultRow) for name in ("a.csv", "b.csv"))

    assert first == second


def test_both_formats_have_the_same_identity(tmp_path):
    """CSV and Parquet of the same rows have the same identity."""
    pytest.importorskip("pyarrow")
    rows = [*make_rows(3), ResultRow(9, "a\r\n", None, "rejected", "empty", None, None, None)]

    text, parquet = (
        write_table(rows, tmp_path / f"t{suffix}", kind=ResultRow) for suffix in (".csv", ".parquet")
    )

    assert text == parquet


def test_csv_is_plain(tmp_path):
    """CSV is UTF-8 with a header and LF, and quotes only where they are needed."""
    path = tmp_path / "t.csv"
    write_table([UndeliveredRow("1", "Зарина, 5", None)], path, kind=UndeliveredRow)

    assert path.read_bytes() == 'key,phone,status,reach,key_column\n1,"Зарина, 5",,,\n'.encode()


def test_a_table_that_is_cut_is_refused(tmp_path, make_memory_path, suffix):
    """A table that is cut at any byte is refused; without its last LF alone it is still the whole one."""
    path = tmp_path / f"t{suffix}"
    identity = write_table(make_rows(), path, kind=ResultRow)
    content = path.read_bytes()
    whole = len(content) - (suffix == ".csv")

    for length in range(whole):
        with pytest.raises(DamagedTableError):
            list(read_table(make_memory_path(content[:length], suffix), kind=ResultRow, expected=identity))
    cut = make_memory_path(content[:whole], suffix)
    assert list(read_table(cut, kind=ResultRow, expected=identity)) == make_rows()


@settings(max_examples=60, deadline=None)
@given(
    rows=draw_rows(ResultRow, min_size=1),
    place=st.integers(0, len(ResultRow._fields) - 1),
    row=st.integers(0, 5),
    text=TEXTS,
    number=NUMBERS,
)
def test_a_changed_cell_is_refused(folder, *, rows, place, row, text, number):
    """A table with one other cell is another table."""
    identity = write_table(rows, folder / "a.csv", kind=ResultRow)
    row %= len(rows)
    column = ResultRow._fields[place]
    changed = rows[row]._replace(**{column: number if column in {"row", "parts", "try_"} else text})
    write_table([*rows[:row], changed, *rows[row + 1 :]], folder / "b.csv", kind=ResultRow)

    if read_back(changed) == read_back(rows[row]):
        assert list(read_table(folder / "b.csv", kind=ResultRow, expected=identity))
    else:
        with pytest.raises(DamagedTableError, match="instead of"):
            list(read_table(folder / "b.csv", kind=ResultRow, expected=identity))


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: [],
        lambda rows: rows[::-1],
        lambda rows: rows[1:],
        lambda rows: rows[:-1],
        lambda rows: [*rows, rows[-1]],
        lambda rows: make_rows(5)[1:],
    ],
    ids=["emptied", "turned round", "without its first", "without its last", "one twice", "swapped"],
)
def test_another_table_is_refused(tmp_path, suffix, change):
    """A table whose rows were taken away, moved or swapped for others is refused when it is expected."""
    path = tmp_path / f"t{suffix}"
    identity = write_table(make_rows(), path, kind=ResultRow)
    write_table(change(make_rows()), path, kind=ResultRow)

    with pytest.raises(DamagedTableError):
        list(read_table(path, kind=ResultRow, expected=identity))
    assert list(read_table(path, kind=ResultRow)) == change(make_rows())


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"row\n1\n", b"\xff\xfe", b"PAR1", b'row,key\n"', "row,ключ\n".encode()[:9]],
)
def test_something_else_is_no_table(make_memory_path, suffix, content):
    """A file that is no table of this kind is refused, also when any table would be believed."""
    with pytest.raises(DamagedTableError):
        list(read_table(make_memory_path(content, suffix), kind=ResultRow))


@pytest.mark.parametrize("cell", ["two", "nan", "inf", "1e999", "²", "0x2", "1 2"])
def test_a_number_that_is_none_is_refused(make_memory_path, cell):
    """A cell of a number column that holds no whole number makes the table a damaged one."""
    header = ",".join(ResultRow._fields)
    path = make_memory_path(f"{header}\n0,k,p,accepted,,t,7,{cell}\n".encode())

    with pytest.raises(DamagedTableError):
        list(read_table(path, kind=ResultRow))


def test_a_table_that_pandas_has_saved_again_is_read(tmp_path):
    """A user may open the CSV with pandas and save it: whole numbers become floats, and it is still read."""
    path = tmp_path / "t.csv"
    rows = [*make_rows(2), ResultRow(2, None, "9929•••••", "rejected", "empty", None, None, None)]
    identity = write_table(rows, path, kind=ResultRow)
    table = pd.read_csv(path, dtype={"key": str, "phone": str, "txn_id": str, "msg_id": str})
    table.to_csv(path, index=False)

    assert ",1.0," in path.read_text()
    assert list(read_table(path, kind=ResultRow, expected=identity)) == rows


@pytest.mark.parametrize("order", list(itertools.permutations(UndeliveredRow._fields)))
def test_columns_may_stand_in_another_order(make_memory_path, order):
    """The columns are found by their names."""
    path = make_memory_path(f"{','.join(order)}\n{','.join(f'a {name}' for name in order)}\n".encode())

    assert list(read_table(path, kind=UndeliveredRow)) == [
        UndeliveredRow("a key", "a phone", "a status", "a reach", "a key_column")
    ]


def test_a_column_that_was_added_is_no_matter(tmp_path):
    """A column of the user's own is passed over, and the table is still the expected one."""
    path = tmp_path / "t.csv"
    identity = write_table(make_rows(), path, kind=ResultRow)
    table = pd.read_csv(path, dtype=str)
    table.insert(1, "note", "called, by phone")
    table.to_csv(path, index=False)

    assert list(read_table(path, kind=ResultRow, expected=identity)) == make_rows()


def test_a_column_that_was_added_to_parquet_is_no_matter(tmp_path):
    """The same holds for Parquet, in any order of its columns."""
    pytest.importorskip("pyarrow")
    path = tmp_path / "t.parquet"
    identity = write_table(make_rows(), path, kind=ResultRow)
    table = pd.read_parquet(path)
    table["note"] = "called"
    table[sorted(table.columns)].to_parquet(path)

    assert list(read_table(path, kind=ResultRow, expected=identity)) == make_rows()


def test_parquet_says_what_it_is(tmp_path):
    """A Parquet table holds its own identity, with the campaign that wrote it."""
    pytest.importorskip("pyarrow")
    path = tmp_path / "t.parquet"
    identity = write_table(make_rows(), path, kind=ResultRow, campaign_id="dag/run/Фармоиш")

    assert read_identity(path) == identity
    assert identity.campaign_id == "dag/run/Фармоиш"


def test_some_tables_do_not_say_what_they_are(tmp_path):
    """CSV has no place for an identity, and a Parquet file of somebody else has none."""
    write_table(make_rows(), tmp_path / "t.csv", kind=ResultRow)
    assert read_identity(tmp_path / "t.csv") is None
    pytest.importorskip("pyarrow")
    pd.DataFrame({"row": [1]}).to_parquet(tmp_path / "t.parquet")
    assert read_identity(tmp_path / "t.parquet") is None


def test_a_writer_that_fails_leaves_the_old_table(tmp_path, suffix):
    """When the rows end in an error the old table stays as it was, and no draft is left beside it."""
    path = tmp_path / f"t{suffix}"
    identity = write_table(make_rows(), path, kind=ResultRow)

    def fail(after):
        yield from make_rows(after)
        raise KeyboardInterrupt

    for after in (0, 2, ROWS_PER_BATCH + 1):
        with pytest.raises(KeyboardInterrupt):
            write_table(fail(after), path, kind=ResultRow)

        assert list(read_table(path, kind=ResultRow, expected=identity)) == make_rows()
        assert list(tmp_path.iterdir()) == [path]


def test_a_writer_that_fails_uploads_nothing(make_remote_path, bucket, suffix):
    """In an object storage too the old table stays when the rows end in an error."""
    path = make_remote_path(f"t{suffix}")
    write_table(make_rows(), path, kind=ResultRow)
    before = dict(bucket)

    with pytest.raises(ZeroDivisionError):
        write_table((row for row in [*make_rows(), 1 / 0]), path, kind=ResultRow)
    assert bucket == before
    assert list(read_table(path, kind=ResultRow)) == make_rows()


def test_a_reader_may_stop_early(tmp_path, suffix):
    """Whoever needs only the first rows reads no more, and closes the file."""
    path = tmp_path / f"t{suffix}"
    write_table(make_rows(20_000), path, kind=ResultRow)
    rows = read_table(path, kind=ResultRow, expected=TableIdentity(rows=1, checksum=""))

    assert next(rows) == make_rows(1)[0]
    rows.close()


def test_a_missing_table_is_no_damaged_one(suffix):
    """A file that is not there is told as such."""
    with pytest.raises(FileNotFoundError):
        list(read_table(Path(f"/nowhere/t{suffix}"), kind=ResultRow))
