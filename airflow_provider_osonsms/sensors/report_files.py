"""The files of a wait: planned and checked at its start, named in its output at its end."""

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
    """The undelivered rows could not be written, so the next step would read an old table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFiles:
    """The parameters of a sensor about its files, after rendering.

    Attributes:
        report_path: See `ReportPlan.path`.
        undelivered_path: See `ReportPlan.undelivered_path`.
        language: The language of the page.
    """

    report_path: Any
    undelivered_path: Any
    language: str

    def plan(self, messages: TrackedMessages, context: Context, *, is_checked: bool) -> ReportPlan | None:
        """Plan the files, and check that they can be written; return None for no files.

        Args:
            messages: The messages to wait for.
            context: The context of the running task.
            is_checked: Whether an earlier poke has checked that the files can be written.

        Raises:
            InvalidMessageError: The language is unknown, a path cannot be written, or no results table has
                the recipients for the undelivered rows.
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
                "undelivered_path needs the recipients of all messages: messages must be only outputs of "
                "campaigns with a results_path"
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
            UndeliveredNotWrittenError: There is a problem, and the next step needs the undelivered rows.
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
        task = identify_task(context)
        index = f"[{task.map_index}]" if task.map_index >= 0 else ""
        return ReportPlan(
            path=None if self.report_path is None else str(self.report_path),
            undelivered_path=None if self.undelivered_path is None else str(self.undelivered_path),
            language=self.language,
            tables=messages.tables,
            task=f"{task.dag_id} · {task.run_id} · {task.task_id}{index}",
            campaigns=messages.campaigns,
        )


def find_page(files: Mapping[str, str]) -> str | None:
    """Return the path of the page among the *files* that were written; None if there is no page."""
    return ReportPlan(path=files.get("report_path")).page_path
