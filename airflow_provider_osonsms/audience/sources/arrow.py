"""Arrow tables and Parquet files, read by pyarrow, which is an optional dependency."""

import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

import pandas as pd

from airflow_provider_osonsms.audience.sources.columns import ColumnSelection
from airflow_provider_osonsms.audience.sources.files import open_file, print_path
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.tables.paths import require_pyarrow

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


def is_arrow(source: object) -> bool:
    """Whether *source* is a Table or a RecordBatch; if pyarrow is not imported yet, it cannot be one."""
    pyarrow = sys.modules.get("pyarrow")
    return pyarrow is not None and isinstance(source, pyarrow.Table | pyarrow.RecordBatch)


def read_arrow(table: Any, selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    """Yield the selected columns of *table*; integers never become floats, decimals stay `Decimal`.

    Raises:
        InvalidMessageError: A column is not there.
    """
    places = selection.find(table.schema.names)
    chosen = table.select(places)
    names = selection.rename(chosen.schema.names)
    batches = chosen.to_batches(max_chunksize=_CHUNK_ROWS) if hasattr(chosen, "to_batches") else []
    for batch in batches or [chosen]:
        frame = batch.to_pandas(types_mapper=_keep_integer, ignore_metadata=True)
        frame.columns = pd.Index(names)
        yield frame


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
