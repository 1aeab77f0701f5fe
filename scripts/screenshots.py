"""``python scripts/screenshots.py``: pictures of the simulator and the delivery report, in ``docs/images``.

Needs Chromium and its driver, as ``tests/browser`` does.
"""

import asyncio
import random
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

from airflow_provider_osonsms.client.blocking import OsonSmsClient, open_client
from airflow_provider_osonsms.delivery.criteria import Decision, DeliveryCriteria
from airflow_provider_osonsms.delivery.polling import PollSettings
from airflow_provider_osonsms.delivery.report.plan import ReportPlan
from airflow_provider_osonsms.delivery.report.verdict import Ending
from airflow_provider_osonsms.delivery.report.write import write_report
from airflow_provider_osonsms.delivery.tracker import DeliveryTracker
from airflow_provider_osonsms.protocol.errors import OsonSmsError
from airflow_provider_osonsms.protocol.models import Account, BulkJob, Message
from airflow_provider_osonsms.protocol.txn_ids import make_txn_id
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus
from airflow_provider_osonsms.simulator import SimulatedGateway
from airflow_provider_osonsms.tables.msg_ids import MsgIds
from airflow_provider_osonsms.tables.results import ResultsTable

COLUMNS = ("row", "key", "phone", "outcome", "reason", "txn_id", "msg_id", "parts")
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from chromium import open_browser  # noqa: E402 - beside the tests that share it

SCENE = (
    ("992900000101", "Салом, Зарина! Фармоиши шумо омода аст. Нишонӣ: к. Рӯдакӣ 12.", {}),
    ("992900000102", "Уважаемый Фаррух, заказ № 4512 передан курьеру. Ждите сегодня с 14:00 до 16:00.", {}),
    ("992900000193", "Салом, Парвина! Тахфиф 20% танҳо имрӯз.", {}),
    ("992900000103", "Your code is 482913", {"is_confidential": True}),
    ("992900000101", "Зарина, фармоиш дар роҳ аст 🚚", {"channel": "telegram"}),
    ("992900000197", "Салом, Далер! Қарзи шумо 1250.00 сомонӣ. Лутфан то 30.11 пардохт кунед.", {}),
)


def play(gateway: SimulatedGateway) -> None:
    """Let a shop send what a shop sends, and make the mistakes that shops make."""
    account = Account(login="shop", secret="shop-salt", api_url=gateway.url, bulk_url=gateway.url)
    with open_client(account) as client:
        for number, (phone, text, options) in enumerate(SCENE):
            key = make_txn_id("scene", number)
            client.send(Message(phone=phone, text=text, sender="SHOP", txn_id=key, **options))
            gateway.advance(2)
        client.create_bulk(
            BulkJob(
                csv=b"".join(b"9929000002%02d\n" % number for number in range(34)),
                text="Танҳо имрӯз: тахфиф 20% ба ҳамаи молҳо!",
                sender="SHOP",
                txn_id=make_txn_id("bulk", 1),
                send_at=gateway.backend.now().replace(hour=20, minute=0, second=0, microsecond=0),
            )
        )
        make_mistakes(client, account, gateway)


def make_mistakes(client: OsonSmsClient, account: Account, gateway: SimulatedGateway) -> None:
    """Be refused in a few ways."""
    first = Message(phone="992900000101", text="Салом", sender="SHOP", txn_id=make_txn_id("scene", 0))
    wrong = Account(login="shop", secret="another-salt", api_url=gateway.url)
    with open_client(wrong) as stranger:
        for who, message in (
            (client, first),
            (client, Message(phone="992900000101", text="Салом", sender="BANK", txn_id="b-1")),
            (stranger, first),
        ):
            try:
                who.send(message)
            except OsonSmsError:
                continue
    gateway.backend.balance({"login": account.login, "txn_id": "n-1", "str_hash": account.secret})


def write_example_report(folder: Path) -> Path:
    """Write the report of a campaign of 3,000 invented people, delivered within some minutes."""
    source, began = random.Random(1), 1_795_500_000.0
    rows, arrivals = [",".join(COLUMNS)], {}
    for row in range(3000):
        fate = source.random()
        head = f"{row},k{row},9929{row:08}"
        if fate < 0.04:
            reason = source.choice(["duplicate", "duplicate", "suppressed", "too_short", "lost_digits"])
            rows.append(f"{row},,992•••••{row % 1000:03},rejected,{reason},,,")
        elif fate < 0.045:
            rows.append(f"{head},accepted_untracked,answer_lost,{row},,")
        else:
            msg_id = str(163_000_000 + row)
            status = (
                "DELIVERED"
                if source.random() < 0.95
                else source.choice(["UNDELIVERABLE", "EXPIRED", "REJECTED"])
            )
            arrivals[msg_id] = (source.lognormvariate(4, 1), DeliveryStatus[status])
            rows.append(f"{head},accepted,,{row},{msg_id},{source.choice([1, 1, 2])}")
    table = folder / "sent.csv"
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    now = [began]

    class Gateway:
        """Answers as the time of the picture goes on."""

        async def query_status(self, msg_id: str) -> DeliveryStatus:
            """Tell where a message is."""
            after, status = arrivals[msg_id]
            return status if now[0] >= began + after else DeliveryStatus.ENROUTE

    untracked = sum("answer_lost" in row for row in rows)
    tracker = DeliveryTracker(
        MsgIds(arrivals),
        untracked=untracked,
        criteria=DeliveryCriteria(min_delivered=0.95),
        clock=lambda: now[0],
    )
    while now[0] < began + 600:
        now[0] += PollSettings().plan_pause(now[0] - began)
        asyncio.run(tracker.poll(Gateway()))
    name = "remind_debtors · scheduled__2026-11-23T04:00:00+00:00"
    plan = ReportPlan(
        path=str(folder / "report.html"),
        title="Reminder to debtors, November",
        tables=(ResultsTable(path=str(table)),),
        task=f"{name} · wait",
    )
    write_report(
        plan,
        tracker,
        open_path=Path,
        price_per_part=Decimal("0.12"),
        ending=Ending(Decision.TIME_OUT, began + 600),
        clock=lambda: now[0],
    )
    return folder / "report.html"


def take_report_pictures(folder: Path) -> None:
    """Take pictures of the delivery report."""
    with tempfile.TemporaryDirectory() as scratch:
        page = write_example_report(Path(scratch))
        for name, size, scheme in (
            ("report-light", (1280, 1180), "light"),
            ("report-dark", (1280, 1180), "dark"),
            ("report-phone", (390, 1500), "light"),
        ):
            with open_browser(size=size, scheme=scheme) as browser:
                browser.get(page.as_uri())
                browser.wait_for("h1")
                browser.save(folder / f"{name}.png")
                print(folder / f"{name}.png")


def main() -> int:
    """Take the pictures."""
    folder = ROOT / "docs" / "images"
    folder.mkdir(exist_ok=True)
    take_report_pictures(folder)
    with SimulatedGateway(
        login="shop", secret="shop-salt", balance=Decimal("98.40"), enroute_seconds=1, accepted_seconds=2
    ) as gateway:
        play(gateway)
        for name, size, scheme, tab in (
            ("inbox-light", (1280, 860), "light", "messages"),
            ("inbox-dark", (1280, 860), "dark", "messages"),
            ("refused", (1280, 640), "light", "refusals"),
            ("inbox-phone", (390, 844), "light", "messages"),
        ):
            with open_browser(size=size, scheme=scheme) as browser:
                browser.get(gateway.url)
                browser.wait_for("#inbox article")
                browser.click(f"#tab-{tab}")
                browser.save(folder / f"{name}.png")
                print(folder / f"{name}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
