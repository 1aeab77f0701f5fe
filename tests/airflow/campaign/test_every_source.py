"""Whatever the source: nobody is lost or texted twice, and what is refused is refused in words."""

import gzip
import itertools
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_osonsms.audience.audience import prepare_audience
from airflow_provider_osonsms.audience.phones.one import normalize_phone
from airflow_provider_osonsms.audience.reasons import RejectReason
from airflow_provider_osonsms.audience.sources.columns import is_data
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

RUNS = itertools.count()


class Row(NamedTuple):
    """A row with names."""

    inn: Any
    phone: Any


PHONES = st.integers(992900000101, 992900000109).map(str)
SPELLINGS = st.sampled_from(["{}", "+{}", "'{}", '="{}"', " {} ", "{}.0", "00{}", "'+{}"])
CELLS = st.one_of(
    st.builds(str.format, SPELLINGS, PHONES),
    PHONES.map(lambda phone: f"{phone[:3]},{phone[3:6]},{phone[6:9]},{phone[9:]}"),
    st.sampled_from(
        ["9.929E+11", "1234567", "992,900", "n/a", "#N/A", "+79161234567", "992900000101;992900000102"]
    ),
    st.text(alphabet="0123456789+-,'=\" ()x", min_size=1, max_size=14).filter(str.strip),
)


def write_csv(path, cells, *, mark=",", first=""):
    """Write cells beside the number of a taxpayer."""
    rows = [["inn", "phone"], *([str(900000000 + number), cell] for number, cell in enumerate(cells))]
    lines = [mark.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    content = first + "\n".join(lines)
    path.write_bytes(gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode())
    return str(path)


def write_text(path, cells):
    """Write one cell a line, as a CSV where the first line would not say that there is no header."""
    quoted = ["phone", *('"' + cell.replace('"', '""') + '"' for cell in cells)]
    path.write_text("\n".join(cells if is_data(cells[0]) else quoted), encoding="utf-8")
    return path


def write_workbook(path, cells):
    """Write cells into a workbook, as texts."""
    book = openpyxl.Workbook()
    book.active.append(["inn", "phone"])
    for number, cell in enumerate(cells, start=2):
        book.active.cell(number, 1, number)
        written = book.active.cell(number, 2)
        written.value, written.data_type = cell, "s"
    book.save(path)
    return path


def make_dicts(cells):
    """Return rows with the number of a taxpayer before the phone."""
    return [{"inn": 900000000 + number, "phone": cell} for number, cell in enumerate(cells)]


def make_frame(cells):
    """Return the same as a table."""
    return pd.DataFrame(
        {"inn": range(900000000, 900000000 + len(cells)), "phone": pd.Series(cells, dtype=object)}
    )


SOURCES = {
    "DataFrame": lambda cells, folder: make_frame(cells),
    "DataFrame of str": lambda cells, folder: make_frame(cells).astype({"phone": "string"}),
    "Series": lambda cells, folder: pd.Series(cells, dtype=object),
    "array": lambda cells, folder: np.array(cells, dtype=object),
    "to_records()": lambda cells, folder: make_frame(cells).to_records(),
    "list": lambda cells, folder: list(cells),
    "tuple": lambda cells, folder: tuple(cells),
    "list of dicts": lambda cells, folder: make_dicts(cells),
    "list of named tuples": lambda cells, folder: [Row(**row) for row in make_dicts(cells)],
    "list of lists of dicts": lambda cells, folder: [make_dicts(cells[:2]), [], make_dicts(cells[2:])],
    "list of DataFrames": lambda cells, folder: [make_frame(cells[:1]), make_frame(cells[1:])],
    "iterable of DataFrames": lambda cells, folder: iter([make_frame(cells[:1]), make_frame(cells[1:])]),
    "iterable of dicts": lambda cells, folder: iter(make_dicts(cells)),
    "CSV": lambda cells, folder: write_csv(folder / "people.csv", cells),
    "CSV of Excel": lambda cells, folder: write_csv(
        folder / "p.csv", cells, mark=";", first="\ufeffsep=;\r\n"
    ),
    "TSV, packed": lambda cells, folder: write_csv(folder / "people.tsv.gz", cells, mark="\t"),
    "list of CSVs": lambda cells, folder: [
        write_csv(folder / "1.csv", cells[:2]),
        Path(write_csv(folder / "2.csv", cells[2:])),
    ],
    "text": lambda cells, folder: write_text(folder / "people.txt", cells),
    "workbook": lambda cells, folder: write_workbook(folder / "people.xlsx", cells),
}


@pytest.fixture
def text(gateway, run_task, make_campaign):
    """Run a campaign of its own; return the phones that the gateway has accepted, and how the task ended."""

    def run(recipients, **options):
        before = len(gateway.sent)
        operator = make_campaign(
            lambda context, jinja_env: recipients, message="Салом!", on_empty="success", **options
        )
        result = run_task(operator, run_id=f"run-{next(RUNS)}")
        return [sms.phone for sms in gateway.sent[before:]], result

    return run


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(kind=st.sampled_from(sorted(SOURCES)), cells=st.lists(CELLS, min_size=1, max_size=5))
def test_nobody_is_lost(text, kind, cells):
    """Each entry is texted or rejected with a reason, and who is texted is who can be read, once each."""
    with TemporaryDirectory() as folder:
        sent, result = text(SOURCES[kind](cells, Path(folder)))

    read = [str(phone) for phone in map(normalize_phone, cells) if not isinstance(phone, RejectReason)]
    if not read:  # rows that are all wrong never end well
        assert result.state == "failed"
        assert sent == []
        return
    assert result.state == "success", result.error
    assert sorted(sent) == sorted(set(read))
    assert len(sent) + sum(result.xcom["rejected"].values()) == len(cells)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(kind=st.sampled_from(sorted(SOURCES)), cells=st.lists(CELLS, min_size=1, max_size=5))
def test_nobody_on_the_list_is_texted(text, kind, cells):
    """As exclude, each source keeps whom it holds from being texted, or the task stops and texts nobody."""
    everybody = [str(phone) for phone in range(992900000101, 992900000110)]
    with TemporaryDirectory() as folder:
        sent, result = text(everybody, exclude=SOURCES[kind](cells, Path(folder)))

    listed = {str(phone) for phone in map(normalize_phone, cells)}
    assert not listed & set(sent)
    if result.state == "failed":
        assert str(result.error).startswith("exclude")
        assert sent == []


ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(max_size=8),
    st.binary(max_size=4),
    st.dates(),
    st.sampled_from(
        ["/a.csv", "x.json", "s3://b/k", ".txt", "~", "./", "a.xlsx", "a\0.csv", np.int64(5), pd.NaT]
    ),
    st.sampled_from([object(), object, len, 1j, np.float32(7), range(3), date, Decimal("sNaN"), pd.NA, ...]),
)
ARRAYS = st.one_of(
    st.lists(ATOMS, max_size=3).map(lambda cells: pd.Series(cells, dtype=object)),
    st.sampled_from(
        [
            np.zeros((2, 2)),
            np.zeros(2, dtype="V8"),
            np.zeros(2, dtype=">c16"),
            np.array("x"),
            np.array(["2026-01-31"], dtype="M8[D]"),
            np.zeros(2, dtype=[("phone", "V4")]),
            np.zeros(2, dtype=[("phone", [("a", "i8")])]),
            np.ma.masked_array([1, 2], mask=[True, False]),
            pd.array([1, None], dtype="Int64"),
            pd.interval_range(0, 3),
            pd.period_range("2026", periods=2, freq="D"),
            pd.Categorical(["992900000101"]),
            pd.arrays.SparseArray([0, 1]),
            pd.DataFrame({("phone", "a"): [1]}),
            pd.DataFrame({"phone": [1, 2], 3: [4, 5]}),
            pd.DataFrame([[1, 2]], columns=pd.Index(["phone", None])),
            pd.DataFrame({"phone": pd.interval_range(0, 2)}),
        ]
    ),
)
ANYTHING = st.recursive(
    ATOMS | ARRAYS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.lists(inner, max_size=3).map(iter),
        st.dictionaries(st.sampled_from(["phone", "key", "", 1, None, "x"]), inner, max_size=3),
        st.lists(st.fixed_dictionaries({"phone": inner}), max_size=3),
        st.builds(Row, inner, inner),
    ),
    max_leaves=8,
)


@settings(max_examples=400)
@given(name=st.sampled_from(["recipients", "exclude", "only"]), source=ANYTHING)
def test_anything_is_read_or_refused_in_words(name, source):
    """No object of any kind raises an error of another library, and each error names the argument."""
    refused = None
    try:
        audience = prepare_audience(**{"recipients": ["992900000101"], name: source})
    except InvalidMessageError as error:
        refused = str(error)
    if refused is None:
        assert len(audience) + len(audience.rejects) == audience.rows
    else:
        assert refused.startswith((name, "Column 'key'"))
