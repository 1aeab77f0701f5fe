"""Whom a results table says to have been texted: phone and time of each message, whole columns at once.

Fail closed: a message that was accepted counts, and so does one that may have been. One without a time counts
as a day younger than the newest of its table, because a retry may have sent it; if its table knows no time,
it always counts.
"""

import math
from collections.abc import Iterable
from datetime import timedelta
from typing import IO, Any, Final

import numpy as np
import pandas as pd

from airflow_provider_osonsms.audience.phones.column import normalize_column
from airflow_provider_osonsms.audience.suppression import SuppressionList
from airflow_provider_osonsms.protocol.models import Outcome
from airflow_provider_osonsms.tables.files import DamagedTableError
from airflow_provider_osonsms.tables.rows import REFUSED_FOR_NOW

_COLUMNS: Final = ("phone", "outcome", "reason", "accepted_at", "category")
_UNSENT: Final = frozenset(str(outcome) for outcome in Outcome if outcome.is_unsent)
_KNOWN: Final = frozenset(map(str, Outcome))
_MARGIN: Final = timedelta(days=1)


class TextedPhones:
    """Collects the messages of one category that were accepted in a time.

    Args:
        category: Tables of another one, or of none, hold no such message.
        since: The oldest moment that counts, in seconds since the epoch.
        until: The newest one.

    Attributes:
        nameless: Messages without a phone in their table: that of somebody who has left the audience.
    """

    def __init__(self, *, category: str, since: float, until: float = math.inf) -> None:
        self.nameless = 0
        self._category = category
        self._since = since
        self._until = until
        self._messages = [np.empty(0, dtype=np.int64)]

    def add(self, phones: Iterable[str | None]) -> None:
        """Add messages by their phones."""
        self._add_column(pd.Series(list(phones), dtype=object))

    def add_table(self, path: Any) -> None:
        """Add the messages of a results table, with ``suffix`` and ``open``.

        Raises:
            DamagedTableError: It is no results table.
            OSError, ImportError: It cannot be read here.
        """
        with path.open("rb") as file:
            table = (_read_parquet if path.suffix == ".parquet" else _read_csv)(file)
        if missing := [name for name in _COLUMNS if name not in table]:
            raise DamagedTableError(f"it has no column {missing[0]}")
        if not table["outcome"].isin(_KNOWN).all():
            raise DamagedTableError("it holds an outcome that no campaign writes")
        table = table[table["category"] == self._category]
        sent = table[~table["outcome"].isin(_UNSENT) | (table["reason"] == REFUSED_FOR_NOW)]
        self._add_column(sent["phone"][_is_between(sent["accepted_at"], self._since, self._until)])

    def find_full(self, *, at_most: int) -> SuppressionList:
        """Return the phones that have had so many of the messages, or more."""
        phones, counts = np.unique(np.concatenate(self._messages), return_counts=True)
        return SuppressionList(msisdns=phones[counts >= at_most])

    def _add_column(self, phones: "pd.Series[Any]") -> None:
        named = phones[phones != ""].reset_index(drop=True)
        msisdns, codes = normalize_column(named)
        if codes.any():
            raise DamagedTableError("it holds a phone that cannot be read")
        self._messages.append(msisdns)
        self.nameless += len(phones) - len(named)


def _is_between(moments: "pd.Series[Any]", since: float, until: float) -> "pd.Series[Any]":
    times = pd.to_datetime(moments, utc=True, errors="coerce", format="ISO8601")
    newest = times.max()
    if pd.isna(newest):
        return pd.Series(data=True, index=moments.index)
    is_recent = times.fillna(newest + _MARGIN) >= pd.Timestamp(since, unit="s", tz="UTC")
    if until == math.inf:
        return is_recent
    return is_recent & ~(times > pd.Timestamp(until, unit="s", tz="UTC"))


def _read_csv(file: IO[bytes]) -> pd.DataFrame:
    try:
        return pd.read_csv(
            file,
            usecols=_is_wanted,
            dtype=str,
            keep_default_na=False,
            encoding="utf-8",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError):
        raise DamagedTableError("it is no CSV file") from None


def _is_wanted(name: Any) -> bool:
    return name in _COLUMNS


def _read_parquet(file: IO[bytes]) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        reader = pq.ParquetFile(file)
        names = [name for name in reader.schema_arrow.names if name in _COLUMNS]
        columns = {
            name: column.to_pylist() for name, column in zip(names, reader.read(names).columns, strict=True)
        }
    except pa.ArrowException:
        raise DamagedTableError("it is no Parquet file") from None
    return pd.DataFrame(columns, dtype=object).fillna("").astype(str)
