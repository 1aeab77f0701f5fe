"""The plan of a report: which files a wait writes at its end, and where."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

from airflow_provider_osonsms.delivery.report.translations import Language
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.tables.results import ResultsTable

_TABLES: Final = (".csv", ".parquet")
_PAGE: Final = ".html"
_NAME: Final = "delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPlan:
    """The files that a wait writes at its end; a task passes the plan to its trigger.

    Attributes:
        path: ``.csv`` or ``.parquet`` for the table only, ``.html`` for the page and a CSV beside it,
            any other name for a folder with ``delivery.csv`` and ``delivery.html``; None for neither.
        undelivered_path: ``.csv`` or ``.parquet`` for the rows whose recipient no message is known to have
            reached; None for no such table.
        language: The language of the page: en, ru or tg.
        tables: Results tables of the campaigns, for keys, phones and rejects.
        task: The dag, run and task of the wait, for the heading.
        campaigns: Ids of the campaigns.

    Raises:
        InvalidMessageError: The language is unknown, or a path is empty.
    """

    path: str | None
    undelivered_path: str | None = None
    language: str = Language.ENGLISH
    tables: tuple[ResultsTable, ...] = ()
    task: str = ""
    campaigns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the values."""
        if self.language not in tuple(Language):
            raise InvalidMessageError(f"report_language must be one of {', '.join(Language)}")
        for name, path in (("report_path", self.path), ("undelivered_path", self.undelivered_path)):
            if path is not None and not path.strip():
                raise InvalidMessageError(f"{name} is empty: leave it out, or correct the template")

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that is read or written."""
        written = (self.table_path, self.page_path, self.undelivered_path)
        tables = (table.path for table in self.tables)
        return (*tables, *(path for path in written if path is not None))

    @property
    def table_path(self) -> str | None:
        """The path of the table; None for no table."""
        if self.path is None:
            return None
        suffix = PurePath(self.path).suffix
        if suffix in _TABLES:
            return self.path
        return (
            f"{self.path[: -len(_PAGE)]}.csv" if suffix == _PAGE else f"{self.path.rstrip('/')}/{_NAME}.csv"
        )

    @property
    def page_path(self) -> str | None:
        """The path of the page; None for no page."""
        if self.path is None or (suffix := PurePath(self.path).suffix) in _TABLES:
            return None
        return self.path if suffix == _PAGE else f"{self.path.rstrip('/')}/{_NAME}{_PAGE}"


def read_plan(fields: Mapping[str, Any]) -> ReportPlan:
    """Make a plan from its fields as JSON values, which have lists for tuples."""
    tables = tuple(ResultsTable(**table) for table in fields.get("tables", ()))
    return ReportPlan(**{**fields, "tables": tables, "campaigns": tuple(fields.get("campaigns", ()))})
