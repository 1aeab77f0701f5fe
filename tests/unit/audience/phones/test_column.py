"""A column is read exactly as its cells are."""

from decimal import Decimal
from enum import StrEnum

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.audience.phones import column as phone_column
from airflow_provider_osonsms.audience.phones.column import normalize_column
from airflow_provider_osonsms.audience.phones.lines import MAX_LINE_LENGTH
from airflow_provider_osonsms.audience.phones.one import normalize_phone
from airflow_provider_osonsms.audience.reasons import RejectReason

PHONE = 992_900_000_001
MARKS = " \t()-+.,;/|"
DIGITS = st.text("0123456789", max_size=20)
NUMBERS = st.one_of(
    DIGITS,
    st.from_regex(r"\A(\+|00)?992[0-9]{9}\Z"),
    st.from_regex(r"\A[0-9]{9}\Z"),
    st.from_regex(r"\A[78][0-9]{10}\Z"),
    st.from_regex(r"\A0{0,3}[0-9]{1,6}0{3,9}\Z"),
)
SPACED = st.lists(st.one_of(NUMBERS, st.text(MARKS, max_size=3)), max_size=6).map("".join)
GROUPS = st.lists(st.text("0123456789", min_size=2, max_size=4), min_size=3, max_size=6)
TEXTS = st.one_of(
    NUMBERS,
    SPACED,
    st.tuples(st.sampled_from(["", "+", "(", "+ (", " +"]), GROUPS, st.sampled_from(["", ")", " "])).map(
        lambda parts: parts[0] + " ".join(parts[1]) + parts[2]
    ),
    st.tuples(NUMBERS, st.sampled_from([".0", ".00", ",0", ".", ".5", ".10"])).map("".join),
    st.from_regex(r"\A[0-9]{1,2}[.,]?[0-9]{0,6}[eEdx][+-]?[0-9]{1,3}\Z"),
    st.text(f"0123456789{MARKS}\n\r\v\x00eEnaxN/?<>\xa0\u200b\ufeff–٩９", max_size=24),
    st.sampled_from(
        ["", " ", "nan", "None", "<NA>", "NaT", "null", "n/a", "-", "нет", "?", "a" * MAX_LINE_LENGTH]
    ),
    st.integers(MAX_LINE_LENGTH - 2, 3 * MAX_LINE_LENGTH).map(lambda length: "9" * length),
    st.text(max_size=90),
)
CELLS = st.one_of(
    TEXTS,
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(PHONE - 10, PHONE + 10),
    st.floats(),
    st.floats(width=32).map(np.float32),
    st.decimals(),
    st.complex_numbers(),
    st.binary(max_size=15),
    st.dates(),
    st.lists(st.integers(), max_size=2),
    st.just(pd.NA),
    st.just(pd.NaT),
    TEXTS.map(np.str_),
    st.just(10**5000),
)
WHOLE = st.one_of(
    st.integers(0, 10**16),
    st.integers(0, 16).map(lambda power: 10**power),
    st.integers(PHONE - 10, PHONE + 10),
    st.integers(1, 999_999).map(lambda rounded: rounded * 10**6),
    st.integers(900_000_000, 999_999_999),
    st.integers(2**24 - 2, 2**24 + 2),
)
FLOATS = st.one_of(st.floats(), WHOLE.map(float), WHOLE.map(lambda whole: whole + 0.5))


def expect(cells):
    """Ask the reference about each cell."""
    answers = list(map(normalize_phone, cells))
    is_rejected = [isinstance(answer, RejectReason) for answer in answers]
    msisdns = [0 if no else int(answer) for answer, no in zip(answers, is_rejected, strict=True)]
    return msisdns, [answer.code if no else 0 for answer, no in zip(answers, is_rejected, strict=True)]


def assert_same(column, cells=None):
    """Hold a column to the reference."""
    msisdns, codes = normalize_column(column)

    assert (msisdns.dtype, codes.dtype) == (np.int64, np.uint8)
    assert (msisdns.tolist(), codes.tolist()) == expect(column.tolist() if cells is None else cells)


@given(st.lists(CELLS, max_size=12))
def test_any_cells(cells):
    """Whatever the cells are, each is what the reference says."""
    assert_same(pd.Series(cells, dtype="object"))


@given(st.lists(TEXTS, min_size=1, max_size=40))
def test_texts(texts):
    """Texts do not leak into their neighbors."""
    assert_same(pd.Series(texts, dtype="object"))


@pytest.mark.parametrize("dtype", ["str", "string", "category"])
@given(texts=st.lists(st.one_of(TEXTS, st.none()), max_size=12))
def test_columns_of_text(dtype, texts):
    """What pandas stores texts in makes no difference."""
    assert_same(pd.Series(texts, dtype="object").astype(dtype))


@given(texts=st.lists(st.one_of(TEXTS, st.none()), max_size=12))
def test_columns_of_arrow_text(texts):
    """Texts in Arrow's memory are read as the same texts."""
    pytest.importorskip("pyarrow")

    assert_same(pd.Series(texts, dtype="string[pyarrow]"))


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint16", "uint64", "Int64", "UInt64"])
@given(numbers=st.lists(st.one_of(st.integers(), WHOLE)))
def test_columns_of_integers(dtype, numbers):
    """Integers of any width are read as numbers."""
    limits = np.iinfo(dtype.lower())
    fitting = [number for number in numbers if limits.min <= number <= limits.max]

    assert_same(pd.Series(fitting, dtype=dtype))


@pytest.mark.parametrize("dtype", ["float64", "Float64"])
@given(numbers=st.lists(FLOATS))
def test_columns_of_floats(dtype, numbers):
    """Floats are read as numbers, and are suspected to have lost digits."""
    assert_same(pd.Series(numbers, dtype=dtype))


@pytest.mark.parametrize("dtype", ["float16", "float32", "Float32"])
@given(numbers=st.lists(FLOATS))
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")  # of making the column
def test_columns_of_narrow_floats(dtype, numbers):
    """A float of 32 bits is not widened, so a phone in it has lost digits."""
    column = pd.Series(np.array(numbers, dtype=dtype.lower())).astype(dtype)

    assert_same(column, list(column.array))


@pytest.mark.parametrize("dtype", ["int64[pyarrow]", "double[pyarrow]"])
def test_columns_of_arrow_numbers(dtype):
    """Numbers in Arrow's memory are read as numbers, missing ones as empty."""
    pytest.importorskip("pyarrow")

    assert_same(pd.Series([PHONE, None, 900_000_001, 7, -1, 10**15], dtype=dtype))


def test_columns_of_narrow_arrow_floats():
    """Arrow's floats of 32 bits have lost digits, too."""
    pytest.importorskip("pyarrow")

    column = pd.Series([float(PHONE), None, 7.0], dtype="double[pyarrow]").astype("float[pyarrow]")

    assert_same(column, [np.float32(PHONE), None, np.float32(7)])


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([True, False]),
        pd.Series([True, None], dtype="boolean"),
        pd.Series([PHONE, None], dtype="Int64"),
        pd.Series([PHONE, None, float("nan")], dtype="Float64"),
        pd.Series(pd.to_datetime(["2026-11-01", None])),
        pd.Series(pd.to_timedelta([900_000_001, None], unit="s")),
        pd.Series(pd.to_datetime(["2026-11-01", None], utc=True)),
        pd.Series(pd.period_range("2026-11", periods=2)),
        pd.Series([PHONE, 900_000_001, PHONE], dtype="category"),
        pd.Series(pd.arrays.SparseArray([PHONE, 0, 900_000_001])),
        pd.Series(pd.arrays.SparseArray([float(PHONE), np.nan])),
        pd.Series(pd.arrays.SparseArray(np.array([PHONE, 7, np.nan], dtype="float32"))),
        pd.Series([1j, complex("nan")]),
        pd.Series(np.array([PHONE, np.nan, 1e400, -1], dtype=np.longdouble)),
        pd.Series([], dtype="object"),
        pd.Series([], dtype="float64"),
        pd.Series([Decimal(PHONE), Decimal("sNaN"), complex("nan")], dtype="object"),
        pd.Series(["900000001", None], index=[7, 7], dtype="object"),
    ],
    ids=lambda column: str(column.dtype),
)
def test_columns_of_anything_else(column):
    """Every dtype is read as its cells are, whatever the index."""
    assert_same(column)


def test_a_member_of_an_enum_is_its_text():
    """A subclass of str is read as its characters."""

    class Person(StrEnum):
        """Somebody's phone."""

        SOMEBODY = f" {PHONE}"

    assert_same(pd.Series([Person.SOMEBODY, "-"], dtype="object"))


@pytest.mark.parametrize("rows", [1, 2, 3, 7])
@given(cells=st.lists(st.one_of(NUMBERS, CELLS), max_size=20))
def test_borders_of_chunks(rows, cells):
    """Where a chunk ends makes no difference."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phone_column, "CHUNK_ROWS", rows)

        assert_same(pd.Series(cells, dtype="object"))


def test_more_rows_than_a_chunk():
    """A long column is read to its end, and the common spellings all lead to the same phone."""
    spellings = [
        str(PHONE),
        "900000001",
        "+992 90 000-00-01",
        "(+992) 90 000 00 01",
        f"{PHONE}.0",
        f" {PHONE} ",
    ]
    column = pd.Series(spellings * 6_000, dtype="object")

    msisdns, codes = normalize_column(column)

    assert len(column) > phone_column.CHUNK_ROWS
    assert set(msisdns.tolist()) == {PHONE}
    assert not codes.any()


def test_the_column_is_left_alone():
    """What is read is not changed."""
    column = pd.Series([None, float("nan"), "900000001"], dtype="object")
    before = column.copy()

    normalize_column(column)

    pd.testing.assert_series_equal(column, before)


@pytest.mark.parametrize(
    ("text", "is_asked"),
    [
        *((str(PHONE), False), ("900000001", False), ("+992 90 000-00-01", False), (f"{PHONE}.0", False)),
        *(("9.92928E+11", False), (f"{PHONE},{PHONE}", False), ("n/a", False), ("", False), (None, False)),
        *(("нет", True), (f"{PHONE}\xa0", True), ("9" * 99, True)),
    ],
)
def test_who_is_asked(text, is_asked, monkeypatch):
    """The reference is asked only about what is none of the common spellings."""
    asked = []
    monkeypatch.setattr(
        phone_column, "normalize_phone", lambda cell: asked.append(cell) or RejectReason.EMPTY
    )

    normalize_column(pd.Series([text], dtype="object"))

    assert bool(asked) is is_asked
