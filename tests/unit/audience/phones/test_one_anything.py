"""Whatever is in a cell is a phone or has a reason, and masks hide it."""

import re
import subprocess
import sys
from numbers import Real

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.audience.phones.one import mask_phone, normalize_phone
from airflow_provider_osonsms.audience.reasons import RejectReason

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
    phone = normalize_phone(value)

    if not isinstance(phone, RejectReason):
        assert re.fullmatch(r"992\d{9}", phone, re.ASCII)
        assert normalize_phone(phone) == phone
        assert normalize_phone(int(phone)) == phone


def test_a_number_that_is_none() -> None:
    """An object that calls itself a number and is none is not an error either."""

    class Pretender:
        """A number by name only."""

    Real.register(Pretender)

    assert normalize_phone(Pretender()) is RejectReason.NOT_A_NUMBER


@given(st.from_regex(r"\A992[0-9]{9}\Z"))
def test_every_msisdn_is_itself(phone: str) -> None:
    """Every number of 12 digits with 992 is accepted as it is, with a plus, and with 00."""
    assert {normalize_phone(prefix + phone) for prefix in ("", "+", "00")} == {phone}


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
        "import sys, airflow_provider_osonsms.audience.phones.one; "
        "sys.exit(bool({'pandas', 'numpy'} & sys.modules.keys()))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
