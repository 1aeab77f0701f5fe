"""The table of what became of every row: recipients and rejects together, in the order of the input."""

import csv
from collections.abc import Callable, Iterator
from heapq import merge
from itertools import islice
from typing import Any, Final

import pandas as pd

from airflow_provider_osonsms.audience.audience import CHUNK_ROWS, Audience
from airflow_provider_osonsms.audience.tables import write_chunks

Fate = tuple[str, str, str | None, str | None, int | None]
"""Outcome, reason, txn_id, msg_id and billed parts of a row."""

_DTYPES: Final = {
    "row": "int64",
    "key": "object",
    "phone": "object",
    "outcome": "object",
    "reason": "object",
    "txn_id": "object",
    "msg_id": "object",
    "parts": "Int64",
}


def write_outcomes(audience: Audience, path: Any, *, tell: Callable[[int, str], Fate]) -> None:
    """Write ``row`` (from 0), ``key``, ``phone``, ``outcome``, ``reason``, ``txn_id``, ``msg_id``, ``parts``.

    One row for each row of the input; rejected ones have a masked phone and no key.

    Args:
        audience: Recipients and rejects.
        path: A checked path.
        tell: Says of position and key what became of a recipient.

    Raises:
        OSError: The place cannot be written.
    """
    rows = _list_rows(audience, tell)
    if path.suffix == ".csv":
        _write_csv(rows, path)
    else:
        write_chunks(_make_frames(rows), path)


def _write_csv(rows: Iterator[tuple[Any, ...]], path: Any) -> None:
    """Write row by row, in a third of the time that frames take."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_DTYPES)
        writer.writerows(rows)


def _list_rows(audience: Audience, tell: Callable[[int, str], Fate]) -> Iterator[tuple[Any, ...]]:
    recipients = (
        (position, key, phone, *tell(position, key)) for position, phone, key in audience.read_keys()
    )
    rejects = (
        (position, None, masked, "rejected", reason, None, None, None)
        for position, masked, reason in audience.rejects.read_rows()
    )
    return merge(recipients, rejects, key=lambda row: row[0])


def _make_frames(rows: Iterator[tuple[Any, ...]]) -> Iterator[pd.DataFrame]:
    """Make frames of some rows each; one of none when there is no row, for the header."""
    is_first = True
    while (some := list(islice(rows, CHUNK_ROWS))) or is_first:
        columns = zip(*some, strict=True) if some else ((),) * len(_DTYPES)
        yield pd.DataFrame(
            {
                name: pd.Series(list(values), dtype=dtype)
                for (name, dtype), values in zip(_DTYPES.items(), columns, strict=True)
            }
        )
        is_first = False
