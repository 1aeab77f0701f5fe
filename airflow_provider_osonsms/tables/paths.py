"""Tables that a task leaves behind: rejects, results."""

import os
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pandas as pd

from airflow_provider_osonsms.protocol.errors import InvalidMessageError, OsonSmsError

_WRITTEN: Final = (".csv", ".parquet")
_FINAL: Final = (
    *(FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError),
    *(ImportError, ValueError),  # no such storage, or its library is not installed
)


class PlaceUnavailableError(OsonSmsError):
    """The place of a file cannot be written for now; nothing was sent, and a later try may."""


def check_table_path(path: object, field: str) -> Any:
    """Return *path* as something with ``suffix``, ``parent`` and ``open``.

    Args:
        path: A local path, or Airflow's ObjectStoragePath.
        field: The operator's parameter, for the error.

    Raises:
        InvalidMessageError: It is neither, or its suffix names no format that can be written here.
    """
    place: Any = Path(path) if isinstance(path, str | os.PathLike) and not hasattr(path, "open") else path
    suffix = getattr(place, "suffix", None)
    if suffix not in _WRITTEN or not hasattr(place, "open"):
        raise InvalidMessageError(f"{field} must be a path that ends in {' or '.join(_WRITTEN)}")
    if suffix == ".parquet":
        require_pyarrow(field)
    return place


def check_writable(path: Any, field: str) -> None:
    """Check that something can be written beside a checked *path*, and take it away again.

    Raises:
        InvalidMessageError: The place cannot be written.
        PlaceUnavailableError: It cannot be written for now.
    """
    probe = path.with_name(f"{path.name}.probe")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with probe.open("wb") as file:
            file.write(b"")
        probe.unlink()
    except _FINAL as error:
        raise InvalidMessageError(
            f"{field} cannot be written ({type(error).__name__}): correct the path or its permissions"
        ) from None
    except OSError as error:
        raise PlaceUnavailableError(f"{field} cannot be written for now ({type(error).__name__})") from None


def require_pyarrow(field: str) -> None:
    """Check that Parquet can be read and written.

    Raises:
        InvalidMessageError: pyarrow is not installed.
    """
    try:
        import_module("pyarrow")
    except ImportError:
        raise InvalidMessageError(
            f"{field} is a Parquet file, which needs pyarrow: "
            f"pip install 'airflow-provider-osonsms[parquet]', or use CSV"
        ) from None
