"""The button that opens a delivery report in the UI."""

from typing import Any
from urllib.parse import quote

from airflow_provider_osonsms._compat import BaseOperator, BaseOperatorLink, conf


class OsonSmsDeliveryReportLink(BaseOperatorLink):
    """Open the page that the task has written, where a browser can reach it.

    That is at its path where this is an http(s) URL. Else ``[osonsms] report_base_url`` is the URL of the
    folder ``[osonsms] report_root``, such as ``https://reports.example.tj/sms`` of ``/data/reports``.
    """

    name = "Delivery report"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:  # noqa: ARG002
        """Return the URL of the page, or an empty text; runs in the worker once the task has ended."""
        return find_report_url(getattr(operator, "page_path", None))


def find_report_url(path: str | None) -> str:
    """Return where a browser finds the page at *path*; an empty text where it does not."""
    if path is None:
        return ""
    if path.startswith(("http://", "https://")):
        return path
    base = conf.get("osonsms", "report_base_url", fallback="").rstrip("/")
    root = conf.get("osonsms", "report_root", fallback="").rstrip("/")
    return f"{base}{quote(path.removeprefix(root))}" if base and path.startswith(f"{root}/") else ""
