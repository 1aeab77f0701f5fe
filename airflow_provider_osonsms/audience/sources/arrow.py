"""Arrow tables and Parquet files, read by pyarrow, which is an optional dependency."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

import pandas as pd

from airflow_provider_osonsms.audience.sources.columns import ColumnSelection
from airflow_provider_osonsms.audience.sources.files import open_file, print_path
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.tables.paths import require_library, require_pyarrow

_CHUNK_ROWS: Final = 65_536
_INTEGERS: Final = {
    "int8": pd.Int8Dtype(),
    "int16": pd.Int16Dtype(),
    "int32": pd.Int32Dtype(),
    "int64": pd.Int64Dtype(),
    "uint8": pd.UInt8Dtype(),
    "uint16": pd.UInt16Dtype(),
    "uint32": pd.UInt32Dtype(),
    "uint64": pd.UInt64Dtype(),
}
_PROTOCOLS: Final = ("__arrow_c_stream__", "__arrow_c_array__")
"""Of the Arrow PyCapsule interface."""


def is_arrow(source: object) -> bool:
    """Whether *source* is a table or a column of Arrow, or of a library that hands out its own as such."""
    return any(hasattr(type(source), protocol) for protocol in _PROTOCOLS)


def read_arrow(source: Any, selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    """Yield the selected columns of *source*; integers never become floats, decimals stay `Decimal`.

    Raises:
        InvalidMessageError: pyarrow is not installed, or cannot read *source*; or a column is not there.
    """
    kind = f"{type(source).__module__.partition('.')[0]}.{type(source).__name__}"
    what = f"{selection.parameter} is a {kind}"
    pyarrow = require_library(
        "pyarrow", extra="parquet", what=what, instead="give a pandas DataFrame or a list of dicts"
    )
    try:
        table = _open_stream(source, pyarrow)
        if isinstance(table, pyarrow.RecordBatchReader):
            yield from _read_batches(table, selection, pyarrow)
        else:
            column = table.to_pandas(types_mapper=_keep_integer)
            yield from selection.read_column(column, kind=kind)
    except pyarrow.ArrowException:
        raise InvalidMessageError(f"{what} that pyarrow cannot read; give its pandas DataFrame") from None


def _open_stream(source: Any, pyarrow: Any) -> Any:
    """Return *source* as a reader of batches, or as the array of its only column."""
    if not hasattr(source, "__arrow_c_stream__"):
        return pyarrow.array(source)
    try:
        return pyarrow.RecordBatchReader.from_stream(source)
    except pyarrow.ArrowInvalid:  # not a table
        return pyarrow.chunked_array(source)


def _read_batches(reader: Any, selection: ColumnSelection, pyarrow: Any) -> Iterator[pd.DataFrame]:
    names = reader.schema.names
    places = selection.find(names)
    columns = pd.Index(selection.rename([names[place] for place in places]))
    has_rows = False
    for batch in reader:
        table = pyarrow.Table.from_batches([batch]).select(places)
        for part in table.to_batches(max_chunksize=_CHUNK_ROWS):
            has_rows = True
            yield _make_frame(part, columns)
    if not has_rows:
        yield _make_frame(reader.schema.empty_table().select(places), columns)


def _make_frame(table: Any, columns: "pd.Index[Any]") -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(types_mapper=_keep_integer, ignore_metadata=True)
    frame.columns = columns
    return frame


def read_parquet(path: Any, selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    """Yield the selected columns of the Parquet file *path*, at most one row group at a time.

    Raises:
        InvalidMessageError: pyarrow is not installed, the file cannot be read, or a column is not there.
    """
    require_pyarrow(selection.parameter)
    parquet, pyarrow = import_module("pyarrow.parquet"), import_module("pyarrow")
    with open_file(path, parameter=selection.parameter) as file:
        try:
            reader = parquet.ParquetFile(file)
            names = reader.schema_arrow.names
            columns = [names[place] for place in selection.find(names)]
            for batch in reader.iter_batches(batch_size=_CHUNK_ROWS, columns=columns):
                yield from read_arrow(batch, selection)
        except pyarrow.ArrowException:
            raise InvalidMessageError(
                f"{selection.parameter}: {print_path(path)} is not a Parquet file that "
                f"pyarrow can read; write it again"
            ) from None


def _keep_integer(arrow_type: Any) -> Any:
    return _INTEGERS.get(str(arrow_type))
