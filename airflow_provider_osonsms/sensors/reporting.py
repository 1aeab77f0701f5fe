"""What a sensor's report needs beforehand: a place that can be written, and what it is about."""

from typing import Any

from airflow_provider_osonsms._compat import Context, open_path
from airflow_provider_osonsms.delivery.messages import TrackedMessages
from airflow_provider_osonsms.delivery.report.plan import ReportPlan


def plan_report(
    path: Any, messages: TrackedMessages, *, language: str, context: Context
) -> ReportPlan | None:
    """Plan the report to *path*, and check that it can be written; None without a path.

    Raises:
        InvalidMessageError: The language is unknown, or the place cannot be written here.
    """
    if path is None:
        return None
    from airflow_provider_osonsms.audience.tables import check_table_path, check_writable

    ti = context["ti"]
    plan = ReportPlan(
        path=str(path),
        language=language,
        tables=messages.tables,
        task=f"{ti.dag_id} · {ti.run_id} · {ti.task_id}",
        campaigns=messages.campaigns,
    )
    check_writable(check_table_path(open_path(plan.table_path), "report_path"), "report_path")
    return plan
