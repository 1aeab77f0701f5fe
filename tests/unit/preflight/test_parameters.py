"""Plain values of a DAG file are read in one way, and a wrong one is named."""

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.preflight.parameters import (
    read_choice,
    read_flag,
    read_optional_int,
    read_positive_int,
    read_rate,
    read_seconds,
    read_share,
    read_somoni,
    read_timedelta,
)


class Color(StrEnum):
    """Something to choose from."""

    RED = "red"
    BLUE = "blue"


def read_color(value: Any, name: str) -> Color:
    """Read a color."""
    return read_choice(value, name, Color)


READERS = (
    read_color,
    read_flag,
    read_optional_int,
    read_positive_int,
    read_rate,
    read_seconds,
    read_share,
    read_somoni,
    read_timedelta,
)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.timedeltas(),
    st.just(object()),
)


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (read_positive_int, 1, 1),
        (read_optional_int, None, None),
        (read_optional_int, 7, 7),
        (read_share, 0, 0),
        (read_share, 1.0, 1.0),
        (read_share, None, None),
        (read_rate, 0.5, 0.5),
        (read_rate, None, None),
        (read_seconds, 3, 3.0),
        (read_seconds, timedelta(minutes=2), 120.0),
        (read_timedelta, timedelta(0), timedelta(0)),
        (read_timedelta, None, None),
        (read_flag, False, False),
        (read_color, "red", Color.RED),
        (read_somoni, "12.50", Decimal("12.50")),
    ],
)
def test_what_is_accepted(read: Any, value: object, expected: object) -> None:
    """A value of the right kind comes back as it is."""
    assert read(value, "max_parts") == expected


@pytest.mark.parametrize(
    ("read", "value"),
    [
        *((read_positive_int, value) for value in (0, -1, 1.0, True, "3", None)),
        *((read_optional_int, value) for value in (0, 1.5, "many", False)),
        *((read_share, value) for value in (5, -0.1, True, "5%", nan)),
        *((read_rate, value) for value in (0, -2, inf, nan, "20", True)),
        *((read_seconds, value) for value in (0, inf, "10", timedelta(0), None)),
        *((read_timedelta, value) for value in (6, "6h")),
        *((read_flag, value) for value in (1, 0, "False", "{{ params.dry }}", None)),
        *((read_color, value) for value in ("green", None, 1)),
        *((read_somoni, value) for value in ("viel", None, True, inf)),
    ],
)
def test_what_is_refused(read: Any, value: object) -> None:
    """Any other value is refused with the name of the parameter, what is accepted and what was given."""
    with pytest.raises(ValueError, match=r"^max_parts must be .+; it is .+"):
        read(value, "max_parts")


@given(st.sampled_from(READERS), ODD)
def test_anything_may_be_given(read: Any, value: object) -> None:
    """Whatever is given is read or refused in words, and a long text, maybe a phone, is not repeated."""
    try:
        read(value, "max_parts")
        said = "max_parts must be"
    except ValueError as error:
        said = str(error)

    assert said.startswith("max_parts must be")
    assert not isinstance(value, str) or len(value) <= 10 or value not in said


def test_a_maximum_includes_itself() -> None:
    """A number may reach its maximum and not go beyond."""
    assert read_positive_int(200, "unknown_limit", maximum=200) == 200
    with pytest.raises(ValueError, match="a whole number from 1 to 200; it is 201"):
        read_positive_int(201, "unknown_limit", maximum=200)
