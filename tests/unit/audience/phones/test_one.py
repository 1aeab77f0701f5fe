"""Spellings of phones, one by one (design, "Phones and texts")."""

import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from airflow_provider_osonsms.audience.phones.one import normalize_phone
from airflow_provider_osonsms.audience.reasons import RejectReason

PHONE = "992900000001"
ACCEPTED_TEXTS = [
    "992900000001",
    " 992900000001\t\r\n",
    "900000001",
    "+992900000001",
    "00992900000001",
    "+992 90 000-00-01",
    "992\xa090\xa0000\xa000\xa001",
    "(+992) 90 000 00 01",
    "+992(90)000-00-01",
    "992–900—000‑001",
    "992.900.000.001",
    "992.900000001",
    "90.000.00.01",
    "90 000 00 01",
    "992900000001.0",
    "992900000001,00",
    "900000001.0",
    "\ufeff992900000001",
    "\u202a+992900000001\u202c",
    "00 992 900000001",
]
ACCEPTED_NUMBERS = [
    992900000001,
    900000001,
    992900000001.0,
    900000001.0,
    np.int64(992900000001),
    np.uint64(992900000001),
    np.int32(900000001),
    np.float64(992900000001),
    np.longdouble(992900000001),
    Decimal(992900000001),
    Decimal("992900000001.00"),
    Fraction(992900000001),
    np.str_("992900000001"),
]
REJECTED = {
    RejectReason.EMPTY: [
        *(None, float("nan"), np.nan, np.float32("nan"), pd.NA, pd.NaT, np.datetime64("NaT"), Decimal("NaN")),
        *("", " ", "\xa0", "\u200b", "\t\n", "nan", "NaN", "None", "null", "NULL", "<NA>", "NaT", " nan "),
    ],
    RejectReason.NOT_A_NUMBER: [
        *(True, False, np.True_, float("inf"), -float("inf"), Decimal("Infinity"), np.float32("inf")),
        *(-992900000001, 992900000001.5, -0.5, Decimal("992900000001.0000001"), Fraction(1, 3), 1j),
        *([], {}, (PHONE,), object(), b"992900000001", pd.Timestamp("2026-11-01"), np.array([1, 2])),
        *("abc", "-", "+", "()", "тел. 900000001", "900000001 Али", "٩٩٢٩٠٠٠٠٠٠٠١", "９９２９００００００１"),
        *("-992900000001", "992+900000001", "++992900000001", "90000000.5", "992900000001.5", "#####"),
        *("992900000001;", "992900000001.", "1_000"),
    ],
    RejectReason.LOST_DIGITS: [
        *("9.92928E+11", "9,92928E+11", "9.92900000001e11", "9E+08", " 9.93E+11 ", "992928000000.0"),
        *(992928000000.0, 9.92928e11, 998900000000.0, np.float64(992000000000), 928000000.0),
        *(np.float32(992900000001), np.float32(900000001), Decimal("9.92928E+11")),
    ],
    RejectReason.AMBIGUOUS_SHORT: [
        9000001,
        90000001,
        9000001.0,
        np.int32(2212345),
        "9000001.0",
        Decimal(9000001),
    ],
    RejectReason.FOREIGN_COUNTRY: [
        *("+79000000001", "79000000001", "89000000001", "998900000001", "0079000000001", "+900000001"),
        *(
            "+7 900 000-00-01",
            "+998 90 000 00 01",
            "001 202 555 0100",
            79000000001,
            998900000001,
            998900000001.0,
        ),
    ],
    RejectReason.TOO_SHORT: [
        *(
            "1",
            "9000001",
            "90000001",
            "+992123456",
            "00992123456",
            "00992",
            "0900000001",
            "9929000000",
            "99290000000",
        ),
        *(0, 123, 9000000001, 9.0, "0.0", np.int8(7), np.float16(7)),
    ],
    RejectReason.TOO_LONG: [
        *(
            "9929000000012",
            "+9929000000012",
            "009929000000012",
            "9" * 5000,
            "9" * 400 + "5",
            "992900000001 2",
        ),
        *(9929000000012, 9929000000012.0, 10**5000, 1e300, Decimal("1E+999999"), Fraction(10**400)),
    ],
    RejectReason.SEVERAL_NUMBERS: [
        f"900000001{between}900000002"
        for between in (",", ";", "/", "|", "\n", "\r\n", ", ", " / ", " ", "  ", " +")
    ]
    + ["+992 90 000 00 01, +992 90 000 00 02", "+992900000001 +992900000002", "90-000-00-01 90-000-00-02"]
    + ["992900000001,992900000002", "992 900000001 +992 900000002"],
}


@pytest.mark.parametrize("value", [*ACCEPTED_TEXTS, *ACCEPTED_NUMBERS], ids=repr)
def test_spellings_of_one_phone(value: object) -> None:
    """Every way to write the phone gives the same 12 digits, as a plain str."""
    phone = normalize_phone(value)

    assert phone == PHONE
    assert type(phone) is str


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(value, reason, id=f"{reason}-{number}")
        for reason, values in REJECTED.items()
        for number, value in enumerate(values)
    ],
)
def test_what_is_no_phone(value: object, reason: RejectReason) -> None:
    """What spells no phone, or more than one, or one that is not served, is left out with its reason."""
    assert normalize_phone(value) is reason


@pytest.mark.parametrize("value", ["992123456", 992123456, 992123456.0, "992 123 456"])
def test_length_decides_what_992_is(value: object) -> None:
    """Nine digits are a local number even when they begin like the country code."""
    assert normalize_phone(value) == "992992123456"


def test_a_local_number_may_begin_with_zeros() -> None:
    """Nine digits of text are a local number even when they begin like an international call."""
    assert normalize_phone("001000001") == "992001000001"


def test_a_round_number_that_was_never_a_float_is_kept() -> None:
    """Six zeros at the end are suspicious in a float only."""
    assert {normalize_phone(value) for value in ("992900000000", 992900000000, Decimal(992900000000))} == {
        "992900000000"
    }


@pytest.mark.parametrize("reason", RejectReason)
def test_every_reason_has_advice(reason: RejectReason) -> None:
    """Every reason says what to do in one sentence."""
    assert re.fullmatch(r"[A-Z][^.]+", reason.advice)


def test_an_ambiguous_number_is_told_about_dtype() -> None:
    """Who lost leading zeros learns how to read the column."""
    assert "dtype=str" in RejectReason.AMBIGUOUS_SHORT.advice
