"""The files of a wait: planned and checked at its start, named in its output at its end."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from airflow_provider_osonsms._compat import Context
from airflow_provider_osonsms._context import identify_task
from airflow_provider_osonsms._storage import open_path
from airflow_provider_osonsms.delivery.inputs import TrackedMessages
from airflow_provider_osonsms.delivery.report.plan import ReportPlan, WrittenFiles
from airflow_provider_osonsms.protocol.errors import InvalidMessageError, OsonSmsError
from airflow_provider_osonsms.tables.paths import (
    check_table_path,
    check_writable,
    guard_storage,
    is_relative,
    name_file,
    refuse_same_files,
)

log = logging.getLogger(__name__)


class UndeliveredNotWrittenError(OsonSmsError):
    """The undelivered rows could not be written, so the next step would read an old table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFiles:
    """The parameters of a sensor about its files, after rendering.

    Attributes:
        report_path: See `ReportPlan.path`.
        undelivered_path: See `ReportPlan.undelivered_path`.
        include_unknown: See `ReportPlan.include_unknown`.
        language: The language of the page.
        title: Its heading; None for that of the language.
    """

    report_path: Any
    undelivered_path: Any
    include_unknown: bool
    language: str
    title: str | None = None

    def plan(
        self, messages: TrackedMessages, context: Context, *, is_checked: bool, is_deferred: bool
    ) -> ReportPlan | None:
        """Plan the files, check that they can be written, and remove an old list; return None for no files.

        Args:
            messages: The messages to wait for.
            context: The context of the running task.
            is_checked: Whether an earlier poke has done so.
            is_deferred: Whether a trigger writes them.

        Raises:
            InvalidMessageError: A path cannot be written, or no results table has the recipients for the
                undelivered rows.
            PathUnavailableError: A path cannot be written for now.
        """
        plan = self.make_plan(context, messages)
        if plan is None:
            return None
        refuse_same_files(plan.written, read=plan.read)
        relative = [name for name, path in plan.written.items() if path and is_relative(path)]
        if is_deferred and relative:
            raise InvalidMessageError(
                f"{relative[0]} is a relative path, and the triggerer would write it in a folder of its own: "
                f"give the whole path"
            )
        if plan.undelivered_path is not None and not messages.is_listed:
            raise InvalidMessageError(
                "undelivered_path needs the recipients of all messages: messages must be only outputs of "
                "campaigns with a results_path"
            )
        if not is_checked:
            _check_places(plan)
            _remove_old_list(plan)
        return plan

    def name_files(self, written: WrittenFiles, *, needs_list: bool) -> dict[str, str]:
        """Return the paths of the files that were written, by parameter.

        Args:
            written: What became of them.
            needs_list: Whether the next step will read the undelivered rows.

        Raises:
            UndeliveredNotWrittenError: There is a problem, and the next step needs the undelivered rows.
        """
        if needs_list and self.undelivered_path is not None:
            if written.problem is not None:
                raise UndeliveredNotWrittenError(f"{written.problem}. The next try writes it again")
            if written.paths.get("undelivered_path") != str(self.undelivered_path):
                raise UndeliveredNotWrittenError(
                    "undelivered_path has changed since the wait began, or is another one at each rendering: "
                    "the undelivered rows are not where the next step reads them. The next try waits anew"
                )
        if written.problem is not None:
            log.error("%s", written.problem)
        files = dict(written.paths)
        for name, path in files.items():
            log.info("%s: %s", name, path)
        return files

    def make_plan(self, context: Context, messages: TrackedMessages | None = None) -> ReportPlan | None:
        """Plan the files; return None for no files."""
        if self.report_path is None and self.undelivered_path is None:
            return None
        task = identify_task(context)
        index = f"[{task.map_index}]" if task.map_index >= 0 else ""
        return ReportPlan(
            path=None if self.report_path is None else str(self.report_path),
            undelivered_path=None if self.undelivered_path is None else str(self.undelivered_path),
            include_unknown=self.include_unknown,
            language=self.language,
            title=(self.title or "").strip(),
            tables=() if messages is None else messages.tables,
            task=f"{task.dag_id} · {task.run_id} · {task.task_id}{index}",
            campaigns=() if messages is None else messages.campaigns,
        )


def _check_places(plan: ReportPlan) -> None:
    """Check that the files of *plan* can be written; the page stands in the folder of its table."""
    for name, path in plan.written.items():
        if path is None:
            continue
        if path != plan.page_path:
            check_writable(check_table_path(open_path(path), name), name)
        if Path(name_file(path)).is_dir():  # a URL is no local folder
            raise InvalidMessageError(
                f"{name}: a folder stands where the file {PurePath(path).name!r} should be written. Remove "
                f"it, or give another path"
            )


def _remove_old_list(plan: ReportPlan) -> None:
    """Remove the list of an earlier wait: if this one ends without a list, nobody must read that for its own.

    Raises:
        InvalidMessageError, PathUnavailableError: It cannot be removed.
    """
    if plan.undelivered_path is not None:
        path = open_path(plan.undelivered_path)
        guard_storage(lambda: path.unlink(missing_ok=True), "undelivered_path", "written")


def find_page(files: Mapping[str, str]) -> str | None:
    """Return the path of the page among the *files* that were written; None if there is no page."""
    return ReportPlan(path=files.get("report_path")).page_path
