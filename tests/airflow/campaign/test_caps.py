"""At most one message of a category to a person in a period, over all DAGs; asserted on the ledger."""

import csv
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from airflow.sdk import DAG

from airflow_provider_osonsms.campaign.journal import CampaignJournal
from airflow_provider_osonsms.campaign.run import CampaignRun
from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator
from airflow_provider_osonsms.simulator import Fault
from airflow_provider_osonsms.transport.asynchronous import AiohttpTransport

CAP = {"once_per": "week", "category": "marketing"}
SUNDAY = datetime(2026, 11, 29, 18, 58, tzinfo=UTC)
"""23:58 in Dushanbe."""
MONDAY = SUNDAY + timedelta(minutes=3)


WRITINGS = (
    (CampaignRun, "write_results"),
    (CampaignJournal, "finish"),
    (CampaignJournal, "flush"),
    (CampaignJournal, "mark_next"),
)


class ProcessDied(BaseException):
    """The process is dead."""


@pytest.fixture
def make_dag_campaign(make_people, monkeypatch):
    """Make a campaign of a DAG of its own, with a cap; the run is due when it is made for the first time."""
    due = {}
    monkeypatch.setattr(
        "airflow_provider_osonsms.operators.capped.find_due", lambda context: due[context["ti"].dag_id]
    )

    def make(dag_id, people=10, *, now=SUNDAY, **options):
        people = make_people(people) if isinstance(people, int) else people
        defaults = {"task_id": "campaign", "message": "Салом, {name}!", "retries": 5, "concurrency": 4}
        campaign = OsonSmsCampaignOperator(recipients=people, **{**defaults, **CAP, **options})
        campaign.dag = DAG(dag_id, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
        campaign._clock = lambda: now
        due.setdefault(dag_id, now)
        return campaign

    return make


@pytest.fixture
def kill(monkeypatch, run_task):
    """Run a try whose process dies after so many requests, the last of them accepted."""

    def run(campaign, *, after, **options):
        exchange, calls = AiohttpTransport.exchange, []

        async def answer_or_die(self, prepared):
            answer = await exchange(self, prepared)
            calls.append(prepared)
            if len(calls) > after:
                raise ProcessDied
            return answer

        def live(method):
            def do(*args, **how):
                if len(calls) > after:
                    raise ProcessDied
                return method(*args, **how)

            return do

        with monkeypatch.context() as patch:
            patch.setattr(AiohttpTransport, "exchange", answer_or_die)
            for kind, name in WRITINGS:  # a dead process writes nothing
                patch.setattr(kind, name, live(getattr(kind, name)))
            with suppress(ProcessDied):  # whether Airflow catches it depends on its version
                run_task(campaign, **options)
        assert len(calls) > after

    return run


def texted(gateway):
    """Count the messages by phone."""
    return Counter(sms.phone for sms in gateway.sent)


def read(path):
    """Read a results table."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def count(rows):
    """Count the rows by outcome."""
    return Counter(row["outcome"] for row in rows)


def test_the_second_campaign_of_a_week_reaches_the_others_only(
    gateway, run_task, make_dag_campaign, make_people, *, tmp_path
):
    """Who has a message of the category is capped, which is named and no error; all others are texted."""
    path = tmp_path / "second.csv"
    run_task(make_dag_campaign("first", make_people(6)))

    result = run_task(
        make_dag_campaign("second", make_people(10), results_path=str(path), max_failed_ratio=0.0)
    )

    assert result.state == "success", result.error
    assert texted(gateway) == {f"99290{row:07}": 1 for row in range(10)}
    assert {name: n for name, n in result.xcom["outcomes"].items() if n} == {"accepted": 4, "capped": 6}
    rows = read(path)
    assert [row["reason"] for row in rows] == ["capped"] * 6 + [""] * 4
    assert {(row["category"], row["campaign"]) for row in rows} == {("marketing", "second/run-1/campaign")}
    before = gateway.requests["send"]
    again = run_task(make_dag_campaign("second", results_path=str(path)), try_number=2)
    assert (again.xcom, gateway.requests["send"]) == (result.xcom, before)


@pytest.mark.parametrize(
    ("other", "sent"),
    [
        ({"category": "marketing"}, 5),
        ({"category": " Marketing "}, 5),
        ({"channel": "telegram"}, 5),
        ({"campaign_id": "spring"}, 5),
        ({"message": "Another text for {name}"}, 5),
        ({"key_column": "name"}, 5),
        ({"category": "orders"}, 10),
        ({"once_per": None}, 10),
        ({"once_per": None, "category": None}, 10),
    ],
    ids=str,
)
def test_what_shares_a_cap(gateway, run_task, make_dag_campaign, *, other, sent):
    """Category, period and phone make a cap, and nothing else: other categories and none are not touched."""
    run_task(make_dag_campaign("first", 5))
    run_task(make_dag_campaign("second", 5, **other))

    assert len(gateway.sent) == sent


@pytest.mark.parametrize(
    ("once_per", "later", "is_new"),
    [
        ("day", timedelta(minutes=1), False),
        ("day", timedelta(minutes=3), True),
        ("week", timedelta(days=-6), False),
        ("week", timedelta(minutes=3), True),
        ("month", timedelta(days=1), False),
        ("month", timedelta(days=2), True),
    ],
)
def test_a_period_is_one_of_the_calendar_in_dushanbe(
    gateway, run_task, make_dag_campaign, *, once_per, later, is_new
):
    """A day ends at midnight in Dushanbe, a week on Sunday, a month on its last day."""
    for name, now in (("first", SUNDAY), ("second", SUNDAY + later)):
        run_task(make_dag_campaign(name, 3, now=now, once_per=once_per))

    assert len(gateway.sent) == (6 if is_new else 3)


@pytest.mark.parametrize("memory", ["store", "table", "both"])
@pytest.mark.parametrize("end", ["killed", "failed"])
def test_a_retry_in_the_next_week_stays_in_its_own(
    gateway, run_task, make_dag_campaign, *, kill, supervisor, tmp_path, memory, end, has_state_store
):
    """A campaign of Sunday night that is retried on Monday texts nobody of its first try again."""
    if memory == "store" and not has_state_store:
        pytest.skip("no state store below Airflow 3.3")
    path = None if memory == "store" else str(tmp_path / "results.csv")
    first = make_dag_campaign("dag", 20, now=SUNDAY, results_path=path)
    if end == "killed":
        kill(first, after=7)
    else:
        gateway.backend.change_account("demo", balance=Decimal("0.70"))
        assert run_task(first).state == "up_for_retry"
        gateway.backend.change_account("demo", balance=Decimal(100))
    assert len(gateway.sent) >= 7
    if memory == "table":
        supervisor.store.clear()

    result = run_task(make_dag_campaign("dag", 20, now=MONDAY, results_path=path), try_number=2)

    assert result.state == "success", result.error
    assert texted(gateway) == {f"99290{row:07}": 1 for row in range(20)}
    later = run_task(make_dag_campaign("other", 20, now=MONDAY))
    assert later.xcom["outcomes"]["accepted"] == 20  # theirs is the new week


def test_a_try_that_sent_nothing_leaves_its_week(gateway, run_task, make_dag_campaign, tmp_path):
    """A campaign that could not send on Sunday is one of the week in which people are texted."""
    path = str(tmp_path / "results.csv")
    gateway.backend.change_account("demo", balance=Decimal(0))
    assert run_task(make_dag_campaign("late", 5, now=SUNDAY, results_path=path)).state == "up_for_retry"
    gateway.backend.change_account("demo", balance=Decimal(100))
    assert run_task(make_dag_campaign("late", 5, now=MONDAY, results_path=path), try_number=2).xcom

    run_task(make_dag_campaign("other", 5, now=MONDAY))

    assert len(gateway.sent) == 5


def test_a_retry_in_another_week_without_any_memory_stops(gateway, run_task, make_dag_campaign, supervisor):
    """Where nothing tells in which week earlier tries have sent, nothing is sent, and the advice is safe."""
    run_task(make_dag_campaign("dag", 5, now=SUNDAY))
    supervisor.store.clear()
    asked = gateway.requests["send"]

    result = run_task(make_dag_campaign("dag", 5, now=MONDAY), try_number=2)

    assert (result.state, gateway.requests["send"]) == ("failed", asked)
    assert "Look in the cabinet" in str(result.error)


def test_a_retry_in_the_same_week_without_any_memory(
    gateway, run_task, make_dag_campaign, *, supervisor, caplog
):
    """Nobody is texted again, and the rows say that nobody can tell: they are accepted, or capped."""
    run_task(make_dag_campaign("dag", 5))
    supervisor.store.clear()

    result = run_task(make_dag_campaign("dag", 5), try_number=2)

    assert (result.state, len(gateway.sent)) == ("success", 5)
    assert result.xcom["outcomes"]["uncertain"] == 5
    assert "5 rows are accepted or capped, nobody can tell" in caplog.text


@pytest.mark.parametrize("fault", [Fault.CUT_AFTER, Fault.CUT_BEFORE, Fault.GARBAGE_AFTER])
def test_a_lost_answer_is_never_called_capped(
    gateway, run_task, make_dag_campaign, *, make_people, tmp_path, fault
):
    """A row that this campaign may have sent is accepted or uncertain; one it surely has not is capped."""
    path = tmp_path / "results.csv"
    run_task(make_dag_campaign("first", make_people(5)))
    gateway.inject(fault, times=10, every=2)

    result = run_task(make_dag_campaign("second", make_people(30), results_path=str(path)))

    assert result.state == "success", result.error
    assert set(texted(gateway).values()) == {1}
    ours = {str(sms.txn_id) for sms in gateway.sent[5:]}
    for row in read(path):
        assert row["outcome"] in {"accepted", "capped", "uncertain"}
        assert row["outcome"] != "accepted" or row["txn_id"] in ours
        assert row["outcome"] != "capped" or row["txn_id"] not in ours
        assert row["outcome"] != "uncertain" or row["reason"] == "lost_or_capped"


def test_after_a_kill_few_rows_are_in_doubt(
    gateway, run_task, make_dag_campaign, *, make_people, kill, tmp_path
):
    """The journal names the rows that may be on their way: all others are capped or accepted, for sure."""
    run_task(make_dag_campaign("first", make_people(100, first=50)))
    path = tmp_path / "results.csv"
    kill(make_dag_campaign("second", make_people(100), results_path=str(path)), after=5)

    result = run_task(make_dag_campaign("second", make_people(100), results_path=str(path)), try_number=2)

    assert result.state == "success", result.error
    assert set(texted(gateway).values()) == {1}
    outcomes = count(read(path))
    assert (outcomes["capped"], outcomes["accepted"] + outcomes["uncertain"]) == (50, 50)
    assert 1 <= outcomes["uncertain"] <= 20


def test_when_everybody_is_capped(gateway, run_task, make_dag_campaign, *, tmp_path):
    """Nobody is left to text, as in an empty audience: on_empty decides, and the table names them all."""
    path = tmp_path / "{}.csv"
    run_task(make_dag_campaign("first", 5))

    states = {}
    for choice in ("skip", "success", "fail"):
        own = str(path).format(choice)
        campaign = make_dag_campaign(choice, 5, on_empty=choice, results_path=own)
        states[choice] = run_task(campaign).state
        assert count(read(tmp_path / f"{choice}.csv")) == {"capped": 5}

    assert states == {"skip": "skipped", "success": "success", "fail": "failed"}
    assert len(gateway.sent) == 5


def test_several_rows_of_one_phone(gateway, run_task, make_dag_campaign, tmp_path):
    """Of the rows of one phone the first is texted; the others are rejected as capped, in plain sight."""
    path = tmp_path / "results.csv"
    rows = [{"phone": f"99290000010{row % 2}", "name": f"N{row}"} for row in range(5)]

    result = run_task(make_dag_campaign("dag", rows, key_column="name", results_path=str(path)))

    assert sorted(sms.text for sms in gateway.sent) == ["Салом, N0!", "Салом, N1!"]
    assert result.xcom["rejected"] == {"capped": 3}
    assert [row["outcome"] for row in read(path)] == ["accepted"] * 2 + ["rejected"] * 3


@pytest.mark.parametrize(
    "change",
    [{"category": "news"}, {"once_per": "month"}, {"once_per": None, "category": None}],
    ids=str,
)
@pytest.mark.parametrize("memory", ["store", "table", "parts"])
def test_a_cap_that_is_changed_after_it_has_sent(
    gateway, run_task, make_dag_campaign, *, kill, supervisor, tmp_path, change, memory, has_state_store
):
    """Another cap makes other txn_ids, so the same people would be texted again: refused, and restored."""
    if memory == "store" and not has_state_store:
        pytest.skip("no state store below Airflow 3.3")
    path = None if memory == "store" else str(tmp_path / "results.csv")
    first = make_dag_campaign("dag", 10, results_path=path)
    if memory == "parts":
        kill(first, after=5)
    else:
        run_task(first)
    if memory != "store":
        supervisor.store.clear()
    before = len(gateway.sent)

    refused = run_task(make_dag_campaign("dag", 10, results_path=path, **change), try_number=2)

    assert (refused.state, len(gateway.sent)) == ("failed", before)
    assert "category or once_per" in str(refused.error).replace("\n", " ")
    assert run_task(make_dag_campaign("dag", 10, results_path=path), try_number=3).state == "success"
    assert texted(gateway) == {f"99290{row:07}": 1 for row in range(10)}


def test_another_campaign_with_the_same_cap_has_a_table_of_its_own(
    gateway, run_task, make_dag_campaign, tmp_path
):
    """Two campaigns make the same txn_ids: the table says whose it is, and is not taken for one's own."""
    path = str(tmp_path / "results.csv")
    run_task(make_dag_campaign("first", 5, results_path=path))

    result = run_task(make_dag_campaign("second", 5, results_path=path))

    assert result.state == "failed"
    assert "the table of another campaign" in str(result.error)
    assert len(gateway.sent) == 5


def test_five_campaigns_at_once(gateway, run_task, make_dag_campaign, *, make_people, kill, tmp_path):
    """Five DAGs over overlapping audiences, with kills and lost answers: one text each, true tables."""
    audiences = {f"dag{number}": make_people(40, first=20 * number) for number in range(5)}
    tables = {name: tmp_path / f"{name}.csv" for name in audiences}

    def make(name, **options):
        text = f"{name}: Салом!"
        return make_dag_campaign(
            name, audiences[name], message=text, results_path=str(tables[name]), **options
        )

    for place, name in enumerate(audiences):
        gateway.inject(Fault.CUT_AFTER, times=3, every=4)
        kill(make(name), after=10 + 3 * place)  # each is begun, and dies, before the next
    for try_number in (2, 3):
        for name in audiences:
            result = run_task(make(name), try_number=try_number)
    gateway.clear_faults()
    for name in audiences:
        result = run_task(make(name), try_number=4)
        assert result.state == "success", result.error

    everybody = {f"99290{row:07}" for row in range(120)}
    assert texted(gateway) == dict.fromkeys(everybody, 1)
    sender = {sms.phone: sms.text.partition(":")[0] for sms in gateway.sent}
    outcomes = Counter()
    for name, path in tables.items():
        for row in read(path):
            is_ours = sender[row["phone"]] == name
            assert row["outcome"] == "uncertain" or (row["outcome"] == "accepted") is is_ours
            outcomes[row["outcome"]] += 1
    assert set(outcomes) == {"accepted", "capped", "uncertain"}
    news = make_dag_campaign("news", audiences["dag0"], category="news")
    assert run_task(news).xcom["outcomes"]["accepted"] == 40


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"category": None}, "need a category"),
        ({"category": "my news"}, "category must be a name of Latin letters"),
        ({"category": "маркетинг"}, "category must be a name of Latin letters"),
        ({"once_per": "year"}, "once_per must be one of day, week, month"),
    ],
    ids=str,
)
def test_a_cap_that_is_no_cap_breaks_the_dag(make_dag_campaign, options, words):
    """A cap without a category, or with a name that could be two, is refused when the DAG is parsed."""
    with pytest.raises(ValueError, match=words):
        make_dag_campaign("dag", 1, **options)
