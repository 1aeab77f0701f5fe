"""What no person should read is recognized, whatever its language and type."""

import array
import dataclasses
import enum
import types
import uuid
from collections import ChainMap, OrderedDict, UserDict, UserList, deque
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from airflow_provider_osonsms.text.unfit import find_unfit_texts, is_unfit_text
from airflow_provider_osonsms.text.values import Format, read_format, write_column, write_value

ENGLISH = ("#N/A", "#VALUE!", "#REF!", "#DIV/0!", "#NUM!", "#NAME?", "#NULL!", "#SPILL!", "#CALC!", "#FIELD!")
RUSSIAN = ("#Н/Д", "#ЗНАЧ!", "#ССЫЛКА!", "#ДЕЛ/0!", "#ЧИСЛО!", "#ИМЯ?", "#ПУСТО!", "#ПЕРЕНОС!", "#ВЫЧИСЛ!")
OTHERS = (
    "#BLOCKED!",
    "#CONNECT!",
    "#UNKNOWN!",
    "#BUSY!",
    "#GETTING_DATA",
    "#ERROR!",
    "#N/A N/A",
    "#NV",
    "#N/D",
    "#WERT!",
    "#######",
    "Err:502",
    "<__main__.Customer object at 0x7f3a5c0d2e50>",
    "b'\\xd0\\x90'",
    'b"Ali"',
)
ERRORS = (*ENGLISH, *RUSSIAN, *OTHERS)


def read(spec: str) -> Format:
    """Return the format that *spec* is known to be."""
    form = read_format(spec)
    assert form is not None
    return form


class Plain:
    """An object without a text of its own."""


@dataclasses.dataclass
class Customer:
    """Its repr is for programmers."""

    name: str = "Али"


class City(enum.Enum):
    """Its text is the name of a class and of a member."""

    DUSHANBE = "Душанбе"


class Level(str, enum.Enum):  # noqa: UP042
    """A text, though Python prints the name of its member."""

    GOLD = "тилло"


class Named:
    """An object with a text of its own."""

    def __str__(self) -> str:
        return "Али"


@pytest.mark.parametrize("spec", ["", ">20", ".4", ".2f"])
@pytest.mark.parametrize("text", ERRORS)
def test_error_values_are_unfit(text: str, spec: str) -> None:
    """No error value of a spreadsheet is printed, alone or in a column of good ones."""
    form = read(spec)

    for written in (text, f" {text} ", text.lower() if text.startswith("#N/") else text):
        assert write_value(written, form) is None
        assert write_column(["Али", written, None], form)[1][-1] == 1


@pytest.mark.parametrize("blank", ["", *filter(str.isspace, map(chr, range(0x3001)))])
def test_the_fast_look_misses_none(blank: str) -> None:
    """In a column, they are found whatever blanks stand around them."""
    texts = [f"{blank}{text}{blank}" for text in ERRORS]

    assert all(map(is_unfit_text, texts))
    assert find_unfit_texts([*texts, "Али"]) == list(range(len(texts)))


@pytest.mark.parametrize(
    "text",
    [
        "#5",
        "#12",
        "#A7",
        "№ 5",
        "Салом!",
        "#салом!",
        "# 5!",
        "C#",
        "N/A?",
        "Қарз: 5",
        "O'zbek",
        "qab'i",
        "<5",
        "a@b",
    ],
)
def test_other_texts_are_fit(text: str) -> None:
    """A number of an order or a hashtag is a text like any other."""
    assert write_value(text, read("")) == text
    assert write_column([text, "Али"], read("")) == ([text, "Али"], [])


@pytest.mark.parametrize(
    "value",
    [
        b"salom",
        bytearray(b"5"),
        memoryview(b"5"),
        [1],
        (1,),
        {1},
        frozenset({1}),
        {"a": 1},
        OrderedDict(a=1),
        UserDict(a=1),
        UserList([1]),
        ChainMap({"a": 1}),
        types.MappingProxyType({"a": 1}),
        deque([1]),
        range(3),
        {"a": 1}.keys(),
        array.array("i", [1]),
        np.array([1]),
        np.array(1),
        np.array([1, 2]),
        np.array([(1, 2)], dtype=[("a", int), ("b", int)])[0],
        np.bytes_(b"5"),
        pd.Series([1]),
        pd.Series([], dtype=object),
        pd.DataFrame({"a": [1]}),
        pd.Index([1]),
        (one for one in [1]),
        iter([1]),
        object(),
        Plain(),
        Plain,
        Customer(),
        City.DUSHANBE,
        len,
        lambda: 5,
        types,
        types.SimpleNamespace(a=1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_objects_without_a_text_are_unfit(value: object) -> None:
    """Containers, bytes and objects that Python prints for programmers are not printed."""
    for spec in ("", ".2f", "%d.%m.%Y", ".3"):
        assert write_value(value, read(spec)) is None
    column: list[object] = [None, value, None]
    assert write_column(column, read(""))[1] == [1]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Named(), "Али"),
        (Level.GOLD, "тилло"),
        (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (Decimal("5.50"), "5.50"),
        (True, "True"),
        (np.str_("Али"), "Али"),
        (pd.Period("2026-11", "M"), "2026-11"),
    ],
)
def test_objects_with_a_text_are_fit(value: object, text: str) -> None:
    """What has a text of its own is printed by it."""
    assert write_value(value, read("")) == text
