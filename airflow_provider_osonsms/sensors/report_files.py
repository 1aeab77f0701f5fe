"""The files that a wait leaves behind: planned before it, named in its output after it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_osonsms._compat import Context
from airflow_provider_osonsms._context import identify_task
from airflow_provider_osonsms._storage import open_path
from airflow_provider_osonsms.delivery.inputs import TrackedMessages
from airflow_provider_osonsms.delivery.report.plan import ReportPlan
from airflow_provider_osonsms.protocol.errors import InvalidMessageError, OsonSmsError

log = logging.getLogger(__name__)


class UndeliveredNotWrittenError(OsonSmsError):
    """The table of those who were not reached could not be written: the next step would read an old one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFiles:
    """What a sensor was told about its files, after rendering.

    Attributes:
        report_path: See `ReportPlan.path`.
        undelivered_path: See `ReportPlan.undelivered_path`.
        language: Of the page.
    """

    report_path: Any
    undelivered_path: Any
    language: str

    def plan(self, messages: TrackedMessages, context: Context, *, is_checked: bool) -> ReportPlan | None:
        """Plan the files, and check that they can be written; None where there are none.

        Args:
            messages: What is waited for.
            context: Of the running task.
            is_checked: Whether an earlier poke has found that they can be written.

        Raises:
            InvalidMessageError: The language is unknown, a place cannot be written here, or nothing names the
                people whom the messages went to.
        """
        plan = self._make_plan(messages, context)
        if plan is None:
            return None
        from airflow_provider_osonsms.tables.paths import check_table_path, check_writable

        if len(set(plan.paths)) < len(plan.paths):
            raise InvalidMessageError(
                "report_path, undelivered_path and the results_path of the campaigns must be different files"
            )
        if plan.undelivered_path is not None and not messages.is_listed:
            raise InvalidMessageError(
                "undelivered_path needs to know who was texted: messages must be the output of campaigns "
                "with a results_path, and of nothing else"
            )
        for name, path in (("report_path", plan.table_path), ("undelivered_path", plan.undelivered_path)):
            if path is not None and not is_checked:
                check_writable(check_table_path(open_path(path), name), name)
        return plan

    def name_files(self, *, problem: str | None) -> dict[str, str]:
        """Return the paths of the files that were written, by parameter.

        Args:
            problem: What went wrong, or None.

        Raises:
            UndeliveredNotWrittenError: It did, and the next step needs to know who was not reached.
        """
        if problem is not None and self.undelivered_path is not None:
            raise UndeliveredNotWrittenError(f"{problem}. The next try writes it again")
        if problem is not None:
            log.error("%s", problem)
            return {}
        paths = {"report_path": self.report_path, "undelivered_path": self.undelivered_path}
        files = {name: str(path) for name, path in paths.items() if path is not None}
        for name, path in files.items():
            log.info("%s: %s", name, path)
        return files

    def _make_plan(self, messages: TrackedMessages, context: Context) -> ReportPlan | None:
        if self.report_path is None and self.undelivered_path is None:
            return None
        who = identify_task(context)
        mapped = f"[{who.map_index}]" if who.map_index >= 0 else ""
        return ReportPlan(
            path=None if self.report_path is None else str(self.report_path),
            undelivered_path=None if self.undelivered_path is None else str(self.undelivered_path),
            language=self.language,
            tables=messages.tables,
            task=f"{who.dag_id} · {who.run_id} · {who.task_id}{mapped}",
            campaigns=messages.campaigns,
        )


def find_page(files: Mapping[str, str]) -> str | None:
    """Return where the page is, of the *files* that were written; None where there is none."""
    return ReportPlan(path=files.get("report_path")).page_path
