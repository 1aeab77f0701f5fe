"""Which report_path and undelivered_path are refused before a wait, and which are folders."""

import pytest

from airflow_provider_osonsms.delivery.report.plan import ReportPlan
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

FOLDERS = (
    "/data/reports",
    "/data/reports/2026.11",
    "/data/reports/manual__2026-11-25T10:00:00.000000+00:00",
    "/data/reports/scheduled__2026-11-25T10:00:00+00:00/",
    "/data/v1.2/orders.daily",
    "/data/archive.zip/monday",
    "s3://bucket/reports/2026.11",
    "reports",
    ".",
)


@pytest.mark.parametrize("path", FOLDERS)
def test_a_dot_does_not_make_a_file(path):
    """The folder of a month, a version or a run may have dots in its name."""
    plan = ReportPlan(path=path)

    folder = path.rstrip("/")
    assert (plan.table_path, plan.page_path) == (f"{folder}/delivery.csv", f"{folder}/delivery.html")


@pytest.mark.parametrize("name", ["report_path", "undelivered_path"])
@pytest.mark.parametrize("path", ["http://r.tj/x", "https://r.tj/x.csv", "HTTPS://r.tj/x.html"])
def test_a_web_page_cannot_be_written(name, path):
    """An address of the web is refused, with what to give in its place and without the address."""
    with pytest.raises(InvalidMessageError, match=rf"{name} is the address of a web page.*s3://") as error:
        make_plan(name, path)

    assert "r.tj" not in str(error.value)


@pytest.mark.parametrize(
    "name",
    [
        "x.xlsx",
        "x.csv.gz",
        "x.txt",
        "x.zip",
        "x.json",
        "x.htm",
        "x.tsv",
        "x.CSV",
        "x.Html",
        "x.csv ",
        "x.xls/",
    ],
)
def test_other_files_cannot_be_written(name):
    """A file that is none of ours is refused instead of becoming a folder of that name."""
    with pytest.raises(
        InvalidMessageError, match=r"report_path ends in .*\.csv, \.parquet or \.html, or a fold"
    ):
        ReportPlan(path=f"/data/{name}")


@pytest.mark.parametrize("name", ["report_path", "undelivered_path"])
@pytest.mark.parametrize("path", ["", " ", "/data/x.csv\n", "/data/\n/x"])
def test_a_template_that_went_wrong(name, path):
    """An empty path, or one with a line break, names the parameter to correct."""
    with pytest.raises(InvalidMessageError, match=f"{name} is empty or has a line break"):
        make_plan(name, path)


def make_plan(name, path):
    """Make a plan with *path* as the parameter *name*."""
    if name == "report_path":
        return ReportPlan(path=path)
    return ReportPlan(path=None, undelivered_path=path)
