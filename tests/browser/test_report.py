"""The delivery report in a real browser, wide and light, narrow and dark."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

pytest.importorskip("selenium", reason="selenium is in the environment of the newest Airflow only")

from airflow_provider_osonsms.delivery.criteria import Decision, DeliveryCriteria
from airflow_provider_osonsms.delivery.report.plan import ReportPlan
from airflow_provider_osonsms.delivery.report.translations import Language, read_words
from airflow_provider_osonsms.delivery.report.verdict import Ending
from airflow_provider_osonsms.delivery.report.write import write_report
from airflow_provider_osonsms.delivery.tracker import DeliveryTracker
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus
from airflow_provider_osonsms.tables.msg_ids import MsgIds
from airflow_provider_osonsms.tables.results import ResultsTable

WIDE = {"width": 1280, "height": 860, "deviceScaleFactor": 1, "mobile": False}
TITLE = "Ба қарздорони моҳи ноябр (Хуҷанд)"
CUT_OFF = """[...document.querySelectorAll("main *")].filter((one) => {
    const box = one.getBoundingClientRect();
    return box.right > window.innerWidth || (one.clientWidth && one.scrollWidth > one.clientWidth + 1);
}).map((one) => one.outerHTML.slice(0, 80))"""
"""The elements that stand out of the window, or whose text stands out of them."""
NARROW = {"width": 320, "height": 900, "deviceScaleFactor": 1, "mobile": True}


class Answers:
    """Has delivered all messages but a tenth."""

    def build_query(self, msg_id):
        """Let the msg_id stand for the question."""
        return msg_id

    async def ask(self, msg_id):
        """Answer."""
        return DeliveryStatus.UNDELIVERABLE if msg_id.endswith("9") else DeliveryStatus.DELIVERED


@pytest.fixture(params=list(Language))
def report(request, tmp_path):
    """A report in each language, with all that is long."""
    tracker = DeliveryTracker(
        MsgIds([f"{10**18 + number}" for number in range(400)]),
        criteria=DeliveryCriteria(min_delivered=0.95),
    )
    asyncio.run(tracker.poll(Answers()))
    table = tmp_path / "sent.csv"
    table.write_text(
        "row,key,phone,outcome,reason,txn_id,msg_id,parts\n"
        + "".join(
            f"{number},,992900000{number:03},rejected,{reason},,,\n"
            for number, reason in enumerate(["several_numbers", "missing_value"])
        )
        + "".join(
            f"{number},k{number},992900000{number:03},accepted,,,{10**18 + number},9\n"
            for number in range(400)
        ),
        encoding="utf-8",
    )
    plan = ReportPlan(
        path=str(tmp_path / "report.html"),
        language=request.param,
        title=TITLE,
        tables=(ResultsTable(path=str(table)),),
        task="a_rather_long_name_of_a_dag · scheduled__2026-11-23T04:00:00+00:00 · wait_for_delivery",
        campaigns=("a_rather_long_name_of_a_dag/scheduled__2026-11-23T04:00:00+00:00/campaign",),
    )
    ending = Ending(Decision.FAIL, tracker.began + 60)
    write_report(plan, tracker, open_path=Path, price_per_part=Decimal(1000), ending=ending)
    return Path(plan.page_path)


def test_report_is_readable(browser, report, request):
    """The page shows its figures, asks for nothing, and needs no scrolling sideways on a phone."""
    language = request.node.callspec.params["report"]
    words = read_words(language)
    browser.errors()
    browser.requested_urls()
    browser.get(report.as_uri())

    browser.wait_for("h1", TITLE)
    assert browser.value("document.title") == TITLE
    assert words["verdict_not_reached"] in browser.read(".verdict")
    share = "90.0%" if language == "en" else "90,0\N{NO-BREAK SPACE}%"
    assert share in browser.read(".verdict")
    undelivered = browser.read("section", words["undelivered"])
    assert undelivered.count(words["UNDELIVERABLE"]) == 10
    assert words["of"].format(count=10, total=40) in undelivered
    assert words["all_in"].format(table="report.csv") in undelivered
    assert browser.read_all(".base")
    assert browser.value("document.querySelector('polyline').getBoundingClientRect().height") > 50
    light = browser.value("getComputedStyle(document.body).backgroundColor")

    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", NARROW)
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    assert browser.value("document.documentElement.scrollWidth") <= NARROW["width"]
    assert browser.value(CUT_OFF) == []
    assert browser.value("getComputedStyle(document.body).backgroundColor") != light
    assert browser.errors() == []
    assert browser.requested_urls() == [report.as_uri()]

    browser.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {**NARROW, "width": 1280, "mobile": False}
    )
    browser.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "light"}]}
    )
