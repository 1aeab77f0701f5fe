"""Writes the files of a report: the table, the page and the undelivered rows."""

import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from airflow_provider_osonsms.delivery.report.collect import ReportCollector
from airflow_provider_osonsms.delivery.report.html import Heading, render_page
from airflow_provider_osonsms.delivery.report.plan import ReportPlan, WrittenFiles
from airflow_provider_osonsms.delivery.report.translations import Language
from airflow_provider_osonsms.delivery.report.verdict import Ending
from airflow_provider_osonsms.delivery.tracker import DeliveryTracker
from airflow_provider_osonsms.protocol.errors import InvalidMessageError, OsonSmsError
from airflow_provider_osonsms.tables.files import write_table
from airflow_provider_osonsms.tables.paths import replace_file
from airflow_provider_osonsms.tables.rows import ReportRow, UndeliveredRow


def try_to_write_report(
    plan: ReportPlan,
    tracker: DeliveryTracker,
    *,
    open_path: Callable[[str], Any],
    price_per_part: Decimal | None,
    ending: Ending,
) -> WrittenFiles:
    """Write the files of *plan*, and return what went wrong instead of raising it; it blocks.

    Args:
        plan: Which files, and where.
        tracker: The tracker after the wait.
        open_path: Returns an object with ``suffix``, ``parent`` and ``open`` for a path.
        price_per_part: In somoni; None if unknown.
        ending: The end of the wait; only one with a verdict has undelivered rows.
    """
    is_verdict = ending.decision is not None and ending.decision.is_verdict
    wanted = plan if is_verdict else replace(plan, undelivered_path=None)
    try:
        write_report(wanted, tracker, open_path=open_path, price_per_part=price_per_part, ending=ending)
    except OsonSmsError as error:
        return WrittenFiles({}, f"the report was not written: {error}")
    except Exception as error:  # noqa: BLE001 - the text of a storage's own error may show a URL
        return WrittenFiles({}, f"the report could not be written to its path ({type(error).__name__})")
    paths = {"report_path": wanted.path, "undelivered_path": wanted.undelivered_path}
    return WrittenFiles({name: path for name, path in paths.items() if path is not None})


def write_report(
    plan: ReportPlan,
    tracker: DeliveryTracker,
    *,
    open_path: Callable[[str], Any],
    price_per_part: Decimal | None,
    ending: Ending,
    clock: Callable[[], float] = time.time,
) -> None:
    """Write the files of *plan*: table, page and undelivered rows; it blocks.

    Args:
        plan: Which files, and where.
        tracker: The tracker after the wait.
        open_path: Returns an object with ``suffix``, ``parent`` and ``open`` for a path.
        price_per_part: In somoni; None if unknown.
        ending: The end of the wait.
        clock: Returns seconds since the epoch.

    Raises:
        OSError: A path cannot be written.
        InvalidMessageError: A results table cannot be read on this machine; or undelivered rows are wanted,
            and a message had no answer.
    """
    collector = ReportCollector(tracker, tables=plan.tables, open_path=open_path)
    if plan.table_path is not None:
        write_table(collector.read_rows(), open_path(plan.table_path), kind=ReportRow)
    if plan.page_path is not None:
        page = render_page(
            collector.figures,
            tracker.summarize(),
            criteria=tracker.criteria,
            heading=Heading(
                title=plan.title,
                task=plan.task,
                campaigns=plan.campaigns,
                price_per_part=price_per_part,
                table=PurePath(plan.table_path or "").name,
            ),
            ending=ending,
            language=Language(plan.language),
            began=tracker.began,
            ended=clock(),
        )
        with replace_file(open_path(plan.page_path)) as file:
            file.write(page.encode())
    if plan.undelivered_path is not None:
        _require_answers(tracker)
        rows = collector.read_undelivered(include_unknown=plan.include_unknown)
        write_table(rows, open_path(plan.undelivered_path), kind=UndeliveredRow)


def _require_answers(tracker: DeliveryTracker) -> None:
    if tracker.unanswered:
        raise InvalidMessageError(
            f"{tracker.unanswered} messages had no answer to a status query, so they may have been "
            f"delivered: listed as undelivered, they would be sent again"
        )
