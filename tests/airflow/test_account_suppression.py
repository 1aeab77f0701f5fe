"""The list of the whole account: who is on it is texted by no task, unless a task says so."""

from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_osonsms.errors import PhoneSuppressedError, SuppressionUnavailableError
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator, OsonSmsSendOperator
from airflow_provider_osonsms.simulator import Fault

PEOPLE = [f"99290000{number:04}" for number in range(6)]
ASKED, OTHERS = PEOPLE[:2], PEOPLE[2:]
TOMORROW = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def stop_list(gateway, monkeypatch, tmp_path):
    """Give the Connection a list with the first two people; return its path."""
    path = tmp_path / "stop.csv"
    path.write_text("\n".join(["asked not to be texted", "'+" + ASKED[0], ASKED[1][3:], ""]))
    monkeypatch.setenv(
        "AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(timeout=1, suppression=str(path))
    )
    return path


def make_send(phone, **fields):
    """Make a send operator."""
    return OsonSmsSendOperator(task_id="send", phone=phone, message="Салом!", retries=5, **fields)


def count_suppressed(result):
    """Return the suppressed rows of any operator's output."""
    return (result.xcom.get("reject_reasons") or result.xcom["rejected"]).get("suppressed", 0)


def test_the_list_is_joined_to_every_exclude(run_task, stop_list, texted, make_audience_task):
    """With or without an exclude of the task, nobody on the list is texted."""
    result = run_task(make_audience_task(recipients=PEOPLE, exclude=[OTHERS[0]]))

    assert result.state == "success", result.error
    assert count_suppressed(result) == 3
    assert set(texted()) <= set(OTHERS[1:])

    alone = run_task(make_audience_task(recipients=PEOPLE), run_id="run-2")

    assert count_suppressed(alone) == 2
    assert set(texted()) <= set(OTHERS)


def test_a_task_may_ignore_the_list(run_task, stop_list, texted, make_audience_task):
    """A text that people wait for reaches them; the exclude of the task itself still counts."""
    result = run_task(make_audience_task(recipients=PEOPLE, exclude=[OTHERS[0]], ignore_suppression=True))

    assert result.state == "success", result.error
    assert count_suppressed(result) == 1
    assert texted() in ([], sorted({*PEOPLE} - {OTHERS[0]}))


def test_a_url_is_read_too(gateway, run_task, stop_list, monkeypatch, *, texted, make_audience_task):
    """The list may be anywhere that Airflow reaches."""
    monkeypatch.setenv(
        "AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(suppression=f"file://{stop_list}")
    )

    assert count_suppressed(run_task(make_audience_task(recipients=PEOPLE))) == 2


def test_without_the_list_nothing_goes_on(run_task, stop_list, texted, make_audience_task):
    """A list that is not there stops the task, which will be tried again; once it is back, all goes on."""
    text = stop_list.read_text()
    stop_list.unlink()

    result = run_task(make_audience_task(recipients=PEOPLE))

    assert result.state == "up_for_retry"
    assert "the Connection's suppression cannot be read for now" in str(result.error)
    assert texted() == []

    stop_list.write_text(text)
    again = run_task(make_audience_task(recipients=PEOPLE), run_id="run-2")
    assert again.state == "success", again.error
    assert set(texted()) <= set(OTHERS)


@pytest.mark.parametrize(
    "text", ["", "phone\nЗарина\n", "phone\n992900000001\nЗарина\n", "phone\n9.929E+11\n"]
)
def test_a_list_that_may_be_another_stops(run_task, stop_list, texted, make_audience_task, *, text):
    """What cannot be the whole list stops the task for good, however many entries exclude may ignore."""
    stop_list.write_text(text)

    result = run_task(make_audience_task(recipients=PEOPLE, max_ignored_ratio=1.0))

    assert result.state == "failed"
    assert "the Connection's suppression" in str(result.error)
    assert texted() == []


def test_an_outage_of_the_storage(run_task, stop_list, texted, monkeypatch, *, make_audience_task):
    """An error of the storage in the middle of the list is a reason to try again."""
    from airflow_provider_osonsms.audience import suppression

    def break_off(*args, **kwargs):
        raise ConnectionError("https://key:secret@storage.tj/stop.csv")

    monkeypatch.setattr(suppression, "read_phones", break_off)

    result = run_task(make_audience_task(recipients=PEOPLE))

    assert result.state == "up_for_retry"
    assert "(ConnectionError)" in str(result.error)
    assert "secret" not in str(result.error)
    assert texted() == []


def test_no_table_is_written_over_the_list(run_task, stop_list, texted, make_audience_task):
    """A path of the task's own that names the list is a mistake."""
    result = run_task(make_audience_task(recipients=PEOPLE, rejects_path=str(stop_list)))

    assert result.state == "failed"
    assert "the Connection's suppression are one file" in str(result.error)
    assert "'+" in stop_list.read_text()


def test_a_single_send_is_skipped(run_task, stop_list, texted):
    """Who is on the list gets no single message either, however the phone is written."""
    result = run_task(make_send("+992 90 000 00 00"))

    assert result.state == "skipped"
    assert texted() == []
    assert run_task(make_send(OTHERS[0]), run_id="run-2").state == "success"
    assert texted() == [OTHERS[0]]


def test_a_single_send_may_ignore_the_list(run_task, stop_list, texted):
    """A code that somebody waits for is sent."""
    assert run_task(make_send(ASKED[0], ignore_suppression=True)).state == "success"
    assert texted() == [ASKED[0]]


def test_a_single_send_does_not_go_on_without_the_list(run_task, stop_list, texted):
    """A list that is not there is no empty list."""
    stop_list.unlink()

    assert run_task(make_send(OTHERS[0])).state == "up_for_retry"
    assert texted() == []
    assert run_task(make_send(OTHERS[0], ignore_suppression=True), try_number=2).state == "success"


def test_the_hook_refuses(stop_list, texted):
    """Code that uses the hook gets an error of its own, and nothing is sent."""
    hook = OsonSmsHook()

    with pytest.raises(PhoneSuppressedError, match="992•••••000"):
        hook.send_sms("900000000", "Салом!", txn_id="a")
    with pytest.raises(PhoneSuppressedError, match="2 of 6 phones"):
        hook.create_bulk(PEOPLE, "Салом!", txn_id="b", send_at=TOMORROW)

    assert texted() == []
    hook.send_sms(ASKED[0], "Код: 1234", txn_id="a", ignore_suppression=True)
    hook.create_bulk(ASKED, "Салом!", txn_id="b", send_at=TOMORROW, ignore_suppression=True)
    assert texted() == sorted([ASKED[0], *ASKED])


def test_the_hook_reads_the_list_once(stop_list, texted):
    """One hook is one reading; the next one sees what is new, and none goes on without the list."""
    hook = OsonSmsHook()
    hook.send_sms(OTHERS[0], "Салом!", txn_id="a")
    stop_list.unlink()

    hook.send_sms(OTHERS[1], "Салом!", txn_id="b")
    with pytest.raises(PhoneSuppressedError):
        hook.send_sms(ASKED[0], "Салом!", txn_id="c")
    with pytest.raises(SuppressionUnavailableError):
        OsonSmsHook().send_sms(OTHERS[2], "Салом!", txn_id="d")

    assert texted() == OTHERS[:2]


def test_who_is_added_between_two_tries(gateway, run_task, stop_list, texted, *, tmp_path):
    """A retry texts nobody twice, and rejects whoever has been added to the list since."""

    def make_campaign():
        return OsonSmsCampaignOperator(
            task_id="campaign",
            recipients=PEOPLE,
            message="Салом!",
            results_path=str(tmp_path / "results.csv"),
            concurrency=1,
            max_consecutive_failures=1,
            retries=5,
        )

    gateway.inject(Fault.CUT_AFTER, times=1)
    first = run_task(make_campaign())
    before = texted()
    assert first.state == "up_for_retry"
    assert len(before) == 1

    stop_list.write_text("\n".join(["phone", *ASKED, before[0], OTHERS[-1], ""]))
    second = run_task(make_campaign(), try_number=2)

    assert second.state == "success", second.error
    assert texted() == sorted([*before, *(set(OTHERS) - {before[0], OTHERS[-1]})])
    assert second.xcom["rejected"] == {"suppressed": 4}


def test_a_list_that_comes_between_two_tries_of_a_bulk_job(
    gateway, run_task, stop_list, texted, *, make_audience_task
):
    """A job that may exist is not created again for the others: nobody is in two jobs."""
    gateway.inject(Fault.CUT_AFTER, call="bulk", times=1)
    run_task(make_audience_task(recipients=PEOPLE))
    before = texted()

    stop_list.write_text("\n".join(["phone", *ASKED, OTHERS[-1], ""]))
    run_task(make_audience_task(recipients=PEOPLE), try_number=2)

    assert len(texted()) == len(set(texted()))
    assert set(before) <= set(texted())
