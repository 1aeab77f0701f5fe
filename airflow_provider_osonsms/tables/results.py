"""The table of a campaign, as waits and reports read it: what became of every row of its input."""

from collections.abc import Iterator
from typing import Any, Final

from airflow_provider_osonsms.protocol.errors import InvalidMessageError, OsonSmsError
from airflow_provider_osonsms.tables.files import TableIdentity, read_table
from airflow_provider_osonsms.tables.paths import is_final_storage_error
from airflow_provider_osonsms.tables.rows import ResultRow

MAX_INLINE_MESSAGES: Final = 1000
"""Messages whose ids fit into an XCom; more of them need a table."""


class TableUnavailableError(OsonSmsError):
    """The table cannot be read for now: reading it again may help."""


def read_results(path: Any, *, expected: TableIdentity | None = None) -> Iterator[ResultRow]:
    """Read the table that a campaign has written to its ``results_path``.

    Args:
        path: Something with ``suffix`` and ``open``: a local path, or Airflow's ObjectStoragePath.
        expected: What the campaign has said about its table; None believes any.

    Raises:
        InvalidMessageError: It cannot be read here, or is no such table.
        TableUnavailableError: The storage failed.
    """
    problem: OsonSmsError | None = None
    try:
        yield from read_table(path, kind=ResultRow, expected=expected)
    except Exception as error:  # noqa: BLE001 - storages have errors of their own, which may show a URL
        if is_final_storage_error(error):
            problem = InvalidMessageError(
                f"the results_path of a campaign cannot be read here ({type(error).__name__}): it must be "
                f"the table that the campaign wrote, at a place that every worker and triggerer can read"
            )
        else:
            problem = TableUnavailableError(
                f"the results_path of a campaign cannot be read for now ({type(error).__name__})"
            )
    if problem is not None:
        raise problem
