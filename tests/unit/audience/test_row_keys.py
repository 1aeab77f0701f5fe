"""Keys that tell rows apart, and who is allowed."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from airflow_provider_osonsms.audience.audience import Audience, prepare_audience
from airflow_provider_osonsms.audience.row_keys import row_key
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


@pytest.mark.parametrize("key", ["\ud800", "7\0"])
def test_a_key_that_no_table_holds_is_no_key(key: str) -> None:
    """A lone surrogate, or a NUL, costs its row and not the campaign, nor the list that is read from it."""
    frame = pd.DataFrame({"phone": [A, B], "contract": [key, "7"]}, dtype="object")

    audience = prepare_audience(frame, key_column="contract")

    assert keys(audience) == {1: (B, "7")}
    assert audience.rejects.count() == {"missing_key": 1}


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
    ("value", "key"),
    [
        *[(value, "7") for value in (7, 7.0, "7", Decimal("7.00"), np.int64(7), np.float32(7))],
        *[(value, None) for value in (None, np.nan, pd.NA, pd.NaT, "", " ", "nan")],
        (7.5, "7.5"),
        (10**400, "1" + "0" * 400),
        ("  a", "  a"),
        (float("inf"), "inf"),
        (date(2026, 11, 1), "2026-11-01"),
        (datetime(2026, 11, 1, tzinfo=UTC), "2026-11-01 00:00:00+00:00"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
    ],
)
def test_keys_do_not_depend_on_a_columns_type(value: object, key: str | None) -> None:
    """One key is one text, whether its column was read as ints, floats, decimals or texts."""
    assert row_key(value, "id") == key


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
