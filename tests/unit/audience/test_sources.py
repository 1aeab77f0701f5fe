"""What may be given as recipients becomes one table, and what may not is named."""

import re
from collections import OrderedDict
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest

from airflow_provider_osonsms.audience.sources import read_recipients
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

A, B = "992900000001", "992900000002"


def test_a_table_comes_back_as_it_is() -> None:
    """A DataFrame is not copied."""
    frame = pd.DataFrame({"phone": [A]})

    assert read_recipients(frame, "phone") is frame


@pytest.mark.parametrize(
    "phones",
    [[A, 992900000002, 9.0, None], (A,), [np.int64(992900000002)], [], [A, object()], [b"1"]],
)
def test_a_list_of_phones_becomes_a_column(phones: list[object]) -> None:
    """The entries of a list come through unchanged, ints as ints, whatever stands beside them."""
    column = read_recipients(phones, "mobile")["mobile"]

    assert column.dtype == "object"
    assert [(type(cell), cell) for cell in column] == [(type(phone), phone) for phone in phones]


def test_a_series_of_phones_becomes_a_column() -> None:
    """A Series is a table of one column, whatever its name."""
    frame = read_recipients(pd.Series([A, B], name="x"), "phone")

    assert frame.to_dict("list") == {"phone": [A, B]}


@pytest.mark.parametrize("kind", [dict, OrderedDict, MappingProxyType])
def test_ints_of_dicts_are_not_made_floats(kind: type) -> None:
    """An int beside a missing value stays an int, in every column."""
    frame = read_recipients([kind({"phone": 992900000001, "sum": 5}), kind({"name": "Али"})], "phone")

    assert frame["phone"][0] == 992900000001
    assert isinstance(frame["phone"][0], int)
    assert isinstance(frame["sum"][0], int)
    assert pd.isna(frame["phone"][1])
    assert list(frame.dtypes.unique()) == [np.dtype(object)]


@pytest.mark.parametrize(
    "given",
    [A, 992900000001, None, {A: "x"}, {A}, (row for row in [A]), b"992900000001", object(), np.array([A])],
    ids=lambda given: type(given).__name__,
)
def test_anything_else_is_named(given: object) -> None:
    """Another type is an error that names it and what is accepted, never what it holds."""
    name = "None" if given is None else type(given).__name__

    with pytest.raises(
        InvalidMessageError, match=rf"recipients is .*\b{name}; give a pandas DataFrame"
    ) as error:
        read_recipients(given, "phone")

    assert not re.search("[0-9]{4}", str(error.value))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([A, {"phone": B}], "a list of dict and str; .* not a mixture"),
        ([(A, "Али")], "a list of the type tuple"),
        ((A, [B]), "a tuple of the type list"),
        ([{"mobile": A}, {"name": "Али"}], "no column 'phone'; its columns are 'mobile', 'name'"),
        ([{}], "no column 'phone'"),
        (pd.DataFrame([[A, B]], columns=["phone", "phone"]), "2 columns 'phone'"),
        (pd.DataFrame([[A]], columns=[B]), "its columns are 992•••••002"),
        (pd.DataFrame(index=range(3)), "no column 'phone'"),
        (pd.DataFrame([range(30)]), "18, 19, \\.\\.\\."),
    ],
)
def test_what_is_wrong_with_a_table_is_said(given: object, said: str) -> None:
    """A mixture, nested rows, and a missing or repeated column are errors that name them without phones."""
    with pytest.raises(InvalidMessageError, match=said) as error:
        read_recipients(given, "phone")

    assert not re.search("[0-9]{4}", str(error.value))
