"""An alert from the callbacks of tasks, on the gateway's ledger."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_osonsms._compat import AirflowFailException, AirflowSkipException
from airflow_provider_osonsms.notifications.osonsms import OsonSmsNotifier

PHONE = "992900000001"
OTHER_PHONE = "992900000002"
CALLBACKS = {
    "on_failure_callback": (AirflowFailException("no"), "unit.load failed, run-1"),
    "on_retry_callback": (ValueError("for now"), "unit.load failed and will be tried again, run-1"),
    "on_success_callback": (None, "unit.load succeeded, run-1"),
    "on_skipped_callback": (AirflowSkipException("not today"), "unit.load was skipped, run-1"),
}


@pytest.fixture(autouse=True)
def _base_url(monkeypatch):
    """An Airflow that a browser finds."""
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://air.tj")


@pytest.mark.parametrize("callback", CALLBACKS)
def test_each_callback_of_a_task_texts_once(gateway, make_notifier, run_to_end, callback):
    """Each callback texts what has become of its task, in one part, and nothing in the other cases."""
    for name, (error, _) in CALLBACKS.items():
        run_to_end(
            error, retries=5, dag_id="other" if name != callback else "unit", **{callback: make_notifier()}
        )

    (sms,) = gateway.sent
    assert (sms.phone, sms.sender, sms.parts) == (PHONE, "SHOP", 1)
    assert sms.text == f"{CALLBACKS[callback][1]} https://air.tj/dags/unit/runs/run-1/tasks/load"


def test_callback_that_runs_twice_texts_once(gateway, make_notifier, run_to_end, said):
    """The same callback of the same try texts once, and says that the second was throttled."""
    result = run_to_end(ValueError("x"), on_failure_callback=make_notifier(dedupe_by="task"))
    result.run_callbacks()

    assert len(gateway.sent) == 1
    assert "is throttled" in said()
    assert PHONE not in said()


@pytest.mark.parametrize(
    ("dedupe_by", "texts"),
    [("task", 8), ("dag_run", 4), ("dag", 2), ("message", 1)],
)
def test_what_is_texted_once_in_a_window(gateway, make_notifier, run_to_end, dedupe_by, texts):
    """Two tasks of two runs of two DAGs fail in a window: as many SMS as there are things to tell apart."""
    notifier = make_notifier(dedupe_by=dedupe_by, message="something failed", window=timedelta(days=7))
    for dag_id in ("first", "second"):
        for run_id in ("run-1", "run-2"):
            for task_id in ("extract", "load"):
                for _ in range(2):
                    run_to_end(
                        ValueError("x"),
                        dag_id=dag_id,
                        run_id=run_id,
                        task_id=task_id,
                        on_failure_callback=notifier,
                    )

    assert len(gateway.sent) == texts


def test_the_next_window_texts_again(gateway, make_notifier, run_to_end):
    """A failure after the window is told again."""
    result = run_to_end(ValueError("x"), on_failure_callback=make_notifier())
    for minutes in (10, 20, 25):
        result.run_callbacks(later=timedelta(minutes=minutes))

    assert len(gateway.sent) in (3, 4)  # 20 and 25 minutes later may be one window


def test_good_news_hides_no_failure(gateway, make_notifier, run_to_end):
    """A success and a failure of a DAG in one window are two SMS; a retry and its failure are one problem."""
    notifier = make_notifier(window=timedelta(days=7))
    callbacks = dict.fromkeys(CALLBACKS, notifier)

    run_to_end(None, **callbacks)
    run_to_end(ValueError("x"), run_id="run-2", retries=1, **callbacks)
    run_to_end(ValueError("x"), run_id="run-2", retries=1, try_number=2, **callbacks)

    assert [sms.text.split(",")[0] for sms in gateway.sent] == [
        "unit.load succeeded",
        "unit.load failed and will be tried again",
    ]


def test_first_wins(gateway, make_notifier, run_to_end):
    """Two notifiers with one key and two texts: the first is sent."""
    notifiers = [make_notifier(message=text, dedupe_by="task") for text in ("one", "two")]
    run_to_end(ValueError("x"), on_failure_callback=notifiers)

    assert [sms.text for sms in gateway.sent] == ["one"]


def test_each_phone_has_its_own_sms(gateway, make_notifier, run_to_end, said):
    """Each phone is texted once, in whatever spelling; a wrong or refused one stops no other."""
    phones = f"{PHONE}, +992 90 000-00-01; 12\n{OTHER_PHONE}"
    gateway.inject("cut_before", times=2)
    run_to_end(ValueError("x"), on_failure_callback=make_notifier(phones=phones))

    assert [sms.phone for sms in gateway.sent] == [OTHER_PHONE]
    assert "992•••••001 may have been sent" in said()
    assert "is rejected" in said()


def test_template_sees_the_callback(gateway, make_notifier, run_to_end):
    """Phones and message are templates of the callback's context, and the notifier can be used again."""
    notifier = make_notifier(
        phones=["{{ params.phone }}"],
        message="{{ ti.task_id }} {{ alert.state }} {{ alert.try_number }}: {{ exception }} {{ alert.link }}",
        dedupe_by="dag_run",
    )
    for run_id in ("run-1", "run-2"):
        run_to_end(
            AirflowFailException("disk full"),
            run_id=run_id,
            params={"phone": PHONE},
            on_failure_callback=notifier,
        )

    assert [sms.text for sms in gateway.sent] == [
        f"load failed 1: disk full https://air.tj/dags/unit/runs/{run_id}/tasks/load"
        for run_id in ("run-1", "run-2")
    ]
    assert notifier.phones == ["{{ params.phone }}"]


def test_broken_template_hides_no_failure(gateway, make_notifier, run_to_end, said):
    """A message whose template fails is replaced by the default text, and the log says so."""
    run_to_end(ValueError("x"), on_failure_callback=make_notifier(message="{{ nothing.at.all }}"))

    (sms,) = gateway.sent
    assert sms.text.startswith("unit.load failed")
    assert "the default text is sent" in said()


def test_long_text_is_cut(gateway, make_notifier, run_to_end):
    """A text is billed as at most max_parts; in Latin letters it holds twice as much."""
    message = "Боркунии маълумот бо хато анҷом ёфт, лутфан журналро бинед ва ба навбатдор занг занед"
    for run_id, options in (("run-1", {}), ("run-2", {"transliterate": True}), ("run-3", {"max_parts": 2})):
        notifier = make_notifier(message=message, dedupe_by="dag_run", **options)
        run_to_end(ValueError("x"), run_id=run_id, on_failure_callback=notifier)

    cut, latin, whole = gateway.sent
    assert (cut.text, cut.parts) == ("Боркунии маълумот бо хато анҷом ёфт, лутфан журналро бинед ва ба...", 1)
    assert (latin.text.endswith("zang zaned"), latin.parts) == (True, 1)
    assert (whole.text, whole.parts) == (message, 2)


def test_every_argument_is_a_template(gateway, make_notifier, run_to_end):
    """Arguments are templates, as those of the operators are, and are read for each callback anew."""
    notifier = make_notifier(
        message="а" * 100,
        dedupe_by="{{ params.by }}",
        max_parts="{{ params.parts }}",
        window="{{ params.window }}",
        transliterate="{{ params.latin }}",
        osonsms_conn_id="{{ params.conn }}",
    )
    common = {"by": "dag_run", "window": "604800", "conn": "osonsms_default"}
    for run_id, parts, latin in (("run-1", 1, "false"), ("run-2", 2, False), ("run-3", 1, "True")):
        params = {**common, "parts": parts, "latin": latin}
        run_to_end(ValueError("x"), run_id=run_id, params=params, on_failure_callback=notifier)

    assert [(sms.parts, len(sms.text)) for sms in gateway.sent] == [(1, 70), (2, 100), (1, 100)]


@pytest.mark.parametrize(("hour", "is_sent"), [(21, True), (22, False), (3, False), (7, True)])
def test_quiet_hours(*, gateway, make_notifier, run_to_end, monkeypatch, said, hour, is_sent):
    """Within the quiet hours nobody is texted, and the log says so."""
    now = datetime(2026, 11, 23, hour, tzinfo=UTC)
    monkeypatch.setattr(OsonSmsNotifier, "_clock", lambda _self: now)
    run_to_end(ValueError("x"), on_failure_callback=make_notifier(quiet_hours="22:00-07:00 UTC"))

    assert len(gateway.sent) == is_sent
    assert ("quiet hours" in said()) is not is_sent


def test_nobody_is_texted_who_must_not_be(*, gateway, make_notifier, run_to_end, monkeypatch, tmp_path, said):
    """The account's suppression list and its allowed phones hold for alerts, phone by phone."""
    stop = tmp_path / "stop.csv"
    stop.write_text(f"phone\n{PHONE}\n")
    third = "992900000003"
    options = {"suppression": str(stop), "allowed_phones": f"{PHONE},{OTHER_PHONE}"}
    monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(**options))
    run_to_end(ValueError("x"), on_failure_callback=make_notifier(phones=[PHONE, OTHER_PHONE, third]))

    assert [sms.phone for sms in gateway.sent] == [OTHER_PHONE]
    assert "992•••••001: it is on the Connection's suppression list" in said()
    assert "No alert to 992•••••003" in said()

    run_to_end(ValueError("x"), on_failure_callback=make_notifier(ignore_suppression=True))
    assert [sms.phone for sms in gateway.sent] == [OTHER_PHONE, PHONE]


def test_suppression_list_that_cannot_be_read(*, gateway, make_notifier, run_to_end, monkeypatch, said):
    """Without the list nobody is texted."""
    connection = gateway.connection_json(suppression="/nowhere/stop.csv")
    monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", connection)
    run_to_end(ValueError("x"), on_failure_callback=make_notifier())

    assert gateway.sent == []
    assert "No alert was sent" in said()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"osonsms_conn_id": "nowhere"}, "Connection 'nowhere' is not defined"),
        ({"phones": "{{ nobody }}"}, "UndefinedError"),
        ({"phones": []}, "phones"),
        ({"sender": "far too long a sender"}, "sender"),
        ({"channel": "{{ 'pigeon' }}"}, "channel must be one of telegram"),
        ({"max_parts": "{{ none }}"}, "max_parts must be a whole number"),
    ],
)
def test_nothing_fails_a_task(*, gateway, make_notifier, run_to_end, said, options, words):
    """A notifier that cannot text leaves the task as it was, and says in the log what to do."""
    result = run_to_end(ValueError("x"), on_failure_callback=make_notifier(**options))

    assert result.state == "failed"
    assert gateway.sent == []
    assert words in said()


@pytest.mark.parametrize(
    "options",
    [
        {"dedupe_by": "hour"},
        {"window": 0},
        {"window": "ten minutes"},
        {"max_parts": 0},
        {"transliterate": "no"},
        {"quiet_hours": "at night"},
        {"ignore_suppression": 2},
        {"channel": "pigeon"},
        {"sender": ""},
        {"osonsms_conn_id": None},
    ],
)
def test_wrong_arguments(gateway, make_notifier, said, options):
    """A wrong argument is an error where the DAG is parsed, and in a deadline a line of the log."""
    (name,) = options
    with pytest.raises(Exception, match=name):
        make_notifier(**options)

    deadline = {"id": "1", "deadline_time": datetime(2026, 11, 23, tzinfo=UTC)}
    context = {"dag_run": {"dag_id": "d", "dag_run_id": "r"}, "deadline": deadline}
    make_notifier(**options, context=context)(context)
    asyncio.run(make_notifier(**options, context=context).async_notify(context))

    assert gateway.sent == []
    assert said().count(f"No alert was sent: {name} must be") == 2
