"""Keys that tell rows apart, and who is allowed."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from airflow_provider_osonsms.audience.audience import Audience, prepare_audience
from airflow_provider_osonsms.audience.keys import row_key
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

A, B, C = "992900000001", "992900000002", "992900000003"


def reasons(audience: Audience) -> dict[int, str]:
    """Return the reason of each rejected row."""
    return audience.rejects["reason"].to_dict()


def test_a_key_column_tells_rows_with_one_phone_apart() -> None:
    """With keys a phone may occur twice, a key only once, and a row without a key is left out."""
    frame = pd.DataFrame({"phone": [A, A, B, C, "x"], "contract": [7, 8, 7, None, 9]})

    audience = prepare_audience(frame, key_column="contract")

    assert audience.recipients["phone"].to_dict() == {0: A, 1: A}
    assert audience.keys.to_dict() == {0: "7", 1: "8"}
    assert reasons(audience) == {2: "duplicate", 3: "missing_key", 4: "not_a_number"}


def test_without_a_key_column_the_phone_is_the_key() -> None:
    """The keys of an audience are its phones, also when the phone column is named as the key."""
    frame = pd.DataFrame({"phone": ["900000001", A, B]})

    assert prepare_audience(frame).keys.to_dict() == {0: A, 2: B}
    assert prepare_audience(frame, key_column="phone").keys.to_dict() == {0: A, 2: B}


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


def test_only_allowed_phones_stay() -> None:
    """With allowed phones, in any spelling, everybody else is left out."""
    audience = prepare_audience([A, B, "x", A], allowed_phones=["+992 90 000 00 01"])

    assert list(audience.recipients["phone"]) == [A]
    assert reasons(audience) == {1: "not_allowed", 2: "not_a_number", 3: "duplicate"}
    assert len(prepare_audience([A], allowed_phones=[])) == 0


@pytest.mark.parametrize(
    ("allowed", "said"),
    [
        ([A, "+7 900 000 00 01"], r"allowed_phones\[1\] •••••01 .*foreign_country"),
        (A, "a str"),
        (5, "an? int"),
    ],
)
def test_an_allowed_phone_must_be_a_phone(allowed: Any, said: str) -> None:
    """An allow-list that is none is an error that names the entry's position, masked."""
    with pytest.raises(InvalidMessageError, match=said) as error:
        prepare_audience([A], allowed_phones=allowed)

    assert not re.search("[0-9]{4}", str(error.value))
