"""Which report a wait leaves behind, and where."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

from airflow_provider_osonsms.delivery.report.words import Language
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

_TABLES: Final = (".csv", ".parquet")
_PAGE: Final = ".html"
_NAME: Final = "delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPlan:
    """What report a wait leaves behind; it travels from task to trigger.

    Attributes:
        path: ``.csv`` or ``.parquet`` for the table only, ``.html`` for the page and a CSV beside it,
            anything else for a folder with ``delivery.csv`` and ``delivery.html``.
        language: Of the page: en, ru or tg.
        tables: Results tables of the campaigns, for keys, phones and rejects.
        task: Names the task.
        campaigns: Ids of the campaigns.

    Raises:
        InvalidMessageError: There is no such language.
    """

    path: str
    language: str = Language.ENGLISH
    tables: tuple[str, ...] = ()
    task: str = ""
    campaigns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the values."""
        if self.language not in tuple(Language):
            raise InvalidMessageError(f"report_language must be one of {', '.join(Language)}")
        if not self.path.strip():
            raise InvalidMessageError("report_path is empty: leave it out, or correct the template")

    @property
    def table_path(self) -> str:
        """Where the table goes."""
        suffix = PurePath(self.path).suffix
        if suffix in _TABLES:
            return self.path
        return (
            f"{self.path[: -len(_PAGE)]}.csv" if suffix == _PAGE else f"{self.path.rstrip('/')}/{_NAME}.csv"
        )

    @property
    def page_path(self) -> str | None:
        """Where the page goes; None where there is none."""
        suffix = PurePath(self.path).suffix
        if suffix in _TABLES:
            return None
        return self.path if suffix == _PAGE else f"{self.path.rstrip('/')}/{_NAME}{_PAGE}"


def read_plan(fields: Mapping[str, Any]) -> ReportPlan:
    """Make a plan of its fields, as JSON leaves them."""
    lists = {name: tuple(fields.get(name, ())) for name in ("tables", "campaigns")}
    return ReportPlan(**{**fields, **lists})
