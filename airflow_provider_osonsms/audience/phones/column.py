"""A whole column of phones: the same result as `normalize_phone` for each cell, many times as fast.

Only cells that are certainly in one of a few simple spellings are decided here. Every other cell goes to
`normalize_phone`, which defines what is right.

Reference:
    docs/design.md "Phones and texts".
"""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from airflow_provider_osonsms.audience.phones.lines import (
    MAX_DIGITS,
    MAX_LINE_LENGTH,
    POWERS,
    Lines,
    read_digits,
)
from airflow_provider_osonsms.audience.phones.one import normalize_phone
from airflow_provider_osonsms.audience.reasons import RejectReason

_Integers = NDArray[np.int64]
_Bytes = NDArray[np.uint8]
_Flags = NDArray[np.bool_]

CHUNK_ROWS: Final = 32_768
"""Rows that are read at once: their working memory fits the processor's cache."""

_COUNTRY: Final = 992
_NATIONAL: Final = 10**9
_LOCAL_LENGTH: Final = 9
_FULL_LENGTH: Final = 12
_RUSSIAN_LENGTH: Final = 11
_AMBIGUOUS_LENGTHS: Final = (7, 8)
_MAX_NUMBER: Final = 10**15
_ROUNDING: Final = 10**6
_FLOAT32_EXACT: Final = 2**24
_FLOAT_BYTES: Final = 8

_NAN: Final = np.nan
"""The object that pandas puts in place of a missing text; compared by identity."""
_UNSURE: Final = 255
_UNSURE_TEXT: Final = "?"
"""Stands in for a cell that is not a text, or a long text: `normalize_phone` decides it."""


def normalize_column(column: "pd.Series[Any]") -> tuple[_Integers, _Bytes]:
    """Return the MSISDN of each cell of *column*, or the reason why it has none.

    Returns:
        The MSISDNs, 0 where rejected; and the `RejectReason.code` of each row, 0 where accepted.
    """
    msisdns = np.zeros(len(column), dtype=np.int64)
    codes = np.zeros(len(column), dtype=np.uint8)
    has_numbers = column.dtype.kind in "iuf" and not isinstance(column.dtype, pd.SparseDtype)
    normalize = _normalize_numbers if has_numbers else _normalize_cells
    for start in range(0, len(column), CHUNK_ROWS):
        rows = slice(start, start + CHUNK_ROWS)
        found, codes[rows] = normalize(column.iloc[rows])
        msisdns[rows] = np.where(codes[rows] == 0, found, 0)
    return msisdns, codes


def _normalize_numbers(column: "pd.Series[Any]") -> tuple[_Integers, _Bytes]:
    dtype: Any = column.dtype
    with np.errstate(over="ignore"):
        numbers = column.to_numpy(dtype=f"{dtype.kind}8", na_value=0)
    values = np.where((numbers >= 0) & (numbers < _MAX_NUMBER), numbers, 0).astype(np.int64)
    msisdns, codes = _normalize_whole_numbers(values, is_float=dtype.kind == "f")
    if dtype.kind == "f" and dtype.itemsize < _FLOAT_BYTES:
        codes[values > _FLOAT32_EXACT] = RejectReason.LOST_DIGITS.code
    codes[numbers != values] = RejectReason.NOT_A_NUMBER.code
    codes[(numbers >= _MAX_NUMBER) & (numbers != np.inf)] = RejectReason.TOO_LONG.code
    codes[np.isnan(numbers) | column.isna().to_numpy()] = RejectReason.EMPTY.code
    return msisdns, codes


def _normalize_cells(column: "pd.Series[Any]") -> tuple[_Integers, _Bytes]:
    cells = _list_texts(column)
    texts = cells
    try:
        msisdns, lengths = read_digits(texts)
    except TypeError:  # other objects between the texts
        texts = [cell if isinstance(cell, str) else _UNSURE_TEXT for cell in cells]
        msisdns, lengths = read_digits(texts)
    is_local = lengths == _LOCAL_LENGTH
    msisdns[is_local] += _COUNTRY * _NATIONAL
    is_accepted = (is_local | (lengths == _FULL_LENGTH)) & (msisdns // _NATIONAL == _COUNTRY)
    codes = np.where(is_accepted, np.uint8(0), np.uint8(_UNSURE))
    rest = np.flatnonzero(codes)
    msisdns[rest], codes[rest] = _normalize_spellings(map(texts.__getitem__, rest.tolist()))
    for row in np.flatnonzero(codes == _UNSURE).tolist():
        phone = normalize_phone(cells[row])
        if isinstance(phone, RejectReason):
            codes[row] = phone.code
        else:
            msisdns[row], codes[row] = int(phone), 0
    return msisdns, codes


def _list_texts(column: "pd.Series[Any]") -> list[Any]:
    cells = column.tolist()
    try:
        missing = np.flatnonzero(column.isna().to_numpy())
    except ArithmeticError:  # pandas compares a signaling NaN with itself
        return cells
    for row in missing.tolist():
        if cells[row] is None or cells[row] is _NAN:  # other kinds of missing values are rare
            cells[row] = ""
    return cells


def _normalize_spellings(texts: Iterable[str]) -> tuple[_Integers, _Bytes]:
    lines = Lines.join([text if len(text) <= MAX_LINE_LENGTH else _UNSURE_TEXT for text in texts])
    numbers = lines.read_numbers()
    lengths = np.minimum(lines.lengths, MAX_DIGITS)
    msisdns, codes = _normalize_digits(numbers, lengths, is_international=lines.have_plus())
    codes[~lines.are_spelled()] = _UNSURE
    codes[lines.are_several()] = RejectReason.SEVERAL_NUMBERS.code
    codes[lines.are_scientific()] = RejectReason.LOST_DIGITS.code
    codes[lines.are_fillers()] = RejectReason.NOT_A_NUMBER.code
    codes[lines.are_empty()] = RejectReason.EMPTY.code
    floats = np.flatnonzero(lines.are_floats())
    msisdns[floats], codes[floats] = _normalize_whole_numbers(numbers[floats] // 10, is_float=True)
    return msisdns, codes


def _normalize_whole_numbers(values: _Integers, *, is_float: bool) -> tuple[_Integers, _Bytes]:
    """Normalize whole numbers from 0 to 10**15: leading zeros are lost, in floats perhaps digits too."""
    lengths = np.maximum(np.searchsorted(POWERS, values, side="right"), 1)
    msisdns, codes = _normalize_digits(values, lengths, is_international=np.False_)
    shortest, longest = _AMBIGUOUS_LENGTHS
    codes[(lengths >= shortest) & (lengths <= longest)] = RejectReason.AMBIGUOUS_SHORT.code
    if is_float:
        has_length = (lengths == _LOCAL_LENGTH) | (lengths == _FULL_LENGTH)
        codes[has_length & (values % _ROUNDING == 0)] = RejectReason.LOST_DIGITS.code
    return msisdns, codes


def _normalize_digits(
    values: _Integers, lengths: _Integers, *, is_international: _Flags | np.bool_
) -> tuple[_Integers, _Bytes]:
    """Normalize up to 16 digits, given as their value and their count with leading zeros."""
    has_zeros = ~is_international & (lengths > _LOCAL_LENGTH) & (values < POWERS[np.maximum(lengths - 2, 0)])
    lengths = lengths - 2 * has_zeros
    is_full = lengths == _FULL_LENGTH
    is_russian = (lengths == _RUSSIAN_LENGTH) & (values >= 7 * 10**10) & (values < 9 * 10**10)
    is_international = is_international | has_zeros | is_full | is_russian
    is_local = ~is_international & (lengths == _LOCAL_LENGTH)
    after_country = POWERS[np.maximum(lengths - 3, 0)]
    is_ours = (values >= _COUNTRY * after_country) & (values < (_COUNTRY + 1) * after_country)

    codes = np.full(len(values), RejectReason.TOO_LONG.code, dtype=np.uint8)
    codes[lengths < _FULL_LENGTH] = RejectReason.TOO_SHORT.code
    codes[is_full | is_local] = 0
    codes[is_international & ~is_ours] = RejectReason.FOREIGN_COUNTRY.code
    return values + _COUNTRY * _NATIONAL * is_local, codes
