"""Paths as this Airflow opens them: on this machine, or wherever its ObjectStoragePath reaches."""

import os
from pathlib import Path
from typing import Any

from airflow_provider_osonsms._compat import ObjectStoragePath
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.tables.paths import LOCAL_SCHEMES


def spell_path(value: Any) -> Any:
    """Return a path of this machine as text, and anything else, such as an ObjectStoragePath, as it is.

    Airflow renders the templates in a text, not those in a ``Path``; Airflow 3.0 calls whatever has a method
    ``resolve``, which a ``Path`` has. The paths in a list or tuple are spelled, too: a relative one with a
    folder, because its name alone might be a phone.
    """
    if _is_local_path(value):
        return os.fsdecode(value)
    if type(value) in (list, tuple) and any(map(_is_local_path, value)):
        return [_spell_in_list(one) if _is_local_path(one) else one for one in value]
    return value


def _spell_in_list(path: os.PathLike[str]) -> str:
    text = os.fsdecode(path)
    return text if Path(text).is_absolute() else f"./{text}"


def _is_local_path(value: object) -> bool:
    return isinstance(value, os.PathLike) and not isinstance(value, ObjectStoragePath)


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
