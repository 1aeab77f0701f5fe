"""Arrow tables and Parquet files, with pyarrow and without."""

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from airflow_provider_osonsms.audience.sources.readers import read_chunks
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

A, B = 992900000001, 992900000002
COLUMNS = {
    "phone": [A, None, B],
    "debt": [Decimal("12.30"), None, Decimal("0.10")],
    "name": ["Али", None, ""],
    "count": [1, None, 3],
}


@pytest.fixture
def pyarrow() -> Any:
    """Return pyarrow, where it is."""
    pytest.importorskip("pyarrow.parquet", reason="make test-parquet lays pyarrow over the environment")
    return sys.modules["pyarrow"]


@pytest.fixture
def parquet(pyarrow: Any) -> Any:
    """Return the part of pyarrow that reads and writes Parquet."""
    return pyarrow.parquet


def read(source: object, **options: Any) -> dict[str, list[Any]]:
    """Return the columns of all tables that *source* becomes, with None for what is missing."""
    tables = list(read_chunks(source, phone_column="phone", **options))
    return {
        name: [None if pd.isna(cell) else cell for table in tables for cell in table[name].tolist()]
        for name in tables[0].columns
    }


def test_parquet_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pyarrow the error says what to install, and everything else is read as ever."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(InvalidMessageError, match=r"exclude .*'airflow-provider-osonsms\[parquet\]'"):
        read(tmp_path / "people.parquet", parameter="exclude")
    assert read([A]) == {"phone": [A]}


def test_an_arrow_table_keeps_its_types(pyarrow: Any) -> None:
    """Integers beside nulls stay integers, decimals stay exact."""
    table = pyarrow.table(COLUMNS)

    for source in (table, table.to_batches()[0], iter(table.to_batches()), [table]):
        columns = read(source)
        assert columns == COLUMNS
        assert [type(cell) for cell in columns["phone"]] == [int, type(None), int]
        assert [type(cell) for cell in columns["count"]] == [int, type(None), int]


def test_only_what_is_needed_is_converted(pyarrow: Any) -> None:
    """Columns that nobody asked for are not in the table, and those of the index are columns."""
    table = pyarrow.Table.from_pandas(pd.DataFrame({"phone": [A], "x": [1], "y": [2]}).set_index("phone"))

    assert read(table, columns=["x"]) == {"x": [1], "phone": [A]}
    assert read(table, columns=()) == {"phone": [A]}
    assert read(table.select(["y"]), one_column_is_phones=True) == {"phone": [2]}


def test_columns_of_an_arrow_table_are_checked(pyarrow: Any) -> None:
    """A missing or repeated column is the same error as for any table."""
    with pytest.raises(InvalidMessageError, match="no column 'z'; its columns are 'phone', 'debt'"):
        read(pyarrow.table(COLUMNS), columns=["z"])
    with pytest.raises(InvalidMessageError, match="2 columns 'phone'"):
        read(pyarrow.table([[A], [B]], names=["phone", "phone"]))


def test_an_empty_arrow_table_is_nobody(pyarrow: Any, parquet: Any, tmp_path: Path) -> None:
    """No rows give a table without rows."""
    table = pyarrow.table({"phone": pyarrow.array([], pyarrow.int64()), "x": pyarrow.array([], "string")})
    parquet.write_table(table, tmp_path / "people.parquet")

    assert read(table) == read(tmp_path / "people.parquet", columns=["x"]) == {"phone": [], "x": []}


def test_a_parquet_file_keeps_its_types(pyarrow: Any, parquet: Any, tmp_path: Path) -> None:
    """A file gives what the table gave that was written, in its order, whatever the size of its groups."""
    parquet.write_table(pyarrow.table(COLUMNS), tmp_path / "people.parquet", row_group_size=2)

    assert read(tmp_path / "people.parquet") == COLUMNS
    assert read(str(tmp_path / "people.parquet"), columns=["name"]) == {
        "phone": COLUMNS["phone"],
        "name": COLUMNS["name"],
    }


def test_a_long_parquet_file_comes_in_pieces(pyarrow: Any, parquet: Any, tmp_path: Path) -> None:
    """One row group of many rows is not read at once."""
    parquet.write_table(pyarrow.table({"phone": range(200_000)}), tmp_path / "people.parquet")

    tables = list(read_chunks(tmp_path / "people.parquet", phone_column="phone"))

    assert len(tables) > 2
    assert [cell for table in tables for cell in table["phone"].tolist()] == list(range(200_000))


@pytest.mark.parametrize("content", [b"", b"phone\n", b"PAR1" * 9])
def test_what_is_no_parquet_file_is_said(pyarrow: Any, tmp_path: Path, content: bytes) -> None:
    """A file of another format is an error with its path."""
    (tmp_path / "people.parquet").write_bytes(content)

    with pytest.raises(InvalidMessageError, match=r"people\.parquet is not a Parquet file"):
        read(tmp_path / "people.parquet")
    with pytest.raises(InvalidMessageError, match=r"absent\.parquet cannot be read: No such file"):
        read(tmp_path / "absent.parquet")
