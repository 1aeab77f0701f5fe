"""The report: a table for machines and a page for people."""

import asyncio
import csv
import json
import re
from dataclasses import asdict, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_provider_osonsms.delivery.criteria import Decision, DeliveryCriteria
from airflow_provider_osonsms.delivery.report.collect import ReportCollector
from airflow_provider_osonsms.delivery.report.html import make_funnel
from airflow_provider_osonsms.delivery.report.numbers import read_format
from airflow_provider_osonsms.delivery.report.plan import ReportPlan, WrittenFiles, read_plan
from airflow_provider_osonsms.delivery.report.translations import Language, read_words
from airflow_provider_osonsms.delivery.report.verdict import Ending
from airflow_provider_osonsms.delivery.report.write import try_to_write_report, write_report
from airflow_provider_osonsms.delivery.tracker import DeliveryTracker
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus
from airflow_provider_osonsms.tables.msg_ids import MsgIds
from airflow_provider_osonsms.tables.results import ResultsTable

BEGAN = 1_795_500_000.0
LATE = Ending(Decision.TIME_OUT, BEGAN + 60)
RESULTS = """row,key,phone,outcome,reason,txn_id,msg_id,parts
0,<b>a</b>,992900000001,accepted,,0a,71,1
1,b,992900000002,accepted_untracked,answer_lost,0b,,
2,,9929\u2022\u2022\u2022,rejected,short,,,
3,c,992900000003,accepted,,0c,72,2
"""


class Answers:
    """Answers every question with the same status."""

    def __init__(self, **statuses):
        self.statuses = statuses

    def build_query(self, msg_id):
        """Let the msg_id stand for the question."""
        return msg_id

    async def ask(self, msg_id):
        """Answer."""
        return DeliveryStatus[self.statuses[f"m{msg_id}"]]


@pytest.fixture
def tracker():
    """A watch at its end: one delivered after a minute, one undeliverable at once, one still on its way."""
    now = [BEGAN]
    tracker = DeliveryTracker(MsgIds(["71", "72", "73"]), untracked=1, clock=lambda: now[0])
    asyncio.run(tracker.poll(Answers(m71="ENROUTE", m72="UNDELIVERABLE", m73="ENROUTE")))
    now[0] += 60
    asyncio.run(tracker.poll(Answers(m71="DELIVERED", m73="ACCEPTED")))
    return tracker


@pytest.fixture
def plan(tmp_path):
    """A plan for a folder, with the table of the campaign."""
    table = tmp_path / "results.csv"
    table.write_text(RESULTS, encoding="utf-8")
    return ReportPlan(
        path=str(tmp_path / "report"),
        tables=(ResultsTable(path=str(table)),),
        task="shop · run · wait",
        campaigns=("c-1",),
    )


def test_table_has_every_message(plan, tracker):
    """Messages of the table come with key and phone, those of no table after them, rejected rows not."""
    write_report(plan, tracker, open_path=Path, price_per_part=None, ending=LATE)

    with Path(plan.table_path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    first, last = "2026-11-24T06:00:00+00:00", "2026-11-24T06:01:00+00:00"
    assert rows == [
        ["key", "phone", "msg_id", "status", "first_seen", "last_seen", "polls"],
        ["<b>a</b>", "992900000001", "71", "DELIVERED", first, last, "2"],
        ["b", "992900000002", "", "", "", "", "0"],
        ["c", "992900000003", "72", "UNDELIVERABLE", first, first, "1"],
        ["", "", "73", "ACCEPTED", first, last, "2"],
    ]


@pytest.mark.parametrize("language", list(Language))
def test_page_stands_alone(plan, tracker, language):
    """The page has captions in its language, figures and masked phones, and asks for nothing else."""
    plan = ReportPlan(**{**{name: getattr(plan, name) for name in plan.__slots__}, "language": language})
    write_report(plan, tracker, open_path=Path, price_per_part=Decimal("0.10"), ending=LATE)

    page = Path(plan.page_path).read_text(encoding="utf-8")
    assert read_words(language)["title"] in page
    assert "c-1" in page
    assert read_format(language).print_number(Decimal("0.3"), 2) in page
    assert "992•••••003" in page
    assert not re.search(r"9929\d{8}|https?:|src=|@import|url\(", page)


def test_captions_are_complete():
    """Every caption exists in every language, and differs between them."""
    words = [read_words(language) for language in Language]

    assert all(all(caption.values()) for caption in words)
    assert len({caption["delivered"] for caption in words}) == len(words)


@pytest.mark.parametrize(
    ("path", "table", "page"),
    [
        ("/a/b.csv", "/a/b.csv", None),
        ("/a/b.parquet", "/a/b.parquet", None),
        ("/a/b.html", "/a/b.csv", "/a/b.html"),
        ("s3://bucket/a/", "s3://bucket/a/delivery.csv", "s3://bucket/a/delivery.html"),
    ],
)
def test_places(path, table, page):
    """The suffix says what is written, and where."""
    plan = ReportPlan(path=path)

    assert (plan.table_path, plan.page_path) == (table, page)


@pytest.mark.parametrize("fields", [{"path": " "}, {"path": None, "undelivered_path": " "}])
def test_wrong_plans(fields):
    """An empty path is refused before the wait."""
    with pytest.raises(InvalidMessageError, match="_path"):
        ReportPlan(**fields)


def test_plan_travels_as_json(plan):
    """What is stored for a trigger makes the same plan."""
    assert read_plan(json.loads(json.dumps(asdict(plan)))) == plan


def test_failed_report_is_told(tmp_path, plan, tracker):
    """A report that cannot be written fails nothing; what was wrong is said without the path."""
    (tmp_path / "report").write_text("a file where the folder should be")
    words = try_to_write_report(plan, tracker, open_path=Path, price_per_part=None, ending=LATE).problem
    Path(plan.tables[0].path).unlink()
    (tmp_path / "report").unlink()

    def fail(path):
        raise LookupError(path)

    other = try_to_write_report(plan, tracker, open_path=fail, price_per_part=None, ending=LATE)
    assert other == WrittenFiles({}, "the report could not be written to its path (LookupError)")
    assert "could not be written to its path" in words
    assert (
        "results_path"
        in try_to_write_report(plan, tracker, open_path=Path, price_per_part=None, ending=LATE).problem
    )
    assert str(tmp_path) not in words


def test_table_as_parquet(tmp_path, plan, tracker):
    """The table may be Parquet, where pyarrow is there."""
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "report.parquet"
    rest = tmp_path / "undelivered.parquet"
    plan = ReportPlan(path=str(path), undelivered_path=str(rest), tables=plan.tables)
    write_report(plan, tracker, open_path=Path, price_per_part=None, ending=LATE)

    assert parquet.read_table(rest).to_pylist() == [
        {
            "key": "c",
            "phone": "992900000003",
            "status": "UNDELIVERABLE",
            "reach": "not_reached",
            "key_column": None,
        }
    ]
    rows = parquet.read_table(path).to_pylist()
    assert [row["msg_id"] for row in rows] == ["71", None, "72", "73"]
    assert rows[0]["polls"] == 2


def test_the_funnel_counts_one_set_of_messages(plan, tracker):
    """Audience and recipients are shown where the tables hold every message, and not beside others."""
    collector = ReportCollector(tracker, tables=plan.tables, open_path=Path)
    list(collector.read_rows())
    summary = tracker.summarize()

    assert [name for name, _, _ in make_funnel(collector.figures, summary)] == ["accepted", "delivered"]
    steps = make_funnel(collector.figures, replace(summary, total=3))
    assert {name: count for name, count, _ in steps} == {
        "audience": 4,
        "recipients": 3,
        "accepted": 3,
        "delivered": 1,
    }


def test_the_failed_come_first():
    """Messages that have failed are shown before those that may still arrive."""
    tracker = DeliveryTracker(MsgIds([str(100 + number) for number in range(30)]))
    asyncio.run(
        tracker.poll(Answers(**{f"m{100 + n}": "EXPIRED" if n > 27 else "ENROUTE" for n in range(30)}))
    )
    collector = ReportCollector(tracker, tables=(), open_path=Path)
    list(collector.read_rows())

    assert [row.status for row in collector.figures.undelivered] == ["EXPIRED"] * 2 + ["ENROUTE"] * 8


@pytest.mark.parametrize(("is_enough", "kind"), [(True, ""), (False, "wait")])
def test_the_page_judges_as_the_wait_does(tmp_path, is_enough, kind):
    """ACCEPTED is shown as delivered where the wait takes it for that, and as under way elsewhere."""
    tracker = DeliveryTracker(MsgIds(["71"]), criteria=DeliveryCriteria(accepted_is_delivered=is_enough))
    asyncio.run(tracker.poll(Answers(m71="ACCEPTED")))
    path = tmp_path / "page.html"

    write_report(ReportPlan(path=str(path)), tracker, open_path=Path, price_per_part=None, ending=LATE)

    _, _, statuses = path.read_text(encoding="utf-8").partition(read_words(Language.ENGLISH)["ACCEPTED"])
    assert re.search(r'class="track"><div class="(\w*)"', statuses)[1] == kind


@pytest.mark.parametrize(
    ("accepted_at", "seconds"),
    [
        (datetime.fromtimestamp(BEGAN - 3600, UTC).isoformat(), 3660),
        (datetime.fromtimestamp(BEGAN + 50, UTC).isoformat(), 10),
        (datetime.fromtimestamp(BEGAN + 90, UTC).isoformat(), 0),
        ("", 60),
        ("yesterday", 60),
    ],
    ids=["before the wait", "during the wait", "after the delivery", "unknown", "edited"],
)
def test_the_slowest_are_measured_from_their_acceptance(plan, tracker, *, accepted_at, seconds):
    """A delivery takes from accepted_at to its status; from the first question where that is unknown."""
    path = Path(plan.tables[0].path)
    header, first, *others = RESULTS.splitlines()
    rows = [f"{header},accepted_at,try", f"{first},{accepted_at},1", *(f"{row},," for row in others)]
    path.write_text("\n".join(rows), encoding="utf-8")
    collector = ReportCollector(tracker, tables=plan.tables, open_path=Path)

    list(collector.read_rows())

    (slowest,) = collector.figures.slowest
    assert (slowest.msg_id, slowest.seconds) == ("71", seconds)
    assert list(collector.figures.delivered_after) == [seconds]


def write_results(path, rows, *, key_column=None):
    """Write the table of a campaign: rows of key, last digits of the phone, outcome, reason and msg_id."""
    lines = [RESULTS.splitlines()[0]]
    lines += [
        f"{place},{key},9929000000{phone},{outcome},{reason},0{place},{msg_id},1"
        for place, (key, phone, outcome, reason, msg_id) in enumerate(rows)
    ]
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return ResultsTable(path=str(path), key_column=key_column)


def list_undelivered(tables, *, include_unknown=False, **statuses):
    """List who was not reached, after each msg_id was answered by its status three times, long after."""
    now = [BEGAN]
    msg_ids = MsgIds([msg_id[1:] for msg_id in statuses])
    tracker = DeliveryTracker(msg_ids, accepted=BEGAN - 3600, clock=lambda: now[0])
    for _ in range(3):
        asyncio.run(tracker.poll(Answers(**statuses)))
    collector = ReportCollector(tracker, tables=tables, open_path=Path)
    rows = collector.read_undelivered(include_unknown=include_unknown)
    return [(row.key, row.phone[-2:], row.status, row.reach) for row in rows]


SENT = [
    ("a", "01", "accepted", "", "1"),
    ("b", "02", "accepted", "", "2"),
    ("c", "03", "accepted", "", "3"),
    ("d", "04", "accepted", "", "4"),
    ("e", "05", "accepted", "", "5"),
    ("f", "06", "accepted_untracked", "answer_lost", ""),
    ("g", "07", "uncertain", "key_taken", ""),
    ("h", "08", "pending", "not_attempted", ""),
    ("i", "09", "pending", "refused_for_now", ""),
    ("j", "10", "refused", "account_refused", ""),
    ("k", "11", "rejected", "short", ""),
    ("l", "12", "capped", "capped", ""),
]
ANSWERED = {"m1": "DELIVERED", "m2": "EXPIRED", "m3": "NOT_FOUND", "m4": "UNRECOGNIZED", "m5": "UNKNOWN"}


def test_the_list_has_who_was_surely_not_reached(tmp_path):
    """By default it holds failed messages, and those that were surely never sent."""
    table = write_results(tmp_path / "a.csv", SENT)

    assert list_undelivered((table,), **ANSWERED) == [
        ("b", "02", "EXPIRED", "not_reached"),
        ("h", "08", "not_attempted", "not_reached"),
        ("j", "10", "account_refused", "not_reached"),
    ]


def test_the_list_may_have_who_is_not_known(tmp_path):
    """By choice it names the others, too, each with what is known; the reached are never there."""
    table = write_results(tmp_path / "a.csv", SENT)

    listed = list_undelivered((table,), include_unknown=True, **ANSWERED)

    assert {key: reach for key, _, _, reach in listed} == {
        "b": "not_reached",
        "c": "not_known",
        "d": "on_its_way",
        "e": "not_known",
        "f": "not_known",
        "g": "not_known",
        "h": "not_reached",
        "i": "not_known",
        "j": "not_reached",
    }


@pytest.mark.parametrize(
    ("other", "listed"),
    [
        ("DELIVERED", []),
        ("ENROUTE", []),
        ("NOT_FOUND", []),
        ("EXPIRED", [("a", "01", "EXPIRED", "not_reached")]),
    ],
)
def test_somebody_in_two_campaigns_is_listed_once_and_only_if_no_message_may_arrive(tmp_path, other, listed):
    """Two messages went to one person: one that may have arrived is enough."""
    rest = [("b", "02", "accepted", "", "3"), ("c", "03", "accepted", "", "4")]
    tables = tuple(
        write_results(tmp_path / f"{msg_id}.csv", [("a", "01", "accepted", "", msg_id), *rest])
        for msg_id in "12"
    )
    statuses = {"m1": "EXPIRED", "m2": other, "m3": "DELIVERED", "m4": "DELIVERED"}

    assert list_undelivered(tables, **statuses) == listed
    assert list_undelivered(tables[::-1], **statuses) == listed


@pytest.mark.parametrize("include_unknown", [True, False])
def test_a_campaign_of_another_account_is_in_no_list(tmp_path, include_unknown):
    """Ten of a hundred messages are unknown, and they are the whole of one campaign: nobody is listed."""
    ours = [(f"k{n}", f"{n:02}", "accepted", "", str(n)) for n in range(10, 100)]
    others = [(f"k{n}", f"{n:02}", "accepted", "", str(n)) for n in range(100, 110)]
    tables = (write_results(tmp_path / "a.csv", ours), write_results(tmp_path / "b.csv", others))
    statuses = {f"m{n}": "DELIVERED" if n < 100 else "NOT_FOUND" for n in range(10, 110)}

    with pytest.raises(InvalidMessageError, match="does not know 10 of the 10 messages of one campaign"):
        list_undelivered(tables, include_unknown=include_unknown, **statuses)


@pytest.mark.parametrize(
    ("phone", "key_column"), [("02", "order"), ("01", "invoice"), ("02", "invoice")], ids=str
)
def test_a_key_of_somebody_else_is_another_person(tmp_path, phone, key_column):
    """Order 1 was delivered and invoice 1 was not: that is somebody else, and is listed."""
    orders = write_results(tmp_path / "o.csv", [("1", "01", "accepted", "", "1")], key_column="order")
    others = write_results(tmp_path / "i.csv", [("1", phone, "accepted", "", "2")], key_column=key_column)

    listed = list_undelivered((orders, others), m1="DELIVERED", m2="EXPIRED")

    assert listed == [("1", phone, "EXPIRED", "not_reached")]
