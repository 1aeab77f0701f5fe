"""What may be given as recipients becomes tables, and what may not is named."""

import re
import tracemalloc
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from airflow_provider_osonsms.audience.sources.readers import read_chunks
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

A, B, C = "992900000001", "992900000002", "992900000003"


def read(source: object, column: str = "phone", **options: Any) -> pd.DataFrame:
    """Return the only table that *source* becomes."""
    [table] = read_chunks(source, phone_column=column, **options)
    return table


def phones_of(tables: Iterable[pd.DataFrame]) -> list[list[Any]]:
    """Return the phones of each of *tables*."""
    return [table["phone"].tolist() for table in tables]


def test_a_table_comes_back_as_it_is() -> None:
    """A DataFrame is not copied, and keeps the columns that nobody asked for."""
    frame = pd.DataFrame({"phone": [A], "name": ["Али"]})

    assert read(frame, columns=()) is frame


@pytest.mark.parametrize(
    "phones",
    [[A, 992900000002, 9.0, None], (A,), [np.int64(992900000002)], [], [A, object()], [b"1"]],
)
def test_a_list_of_phones_becomes_a_column(phones: list[object]) -> None:
    """The entries of a list come through unchanged, ints as ints, whatever stands beside them."""
    column = read(phones, "mobile")["mobile"]

    assert column.dtype == "object"
    assert [(type(cell), cell) for cell in column] == [(type(phone), phone) for phone in phones]


@pytest.mark.parametrize(
    "phones",
    [
        pd.Series([A, B], name="x", index=[7, 7]),
        pd.Index([A, B]),
        np.array([A, B]),
        np.array([A, B], dtype=object),
        pd.array([A, B], dtype="string"),
    ],
    ids=lambda phones: type(phones).__name__,
)
def test_a_series_or_an_array_of_phones_becomes_a_column(phones: object) -> None:
    """One column without a name of its own is a table of one column, whatever its name."""
    assert read(phones).to_dict("list") == {"phone": [A, B]}


@pytest.mark.parametrize("dtype", ["int64", "float32"])
def test_an_array_keeps_its_type(dtype: str) -> None:
    """Numbers of an array are not converted: what a float of 32 bits has lost can still be seen."""
    assert read(np.array([7, 8], dtype=dtype))["phone"].dtype == dtype


@pytest.mark.parametrize("kind", [dict, OrderedDict, MappingProxyType])
def test_ints_of_dicts_are_not_made_floats(kind: type) -> None:
    """An int beside a missing value stays an int, in every column."""
    frame = read([kind({"phone": 992900000001, "sum": 5}), kind({"name": "Али"})])

    assert frame["phone"][0] == 992900000001
    assert isinstance(frame["phone"][0], int)
    assert isinstance(frame["sum"][0], int)
    assert pd.isna(frame["phone"][1])
    assert list(frame.dtypes.unique()) == [np.dtype(object)]


@pytest.mark.parametrize(
    "nobody",
    [[], (), pd.DataFrame(), iter(()), iter([[], []]), np.array([])],
    ids=lambda it: type(it).__name__,
)
def test_nobody_is_a_table_without_rows(nobody: object) -> None:
    """What is empty gives a table without rows, with every column that is needed."""
    tables = list(read_chunks(nobody, phone_column="phone", columns=["name", "phone"]))

    assert sum(map(len, tables)) == 0
    assert list(tables[0].columns) == ["phone", "name"]


def test_chunks_come_in_their_order(tmp_path: Path) -> None:
    """A generator may mix tables, lists, paths and further generators; nothing is read ahead."""
    (tmp_path / "c.csv").write_text(f"phone\n{C}\n")
    taken = []

    def chunks() -> Iterator[object]:
        yield pd.DataFrame({"phone": [A]})
        taken.append(1)
        yield [B]
        yield str(tmp_path / "c.csv")
        yield iter([[A], tmp_path / "c.csv"])

    tables = read_chunks(chunks(), phone_column="phone")

    assert phones_of([next(tables)]) == [[A]]
    assert not taken
    assert phones_of(tables) == [[B], [C], [A], [C]]


def test_a_reader_of_pandas_is_an_iterable() -> None:
    """What pandas reads in chunks is taken chunk by chunk."""
    reader = pd.read_csv(StringIO(f"phone\n{A}\n{B}\n"), chunksize=1, dtype=str)

    assert phones_of(read_chunks(reader, phone_column="phone")) == [[A], [B]]


def test_a_list_of_tables_and_paths(tmp_path: Path) -> None:
    """A list may hold tables and paths as well: what a folder's glob gives, say."""
    (tmp_path / "1.csv").write_text(f"phone\n{A}\n")
    (tmp_path / "2.csv").write_text(f"phone\n{B}\n")

    assert phones_of(read_chunks(sorted(tmp_path.glob("*.csv")), phone_column="phone")) == [[A], [B]]
    assert phones_of(read_chunks((pd.Series([C]), tmp_path / "1.csv"), phone_column="phone")) == [[C], [A]]


def test_the_only_column_may_have_any_name() -> None:
    """Where it is allowed, the column of a table with only one is taken for the phones."""
    for source in (pd.DataFrame({"nomer": [A]}), pd.DataFrame([A]), [{"nomer": A}], iter([[{"x": A}]])):
        assert phones_of([read(source, one_column_is_phones=True, columns=())]) == [[A]]


def test_the_only_column_must_be_named_where_columns_are_told_apart() -> None:
    """Another name is an error for recipients, and where there are two columns, or more are needed."""
    for source, options in (
        (pd.DataFrame({"nomer": [A]}), {}),
        (pd.DataFrame({"nomer": [A], "name": ["x"]}), {"one_column_is_phones": True}),
        (pd.DataFrame({"nomer": [A]}), {"one_column_is_phones": True, "columns": ["name"]}),
    ):
        with pytest.raises(InvalidMessageError, match="no column 'phone'; its columns are 'nomer'"):
            read(source, **options)


@pytest.mark.parametrize("name", [A, int(A), "900 000 001", "9.929E+11"])
def test_a_phone_is_not_lost_as_a_name(name: object) -> None:
    """A list without a header is an error: its first phone would be read as the name of the column."""
    with pytest.raises(InvalidMessageError, match="exclude has no header") as error:
        read(pd.DataFrame({name: [B]}), parameter="exclude", one_column_is_phones=True)

    assert not re.search("[0-9]{4}", str(error.value))


@pytest.mark.parametrize(
    "given", [992900000001, None, b"992900000001", object()], ids=lambda given: type(given).__name__
)
def test_anything_else_is_named(given: object) -> None:
    """Another type is an error that names it and what is accepted, never what it holds."""
    name = "None" if given is None else f"of the type {type(given).__name__}"

    with pytest.raises(InvalidMessageError, match=rf"exclude is {name}; give a pandas DataFrame") as error:
        read(given, parameter="exclude")

    assert not re.search("[0-9]{4}", str(error.value))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (A, r"a text that is no path; give a path that ends in \.csv, .*put a single phone in a list"),
        ("s3://bucket/people.csv", r"a URL as text; give ObjectStoragePath\(\.\.\.\)"),
        (Path("/people.dat"), r"/people.dat, a file with the suffix .dat; give a path that ends in \.csv"),
        (lambda: [A], r"a callable that was not called \(a callable takes \(context, jinja_env\)\)"),
        (np.array([[A]]), "an array of 2 dimensions"),
        (np.array(A), "an array of 0 dimensions"),
        ((row for row in [A]), r"an iterable \(generator\) of str; put phones or dicts in a list"),
        ({A}, r"an iterable \(set\) of str"),
        (iter([(A, "Али")]), r"an iterable \(list_iterator\) of tuple"),
        (iter([None]), r"an iterable \(list_iterator\) of NoneType"),
        ([A, {"phone": B}], "a list of dict and str"),
        ([(A, "Али")], "a list of tuple"),
        ((A, [B]), "a tuple of list and str"),
        ([pd.DataFrame({"phone": [A]}), [B, C]], "holds a list of 2 values without names"),
        ([{"mobile": A}, {"name": "Али"}], "no column 'phone'; its columns are 'mobile', 'name'"),
        ([{}], "no column 'phone'"),
        (pd.DataFrame([[A, B]], columns=["phone", "phone"]), "2 columns 'phone'"),
        (pd.DataFrame([[A]], columns=[B]), "its columns are 992•••••002 .a first row of data"),
        (pd.DataFrame([[A, "x"]], columns=[B, "Али"]), "its columns are 992•••••002, ••••• "),
        (pd.DataFrame({"x" * 500: [A]}), f"'{'x' * 40}'$"),
        (pd.DataFrame(index=range(3)), "no column 'phone'; its columns are none"),
        (pd.DataFrame([range(30)]), "18, 19, \\.\\.\\."),
    ],
)
def test_what_is_wrong_is_said(given: object, said: str) -> None:
    """A mixture, nested rows, and a missing or repeated column are errors that name them without phones."""
    with pytest.raises(InvalidMessageError, match=said) as error:
        read(given)

    assert str(error.value).startswith("recipients")
    assert not re.search("[0-9]{4}|Али", str(error.value))


@pytest.mark.parametrize("source", [pd.DataFrame({"phone": [A], "x": [1], "y": [2]}), [{"phone": A, "x": 1}]])
def test_every_column_that_is_needed_is_asked_for(source: object) -> None:
    """A missing column is an error whatever it is for."""
    assert {"phone", "x"} <= {*read(source, columns=["x"]).columns}
    with pytest.raises(InvalidMessageError, match="no column 'z'"):
        read(source, columns=["x", "z"])


def test_a_long_list_is_cheap() -> None:
    """Reading a list of phones takes a pointer per phone or two."""
    phones = [A] * 100_000
    tracemalloc.start()
    read(phones)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 40 * len(phones)
