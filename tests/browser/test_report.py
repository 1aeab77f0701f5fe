"""The delivery report in a real browser, wide and light, narrow and dark."""

import asyncio
from pathlib import Path

import pytest

pytest.importorskip("selenium", reason="selenium is in the environment of the newest Airflow only")

from airflow_provider_osonsms.delivery.report.plan import ReportPlan
from airflow_provider_osonsms.delivery.report.translations import Language, read_words
from airflow_provider_osonsms.delivery.report.write import write_report
from airflow_provider_osonsms.delivery.tracker import DeliveryTracker
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus
from airflow_provider_osonsms.tables.msg_ids import MsgIds

WIDE = {"width": 1280, "height": 860, "deviceScaleFactor": 1, "mobile": False}
NARROW = {"width": 400, "height": 900, "deviceScaleFactor": 1, "mobile": True}


class Answers:
    """Has delivered every message but one."""

    async def query_status(self, msg_id):
        """Answer."""
        return DeliveryStatus.UNDELIVERABLE if msg_id == "1009" else DeliveryStatus.DELIVERED


@pytest.fixture(params=list(Language))
def report(request, tmp_path):
    """A report in each language."""
    tracker = DeliveryTracker(MsgIds([str(1000 + number) for number in range(10)]))
    asyncio.run(tracker.poll(Answers()))
    plan = ReportPlan(path=str(tmp_path / "report.html"), language=request.param, task="shop · run · wait")
    write_report(plan, tracker, open_path=Path, price_per_part=None)
    return Path(plan.page_path)


def test_report_is_readable(browser, report, request):
    """The page shows its figures, asks for nothing, and needs no scrolling sideways on a phone."""
    words = read_words(request.node.callspec.params["report"])
    browser.errors()
    browser.requested_urls()
    browser.get(report.as_uri())

    browser.wait_for("h1", words["title"])
    assert "90.0 %" in browser.text()
    assert browser.read("section", words["undelivered"]).count(words["UNDELIVERABLE"]) == 1
    assert browser.value("document.querySelector('polyline').getBoundingClientRect().height") > 50
    light = browser.value("getComputedStyle(document.body).backgroundColor")

    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", NARROW)
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    assert browser.value("document.documentElement.scrollWidth") <= NARROW["width"]
    assert browser.value("getComputedStyle(document.body).backgroundColor") != light
    assert browser.errors() == []
    assert browser.requested_urls() == [report.as_uri()]

    browser.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {**NARROW, "width": 1280, "mobile": False}
    )
    browser.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "light"}]}
    )
