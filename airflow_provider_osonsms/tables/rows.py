"""The tables of a wait, written row by row: a triggerer, which writes them too, needs no pandas."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final, NamedTuple

_ROWS_PER_BATCH: Final = 8192


class ReportRow(NamedTuple):
    """What became of a message; times are ISO in UTC, empty texts where there is nothing."""

    key: str
    phone: str
    msg_id: str
    status: str
    first_seen: str
    last_seen: str
    polls: int


class UndeliveredRow(NamedTuple):
    """A row of a campaign that no message is known to have reached.

    Attributes:
        status: The last one that was seen; else, in small letters, why there is none.
    """

    key: str
    phone: str
    status: str


def write_table(rows: Iterable[NamedTuple], path: Any, *, kind: type[ReportRow | UndeliveredRow]) -> None:
    """Write *rows* to *path*, as CSV or Parquet by its suffix.

    Args:
        rows: Read once.
        path: Something with ``suffix``, ``parent`` and ``open``.
        kind: Of the rows.

    Raises:
        OSError: The place cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        _write_parquet(rows, path, kind=kind)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(kind._fields)
        writer.writerows(rows)


def _write_parquet(rows: Iterable[NamedTuple], path: Any, *, kind: type[ReportRow | UndeliveredRow]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [(name, pa.int32() if type_ is int else pa.string()) for name, type_ in kind.__annotations__.items()]
    )
    with path.open("wb") as file, _closing(pq.ParquetWriter(file, schema)) as writer:
        waiting = iter(rows)
        while some := list(islice(waiting, _ROWS_PER_BATCH)):
            columns = [list(column) for column in zip(*some, strict=True)]
            writer.write_table(pa.table(columns, schema=schema))


@contextmanager
def _closing(writer: Any) -> Iterator[Any]:
    try:
        yield writer
    finally:
        writer.close()


def write_frame(frame: pd.DataFrame, path: Any) -> None:
    """Write *frame* to a checked *path*, as CSV (UTF-8 with a header) or Parquet by its suffix.

    Raises:
        OSError: The place cannot be written.
    """
    write_frames([frame], path)


def write_frames(frames: Iterable[pd.DataFrame], path: Any) -> None:
    """Write *frames* of the same columns and dtypes, one after the other, as `write_table` writes one.

    Raises:
        OSError: The place cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        if path.suffix == ".parquet":
            _write_frames_parquet(frames, file)
        else:
            for number, frame in enumerate(frames):
                frame.to_csv(file, index=False, header=not number, encoding="utf-8")


def _write_frames_parquet(frames: Iterable[pd.DataFrame], file: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    for frame in frames:
        table = pa.Table.from_pandas(frame, preserve_index=False)
        writer = writer or pq.ParquetWriter(file, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()
