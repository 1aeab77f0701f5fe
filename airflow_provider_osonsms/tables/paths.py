"""Where a table may be written: checked before anything is sent, replaced in one step."""

import os
import posixpath
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import IO, Any, Final, TypeVar

from airflow_provider_osonsms.protocol.errors import InvalidMessageError, OsonSmsError

T = TypeVar("T")

LOCAL_SCHEMES: Final = ("file", "local")
_SUFFIXES: Final = (".csv", ".parquet")
_FINAL_STORAGE_ERRORS: Final = (
    *(FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError),
    *(ImportError, KeyError, ValueError),
)
"""No such place, storage or library, no right to it, or a damaged file: that stays so."""


class PathUnavailableError(OsonSmsError):
    """The place of a file cannot be reached for now; this try has sent nothing, and a later one may."""


def is_final_storage_error(error: BaseException) -> bool:
    """Whether reading or writing again cannot help; anything else, a network say, may be over soon."""
    return isinstance(error, _FINAL_STORAGE_ERRORS)


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
    if suffix not in _SUFFIXES or not hasattr(place, "open"):
        raise InvalidMessageError(f"{field} must be a path that ends in {' or '.join(_SUFFIXES)}")
    if suffix == ".parquet":
        require_pyarrow(field)
    return place


def check_writable(path: Any, field: str) -> None:
    """Check that something can be written beside a checked *path*, and take it away again.

    Raises:
        InvalidMessageError: The place cannot be written.
        PathUnavailableError: It cannot be written for now.
    """
    probe = path.with_name(f"{path.name}.{token_hex(4)}.probe")

    def write_probe() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with probe.open("wb") as file:
            file.write(b"")
        probe.unlink()

    guard_storage(write_probe, field, "written", hint=explain_relative(path))


def guard_storage(use: Callable[[], T], what: str, done: str, *, hint: str = "") -> T:
    """Return the result of *use*; a storage's own errors, which may show a URL, become ours.

    Args:
        use: Reads or writes *what*.
        what: Named in the error.
        done: ``read`` or ``written``.
        hint: What else to say if it cannot be done here.

    Raises:
        InvalidMessageError: It cannot be done here.
        PathUnavailableError: It cannot be done for now.
    """
    try:
        return use()
    except Exception as error:  # noqa: BLE001
        name = type(error).__name__
        problem: OsonSmsError = (
            InvalidMessageError(
                f"{what} cannot be {done} ({name}): correct the path or its permissions{hint}"
            )
            if is_final_storage_error(error)
            else PathUnavailableError(f"{what} cannot be {done} for now ({name})")
        )
    raise problem  # outside the except block: inside, it would keep the storage's own error as its context


def name_file(path: object) -> str:
    """Return one name for all spellings of a path, such as ``a/./b.csv``, ``a//b.csv`` or a link to it."""
    scheme, separator, rest = str(path).partition("://")
    scheme = scheme.lower()
    if not separator or scheme in LOCAL_SCHEMES:
        return os.path.realpath(rest or str(path))
    bucket, _, key = rest.partition("/")
    bucket = bucket.rpartition("@")[2]  # before it stands the Connection of the storage
    return f"{scheme}://{bucket}{posixpath.normpath(f'/{key}')}"


def is_relative(path: str) -> bool:
    """Whether *path* depends on the folder in which a process runs."""
    return "://" not in path and not Path(path).is_absolute()


def explain_relative(path: object) -> str:
    """Return, for the end of an error, in which folder a relative *path* is; empty for a whole path."""
    if not is_relative(str(path)):
        return ""
    home = " (and ~ is no home folder here)" if str(path).startswith("~") else ""
    return f". It is relative to {Path.cwd()}, where the worker runs{home}: give the whole path"


def refuse_same_files(written: Mapping[str, object], *, read: Mapping[str, object]) -> None:
    """Check that each of the paths *written*, by parameter, is a file of its own; None is none.

    Args:
        written: Will be written.
        read: Will be read; these may be one file.

    Raises:
        InvalidMessageError: A file would overwrite another.
    """
    names = {name_file(path): parameter for parameter, path in read.items() if path is not None}
    for parameter, path in written.items():
        if path is not None and (other := names.setdefault(name_file(path), parameter)) != parameter:
            raise InvalidMessageError(f"{parameter} and {other} are one file: give each a path of its own")


def is_local(path: Any) -> bool:
    """Whether *path* is one of this machine's, and no URL: that is a Path too below Airflow 3.2."""
    return isinstance(path, Path) and "://" not in str(path)


@contextmanager
def replace_file(path: Any) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of *path* when the block has ended; after an error it does not.

    A task that is killed while it writes must not leave half a table behind: the next step would take those
    that are missing in it for people who were never texted.

    Raises:
        OSError: The place cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if is_local(path):
        with _replace_local_file(Path(os.path.realpath(path))) as file:  # of a link, what it leads to
            yield file
        return
    with TemporaryDirectory(prefix="osonsms-") as folder:
        draft = Path(folder) / path.name
        with draft.open("wb") as file:
            yield file
        _upload(draft, path)


@contextmanager
def _replace_local_file(path: Path) -> Iterator[IO[bytes]]:
    draft = path.with_name(f".{path.name}.{token_hex(4)}.draft")
    try:
        with draft.open("xb") as file:
            yield file
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _upload(draft: Path, path: Any) -> None:
    """Copy *draft* to an object storage, which shows an object once its upload has ended, and not before.

    A file that is closed after an error would end the upload with what it holds so far: it is
    discarded instead.
    """
    target = path.open("wb")
    try:
        with draft.open("rb") as source:
            shutil.copyfileobj(source, target)
    except BaseException:
        if hasattr(target, "discard"):
            target.discard()
        raise
    target.close()


def require_library(name: str, *, extra: str, what: str, instead: str) -> Any:
    """Return an optional library.

    Args:
        name: The module.
        extra: The extra of this package that installs it.
        what: What needs it: a parameter, and what its value is.
        instead: What to do without it.

    Raises:
        InvalidMessageError: It is not installed.
    """
    try:
        return import_module(name)
    except ImportError:
        raise InvalidMessageError(
            f"{what}, which needs {name}: pip install 'airflow-provider-osonsms[{extra}]', or {instead}"
        ) from None


def require_pyarrow(field: str) -> None:
    """Check that Parquet can be read and written.

    Raises:
        InvalidMessageError: pyarrow is not installed.
    """
    require_library("pyarrow", extra="parquet", what=f"{field} is a Parquet file", instead="use CSV")
