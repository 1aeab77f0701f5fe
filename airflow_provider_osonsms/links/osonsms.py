"""The extra link from a sensor in Airflow's UI to its delivery report."""

import logging
import posixpath
from typing import Any
from urllib.parse import quote, urlsplit

from airflow_provider_osonsms._compat import BaseOperator, BaseOperatorLink, conf

log = logging.getLogger(__name__)


class OsonSmsDeliveryReportLink(BaseOperatorLink):
    """Link to the page that the task has written, if Airflow's configuration says where a browser finds it.

    ``[osonsms] report_base_url`` is the URL of the folder ``[osonsms] report_root``, such as
    ``https://reports.example.tj/sms`` for ``/data/reports``. Without both there is no link. A mistake in them
    is said in the log of the task.
    """

    name = "Delivery report"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:  # noqa: ARG002
        """Return the URL of the page, or an empty text; Airflow calls it in the worker after the task."""
        return find_report_url(getattr(operator, "page_path", None))


class _NoLinkError(Exception):
    """Why there is no link; without the values, because a URL may hold a secret."""


def find_report_url(path: str | None) -> str:
    """Return the URL of the page at *path* for a browser; an empty text if there is none."""
    base = conf.get("osonsms", "report_base_url", fallback="").strip()
    root = conf.get("osonsms", "report_root", fallback="").strip()
    if path is None or not (base or root):
        return ""
    try:
        _check(base, root)
        return f"{base.rstrip('/')}/{quote(_find_below(root, path))}"
    except _NoLinkError as problem:
        log.warning("There is no link to the delivery report: in [osonsms], %s", problem)
        return ""


def _check(base: str, root: str) -> None:
    if not base:
        raise _NoLinkError("report_root needs report_base_url, the URL at which a browser finds this folder")
    if not root:
        raise _NoLinkError("report_base_url needs report_root, the folder that is found at this URL")
    if not _is_folder_url(base):
        raise _NoLinkError(
            "report_base_url must be the http or https URL of a folder, without a user name and a query"
        )
    if not root.startswith("/") and "://" not in root:
        raise _NoLinkError("report_root must be an absolute path, or a URL such as s3://bucket/reports")


def _is_folder_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    return is_web and url.isprintable() and not any(character in url for character in "?#\\ ")


def _find_below(root: str, path: str) -> str:
    """Return the name of *path* below the folder *root*, which ``..`` does not leave."""
    folder, place = f"{_name_place(root).rstrip('/')}/", _name_place(path)
    if not place.startswith(folder):
        raise _NoLinkError("report_root must be a folder above report_path, as an absolute path or a URL")
    return place.removeprefix(folder)


def _name_place(path: str) -> str:
    """Return one name for all spellings of a path, such as ``/a/./b`` and ``/a//b``; links stay links."""
    scheme, separator, rest = path.partition("://")
    if separator and scheme not in ("file", "local"):
        bucket, _, key = rest.partition("/")
        return f"{scheme}://{bucket}{_name_place(f'/{key}')}"
    name = posixpath.normpath(rest if separator else path)
    return f"/{name.lstrip('/')}" if name.startswith("/") else name  # normpath leaves two slashes
