"""The plan of a report: which files a wait writes at its end, and where."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final, NamedTuple

from airflow_provider_osonsms.delivery.report.translations import Language
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.tables.results import ResultsTable

_TABLES: Final = (".csv", ".parquet")
_PAGE: Final = ".html"
_NAME: Final = "delivery"
_FILE: Final = re.compile(
    r"\.(7z|avro|bz2|csv|docx?|feather|gz|html?|jsonl?|md|ndjson|ods|orc|parquet|pdf|pickle|pkl|rar|rtf|tar|tgz"
    r"|tsv|txt|xls[bmx]?|xml|xz|ya?ml|zip|zst)",
    re.IGNORECASE,
)
"""A suffix that asks for a file. Other dots may be a folder's, such as that of ``2026.11`` or of a run_id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPlan:
    """The files that a wait writes at its end; a task passes the plan to its trigger.

    Attributes:
        path: ``.csv`` or ``.parquet`` for the table only, ``.html`` for the page and a CSV beside it,
            any other name for a folder with ``delivery.csv`` and ``delivery.html``; None for neither.
        undelivered_path: ``.csv`` or ``.parquet`` for the rows whose recipient is known not to be reached;
            None for no such table.
        include_unknown: Whether that table has the rows, too, of which nobody knows it.
        language: The language of the page: en, ru or tg.
        title: The heading of the page; empty for that of its language.
        tables: Results tables of the campaigns, for keys, phones and rejects.
        task: The dag, run and task of the wait, for the heading.
        campaigns: Ids of the campaigns.

    Raises:
        InvalidMessageError: Nothing of ours can be written to a path.
    """

    path: str | None
    undelivered_path: str | None = None
    include_unknown: bool = False
    language: str = Language.ENGLISH
    title: str = ""
    tables: tuple[ResultsTable, ...] = ()
    task: str = ""
    campaigns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the paths."""
        for name, path in (("report_path", self.path), ("undelivered_path", self.undelivered_path)):
            if path is not None:
                _check_text(path, name)
        suffix = PurePath(self.path or "").suffix
        if _FILE.fullmatch(suffix.strip()) and suffix not in (*_TABLES, _PAGE):
            raise InvalidMessageError(
                f"report_path ends in {suffix!r}, and no such file can be written: give a path that ends in "
                f"{', '.join(_TABLES)} or {_PAGE}, or a folder"
            )

    @property
    def written(self) -> dict[str, str | None]:
        """The files that are written, by the parameter that names them."""
        return {
            "report_path": self.table_path,
            "the page of report_path": self.page_path,
            "undelivered_path": self.undelivered_path,
        }

    @property
    def read(self) -> dict[str, str]:
        """The files that are read, by a name for people."""
        return {
            f"the results_path of campaign {number}": table.path
            for number, table in enumerate(self.tables, start=1)
        }

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that is read or written."""
        return tuple(path for path in (*self.read.values(), *self.written.values()) if path is not None)

    @property
    def memory_path(self) -> str | None:
        """The file beside which the wait may keep what it knows; None for none."""
        return self.undelivered_path or self.table_path

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


def _check_text(path: str, name: str) -> None:
    if not path.strip() or not path.isprintable():
        raise InvalidMessageError(
            f"{name} is empty or has a line break: leave it out, or correct the template"
        )
    if path.lower().startswith(("http://", "https://")):
        raise InvalidMessageError(
            f"{name} is the address of a web page, where no file can be written: give a local path, or a "
            f"storage such as s3://bucket/reports"
        )


class WrittenFiles(NamedTuple):
    """What became of the files of a wait.

    Attributes:
        paths: The paths that were written, by parameter.
        problem: What went wrong; None if all files were written.
    """

    paths: Mapping[str, str]
    problem: str | None = None


def read_plan(fields: Mapping[str, Any]) -> ReportPlan:
    """Make a plan from its fields as JSON values, which have lists for tuples."""
    tables = tuple(ResultsTable(**table) for table in fields.get("tables", ()))
    return ReportPlan(**{**fields, "tables": tables, "campaigns": tuple(fields.get("campaigns", ()))})
