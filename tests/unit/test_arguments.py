"""Each kind of argument is read in one way, and a wrong value is named."""

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from math import inf, nan
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.arguments import (
    COLUMN,
    DURATION,
    FLAG,
    FRACTION,
    MAX_SECONDS,
    NAME,
    PATH,
    RATE,
    SECONDS,
    SHARE,
    SOMONI,
    SOMONI_LIMIT,
    InvalidArgumentError,
    choice,
    optional,
    seconds,
    whole_number,
)
from airflow_provider_osonsms.preflight.budget import BUDGET
from airflow_provider_osonsms.preflight.days import DATES, DAYS
from airflow_provider_osonsms.preflight.window import WINDOW


class Color(StrEnum):
    """Something to choose from."""

    RED = "red"
    BLUE = "blue"


COUNT = whole_number()
COLOR = choice(Color)
KINDS = (COLOR, COLUMN, COUNT, DURATION, FLAG, FRACTION, NAME, PATH, RATE, SECONDS, SHARE, SOMONI)
KINDS += (BUDGET, DATES, DAYS, SOMONI_LIMIT, WINDOW)
ODD = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.text(alphabet="0123456789.,%-_e: ", max_size=12),
    st.binary(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    st.decimals(),
    st.timedeltas(),
    st.just(object()),
)


@pytest.mark.parametrize(
    ("kind", "value", "meaning"),
    [
        *((FLAG, value, True) for value in (True, "true", "True", " TRUE ", "1", 1)),
        *((FLAG, value, False) for value in (False, "false", "False", "0", 0)),
        *((COUNT, value, 20) for value in (20, "20", "20 ", " 20")),
        *((SHARE, value, 0.95) for value in (0.95, "0.95", "95%", "95 %", " 95.0% ")),
        *((SHARE, value, 1.0) for value in (1.0, "1.0", "100%")),
        *((SHARE, value, 0.0) for value in (0, 0.0, "0", "0%")),
        *((FRACTION, value, 0.25) for value in (0.25, "0.25", "25%", "1/4", " 2 / 8 ")),
        *((FRACTION, value, 1.0) for value in (1.0, "100%", "1/1")),
        *((RATE, value, 20.0) for value in (20, 20.0, "20", "20.0 ")),
        *((SECONDS, value, 90.0) for value in (90, "90", timedelta(seconds=90), "0:01:30")),
        (SECONDS, "1 day, 0:00:01", 86_401.0),
        (SECONDS, MAX_SECONDS, MAX_SECONDS),
        *((DURATION, value, timedelta(hours=6)) for value in (timedelta(hours=6), "6:00:00")),
        (DURATION, timedelta(0), timedelta(0)),
        *((SOMONI, value, Decimal("12.50")) for value in (12.5, "12.50", Decimal("12.50"))),
        *((COLOR, value, Color.RED) for value in ("red", "red ", Color.RED)),
        *((NAME, value, "1234") for value in ("1234", 1234, " 1234 ")),
        *((PATH, value, value) for value in ("/data/a.csv", "s3://b/a.csv", PurePosixPath("/data"))),
        *((COLUMN, value, value) for value in ("phone", " phone ", 0)),
        (WINDOW, "09:00-20:00", "09:00-20:00"),
    ],
)
def test_what_is_accepted(kind: Any, value: object, meaning: object) -> None:
    """A value means the same in Python and as the text that a template or JSON makes of it."""
    read = kind.read(value, "name")

    assert read == meaning
    assert type(read) is type(meaning)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *((FLAG, value) for value in (2, 1.0, "yes", "", "None", None, [], "{{ params.dry }}")),
        *((COUNT, value) for value in (0, -1, 1.0, True, "3.0", "1_0", "", "many", nan, None)),
        *((SHARE, value) for value in (1, "1", 5, "5", 1.01, -0.1, True, "101%", "-5%", "0,95", nan, inf)),
        *((FRACTION, value) for value in (0, 0.0, 1, 4, "0/4", "5/4", "1/0", "1/4/2", "-1/4", "a/b", True)),
        *((RATE, value) for value in (0, -2, 1e-9, 1e9, inf, nan, "fast", True, Decimal(5))),
        *((SECONDS, value) for value in (0, -1, inf, nan, 1e308, True, timedelta(0), "soon", None)),
        *((DURATION, value) for value in (6, "6", "6h", timedelta(hours=-1), None)),
        *((COLOR, value) for value in ("green", "RED", "", None, 1)),
        *((SOMONI, value) for value in ("viel", None, True, inf, Decimal("nan"))),
        *((NAME, value) for value in ("", "  ", "None", "nan", "a\nb", 1.5, True, None, ["a"])),
        *((PATH, value) for value in ("", "None", 2026, True, b"/data", ["/data"], None)),
        *((COLUMN, value) for value in ("", " ", 1.5, True, None, ["a"])),
        *((WINDOW, value) for value in ("9-20", "09:00-09:00", "09:00-20:00 Asia/Nowhere", None, 9)),
    ],
)
def test_what_is_refused(kind: Any, value: object) -> None:
    """Any other value is refused with the name of the argument, what is accepted and what was given."""
    with pytest.raises(InvalidArgumentError, match=r"^max_parts must be .+; it is .+"):
        kind.read(value, "max_parts")


@given(st.sampled_from(KINDS), ODD)
def test_anything_may_be_given(kind: Any, value: object) -> None:
    """Whatever is given is read or refused in words, and what may be a phone or a secret is not repeated."""
    try:
        kind.read(value, "max_parts")
        said = "max_parts must be"
    except InvalidArgumentError as error:
        said = str(error)

    assert said.startswith("max_parts must be")
    assert not isinstance(value, str) or len(value) <= 10 or value not in said.partition("; it is")[2]


@pytest.mark.parametrize("phone", [900000001, "900000001", "992900000001", 992900000001])
def test_a_phone_in_the_wrong_argument_is_not_shown(phone: object) -> None:
    """The error of a value that may be a phone names its type only."""
    with pytest.raises(InvalidArgumentError, match=r"; it is an? (int|str)$"):
        FLAG.read(phone, "dry_run")


@given(st.sampled_from(KINDS), ODD)
def test_none_is_accepted_where_it_has_a_meaning(kind: Any, value: object) -> None:
    """An optional argument takes None and what it took before, and says what None means."""
    wider = optional(kind, "no limit")

    assert wider.read(None, "name") is None
    assert wider.accepted == f"{kind.accepted}, or None for no limit"
    try:
        meaning = kind.read(value, "name")
    except InvalidArgumentError:
        with pytest.raises(InvalidArgumentError):
            wider.read(value, "name")
    else:
        assert wider.read(value, "name") == meaning


@pytest.mark.parametrize("kind", [*KINDS, *map(optional, KINDS)])
def test_a_template_that_came_out_as_none(kind: Any) -> None:
    """What was given and is missing now is refused, also where None would mean a default."""
    with pytest.raises(InvalidArgumentError, match="max_parts came out as None: check the template"):
        kind.read_rendered(None, "max_parts", template="{{ x }}")


@pytest.mark.parametrize("value", [1234, 12e4, True, {"a": 1}, ["a"], (1, 5)])
def test_a_name_that_native_rendering_has_changed(value: object) -> None:
    """What a template made of a name is taken if it is a text; another task's number is as it was."""
    with pytest.raises(
        InvalidArgumentError, match=r"write quotes around the template, txn_id=\"'{{ ... }}'\""
    ):
        NAME.read_rendered(value, "txn_id", template="{{ x }}")
    assert NAME.read_rendered("12_34", "txn_id", template="{{ x }}") == "12_34"
    assert NAME.read_rendered(1234, "txn_id", template=None) == "1234"


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("/data/{{ run_id }}.csv", "/data/../../etc/cron.d/x.csv"),
        ("/data/{{ run_id }}/a.csv", "/data/../a.csv"),
        ("../data/{{ run_id }}.csv", "../data/../../x.csv"),
        ("s3://bucket/{{ run_id }}.csv", "s3://bucket/../other/x.csv"),
        (None, "../x.csv"),
    ],
)
def test_what_fills_a_path_stays_in_its_folder(template: str | None, value: str) -> None:
    """A run may be given any id, and a parameter any value: neither leads a table to another folder."""
    for kind in (PATH, optional(PATH, "no file")):
        with pytest.raises(InvalidArgumentError, match=r"results_path was rendered to a path with '\.\.'"):
            kind.read_rendered(value, "results_path", template=template)
    assert (
        PATH.read_rendered("../data/a..b.csv", "x", template="../data/{{ run_id }}.csv") == "../data/a..b.csv"
    )


def test_bounds_include_themselves() -> None:
    """A number may reach its bounds and not go beyond."""
    limit, timeout = whole_number(maximum=200), seconds(0.05, 600)

    assert (limit.read(1, "limit"), limit.read(200, "limit")) == (1, 200)
    assert (timeout.read(0.05, "timeout"), timeout.read(600, "timeout")) == (0.05, 600.0)
    with pytest.raises(InvalidArgumentError, match="a whole number from 1 to 200; it is 201"):
        limit.read(201, "limit")
    with pytest.raises(InvalidArgumentError, match=r"seconds from 0\.05 to 600"):
        timeout.read(601, "timeout")
