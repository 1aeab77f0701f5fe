"""Keys that tell rows apart, and who is allowed."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from airflow_provider_osonsms.audience.audience import Audience, prepare_audience
from airflow_provider_osonsms.audience.reasons import RejectReason
from airflow_provider_osonsms.audience.row_keys import normalize_key
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

A, B, C = "992900000001", "992900000002", "992900000003"


def keys(audience: Audience) -> dict[int, tuple[str, str]]:
    """Return phone and key of each recipient, by row."""
    return {
        row: (phone, key)
        for chunk in audience.read_chunks()
        for row, phone, key in zip(chunk.positions, chunk.phones, chunk.row_keys, strict=True)
    }


def test_a_key_column_tells_rows_with_one_phone_apart() -> None:
    """With keys a phone may occur twice, a key only once, and a row without a key is left out."""
    frame = pd.DataFrame({"phone": [A, A, B, C, "x"], "contract": [7, 8, 7, None, 9]})

    audience = prepare_audience(frame, key_column="contract")

    assert keys(audience) == {0: (A, "7"), 1: (A, "8")}
    assert audience.rejects.count() == {"not_a_number": 1, "missing_key": 1, "duplicate": 1}


@pytest.mark.parametrize("key", ["\ud800", "7\0", "7\r8", "7\n8", "a\x85b"])
def test_a_key_that_no_table_holds_is_no_key(key: str) -> None:
    """Half a character, or a control character, costs its row and not the campaign, and says why."""
    frame = pd.DataFrame({"phone": [A, B], "contract": [key, "7"]}, dtype="object")

    audience = prepare_audience(frame, key_column="contract")

    assert keys(audience) == {1: (B, "7")}
    assert audience.rejects.count() == {"unfit_key": 1}
    assert audience.rejects.invalid == 1


def test_without_a_key_column_the_phone_is_the_key() -> None:
    """The keys of an audience are its phones, also when the phone column is named as the key."""
    frame = pd.DataFrame({"phone": ["900000001", A, B]})

    assert keys(prepare_audience(frame)) == {0: (A, A), 2: (B, B)}
    assert keys(prepare_audience(frame, key_column="phone")) == {0: (A, A), 2: (B, B)}


def test_a_key_may_be_a_column_of_the_text() -> None:
    """One column may be the key and stand in the text."""
    frame = pd.DataFrame({"phone": [A], "contract": [7]})

    (chunk,) = prepare_audience(frame, key_column="contract", columns=["contract", "phone"]).read_chunks()

    assert (chunk.row_keys, chunk.columns) == (["7"], {"contract": [7], "phone": [A]})


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("17", [17, 17.0, "17", "17.0", " 17 ", Decimal("17.00"), np.int64(17), np.float32(17), "17\r\n"]),
        ("17.5", [17.5, "17.5", "17.50", Decimal("17.50"), np.float32(17.5)]),
        ("-3", [-3, -3.0, "-3", "-3.0"]),
        ("0", [0, -0.0, "0", "-0.0", "0.00", Decimal("0E-3")]),
        ("0.00001", [0.00001, "1e-05", "0.00001", "0.0000100", Decimal("0.00001")]),
        ("1" + "0" * 400, [10**400, "1" + "0" * 400, Decimal("1E+400")]),
        ("007", ["007", " 007"]),
        ("07.0", ["07.0"]),
        ("1e5", ["1e5"]),
        ("+17", ["+17"]),
        ("1.2.0", ["1.2.0"]),
        ("17.", ["17."]),
        ("1,5", ["1,5"]),
        ("inf", [float("inf"), "inf"]),
        ("True", [True, "True"]),
        ("Ғ-17", ["Ғ-17", "  Ғ-17\u00a0"]),
        ("й", ["й", "\u0438\u0306"]),
        (
            "2026-11-01",
            [
                date(2026, 11, 1),
                datetime(2026, 11, 1),  # noqa: DTZ001
                pd.Timestamp("2026-11-01"),
                np.datetime64("2026-11-01"),
                "2026-11-01",
                "2026-11-01 00:00:00",
                "2026-11-01T00:00",
                "2026-11-01 00:00:00.000",
            ],
        ),
        (
            "2026-11-01 10:30:00.5",
            [
                datetime(2026, 11, 1, 10, 30, 0, 500_000),  # noqa: DTZ001
                pd.Timestamp("2026-11-01 10:30:00.500"),
                "2026-11-01T10:30:00.500000",
            ],
        ),
        (
            "2026-11-01 00:00:00+00:00",
            [
                datetime(2026, 11, 1, tzinfo=UTC),
                pd.Timestamp("2026-11-01 05:00", tz="Asia/Dushanbe"),
                "2026-11-01T05:00:00+05:00",
                "2026-11-01 05:00:00+05",
                "2026-11-01T00:00:00Z",
            ],
        ),
        ("00000000-0000-0000-0000-000000000007", [UUID(int=7), str(UUID(int=7))]),
        (RejectReason.MISSING_KEY, [None, np.nan, pd.NA, pd.NaT, "", " ", "nan", Decimal("NaN")]),
    ],
)
def test_keys_do_not_depend_on_a_columns_type(written: str, values: list[object]) -> None:
    """One key is one text, whether its column was read as ints, floats, decimals or texts."""
    assert [normalize_key(value, "id") for value in values] == [written] * len(values)


@pytest.mark.parametrize("key", ["9007199254740993.0", "1.23457E+15", "1e+16", "-1,5E+12"])
def test_a_text_that_was_a_rounded_number_is_no_key(key: str) -> None:
    """What a float or a spreadsheet has left of a key stops the task, also when a file holds it as text."""
    with pytest.raises(InvalidMessageError, match=r"'id' holds .* which have lost digits"):
        normalize_key(key, "id")


@pytest.mark.parametrize(
    ("contracts", "is_refused"),
    [
        (["1.1", "1.10"], True),
        (["17", "17.0"], True),
        (["1.10", "1.100"], True),
        (["17.0", "17.0"], False),
        ([17, 17.0], False),
        (["17", 17.0], False),
        (["1.1", "1.2"], False),
        (["й", "\u0438\u0306"], False),
    ],
)
def test_two_texts_of_one_number_are_perhaps_two_keys(contracts: list[object], *, is_refused: bool) -> None:
    """Contracts 1.1 and 1.10 may be two: nobody is left out as a duplicate of somebody else."""
    frame = pd.DataFrame({"phone": [A, B], "contract": pd.Series(contracts, dtype="object")})

    if not is_refused:
        assert len(prepare_audience(frame, key_column="contract")) == (1 if contracts[1] != "1.2" else 2)
        return
    with pytest.raises(InvalidMessageError, match=r"holds one number in two spellings.* row 1 and row 2:"):
        prepare_audience(frame, key_column="contract")


def test_only_compares_the_written_forms() -> None:
    """A list of keys chooses its rows, whatever type its keys and those of the audience have."""
    frame = pd.DataFrame({"phone": [A, B, C], "contract": [17.0, 18.5, None]})

    audience = prepare_audience(frame, key_column="contract", only=["17.0", Decimal("18.50")])

    assert keys(audience) == {0: (A, "17"), 1: (B, "18.5")}


def test_a_key_needs_a_stable_text() -> None:
    """A key without a text that is the same tomorrow is an error that names its type."""
    with pytest.raises(InvalidMessageError, match="'id' holds a object"):
        prepare_audience([{"phone": A, "id": object()}], key_column="id")


@pytest.mark.parametrize(
    ("column", "is_lost"),
    [
        (pd.Series([2**53 - 1, None]), False),
        (pd.Series([2**53 + 1, None]), True),
        (pd.Series([-(2**60), None]), True),
        (pd.Series([2**24 + 1, 1], dtype="float32"), True),
        (pd.Series([2**24 - 1, 1], dtype="float32"), False),
        (pd.Series([2**53 + 1, None], dtype="Int64"), False),
        (pd.Series([str(2**53 + 1), None]), False),
        (pd.Series([Decimal(2**60 + 1), None], dtype="object"), False),
    ],
)
def test_a_float_that_has_lost_digits_is_no_key(column: pd.Series, *, is_lost: bool) -> None:
    """One missing value makes pandas read long keys as floats, and two of them become one."""
    frame = pd.DataFrame({"phone": [A, B], "contract": column})

    if not is_lost:
        assert len(prepare_audience(frame, key_column="contract")) >= 1
        return
    with pytest.raises(InvalidMessageError, match=r"'contract' holds floats of .* Read the column with"):
        prepare_audience(frame, key_column="contract")
