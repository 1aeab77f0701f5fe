"""Whatever is in a cell is a phone or has a reason, and masks hide it."""

import re
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from numbers import Real

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.audience.phones import RejectReason, mask_phone, normalise_phone

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
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=992_000_000_000, max_value=992_999_999_999),
    st.floats(),
    st.floats(width=32).map(np.float32),
    st.decimals(),
    st.decimals(allow_nan=True).map(str),
    st.fractions(),
    st.complex_numbers(),
    st.dates(),
    st.binary(max_size=15),
    st.text(max_size=20),
    st.text(alphabet="0123456789+- .,;/|()eE\n٩x", max_size=30),
    st.from_regex(r"\A\+?(00)?992[ -]?[0-9]{9}\Z"),
    st.lists(st.integers(), max_size=2),
)


@given(ANYTHING)
def test_anything_is_a_phone_or_a_reason(value: object) -> None:
    """Whatever comes in, an MSISDN or a reason comes out, and an MSISDN stays itself."""
    phone = normalise_phone(value)

    if not isinstance(phone, RejectReason):
        assert re.fullmatch(r"992\d{9}", phone, re.ASCII)
        assert normalise_phone(phone) == phone
        assert normalise_phone(int(phone)) == phone


def test_a_number_that_is_none() -> None:
    """An object that calls itself a number and is none is not an error either."""

    class Pretender:
        """A number by name only."""

    Real.register(Pretender)

    assert normalise_phone(Pretender()) is RejectReason.NOT_A_NUMBER


@given(st.from_regex(r"\A992[0-9]{9}\Z"))
def test_every_msisdn_is_itself(phone: str) -> None:
    """Every number of 12 digits with 992 is accepted as it is, with a plus, and with 00."""
    assert {normalise_phone(prefix + phone) for prefix in ("", "+", "00")} == {phone}


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("992900000777", "992•••••777"),
        (992900000777, "992•••••777"),
        (992900000777.0, "992•••••777"),
        ("+992900000777", "•••••77"),
        ("900000777", "•••••77"),
        ("12345", "•••••"),
        ("", "•••••"),
        (None, "•••••"),
        (float("nan"), "•••••"),
        (float("inf"), "•••••"),
        pytest.param(10**5000, "•••••", id="huge"),
        (True, "•••••"),
        (["992900000777"], "•••••"),
        ("Алишер Навоӣ", "•••••"),
    ],
)
def test_masking(value: object, masked: str) -> None:
    """An MSISDN shows three digits at each end, anything else two at most."""
    assert mask_phone(value) == masked


@given(ANYTHING)
def test_a_mask_hides(value: object) -> None:
    """A mask never shows more than six digits of an MSISDN, or two of anything else."""
    shown = mask_phone(value).replace("•", "")

    assert re.fullmatch(r"(992[0-9]{3}|[0-9]{2}|)", shown)


def test_phones_are_read_without_pandas() -> None:
    """A DAG file that imports the phones' module does not load pandas or numpy."""
    code = (
        "import sys, airflow_provider_osonsms.audience.phones; "
        "sys.exit(bool({'pandas', 'numpy'} & sys.modules.keys()))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
