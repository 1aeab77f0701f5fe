"""The extra link from a sensor in Airflow's UI to its delivery report."""

from typing import Any
from urllib.parse import quote

from airflow_provider_osonsms._compat import BaseOperator, BaseOperatorLink, conf


class OsonSmsDeliveryReportLink(BaseOperatorLink):
    """Link to the page that the task has written, if a browser can reach it.

    A path that is an http(s) URL is the link itself. For other paths, ``[osonsms] report_base_url`` is the
    URL of the folder ``[osonsms] report_root``, such as ``https://reports.example.tj/sms`` for
    ``/data/reports``.
    """

    name = "Delivery report"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:  # noqa: ARG002
        """Return the URL of the page, or an empty text; Airflow calls it in the worker after the task."""
        return find_report_url(getattr(operator, "page_path", None))


def find_report_url(path: str | None) -> str:
    """Return the URL of the page at *path* for a browser; an empty text if there is none."""
    if path is None:
        return ""
    if path.startswith(("http://", "https://")):
        return path
    base = conf.get("osonsms", "report_base_url", fallback="").rstrip("/")
    root = conf.get("osonsms", "report_root", fallback="").rstrip("/")
    return f"{base}{quote(path.removeprefix(root))}" if base and path.startswith(f"{root}/") else ""
