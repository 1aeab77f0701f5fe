"""Values are written as people write them, and never as something that they are not."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.text.values import Format, read_format, write_column, write_value

DAY = dt.date(2026, 11, 5)
MOMENT = dt.datetime(2026, 11, 5, 9, 30, tzinfo=dt.UTC)
SPECS = (
    "",
    ".2f",
    ",",
    "d",
    ">10",
    "05",
    "s",
    ".3",
    ".3g",
    "+",
    "x",
    "%",
    ",.1f",
    "=8",
    "%d.%m.%Y",
    "<8s",
    ".1%",
    "e",
)


def read(spec: str) -> Format:
    """Return the format that *spec* is known to be."""
    form = read_format(spec)
    assert form is not None
    return form


def write(value: object, spec: str) -> str | None:
    """Return *value* as a field with *spec* shows it."""
    return write_value(value, read(spec))


@pytest.mark.parametrize(
    ("value", "spec", "text"),
    [
        (1250.0, "", "1250"),
        (1250.0, ",", "1,250"),
        (1250.0, "d", "1250"),
        (1250.0, ".2f", "1250.00"),
        (1250.0, "f", "1250.000000"),
        (1250.0, ">6", "  1250"),
        (1250.5, "", "1250.5"),
        (1250.5, ",", "1,250.5"),
        (-0.0, "", "0"),
        (1e16, "", "10000000000000000"),
        (0.255, ".1%", "25.5%"),
        (1250, ".2f", "1250.00"),
        (1250, ",", "1,250"),
        (Decimal("1250.00"), "", "1250.00"),
        (Decimal("1250.00"), "d", "1250"),
        (Decimal("1250.005"), ".2f", "1250.00"),
        (Decimal("0E-8"), "", "0.00000000"),
        (Decimal("1E+3"), "", "1000"),
        (np.float64(1250.0), "", "1250"),
        (np.float64(1250.0), ".2f", "1250.00"),
        (np.float32(0.1), "", "0.1"),
        (np.float32(1250.1), ".2f", "1250.10"),
        (np.int64(1250), ",", "1,250"),
        (np.int64(1250), "", "1250"),
        (np.bool_(True), "", "True"),
        (True, "", "True"),
        ("Али", "", "Али"),
        ("Али", ">5", "  Али"),
        ("Муҳаммадҷон", ".3", "Муҳ"),
        (np.str_("Али"), "", "Али"),
        (DAY, "", "2026-11-05"),
        (DAY, "%d.%m.%Y", "05.11.2026"),
        (MOMENT, "%d.%m.%Y %H:%M", "05.11.2026 14:30"),
        (MOMENT.time(), "%H:%M", "09:30"),
        (pd.Timestamp(MOMENT), "%d.%m.%Y", "05.11.2026"),
    ],
)
def test_values_are_written(value: object, spec: str, text: str) -> None:
    """Numbers, texts and dates read as people write them."""
    assert write(value, spec) == text


@pytest.mark.parametrize(
    ("text", "spec", "written"),
    [
        ("1250.5", ".2f", "1250.50"),
        ("0.285", ".2f", "0.28"),  # exact: half to even, not the float next to it
        ("99999999999999999999.99", ",.2f", "99,999,999,999,999,999,999.99"),
        ("1250", "d", "1250"),
        ("1250.0", "d", "1250"),
        ("42", "05", "00042"),
        (" 1250.5 ", ".1f", "1250.5"),
        ("-.5", ".2f", "-0.50"),
        ("1250.50", ",", "1,250.50"),
        ("0.00000000", ",", "0.00000000"),
        ("1250.0", "", "1250.0"),
        ("1250.5", ">10", "    1250.5"),
        ("1250,50", "", "1250,50"),
        ("1 250", "d", "1250"),
        ("1 250,50", ",.2f", "1,250.50"),
        ("1 250,50", ".0f", "1250"),
        ("1250,00", "d", "1250"),
        ("1250,5", "010.2f", "0001250.50"),
    ],
)
def test_a_number_in_a_text_stays_exact(text: str, spec: str, written: str) -> None:
    """A format of numbers reads a plain number from a text; any other format leaves the text alone."""
    assert write(text, spec) == written


@pytest.mark.parametrize(
    ("value", "spec"),
    [
        *product(["1,250", "1.250", "1.25E+05", "1_250", "१२", "nan", "Infinity", "Али", "", "5."], [".2f"]),
        *product([float("nan"), float("inf"), -np.inf, Decimal("sNaN"), Decimal("NaN")], ["", ".2f", "d"]),
        *product([np.float32("nan"), np.float64("inf"), pd.NaT, pd.NA], ["", ".2f"]),
        *product([b"salom", [1], {"a": 1}, (1, 2), {1}, np.array([1, 2])], [""]),
        *product([1250.5, "1250.5", "1250,5", Decimal("1250.5")], ["d"]),
        *product(
            [1250.5, 1250, Decimal("1250.50"), np.float32(7), "1250.5", "1250,50", "1 250", " -5", ",5"],
            [".2", ".4s", ".20"],
        ),
        *product(["$1250", "(1250)", "2-юм ошёна", "№ 1250,50", "Али 1250", "қарз 1 250,50"], [".6"]),
        *product([1234567, 1234567.5, np.float64(0.1234567)], ["g", "n", "G"]),
        *product([1255.5, "1255,5", Decimal("1255.5")], [".2g"]),
        *product([1, 1.5, "2026-11-05", Decimal(1), True], ["%d.%m.%Y"]),
        *product([DAY, MOMENT, MOMENT.time()], [">10", ".2f", "d", "%"]),
        *product([True, False, np.bool_(True), "True"], [".2f", "d", ",", "+", "g"]),
        (1.5, "s"),
        (Decimal("1E+999999999"), ".2f"),
        (Decimal("1E+999999999"), "d"),
        pytest.param(10**5000, "", id="too many digits to print"),
        (Fraction(1, 3), ""),
        (object(), ".2f"),
    ],
)
def test_what_does_not_fit_is_not_written(value: object, spec: str) -> None:
    """No amount is guessed, cut or left as ``nan``, and no format is written in place of a value."""
    assert write(value, spec) is None
    assert write_column([value, None], read(spec))[1] == [0]


def test_a_value_may_raise_anything() -> None:
    """A value whose own format fails in its own way is a value that does not fit."""

    class Broken:
        def __format__(self, spec: str) -> str:
            raise KeyError(spec)

    assert write(Broken(), "") is None


@pytest.mark.parametrize("spec", ["euro", ".2d", "1000", ".1000f", "+s", "2f.", "d2", ",s", "<>^"])
def test_a_format_that_fits_nothing_is_known_at_once(spec: str) -> None:
    """A format that can write no value is refused before there are values."""
    assert read_format(spec) is None


CELLS = st.one_of(
    st.none(),
    st.text(max_size=5),
    st.decimals().map(str),
    st.integers(),
    st.floats(),
    st.floats(width=32).map(np.float32),
    st.decimals(),
    st.booleans(),
    st.dates(min_value=dt.date(1000, 1, 1)),
)
COLUMNS = st.one_of(
    st.lists(CELLS),
    st.lists(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))),
    st.lists(st.one_of(st.none(), st.decimals(allow_nan=False, allow_infinity=False, places=2))),
    st.lists(st.one_of(st.none(), st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str))),
    st.lists(st.one_of(st.none(), st.integers())),
    st.lists(st.one_of(st.none(), st.text(max_size=5))),
)


@given(COLUMNS, st.sampled_from(SPECS))
def test_a_column_is_written_like_its_values(values: list[object], spec: str) -> None:
    """A column at once gives what its values give one by one, and no value raises."""
    form = read(spec)
    expected = [None if value is None else write_value(value, form) for value in values]

    texts, unfit = write_column(values, form)

    assert unfit == [row for row, value in enumerate(values) if value is not None and expected[row] is None]
    written = [row for row, text in enumerate(expected) if text is not None]
    assert [texts[row] for row in written] == [expected[row] for row in written]
    assert len(texts) == len(values)
