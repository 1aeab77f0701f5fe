"""The link from a waiting task to its report: where a browser finds the page, and nowhere else."""

import logging
from types import SimpleNamespace

import pytest

from airflow_provider_osonsms.links.osonsms import OsonSmsDeliveryReportLink, find_report_url
from airflow_provider_osonsms.sensors.osonsms import OsonSmsDeliverySensor

MODES = ("poke", "reschedule", "deferrable")


def said(caplog):
    """Return what our own loggers have said; Airflow's say more when it is first imported."""
    return [one.getMessage() for one in caplog.records if one.name.startswith("airflow_provider_osonsms")]


@pytest.fixture
def configure(monkeypatch):
    """Say in Airflow's configuration which folder a browser finds, and where."""

    def configure(*, root="", base="https://r.tj"):
        monkeypatch.setenv("AIRFLOW__OSONSMS__REPORT_ROOT", root)
        monkeypatch.setenv("AIRFLOW__OSONSMS__REPORT_BASE_URL", base)

    return configure


@pytest.mark.parametrize("mode", MODES)
def test_the_link_opens_the_report(configure, mode, send, wait, tmp_path):
    """The page of a wait, a failed one too, has a link where the folder has a URL."""
    configure(root=str(tmp_path), base="https://reports.example.tj/sms/")

    result = wait(mode, messages=send("93"), report_path=str(tmp_path / "monday"), timeout=20)

    assert result.state == "failed"
    link = OsonSmsDeliveryReportLink().get_link(result.ti.task, ti_key=None)
    assert link == "https://reports.example.tj/sms/monday/delivery.html"


@pytest.mark.parametrize(
    ("root", "path", "url"),
    [
        ("/data", "/data/x/delivery.html", "https://r.tj/x/delivery.html"),
        ("/data/", "/data/x.html", "https://r.tj/x.html"),
        ("/", "/data/x.html", "https://r.tj/data/x.html"),
        ("/data/./reports/../reports", "/data//reports/x.html", "https://r.tj/x.html"),
        ("//data", "/data/a/../x.html", "https://r.tj/x.html"),
        ("/data", "file:///data/x.html", "https://r.tj/x.html"),
        ("s3://bucket/sms", "s3://bucket/sms/x.html", "https://r.tj/x.html"),
        ("s3://bucket", "s3://bucket/sms/x.html", "https://r.tj/sms/x.html"),
    ],
)
def test_below_the_root(configure, caplog, *, root, path, url):
    """Below the root, in any spelling, the base URL takes the root's place, and the log says nothing."""
    configure(root=root)

    with caplog.at_level(logging.WARNING, "airflow_provider_osonsms"):
        assert find_report_url(path) == url

    assert said(caplog) == []


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("100% +1#.html", "100%25%20%2B1%23.html"),
        ("a?b&c=d.html", "a%3Fb%26c%3Dd.html"),
        (
            "manual__2026-11-25T10:00:00.000000+00:00/delivery.html",
            "manual__2026-11-25T10%3A00%3A00.000000%2B00%3A00/delivery.html",
        ),
        ("душанбе.html", "%D0%B4%D1%83%D1%88%D0%B0%D0%BD%D0%B1%D0%B5.html"),
        ("%2e%2e/x.html", "%252e%252e/x.html"),
        ('"><script>.html', "%22%3E%3Cscript%3E.html"),
    ],
)
def test_names_are_encoded(configure, name, encoded):
    """A browser asks for the file by its own name, whatever characters the name has."""
    configure(root="/data")

    assert find_report_url(f"/data/{name}") == f"https://r.tj/{encoded}"


@pytest.mark.parametrize(
    ("root", "path"),
    [
        ("/data", "/database/x.html"),
        ("/data", "/data/../etc/x.html"),
        ("/data", "/data/reports/../../etc/x.html"),
        ("/data", "data/x.html"),
        ("/data", "s3://bucket/data/x.html"),
        ("/data", "/data"),
        ("s3://bucket/sms", "s3://bucket/sms/../secret/x.html"),
        ("s3://bucket/sms", "s3://other/sms/x.html"),
    ],
)
def test_nothing_outside_the_root(configure, caplog, *, root, path):
    """A page outside the root has no link, however it is spelled, and the log says so without the path."""
    configure(root=root)

    assert find_report_url(path) == ""
    (message,) = said(caplog)
    assert "report_root must be a folder above report_path" in message
    assert path not in message


@pytest.mark.parametrize(
    ("root", "base", "hint"),
    [
        ("", "https://r.tj", "report_base_url needs report_root"),
        ("/data", "", "report_root needs report_base_url"),
        ("data", "https://r.tj", "report_root must be an absolute path"),
        ("..", "https://r.tj", "report_root must be an absolute path"),
        ("/data", "r.tj/sms", "report_base_url must be"),
        ("/data", "javascript:alert(1)", "report_base_url must be"),
        ("/data", "s3://secret/sms", "report_base_url must be"),
        ("/data", "https://", "report_base_url must be"),
        ("/data", "https://[secret", "report_base_url must be"),
        ("/data", "https://me:secret@r.tj", "report_base_url must be"),
        ("/data", "https://r.tj/?token=secret", "report_base_url must be"),
        ("/other", "https://r.tj", "report_root must be a folder above report_path"),
    ],
)
def test_a_mistake_is_said(configure, caplog, *, root, base, hint):
    """A configuration that makes no link says what to correct, and nothing of a URL."""
    configure(root=root, base=base)

    assert find_report_url("/data/x.html") == ""
    (message,) = said(caplog)
    assert hint in message
    assert "secret" not in message
    assert "r.tj" not in message


def test_no_link_without_a_report(configure, caplog):
    """A task that wrote no page, or an Airflow without the two settings, has an empty link and no warning."""
    sensor = OsonSmsDeliverySensor(task_id="wait", messages="1", timeout=60)
    link = OsonSmsDeliveryReportLink()

    assert link.get_link(SimpleNamespace(page_path="/x.html"), ti_key=None) == ""
    configure(root="/data")
    assert link.get_link(sensor, ti_key=None) == ""
    assert said(caplog) == []
