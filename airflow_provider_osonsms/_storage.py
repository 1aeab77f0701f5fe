"""Paths as this Airflow opens them: on this machine, or wherever its ObjectStoragePath reaches."""

from pathlib import Path
from typing import Any

from airflow.sdk import ObjectStoragePath

from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.tables.paths import LOCAL_SCHEMES


def resolve_path(value: Any) -> Any:
    """Return the text of a URL, such as ``s3://bucket/file.csv``, as a path, and anything else as it is.

    The URLs in a list or tuple are resolved, too.
    """
    if isinstance(value, str) and "://" in value:
        return open_path(value)
    if isinstance(value, list | tuple) and any(isinstance(one, str) and "://" in one for one in value):
        return [resolve_path(one) for one in value]
    return value


def open_path(path: str) -> Any:
    """Return *path*, local or a URL, as something with ``suffix`` and ``open``.

    A URL of this machine, such as ``file:///data/a.csv``, is a local path, which is replaced in one step.

    Raises:
        InvalidMessageError: Nothing here can open such a path.
    """
    try:
        scheme, separator, rest = path.partition("://")
        is_local = not separator or scheme.lower() in LOCAL_SCHEMES
        return Path(rest or path) if is_local else ObjectStoragePath(path)
    except (ImportError, ValueError) as error:
        raise _make_path_error(error) from None


async def aopen_path(path: str) -> Any:
    """Return what `open_path` does, with its Connection read already: any thread may use it then.

    Airflow 3.0's triggerer reads a Connection for ``sync_to_async`` only; from another thread it breaks.

    Raises:
        InvalidMessageError: Nothing here can open such a path.
    """
    from asgiref.sync import sync_to_async

    place = open_path(path)
    if isinstance(place, ObjectStoragePath):
        try:
            await sync_to_async(getattr)(place, "fs")
        except (ImportError, ValueError) as error:
            raise _make_path_error(error) from None
    return place


def _make_path_error(error: Exception) -> InvalidMessageError:
    return InvalidMessageError(
        f"a path cannot be opened here ({type(error).__name__}): install the library of its storage on "
        f"workers and triggerers, or correct the path"
    )
