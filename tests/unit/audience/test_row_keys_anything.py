"""One key is one text, through whatever table it came: a property."""

import unicodedata
from datetime import date, datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.audience.audience import prepare_audience
from airflow_provider_osonsms.audience.reasons import RejectReason
from airflow_provider_osonsms.audience.row_keys import normalize_key, normalize_keys
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

DUSHANBE = ZoneInfo("Asia/Dushanbe")
EXACT = 2**53 - 1
TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=8)
NUMBERS_AS_TEXT = st.from_regex(r"-?0?[0-9]{1,4}(\.[0-9]{1,3})?(e[+-]?[0-9]{1,2})?", fullmatch=True)
COLUMNS = {
    "int": st.integers(-EXACT, EXACT),
    "float": st.floats(-1e15, 1e15) | st.integers(-EXACT, EXACT).map(float),
    "decimal": st.decimals(-(10**14), 10**14, places=2, allow_nan=False),
    "date": st.dates(date(1970, 1, 1), date(2200, 1, 1)),
    "midnight": st.dates(date(1970, 1, 1), date(2200, 1, 1)).map(lambda day: datetime(*day.timetuple()[:3])),  # noqa: DTZ001
    "moment": st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)),  # noqa: DTZ001
    "zoned": st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(DUSHANBE)),  # noqa: DTZ001
    "text": TEXTS | TEXTS.map(lambda text: unicodedata.normalize("NFD", f" {text} ")),
    "number as text": NUMBERS_AS_TEXT,
}


def read_keys(source: Any) -> Any:
    """Return the keys of the rows, or the first words of the error."""
    try:
        audience = prepare_audience(source, key_column="id")
    except InvalidMessageError as error:
        return str(error).split(" in rows")[0]
    return [key for _, _, key in audience.read_row_keys()], audience.rejects.count()


def write_files(frame: pd.DataFrame, folder: Path) -> list[Path]:
    """Write *frame* as each kind of file that can be written here."""
    paths = [folder / "people.csv", folder / "people.parquet"]
    frame.to_csv(paths[0], index=False)
    if find_spec("pyarrow") is None:
        return paths[:1]
    frame.to_parquet(paths[1])
    return paths


@pytest.mark.parametrize("kind", COLUMNS)
@given(data=st.data())
def test_the_type_of_a_key_does_not_matter(tmp_path_factory: Any, kind: str, data: st.DataObject) -> None:
    """A DataFrame, its files, its rows as dicts and its cells as texts have the same keys."""
    values = data.draw(st.lists(st.none() | COLUMNS[kind], min_size=1, max_size=6, unique=True))
    phones = [f"9929000000{row:02}" for row in range(len(values))]
    frame = pd.DataFrame({"phone": phones, "id": values})

    expected = read_keys(frame)

    for path in write_files(frame, tmp_path_factory.mktemp("keys")):
        assert read_keys(path) == expected, path.suffix
    rows = [{"phone": phone, "id": value} for phone, value in zip(phones, values, strict=True)]
    assert read_keys(rows) == expected
    assert read_keys([{**row, "id": str(row["id"])} for row in rows]) == expected


@given(
    values=st.lists(
        st.none()
        | st.integers()
        | st.floats(-1e15, 1e15)
        | st.decimals(allow_nan=False, allow_infinity=False, max_value=10**20, min_value=-(10**20))
        | st.text(max_size=6)
        | NUMBERS_AS_TEXT,
        max_size=8,
    )
)
def test_a_column_is_read_like_each_of_its_cells(values: list[object]) -> None:
    """What is fast for many keys is the same as what is right for one; a written form is its own form."""
    column = pd.Series(values, dtype="object")
    try:
        expected = [normalize_key(value, "id") for value in values]
    except InvalidMessageError:
        with pytest.raises(InvalidMessageError):
            normalize_keys(column, "id")
        return

    found = normalize_keys(column, "id")

    for key, text, code in zip(expected, found.texts.tolist(), found.codes.tolist(), strict=True):
        assert (key.code if isinstance(key, RejectReason) else 0) == code
        assert text == (None if code else key)
        assert code or normalize_key(text, "id") == text
        assert not isinstance(text, Decimal)


@given(values=st.lists(st.none() | st.floats(-1e15, 1e15) | st.floats(width=16), min_size=1))
@pytest.mark.parametrize("dtype", ["float64", "float32", "Float64"])
def test_a_column_of_floats_is_read_like_each_of_its_cells(dtype: str, values: list[float | None]) -> None:
    """The same holds for the fastest way."""
    column = pd.Series(values, dtype="float64").astype(dtype)
    cells = [None if cell is pd.NA else cell for cell in column.array]
    try:
        expected = [normalize_key(cell, "id") for cell in cells]
    except InvalidMessageError:
        with pytest.raises(InvalidMessageError):
            normalize_keys(column, "id")
        return

    assert normalize_keys(column, "id").texts.tolist() == [
        None if isinstance(key, RejectReason) else key for key in expected
    ]
