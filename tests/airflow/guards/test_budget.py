"""The budget: what the tables and receipts of a folder say was spent in this period is not spent again."""

import csv
import os
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product

import pytest
from airflow.sdk import ObjectStoragePath

from airflow_provider_osonsms.campaign.run import CampaignRun
from airflow_provider_osonsms.simulator import Fault
from airflow_provider_osonsms.spending import folder as spending

COSTS = {"send": 1, "campaign": 3, "bulk": 3}
"""Parts of ten dirams."""
HEADER = ["row", "key", "phone", "outcome", "reason", "txn_id", "msg_id", "parts", "accepted_at", "try"]


def write_results(path, *rows):
    """Write a results table with outcome, reason, parts and time of each row."""
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(HEADER)
        for number, (outcome, reason, parts, accepted_at) in enumerate(rows, start=1):
            phone = f"99291{number:07}"
            table.writerow(
                [number, phone, phone, outcome, reason, f"t{number}", number, parts, accepted_at, 1]
            )


def print_time(*, days=0):
    """Return the time of some days ago as tables have it."""
    return (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds")


@pytest.fixture
def make(make_task, budget_folder):
    """Make an operator with a budget in its folder."""

    def make(kind, parts, *, period="day", **options):
        return make_task(kind, budget=f"{parts / 10}/{period}", budget_path=str(budget_folder), **options)

    return make


@pytest.mark.parametrize(("first", "second"), list(product(COSTS, COSTS)))
def test_tasks_share_a_budget(run_task, make, texted, *, first, second):
    """What one operator has spent counts for every other: a part too many sends nothing."""
    both = COSTS[first] + COSTS[second]
    assert run_task(make(first, both, task_id="first")).state == "success"

    stopped = run_task(make(second, both - 1, task_id="second"))

    assert (stopped.state, len(texted())) == ("failed", COSTS[first])
    assert f"This try sent nothing: the estimated cost is {COSTS[second] / 10:.2f} somoni" in str(
        stopped.error
    )
    assert f"of the budget {(both - 1) / 10}/day {COSTS[first] / 10:.2f} are spent since" in str(
        stopped.error
    )
    assert run_task(make(second, both, task_id="third")).state == "success"
    assert len(texted()) == both


@pytest.mark.parametrize("kind", ["preview", "dry send", "dry campaign", "dry bulk"])
def test_looking_writes_nothing(run_task, make, texted, budget_folder, *, kind):
    """A preview and a dry run check the budget, and leave nothing in its folder."""
    assert run_task(make(kind, 3)).state == "success"
    assert (list(budget_folder.iterdir()), texted()) == ([], [])

    write_results(budget_folder / "other.csv", ("accepted", "", 1, print_time()))
    assert run_task(make(kind, 1 if "send" in kind else 3)).state == "failed"
    assert len(list(budget_folder.iterdir())) == 1


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        (("accepted", "", 2, print_time()), 2),
        (("accepted", "", 2, print_time(days=40)), 0),
        (("accepted_untracked", "answer_lost", "", ""), 4),
        (("uncertain", "no_answer", "", ""), 4),
        (("uncertain", "undecided", "", ""), 4),
        (("uncertain", "key_taken", "", ""), 4),
        (("pending", "refused_for_now", "", ""), 4),
        (("pending", "not_attempted", "", ""), 0),
        (("pending", "not_reached", "", ""), 0),
        (("refused", "account_refused", "", ""), 0),
        (("rejected", "too_short", "", ""), 0),
        (("accepted", "", 2, "26.11.2026 12:00"), 2),
        (("accepted", "", 0, print_time()), 4),
        (("accepted", "", -5, print_time()), 4),
        (("nobody knows", "", "", ""), 4),
    ],
)
def test_what_a_row_counts(run_task, make, texted, budget_folder, *, row, parts):
    """What may have been sent counts; unknown parts are those of the longest message of the same table."""
    write_results(budget_folder / "other.csv", row, ("accepted", "", 4, print_time(days=40)))

    assert run_task(make("campaign", parts + 2, period="month", task_id="a")).state == "failed"
    assert texted() == []
    assert run_task(make("campaign", parts + 3, period="month", task_id="b")).state == "success"
    assert len(texted()) == 3


def test_parts_that_nothing_tells(run_task, make, texted, budget_folder):
    """Where no row of a table tells its parts, each counts ten, and the error says how many are uncertain."""
    write_results(budget_folder / "other.csv", ("uncertain", "no_answer", "", ""))

    stopped = run_task(make("send", 10))

    assert (stopped.state, texted()) == ("failed", [])
    assert "(10 parts, 1 messages of it uncertain)" in str(stopped.error)
    assert run_task(make("send", 11)).state == "success"


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_tables_of_both_kinds(run_task, make, texted, *, suffix, budget_folder):
    """A Parquet table tells what a CSV table tells; folders in the folder are read, too."""
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    path = budget_folder / "2036" / f"first.{suffix}"
    assert run_task(make("campaign", 3, task_id="first", results_path=str(path))).state == "success"

    assert run_task(make("campaign", 5, task_id="second")).state == "failed"
    assert len(texted()) == 3


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cut.csv", f"{','.join(HEADER)}\n1,2,3"),
        ("audience.csv", "phone,name\n992900000001,Z\n"),
        ("empty.csv", ""),
        ("old.csv.gz", "x"),
        ("report.xlsx", "x"),
        ("bad.parquet", "x"),
        ("number.csv", f"{','.join(HEADER)}\n1,a,b,accepted,,t,1,many,,1\n"),
        (
            "receipt.csv",
            "campaign_id,map_index,txn_id,state,bulk_name,recipients,send_at,uploaded_at\n,,,,,,,\n",
        ),
    ],
)
@pytest.mark.parametrize("kind", COSTS)
def test_what_cannot_be_understood(run_task, make, texted, *, budget_folder, kind, name, text):
    """A file that may be spending and cannot be read stops the task for good, with its name."""
    (budget_folder / name).write_text(text)

    stopped = run_task(make(kind, 100))

    assert (stopped.state, texted()) == ("failed", [])
    assert f"budget_path: '{name}' cannot be read as a results table or a receipt" in str(stopped.error)


def test_what_costs_nothing(run_task, make, texted, budget_folder):
    """The other tables of this package, pages and drafts are passed by."""
    (budget_folder / "rejects.csv").write_text("row,phone,reason,column\n1,•,too_short,\n")
    (budget_folder / "report.csv").write_text("key,phone,msg_id,status,first_seen,last_seen,polls\n")
    (budget_folder / "undelivered.csv").write_text("key,phone,status,reach,key_column\n")
    (budget_folder / "report.html").write_text("<html>")
    (budget_folder / ".results.csv.a1b2.draft").write_text("row,")

    assert run_task(make("campaign", 3)).state == "success"
    assert len(texted()) == 3


@pytest.mark.parametrize("kind", ["campaign", "bulk"])
@pytest.mark.parametrize(
    "place",
    [None, "{folder}-elsewhere/a.csv", "{folder}/../a.csv", "{folder}/.a.csv", "{folder}/.2036/a.csv"],
)
def test_own_spending_must_not_be_forgotten(run_task, make, texted, budget_folder, *, kind, place):
    """A task whose tables lie elsewhere, or are passed by, would not count for the next: it is refused."""
    argument = {"campaign": "results_path", "bulk": "receipt_path"}[kind]
    path = None if place is None else place.replace("{folder}", str(budget_folder))

    stopped = run_task(make(kind, 100, **{argument: path}))

    assert (stopped.state, texted()) == ("failed", [])
    assert f"a budget needs {argument} in the folder budget_path" in str(stopped.error)


def test_what_was_spent_is_not_replaced(run_task, make, texted):
    """A table that a budget reads is not replaced by that of another campaign."""
    stopped = run_task(make("campaign", 100, replace_results=True))

    assert (stopped.state, texted()) == ("failed", [])
    assert "replace_results would remove a table that a budget reads" in str(stopped.error)


def test_own_rows_count_once(run_task, make, texted, set_balance):
    """A later try counts what it has sent once, and fits into a budget that holds the campaign exactly."""
    people = [f"99290000{number:04}" for number in range(20)]
    task = partial(make, "campaign", recipients=people)
    set_balance(1)
    assert run_task(task(20)).state == "up_for_retry"
    assert len(texted()) == 10
    set_balance(100)

    stopped = run_task(task(19), try_number=2)
    assert (stopped.state, len(texted())) == ("failed", 10)
    assert "earlier tries sent 10 messages, and 10 are left" in str(stopped.error)
    assert run_task(task(20), try_number=3).state == "success"
    assert sorted(texted()) == people


def test_a_killed_campaign_is_spending(run_task, make, texted, *, budget_folder):
    """The part files of a campaign that was killed count; while its end is unknown, the others wait."""
    parts = budget_folder / "killed.csv.parts"
    parts.mkdir()
    rows = "".join(f"t{number},m{number}/1/{int(datetime.now(UTC).timestamp())}/1\n" for number in range(4))
    (parts / "c-w-handful.csv").write_text("txn_id,code\nt0,unanswered\nt4,unanswered\n")
    (parts / "c-w-000000.csv").write_text(f"txn_id,code\n{rows}")
    assert run_task(make("campaign", 7)).state == "failed"  # 4 known and 1 lost one
    assert texted() == []

    (parts / "c-w-started.csv").write_text("txn_id,code\n")
    waits = run_task(make("campaign", 100), try_number=2)
    assert (waits.state, texted()) == ("up_for_retry", [])
    assert "the campaign of 'killed.csv' has begun to send and has not ended" in str(waits.error)

    (parts / "c-w-started.csv").unlink()
    assert run_task(make("campaign", 8), try_number=3).state == "success"
    assert len(texted()) == 3


def test_a_killed_campaign_goes_on_in_its_own_budget(gateway, run_task, make, texted, *, monkeypatch):
    """A campaign that was killed in the middle counts its own part files once, and ends in its budget."""
    people = [f"99290000{number:04}" for number in range(20)]
    send = CampaignRun.send

    def die(self, account):
        send(self, account)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(CampaignRun, "send", die)
        patch.setattr(CampaignRun, "write_results", lambda _: None)
        gateway.backend.change_account("demo", balance=1)
        run_task(make("campaign", 20, recipients=people))
    assert len(texted()) == 10
    gateway.backend.change_account("demo", balance=100)

    assert run_task(make("campaign", 19, recipients=people), try_number=2).state == "failed"
    assert len(texted()) == 10
    result = run_task(make("campaign", 20, recipients=people), try_number=3)
    assert (result.state, sorted(texted())) == ("success", people)


@pytest.mark.parametrize("fault", [Fault.CUT_AFTER, Fault.CUT_BEFORE, Fault.NOT_SENT])
def test_a_send_that_may_have_been_accepted_is_spending(gateway, run_task, make, *, budget_folder, fault):
    """The table of a send says so until more is known; its own retry counts it once."""
    gateway.inject(fault, call="send", times=3)
    assert run_task(make("send", 1)).state == "up_for_retry"
    (table,) = budget_folder.iterdir()
    assert ",uncertain," in table.read_text()

    assert run_task(make("send", 1, task_id="other")).state == "failed"
    assert run_task(make("send", 1), try_number=2).state == "success"
    assert len(gateway.sent) == 1


def test_a_send_that_was_refused_costs_nothing(gateway, run_task, make, budget_folder, set_balance):
    """A send that surely went nowhere leaves the budget as it was."""
    set_balance(0)
    assert run_task(make("send", 1, task_id="poor")).state == "up_for_retry"
    (table,) = budget_folder.iterdir()
    assert ",pending," in table.read_text()
    set_balance(1)

    assert run_task(make("send", 1, task_id="other")).state == "success"
    assert len(gateway.sent) == 1


def test_receipts_beside_results(run_task, make, texted, budget_folder):
    """The receipts may lie in the same folder as the tables: a bulk task reads its own there."""
    write_results(budget_folder / "other.csv", ("accepted", "", 1, print_time()))
    task = partial(make, "bulk", 4, receipt_path=str(budget_folder))

    assert [run_task(task(), try_number=number).state for number in (1, 2)] == ["success"] * 2
    assert len(texted()) == 3


def test_a_bulk_job_that_may_exist_is_spending(gateway, run_task, make, texted):
    """A job whose upload was not answered counts for others; the one that repeats it counts it once."""
    gateway.inject(Fault.CUT_AFTER, call="bulk", times=1)
    assert run_task(make("bulk", 3)).state == "failed"
    assert run_task(make("send", 3)).state == "failed"

    assert run_task(make("bulk", 3, on_unconfirmed="resend"), try_number=2).state == "success"
    assert len(texted()) == 3


@pytest.mark.parametrize("period", ["day", "week", "month"])
def test_the_next_period_begins_at_midnight_in_dushanbe(run_task, make, texted, budget_folder, *, period):
    """What was spent until midnight in Dushanbe is not of the period that begins there."""
    begin = {"day": "2036-03-05", "week": "2036-03-03", "month": "2036-03-01"}[period]
    midnight = datetime.fromisoformat(f"{begin}T00:00:00+05:00").astimezone(UTC)
    now = datetime(2036, 3, 5, 5, tzinfo=UTC)
    path = budget_folder / "other.csv"
    second = timedelta(seconds=1)
    for moment, is_spent in ((midnight - second, False), (midnight, True)):
        write_results(path, ("accepted", "", 1, moment.isoformat()))
        os.utime(path, (now.timestamp(), now.timestamp()))
        result = run_task(make("send", 1, period=period, task_id=f"s{is_spent}", clock=lambda: now))
        assert result.state == ("failed" if is_spent else "success"), result.error
        for table in budget_folder.glob("send-*"):
            table.unlink()
    assert len(texted()) == 1


def test_the_folder_is_an_object_storage(run_task, make_task, texted, budget_folder):
    """The folder may be a URL or an ObjectStoragePath."""
    for number, spell in enumerate((str, ObjectStoragePath)):
        place = spell(f"file://{budget_folder}")
        assert (
            run_task(
                make_task("campaign", budget="0.60/day", budget_path=place, task_id=f"task{number}")
            ).state
            == "success"
        )

    stopped = run_task(make_task("send", budget="0.60/day", budget_path=f"file://{budget_folder}"))
    assert (stopped.state, len(texted())) == ("failed", 6)


def test_a_folder_that_changes_while_it_is_read(run_task, make, texted, budget_folder, *, monkeypatch):
    """Another task that writes into the folder meanwhile spends something that was not counted: a retry."""
    read = spending.count_spent

    def write_and_read(*args, **options):
        write_results(budget_folder / "other.csv", ("accepted", "", 1, print_time()))
        return read(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(spending, "count_spent", write_and_read)
        assert run_task(make("send", 100)).state == "up_for_retry"
    assert texted() == []
    assert run_task(make("send", 2), try_number=2).state == "success"
