"""Tables of other libraries and lists of lists are read by their columns' names, or refused in words."""

import sys
from dataclasses import dataclass
from io import StringIO

import numpy as np
import pandas as pd
import pytest

SHOP = [f"9929000{number:03}01" for number in range(6)]
ROWS = [{"inn": 900000000 + number, "phone": phone, "name": "N"} for number, phone in enumerate(SHOP)]
FRAME = pd.DataFrame(ROWS)


@dataclass
class Person:
    """A row with names."""

    inn: int
    phone: str
    name: str


class ArrowTable:
    """What polars, DuckDB and others offer of a table: the Arrow stream, and columns when it is iterated."""

    def __init__(self, columns):
        self._columns = columns

    def __iter__(self):
        return iter(self._columns)

    def __arrow_c_stream__(self, requested_schema=None):
        import pyarrow as pa

        return pa.table(self._columns).__arrow_c_stream__(requested_schema)


class ArrowColumn(ArrowTable):
    """The same of a column."""

    def __arrow_c_stream__(self, requested_schema=None):
        import pyarrow as pa

        return pa.chunked_array([self._columns]).__arrow_c_stream__(requested_schema)


class Interchange:
    """A table that has the old protocol only."""

    columns = ("inn", "phone")

    def __iter__(self):
        return iter(SHOP)

    def __dataframe__(self):
        raise AssertionError


class Lazy:
    """A table that is not computed yet."""

    def collect(self):
        """Compute it."""
        raise AssertionError


@pytest.fixture
def _arrow():
    pytest.importorskip("pyarrow", reason="make test-parquet lays pyarrow over the environment")


READ = {
    "a list of lists of dicts": lambda: [ROWS[:2], [], ROWS[2:]],
    "a list of lists of lists of dicts": lambda: [[ROWS[:2]], [ROWS[2:]]],
    "an iterable of lists of dicts": lambda: iter([ROWS[:2], ROWS[2:]]),
    "a list of tables": lambda: [FRAME[:2], ROWS[2:]],
    "to_records()": FRAME.to_records,
    "a structured array": lambda: np.array(
        [tuple(row.values()) for row in ROWS], dtype=[("inn", ">i8"), ("phone", "U12"), ("name", "U1")]
    ),
    "rows of a structured array": lambda: list(FRAME.to_records()),
    "data classes": lambda: [Person(**row) for row in ROWS],
    "an array of dicts": lambda: np.array(ROWS, dtype=object),
    "a Series of dicts": lambda: pd.Series(ROWS),
    "a column named like a method": lambda: FRAME.assign(resolve=1, template_fields=1),
}


@pytest.mark.parametrize("kind", READ)
def test_rows_with_names_are_read(gateway, run_task, make_campaign, kind):
    """Everybody is texted once, and no other number is taken for a phone."""
    result = run_task(make_campaign(lambda context, jinja_env: READ[kind]()))

    assert result.state == "success", result.error
    assert sorted(sms.phone for sms in gateway.sent) == SHOP


@pytest.mark.parametrize("kind", READ)
def test_rows_with_names_are_read_as_they_are_given(gateway, run_task, make_campaign, kind):
    """The same holds where they stand in the DAG, and Airflow looks for templates in them."""
    result = run_task(make_campaign(READ[kind]()))

    assert result.state == "success", result.error
    assert sorted(sms.phone for sms in gateway.sent) == SHOP


@pytest.mark.usefixtures("_arrow")
@pytest.mark.parametrize("name", ["recipients", "exclude", "only"])
def test_tables_of_arrow_are_read(gateway, run_task, make_campaign, name):
    """Whatever hands out an Arrow stream is a table, also as a part of a list."""
    numbers = ArrowTable({"inn": [1, 2], "phone": list(map(int, SHOP[:2])), "name": ["N", "N"]})
    keys = ArrowTable({"key": SHOP[:2]})
    source = {"recipients": numbers, "exclude": [numbers], "only": keys}[name]

    run_task(make_campaign(**{"recipients": ROWS, name: source}))

    assert sorted(sms.phone for sms in gateway.sent) == (SHOP[2:] if name == "exclude" else SHOP[:2])


@pytest.mark.usefixtures("_arrow")
def test_a_column_of_arrow_is_a_list_of_phones(gateway, run_task, make_campaign):
    """A column without a name is read as a list is."""
    run_task(make_campaign(ROWS, exclude=ArrowColumn(SHOP[:2])))

    assert sorted(sms.phone for sms in gateway.sent) == SHOP[2:]


def test_arrow_without_pyarrow(gateway, run_task, make_campaign, monkeypatch):
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    result = run_task(make_campaign(ArrowTable({"phone": SHOP})))

    assert result.state == "failed"
    assert "recipients is a tests.ArrowTable, which needs pyarrow" in str(result.error)
    assert "pip install 'airflow-provider-osonsms[parquet]'" in str(result.error)
    assert gateway.sent == []


REFUSED = {
    "rows without names": (lambda: [[900000001, SHOP[0]], [900000002, SHOP[1]]], "values without names"),
    "rows as Series": (lambda: [row for _, row in FRAME.iterrows()], "is one row of a table"),
    "rows as arrays": (lambda: list(FRAME.to_numpy()), "values without names"),
    "one row as a Series": (lambda: FRAME.iloc[0], "is one row of a table"),
    "one named tuple": (lambda: next(FRAME.itertuples()), "is one Pandas; put rows in a list"),
    "one dict": (lambda: ROWS[0], "is one dict; put rows in a list"),
    "a dict of columns": (lambda: FRAME.to_dict("list"), "make a dict of columns a pandas DataFrame"),
    "a lazy frame": (Lazy, "give what its .collect() returns"),
    "the old protocol": (Interchange, "a table of another library"),
    "a set": (lambda: set(SHOP), r"an iterable (set) of str"),
    "rows with an index": (FRAME.iterrows, "an iterable (generator) of tuple"),
    "a table among phones": (lambda: [FRAME, SHOP[0]], "is a list of DataFrame and str"),
    "a table among rows": (lambda: iter([ROWS[0], FRAME]), "rows with names and a DataFrame"),
    "two columns": (lambda: pd.concat([FRAME, FRAME], axis=1), "has 2 columns 'phone'"),
    "columns with two levels": (lambda: pd.concat({"a": FRAME}, axis=1), "has no column 'phone'"),
    "a table as an array": (FRAME.to_numpy, "an array of 2 dimensions"),
    "several values in a cell": (
        lambda: np.zeros(2, dtype=[("phone", "i8", 3)]),
        "column 'phone' holds raw bytes or several values a row",
    ),
    "an index of two levels": (
        lambda: pd.MultiIndex.from_frame(FRAME),
        "is a MultiIndex; give its .to_frame()",
    ),
    "bytes": (lambda: memoryview(b"992900000001"), "is of the type memoryview"),
    "an open file": (lambda: StringIO("\n".join(SHOP)), "an iterable (StringIO) of str"),
    "a class": (lambda: Person, "is of the type type"),
}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("name", ["recipients", "exclude"])
def test_what_may_be_misread_is_refused(gateway, run_task, make_campaign, *, kind, name):
    """Nobody is texted, nothing is retried, and the error names the argument, what it is, and no phone."""
    make, said = REFUSED[kind]

    result = run_task(make_campaign(**{"recipients": ROWS, name: lambda context, jinja_env: make()}))

    assert result.state == "failed"
    assert str(result.error).startswith(name)
    assert said in str(result.error)
    assert not any(phone in str(result.error) for phone in SHOP)
    assert gateway.sent == []
