"""One format for all tables, written and read here: CSV (UTF-8, LF, a header) or Parquet, by suffix.

A table appears whole or not at all, and says what it is: its rows are counted and hashed while they are
written (`TableIdentity`), and whoever reads it later can tell whether it is still the one that was written.
The hash is that of the CSV text, for Parquet too, so it does not depend on the format or on the version of a
library.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from operator import itemgetter
from typing import IO, Any, Final, NamedTuple, TypeVar

from airflow_provider_osonsms.tables import formulas
from airflow_provider_osonsms.tables.paths import replace_file

ROWS_PER_BATCH: Final = 100
"""Rows that live at once: with their cells fewer objects than Python's garbage collector begins at, 700. What
it has seen several times lets it look through the whole process, which stops all threads for too long."""
_ROWS_PER_PARQUET_BATCH: Final = 500
"""Its rows have no lists of cells."""
_ROWS_PER_GROUP: Final = 8192
"""Of Parquet: each group has a cost of its own."""
_BLOCK_BYTES: Final = 2**20
_METADATA_PREFIX: Final = "osonsms_"

T = TypeVar("T")
RowT = TypeVar("RowT", bound=NamedTuple)


class DamagedTableError(ValueError):
    """A file is no table of the kind that was asked for, or not a whole one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableIdentity:
    """What tells a table from every other.

    Attributes:
        rows: Rows without the header.
        checksum: SHA-256 in hex of its CSV text.
        campaign_id: Of the campaign that wrote it; empty where none did.
    """

    rows: int
    checksum: str
    campaign_id: str = ""


class _Fingerprint:
    """Counts and hashes a table's CSV text, batch by batch."""

    def __init__(self, header: str) -> None:
        self.rows = 0
        self._hashed = sha256(header.encode())

    def add(self, text: str, rows: int) -> None:
        self._hashed.update(text.encode())
        self.rows += rows

    def close(self, campaign_id: str) -> TableIdentity:
        return TableIdentity(rows=self.rows, checksum=self._hashed.hexdigest(), campaign_id=campaign_id)


def write_table(rows: Iterable[RowT], path: Any, *, kind: type[RowT], campaign_id: str = "") -> TableIdentity:
    """Write *rows* to *path*; what was there before stays until all of them are written.

    Args:
        rows: Read once, in batches.
        path: A checked path, see `paths.check_table_path`.
        kind: Of the rows.
        campaign_id: Who writes it, for the metadata of Parquet.

    Returns:
        What tells this table from others.

    Raises:
        OSError: The place cannot be written.
    """
    fingerprint = _Fingerprint(_to_csv([_name_columns(kind)]))
    batches = _cut(rows, _ROWS_PER_GROUP if path.suffix == ".parquet" else ROWS_PER_BATCH)
    with replace_file(path) as file:
        if path.suffix == ".parquet":
            return _write_parquet(batches, file, kind=kind, fingerprint=fingerprint, campaign_id=campaign_id)
        file.write(_to_csv([_name_columns(kind)]).encode())
        for batch in batches:
            text = _to_csv(batch)
            fingerprint.add(text, len(batch))
            file.write(text.encode())
        return fingerprint.close(campaign_id)


def read_table(path: Any, *, kind: type[RowT], expected: TableIdentity | None = None) -> Iterator[RowT]:
    """Read the rows of a table that `write_table` has written.

    Args:
        path: Something with ``suffix`` and ``open``.
        kind: Of the rows.
        expected: What the table must be; None believes any table of this kind.

    Raises:
        DamagedTableError: It is not such a table, or not the expected one; that shows at its end only.
        OSError, ImportError: It cannot be read here.
    """
    with path.open("rb") as file:
        batches = _read_parquet(file, kind) if path.suffix == ".parquet" else _read_csv(file, kind)
        if expected is None:
            for batch in batches:
                yield from batch
            return
        fingerprint = _Fingerprint(_to_csv([_name_columns(kind)]))
        for batch in batches:
            fingerprint.add(_to_csv(batch), len(batch))
            yield from batch
    found = fingerprint.close(expected.campaign_id)
    if found != expected:
        raise DamagedTableError(f"it holds {found.rows} rows, or others, instead of {expected.rows}")


def hash_file(path: Any) -> str | None:
    """Return SHA-256 in hex of the bytes at *path*; None where they cannot be read, or are not there."""
    hashed = sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                hashed.update(block)
    except Exception:  # noqa: BLE001 - storages have errors of their own
        return None
    return hashed.hexdigest()


def read_columns(path: Any) -> set[str]:
    """Return the names of a table's columns.

    Raises:
        DamagedTableError: It is no table.
        OSError, ImportError: It cannot be read here.
    """
    with path.open("rb") as file:
        if path.suffix != ".parquet":
            lines = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
            try:
                return set(next(csv.reader(lines, strict=True), []))
            except (csv.Error, ValueError):
                raise DamagedTableError("the table has no header") from None
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return set(pq.ParquetFile(file).schema_arrow.names)
        except (pa.ArrowException, ValueError):
            raise DamagedTableError("the table is no Parquet file") from None


def read_identity(path: Any) -> TableIdentity | None:
    """Return what a Parquet table says about itself; None for CSV, which has no place for it."""
    if path.suffix != ".parquet":
        return None
    import pyarrow.parquet as pq

    with path.open("rb") as file:
        metadata = pq.ParquetFile(file).metadata.metadata or {}
    said = {
        name: metadata.get(f"{_METADATA_PREFIX}{name}".encode())
        for name in ("rows", "checksum", "campaign_id")
    }
    if None in said.values():
        return None
    texts = {name: value.decode() for name, value in said.items() if value is not None}
    return TableIdentity(
        rows=int(texts["rows"]), checksum=texts["checksum"], campaign_id=texts["campaign_id"]
    )


def _cut(rows: Iterable[T], size: int = ROWS_PER_BATCH) -> Iterator[list[T]]:
    waiting = iter(rows)
    while batch := list(islice(waiting, size)):
        yield batch


def _to_csv(rows: Sequence[tuple[Any, ...]]) -> str:
    """Return the CSV text of *rows*.

    Python's writer puts a CR in quotes from 3.13 on only. Unquoted, it is the end of a line for every reader:
    the row after a key with a CR would be refused. So rows with one are written again, with every cell in
    quotes.
    """
    written = _write_csv(rows)
    if formulas.MAY_HAVE.search(written):
        rows = [
            tuple(formulas.escape(cell) if isinstance(cell, str) else cell for cell in row) for row in rows
        ]
        written = _write_csv(rows)
    if "\r" not in written:
        return written
    text = io.StringIO(newline="")
    plain = csv.writer(text, lineterminator="\n")
    quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        has_cr = any(isinstance(cell, str) and "\r" in cell for cell in row)
        (quoted if has_cr else plain).writerow(row)
    return text.getvalue()


def _write_csv(rows: Sequence[tuple[Any, ...]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _name_columns(kind: type[NamedTuple]) -> tuple[str, ...]:
    return tuple(name.rstrip("_") for name in kind._fields)


def _find_numbers(kind: type[NamedTuple]) -> list[int]:
    """Return the places of the columns that hold whole numbers."""
    return [place for place, column in enumerate(kind.__annotations__.values()) if column == int | None]


def _read_csv(file: IO[bytes], kind: type[RowT]) -> Iterator[list[RowT]]:
    with io.TextIOWrapper(file, encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines, strict=True)
        try:
            header = next(rows, [])
            pick = itemgetter(*_find_columns(header, kind))
            numbers = _find_numbers(kind)
            for batch in _cut(rows):
                yield [_read_row(row, pick, numbers, kind, width=len(header)) for row in batch]
        except (csv.Error, OverflowError, ValueError) as error:  # a number, the encoding, or a column is bad
            raise DamagedTableError(f"the table cannot be read ({type(error).__name__})") from None


def _find_columns(header: list[str], kind: type[NamedTuple]) -> list[int]:
    """Return the place of each column; behind the last one for a column that may be missing and is."""
    names = dict(zip(_name_columns(kind), kind._fields, strict=True))
    is_missing = [name not in header and field in kind._field_defaults for name, field in names.items()]
    return [
        len(header) if missing else header.index(name)
        for name, missing in zip(names, is_missing, strict=True)
    ]


def _read_row(row: list[str], pick: Any, numbers: list[int], kind: type[RowT], *, width: int) -> RowT:
    if len(row) != width:
        raise DamagedTableError("a row of the table is cut")
    row.append("")  # for columns that are not there
    cells = [(formulas.unescape(cell) if cell[:1] == "'" else cell) or None for cell in pick(row)]
    for place in numbers:
        cell = cells[place]
        cells[place] = None if cell is None else _read_number(cell)
    return kind._make(cells)


def _read_number(cell: str) -> int:
    return int(cell) if cell.isdecimal() else int(float(cell))  # 2.0: pandas has saved the table again


def _write_parquet(
    batches: Iterator[list[RowT]],
    file: IO[bytes],
    *,
    kind: type[RowT],
    fingerprint: _Fingerprint,
    campaign_id: str,
) -> TableIdentity:
    import pyarrow as pa
    import pyarrow.parquet as pq

    numbers = _find_numbers(kind)
    schema = pa.schema(
        [
            (name, pa.int64() if place in numbers else pa.string())
            for place, name in enumerate(_name_columns(kind))
        ]
    )
    with closing(pq.ParquetWriter(file, schema)) as writer:
        for batch in batches:
            fingerprint.add(_to_csv(batch), len(batch))
            columns = [
                list(column) if place in numbers else [cell or None for cell in column]  # as CSV is read
                for place, column in enumerate(zip(*batch, strict=True))
            ]
            writer.write_table(pa.table(columns, schema=schema))
        identity = fingerprint.close(campaign_id)
        said = {"rows": str(identity.rows), "checksum": identity.checksum, "campaign_id": campaign_id}
        writer.add_key_value_metadata({f"{_METADATA_PREFIX}{name}": value for name, value in said.items()})
    return identity


def _read_parquet(file: IO[bytes], kind: type[RowT]) -> Iterator[list[RowT]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        reader = pq.ParquetFile(file)
        there = reader.schema_arrow.names
        places, numbers = _find_columns(there, kind), _find_numbers(kind)
        names = [there[place] for place in places if place < len(there)]
        for batch in reader.iter_batches(columns=names, batch_size=_ROWS_PER_PARQUET_BATCH):
            nothing = [None] * batch.num_rows
            columns = [
                batch.column(there[place]).to_pylist() if place < len(there) else nothing for place in places
            ]
            for place, column in enumerate(columns):  # pandas may have saved the table again
                read = int if place in numbers else str
                columns[place] = [None if cell is None else read(cell) for cell in column]
            yield [kind._make(cells) for cells in zip(*columns, strict=True)]
    except (pa.ArrowException, KeyError, OverflowError, TypeError, ValueError):
        raise DamagedTableError("the table is no Parquet file of this kind") from None
