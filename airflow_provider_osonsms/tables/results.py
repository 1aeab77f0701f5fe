"""The table of a campaign, as waits and reports read it: what became of every row of its input."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from airflow_provider_osonsms.protocol.errors import InvalidMessageError, OsonSmsError
from airflow_provider_osonsms.tables.files import DamagedTableError, TableIdentity, read_table
from airflow_provider_osonsms.tables.paths import is_final_storage_error
from airflow_provider_osonsms.tables.rows import ResultRow

MAX_INLINE_MESSAGES: Final = 1000
"""Messages whose ids fit into an XCom; more of them need a table."""


class TableUnavailableError(OsonSmsError):
    """The table cannot be read for now: reading it again may help."""


class TableChangedError(OsonSmsError):
    """The table is not the one that the campaign has written: what it says of people is not believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsTable:
    """A results table that a campaign has named in its output.

    Attributes:
        path: Where it is.
        rows: Rows that the campaign has written; None where it has not said so.
        checksum: Of these rows; None where the campaign has not said so.
        key_column: The column of the audience that the keys come from; None where the phones are the keys.
    """

    path: str
    rows: int | None = None
    checksum: str | None = None
    key_column: str | None = None

    def read(self, open_path: Callable[[str], Any]) -> Iterator[ResultRow]:
        """Read its rows, opened with *open_path*; see `read_results`."""
        expected = None
        if self.rows is not None and self.checksum is not None:
            expected = TableIdentity(rows=self.rows, checksum=self.checksum)
        return read_results(open_path(self.path), expected=expected)


def read_results_table(output: Mapping[str, Any]) -> ResultsTable | None:
    """Read what the *output* of a campaign says of its table; None where there is none."""
    path, said = output.get("results_path"), output.get("results")
    if path is None:
        return None
    facts = said if isinstance(said, Mapping) else {}
    rows, checksum = facts.get("rows"), facts.get("checksum")
    is_known = isinstance(rows, int) and isinstance(checksum, str)
    key_column = output.get("key_column")
    return ResultsTable(
        path=str(path),
        rows=rows if is_known else None,
        checksum=checksum if is_known else None,
        key_column=None if key_column is None else str(key_column),
    )


def read_results(path: Any, *, expected: TableIdentity | None = None) -> Iterator[ResultRow]:
    """Read the table that a campaign has written to its ``results_path``.

    Args:
        path: Something with ``suffix`` and ``open``: a local path, or Airflow's ObjectStoragePath.
        expected: What the campaign has said about its table; None believes any.

    Raises:
        InvalidMessageError: It cannot be read here, or is no such table.
        TableChangedError: It is not the expected one.
        TableUnavailableError: The storage failed.
    """
    problem: OsonSmsError | None = None
    try:
        yield from read_table(path, kind=ResultRow, expected=expected)
    except Exception as error:  # noqa: BLE001 - storages have errors of their own, which may show a URL
        if isinstance(error, DamagedTableError) and expected is not None:
            problem = TableChangedError(
                f"the results_path of a campaign does not hold the table that it has written ({error}): "
                f"another run may have written there. Restore that table, and give later runs paths of their "
                f"own, with {{{{ run_id }}}} in them"
            )
        elif is_final_storage_error(error):
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
